#include "flowacct/collector/replicate/udp_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/packet/reassembler.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kLinkTypeRawIp = 101;

UdpEnds Ends(const char* source, const char* destination) {
  return {*base::IpAddress::Parse(source), *base::IpAddress::Parse(destination), 50000, 2055};
}

std::string Payload(size_t octets) {
  std::string payload(octets, '\0');
  for (size_t i = 0; i < octets; ++i) payload[i] = static_cast<char>(i * 131 + i / 256);
  return payload;
}

std::string Octets(const IpPacket& packet) {
  return std::string(base::AsText({packet.header, packet.header_octets})) + std::string(base::AsText(packet.payload));
}

// RFC 1071 word for word, in network order.
uint16_t SlowChecksum(const std::string& octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); i += 2) {
    sum += uint32_t{static_cast<uint8_t>(octets[i])} << 8;
    if (i + 1 < octets.size()) sum += static_cast<uint8_t>(octets[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::string PseudoHeader(const UdpEnds& ends, size_t udp_octets) {
  base::OctetWriter writer;
  if (ends.source.IsV4()) {
    writer.U32(ends.source.v4()).U32(ends.destination.v4()).U8(0).U8(17).U16(static_cast<uint16_t>(udp_octets));
  } else {
    writer.Bytes(ends.source.octets()).Bytes(ends.destination.octets());
    writer.U32(static_cast<uint32_t>(udp_octets)).U24(0).U8(17);
  }
  return std::string(base::AsText(writer.octets()));
}

const char* const kPairs[][2] = {{"198.51.100.7", "192.0.2.9"}, {"2001:db8::7", "2001:db8:1::9"}};

TEST(UdpPacketTest, IsWhatAnotherReaderMakesOfIt) {
  for (const auto& pair : kPairs) {
    const UdpEnds ends = Ends(pair[0], pair[1]);
    const size_t most = ends.source.IsV4() ? 65507 : 65527;
    for (const size_t mtu : {68, 1280, 1500, 9000, 65535}) {
      for (const size_t octets : {size_t{0}, size_t{1}, size_t{7}, size_t{1232}, size_t{1233}, size_t{1452},
                                  size_t{1453}, size_t{1472}, size_t{1473}, size_t{9001}, most}) {
        const std::string payload = Payload(octets);
        IpStyle style;
        style.mtu_octets = mtu;
        style.traffic_class = 0xb8;
        style.identification = 77;
        std::vector<IpPacket> packets;
        ASSERT_TRUE(AppendUdpPackets(ends, base::AsOctets(payload), style, &packets));
        const size_t least = ends.source.IsV4() ? 68 : 1280;
        packet::ReassemblerOptions reassembler;
        reassembler.max_fragments = 2000;
        ExportExtractor extractor(reassembler);
        record::Datagram datagram;
        bool whole = false;
        for (size_t i = 0; i < packets.size(); ++i) {
          const std::string packet = Octets(packets[i]);
          EXPECT_LE(packet.size(), std::max(mtu, least));
          CapturedPacket captured;
          captured.octets = base::AsOctets(packet);
          captured.wire_length = static_cast<uint32_t>(packet.size());
          captured.link_type = kLinkTypeRawIp;
          whole = extractor.Extract(captured, &datagram);
          EXPECT_EQ(whole, i + 1 == packets.size());
          if (ends.source.IsV4()) {
            EXPECT_EQ(SlowChecksum(packet.substr(0, 20)), 0);
          }
          if (i + 1 == packets.size() && whole) {
            EXPECT_TRUE(base::AsText(datagram.octets) == payload) << octets << " octets, MTU " << mtu;
          }
        }
        EXPECT_TRUE(whole);
        EXPECT_EQ(datagram.source, ends.source);
        EXPECT_EQ(datagram.destination, ends.destination);
        EXPECT_EQ(datagram.source_port, 50000);
        EXPECT_EQ(datagram.destination_port, 2055);
      }
    }
  }
}

TEST(UdpPacketTest, ItsFieldsAreThoseOfTheStandards) {
  const std::string payload = Payload(10);
  IpStyle style;
  style.traffic_class = 0xb8;
  style.hop_limit = 9;
  style.identification = 0x12345;
  std::vector<IpPacket> packets;
  ASSERT_TRUE(AppendUdpPackets(Ends(kPairs[0][0], kPairs[0][1]), base::AsOctets(payload), style, &packets));
  ASSERT_TRUE(AppendUdpPackets(Ends(kPairs[1][0], kPairs[1][1]), base::AsOctets(payload), style, &packets));
  ASSERT_EQ(packets.size(), 2u);
  const std::string v4 = Octets(packets[0]), v6 = Octets(packets[1]);
  EXPECT_EQ(v4.substr(0, 10), std::string("\x45\xb8\x00\x26\x23\x45\x00\x00\x09\x11", 10));
  EXPECT_EQ(v4.substr(20, 6), std::string("\xc3\x50\x08\x07\x00\x12", 6));
  EXPECT_EQ(v6.substr(0, 8), std::string("\x6b\x80\x00\x00\x00\x12\x11\x09", 8));
}

TEST(UdpPacketTest, ChecksumsAgreeWithTheSlowOne) {
  for (const auto& pair : kPairs) {
    const UdpEnds ends = Ends(pair[0], pair[1]);
    for (size_t octets = 0; octets < 300; ++octets) {
      const std::string payload = Payload(octets);
      std::vector<IpPacket> packets;
      ASSERT_TRUE(AppendUdpPackets(ends, base::AsOctets(payload), {}, &packets));
      const std::string udp = Octets(packets[0]).substr(ends.source.IsV4() ? 20 : 40);
      // With its checksum in it, the sum of a good one is 0.
      ASSERT_EQ(SlowChecksum(PseudoHeader(ends, udp.size()) + udp), 0) << octets;
    }
  }
  // A sum of 0 is sent as 0xffff: the payload here is the complement of the rest.
  const UdpEnds ends = Ends(kPairs[0][0], kPairs[0][1]);
  uint8_t rest[2] = {};
  base::StoreBe16(rest, UdpChecksum(ends, rest));
  EXPECT_EQ(UdpChecksum(ends, rest), 0xffff);
}

TEST(UdpPacketTest, RefusesWhatUdpCannotBe) {
  std::vector<IpPacket> packets;
  const std::string payload = Payload(65528);
  const base::Octets octets = base::AsOctets(payload);
  EXPECT_FALSE(AppendUdpPackets(Ends("192.0.2.1", "192.0.2.2"), octets.first(65508), {}, &packets));
  EXPECT_FALSE(AppendUdpPackets(Ends("2001:db8::1", "2001:db8::2"), octets.first(65528), {}, &packets));
  EXPECT_FALSE(AppendUdpPackets(Ends("2001:db8::1", "192.0.2.2"), octets.first(1), {}, &packets));
  EXPECT_TRUE(packets.empty());
}

}  // namespace
}  // namespace flowacct::collector
