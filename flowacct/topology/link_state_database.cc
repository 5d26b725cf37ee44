#include "flowacct/topology/link_state_database.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace flowacct::topology {
namespace {

// Of a change and the advertisement that it alone may hold.
size_t HistoryOctetsOf(const TopologyChange& change) {
  return sizeof(TopologyChange) + (change.before == nullptr ? 0 : OctetsOf(*change.before));
}

bool SamePrefixes(const Advertisement& a, const Advertisement& b) {
  return a.attached == b.attached && a.topologies == b.topologies && a.prefixes == b.prefixes;
}

}  // namespace

LinkStateDatabase::LinkStateDatabase(LinkStateDatabaseOptions options) : options_(options) {
  options_.max_advertisements = std::min(options_.max_advertisements, kMaxNodes);
}

TopologyChange LinkStateDatabase::ChangeOf(const AdvertisementKey& key, Pointer before, Pointer after,
                                           int64_t time_nanos) {
  TopologyChange change;
  change.time_nanos = time_nanos;
  change.key = key;
  change.kind = before == nullptr  ? TopologyChange::Kind::kNew
                : after == nullptr ? TopologyChange::Kind::kGone
                                   : TopologyChange::Kind::kChanged;
  if (before == nullptr || after == nullptr) {
    // Fragment 0 makes the node; without links another fragment says nothing of the graph.
    const Advertisement& one = before == nullptr ? *after : *before;
    change.graph = key.fragment == 0 || !one.links.empty();
    change.prefixes = key.fragment == 0 || !one.prefixes.empty();
  } else {
    change.graph = !SameGraph(*before, *after);
    change.prefixes = !SamePrefixes(*before, *after);
  }
  change.before = std::move(before);
  change.after = std::move(after);
  return change;
}

void LinkStateDatabase::Remember(const TopologyChange& change) {
  history_octets_ += HistoryOctetsOf(change);
  history_.push_back(change);
  while (!history_.empty() &&
         (history_.size() > options_.max_history || history_octets_ > options_.max_history_octets)) {
    history_octets_ -= HistoryOctetsOf(history_.front());
    history_begin_nanos_ = history_.front().time_nanos;
    history_.pop_front();
    ++forgotten_;
  }
}

std::optional<TopologyChange> LinkStateDatabase::Apply(Advertisement advertisement, int64_t time_nanos) {
  // Histories know of no time that goes back.
  last_nanos_ = time_nanos = std::max(time_nanos, last_nanos_);
  const AdvertisementKey key = advertisement.key;
  const auto it = advertisements_.find(key);
  const bool known = it != advertisements_.end();
  if (known && SameContent(*it->second, advertisement)) {
    ++refreshed_;
    // Readers may look at the old one, so the sequence number comes with a new one.
    if (it->second->sequence != advertisement.sequence) {
      octets_ -= OctetsOf(*it->second);
      it->second = std::make_shared<const Advertisement>(std::move(advertisement));
      octets_ += OctetsOf(*it->second);
    }
    return std::nullopt;
  }
  const size_t before = known ? OctetsOf(*it->second) : 0, after = OctetsOf(advertisement);
  if ((!known && advertisements_.size() >= options_.max_advertisements) ||
      (after > before && octets_ - before + after > options_.max_octets)) {
    ++refused_;
    // What is known to be old is not shown as if it were true.
    return known ? Remove(key, time_nanos) : std::nullopt;
  }
  octets_ = octets_ - before + after;
  auto pointer = std::make_shared<const Advertisement>(std::move(advertisement));
  TopologyChange change = ChangeOf(key, known ? it->second : nullptr, pointer, time_nanos);
  if (known) {
    it->second = std::move(pointer);
  } else {
    advertisements_.emplace(key, std::move(pointer));
  }
  Remember(change);
  return change;
}

std::optional<TopologyChange> LinkStateDatabase::Remove(const AdvertisementKey& key, int64_t time_nanos) {
  last_nanos_ = time_nanos = std::max(time_nanos, last_nanos_);
  const auto it = advertisements_.find(key);
  if (it == advertisements_.end()) return std::nullopt;
  octets_ -= OctetsOf(*it->second);
  TopologyChange change = ChangeOf(key, it->second, nullptr, time_nanos);
  advertisements_.erase(it);
  Remember(change);
  return change;
}

std::shared_ptr<const Advertisement> LinkStateDatabase::Find(const AdvertisementKey& key) const {
  const auto it = advertisements_.find(key);
  return it == advertisements_.end() ? nullptr : it->second;
}

TopologyState LinkStateDatabase::State() const {
  std::vector<Pointer> all;
  all.reserve(advertisements_.size());
  for (const auto& [key, pointer] : advertisements_) all.push_back(pointer);
  return TopologyState(options_.style, std::move(all));
}

std::optional<TopologyState> LinkStateDatabase::StateAt(int64_t time_nanos) const {
  if (time_nanos < history_begin_nanos_) return std::nullopt;
  // Back from what is.
  absl::btree_map<AdvertisementKey, Pointer> then = advertisements_;
  for (auto change = history_.rbegin(); change != history_.rend() && change->time_nanos > time_nanos; ++change) {
    if (change->before == nullptr) {
      then.erase(change->key);
    } else {
      then[change->key] = change->before;
    }
  }
  std::vector<Pointer> all;
  all.reserve(then.size());
  for (const auto& [key, pointer] : then) all.push_back(pointer);
  return TopologyState(options_.style, std::move(all));
}

}  // namespace flowacct::topology
