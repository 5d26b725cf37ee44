// Tells by its content whether a datagram is a flow export, and of which protocol.
//
// NetFlow v1, v5, v6, v7, v8 (Cisco), v9 (RFC 3954), IPFIX (RFC 7011), sFlow v2, v4 (RFC 3176) and v5 (sflow.org).
// The version number decides which protocol it can only be; the structure then decides how well it fits: a fixed
// header's count against the length, sets or samples walked to the end.
// Guaranteed: reads nothing beyond the octets; constant memory; cost O(number of sets or samples), a few loads for
// NetFlow v1 to v8. Stateless: no template is known here. Not checked: what the sets and samples hold.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_

#include <cstdint>

#include "flowacct/base/octets.h"
#include "flowacct/record/export_protocol.h"

namespace flowacct::collector {

using record::ExportFamily;
using record::ExportProtocol;
using record::ExportProtocolName;
using record::FamilyOf;
using record::kExportProtocolCount;

// How well the structure fits; a better one compares greater.
enum class ExportFit : uint8_t {
  kVersion,  // the version number only: most likely something else
  kHead,     // the header and the first set or sample too: an export that is cut or damaged further on
  kWhole,    // all, to the end
};

struct ExportGuess {
  ExportProtocol protocol = ExportProtocol::kNone;
  ExportFit fit = ExportFit::kVersion;
};

// By the version number alone.
ExportProtocol ProtocolOfVersion(base::Octets datagram);
ExportGuess GuessExport(base::Octets datagram);

// A UDP port that is customary for the protocol's family, by IANA's registry or by the defaults of collectors. Only a
// hint, for datagrams whose structure leaves doubt.
bool IsCustomaryPort(ExportProtocol protocol, uint16_t port);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_PROTOCOL_H_
