#include <memory>
#include <string>
#include <vector>

#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/packet/testing/sample_packets.h"
#include "flowacct/record/flow_batch.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using record::FieldId;
using P = PacketBuilder;
using Octets = std::vector<uint8_t>;

constexpr int64_t kSecond = 1000 * 1000 * 1000;

// Keeps what it is shown: "SOURCE:PORT DESTINATION:PORT octets", with "cut" behind what is not whole.
struct KeepingTap : GtpTap {
  void OnGtp(const GtpDatagram& d) override {
    std::string text = d.source.ToString() + ":" + std::to_string(d.source_port) + " " + d.destination.ToString() +
                       ":" + std::to_string(d.destination_port) + " " + std::to_string(d.octets.size());
    if (d.truncated) text += " cut";
    shown.push_back(text);
    octets.emplace_back(d.octets.begin(), d.octets.end());
    time_nanos = d.time_nanos;
  }
  std::vector<std::string> shown;
  std::vector<Octets> octets;
  int64_t time_nanos = 0;
};

class GtpTest : public ::testing::Test {
 protected:
  // Both paths, which tell the same.
  record::RowView Decode(const Octets& packet, PacketDecoderOptions options = {}) {
    record::RowView rows[] = {Decode(packet, options, true), Decode(packet, options, false)};
    EXPECT_EQ(Octets(rows[0].octets(), rows[0].octets() + layout_.row_size()),
              Octets(rows[1].octets(), rows[1].octets() + layout_.row_size()));
    return rows[0];
  }
  record::RowView Innermost(const Octets& packet) {
    PacketDecoderOptions options;
    options.depth = -1;
    return Decode(packet, options);
  }
  std::vector<std::string> Shown(const Octets& packet, PacketDecoderOptions options = {}) {
    KeepingTap tap;
    options.gtp_tap = &tap;
    Decode(packet, options, true);
    KeepingTap slow;
    options.gtp_tap = &slow;
    Decode(packet, options, false);
    EXPECT_EQ(tap.octets, slow.octets);
    EXPECT_EQ(tap.shown, slow.shown);
    return tap.shown;
  }

 private:
  record::RowView Decode(const Octets& packet, PacketDecoderOptions options, bool fast) {
    options.fast_path = fast;
    decoders_.push_back(std::make_unique<PacketDecoder>(&layout_, &interner_, options));
    batches_.push_back(std::make_unique<record::FlowBatch>(&layout_, &interner_));
    record::MutableRow row = batches_.back()->Append();
    EXPECT_TRUE(decoders_.back()
                    ->Decode(LinkType::kEthernet, packet, static_cast<uint32_t>(packet.size()), 7 * kSecond, row)
                    .ok());
    return row;
  }

  const record::Layout layout_ = record::Layout::All();
  base::Interner interner_;
  std::vector<std::unique_ptr<PacketDecoder>> decoders_;
  std::vector<std::unique_ptr<record::FlowBatch>> batches_;
};

P Outer() { return P().Ethernet().Ipv4("198.51.100.1", "198.51.100.2").Udp(40000, 0); }

P& WithUser(P& packet) { return packet.Ipv4("10.0.0.1", "10.0.0.2").Tcp(1234, 443); }

Octets User(P packet) { return WithUser(packet).Build(); }

std::string Addresses(const record::RowView& row) {
  return row.Get<FieldId::kSrcAddr>().ToString() + " " + row.Get<FieldId::kDstAddr>().ToString();
}

std::string Tunnel(const record::RowView& row) {
  if (!row.Has(FieldId::kTeid)) return "none";
  return row.Get<FieldId::kGtpSrcAddr>().ToString() + " " + row.Get<FieldId::kGtpDstAddr>().ToString() + " " +
         std::to_string(row.Get<FieldId::kTeid>());
}

// Both stay for ever: who looks for an IP header behind the first eight octets finds one that is none.
TEST_F(GtpTest, APduSessionContainerGivesTheRightInnerPacket) {
  for (const uint8_t pdu_type : {0x00, 0x10}) {  // down, up
    P::GtpFields fields;
    fields.extensions = {{0x85, {pdu_type, 0x40 | 9}}};
    const auto row = Innermost(User(Outer().GtpU(0x45000054, fields)));
    EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
    EXPECT_EQ(row.Get<FieldId::kProtocol>(), 6);
    EXPECT_EQ(row.Get<FieldId::kDstPort>(), 443);
    EXPECT_EQ(row.Get<FieldId::kBytes>(), 40u);
    EXPECT_EQ(Tunnel(row), "198.51.100.1 198.51.100.2 1157627988");
    EXPECT_EQ(row.Get<FieldId::kQfi>(), 9);
  }
}

TEST_F(GtpTest, ASequenceNumberOf0x4500GivesTheRightInnerPacket) {
  P::GtpFields fields;
  fields.sequence = 0x4500;
  auto row = Innermost(User(Outer().GtpU(7, fields)));
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 40u);
  EXPECT_FALSE(row.Has(FieldId::kQfi));
  // The same without the flag: the octets are there for the N-PDU number, and mean nothing.
  fields.sequence.reset();
  fields.npdu = 0x45;
  row = Innermost(User(Outer().GtpU(7, fields)));
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
}

TEST_F(GtpTest, TheWholeChainOfExtensionHeadersIsWalked) {
  P::GtpFields fields;
  fields.sequence = 1;
  fields.npdu = 2;
  fields.extensions = {{0xc0, {0x45, 0x00}},                             // PDCP PDU number
                       {0x03, {0x45, 0, 0, 0x28, 0x45, 0}},              // long PDCP PDU number
                       {0x20, {0x45, 0x45}},                             // service class indicator
                       {0x85, {0x10, 0xc5, 0x45, 0, 0, 0, 0, 0, 0, 0}},  // with what later releases add
                       {0x84, {0x45, 0x45}}};                            // NR RAN container
  auto row = Innermost(User(Outer().GtpU(7, fields)));
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(row.Get<FieldId::kQfi>(), 5);
  // A length of zero ends it: there is no inner packet.
  Octets packet = User(Outer().GtpU(7, fields));
  packet[14 + 28 + 12] = 0;
  row = Innermost(packet);
  EXPECT_EQ(Addresses(row), "198.51.100.1 198.51.100.2");
  EXPECT_EQ(Tunnel(row), "none");
}

TEST_F(GtpTest, InnerIpv6OverIpv4AndTheOtherWayRound) {
  auto row = Innermost(Outer().GtpU(1).Ipv6("2001:db8:1::1", "2001:db8:2::1").Udp(5, 6).Payload(4).Build());
  EXPECT_EQ(Addresses(row), "2001:db8:1::1 2001:db8:2::1");
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 52u);
  EXPECT_EQ(Tunnel(row), "198.51.100.1 198.51.100.2 1");
  row = Innermost(User(P().Ethernet().Ipv6("2001:db8::1", "2001:db8::2").Udp(2152, 2152).GtpU(2)));
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(Tunnel(row), "2001:db8::1 2001:db8::2 2");
}

TEST_F(GtpTest, TPdusOfVersion0) {
  const Octets header = {0x1e, 255,  0,    40,   0x45, 0,    0,    1,    0,    0xff,
                         0xff, 0xff, 0x62, 0x02, 0x11, 0x32, 0x54, 0x76, 0x98, 0x50};
  P packet = P().Ethernet().Ipv4("198.51.100.1", "198.51.100.2").Udp(3386, 3386).Octets(header);
  const Octets user = User(P());
  const auto row = Innermost(packet.Octets(user).Build());
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 40u);
  EXPECT_FALSE(row.Has(FieldId::kTeid));
  EXPECT_EQ(row.Get<FieldId::kGtpSrcAddr>().ToString(), "198.51.100.1");
  EXPECT_EQ(row.Get<FieldId::kGtpDstAddr>().ToString(), "198.51.100.2");
}

TEST_F(GtpTest, TheTunnelIsThatOfTheAccountedLevel) {
  // A subscriber with Teredo, and with tunnels of GTP of his own.
  const Octets teredo = Outer().GtpU(1).Ipv4("10.0.0.1", "192.0.2.9").Udp(9, 0).Teredo().Ipv6().Icmpv6(128, 0).Build();
  const Octets twice = User(Outer().GtpU(1).Ipv4("10.0.0.1", "192.0.2.9").Udp(9, 0).GtpU(2));
  struct Case {
    const Octets& packet;
    int depth;
    const char *addresses, *tunnel;
  };
  for (const Case& c : std::vector<Case>{
           {teredo, 0, "198.51.100.1 198.51.100.2", "198.51.100.1 198.51.100.2 1"},
           {teredo, 1, "10.0.0.1 192.0.2.9", "198.51.100.1 198.51.100.2 1"},
           {teredo, -1, "2001:db8::1 2001:db8::2", "198.51.100.1 198.51.100.2 1"},
           {twice, 0, "198.51.100.1 198.51.100.2", "198.51.100.1 198.51.100.2 1"},
           {twice, 1, "10.0.0.1 192.0.2.9", "198.51.100.1 198.51.100.2 1"},
           {twice, 2, "10.0.0.1 10.0.0.2", "10.0.0.1 192.0.2.9 2"},
       }) {
    PacketDecoderOptions options;
    options.depth = c.depth;
    const auto row = Decode(c.packet, options);
    EXPECT_EQ(Addresses(row), c.addresses);
    EXPECT_EQ(Tunnel(row), c.tunnel);
  }
}

TEST_F(GtpTest, WhatCarriesNoPacketHasNoTunnel) {
  for (const uint8_t type : {1, 2, 26, 31, 254}) {
    P::GtpFields fields;
    fields.type = type;
    EXPECT_EQ(Tunnel(Innermost(User(Outer().GtpU(9, fields)))), "none") << int{type};
  }
  // Of Ethernet (a PDU session of its type) the tunnel is known, and the outer packet is accounted.
  const auto row = Innermost(Outer().GtpU(9).Payload(40, 2).Build());
  EXPECT_EQ(Addresses(row), "198.51.100.1 198.51.100.2");
  EXPECT_EQ(Tunnel(row), "198.51.100.1 198.51.100.2 9");
}

TEST_F(GtpTest, OtherPortsThatTheUserNames) {
  const Octets packet = User(P().Ethernet().Ipv4("198.51.100.1", "198.51.100.2").Udp(1, 49152).GtpU(3));
  EXPECT_EQ(Tunnel(Innermost(packet)), "none");
  PacketDecoderOptions options;
  options.depth = -1;
  options.gtp_u_ports = {5, 49152};
  const auto row = Decode(packet, options);
  EXPECT_EQ(Addresses(row), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(Tunnel(row), "198.51.100.1 198.51.100.2 3");
  // What is no GTP-U there is payload.
  EXPECT_EQ(Addresses(Decode(Outer().Payload(30).Build(), options)), "198.51.100.1 198.51.100.2");
}

TEST_F(GtpTest, TheTapIsShownMessages) {
  const auto udp = [](uint16_t source, uint16_t destination) {
    return P().Ethernet().Vlan(5).Ipv4("198.51.100.1", "198.51.100.2").Udp(source, destination);
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Shown(udp(2123, 2123).Payload(30, 0x48).Build()), Texts{"198.51.100.1:2123 198.51.100.2:2123 30"});
  EXPECT_EQ(Shown(udp(50000, 2123).Payload(30).Padding(9).Build()), Texts{"198.51.100.1:50000 198.51.100.2:2123 30"});
  EXPECT_EQ(Shown(udp(2123, 50000).Build()), Texts{"198.51.100.1:2123 198.51.100.2:50000 0"});
  EXPECT_EQ(Shown(udp(50000, 3386).Payload(20, 0x0e).Build()), Texts{"198.51.100.1:50000 198.51.100.2:3386 20"});
  EXPECT_EQ(Shown(udp(50000, 5300).Payload(20).Build()), Texts{});
  EXPECT_EQ(Shown(udp(2123, 53).Payload(20).Build()), Texts{});  // a client's port
  EXPECT_EQ(Shown(P().Ethernet().Ipv6().HopByHop().Udp(40007, 2123).Payload(20).Build()),
            Texts{"2001:db8::1:40007 2001:db8::2:2123 20"});
  // Through a tunnel that mirrors.
  EXPECT_EQ(Shown(P().Ethernet().Ipv4().Gre().Ipv4("198.51.100.1", "198.51.100.2").Udp(40007, 2123).Payload(9).Build()),
            Texts{"198.51.100.1:40007 198.51.100.2:2123 9"});
  EXPECT_EQ(Shown(udp(7, 0).Vxlan(1).Ethernet().Ipv4("10.9.9.1", "10.9.9.2").Udp(40007, 2123).Payload(9).Build()),
            Texts{"10.9.9.1:40007 10.9.9.2:2123 9"});
  // Of GTP-U all but G-PDUs; of GTPv0 all but its T-PDUs.
  for (const int type : {1, 2, 26, 31, 254, 255}) {
    P::GtpFields fields;
    fields.type = static_cast<uint8_t>(type);
    EXPECT_EQ(Shown(User(udp(2152, 2152).GtpU(9, fields))).size(), type == 255 ? 0u : 1u) << type;
  }
  EXPECT_EQ(Shown(udp(2152, 2152).Payload(3, 1).Build()).size(), 1u);
  EXPECT_EQ(Shown(udp(3386, 3386).Octets(Octets{0x1e, 255, 0, 0}).Payload(30).Build()).size(), 0u);
  EXPECT_EQ(Shown(udp(3386, 3386).Octets(Octets{0x1e, 16, 0, 0}).Payload(30).Build()).size(), 1u);
  PacketDecoderOptions options;
  options.gtp_u_ports = {49152};
  P::GtpFields echo;
  echo.type = 1;
  EXPECT_EQ(Shown(udp(40001, 49152).GtpU(0, echo).Build()), Texts{});
  EXPECT_EQ(Shown(udp(40001, 49152).GtpU(0, echo).Build(), options).size(), 1u);
}

TEST_F(GtpTest, NobodyIsHeardFromWithinATunnel) {
  P packet = Outer().GtpU(1).Ipv4("10.0.0.1", "192.0.2.9");
  EXPECT_EQ(Shown(P(packet).Udp(2123, 2123).Payload(30, 0x48).Build()).size(), 0u);
  EXPECT_EQ(Shown(P(packet).Udp(3386, 3386).Payload(30, 0x1e).Build()).size(), 0u);
  P::GtpFields error;
  error.type = 26;
  EXPECT_EQ(Shown(P(packet).Udp(2152, 2152).GtpU(0, error).Payload(9).Build()).size(), 0u);
}

TEST_F(GtpTest, MessagesInFragmentsBecomeWhole) {
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kBytes});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  for (const bool fast : {true, false}) {
    for (const int depth : {0, -1}) {
      KeepingTap tap;
      PacketDecoderOptions options;
      options.fast_path = fast;
      options.depth = depth;
      options.gtp_tap = &tap;
      PacketDecoder decoder(&layout, &interner, options);
      const auto send = [&](const Octets& packet, size_t captured = 9999) {
        (void)decoder.Decode(LinkType::kEthernet, base::Octets(packet).first(std::min(captured, packet.size())),
                             static_cast<uint32_t>(packet.size()), kSecond, batch.Append());
      };
      P::Ip first, later;
      first.id = later.id = 42;
      first.more_fragments = true;
      later.fragment_offset = 32;
      const auto part = [&](uint16_t port) {
        Octets octets = P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", first).Udp(40007, port).Payload(24, 0x48).Build();
        octets[14 + 20 + 5] = 48;  // the whole datagram
        return octets;
      };
      Octets rest = P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", later).Payload(16, 0x49).Build();
      rest[14 + 9] = 17;
      send(part(2123));
      EXPECT_TRUE(tap.shown.empty());
      send(rest);
      ASSERT_EQ(tap.shown, std::vector<std::string>{"192.0.2.1:40007 192.0.2.2:2123 40"});
      Octets expected(24, 0x48);
      expected.resize(40, 0x49);
      EXPECT_EQ(tap.octets[0], expected);
      EXPECT_EQ(tap.time_nanos, kSecond);
      // Nothing is put together of others.
      first.id = later.id = 43;
      send(part(2152));
      send(part(53));
      EXPECT_EQ(decoder.gtp_reassembler()->waiting_datagrams(), 0u);
      EXPECT_EQ(decoder.gtp_reassembler()->counters().fragments, 2u);
      EXPECT_EQ(tap.shown.size(), 1u);
      // What the capture cut says so.
      send(P().Ethernet().Ipv4().Udp(40007, 2123).Payload(40).Build(), 14 + 28 + 10);
      ASSERT_EQ(tap.shown.size(), 2u);
      EXPECT_EQ(tap.shown[1], "192.0.2.1:40007 192.0.2.2:2123 10 cut");
    }
  }
}

// The tap changes no row, and both paths show it the same, for every sample cut at every octet.
TEST_F(GtpTest, TheTapChangesNoRow) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  for (const int depth : {0, 1, -1}) {
    KeepingTap fast_tap, slow_tap;
    PacketDecoderOptions options;
    options.depth = depth;
    PacketDecoder without(&layout, &interner, options);
    options.gtp_tap = &fast_tap;
    PacketDecoder fast(&layout, &interner, options);
    options.gtp_tap = &slow_tap;
    options.fast_path = false;
    PacketDecoder slow(&layout, &interner, options);
    for (const SamplePacket& sample : SamplePackets()) {
      for (size_t n = 0; n <= sample.octets.size(); ++n) {
        Octets rows[3];
        PacketDecoder* const decoders[] = {&without, &fast, &slow};
        for (int i = 0; i < 3; ++i) {
          rows[i].resize(layout.row_size());
          (void)decoders[i]->Decode(sample.link_type, base::Octets(sample.octets).first(n),
                                    static_cast<uint32_t>(sample.octets.size()), 1,
                                    record::MutableRow(&layout, rows[i].data()));
        }
        ASSERT_EQ(rows[0], rows[1]) << sample.name << " cut to " << n;
        ASSERT_EQ(rows[0], rows[2]) << sample.name << " cut to " << n;
      }
    }
    EXPECT_EQ(fast_tap.shown, slow_tap.shown);
  }
}

}  // namespace
}  // namespace flowacct::packet
