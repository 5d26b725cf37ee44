#include "flowacct/collector/live/nflog_frame.h"

#include <cstring>
#include <string>

#include "flowacct/base/octets.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

void AppendAttribute(uint16_t type, const std::string& value, std::string* frame) {
  const uint16_t length = static_cast<uint16_t>(4 + value.size());
  char header[4];
  std::memcpy(header, &length, 2);
  std::memcpy(header + 2, &type, 2);
  frame->append(header, 4).append(value).append((4 - value.size() % 4) % 4, '\0');
}

std::string Ipv4(uint16_t total_length, size_t octets) {
  std::string packet(octets, '\0');
  packet[0] = 0x45;
  packet[2] = static_cast<char>(total_length >> 8);
  packet[3] = static_cast<char>(total_length);
  return packet;
}

std::string Frame(const std::string& packet) {
  std::string frame("\x02\x00\x00\x05", 4);
  AppendAttribute(1, std::string(4, '\1'), &frame);        // hook and protocol
  AppendAttribute(10, std::string("ab\0", 3), &frame);     // a prefix, padded
  AppendAttribute(5, std::string("\0\0\0\7", 4), &frame);  // the interface by which it leaves
  AppendAttribute(9, packet, &frame);
  AppendAttribute(2, std::string("\0\0\1\2", 4), &frame);  // a mark behind it
  return frame;
}

TEST(NflogFrameTest, HoldsAPacket) {
  const std::string whole = Frame(Ipv4(60, 60));
  auto packet = PacketOfNflog(base::AsOctets(whole));
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->octets.size(), 60u);
  EXPECT_EQ(packet->wire_length, 60u);
  EXPECT_EQ(packet->in_if, 0u);
  EXPECT_EQ(packet->out_if, 7u);
  EXPECT_EQ(packet->mark, 0x102u);
  const std::string copied = Frame(Ipv4(1500, 101));
  packet = PacketOfNflog(base::AsOctets(copied));
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->octets.size(), 101u);
  EXPECT_EQ(packet->wire_length, 1500u);
  std::string ipv6(44, '\0');
  ipv6[0] = 0x60;
  ipv6[5] = 100;
  const std::string frame = Frame(ipv6);
  packet = PacketOfNflog(base::AsOctets(frame));
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->wire_length, 140u);
}

TEST(NflogFrameTest, WhatIsNoPacketIsNone) {
  EXPECT_FALSE(PacketOfNflog({}).has_value());
  const std::string arp = Frame(std::string(28, '\0'));
  EXPECT_FALSE(PacketOfNflog(base::AsOctets(arp)).has_value());
  std::string zero("\x02\x00\x00\x05\x00\x00\x09\x00", 8);
  EXPECT_FALSE(PacketOfNflog(base::AsOctets(zero)).has_value());
}

TEST(NflogFrameTest, CutAtEveryOctet) {
  const std::string frame = Frame(Ipv4(40, 40));
  for (size_t size = 0; size < frame.size(); ++size) {
    const std::string cut = frame.substr(0, size);  // of its own, so that a sanitizer sees its end
    const auto packet = PacketOfNflog(base::AsOctets(cut));
    EXPECT_LE(packet ? packet->octets.size() : 0u, 40u);
  }
}

}  // namespace
}  // namespace flowacct::collector
