#include "flowacct/collector/export/export_extractor.h"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/capture/capture_file_builder.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/export/export_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr uint16_t kIpv4 = 0x0800;
constexpr uint16_t kIpv6 = 0x86dd;
constexpr uint16_t kMplsUnicast = 0x8847;

CapturedPacket Packet(const std::string& octets, uint32_t link_type = 1) {
  CapturedPacket packet;
  packet.octets = base::AsOctets(octets);
  packet.wire_length = static_cast<uint32_t>(octets.size());
  packet.link_type = link_type;
  packet.time_nanos = 1500000000123456789;
  packet.number = 42;
  return packet;
}

TEST(ExportExtractorTest, FindsTheDatagramUnderEveryLink) {
  const std::string payload = BuildNetflow9({{256, 40}});
  const std::string v4 = BuildUdpIpv4(payload, {40000, 2055});
  const std::string v6 = BuildUdpIpv6(payload, {40000, 2055});
  const std::string mpls("\x00\x01\x01\x40", 4);  // label 16, bottom of stack
  struct Case {
    const char* what;
    uint32_t link_type;
    std::string frame;
    bool v6;
  };
  for (const Case& c : std::vector<Case>{
           {"Ethernet", 1, BuildEthernet(kIpv4, v4), false},
           {"Ethernet, IPv6", 1, BuildEthernet(kIpv6, v6), true},
           {"VLAN", 1, BuildEthernet(kIpv4, v4, {{0x8100, 7}}), false},
           {"VLAN, IPv6", 1, BuildEthernet(kIpv6, v6, {{0x8100, 7}}), true},
           {"QinQ", 1, BuildEthernet(kIpv4, v4, {{0x88a8, 7}, {0x8100, 8}}), false},
           {"three tags", 1, BuildEthernet(kIpv4, v4, {{0x88a8, 7}, {0x8100, 8}, {0x8100, 9}}), false},
           {"MPLS", 1, BuildEthernet(kMplsUnicast, mpls + v4), false},
           {"IPv4 options", 1, BuildEthernet(kIpv4, BuildUdpIpv4(payload, {40000, 2055}, 12)), false},
           {"a trailer behind IP", 1, BuildEthernet(kIpv4, v4) + "trailer", false},
           {"raw IPv4", 101, v4, false},
           {"raw IPv6", 101, v6, true},
           {"LINKTYPE_IPV6", 229, v6, true},
           {"Linux cooked", 113, std::string("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16) + v4, false},
           {"Linux cooked v2", 276, std::string("\x08\0\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0\0", 20) + v4, false},
           {"loopback", 108, std::string("\0\0\0\2", 4) + v4, false},
       }) {
    SCOPED_TRACE(c.what);
    ExportExtractor extractor;
    record::Datagram datagram;
    ASSERT_TRUE(extractor.Extract(Packet(c.frame, c.link_type), &datagram));
    EXPECT_EQ(base::AsText(datagram.octets), payload);
    EXPECT_EQ(datagram.source.ToString(), c.v6 ? "2001:db8::1" : "192.0.2.1");
    EXPECT_EQ(datagram.destination.ToString(), c.v6 ? "2001:db8::2" : "192.0.2.2");
    EXPECT_EQ(datagram.source_port, 40000);
    EXPECT_EQ(datagram.destination_port, 2055);
    EXPECT_EQ(datagram.arrival_nanos, 1500000000123456789);
    EXPECT_EQ(datagram.number, 42u);
    EXPECT_EQ(datagram.transport, record::Transport::kUdp);
    EXPECT_EQ(extractor.counters().datagrams, 1u);
    EXPECT_EQ(extractor.counters().packets, 1u);
  }
}

TEST(ExportExtractorTest, MessageOfAnIpfixFile) {
  const std::string message = BuildIpfix({{2, 8}});
  ExportExtractor extractor;
  record::Datagram datagram;
  datagram.source_port = 5;  // what was in it before is gone
  datagram.source = base::IpAddress::V4(1);
  ASSERT_TRUE(extractor.Extract(Packet(message, kLinkTypeIpfixMessage), &datagram));
  EXPECT_EQ(base::AsText(datagram.octets), message);
  EXPECT_EQ(datagram.transport, record::Transport::kFile);
  EXPECT_EQ(datagram.source, base::IpAddress());
  EXPECT_EQ(datagram.source_port, 0);
}

TEST(ExportExtractorTest, FragmentsArePutTogether) {
  std::string payload = BuildSflow(5, false, {2000, 1000});
  for (size_t i = 60; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7);
  const std::string packet = BuildUdpIpv4(payload, {1, 6343});
  std::vector<std::string> fragments = FragmentIpv4(packet, 512);
  ASSERT_EQ(fragments.size(), 6u);
  for (const bool reversed : {false, true}) {
    if (reversed) std::reverse(fragments.begin(), fragments.end());
    ExportExtractor extractor;
    record::Datagram datagram;
    for (size_t i = 0; i < fragments.size(); ++i) {
      const std::string frame = BuildEthernet(kIpv4, fragments[i], {{0x8100, 3}});
      ASSERT_EQ(extractor.Extract(Packet(frame), &datagram), i + 1 == fragments.size()) << i;
    }
    EXPECT_EQ(base::AsText(datagram.octets), payload);
    EXPECT_EQ(datagram.destination_port, 6343);
    EXPECT_EQ(datagram.source.ToString(), "192.0.2.1");
    EXPECT_EQ(extractor.counters().reassembled, 1u);
    EXPECT_EQ(extractor.counters().fragments, 5u);
    EXPECT_EQ(extractor.counters().packets, 6u);
  }
}

TEST(ExportExtractorTest, WhatIsNoDatagramIsCounted) {
  ExportExtractor extractor;
  record::Datagram datagram;
  std::string tcp = BuildUdpIpv4(std::string(40, '\0'));
  tcp[9] = 6;
  EXPECT_FALSE(extractor.Extract(Packet(BuildEthernet(kIpv4, tcp)), &datagram));
  EXPECT_FALSE(extractor.Extract(Packet(BuildEthernet(0x0806, std::string(28, '\0'))), &datagram));  // ARP
  EXPECT_EQ(extractor.counters().other, 2u);
  EXPECT_FALSE(extractor.Extract(Packet(BuildEthernet(kIpv4, BuildUdpIpv4("x")).substr(0, 36)), &datagram));
  EXPECT_FALSE(extractor.Extract(Packet("what link is this?", 54321), &datagram));
  EXPECT_FALSE(extractor.Extract(Packet("", 1), &datagram));
  EXPECT_EQ(extractor.counters().undecodable, 3u);
  EXPECT_EQ(extractor.counters().packets, 5u);
  EXPECT_EQ(extractor.counters().datagrams, 0u);
}

TEST(ExportExtractorTest, CutAtEveryOctet) {
  const std::string payload = BuildNetflow9({{256, 40}});
  for (const std::string& frame :
       {BuildEthernet(kIpv4, BuildUdpIpv4(payload), {{0x8100, 7}}), BuildEthernet(kIpv6, BuildUdpIpv6(payload))}) {
    const size_t headers = frame.size() - payload.size();
    for (size_t cut = 0; cut < frame.size(); ++cut) {
      const std::string exact = frame.substr(0, cut);
      CapturedPacket packet = Packet(exact);
      packet.wire_length = static_cast<uint32_t>(frame.size());
      ExportExtractor extractor;
      record::Datagram datagram;
      const bool found = extractor.Extract(packet, &datagram);
      ASSERT_EQ(found, cut >= headers) << "cut at " << cut;
      const ExtractCounters& counters = extractor.counters();
      EXPECT_EQ(counters.packets, counters.datagrams + counters.other + counters.fragments + counters.undecodable);
      if (!found) continue;
      EXPECT_EQ(base::AsText(datagram.octets), absl::string_view(payload).substr(0, cut - headers));
      EXPECT_EQ(counters.cut, 1u);
    }
  }
}

TEST(ExportExtractorTest, NoAllocationInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const std::string payload = BuildNetflow9({{256, 40}});
  const std::string plain = BuildEthernet(kIpv4, BuildUdpIpv4(payload));
  const std::string cooked = std::string("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16) + BuildUdpIpv4(payload);
  ExportExtractor extractor;
  record::Datagram datagram;
  const testing::AllocationCounter counter;
  for (int i = 0; i < 1000; ++i) {
    extractor.Extract(Packet(plain), &datagram);
    extractor.Extract(Packet(cooked, 113), &datagram);
  }
  EXPECT_EQ(extractor.counters().datagrams, 2000u);
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(CaptureKindTest, MostDatagramsDecide) {
  std::vector<std::string> frames;
  const auto decide = [&] {
    std::vector<CapturedPacket> packets;
    for (const std::string& frame : frames) packets.push_back(Packet(frame));
    return DecideCaptureKind(packets);
  };
  EXPECT_EQ(decide().kind, CaptureKind::kPackets);  // nothing speaks for exports
  const std::string other = BuildEthernet(kIpv4, BuildUdpIpv4("a datagram", {53, 53}));
  const std::string netflow = BuildEthernet(kIpv4, BuildUdpIpv4(BuildNetflow9({{256, 40}}), {1, 7777}));
  const std::string damaged = BuildEthernet(kIpv4, BuildUdpIpv4(BuildIpfix({{256, 40}}).substr(0, 20), {1, 4739}));
  std::string tcp = BuildUdpIpv4(std::string(40, '\0'));
  tcp[9] = 6;
  frames = {netflow, other};
  EXPECT_EQ(decide().kind, CaptureKind::kPackets);  // half is not most
  frames = {netflow, other, damaged, BuildEthernet(kIpv4, tcp), BuildEthernet(kIpv4, tcp)};
  const CaptureKindEvidence evidence = decide();
  EXPECT_EQ(evidence.kind, CaptureKind::kExports);
  EXPECT_EQ(evidence.packets, 5u);
  EXPECT_EQ(evidence.datagrams, 3u);
  EXPECT_EQ(evidence.exports, 2u);
  EXPECT_EQ(evidence.by_port, 1u);
  EXPECT_EQ(
      evidence.ToString(),
      "exports: 2 of 3 UDP datagrams and IPFIX messages in the first 5 packets are exports (netflow9 1, ipfix 1), "
      "1 of them only by version number and port");
}

TEST(CaptureKindTest, Names) {
  EXPECT_EQ(ParseCaptureKind("packets"), CaptureKind::kPackets);
  EXPECT_EQ(ParseCaptureKind("exports"), CaptureKind::kExports);
  EXPECT_EQ(ParseCaptureKind("auto"), std::nullopt);
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return files;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') files.push_back(absl::StrCat(folder, "/", entry->d_name));
  }
  closedir(directory);
  std::sort(files.begin(), files.end());
  return files;
}

TEST(RealCaptureTest, KindOfEachIsToldRight) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  size_t files = 0;
  for (const char* folder : {"netflow5", "netflow9", "ipfix", "sflow", "packets"}) {
    const CaptureKind expected = folder == std::string("packets") ? CaptureKind::kPackets : CaptureKind::kExports;
    for (const std::string& file : FilesIn(absl::StrCat(captures, "/", folder))) {
      auto reader = CaptureReader::Open(file);
      ASSERT_TRUE(reader.ok()) << reader.status();
      const auto packets = (*reader)->NextBatch();
      if (!packets.ok()) continue;  // its one message is cut
      const CaptureKindEvidence evidence = DecideCaptureKind(*packets);
      EXPECT_EQ(evidence.kind, expected) << file << ": " << evidence.ToString();
      ++files;
    }
  }
  if (files == 0) GTEST_SKIP() << captures << " holds no captures";
  EXPECT_GE(files, 150u);
}

// What the short path finds is what the parser of the packet room finds.
TEST(RealCaptureTest, ShortPathAndParserAgree) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  size_t compared = 0;
  for (const char* folder : {"netflow5", "netflow9", "ipfix", "sflow", "packets", "gtp"}) {
    for (const std::string& file : FilesIn(absl::StrCat(captures, "/", folder))) {
      auto reader = CaptureReader::Open(file);
      if (!reader.ok()) continue;
      auto view = std::make_unique<packet::PacketView>();
      ExportExtractor extractor;
      for (auto batch = (*reader)->NextBatch(); batch.ok() && !batch->empty(); batch = (*reader)->NextBatch()) {
        for (const CapturedPacket& p : *batch) {
          if (p.link_type == kLinkTypeIpfixMessage) continue;
          record::Datagram datagram;
          const uint64_t reassembled = extractor.counters().reassembled;
          const bool found = extractor.Extract(p, &datagram);
          if (extractor.counters().reassembled != reassembled) continue;
          (void)packet::Parse(static_cast<packet::LinkType>(p.link_type), p.octets, p.wire_length, view.get());
          packet::UdpDatagram udp;
          ASSERT_EQ(found, packet::FindUdp(*view, &udp)) << file << " packet " << p.number;
          if (!found) continue;
          EXPECT_EQ(datagram.octets.data(), udp.payload.data()) << file << " packet " << p.number;
          EXPECT_EQ(datagram.octets.size(), udp.payload.size()) << file << " packet " << p.number;
          EXPECT_EQ(datagram.source, udp.source);
          EXPECT_EQ(datagram.destination, udp.destination);
          EXPECT_EQ(datagram.source_port, udp.source_port);
          EXPECT_EQ(datagram.destination_port, udp.destination_port);
          ++compared;
        }
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << captures << " holds no captures";
  EXPECT_GE(compared, 3000u);
}

}  // namespace
}  // namespace flowacct::collector
