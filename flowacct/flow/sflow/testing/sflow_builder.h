// Writes sFlow datagrams of versions 2, 4 and 5, whole or wrong on purpose: for tests, benchmarks and generators.
//
//     SflowBuilder builder;
//     builder.AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields()))});
//     Decode(builder.octets());
//
// sflow_version_5.txt, sflow_drops.txt, RFC 3176. Records are given in version 5's numbers; for versions 2 and 4 the
// builder writes the older ones, and the first record of a flow sample must be packet data.

#ifndef FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_BUILDER_H_
#define FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/sflow/sflow_view.h"

namespace flowacct::sflow {

struct BuiltRecord {
  uint32_t data_format = 0;
  std::vector<uint8_t> octets;
};

struct FlowSampleFields {
  uint32_t sequence = 1;
  DataSource source{0, 1};
  uint32_t rate = 1000;
  uint32_t pool = 1000;
  uint32_t drops = 0;
  Interface input{Interface::kSingle, 1};
  Interface output{Interface::kSingle, 2};
  bool expanded = false;
};

struct DiscardedPacketFields {
  uint32_t sequence = 1;
  DataSource source{0, 1};
  uint32_t drops = 0;
  uint32_t input_ifindex = 1;
  uint32_t output_ifindex = 0;
  uint32_t reason = 256;
};

class SflowBuilder {
 public:
  explicit SflowBuilder(uint32_t version = 5, const base::IpAddress& agent = base::IpAddress::V4(0xc0000201),
                        uint32_t sequence = 1, uint32_t sub_agent = 0, uint32_t uptime_milliseconds = 60000);

  SflowBuilder& AddFlowSample(const FlowSampleFields& fields, const std::vector<BuiltRecord>& records);
  // `legacy_type` is counters_type before version 5 (2: Ethernet).
  SflowBuilder& AddCountersSample(uint32_t sequence, const DataSource& source, const std::vector<BuiltRecord>& records,
                                  bool expanded = false, uint32_t legacy_type = 2);
  SflowBuilder& AddDiscardedPacket(const DiscardedPacketFields& fields, const std::vector<BuiltRecord>& records);
  // Any octets as a sample of version 5.
  SflowBuilder& AddSample(uint32_t data_format, base::Octets octets);

  // Valid until the builder changes.
  base::Octets octets() const { return writer_.octets(); }
  uint32_t sample_count() const { return sample_count_; }
  // Tells another number of samples than there are.
  SflowBuilder& ClaimSamples(uint32_t count);

 private:
  void CountSample() { ClaimSamples(++sample_count_); }

  base::OctetWriter writer_;
  uint32_t version_;
  uint32_t sample_count_ = 0;
  size_t count_at_ = 0;
};

// XDR.
void PutString(base::OctetWriter* writer, absl::string_view text);
void PutAddress(base::OctetWriter* writer, const base::IpAddress& address);

// Packets: Ethernet, IPv4 or IPv6, UDP or TCP, with a payload of zeros.
struct PacketFields {
  base::IpAddress source = base::IpAddress::V4(0x0a000001);
  base::IpAddress destination = base::IpAddress::V4(0x0a000002);
  uint8_t protocol = 17;
  uint16_t source_port = 1234;
  uint16_t destination_port = 53;
  uint8_t tos = 0;
  uint8_t tcp_flags = 0x10;
  uint16_t vlan = 0;  // 0: no tag
  uint8_t priority = 0;
  uint16_t payload = 100;
};
// With the link header, without FCS.
std::vector<uint8_t> EthernetPacket(const PacketFields& fields);

// Records. `version` where the older form differs.
BuiltRecord HeaderRecord(base::Octets header, uint32_t frame_length, uint32_t protocol = 1, uint32_t stripped = 4,
                         uint32_t version = 5);
// The first `snap` octets of `frame`, whose FCS was stripped.
BuiltRecord HeaderRecord(const std::vector<uint8_t>& frame, size_t snap = 128, uint32_t version = 5);
BuiltRecord EthernetRecord(uint32_t length, const base::MacAddress& source, const base::MacAddress& destination,
                           uint32_t type, uint32_t data_format = 2);
BuiltRecord IpRecord(const PacketFields& fields, uint32_t length, uint32_t data_format = 0);
BuiltRecord SwitchRecord(uint32_t in_vlan, uint32_t in_priority, uint32_t out_vlan, uint32_t out_priority);
BuiltRecord RouterRecord(const base::IpAddress& next_hop, uint32_t source_mask, uint32_t destination_mask);
struct GatewayFields {
  base::IpAddress next_hop = base::IpAddress::V4(0xc0000263);
  uint32_t as = 64500;
  uint32_t source_as = 64501;
  uint32_t source_peer_as = 64502;
  std::vector<std::pair<uint32_t, std::vector<uint32_t>>> segments{{2, {64503, 64504, 64505}}};  // type, numbers
  std::vector<uint32_t> communities{0xfbf40001, 0xfbf40002};
  uint32_t local_pref = 100;
};
BuiltRecord GatewayRecord(const GatewayFields& fields, uint32_t version = 5);
BuiltRecord UserRecord(absl::string_view source, absl::string_view destination, uint32_t version = 5);
BuiltRecord UrlRecord(absl::string_view url, absl::string_view host, uint32_t version = 5);
BuiltRecord MplsRecord(const base::IpAddress& next_hop, const std::vector<uint32_t>& in_stack,
                       const std::vector<uint32_t>& out_stack);
BuiltRecord NatRecord(const base::IpAddress& source, const base::IpAddress& destination);
// A record of numbers only: NAT ports, VNI, counters of 32 bits ...
BuiltRecord NumbersRecord(uint32_t data_format, const std::vector<uint32_t>& numbers);
// A count and the tags.
BuiltRecord VlanStackRecord(uint32_t data_format, const std::vector<uint32_t>& tags);
BuiltRecord SocketRecord(const PacketFields& local_to_remote);
BuiltRecord HttpRecord(absl::string_view uri, absl::string_view host, absl::string_view user);
// if_counters with `base` added to each counter's place among the fields.
BuiltRecord IfCountersRecord(uint32_t if_index, uint64_t base);

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_BUILDER_H_
