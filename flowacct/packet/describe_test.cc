#include "flowacct/packet/describe.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/packet/testing/sample_packets.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

class Text : public record::ElementListener {
 public:
  void OnRecord(record::RecordKind, uint16_t) override { ADD_FAILURE(); }
  void OnRecordEnd(size_t) override { ADD_FAILURE(); }
  void OnElement(const record::Element& element) override {
    absl::StrAppend(&text, " ", element.name, "=", absl::BytesToHexString(base::AsText(element.octets)));
  }
  void OnListBegin(absl::string_view name) override { absl::StrAppend(&text, name, ":"); }
  void OnListEnd() override { absl::StrAppend(&text, "\n"); }
  std::string text;
};

TEST(Describe, TellsEachHeader) {
  PacketBuilder::GreFields gre;
  gre.has_key = true;
  gre.key = 0x01020304;
  const auto octets = PacketBuilder()
                          .Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02")
                          .Vlan(100, 5)
                          .Mpls({1000})
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Gre(gre)
                          .Ipv4("10.0.0.1", "10.0.0.2")
                          .Udp(1, 53)
                          .Build();
  PacketView view;
  ASSERT_TRUE(Parse(LinkType::kEthernet, octets, octets.size(), &view).ok());
  Text listener;
  Describe(view, &listener);
  EXPECT_EQ(listener.text,
            "ethernet: destination=020000000002 source=020000000001 type=8100\n"
            "vlan: priority=05 drop_eligible=00 vlan=0064 type=8847\n"
            "mpls: label=0003e8 traffic_class=00 ttl=40\n"
            "ipv4: tos=00 total_length=0038 identification=0000 flags=00 fragment_offset=0000 ttl=40 protocol=2f "
            "header_checksum=0000 source=c0000201 destination=c0000202\n"
            "gre: flags_and_version=2000 protocol=0800 key=01020304\n"
            "ipv4: tos=00 total_length=001c identification=0000 flags=00 fragment_offset=0000 ttl=40 protocol=11 "
            "header_checksum=0000 source=0a000001 destination=0a000002\n"
            "udp: source_port=0001 destination_port=0035 length=0008 checksum=0000\n");
}

// Every header of every sample is told, cut or not.
TEST(Describe, TellsEverySample) {
  PacketView view;
  for (const SamplePacket& sample : SamplePackets()) {
    for (size_t n = 0; n <= sample.octets.size(); ++n) {
      (void)Parse(sample.link_type, base::Octets(sample.octets).first(n), sample.octets.size(), &view);
      Text listener;
      Describe(view, &listener);
      EXPECT_EQ(static_cast<size_t>(std::count(listener.text.begin(), listener.text.end(), '\n')), view.layers().size())
          << sample.name;
    }
  }
}

}  // namespace
}  // namespace flowacct::packet
