#include "flowacct/mrt/testing/record_builder.h"

#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::mrt::testing {

using bgp::testing::AddressOf;
using bgp::testing::PrefixOf;
using bgp::testing::UpdateBuilder;

std::vector<uint8_t> PeerIndexBody(const std::vector<Peer>& peers) {
  base::OctetWriter out;
  out.U32(0xc0000201).U16(4).Text("view").U16(static_cast<uint16_t>(peers.size()));
  for (const Peer& peer : peers) {
    const bool as4 = peer.as > 65535;
    out.U8((peer.address.IsV4() ? 0 : 1) | (as4 ? 2 : 0)).U32(peer.bgp_identifier);
    PutAddress(peer.address, &out);
    out.Number(peer.as, as4 ? 4 : 2);
  }
  return {out.octets().begin(), out.octets().end()};
}

void PutEntries(const std::vector<BuiltEntry>& entries, bool add_path, base::OctetWriter* out) {
  out->U16(static_cast<uint16_t>(entries.size()));
  for (const BuiltEntry& entry : entries) {
    out->U16(entry.peer_index).U32(kTestSeconds - 60);
    if (add_path) out->U32(entry.path_id);
    out->U16(static_cast<uint16_t>(entry.attributes.size())).Bytes(entry.attributes);
  }
}

void PutEnds(const Peer& peer, const Peer& local, bool as4, base::OctetWriter* out) {
  out->Number(peer.as, as4 ? 4 : 2).Number(local.as, as4 ? 4 : 2).U16(7).U16(peer.address.IsV4() ? 1 : 2);
  PutAddress(peer.address, out);
  PutAddress(local.address, out);
}

std::vector<uint8_t> EverySubtype() {
  RecordBuilder file;
  const Peer v4{AddressOf("192.0.2.2"), 64496, 0x0a000001}, v6{AddressOf("2001:db8::2"), 4200000000, 0x0a000002};
  const Peer local4{AddressOf("192.0.2.1"), 64500, 0}, local6{AddressOf("2001:db8::1"), 64500, 0};
  file.Record(13, 1, PeerIndexBody({v4, v6}));
  for (const SubtypeRow& row : kSubtypes) {
    const bool as4 = (row.flags & kAs4) != 0, add_path = (row.flags & kAddPath) != 0;
    bgp::SessionContext context;
    context.as4 = as4;
    if (add_path) context.add_path = bgp::FamilySet::All();
    base::OctetWriter body;
    UpdateBuilder attributes(context);
    attributes.Origin(0).AsPath({64496, 64497});
    const bool ip6 = bgp::RowOf(row.family).v6;
    const base::IpPrefix prefix = PrefixOf(ip6 ? "2001:db8:100::/40" : "198.51.100.0/23");
    switch (row.content) {
      case Content::kTableDump: {
        if (ip6) {
          std::vector<uint8_t> whole = {0, 2, 1, 16};
          whole.insert(whole.end(), v6.address.data(), v6.address.data() + 16);
          whole.insert(whole.end(), {0, 40, 0x20, 0x01, 0x0d, 0xb8, 1});
          attributes.Attribute(0x80, 14, whole);
        } else {
          attributes.NextHop("192.0.2.2");
        }
        body.U16(0).U16(9);
        PutAddress(prefix.address(), &body);
        body.U8(prefix.length()).U8(1).U32(kTestSeconds - 60);
        PutAddress(ip6 ? v6.address : v4.address, &body);
        body.U16(64496).U16(static_cast<uint16_t>(attributes.Attributes().size())).Bytes(attributes.Attributes());
        break;
      }
      case Content::kPeerIndexTable:
        continue;
      case Content::kRib:
      case Content::kRibGeneric: {
        const bool generic = row.content == Content::kRibGeneric;
        const bgp::Family family = generic ? bgp::Family::kVpnIpv4 : row.family;
        std::vector<uint8_t> hop = {static_cast<uint8_t>(ip6 ? 16 : generic ? 12 : 4)};
        if (generic) hop.insert(hop.end(), 8, 0);
        const base::IpAddress& address = ip6 ? v6.address : v4.address;
        hop.insert(hop.end(), address.data() + (ip6 ? 0 : 12), address.data() + 16);
        if (family == bgp::Family::kIpv4Unicast) {
          attributes.NextHop("192.0.2.2");
        } else {
          attributes.Attribute(0x80, 14, hop);
        }
        body.U32(3);
        if (generic) body.U16(1).U8(128);
        bgp::testing::WriteNlri(family, false, {prefix, 0, uint64_t{64496} << 32 | 7, {100}}, &body);
        const std::vector<uint8_t> octets(attributes.Attributes().begin(), attributes.Attributes().end());
        PutEntries({{0, 11, octets}, {1, 12, octets}}, add_path, &body);
        break;
      }
      case Content::kMessage: {
        PutEnds(as4 ? v6 : v4, as4 ? local6 : local4, as4, &body);
        attributes.NextHop("192.0.2.2").Announce({prefix, 5, 0, {}});
        body.Bytes(attributes.Message());
        break;
      }
      case Content::kStateChange:
        PutEnds(as4 ? v6 : v4, as4 ? local6 : local4, as4, &body);
        body.U16(5).U16(6);
        break;
      case Content::kIgnored:
        if (row.type == 0) continue;
        body.U32(1).U32(2);
    }
    file.Record(row.type, row.subtype, body.octets());
    if (row.content == Content::kStateChange || row.content == Content::kMessage) {
      base::OctetWriter extended;
      extended.U32(250000).Bytes(body.octets());
      file.Record(kTypeBgp4mpEt, row.subtype, extended.octets());
    }
  }
  file.Record(11, 0, std::vector<uint8_t>(9));   // OSPFv2
  file.Record(13, 99, std::vector<uint8_t>(3));  // no subtype
  return {file.octets().begin(), file.octets().end()};
}

}  // namespace flowacct::mrt::testing
