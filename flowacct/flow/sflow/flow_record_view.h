// What the octets of a flow_record hold, typed: the formats that say something of a packet's way.
//
//     SampledHeaderView header;
//     if (record.data_format() == SampledHeaderView::kFormat && SampledHeaderView::Parse(record, &header).ok()) ...
//
// sflow_version_5.txt (1 to 1012), sflow_pnat.txt (1020), sflow_tunnels.txt (1021 to 1030), sflow-discussion 0199
// (1034, 1035), sflow_drops.txt (1036 to 1038), sflow_http.txt (2206), sflow_host.txt (2100, 2101); RFC 3176 for
// versions 2 and 4. The other formats are read by record_walk.h.
// Checked: lengths and counts. Not checked: values (enumerations, AS numbers, prefix lengths).
// Ownership: octets and text borrow the record's. Threads: plain values. Errors: kTruncated, kBadCount or kBadValue
// with the offset in the datagram; the view then holds what was read. Cost: no allocation.

#ifndef FLOWACCT_FLOW_SFLOW_FLOW_RECORD_VIEW_H_
#define FLOWACCT_FLOW_SFLOW_FLOW_RECORD_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/sflow/sflow_view.h"

namespace flowacct::sflow {

struct SampledHeaderView {
  static constexpr uint32_t kFormat = 1;
  uint32_t protocol = 0;      // header_protocol: 1 Ethernet, 11 IPv4, 12 IPv6, 13 MPLS ...
  uint32_t frame_length = 0;  // of the frame before sampling, FCS included
  uint32_t stripped = 0;      // octets of the frame that were removed before the header was taken; 0 before version 5
  base::Octets header;
  static base::DecodeResult Parse(const RecordView& record, SampledHeaderView* view);
};

struct SampledEthernetView {  // also the outer header of an L2 tunnel
  static constexpr uint32_t kFormat = 2;
  static constexpr uint32_t kL2TunnelEgress = 1021;
  static constexpr uint32_t kL2TunnelIngress = 1022;
  uint32_t length = 0;  // of the MAC packet
  base::MacAddress source;
  base::MacAddress destination;
  uint32_t type = 0;
  static base::DecodeResult Parse(const RecordView& record, SampledEthernetView* view);
};

struct SampledIpView {  // sampled_ipv4 and sampled_ipv6; also the outer header of a tunnel
  static constexpr uint32_t kFormatIpv4 = 3;
  static constexpr uint32_t kFormatIpv6 = 4;
  static constexpr uint32_t kIpv4TunnelEgress = 1023;
  static constexpr uint32_t kIpv4TunnelIngress = 1024;
  static constexpr uint32_t kIpv6TunnelEgress = 1025;
  static constexpr uint32_t kIpv6TunnelIngress = 1026;
  uint32_t version = 0;  // 4 or 6
  uint32_t length = 0;   // of the IP packet
  uint32_t protocol = 0;
  base::IpAddress source;
  base::IpAddress destination;
  uint32_t source_port = 0;
  uint32_t destination_port = 0;
  uint32_t tcp_flags = 0;
  uint32_t tos = 0;  // IPv6: "priority", the traffic class
  static base::DecodeResult Parse(const RecordView& record, SampledIpView* view);
};

struct ExtendedSwitchView {
  static constexpr uint32_t kFormat = 1001;
  static constexpr uint32_t kUnknownVlan = 0xffffffff;  // as some agents say; 0 is an untagged frame
  uint32_t source_vlan = 0;
  uint32_t source_priority = 0;
  uint32_t destination_vlan = 0;
  uint32_t destination_priority = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedSwitchView* view);
};

struct ExtendedRouterView {
  static constexpr uint32_t kFormat = 1002;
  std::optional<base::IpAddress> next_hop;
  uint32_t source_mask_length = 0;
  uint32_t destination_mask_length = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedRouterView* view);
};

// One segment of dst_as_path.
struct AsPathSegment {
  enum Type : uint32_t { kSet = 1, kSequence = 2 };
  uint32_t type = kSequence;
  base::Octets as_numbers;  // four octets each
  size_t size() const { return as_numbers.size() / 4; }
  uint32_t operator[](size_t i) const { return base::LoadBe32(as_numbers.data() + 4 * i); }
};

struct ExtendedGatewayView {
  static constexpr uint32_t kFormat = 1003;
  std::optional<base::IpAddress> next_hop;  // version 5 only
  uint32_t as = 0;                          // of the router itself
  uint32_t source_as = 0;                   // 0: the router's own, or unknown
  uint32_t source_peer_as = 0;
  // Whole segments as they lie (type, count, numbers); version 2: numbers alone. Read with AsPathReader.
  uint32_t version = 5;
  uint32_t segment_count = 0;
  base::Octets segments;
  base::Octets communities;            // four octets each; none in version 2
  std::optional<uint32_t> local_pref;  // none in version 2
  static base::DecodeResult Parse(const RecordView& record, ExtendedGatewayView* view);
};

class AsPathReader {
 public:
  explicit AsPathReader(const ExtendedGatewayView& gateway)
      : octets_(gateway.segments), remaining_(gateway.segment_count), version_(gateway.version) {}
  bool Next(AsPathSegment* segment);

 private:
  base::Octets octets_;
  uint32_t remaining_;
  uint32_t version_;
};

struct ExtendedUserView {
  static constexpr uint32_t kFormat = 1004;
  uint32_t source_charset = 0;  // MIBenum (RFC 2978); 0 unknown
  absl::string_view source_user;
  uint32_t destination_charset = 0;
  absl::string_view destination_user;
  static base::DecodeResult Parse(const RecordView& record, ExtendedUserView* view);
};

struct ExtendedUrlView {
  static constexpr uint32_t kFormat = 1005;
  uint32_t direction = 0;  // 1: of the source address, 2: of the destination address
  absl::string_view url;
  absl::string_view host;  // version 5 only
  static base::DecodeResult Parse(const RecordView& record, ExtendedUrlView* view);
};

struct ExtendedMplsView {
  static constexpr uint32_t kFormat = 1006;
  std::optional<base::IpAddress> next_hop;
  base::Octets in_stack;  // label stack entries (RFC 3032), top first, four octets each
  base::Octets out_stack;
  static base::DecodeResult Parse(const RecordView& record, ExtendedMplsView* view);
};

struct ExtendedNatView {
  static constexpr uint32_t kFormat = 1007;
  std::optional<base::IpAddress> source;
  std::optional<base::IpAddress> destination;
  static base::DecodeResult Parse(const RecordView& record, ExtendedNatView* view);
};

// extended_mpls_tunnel and extended_mpls_vc.
struct ExtendedMplsNameView {
  static constexpr uint32_t kTunnel = 1008;
  static constexpr uint32_t kVirtualCircuit = 1009;
  absl::string_view name;
  uint32_t id = 0;
  uint32_t cos = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedMplsNameView* view);
};

// extended_mpls_FTN and extended_mpls_LDP_FEC.
struct ExtendedMplsFecView {
  static constexpr uint32_t kFtn = 1010;
  static constexpr uint32_t kLdpFec = 1011;
  absl::string_view description;  // FTN only
  uint32_t mask_or_prefix_length = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedMplsFecView* view);
};

// Stacks of 802.1Q tags, outermost first: those that were stripped, came in, or go out.
struct ExtendedVlanStackView {
  static constexpr uint32_t kTunnel = 1012;
  static constexpr uint32_t kIn = 1034;
  static constexpr uint32_t kOut = 1035;
  base::Octets tags;  // TPID and TCI, four octets each
  size_t size() const { return tags.size() / 4; }
  uint16_t vlan(size_t i) const { return base::LoadBe32(tags.data() + 4 * i) & 0xfff; }
  static base::DecodeResult Parse(const RecordView& record, ExtendedVlanStackView* view);
};

struct ExtendedNatPortView {
  static constexpr uint32_t kFormat = 1020;
  uint32_t source_port = 0;
  uint32_t destination_port = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedNatPortView* view);
};

// The formats that are one number.
struct NumberView {
  static constexpr uint32_t kDecapsulateEgress = 1027;  // offset of the inner header
  static constexpr uint32_t kDecapsulateIngress = 1028;
  static constexpr uint32_t kVniEgress = 1029;
  static constexpr uint32_t kVniIngress = 1030;
  static constexpr uint32_t kEgressQueue = 1036;
  static constexpr uint32_t kTransitDelay = 1039;  // nanoseconds
  static constexpr uint32_t kQueueDepth = 1040;    // octets
  uint32_t value = 0;
  static base::DecodeResult Parse(const RecordView& record, NumberView* view);
};

struct ExtendedAclView {
  static constexpr uint32_t kFormat = 1037;
  uint32_t number = 0;
  absl::string_view name;
  uint32_t direction = 0;  // 1 ingress, 2 egress
  static base::DecodeResult Parse(const RecordView& record, ExtendedAclView* view);
};

struct ExtendedFunctionView {
  static constexpr uint32_t kFormat = 1038;
  absl::string_view symbol;
  static base::DecodeResult Parse(const RecordView& record, ExtendedFunctionView* view);
};

struct ExtendedSocketView {
  static constexpr uint32_t kIpv4 = 2100;
  static constexpr uint32_t kIpv6 = 2101;
  uint32_t protocol = 0;
  base::IpAddress local;
  base::IpAddress remote;
  uint32_t local_port = 0;
  uint32_t remote_port = 0;
  static base::DecodeResult Parse(const RecordView& record, ExtendedSocketView* view);
};

struct HttpRequestView {
  static constexpr uint32_t kFormat = 2206;
  uint32_t method = 0;
  uint32_t protocol = 0;  // major * 1000 + minor
  absl::string_view uri, host, referer, user_agent, x_forwarded_for, auth_user, mime_type;
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;
  uint32_t microseconds = 0;
  int32_t status = 0;
  static base::DecodeResult Parse(const RecordView& record, HttpRequestView* view);
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_FLOW_RECORD_VIEW_H_
