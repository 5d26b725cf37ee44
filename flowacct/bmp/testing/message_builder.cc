#include "flowacct/bmp/testing/message_builder.h"

#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::bmp::testing {
namespace {

using bgp::testing::AddressOf;
using bgp::testing::UpdateBuilder;

Octets Copy(base::Octets octets) { return {octets.begin(), octets.end()}; }

void PutAddress(const base::IpAddress& address, base::OctetWriter* out) {
  if (address.IsV4()) {
    out->Fill(12).Bytes(address.octets().subspan(12));
  } else {
    out->Bytes(address.octets());
  }
}

}  // namespace

Octets Join(const std::vector<Octets>& parts) {
  Octets all;
  for (const Octets& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Octets Tlv16(uint16_t type, base::Octets value) {
  base::OctetWriter out;
  out.U16(type).U16(static_cast<uint16_t>(value.size())).Bytes(value);
  return Copy(out.octets());
}
Octets Tlv16(uint16_t type, absl::string_view value) { return Tlv16(type, base::AsOctets(value)); }

Octets Message(MessageType type, base::Octets body, uint8_t version) {
  base::OctetWriter out;
  out.U8(version).U32(static_cast<uint32_t>(kCommonHeaderOctets + body.size())).U8(static_cast<uint8_t>(type));
  out.Bytes(body);
  return Copy(out.octets());
}

Octets PeerMessage(MessageType type, const BuiltPeer& peer, base::Octets body, uint8_t version) {
  base::OctetWriter out;
  const bool v6 = !peer.address.IsV4() && peer.type != PeerType::kLocRibInstance;
  out.U8(static_cast<uint8_t>(peer.type)).U8(peer.flags | (v6 ? 0x80 : 0)).U64(peer.distinguisher);
  PutAddress(peer.address, &out);
  out.U32(peer.as).U32(peer.bgp_identifier).U32(peer.seconds).U32(250000).Bytes(body);
  return Message(type, out.octets(), version);
}

Octets OpenMessage(uint32_t as, bgp::FamilySet add_path) {
  bgp::Open open;
  open.as = as;
  open.as4 = true;
  open.bgp_identifier = 0x0a000001;
  open.families = bgp::FamilySet::Joined();
  open.add_path_send = open.add_path_receive = add_path;
  base::OctetWriter out;
  bgp::WriteOpen(open, &out);
  return Copy(out.octets());
}

Octets BgpMessage(uint8_t type, base::Octets body) {
  base::OctetWriter out;
  bgp::testing::WriteMessage(type, body, &out);
  return Copy(out.octets());
}

Octets PeerUpMessage(const BuiltPeer& peer, base::Octets sent, base::Octets received, base::Octets information) {
  base::OctetWriter out;
  PutAddress(peer.address.IsV4() ? AddressOf("192.0.2.1") : AddressOf("2001:db8::1"), &out);
  out.U16(179).U16(40000).Bytes(sent).Bytes(received).Bytes(information);
  return PeerMessage(MessageType::kPeerUp, peer, out.octets());
}

Octets PeerDownMessage(const BuiltPeer& peer, uint8_t reason, base::Octets data) {
  base::OctetWriter out;
  out.U8(reason).Bytes(data);
  return PeerMessage(MessageType::kPeerDown, peer, out.octets());
}

Octets RouteMonitoringMessage(const BuiltPeer& peer, base::Octets update) {
  return PeerMessage(MessageType::kRouteMonitoring, peer, update);
}

Octets StatisticsMessage(const BuiltPeer& peer, const std::vector<BuiltStatistic>& statistics) {
  base::OctetWriter out;
  out.U32(static_cast<uint32_t>(statistics.size()));
  for (const BuiltStatistic& s : statistics) out.Bytes(Tlv16(s.type, base::Octets(s.value)));
  return PeerMessage(MessageType::kStatisticsReport, peer, out.octets());
}

Octets EveryMessage() {
  BuiltPeer in;
  in.address = AddressOf("192.0.2.2");
  BuiltPeer post = in, out = in, as2 = in;
  post.flags = 0x40;
  out.flags = 0x10;
  as2.flags = 0x20;
  BuiltPeer rd;
  rd.type = PeerType::kRdInstance;
  rd.distinguisher = uint64_t{64496} << 32 | 7;
  rd.address = AddressOf("2001:db8::2");
  BuiltPeer loc;
  loc.type = PeerType::kLocRibInstance;
  loc.flags = 0x80;
  loc.address = base::IpAddress::V4(0);
  bgp::SessionContext plain, two, add_path;
  two.as4 = false;
  const bgp::FamilySet v4 = bgp::FamilySet().Add(bgp::Family::kIpv4Unicast);
  add_path.add_path = v4;
  UpdateBuilder update(plain), update2(two), update_path(add_path);
  for (UpdateBuilder* b : {&update, &update2, &update_path}) {
    b->Origin(0)
        .AsPath({64496, 64497})
        .NextHop("192.0.2.2")
        .Announce({bgp::testing::PrefixOf("198.51.100.0/24"), 9, 0, {}});
    b->Withdraw({bgp::testing::PrefixOf("203.0.113.0/24"), 9, 0, {}});
  }
  const Octets plain_update = Copy(update.Message()), as2_update = Copy(update2.Message());
  const Octets path_update = Copy(update_path.Message());
  base::OctetWriter version4;
  version4.U16(1).U16(6).U16(0).U8(69).U8(4).U16(1).U8(1).U8(3);
  version4.U16(3).U16(3).U16(0).Text("red").U16(0x8001).U16(4).U16(0).U32(1);
  version4.U16(4).U16(static_cast<uint16_t>(path_update.size())).U16(0).Bytes(path_update);
  const Octets notification = BgpMessage(3, std::vector<uint8_t>{6, 2});
  return Join({
      Message(MessageType::kInitiation, Join({Tlv16(0, "hello"), Tlv16(1, "a router"), Tlv16(2, "r1")})),
      PeerUpMessage(in, OpenMessage(64500), OpenMessage(64496)),
      PeerUpMessage(rd, OpenMessage(64500, v4), OpenMessage(64496, v4), Tlv16(3, "blue")),
      PeerUpMessage(loc, OpenMessage(64500), OpenMessage(64500), Join({Tlv16(3, "global"), Tlv16(4, "label")})),
      RouteMonitoringMessage(in, plain_update),
      RouteMonitoringMessage(post, plain_update),
      RouteMonitoringMessage(out, plain_update),
      RouteMonitoringMessage(as2, as2_update),
      RouteMonitoringMessage(rd, path_update),
      RouteMonitoringMessage(loc, plain_update),
      RouteMonitoringMessage(loc, BgpMessage(2, Octets(4))),
      PeerMessage(MessageType::kRouteMonitoring, in, version4.octets(), kVersion4),
      StatisticsMessage(
          in, {{0, {0, 0, 0, 5}}, {7, {0, 0, 0, 1, 0, 0, 0, 0}}, {9, {0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 3}}, {99, {1}}}),
      PeerMessage(MessageType::kRouteMirroring, in,
                  Join({Tlv16(1, base::Octets(Octets{0, 0})), Tlv16(0, base::Octets(plain_update)),
                        Tlv16(1, base::Octets(Octets{0, 1}))})),
      PeerDownMessage(in, 1, notification),
      PeerDownMessage(rd, 2, Octets{0, 24}),
      Message(static_cast<MessageType>(200), Octets(5)),
      Message(MessageType::kTermination, Join({Tlv16(0, "bye"), Tlv16(1, base::Octets(Octets{0, 3}))})),
  });
}

}  // namespace flowacct::bmp::testing
