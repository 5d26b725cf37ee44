#include "flowacct/isis/trill.h"

#include <algorithm>

#include "flowacct/base/octet_reader.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::DecodeCode;
using base::DecodeResult;
using base::IpAddress;
using base::LoadBe16;
using base::LoadBe32;
using base::MacAddress;
using base::OctetReader;
using base::Octets;
using base::OctetWriter;

namespace {

constexpr uint16_t kVlanMask = 0x0fff, kTopologyMask = 0x0fff;
constexpr uint16_t kFirstVlan = 1, kLastVlan = 0xffe;  // IEEE 802.1Q: 0 and 0xfff are none
constexpr size_t kMacSize = 6;
constexpr uint8_t kSmallest = 0x80, kLargest = 0x40, kSizeMask = 0x1f;
constexpr uint8_t kFailed = 0x80, kOomf = 0x40;

DecodeResult BadLength(size_t at) { return DecodeResult::Error(DecodeCode::kBadLength, at); }

uint16_t LoadVlan(const uint8_t* p) { return LoadBe16(p) & kVlanMask; }

void AppendNumbers(Octets octets, std::vector<uint16_t>* numbers) {
  for (; octets.size() >= 2; octets.remove_prefix(2)) numbers->push_back(LoadBe16(octets.data()));
}

bool ReadTreeRoots(Octets value, std::vector<TreeRoots>* trees) {
  if (value.size() < 2 || value.size() % 2 != 0) return false;
  TreeRoots roots;
  roots.first = LoadBe16(value.data());
  AppendNumbers(value.subspan(2), &roots.roots);
  trees->push_back(std::move(roots));
  return true;
}

bool ReadInterestedVlans(Octets value, TrillSwitch* trill) {
  if (value.size() < 10 || (value.size() - 10) % kMacSize != 0) return false;
  InterestedVlans interested;
  interested.nickname = LoadBe16(value.data());
  interested.flags = value[2] & 0xf0;
  interested.vlans = {LoadVlan(value.data() + 2), LoadVlan(value.data() + 4)};
  interested.appointed_lost = LoadBe32(value.data() + 6);
  for (size_t at = 10; at < value.size(); at += kMacSize) {
    interested.roots.push_back(MacAddress::From(value.data() + at));
  }
  trill->interested_vlans.push_back(std::move(interested));
  return true;
}

bool ReadVersion(Octets value, std::optional<TrillVersion>* version) {
  if (value.size() != 5) return false;
  // 2.2.4: of several the lowest version counts, and what all of them can.
  TrillVersion read = {value[0], LoadBe32(value.data() + 1)};
  if (*version) {
    read.max_version = std::min(read.max_version, (*version)->max_version);
    read.capabilities &= (*version)->capabilities;
  }
  *version = read;
  return true;
}

// A sub-TLV whose value `write` writes. What is too long for it is too long for its TLV as well, which nobody adds
// then.
template <typename Write>
void PutSub(uint8_t type, OctetWriter* out, Write write) {
  OctetWriter value;
  write(&value);
  out->U8(type).U8(static_cast<uint8_t>(value.size())).Bytes(value.octets());
}

void PutVersion(uint8_t type, const TrillVersion& version, OctetWriter* out) {
  PutSub(type, out, [&](OctetWriter* value) { value->U8(version.max_version).U32(version.capabilities); });
}

void PutTreeRoots(uint8_t type, const TreeRoots& trees, OctetWriter* out) {
  PutSub(type, out, [&](OctetWriter* value) {
    value->U16(trees.first);
    for (const Nickname root : trees.roots) value->U16(root);
  });
}

void PutVlanMap(uint8_t type, const VlanMap& map, OctetWriter* out) {
  PutSub(type, out, [&](OctetWriter* value) { value->U16(map.first & kVlanMask).Bytes(map.bits); });
}

bool ReadVlanMap(Octets value, std::vector<VlanMap>* maps) {
  if (value.size() < 3) return false;
  const Octets bits = value.subspan(2);
  maps->push_back({LoadVlan(value.data()), {bits.begin(), bits.end()}});
  return true;
}

bool ReadForwarders(Octets value, TrillPort* port) {
  if (value.size() % 6 != 0) return false;
  for (; !value.empty(); value.remove_prefix(6)) {
    port->forwarders.push_back({LoadBe16(value.data()), {LoadVlan(value.data() + 2), LoadVlan(value.data() + 4)}});
  }
  return true;
}

bool ReadSpecialVlans(Octets value, TrillPort* port) {
  if (value.size() != 8) return false;
  SpecialVlans special;
  special.port = LoadBe16(value.data());
  special.nickname = LoadBe16(value.data() + 2);
  // The four flags of the one, and the first of the other.
  special.flags = static_cast<uint8_t>((value[4] & 0xf0) | ((value[6] & 0x80) != 0 ? SpecialVlans::kTrunk : 0));
  special.outer_vlan = LoadVlan(value.data() + 4);
  special.designated_vlan = LoadVlan(value.data() + 6);
  port->special = special;
  return true;
}

bool ReadPortSubTlv(const Tlv& sub, TrillPort* port) {
  switch (sub.type) {
    case kSubTlvSpecialVlansAndFlags:
      return ReadSpecialVlans(sub.value, port);
    case kSubTlvEnabledVlans:
      return ReadVlanMap(sub.value, &port->enabled);
    case kSubTlvAppointedForwarders:
      return ReadForwarders(sub.value, port);
    case kSubTlvPortTrillVersion:
      return ReadVersion(sub.value, &port->version);
    case kSubTlvVlansAppointed:
      return ReadVlanMap(sub.value, &port->appointed);
    default:
      return false;
  }
}

// 2.1.1 to 2.1.6.
struct GroupKind {
  uint8_t type;
  size_t address_size;
  bool labeled;
};
constexpr GroupKind kGroupKinds[] = {
    {kSubTlvGroupMac, 6, false},       {kSubTlvGroupIpv4, 4, false},       {kSubTlvGroupIpv6, 16, false},
    {kSubTlvGroupLabeledMac, 6, true}, {kSubTlvGroupLabeledIpv4, 4, true}, {kSubTlvGroupLabeledIpv6, 16, true},
};

GroupMembership::Address LoadAddress(Octets octets) {
  if (octets.size() == kMacSize) return MacAddress::From(octets.data());
  return octets.size() == 4 ? IpAddress::FromV4(octets.data()) : IpAddress::FromV6(octets.data());
}

void PutAddress(const GroupMembership::Address& address, size_t size, OctetWriter* out) {
  if (const auto* mac = std::get_if<MacAddress>(&address)) {
    out->Bytes(mac->octets);
  } else {
    out->Bytes(std::get<IpAddress>(address).octets().subspan(16 - size));
  }
}

// False if its records do not add up.
bool ReadGroupSubTlv(const GroupKind& kind, Octets value, std::vector<GroupMembership>* groups) {
  OctetReader reader(value);
  GroupMembership group;
  group.topology = reader.U16() & kTopologyMask;
  group.labeled = kind.labeled;
  group.vlan = kind.labeled ? reader.U24() : reader.U16() & kVlanMask;
  for (size_t records = reader.U8(); records > 0 && reader.ok(); --records) {
    size_t sources = reader.U8();
    if (!reader.Has(kind.address_size * (1 + sources))) return false;
    group.group = LoadAddress(reader.Bytes(kind.address_size));
    group.sources.clear();
    for (; sources > 0; --sources) group.sources.push_back(LoadAddress(reader.Bytes(kind.address_size)));
    groups->push_back(group);
  }
  return reader.ok() && reader.remaining() == 0;
}

}  // namespace

std::optional<VlanRange> EffectiveVlans(VlanRange said) {
  if (said.last < said.first) return std::nullopt;
  if (said.first == said.last && (said.first < kFirstVlan || said.first > kLastVlan)) return std::nullopt;
  return VlanRange{std::max(said.first, kFirstVlan), std::min(said.last, kLastVlan)};
}

bool TrillSwitch::empty() const {
  return nicknames.empty() && !trees && tree_roots.empty() && trees_used.empty() && interested_vlans.empty() &&
         vlan_groups.empty() && !version;
}

bool ReadTrillSubTlv(const Tlv& sub, TrillSwitch* trill) {
  const Octets value = sub.value;
  switch (sub.type) {
    case kSubTlvNickname:
      if (value.size() % 5 != 0) return false;
      for (size_t at = 0; at < value.size(); at += 5) {
        trill->nicknames.push_back({value[at], LoadBe16(value.data() + at + 1), LoadBe16(value.data() + at + 3)});
      }
      return true;
    case kSubTlvTrees:
      if (value.size() != 6) return false;
      trill->trees = {LoadBe16(value.data()), LoadBe16(value.data() + 2), LoadBe16(value.data() + 4)};
      return true;
    case kSubTlvTreeRootIds:
      return ReadTreeRoots(value, &trill->tree_roots);
    case kSubTlvTreeUseIds:
      return ReadTreeRoots(value, &trill->trees_used);
    case kSubTlvInterestedVlans:
      return ReadInterestedVlans(value, trill);
    case kSubTlvTrillVersion:
      return ReadVersion(value, &trill->version);
    case kSubTlvVlanGroup: {
      if (value.size() < 2 || value.size() % 2 != 0) return false;
      VlanGroup group;
      group.primary = LoadVlan(value.data());
      for (size_t at = 2; at < value.size(); at += 2) group.secondaries.push_back(LoadVlan(value.data() + at));
      trill->vlan_groups.push_back(std::move(group));
      return true;
    }
    default:
      return false;
  }
}

void WriteTrillSubTlvs(const TrillSwitch& trill, OctetWriter* out) {
  if (!trill.nicknames.empty()) {
    PutSub(kSubTlvNickname, out, [&](OctetWriter* value) {
      for (const HeldNickname& n : trill.nicknames) value->U8(n.priority).U16(n.root_priority).U16(n.nickname);
    });
  }
  if (trill.trees) {
    PutSub(kSubTlvTrees, out, [&](OctetWriter* value) {
      value->U16(trill.trees->to_compute).U16(trill.trees->can_compute).U16(trill.trees->to_use);
    });
  }
  for (const TreeRoots& trees : trill.tree_roots) PutTreeRoots(kSubTlvTreeRootIds, trees, out);
  for (const TreeRoots& trees : trill.trees_used) PutTreeRoots(kSubTlvTreeUseIds, trees, out);
  for (const InterestedVlans& interested : trill.interested_vlans) {
    PutSub(kSubTlvInterestedVlans, out, [&](OctetWriter* value) {
      value->U16(interested.nickname);
      value->U16(static_cast<uint16_t>((interested.flags & 0xf0) << 8 | (interested.vlans.first & kVlanMask)));
      value->U16(interested.vlans.last & kVlanMask).U32(interested.appointed_lost);
      for (const MacAddress& root : interested.roots) value->Bytes(root.octets);
    });
  }
  if (trill.version) PutVersion(kSubTlvTrillVersion, *trill.version, out);
  for (const VlanGroup& group : trill.vlan_groups) {
    PutSub(kSubTlvVlanGroup, out, [&](OctetWriter* value) {
      value->U16(group.primary & kVlanMask);
      for (const uint16_t secondary : group.secondaries) value->U16(secondary & kVlanMask);
    });
  }
}

DecodeResult ReadGroupMemberships(Octets value, size_t offset, std::vector<GroupMembership>* groups) {
  DecodeResult first;
  TlvReader subs(value);
  for (Tlv sub; subs.Next(&sub);) {
    for (const GroupKind& kind : kGroupKinds) {
      if (kind.type != sub.type || ReadGroupSubTlv(kind, sub.value, groups)) continue;
      if (first.ok()) first = BadLength(offset + subs.value_offset());
    }
  }
  if (!first.ok()) return first;
  return subs.result().ok() ? DecodeResult::Ok() : BadLength(offset + subs.result().offset);
}

void WriteGroupMembership(const GroupMembership& group, OctetWriter* out) {
  const auto* ip = std::get_if<IpAddress>(&group.group);
  const size_t size = ip == nullptr ? kMacSize : ip->IsV4() ? 4 : 16;
  for (const GroupKind& kind : kGroupKinds) {
    if (kind.address_size != size || kind.labeled != group.labeled) continue;
    PutSub(kind.type, out, [&](OctetWriter* value) {
      value->U16(group.topology & kTopologyMask);
      group.labeled ? value->U24(group.vlan & 0xffffff) : value->U16(group.vlan & kVlanMask);
      value->U8(1).U8(static_cast<uint8_t>(group.sources.size()));
      PutAddress(group.group, size, value);
      for (const GroupMembership::Address& source : group.sources) PutAddress(source, size, value);
    });
  }
}

std::vector<VlanRange> VlansOf(const VlanMap& map) {
  std::vector<VlanRange> ranges;
  for (size_t i = 0; i < map.bits.size() * 8; ++i) {
    const size_t vlan = map.first + i;
    if ((map.bits[i / 8] >> (7 - i % 8) & 1) == 0 || vlan < kFirstVlan || vlan > kLastVlan) continue;
    if (!ranges.empty() && ranges.back().last + size_t{1} == vlan) {
      ++ranges.back().last;
    } else {
      ranges.push_back({static_cast<uint16_t>(vlan), static_cast<uint16_t>(vlan)});
    }
  }
  return ranges;
}

DecodeResult ReadTrillPort(Octets value, size_t offset, TrillPort* port) {
  *port = TrillPort();
  if (value.size() < 2) return BadLength(offset);
  port->topology = LoadBe16(value.data()) & kTopologyMask;
  TlvReader subs(value.subspan(2));
  for (Tlv sub; subs.Next(&sub);) {
    if (!ReadPortSubTlv(sub, port)) port->others.push_back({sub.type, {sub.value.begin(), sub.value.end()}});
  }
  return subs.result().ok() ? DecodeResult::Ok() : BadLength(offset + 2 + subs.result().offset);
}

void WriteTrillPort(const TrillPort& port, OctetWriter* out) {
  out->U16(port.topology & kTopologyMask);
  if (port.special) {
    const SpecialVlans& special = *port.special;
    PutSub(kSubTlvSpecialVlansAndFlags, out, [&](OctetWriter* value) {
      const bool trunk = (special.flags & SpecialVlans::kTrunk) != 0;
      value->U16(special.port).U16(special.nickname);
      value->U16(static_cast<uint16_t>((special.flags & 0xf0) << 8 | (special.outer_vlan & kVlanMask)));
      value->U16(static_cast<uint16_t>((trunk ? 0x8000 : 0) | (special.designated_vlan & kVlanMask)));
    });
  }
  for (const VlanMap& map : port.enabled) PutVlanMap(kSubTlvEnabledVlans, map, out);
  if (!port.forwarders.empty()) {
    PutSub(kSubTlvAppointedForwarders, out, [&](OctetWriter* value) {
      for (const AppointedForwarder& f : port.forwarders) {
        value->U16(f.nickname).U16(f.vlans.first & kVlanMask).U16(f.vlans.last & kVlanMask);
      }
    });
  }
  if (port.version) PutVersion(kSubTlvPortTrillVersion, *port.version, out);
  for (const VlanMap& map : port.appointed) PutVlanMap(kSubTlvVlansAppointed, map, out);
  for (const RawTlv& other : port.others) {
    PutSub(other.type, out, [&](OctetWriter* value) { value->Bytes(other.value); });
  }
}

DecodeResult ReadTrillNeighbors(Octets value, size_t offset, TrillNeighbors* neighbors) {
  *neighbors = TrillNeighbors();
  if (value.empty()) return BadLength(offset);
  neighbors->holds_smallest = (value[0] & kSmallest) != 0;
  neighbors->holds_largest = (value[0] & kLargest) != 0;
  const size_t size = value[0] & kSizeMask;  // 0: six
  if (size != 0 && size != kMacSize) return DecodeResult::Error(DecodeCode::kUnsupported, offset);
  constexpr size_t kRecord = 3 + kMacSize;
  value.remove_prefix(1);
  if (value.size() % kRecord != 0) return BadLength(offset);
  for (; !value.empty(); value.remove_prefix(kRecord)) {
    neighbors->neighbors.push_back({(value[0] & kFailed) != 0, (value[0] & kOomf) != 0, LoadBe16(value.data() + 1),
                                    MacAddress::From(value.data() + 3)});
  }
  return DecodeResult::Ok();
}

void WriteTrillNeighbors(const TrillNeighbors& neighbors, OctetWriter* out) {
  out->U8(static_cast<uint8_t>((neighbors.holds_smallest ? kSmallest : 0) | (neighbors.holds_largest ? kLargest : 0)));
  for (const TrillNeighbor& n : neighbors.neighbors) {
    out->U8(static_cast<uint8_t>((n.failed ? kFailed : 0) | (n.offers_oomf ? kOomf : 0)))
        .U16(n.mtu)
        .Bytes(n.mac.octets);
  }
}

}  // namespace flowacct::isis
