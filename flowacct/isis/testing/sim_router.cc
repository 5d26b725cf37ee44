#include "flowacct/isis/testing/sim_router.h"

#include <algorithm>

#include "flowacct/isis/checksum.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis::testing {
namespace {

constexpr int64_t kZeroAge = 60 * kSimSecond;
constexpr size_t kMtu = 1492;

Level LevelOf(int level) { return level == 0 ? Level::k1 : Level::k2; }

void PutNode(const NodeId& node, std::vector<uint8_t>* out) {
  out->insert(out->end(), node.system.octets.begin(), node.system.octets.end());
  out->push_back(node.pseudonode);
}

// Extended IS reachability: node, metric, no sub-TLVs (RFC 5305, 3).
std::vector<uint8_t> IsReach(const NodeId& node, uint8_t metric) {
  std::vector<uint8_t> item;
  PutNode(node, &item);
  item.insert(item.end(), {0, 0, metric, 0});
  return item;
}

int Compare(const LspEntry& a, const LspEntry& b) {  // > 0: a is newer; confusion is not seen here
  if (a.sequence != b.sequence) return a.sequence > b.sequence ? 1 : -1;
  return (a.remaining_seconds == 0 ? 1 : 0) - (b.remaining_seconds == 0 ? 1 : 0);
}

}  // namespace

void SimRouter::AddPort(bool lan, const base::MacAddress& mac) {
  ports_.emplace_back();
  ports_.back().lan = lan;
  ports_.back().mac = mac;
}

SimDatabase SimRouter::Lsps(Level level) const {
  SimDatabase all;
  for (const auto& [id, lsp] : levels_[level == Level::k1 ? 0 : 1].lsps) {
    if (lsp.purged) continue;
    std::vector<uint8_t> octets = lsp.octets;
    octets[10] = octets[11] = 0;
    all[id] = octets;
  }
  return all;
}

bool SimRouter::HasNeighbor(int port, Level level, const SystemId& system) const {
  return !TopologiesOf(port, level, system).empty();
}

std::vector<TopologyMembership> SimRouter::TopologiesOf(int port, Level level, const SystemId& system) const {
  const Port& p = ports_[static_cast<size_t>(port)];
  for (const Neighbor& n : p.neighbors[p.lan && level == Level::k2 ? 1 : 0]) {
    if (n.system != system || !n.up || (n.levels & (level == Level::k1 ? 1 : 2)) == 0) continue;
    return n.topologies.empty() ? std::vector<TopologyMembership>{{}} : n.topologies;
  }
  return {};
}

bool SimRouter::UpOn(int port, int level, const base::MacAddress& source) const {
  const Port& p = ports_[static_cast<size_t>(port)];
  for (const Neighbor& n : p.neighbors[p.lan ? static_cast<size_t>(level) : 0]) {
    if (n.up && (n.levels >> level & 1) != 0 && (!p.lan || n.mac == source)) return true;
  }
  return false;
}

bool SimRouter::AnyUp(int port, int level) const {
  const Port& p = ports_[static_cast<size_t>(port)];
  for (const Neighbor& n : p.neighbors[p.lan ? static_cast<size_t>(level) : 0]) {
    if (n.up && (n.levels >> level & 1) != 0) return true;
  }
  return false;
}

LspEntry SimRouter::EntryOf(const Lsp& lsp) const {
  LspEntry entry = lsp.entry;
  entry.remaining_seconds =
      lsp.purged ? 0 : static_cast<uint16_t>(std::max<int64_t>(1, (lsp.ends - now_) / kSimSecond));
  return entry;
}

void SimRouter::Receive(int port, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) {
  now_ = time_nanos;
  PduView view;
  if (!PduView::Parse(pdu, &view).ok()) return;
  if (view.kind() == PduKind::kLanHello || view.kind() == PduKind::kPointToPointHello) {
    if (VerifyAuthentication(view, options_.hello_key) == AuthenticationResult::kOk) ReceiveHello(port, source, view);
    return;
  }
  const int level = view.level() == Level::k1 ? 0 : 1;
  if ((options_.levels >> level & 1) == 0 || !UpOn(port, level, source)) return;
  if (VerifyAuthentication(view, options_.lsp_keys[static_cast<size_t>(level)]) != AuthenticationResult::kOk) return;
  if (view.kind() != PduKind::kLsp) return ReceiveSnp(port, level, view);
  if (view.remaining_seconds() == 0 || LspChecksumIsRight(view.octets())) ReceiveLsp(port, level, view);
}

void SimRouter::ReceiveHello(int port, const base::MacAddress& source, const PduView& view) {
  Port& p = ports_[static_cast<size_t>(port)];
  HelloContent content;
  if (!ReadHelloContent(view.tlvs(), &content).ok() || p.lan != (view.kind() == PduKind::kLanHello)) return;
  if (view.hello_source() == options_.system) return;
  bool same_area = false;
  for (const AreaAddress& area : content.areas) {
    same_area |= std::find(options_.areas.begin(), options_.areas.end(), area) != options_.areas.end();
  }
  uint8_t levels = options_.levels & view.circuit_levels();
  if (p.lan) levels &= view.level() == Level::k1 ? 1 : 2;
  if (!same_area) levels &= 2;
  const size_t list = p.lan && view.level() == Level::k2 ? 1 : 0;
  std::vector<Neighbor>& neighbors = p.neighbors[list];
  if (!p.lan && content.three_way && content.three_way->neighbor &&
      (*content.three_way->neighbor != options_.system ||
       content.three_way->neighbor_circuit.value_or(CircuitIdOf(port)) != CircuitIdOf(port))) {
    return;
  }
  auto it = std::find_if(neighbors.begin(), neighbors.end(), [&](const Neighbor& n) {
    return p.lan ? n.mac == source : n.system == view.hello_source() && n.levels == levels;
  });
  if (levels == 0) return;
  if (it == neighbors.end()) {
    if (!p.lan) neighbors.clear();
    neighbors.emplace_back();
    it = std::prev(neighbors.end());
    p.next_hello = now_;
  }
  it->system = view.hello_source();
  it->mac = source;
  it->levels = levels;
  it->topologies = content.topologies;
  it->expires = now_ + view.holding_seconds() * kSimSecond;
  const bool was_up = it->up;
  if (p.lan) {
    it->priority = view.priority();
    it->lan = view.lan_id();
    it->up =
        std::find(content.lan_neighbors.begin(), content.lan_neighbors.end(), p.mac) != content.lan_neighbors.end();
  } else if (content.three_way && options_.three_way) {
    it->circuit = content.three_way->local_circuit;
    // Up once it says that it hears us.
    it->up = content.three_way->state != ThreeWayState::State::kDown && content.three_way->neighbor.has_value();
  } else {
    it->up = true;
  }
  if (it->up != was_up) p.next_hello = now_;
  if (!it->up || was_up) return;
  for (int level = 0; level < 2; ++level) {
    if ((levels >> level & 1) != 0) CameUp(port, level);
  }
}

void SimRouter::CameUp(int port, int level) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  if (ports_[static_cast<size_t>(port)].lan) return;
  for (const auto& [id, lsp] : state.lsps) state.srm[{port, id}] = 0;
  SendCsnps(port, level);
}

void SimRouter::Put(int level, const LspId& id, std::vector<uint8_t> octets, int except) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  PduView view;
  if (!PduView::Parse(octets, &view).ok()) return;
  Lsp& lsp = state.lsps[id];
  lsp.entry = {view.remaining_seconds(), id, view.sequence(), view.checksum()};
  lsp.purged = view.remaining_seconds() == 0;
  lsp.ends = now_ + (lsp.purged ? kZeroAge : view.remaining_seconds() * kSimSecond);
  lsp.octets = std::move(octets);
  for (int port = 0; port < static_cast<int>(ports_.size()); ++port) {
    state.ssn.erase({port, id});
    if (port == except) {
      state.srm.erase({port, id});
    } else {
      state.srm[{port, id}] = 0;
    }
  }
}

void SimRouter::Purge(int level, const LspId& id, uint32_t sequence) {
  PduWriter writer(PduWriter::Lsp{LevelOf(level), 0, id, sequence, kLspLevel2}, kMtu);
  writer.AddAuthentication(options_.lsp_keys[static_cast<size_t>(level)]);
  Put(level, id, writer.Finish(), -1);
}

void SimRouter::ReceiveLsp(int port, int level, const PduView& view) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  const bool lan = ports_[static_cast<size_t>(port)].lan;
  const LspEntry entry{view.remaining_seconds(), view.lsp_id(), view.sequence(), view.checksum()};
  const auto it = state.lsps.find(entry.id);
  const auto acknowledge = [&] {
    if (!lan) state.ssn[{port, entry.id}] = entry;
  };
  const bool ours = entry.id.node.system == options_.system;
  const auto own = state.own.find(entry.id);
  if (it == state.lsps.end() && entry.remaining_seconds == 0) return acknowledge();
  const int order = it == state.lsps.end() ? 1 : Compare(entry, EntryOf(it->second));
  const bool confused = order == 0 && entry.remaining_seconds != 0 && entry.checksum != it->second.entry.checksum;
  if (ours && (order > 0 || confused)) {
    if (own != state.own.end()) {
      own->second = std::max(own->second, entry.sequence);
      return Originate(level, true);
    }
    if (entry.remaining_seconds != 0) return Purge(level, entry.id, entry.sequence);
  }
  if (confused) return Purge(level, entry.id, entry.sequence);
  if (order > 0) {
    Put(level, entry.id, {view.octets().begin(), view.octets().end()}, port);
    acknowledge();
  } else if (order == 0) {
    state.srm.erase({port, entry.id});
    acknowledge();
  } else {
    state.srm[{port, entry.id}] = 0;
    state.ssn.erase({port, entry.id});
  }
}

void SimRouter::ReceiveSnp(int port, int level, const PduView& view) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  const Port& p = ports_[static_cast<size_t>(port)];
  const bool complete = view.kind() == PduKind::kCsnp;
  if (p.lan && !complete && p.designated[static_cast<size_t>(level)].system != options_.system) return;
  std::set<LspId> told;
  LspEntryReader reader(view.tlvs());
  for (LspEntry entry; reader.Next(&entry);) {
    told.insert(entry.id);
    const auto it = state.lsps.find(entry.id);
    if (it == state.lsps.end()) {
      if (entry.sequence != 0 && entry.remaining_seconds != 0) state.ssn[{port, entry.id}] = {1, entry.id, 0, 0};
      continue;
    }
    const int order = Compare(entry, EntryOf(it->second));
    if (order == 0 && entry.remaining_seconds != 0 && entry.checksum != it->second.entry.checksum) {
      state.ssn[{port, entry.id}] = {1, entry.id, 0, 0};
    } else if (order == 0) {
      if (!p.lan) state.srm.erase({port, entry.id});
    } else if (order < 0) {
      state.srm[{port, entry.id}] = 0;
    } else {
      state.ssn[{port, entry.id}] = EntryOf(it->second);
      if (!p.lan) state.srm.erase({port, entry.id});
    }
  }
  if (!complete) return;
  for (const auto& [id, lsp] : state.lsps) {
    if (id < view.first_lsp() || view.last_lsp() < id || told.count(id) != 0 || lsp.purged) continue;
    state.srm[{port, id}] = 0;
  }
}

void SimRouter::Elect(int port, int level) {
  Port& p = ports_[static_cast<size_t>(port)];
  const size_t l = static_cast<size_t>(level);
  NodeId best;
  if (AnyUp(port, level)) {
    auto highest = std::make_pair(options_.priority, p.mac.octets);
    best = {options_.system, static_cast<uint8_t>(port + 1)};
    for (const Neighbor& n : p.neighbors[l]) {
      if (!n.up || std::make_pair(n.priority, n.mac.octets) <= highest) continue;
      highest = {n.priority, n.mac.octets};
      // Until it says that it is, there is none.
      best = n.lan.system == n.system ? n.lan : NodeId{};
    }
  }
  if (best != p.designated[l]) p.next_hello = now_;
  p.designated[l] = best;
}

void SimRouter::Originate(int level, bool refresh) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  const AuthenticationKey& key = options_.lsp_keys[static_cast<size_t>(level)];
  std::map<LspId, std::vector<std::pair<uint8_t, std::vector<uint8_t>>>> wanted;  // TLVs, one item each
  const LspId first{{options_.system, 0}, 0};
  auto& items = wanted[first];
  for (size_t port = 0; port < ports_.size(); ++port) {
    const Port& p = ports_[port];
    if (!p.lan) {
      for (const Neighbor& n : p.neighbors[0]) {
        if (n.up && (n.levels >> level & 1) != 0) items.emplace_back(22, IsReach({n.system, 0}, 10));
      }
      continue;
    }
    const NodeId designated = p.designated[static_cast<size_t>(level)];
    if (designated == NodeId()) continue;
    items.emplace_back(22, IsReach(designated, 10));
    if (designated.system != options_.system) continue;
    auto& lan = wanted[{designated, 0}];
    lan.emplace_back(22, IsReach({options_.system, 0}, 0));
    for (const Neighbor& n : p.neighbors[static_cast<size_t>(level)]) {
      if (n.up) lan.emplace_back(22, IsReach({n.system, 0}, 0));
    }
  }
  for (int i = 0; i < options_.prefixes; ++i) {
    LspId id = first;
    id.fragment = static_cast<uint8_t>(i / options_.prefixes_of_fragment);
    // Metric, 24 bits of prefix (RFC 5305, 4).
    wanted[id].emplace_back(
        135, std::vector<uint8_t>{0, 0, 0, 10, 24, 10, options_.system.octets[5], static_cast<uint8_t>(i)});
  }
  for (const auto& [id, tlvs] : wanted) {
    std::vector<uint8_t> said;
    for (const auto& [type, item] : tlvs) {
      said.push_back(type);
      said.insert(said.end(), item.begin(), item.end());
    }
    const auto stored = state.lsps.find(id);
    const bool current = stored != state.lsps.end() && !stored->second.purged && state.said[id] == said &&
                         state.own[id] == stored->second.entry.sequence;
    if (current && !refresh) continue;
    uint32_t& sequence = state.own[id];
    if (stored != state.lsps.end()) sequence = std::max(sequence, stored->second.entry.sequence);
    PduWriter writer(PduWriter::Lsp{LevelOf(level), options_.lifetime_seconds, id, ++sequence, kLspLevel2}, kMtu);
    writer.AddAuthentication(key);
    if (id == first) {
      writer.AddAreas(options_.areas);
      writer.AddHostname(options_.hostname);
    }
    for (const auto& [type, item] : tlvs) writer.AddItem(type, item);
    state.said[id] = said;
    Put(level, id, writer.Finish(), -1);
  }
  for (auto it = state.own.begin(); it != state.own.end();) {
    if (wanted.count(it->first) == 0) {
      Purge(level, it->first, it->second);
      it = state.own.erase(it);
    } else {
      ++it;
    }
  }
}

void SimRouter::SendHello(int port) {
  Port& p = ports_[static_cast<size_t>(port)];
  for (int level = 0; level < (p.lan ? 2 : 1); ++level) {
    if (p.lan && (options_.levels >> level & 1) == 0) continue;
    const NodeId lan = p.designated[static_cast<size_t>(level)];
    PduWriter writer =
        p.lan ? PduWriter(
                    PduWriter::LanHello{
                        LevelOf(level), options_.levels, options_.system, options_.hold_seconds, options_.priority,
                        lan == NodeId() ? NodeId{options_.system, static_cast<uint8_t>(port + 1)} : lan},
                    kMtu)
              : PduWriter(PduWriter::PointToPointHello{options_.levels, options_.system, options_.hold_seconds,
                                                       static_cast<uint8_t>(port + 1)},
                          kMtu);
    writer.AddAuthentication(options_.hello_key);
    writer.AddAreas(options_.areas);
    const uint8_t protocols[] = {0xcc, 0x8e};
    writer.AddProtocols(protocols);
    const base::IpAddress address = base::IpAddress::V4(0xc0000200 + options_.system.octets[5]);
    writer.AddInterfaceAddresses({&address, 1});
    if (p.lan) {
      std::vector<base::MacAddress> heard;
      for (const Neighbor& n : p.neighbors[static_cast<size_t>(level)]) heard.push_back(n.mac);
      writer.AddLanNeighbors(heard);
    } else if (options_.three_way) {
      ThreeWayState state;
      state.local_circuit = CircuitIdOf(port);
      if (!p.neighbors[0].empty()) {
        const Neighbor& n = p.neighbors[0][0];
        state.state = n.up ? ThreeWayState::State::kUp : ThreeWayState::State::kInitializing;
        state.neighbor = n.system;
        state.neighbor_circuit = n.circuit;
      }
      writer.AddThreeWay(state);
    }
    Send(port, writer.Finish());
  }
}

void SimRouter::SendCsnps(int port, int level) {
  LevelState& state = levels_[static_cast<size_t>(level)];
  LspId from;
  std::vector<LspEntry> entries;
  const auto send = [&](const LspId& last) {
    PduWriter writer(PduWriter::Csnp{LevelOf(level), {options_.system, 0}, from, last}, kMtu);
    writer.AddAuthentication(options_.lsp_keys[static_cast<size_t>(level)]);
    writer.AddLspEntries(entries);
    Send(port, writer.Finish());
    entries.clear();
  };
  for (const auto& [id, lsp] : state.lsps) {
    if (entries.size() == 15) {
      // Up to here, and the next from here on: an identifier told twice does no harm.
      const LspId last = entries.back().id;
      send(last);
      from = last;
      entries.push_back(EntryOf(state.lsps.at(last)));
    }
    entries.push_back(EntryOf(lsp));
  }
  send({{{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, 0xff}, 0xff});
}

void SimRouter::Advance(int64_t time_nanos) {
  now_ = time_nanos;
  next_tick_ = time_nanos + kTick;
  for (Port& p : ports_) {
    for (auto& neighbors : p.neighbors) {
      neighbors.erase(
          std::remove_if(neighbors.begin(), neighbors.end(), [&](const Neighbor& n) { return n.expires <= now_; }),
          neighbors.end());
    }
  }
  for (int level = 0; level < 2; ++level) {
    if ((options_.levels >> level & 1) == 0) continue;
    LevelState& state = levels_[static_cast<size_t>(level)];
    const int ports = static_cast<int>(ports_.size());
    for (int port = 0; port < ports; ++port) {
      if (ports_[static_cast<size_t>(port)].lan) Elect(port, level);
    }
    std::vector<LspId> ended;
    for (const auto& [id, lsp] : state.lsps) {
      if (lsp.ends <= now_) ended.push_back(id);
    }
    for (const LspId& id : ended) {
      const Lsp lsp = state.lsps.at(id);
      if (lsp.purged) {
        state.lsps.erase(id);
      } else {
        Purge(level, id, lsp.entry.sequence);
      }
    }
    const bool refresh = state.next_refresh != 0 && now_ >= state.next_refresh;
    if (refresh || state.next_refresh == 0) state.next_refresh = now_ + options_.refresh_nanos;
    Originate(level, refresh);
    for (int port = 0; port < ports; ++port) {
      const Port& p = ports_[static_cast<size_t>(port)];
      if (p.lan && p.designated[static_cast<size_t>(level)].system == options_.system && now_ >= state.next_csnp &&
          AnyUp(port, level)) {
        SendCsnps(port, level);
      }
    }
    if (now_ >= state.next_csnp) state.next_csnp = now_ + 10 * kSimSecond;
    for (auto it = state.srm.begin(); it != state.srm.end();) {
      const auto& [port, id] = it->first;
      const bool lan = ports_[static_cast<size_t>(port)].lan;
      const auto lsp = state.lsps.find(id);
      if (lsp == state.lsps.end() || !AnyUp(port, level)) {
        it = state.srm.erase(it);
        continue;
      }
      if (it->second == 0 || now_ - it->second >= 5 * kSimSecond) {
        std::vector<uint8_t> octets = lsp->second.octets;
        base::StoreBe16(&octets[10], EntryOf(lsp->second).remaining_seconds);
        Send(port, std::move(octets));
        it->second = now_;
      }
      it = lan ? state.srm.erase(it) : std::next(it);
    }
    std::map<int, std::vector<LspEntry>> psnps;
    for (const auto& [place, entry] : state.ssn) psnps[place.first].push_back(entry);
    state.ssn.clear();
    for (auto& [port, entries] : psnps) {
      for (size_t at = 0; at < entries.size(); at += 15) {
        PduWriter writer(PduWriter::Psnp{LevelOf(level), {options_.system, 0}}, kMtu);
        writer.AddAuthentication(options_.lsp_keys[static_cast<size_t>(level)]);
        writer.AddLspEntries(absl::MakeSpan(entries).subspan(at, 15));
        Send(port, writer.Finish());
      }
    }
  }
  for (int port = 0; port < static_cast<int>(ports_.size()); ++port) {
    Port& p = ports_[static_cast<size_t>(port)];
    if (now_ < p.next_hello) continue;
    p.next_hello = now_ + options_.hello_seconds * kSimSecond;
    SendHello(port);
  }
}

}  // namespace flowacct::isis::testing
