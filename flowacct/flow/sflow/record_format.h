// The formats of sFlow's samples and records, as data: what each is called and which fields it has, in wire order.
//
// Flow and counter records of sflow_version_5.txt, sflow_drops.txt, sflow_tunnels.txt, sflow_pnat.txt, sflow_80211.txt,
// sflow_openflow.txt, sflow_host.txt, sflow_host_ip.txt, sflow_http.txt, sflow_application.txt, sflow_memcache.txt,
// sflow_jvm.txt, sflow_lag.txt, sflow_optics.txt, sflow_transit.txt, draft_sflow_infiniband_2.txt; of RFC 3176 where
// version 2 or 4 differ. Names are the documents' own. To add a format is to add a row.
// Any thread; nothing allocates.

#ifndef FLOWACCT_FLOW_SFLOW_RECORD_FORMAT_H_
#define FLOWACCT_FLOW_SFLOW_RECORD_FORMAT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::sflow {

// How a field lies on the wire (XDR, RFC 4506). All take a multiple of four octets.
enum class XdrType : uint8_t {
  kU32,
  kI32,
  kU64,
  kFloat,
  kIpv4,
  kIpv6,
  kAddress,    // a type (0 unknown, 1 IPv4, 2 IPv6) and 0, 4 or 16 octets
  kMac,        // 6 octets and 2 of padding
  kUuid,       // 16 octets
  kString,     // a length, that many octets, padding
  kOpaque,     // the same, but not text
  kListBegin,  // a count; the fields up to the matching kListEnd follow that many times
  kListEnd,
  kMayEnd,  // not a field: a record may end here, as the fields that follow came in a later revision
};

struct XdrField {
  absl::string_view name;  // "if_counters.ifInOctets"; of a list: what its members are
  XdrType type;
  // Value of the field `counter` in the row that the field becomes; empty: it becomes none.
  absl::string_view counter;
};

struct RecordFormat {
  uint32_t enterprise;
  uint32_t format;
  absl::string_view name;  // "sampled_header"
  absl::Span<const XdrField> fields;
};

// Null if no table has it. `version` is the datagram's (2, 4, 5); the numbers are version 5's (sflow_view.h).
const RecordFormat* FindFlowFormat(uint32_t version, uint32_t data_format);
const RecordFormat* FindCounterFormat(uint32_t data_format);
// As version 5 has them, by enterprise and format.
absl::Span<const RecordFormat> FlowFormats();
absl::Span<const RecordFormat> CounterFormats();
// "flow_sample"; empty if no table has it.
absl::string_view SampleFormatName(uint32_t data_format);

// Why a packet was dropped: the values of drop_reason (sflow_drops.txt), which are also those of the output interface
// in the format "discarded" (sflow_version_5.txt, "interface").
struct DropReason {
  uint32_t reason;
  absl::string_view name;
  uint8_t forwarding_status;  // RFC 7270, 4.12
};
// Null if it is not known.
const DropReason* FindDropReason(uint32_t reason);
inline constexpr uint8_t kForwardingStatusDroppedUnknown = 128;
inline constexpr uint8_t kForwardingStatusConsumedForUs = 195;
// Dropped, with the best reason that RFC 7270 has for it.
uint8_t ForwardingStatusOf(uint32_t drop_reason);

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_RECORD_FORMAT_H_
