#include "flowacct/topology/reach_table.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace flowacct::topology {
namespace {

bool V6Of(const base::IpPrefix& prefix) { return !prefix.address().IsV4(); }

auto OrderOf(const base::IpPrefix& prefix, const ReachCandidate& c) {
  return std::make_tuple(prefix.address(), prefix.length(), c.level, c.topology, c.node.value, c.metric, c.flags);
}

}  // namespace

ReachTable::ReachTable(lpm::ReaderEpochs* epochs, ReachTableOptions options)
    : options_(options), arena_(epochs, options.arena), live_(&arena_) {
  options_.max_candidates = std::min(options_.max_candidates, kMaxCandidates);
}

ReachTable::~ReachTable() = default;

void ReachTable::EntriesOf(const Advertisement& a, std::vector<Entry>* entries) {
  ReachCandidate candidate;
  candidate.node = a.key.origin;
  candidate.level = a.key.level;
  entries->reserve(a.prefixes.size() + 2);
  for (const AdvertisedPrefix& p : a.prefixes) {
    candidate.metric = p.metric;
    candidate.topology = p.topology;
    candidate.flags =
        static_cast<uint8_t>((p.down ? ReachCandidate::kDown : 0) | (p.external ? ReachCandidate::kExternal : 0) |
                             (p.external_metric ? ReachCandidate::kExternalMetric : 0));
    entries->push_back({p.prefix, candidate});
  }
  if (a.key.level != 1 || a.key.fragment != 0) return;
  candidate.metric = 0;
  candidate.flags = ReachCandidate::kAttached;
  const base::IpPrefix v4(base::IpAddress::V4(0), 0), v6;
  candidate.topology = 0;
  if (a.attached) {
    entries->push_back({v4, candidate});
    entries->push_back({v6, candidate});
  }
  for (const TopologyFlags& flags : a.topologies) {
    candidate.topology = flags.topology;
    if (flags.attached) entries->push_back({v6, candidate});
  }
}

void ReachTable::CountLength(const base::IpPrefix& prefix, bool more) {
  const bool v6 = V6Of(prefix);
  size_t& count = of_length_[v6][prefix.length()];
  count += more ? size_t{1} : ~size_t{0};
  std::atomic<uint64_t>& word = lengths_[v6][prefix.length() / 64];
  const uint64_t bit = uint64_t{1} << prefix.length() % 64;
  const uint64_t bits = word.load(std::memory_order_relaxed);
  word.store(count > 0 ? bits | bit : bits & ~bit, std::memory_order_release);
}

void ReachTable::Replace(const base::IpPrefix& prefix, absl::Span<const Entry> gone, absl::Span<const Entry> fresh) {
  const uint32_t old_ref = live_.Get(prefix);
  changed_.clear();
  size_t before = 0;
  if (old_ref != lpm::LiveTable::kNone) {
    const List* list = ListOf(old_ref);
    before = list->count;
    changed_.assign(list->entries(), list->entries() + list->count);
  }
  for (const Entry& entry : gone) {
    const auto it = std::find(changed_.begin(), changed_.end(), entry.candidate);
    if (it != changed_.end()) changed_.erase(it);  // else it was refused
  }
  for (const Entry& entry : fresh) {
    if (changed_.size() >= options_.max_candidates || (arena_.full() && changed_.size() >= before)) {
      ++refused_;
    } else {
      changed_.push_back(entry.candidate);
    }
  }
  candidates_ = candidates_ - before + changed_.size();
  if (changed_.empty()) {
    if (old_ref == lpm::LiveTable::kNone) return;
    live_.Erase(prefix);
    CountLength(prefix, false);
  } else {
    const lpm::NodeArena::Ref ref = arena_.Allocate(List::OctetsOf(changed_.size()));
    List* list = ListOf(ref);
    list->count = static_cast<uint16_t>(changed_.size());
    list->serial = ++serial_ & ((uint64_t{1} << 48) - 1);
    std::memcpy(static_cast<void*>(list->entries()), changed_.data(), changed_.size() * sizeof(ReachCandidate));
    live_.Insert(prefix, ref);
    if (old_ref == lpm::LiveTable::kNone) CountLength(prefix, true);
  }
  if (old_ref != lpm::LiveTable::kNone) arena_.Retire(old_ref, List::OctetsOf(before));
}

void ReachTable::Apply(const TopologyChange& change) {
  if (!change.prefixes) return;
  gone_.clear();
  fresh_.clear();
  if (change.before != nullptr) EntriesOf(*change.before, &gone_);
  if (change.after != nullptr) EntriesOf(*change.after, &fresh_);
  const auto before = [](const Entry& a, const Entry& b) {
    return OrderOf(a.prefix, a.candidate) < OrderOf(b.prefix, b.candidate);
  };
  std::sort(gone_.begin(), gone_.end(), before);
  std::sort(fresh_.begin(), fresh_.end(), before);
  // What is in both stays.
  std::vector<Entry> gone, fresh;
  std::set_difference(gone_.begin(), gone_.end(), fresh_.begin(), fresh_.end(), std::back_inserter(gone), before);
  std::set_difference(fresh_.begin(), fresh_.end(), gone_.begin(), gone_.end(), std::back_inserter(fresh), before);
  size_t g = 0, f = 0;
  while (g < gone.size() || f < fresh.size()) {
    const base::IpPrefix prefix = f == fresh.size()                                      ? gone[g].prefix
                                  : g == gone.size() || fresh[f].prefix < gone[g].prefix ? fresh[f].prefix
                                                                                         : gone[g].prefix;
    const size_t g_begin = g, f_begin = f;
    while (g < gone.size() && gone[g].prefix == prefix) ++g;
    while (f < fresh.size() && fresh[f].prefix == prefix) ++f;
    Replace(prefix, absl::MakeConstSpan(gone).subspan(g_begin, g - g_begin),
            absl::MakeConstSpan(fresh).subspan(f_begin, f - f_begin));
  }
  version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void ReachTable::Reset(const TopologyState& state) {
  for (const bool v6 : {false, true}) {
    std::vector<std::pair<base::IpPrefix, uint32_t>> all;
    live_.Walk(v6, nullptr, [&](const base::IpPrefix& prefix, uint32_t ref) {
      all.emplace_back(prefix, ref);
      return true;
    });
    for (const auto& [prefix, ref] : all) {
      live_.Erase(prefix);
      CountLength(prefix, false);
      arena_.Retire(ref, List::OctetsOf(ListOf(ref)->count));
    }
  }
  candidates_ = 0;
  for (const TopologyState::Pointer& advertisement : state.advertisements()) {
    TopologyChange change;
    change.key = advertisement->key;
    change.prefixes = true;
    change.after = advertisement;
    Apply(change);
  }
  version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

ReachView ReachReader::Find(const base::IpAddress& address) const {
  ReachView view;
  FindBatch(address.data(), 0, 1, &view);
  return view;
}

void ReachReader::FindBatch(const uint8_t* addresses, size_t stride, size_t n, ReachView* views) const {
  constexpr size_t kAtOnce = 64;
  std::array<lpm::LiveTable::Match, kAtOnce> matches;
  for (size_t done = 0; done < n;) {
    const size_t group = std::min(n - done, kAtOnce);
    table_->live_.FindBatch(addresses + done * stride, stride, group, matches.data());
    for (size_t i = 0; i < group; ++i) {
      if (matches[i].value != lpm::LiveTable::kNone) __builtin_prefetch(table_->arena_.At(matches[i].value));
    }
    for (size_t i = 0; i < group; ++i, ++done) {
      views[done] =
          matches[i].value == lpm::LiveTable::kNone ? ReachView() : table_->ViewOf(matches[i].value, matches[i].length);
    }
  }
}

ReachView ReachReader::FindPrefix(const base::IpPrefix& prefix) const {
  const uint32_t ref = table_->live_.Get(prefix);
  return ref == lpm::LiveTable::kNone ? ReachView() : table_->ViewOf(ref, prefix.length());
}

ReachView ReachReader::FindShorter(const base::IpAddress& address, uint8_t length) const {
  const bool v6 = !address.IsV4();
  for (int shorter = length - 1; shorter >= 0; --shorter) {
    const uint64_t word = table_->lengths_[v6][static_cast<size_t>(shorter) / 64].load(std::memory_order_acquire);
    if ((word >> (shorter % 64) & 1) == 0) continue;
    const ReachView view = FindPrefix({address, static_cast<uint8_t>(shorter)});
    if (view.found()) return view;
  }
  return {};
}

}  // namespace flowacct::topology
