// Tells by its content whether a datagram is a flow export, and of which protocol.
//
// NetFlow v1, v5, v6, v7, v8 (Cisco), v9 (RFC 3954), IPFIX (RFC 7011), sFlow v2, v4 (RFC 3176) and v5 (sflow.org).
// The version number decides which protocol it can only be; the structure then decides how well it fits: a fixed
// header's count against the length, sets walked to the end, an sFlow datagram's samples walked to the end.
// Guaranteed: reads nothing beyond the octets; constant memory; cost O(number of sets or samples), a few loads for
// NetFlow v1 to v8. Stateless: no template is known here.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

enum class ExportProtocol : uint8_t {
  kNone,
  kNetflow1,
  kNetflow5,
  kNetflow6,
  kNetflow7,
  kNetflow8,
  kNetflow9,
  kIpfix,
  kSflow2,
  kSflow4,
  kSflow5,
};
inline constexpr size_t kExportProtocolCount = 11;
absl::string_view ExportProtocolName(ExportProtocol protocol);  // "none", "netflow5", "ipfix", "sflow5"

enum class ExportFit : uint8_t {
  kVersionOnly,  // the version number is right, the structure is not: cut, damaged, or something else
  kWhole,        // the structure holds to the end
};

struct ExportGuess {
  ExportProtocol protocol = ExportProtocol::kNone;
  ExportFit fit = ExportFit::kVersionOnly;
};

ExportGuess GuessExport(base::Octets datagram);

// A UDP port that exporters or collectors of this protocol's family use by custom or by IANA's registry. Only a hint:
// for datagrams whose structure leaves doubt.
bool IsCustomaryPort(ExportProtocol protocol, uint16_t port);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_
