// Encodes flows as the exports that a router would send: what generated workloads and captures are made of.
//
// Standards: Cisco's NetFlow v5, RFC 3954 (NetFlow v9), RFC 7011 (IPFIX), sFlow version 5 (sflow.org, July 2004).
// Guaranteed: what is encoded is well formed. Not for a probe: one fixed set of fields each, no options.
// Threads: the functions keep no state. Cost: about an octet a nanosecond.

#ifndef FLOWACCT_COLLECTOR_GENERATE_EXPORT_ENCODER_H_
#define FLOWACCT_COLLECTOR_GENERATE_EXPORT_ENCODER_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/flow_population.h"

namespace flowacct::collector {

struct GeneratedFlow {
  FlowKey key;
  uint32_t packets = 0;
  uint32_t bytes = 0;
  uint32_t start_ms = 0, end_ms = 0;  // of the exporter's uptime
  uint8_t tcp_flags = 0;
  uint8_t tos = 0;
  uint16_t in_if = 0, out_if = 0;
};

struct ExportHeader {
  uint32_t boot_seconds = 0;  // since 1970: when the exporter started
  uint32_t uptime_ms = 0;     // now
  uint32_t sequence = 0;      // in the unit of the protocol
  uint32_t domain = 0;        // source id, observation domain
};

inline constexpr uint16_t kTemplateV4 = 256;
inline constexpr uint16_t kTemplateV6 = 257;
// Octets of a data record of the templates below.
inline constexpr size_t kNetFlow9RecordOctets[] = {54, 90};  // IPv4, IPv6
inline constexpr size_t kIpfixRecordOctets[] = {69, 105};
inline constexpr size_t kNetFlow5MaxRecords = 30;

// At most kNetFlow5MaxRecords flows, all IPv4. AS numbers above 65535 become AS_TRANS (RFC 6793, 9).
void EncodeNetFlow5(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, base::OctetWriter* out);
// 19 fields a record, counters of four octets, times in uptime. With `templates` the template FlowSet goes before the
// data: of both families, or of IPv4 alone if `ipv4_only`.
void EncodeNetFlow9(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, bool templates, bool ipv4_only,
                    base::OctetWriter* out);
// 18 fields a record, counters of eight octets, times in milliseconds since 1970.
void EncodeIpfix(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, bool templates,
                 base::OctetWriter* out);

// Writes an Ethernet frame with the first octets of a packet of the flow (`ip_length` octets at layer 3), cut at
// `max_octets`. The length of the whole frame without check sequence is 14 + ip_length.
void EncodeFrame(const FlowKey& key, uint32_t ip_length, uint32_t number, size_t max_octets, base::OctetWriter* out);

// sFlow: the datagram header, then `samples` flow samples of raw packet headers.
void EncodeSflowHeader(base::Octets agent_v4, uint32_t sequence, uint32_t uptime_ms, uint32_t samples,
                       base::OctetWriter* out);
struct SflowSample {
  uint32_t sequence = 0;
  uint32_t sampling_rate = 1;
  uint32_t sample_pool = 0;
  uint32_t in_if = 0, out_if = 0;
  uint32_t frame_length = 0;  // without check sequence
  base::Octets header;
};
void EncodeSflowSample(const SflowSample& sample, base::OctetWriter* out);

struct UdpEnvelope {
  uint32_t source_v4 = 0, destination_v4 = 0;
  uint16_t source_port = 0, destination_port = 0;
  uint16_t identification = 0;
};
// Ethernet, IPv4 (checksum computed) and UDP (none, RFC 768) around a payload.
void EncodeUdpEnvelope(const UdpEnvelope& envelope, size_t payload_octets, base::OctetWriter* out);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_EXPORT_ENCODER_H_
