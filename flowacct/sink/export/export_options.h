// What an exporter tells, to whom and how: the options of all formats.

#ifndef FLOWACCT_SINK_EXPORT_EXPORT_OPTIONS_H_
#define FLOWACCT_SINK_EXPORT_EXPORT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::sink {

enum class ExportFormat : uint8_t { kNetflow5, kNetflow9, kIpfix, kSflow5 };
absl::string_view ExportFormatName(ExportFormat format);  // "v5", "v9", "ipfix", "sflow"
// By name; InvalidArgument that names all of them.
absl::StatusOr<ExportFormat> ExportFormatFromName(absl::string_view name);

// In which elements start_time and end_time are told.
enum class ExportTimes : uint8_t {
  kUptime,        // 22, 21: milliseconds of the exporter's uptime (RFC 3954, 8); NetFlow v9 alone
  kSeconds,       // 150, 151
  kMilliseconds,  // 152, 153
  kMicroseconds,  // 154, 155: in NTP's format, which only IPFIX has
  kNanoseconds,   // 156, 157: likewise
};
absl::string_view ExportTimesName(ExportTimes times);  // "uptime", "s", "ms", "us", "ns"
absl::StatusOr<ExportTimes> ExportTimesFromName(absl::string_view name);

// Told in options data (v9: RFC 3954, 6; IPFIX: RFC 7011, 3.4.2.2).
struct ExportInterface {
  uint32_t index = 0;
  std::string name;
  std::string description;
};

struct ExportOptions {
  ExportFormat format = ExportFormat::kIpfix;

  // v9, IPFIX: the fields that are told, in this order, by their names. None: all of the rows' layout that the format
  // has an element for, without those that tell of another exporter (exporter, observation_domain, arrival_time).
  std::vector<std::string> fields;
  // IPFIX: fields that no registry has an element for (those of mobile networks) are told as flowacct's own elements
  // (flow/template/elements.md) under this enterprise number, together with what they are (RFC 5610). flowacct has none
  // of its own; take yours, and tell it to the collector. 0: they are not told.
  uint32_t enterprise = 0;
  // Observation domain (IPFIX), source id (v9), engine type * 256 + engine id (v5), sub-agent (sFlow).
  uint32_t domain = 0;
  // Of a datagram or message. By default what fits an Ethernet frame under IPv6 and UDP.
  size_t max_datagram_octets = 1452;

  // v9, IPFIX: all templates and options are told again after so many datagrams and so much time, whichever comes
  // first; 0 and InfiniteDuration: only once. Over connections they are told once anyway. RFC 7011 (8.4) has ten
  // minutes; a collector that starts anew waits so long.
  uint32_t template_refresh_datagrams = 1000;
  absl::Duration template_refresh = absl::Seconds(60);
  // v9, IPFIX: a template tells exactly the fields that a row has, so there is one for each combination that occurs:
  // IPv4 and IPv6, with ports and with ICMP's type ... Beyond so many, rows share two that tell zero for what they
  // lack.
  size_t max_templates = 32;
  // v9: uptime, IPFIX: milliseconds, unless told.
  std::optional<ExportTimes> times;

  // One packet in this many was looked at, as told to the collector; counters stay as they are. 0: nothing is told.
  // Rows with a sampling_rate of their own tell that. v5 has room for 16383.
  uint64_t sampling_rate = 0;
  // v9, IPFIX.
  std::vector<ExportInterface> interfaces;
  // When the exporter started, for v5, v9 and sFlow, which tell times from there on. InfinitePast: an hour before the
  // first rows, so that no flow began before.
  absl::Time boot_time = absl::InfinitePast();

  // sFlow: the address that tells the agent.
  base::IpAddress agent = base::IpAddress::V4(0);
  // sFlow: the most octets of a packet that a sample has; the standard's (sflow_version_5.txt, 5.1).
  size_t max_header_octets = 128;
  // sFlow: data sources (interfaces) with sequence numbers of their own; samples of others are of source 0.
  size_t max_sources = 4096;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_EXPORT_OPTIONS_H_
