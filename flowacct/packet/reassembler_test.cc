#include "flowacct/packet/reassembler.h"

#include <algorithm>
#include <string>
#include <vector>

#include "flowacct/packet/testing/packet_builder.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

constexpr int64_t kSecond = 1000 * 1000 * 1000;

// A UDP datagram of `n` octets of payload, and its pieces.
struct Source {
  explicit Source(size_t n, bool ipv6 = false) : ipv6(ipv6) {
    const auto packet = PacketBuilder().Ipv4().Udp(2055, 9995).Payload(n).Build();
    whole.assign(packet.begin() + 20, packet.end());
    for (size_t i = 8; i < whole.size(); ++i) whole[i] = static_cast<uint8_t>(i * 7);
  }
  IpFragment Piece(size_t begin, size_t end, uint32_t id = 1) const {
    IpFragment f;
    f.source = base::IpAddress::V4(0xc0000201);
    f.destination = base::IpAddress::V4(0xc0000202);
    f.id = id;
    f.protocol = 17;
    f.version = ipv6 ? 6 : 4;
    f.offset = static_cast<uint32_t>(begin);
    f.more = end < whole.size();
    f.payload = base::Octets(whole).subspan(begin, end - begin);
    return f;
  }
  std::vector<uint8_t> whole;
  bool ipv6;
};

TEST(Reassembler, AnyOrder) {
  const size_t cuts[] = {0, 32, 64, 108};  // with the UDP header
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (bool ipv6 : {false, true}) {
    const Source of_family(100, ipv6);
    Reassembler reassembler;
    for (const auto& order : orders) {
      ReassembledPacket whole;
      for (int i = 0; i < 3; ++i) {
        const bool done = reassembler.Add(of_family.Piece(cuts[order[i]], cuts[order[i] + 1]), 0, &whole);
        EXPECT_EQ(done, i == 2);
      }
      EXPECT_EQ(whole.payload, base::Octets(of_family.whole));
      UdpDatagram datagram;
      ASSERT_TRUE(FindUdp(whole, &datagram));
      EXPECT_EQ(datagram.destination_port, 9995);
      EXPECT_EQ(datagram.payload.size(), 100u);
    }
    EXPECT_EQ(reassembler.counters().reassembled, 6u);
    EXPECT_EQ(reassembler.counters().fragments, 18u);
    EXPECT_EQ(reassembler.waiting_datagrams(), 0u);
    EXPECT_EQ(reassembler.waiting_octets(), 0u);
  }
}

TEST(Reassembler, Overlaps) {
  ReassembledPacket whole;
  {  // IPv4: what came first stays.
    const Source source(100);
    Source other(100);
    for (uint8_t& octet : other.whole) octet ^= 0xff;
    Reassembler reassembler;
    EXPECT_FALSE(reassembler.Add(source.Piece(32, 64), 0, &whole));
    EXPECT_FALSE(reassembler.Add(source.Piece(32, 64), 0, &whole));
    EXPECT_EQ(reassembler.counters().duplicates, 1u);
    EXPECT_FALSE(reassembler.Add(other.Piece(40, 72), 0, &whole));
    EXPECT_EQ(reassembler.counters().overlaps, 1u);
    EXPECT_FALSE(reassembler.Add(source.Piece(0, 40), 0, &whole));
    ASSERT_TRUE(reassembler.Add(source.Piece(64, 108), 0, &whole));
    std::vector<uint8_t> expected = source.whole;
    for (size_t i = 64; i < 72; ++i) expected[i] ^= 0xff;
    EXPECT_EQ(whole.payload, base::Octets(expected));
  }
  {  // IPv6: the datagram is dropped, and what still comes of it (RFC 5722).
    const Source source(100, true);
    Reassembler reassembler;
    EXPECT_FALSE(reassembler.Add(source.Piece(0, 64), 0, &whole));
    EXPECT_FALSE(reassembler.Add(source.Piece(0, 64), 0, &whole));  // the same again is none
    EXPECT_EQ(reassembler.counters().duplicates, 1u);
    EXPECT_FALSE(reassembler.Add(source.Piece(32, 72), 0, &whole));
    EXPECT_FALSE(reassembler.Add(source.Piece(64, 108), 0, &whole));
    EXPECT_EQ(reassembler.counters().dropped_overlapping, 1u);
    EXPECT_EQ(reassembler.waiting_octets(), 0u);
    reassembler.Expire(31 * kSecond);
    EXPECT_FALSE(reassembler.Add(source.Piece(0, 64), 32 * kSecond, &whole));
    EXPECT_TRUE(reassembler.Add(source.Piece(64, 108), 32 * kSecond, &whole));
  }
}

TEST(Reassembler, RefusesWhatCannotBe) {
  const Source source(100);
  Reassembler reassembler;
  ReassembledPacket whole;
  IpFragment odd = source.Piece(0, 33);
  EXPECT_FALSE(reassembler.Add(odd, 0, &whole));
  IpFragment cut = source.Piece(0, 32);
  cut.truncated = true;
  EXPECT_FALSE(reassembler.Add(cut, 0, &whole));
  IpFragment far = source.Piece(0, 32);
  far.offset = 65528;
  EXPECT_FALSE(reassembler.Add(far, 0, &whole));
  EXPECT_EQ(reassembler.counters().malformed, 3u);
  EXPECT_EQ(reassembler.waiting_datagrams(), 0u);
  // Two ends.
  EXPECT_FALSE(reassembler.Add(source.Piece(64, 108), 0, &whole));
  IpFragment other_end = source.Piece(32, 64);
  other_end.more = false;
  EXPECT_FALSE(reassembler.Add(other_end, 0, &whole));
  EXPECT_EQ(reassembler.counters().malformed, 4u);
}

TEST(Reassembler, IsBounded) {
  const Source source(100);
  ReassembledPacket whole;
  ReassemblerOptions options;
  options.max_datagrams = 8;
  options.max_octets = 200;
  options.max_fragments = 3;
  Reassembler reassembler(options);
  for (uint32_t id = 0; id < 100; ++id) {
    EXPECT_FALSE(reassembler.Add(source.Piece(0, 32, id), 0, &whole));
    EXPECT_LE(reassembler.waiting_octets(), 200u);
    EXPECT_LE(reassembler.waiting_datagrams(), 8u);
  }
  EXPECT_EQ(reassembler.counters().limit_exceeded, 94u);  // six of 32 octets fit
  EXPECT_TRUE(reassembler.Add(source.Piece(32, 108, 99), 0, &whole));
  // Too many pieces.
  for (size_t at = 0; at < 96; at += 24) EXPECT_FALSE(reassembler.Add(source.Piece(at, at + 8, 500), 0, &whole));
  EXPECT_FALSE(reassembler.Add(source.Piece(0, 8, 98), 31 * kSecond, &whole));
  EXPECT_GT(reassembler.counters().timeouts, 0u);
  EXPECT_EQ(reassembler.waiting_datagrams(), 1u);
}

TEST(Reassembler, FromPackets) {
  const Source source(3000);
  Reassembler reassembler;
  PacketView view;
  IpFragment fragment;
  ReassembledPacket whole;
  UdpDatagram datagram;
  // IPv6, behind destination options in the fragmentable part.
  std::vector<uint8_t> fragmentable = {17, 0, 1, 4, 0, 0, 0, 0};
  fragmentable.insert(fragmentable.end(), source.whole.begin(), source.whole.end());
  bool done = false;
  for (size_t at = 0; at < fragmentable.size(); at += 1200) {
    const size_t n = std::min<size_t>(1200, fragmentable.size() - at);
    auto octets = PacketBuilder()
                      .Ethernet()
                      .Ipv6()
                      .Fragment(5, static_cast<uint16_t>(at), at + n < fragmentable.size())
                      .Octets(base::Octets(fragmentable).subspan(at, n))
                      .Padding(3)
                      .Build();
    octets[14 + 40] = 60;
    (void)Parse(LinkType::kEthernet, octets, octets.size(), &view);
    ASSERT_TRUE(FindFragment(view, &fragment));
    EXPECT_EQ(fragment.protocol, 60);
    EXPECT_EQ(fragment.payload.size(), n);
    EXPECT_FALSE(FindUdp(view, &datagram));
    done = reassembler.Add(fragment, 0, &whole);
  }
  ASSERT_TRUE(done);
  ASSERT_TRUE(FindUdp(whole, &datagram));
  EXPECT_EQ(datagram.source.ToString(), "2001:db8::1");
  EXPECT_EQ(datagram.payload, base::Octets(source.whole).subspan(8));
}

}  // namespace
}  // namespace flowacct::packet
