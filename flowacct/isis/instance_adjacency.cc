#include "flowacct/isis/instance_adjacency.h"

#include <algorithm>

#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {
namespace {

bool HaveAreaInCommon(const std::vector<AreaAddress>& a, const std::vector<AreaAddress>& b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

// RFC 5303, 3.2, the table "Three-way state": ours, and what the neighbour says of itself.
AdjacencyState NextState(AdjacencyState ours, ThreeWayState::State said) {
  switch (said) {
    case ThreeWayState::State::kDown:
      return AdjacencyState::kInitializing;
    case ThreeWayState::State::kInitializing:
      return AdjacencyState::kUp;
    case ThreeWayState::State::kUp:
      break;
  }
  // It believes in an adjacency that we know nothing of: it has to learn of ours first.
  return ours == AdjacencyState::kDown ? AdjacencyState::kDown : AdjacencyState::kUp;
}

}  // namespace

CircuitAdjacencies::CircuitAdjacencies(const InstanceOptions& instance, const CircuitOptions& circuit,
                                       CircuitIndex index, uint8_t levels, uint32_t circuit_id)
    : system_(instance.system),
      areas_(instance.areas),
      kind_(circuit.kind),
      mac_(circuit.mac),
      max_neighbors_(circuit.max_neighbors),
      index_(index),
      levels_(levels),
      circuit_id_(circuit_id) {}

Verdict CircuitAdjacencies::Receive(const PduView& hello, const HelloContent& content, const base::MacAddress& source,
                                    int64_t time_nanos, AdjacencyEvents* events) {
  const bool lan = hello.kind() == PduKind::kLanHello;
  if (lan != (kind_ == CircuitKind::kLan)) return Verdict::kWrongKind;
  if (lan && source == mac_) return Verdict::kOwnFrame;
  if (hello.max_area_addresses() != 3) return Verdict::kMaxAreaMismatch;
  if (hello.hello_source() == system_) return Verdict::kDuplicateSystem;
  const Verdict verdict = lan ? ReceiveLan(hello, content, source, time_nanos, events)
                              : ReceivePointToPoint(hello, content, time_nanos, events);
  Recount();
  return verdict;
}

Verdict CircuitAdjacencies::ReceiveLan(const PduView& hello, const HelloContent& content,
                                       const base::MacAddress& source, int64_t time_nanos, AdjacencyEvents* events) {
  const Level level = hello.level();
  if ((levels_ & LevelBit(level)) == 0 || (hello.circuit_levels() & LevelBit(level)) == 0) return Verdict::kWrongLevel;
  // 8.4.2.2: level 2 joins areas.
  if (level == Level::k1 && !HaveAreaInCommon(areas_, content.areas)) return Verdict::kAreaMismatch;
  const Key key(level, source);
  auto it = neighbors_.find(key);
  if (it != neighbors_.end() && it->second.told.system != hello.hello_source()) {
    Remove(key, time_nanos, events);
    it = neighbors_.end();
  }
  if (it == neighbors_.end()) {
    size_t of_level = 0;
    for (const auto& [other, neighbor] : neighbors_) {
      if (other.first != level) continue;
      ++of_level;
      if (neighbor.told.system == hello.hello_source()) return Verdict::kDuplicateSystem;
    }
    if (of_level >= max_neighbors_) return Verdict::kNeighborLimit;
    if (hello.holding_seconds() == 0) return Verdict::kHello;
    it = neighbors_.try_emplace(key).first;
    it->second.told.since_nanos = time_nanos;
    events->hello_wanted = true;
  }
  Neighbor& neighbor = it->second;
  Tell(hello, content, time_nanos, &neighbor);
  neighbor.told.level = level;
  neighbor.told.levels = LevelBit(level);
  neighbor.told.mac = source;
  neighbor.told.priority = hello.priority();
  neighbor.lan = hello.lan_id();
  const bool hears_us =
      std::find(content.lan_neighbors.begin(), content.lan_neighbors.end(), mac_) != content.lan_neighbors.end();
  SetState(hears_us ? AdjacencyState::kUp : AdjacencyState::kInitializing, time_nanos, &neighbor, events);
  if (hello.holding_seconds() == 0) Remove(key, time_nanos, events);
  return Verdict::kHello;
}

Verdict CircuitAdjacencies::ReceivePointToPoint(const PduView& hello, const HelloContent& content, int64_t time_nanos,
                                                AdjacencyEvents* events) {
  // Of a handshake that cannot be read it is not known whether the neighbour hears us (RFC 5303, 3.2).
  if (!content.three_way && std::any_of(content.others.begin(), content.others.end(),
                                        [](const RawTlv& tlv) { return tlv.type == kTlvThreeWayAdjacency; })) {
    return Verdict::kThreeWayMismatch;
  }
  if (content.three_way) {
    const ThreeWayState& said = *content.three_way;
    if ((said.neighbor && *said.neighbor != system_) ||
        (said.neighbor_circuit && *said.neighbor_circuit != circuit_id_)) {
      return Verdict::kThreeWayMismatch;
    }
  }
  const Key key(Level::k1, base::MacAddress());
  // 8.2.5.2, tables 5 to 8: level 1 if both have it and an area in common, level 2 if both have it.
  uint8_t levels = levels_ & hello.circuit_levels();
  const bool level_1_lost = (levels & 1) != 0 && !HaveAreaInCommon(areas_, content.areas);
  if (level_1_lost) levels &= 2;
  if (levels == 0) {
    const auto it = neighbors_.find(key);
    if (it != neighbors_.end() && it->second.told.system == hello.hello_source()) Remove(key, time_nanos, events);
    return level_1_lost ? Verdict::kAreaMismatch : Verdict::kWrongLevel;
  }
  auto it = neighbors_.find(key);
  // Another system, or the same with other levels ("wrong system"): what was is over.
  if (it != neighbors_.end() && (it->second.told.system != hello.hello_source() || it->second.told.levels != levels)) {
    Remove(key, time_nanos, events);
    it = neighbors_.end();
  }
  if (it == neighbors_.end()) {
    if (hello.holding_seconds() == 0) return Verdict::kHello;
    it = neighbors_.try_emplace(key).first;
    it->second.told.since_nanos = time_nanos;
  }
  Neighbor& neighbor = it->second;
  Tell(hello, content, time_nanos, &neighbor);
  neighbor.told.levels = levels;
  neighbor.told.level = (levels & 2) != 0 ? Level::k2 : Level::k1;
  neighbor.circuit_id = content.three_way ? content.three_way->local_circuit : std::nullopt;
  // Who does not know of the handshake has the adjacency of ISO 10589: up when heard.
  const AdjacencyState before = neighbor.told.state;
  const AdjacencyState state = content.three_way ? NextState(before, content.three_way->state) : AdjacencyState::kUp;
  SetState(state, time_nanos, &neighbor, events);
  if (state != before || state == AdjacencyState::kDown) events->hello_wanted = true;
  if (hello.holding_seconds() == 0) Remove(key, time_nanos, events);
  return Verdict::kHello;
}

void CircuitAdjacencies::Tell(const PduView& hello, const HelloContent& content, int64_t time_nanos,
                              Neighbor* neighbor) const {
  Adjacency& told = neighbor->told;
  told.circuit = index_;
  told.system = hello.hello_source();
  told.areas = content.areas;
  told.addresses = content.interface_addresses;
  told.topologies.clear();
  for (const TopologyMembership& topology : content.topologies) told.topologies.push_back(topology.topology);
  if (told.topologies.empty()) told.topologies.push_back(kStandardTopology);
  told.expires_nanos = time_nanos + hello.holding_seconds() * kNanosPerSecond;
}

void CircuitAdjacencies::SetState(AdjacencyState state, int64_t time_nanos, Neighbor* neighbor,
                                  AdjacencyEvents* events) {
  Adjacency& told = neighbor->told;
  if (told.state == state) return;
  if (state == AdjacencyState::kUp) {
    ++events->up;
    events->up_levels |= told.levels;
  } else if (told.state == AdjacencyState::kUp) {
    ++events->down;
  }
  told.state = state;
  told.since_nanos = time_nanos;
}

void CircuitAdjacencies::Remove(const Key& key, int64_t time_nanos, AdjacencyEvents* events) {
  const auto it = neighbors_.find(key);
  SetState(AdjacencyState::kDown, time_nanos, &it->second, events);
  neighbors_.erase(it);
  events->hello_wanted = true;
}

void CircuitAdjacencies::Expire(int64_t time_nanos, AdjacencyEvents* events) {
  if (time_nanos < next_expiry_) return;
  for (auto it = neighbors_.begin(); it != neighbors_.end();) {
    const Key key = it->first;
    const bool expired = it->second.told.expires_nanos <= time_nanos;
    ++it;
    if (!expired) continue;
    ++events->expired;
    Remove(key, time_nanos, events);
    it = neighbors_.upper_bound(key);
  }
  Recount();
}

void CircuitAdjacencies::Recount() {
  up_levels_ = 0;
  next_expiry_ = INT64_MAX;
  for (const auto& [key, neighbor] : neighbors_) {
    next_expiry_ = std::min(next_expiry_, neighbor.told.expires_nanos);
    if (neighbor.told.state == AdjacencyState::kUp) up_levels_ |= neighbor.told.levels;
  }
}

bool CircuitAdjacencies::IsUp(Level level, const base::MacAddress& source) const {
  if (kind_ == CircuitKind::kPointToPoint) return (up_levels_ & LevelBit(level)) != 0;
  const auto it = neighbors_.find(Key(level, source));
  return it != neighbors_.end() && it->second.told.state == AdjacencyState::kUp;
}

std::vector<base::MacAddress> CircuitAdjacencies::HeardOn(Level level) const {
  std::vector<base::MacAddress> heard;
  bool beaten = false;
  for (const auto& [key, neighbor] : neighbors_) {
    if (key.first != level) continue;
    heard.push_back(key.second);
    beaten = beaten || neighbor.told.priority > 0 || mac_ < key.second;
  }
  // Where all have the priority 0 the highest address is elected (8.4.5). Who is not told that we hear him elects us
  // not.
  return beaten ? heard : std::vector<base::MacAddress>();
}

ThreeWayState CircuitAdjacencies::ThreeWay() const {
  ThreeWayState state;
  state.local_circuit = circuit_id_;
  if (neighbors_.empty()) return state;
  const Neighbor& neighbor = neighbors_.begin()->second;
  if (neighbor.told.state == AdjacencyState::kDown) return state;
  state.state =
      neighbor.told.state == AdjacencyState::kUp ? ThreeWayState::State::kUp : ThreeWayState::State::kInitializing;
  state.neighbor = neighbor.told.system;
  state.neighbor_circuit = neighbor.circuit_id;
  return state;
}

std::optional<NodeId> CircuitAdjacencies::Designated(Level level) const {
  // 8.4.5: the highest priority, then the highest address.
  const Neighbor* best = nullptr;
  for (const auto& [key, neighbor] : neighbors_) {
    if (key.first != level || neighbor.told.state != AdjacencyState::kUp) continue;
    if (best == nullptr || neighbor.told.priority >= best->told.priority) best = &neighbor;
  }
  if (best == nullptr || best->lan.system != best->told.system || best->lan.pseudonode == 0) return std::nullopt;
  return best->lan;
}

void CircuitAdjacencies::AppendTo(std::vector<Adjacency>* adjacencies) const {
  for (const auto& [key, neighbor] : neighbors_) adjacencies->push_back(neighbor.told);
}

}  // namespace flowacct::isis
