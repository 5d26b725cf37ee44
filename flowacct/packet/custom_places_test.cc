#include "flowacct/packet/custom_places.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/flow_batch.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using record::CustomFieldOptions;
using record::FieldId;
using P = PacketBuilder;

CustomFieldOptions At(std::string name, std::vector<std::string> places, uint16_t length,
                      CustomFieldOptions::Type type = CustomFieldOptions::Type::kNumber) {
  CustomFieldOptions options;
  options.name = std::move(name);
  options.packet = std::move(places);
  options.length = length;
  options.type = type;
  return options;
}

class CustomPlacesTest : public ::testing::Test {
 protected:
  // "name=value ..." of the fields that the packet has.
  std::string Decode(const std::vector<CustomFieldOptions>& options, const std::vector<uint8_t>& packet,
                     size_t captured = SIZE_MAX, PacketDecoderOptions decoder_options = {}) {
    auto custom = record::CustomFields::New(options);
    EXPECT_TRUE(custom.ok()) << custom.status();
    const auto shared = std::make_shared<const record::CustomFields>(*std::move(custom));
    const record::Layout layout(record::Layout::All().fields(), shared);
    base::Interner interner;
    record::FlowBatch batch(&layout, &interner);
    PacketDecoder decoder(&layout, &interner, decoder_options);
    record::MutableRow row = batch.Append();
    result_ = decoder.Decode(LinkType::kEthernet, base::Octets(packet).subspan(0, captured),
                             static_cast<uint32_t>(packet.size()), 0, row);
    std::string told;
    for (const record::CustomField& field : shared->fields()) {
      if (!row.Has(field.field)) continue;
      told += field.name + "=";
      const uint64_t number = row.GetNumber(field.field);
      told += field.type == CustomFieldOptions::Type::kNumber
                  ? std::to_string(number)
                  : std::string(base::AsText(interner.Find(static_cast<base::InternId>(number))));
      told += " ";
    }
    return told;
  }

  base::DecodeResult result_;
};

const std::vector<CustomFieldOptions>& EachLayer() {
  static const auto* const kAll = new std::vector<CustomFieldOptions>{
      At("first", {"packet+0"}, 6, CustomFieldOptions::Type::kHex),
      At("source", {"mac+6"}, 6, CustomFieldOptions::Type::kHex),
      At("tci", {"vlan+0"}, 2),
      At("hops", {"l3:0x800+8", "l3:0x86dd+7"}, 1),
      At("window", {"l4:6+14"}, 2),
      At("udp_length", {"l4:17+4"}, 2),
      At("begin", {"payload"}, 2, CustomFieldOptions::Type::kHex),
  };
  return *kAll;
}

TEST_F(CustomPlacesTest, EachLayerOfATcpPacket) {
  P::Ip ip;
  ip.ttl = 17;
  const std::vector<uint8_t> packet = P().Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02")
                                          .Vlan(100, 0)
                                          .Ipv4("192.0.2.1", "198.51.100.2", ip)
                                          .Tcp(1234, 443, 0x10)
                                          .Payload(4)
                                          .Build();
  const size_t tcp = 14 + 4 + 20;
  const uint16_t window = static_cast<uint16_t>(packet[tcp + 14] << 8 | packet[tcp + 15]);
  EXPECT_EQ(Decode(EachLayer(), packet),
            "first=020000000002 source=020000000001 tci=100 hops=17 window=" + std::to_string(window) + " begin=abab ");
  EXPECT_TRUE(result_.ok());
}

TEST_F(CustomPlacesTest, WhatIsNotCapturedOrNotThereIsAbsent) {
  const std::vector<uint8_t> udp =
      P().Ethernet().Ipv6("2001:db8::1", "2001:db8::2").Udp(53, 53).Payload(1).Padding(8).Build();
  // One octet of payload: padding is none.
  EXPECT_EQ(Decode({At("udp_length", {"l4:17+4"}, 2), At("window", {"l4:6+14"}, 2), At("begin", {"payload"}, 2),
                    At("tci", {"vlan"}, 2), At("hops", {"l3:0x800+8", "l3:0x86dd+7"}, 1)},
                   udp),
            "udp_length=9 hops=64 ");
  // Cut within the UDP header.
  EXPECT_EQ(Decode({At("udp_length", {"l4:17+4"}, 2), At("port", {"l4"}, 2)}, udp, 14 + 40 + 5), "port=53 ");
}

TEST_F(CustomPlacesTest, ALaterFragmentHasNoTransport) {
  P::Ip ip;
  ip.fragment_offset = 8;
  const std::vector<uint8_t> packet =
      P().Ethernet().Ipv4("192.0.2.1", "198.51.100.2", ip).Udp(53, 53).Payload(8).Build();
  EXPECT_EQ(Decode({At("port", {"l4"}, 2), At("begin", {"payload"}, 2)}, packet), "");
}

TEST_F(CustomPlacesTest, InATunnelPlacesAreOfTheAccountedLevel) {
  const std::vector<uint8_t> packet = P().Ethernet()
                                          .Ipv4("192.0.2.1", "198.51.100.2")
                                          .Udp(40000, 4789)
                                          .Vxlan(7)
                                          .Ethernet()
                                          .Ipv4("10.0.0.1", "10.0.0.2")
                                          .Udp(1000, 2000)
                                          .Payload(4)
                                          .Build();
  EXPECT_EQ(Decode({At("port", {"l4+2"}, 2)}, packet), "port=4789 ");
  PacketDecoderOptions innermost;
  innermost.depth = -1;
  EXPECT_EQ(Decode({At("port", {"l4+2"}, 2)}, packet, SIZE_MAX, innermost), "port=2000 ");
}

TEST_F(CustomPlacesTest, WithoutIpTheLayersBeforeItStay) {
  PacketDecoderOptions options;
  options.keep_not_ip = true;
  const std::vector<uint8_t> arp = P().Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02").Arp().Build();
  EXPECT_EQ(Decode({At("source", {"mac+6"}, 6, CustomFieldOptions::Type::kHex), At("operation", {"l3:0x806+6"}, 2),
                    At("port", {"l4"}, 2), At("hops", {"l3:0x800+8"}, 1)},
                   arp, SIZE_MAX, options),
            "source=020000000001 operation=1 ");
}

}  // namespace
}  // namespace flowacct::packet
