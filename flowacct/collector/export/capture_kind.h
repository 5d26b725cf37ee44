// What a capture holds: traffic itself, or flow exports about traffic.
//
// The decision looks at the first packets only (a batch of CaptureReader): exports, if most of their UDP datagrams are
// exports by their structure, or by version number and a customary port (export_protocol.h); otherwise packets. An
// IPFIX file holds exports. The evidence is a value, so that `inspect` can show why.

#ifndef FLOWACCT_COLLECTOR_EXPORT_CAPTURE_KIND_H_
#define FLOWACCT_COLLECTOR_EXPORT_CAPTURE_KIND_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/export/export_protocol.h"

namespace flowacct::collector {

enum class CaptureKind : uint8_t { kPackets, kExports };
absl::string_view CaptureKindName(CaptureKind kind);  // "packets", "exports"
// "packets" or "exports"; nothing for "auto" and all else.
std::optional<CaptureKind> ParseCaptureKind(absl::string_view name);

struct CaptureKindEvidence {
  CaptureKind kind = CaptureKind::kPackets;
  uint64_t packets = 0;    // looked at
  uint64_t datagrams = 0;  // of these: UDP datagrams and IPFIX messages
  uint64_t exports = 0;    // of these: exports
  uint64_t by_port = 0;    // of these: those for which only their version number and port speak
  std::array<uint64_t, kExportProtocolCount> by_protocol{};  // of the exports

  // "exports: 38 of 40 UDP datagrams in the first 300 packets are exports (netflow9 30, ipfix 8)"
  std::string ToString() const;
};

CaptureKindEvidence DecideCaptureKind(absl::Span<const CapturedPacket> first_packets);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_CAPTURE_KIND_H_
