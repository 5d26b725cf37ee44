#include "flowacct/collector/routelog/route_history.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/nlri.h"

namespace flowacct::collector {
namespace {

// What is copied with the lock held: the engine waits for it.
constexpr size_t kStepMessages = 1024;
constexpr size_t kStepOctets = 65536;

bool Holds(const base::IpPrefix& outer, const base::IpPrefix& inner) {
  return outer.length() <= inner.length() && outer.Contains(inner.address());
}

}  // namespace

absl::string_view RouteEventName(RouteEvent event) {
  static constexpr absl::string_view kNames[] = {
#define X(name, text) text,
      FLOWACCT_ROUTE_EVENTS(X)
#undef X
  };
  return kNames[static_cast<size_t>(event)];
}

std::shared_ptr<const rib::PeerKey> RouteHistory::KeyOf(const PeerBook::Peer& peer) {
  std::shared_ptr<const rib::PeerKey>& key = keys_[static_cast<uint32_t>(peer.id)];
  if (key == nullptr || !(*key == peer.key)) key = std::make_shared<const rib::PeerKey>(peer.key);
  return key;
}

void RouteHistory::Peer(const PeerBook::Peer& peer, RouteEvent event, absl::Time time) {
  Entry entry;
  entry.message.time = time;
  entry.message.peer = KeyOf(peer);
  entry.message.event = event;
  Keep(std::move(entry));
}

void RouteHistory::OnDown(const PeerBook::Peer& peer, absl::Time time) {
  Peer(peer, RouteEvent::kDown, time);
  keys_.erase(static_cast<uint32_t>(peer.id));
}

void RouteHistory::OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) {
  const auto keep = [&](const bgp::NlriSection& section, RouteEvent event, base::Octets attributes) {
    if (!bgp::RowOf(section.family).joined || section.count == 0) return;
    Entry entry;
    Message& message = entry.message;
    message.time = time;
    message.peer = KeyOf(peer);
    message.rd = peer.rd;
    message.event = event;
    message.add_path = section.add_path;
    message.family = section.family;
    message.nlri_octets = static_cast<uint32_t>(section.octets.size());
    message.octet_count = static_cast<uint32_t>(section.octets.size() + attributes.size());
    entry.octets = std::make_unique<uint8_t[]>(message.octet_count);
    std::memcpy(entry.octets.get(), section.octets.data(), section.octets.size());
    if (!attributes.empty())
      std::memcpy(entry.octets.get() + section.octets.size(), attributes.data(), attributes.size());
    Keep(std::move(entry));
  };
  for (const bgp::NlriSection& section : update.withdrawn()) keep(section, RouteEvent::kWithdrawn, {});
  for (const bgp::NlriSection& section : update.announced()) {
    keep(section, RouteEvent::kAnnounced, bgp::CanonicalizeAttributes(update, section, &attributes_));
  }
}

void RouteHistory::Keep(Entry entry) {
  const size_t size = entry.size();
  base::MutexLock lock(&mutex_);
  while (!entries_.empty() && octets_ + size > max_octets_) {
    octets_ -= entries_.front().size();
    entries_.pop_front();
    ++first_;
  }
  if (size > max_octets_) {
    ++first_;
    return;
  }
  octets_ += size;
  entries_.push_back(std::move(entry));
}

RouteHistoryCounters RouteHistory::counters() const {
  base::MutexLock lock(&mutex_);
  RouteHistoryCounters counters;
  counters.entries = entries_.size();
  counters.octets = octets_;
  counters.forgotten = first_;
  if (!entries_.empty()) counters.oldest = entries_.front().message.time;
  return counters;
}

void RouteHistory::Read(const Message& message, base::Octets octets, const RouteHistoryQuestion& question, size_t* rows,
                        absl::FunctionRef<void(const RouteHistoryRow& row)> visit) {
  if (question.peer && *question.peer != message.peer->address &&
      *question.peer != base::IpAddress::V4(message.peer->bgp_identifier)) {
    return;
  }
  RouteHistoryRow row;
  row.time = message.time;
  row.peer = message.peer.get();
  row.event = message.event;
  if (message.nlri_octets == 0) {
    ++*rows;
    return visit(row);
  }
  row.attributes = bgp::AttributeSetView(octets.subspan(message.nlri_octets));
  const base::Octets routes = octets.subspan(0, message.nlri_octets);
  bgp::VisitNlri(message.family, message.add_path, routes, [&](const bgp::Nlri& route) {
    const base::IpPrefix prefix = route.prefix();
    if (question.prefix && !(question.around ? Holds(prefix, *question.prefix) : Holds(*question.prefix, prefix))) {
      return;
    }
    if (*rows == question.limit) return;
    row.prefix = prefix;
    row.path_id = route.has_path_id ? std::optional<uint32_t>(route.path_id) : std::nullopt;
    row.rd = route.rd != 0 ? route.rd : message.rd;
    ++*rows;
    visit(row);
  });
}

void RouteHistory::Visit(const RouteHistoryQuestion& question,
                         absl::FunctionRef<void(const RouteHistoryRow& row)> visit) const {
  size_t rows = 0;
  uint64_t before = ~uint64_t{0};  // what comes meanwhile is not of the answer
  std::vector<Message> step;
  std::vector<uint8_t> octets;
  bool more = true;
  while (more && rows < question.limit) {
    step.clear();
    octets.clear();
    {
      base::MutexLock lock(&mutex_);
      before = std::min(before, first_ + entries_.size());
      while (before > first_ && step.size() < kStepMessages && octets.size() < kStepOctets) {
        const Entry& entry = entries_[--before - first_];
        step.push_back(entry.message);
        octets.insert(octets.end(), entry.octets.get(), entry.octets.get() + entry.message.octet_count);
      }
      more = before > first_;
    }
    base::Octets rest(octets);
    for (const Message& message : step) {
      if (rows == question.limit) return;
      Read(message, rest.subspan(0, message.octet_count), question, &rows, visit);
      rest.remove_prefix(message.octet_count);
    }
  }
}

}  // namespace flowacct::collector
