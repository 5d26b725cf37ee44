#include "flowacct/collector/igp/bgp_ls_feed.h"

#include <algorithm>
#include <utility>

#include "flowacct/base/decode_result.h"
#include "flowacct/bgp/attribute.h"

namespace flowacct::collector {
namespace {

// Routers that are copied with the lock held, which the engine waits for.
constexpr size_t kStep = 64;

bool HasLinkState(absl::Span<const bgp::NlriSection> sections) {
  return std::any_of(sections.begin(), sections.end(),
                     [](const bgp::NlriSection& s) { return bgp::FamilySet::LinkState().Has(s.family); });
}

}  // namespace

BgpLsFeed::BgpLsFeed(BgpLsOptions options, std::function<void()> wake) : wake_(std::move(wake)), topology_(options) {}

BgpLsFeed::Source& BgpLsFeed::SourceOf(const PeerBook::Peer& peer) {
  const auto [place, is_new] = sources_.try_emplace(peer.key);
  Source& source = place->second;
  if (is_new) {
    source.number = ++last_source_;
    source.told.address = peer.key.address;
    source.told.told_by = peer.key.told_by;
    source.told.view = peer.key.view;
  }
  return source;
}

bool BgpLsFeed::MustWake() { return topology_.waiting() > 0 && wake_ != nullptr && !std::exchange(woken_, true); }

void BgpLsFeed::Take(absl::Span<const bgp::NlriSection> sections, const bgp::LinkStateAttribute* attribute,
                     Source* source) {
  BgpLsSourceStatus& told = source->told;
  for (const bgp::NlriSection& section : sections) {
    if (!bgp::FamilySet::LinkState().Has(section.family)) continue;
    const bool vpn = section.family == bgp::Family::kLinkStateVpn;
    bgp::VisitLinkStateNlri(
        section.octets, vpn, section.add_path, [&](const base::DecodeResult& result, const bgp::LinkStateNlri& nlri) {
          mutex_.AssertHeld();
          if (!result.ok()) {
            ++(result.code == base::DecodeCode::kUnsupported ? told.unknown_objects : told.malformed_objects);
          } else if (attribute != nullptr) {
            ++told.announced;
            topology_.Announce(nlri, *attribute, source->number);
          } else {
            ++told.withdrawn;
            topology_.Withdraw(nlri, source->number);
          }
        });
  }
}

void BgpLsFeed::OnUp(const PeerBook::Peer& peer, absl::Time time) { OnDown(peer, time); }

void BgpLsFeed::OnDown(const PeerBook::Peer& peer, absl::Time) {
  bool wake = false;
  {
    base::MutexLock lock(&mutex_);
    const auto found = sources_.find(peer.key);
    if (found == sources_.end()) return;
    topology_.WithdrawAll(found->second.number);
    sources_.erase(found);
    wake = MustWake();
  }
  if (wake) wake_();
}

void BgpLsFeed::OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time) {
  const bool given_up = !(update.disabled_families() & bgp::FamilySet::LinkState()).empty();
  if (!given_up && !HasLinkState(update.withdrawn()) && !HasLinkState(update.announced())) return;
  // Read without the lock.
  bgp::LinkStateAttribute attribute;
  bool malformed = false;
  for (const bgp::UpdateError& error : update.errors()) {
    malformed |= error.attribute == static_cast<uint8_t>(bgp::AttributeCode::kLinkStateAttribute);
  }
  if (const bgp::AttributeView* const found = update.Find(bgp::AttributeCode::kLinkStateAttribute)) {
    if (!bgp::ReadLinkStateAttribute(found->value, &attribute).ok()) {
      malformed = true;
      attribute = bgp::LinkStateAttribute();
    }
  }
  bool wake = false;
  {
    base::MutexLock lock(&mutex_);
    Source& source = SourceOf(peer);
    source.told.malformed_attributes += malformed;
    Take(update.withdrawn(), nullptr, &source);
    Take(update.announced(), &attribute, &source);
    if (given_up) topology_.WithdrawAll(source.number);
    wake = MustWake();
  }
  if (wake) wake_();
}

void BgpLsFeed::OnEndOfRib(const PeerBook::Peer& peer, bgp::Family family, absl::Time) {
  if (!bgp::FamilySet::LinkState().Has(family)) return;
  base::MutexLock lock(&mutex_);
  SourceOf(peer).told.complete = true;
}

bool BgpLsFeed::TakeChanges(size_t max, absl::FunctionRef<void(const topology::Advertisement& changed)> changed,
                            absl::FunctionRef<void(const topology::AdvertisementKey& gone)> gone) {
  std::vector<topology::Advertisement> all_changed;
  std::vector<topology::AdvertisementKey> all_gone;
  for (bool more = true; more && max > 0;) {
    const size_t step = std::min(max, kStep);
    max -= step;
    all_changed.clear();
    all_gone.clear();
    {
      base::MutexLock lock(&mutex_);
      more = topology_.TakeChanges([&](const topology::Advertisement& a) { all_changed.push_back(a); },
                                   [&](const topology::AdvertisementKey& key) { all_gone.push_back(key); }, step);
      if (!more) woken_ = false;
    }
    for (const topology::Advertisement& one : all_changed) changed(one);
    for (const topology::AdvertisementKey& one : all_gone) gone(one);
    if (!more) return false;
  }
  return true;
}

std::optional<topology::NodeStyle> BgpLsFeed::style() const {
  base::MutexLock lock(&mutex_);
  return topology_.style();
}

BgpLsFeedStatus BgpLsFeed::Status() const {
  BgpLsFeedStatus status;
  {
    base::MutexLock lock(&mutex_);
    status.style = topology_.style();
    status.objects = topology_.objects();
    status.tellings = topology_.tellings();
    status.routers = topology_.routers();
    status.waiting = topology_.waiting();
    status.counters = topology_.counters();
    for (const auto& [key, source] : sources_) {
      status.sources.push_back(source.told);
      status.sources.back().objects = topology_.objects_of(source.number);
    }
  }
  std::sort(status.sources.begin(), status.sources.end(), [](const BgpLsSourceStatus& a, const BgpLsSourceStatus& b) {
    if (!(a.told_by == b.told_by)) return a.told_by < b.told_by;
    return a.address == b.address ? a.view < b.view : a.address < b.address;
  });
  return status;
}

}  // namespace flowacct::collector
