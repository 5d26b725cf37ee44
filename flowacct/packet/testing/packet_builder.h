// Builds packets for tests, header by header, outermost first:
//
//     PacketBuilder().Ethernet().Vlan(7).Ipv4("192.0.2.1", "192.0.2.2").Udp(4000, 53).Payload(12).Build()
//
// Each header names its successor by itself (EtherType, IP protocol, UDP port), and lengths are set at the end, so that
// tests say only what they are about. `Octets` puts in what is malformed, `Patch` breaks what is there.

#ifndef FLOWACCT_PACKET_TESTING_PACKET_BUILDER_H_
#define FLOWACCT_PACKET_TESTING_PACKET_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"

namespace flowacct::packet {

class PacketBuilder {
 public:
  struct Ip {
    uint8_t tos = 0;
    uint8_t ttl = 64;
    uint32_t flow_label = 0;       // IPv6
    uint16_t id = 0;               // IPv4
    uint16_t fragment_offset = 0;  // IPv4, in octets
    bool more_fragments = false;   // IPv4
    std::vector<uint8_t> options;  // IPv4; a multiple of four
  };
  struct GreFields {
    bool checksum = false;
    bool has_key = false;
    uint32_t key = 0;
    bool sequence = false;
  };

  PacketBuilder& Ethernet(absl::string_view source = "02:00:00:00:00:01",
                          absl::string_view destination = "02:00:00:00:00:02");
  // Ethernet whose type field is a length; LLC follows.
  PacketBuilder& Ieee8023();
  PacketBuilder& Snap();
  PacketBuilder& Vlan(uint16_t vlan, uint8_t priority = 0, uint16_t tpid = 0x8100);
  PacketBuilder& Mpls(std::initializer_list<uint32_t> labels);
  PacketBuilder& PwControlWord();
  PacketBuilder& Pppoe(uint16_t session = 1);
  PacketBuilder& Ppp();
  PacketBuilder& Pbb(uint32_t service);
  PacketBuilder& Arp();
  PacketBuilder& Nsh();
  PacketBuilder& Ipv4(absl::string_view source = "192.0.2.1", absl::string_view destination = "192.0.2.2") {
    return Ipv4(source, destination, Ip());
  }
  PacketBuilder& Ipv4(absl::string_view source, absl::string_view destination, const Ip& fields);
  PacketBuilder& Ipv6(absl::string_view source = "2001:db8::1", absl::string_view destination = "2001:db8::2") {
    return Ipv6(source, destination, Ip());
  }
  PacketBuilder& Ipv6(absl::string_view source, absl::string_view destination, const Ip& fields);
  PacketBuilder& HopByHop();
  PacketBuilder& HopByHopJumbo();  // the option's length is set at the end, the IPv6 header's to zero
  PacketBuilder& DestinationOptions();
  PacketBuilder& SegmentRouting(std::initializer_list<absl::string_view> segments);
  PacketBuilder& Fragment(uint32_t id, uint16_t offset, bool more);  // IPv6
  PacketBuilder& Ah();
  PacketBuilder& Esp();
  PacketBuilder& Tcp(uint16_t source_port, uint16_t destination_port, uint16_t flags = 0x10, size_t option_octets = 0);
  PacketBuilder& Udp(uint16_t source_port, uint16_t destination_port);
  PacketBuilder& Sctp(uint16_t source_port, uint16_t destination_port);
  PacketBuilder& Icmp(uint8_t type, uint8_t code);
  PacketBuilder& Icmpv6(uint8_t type, uint8_t code);
  PacketBuilder& Gre() { return Gre(GreFields()); }
  PacketBuilder& Gre(const GreFields& fields);
  PacketBuilder& Erspan(int type);  // 1, 2, 3; after GRE, with a sequence number for 2 and 3
  // These put themselves after a Udp(), whose destination port they set if it is 0.
  PacketBuilder& Vxlan(uint32_t vni);
  PacketBuilder& VxlanGpe(uint32_t vni);
  PacketBuilder& Geneve(uint32_t vni, size_t option_words = 0);
  PacketBuilder& GtpU(uint32_t teid, size_t extensions = 0);
  struct GtpFields {
    uint8_t type = 255;  // G-PDU
    std::optional<uint16_t> sequence;
    std::optional<uint8_t> npdu;
    // Type, and content of 4 n - 2 octets.
    std::vector<std::pair<uint8_t, std::vector<uint8_t>>> extensions;
  };
  PacketBuilder& GtpU(uint32_t teid, const GtpFields& fields);
  PacketBuilder& L2tp(uint16_t tunnel, uint16_t session);
  PacketBuilder& Teredo();

  PacketBuilder& Octets(base::Octets octets);
  PacketBuilder& Payload(size_t n, uint8_t fill = 0xab);
  // Trailing octets that no length counts, as Ethernet pads short frames.
  PacketBuilder& Padding(size_t n);

  // Where the header that was added last begins.
  size_t last_offset() const { return headers_.back().at; }
  // The packet so far, with lengths set. The builder can go on.
  std::vector<uint8_t> Build() const;

 private:
  // How a header names what follows it.
  enum class Names : uint8_t { kNothing, kEtherType, kIpProtocol, kUdpPort, kPppProtocol, kNshProtocol };
  // Which length field is set at the end.
  enum class Length : uint8_t { kNone, kIpv4, kIpv6, kJumbo, kUdp, kPppoe, kGtpU, kIeee8023 };
  // What a header is called in each of the spaces; 0: it cannot be named there.
  struct Numbers {
    uint16_t ether_type = 0;
    uint8_t ip_protocol = 0;
    uint16_t udp_port = 0;
    uint16_t ppp = 0;
    uint8_t nsh = 0;
  };
  struct Header {
    size_t at;
    Names names;
    size_t names_at;  // offset of the field that names the next header
    Length length;
    size_t length_at;
  };

  // Tells the header before, then begins a new one at the end.
  PacketBuilder& Begin(const Numbers& self, Names names, size_t names_offset, Length length = Length::kNone,
                       size_t length_offset = 0);
  PacketBuilder& Extension(uint8_t protocol, base::Octets body);
  void Address(absl::string_view text, bool ipv6);

  base::OctetWriter octets_;
  std::vector<Header> headers_;
  size_t padding_ = 0;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_TESTING_PACKET_BUILDER_H_
