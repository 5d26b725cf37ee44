// The protocols that tell flows: which there are, and what each is called in reports, metrics and what people read.
//
// The one place where these names stand. Any thread; nothing allocates.

#ifndef FLOWACCT_RECORD_EXPORT_PROTOCOL_H_
#define FLOWACCT_RECORD_EXPORT_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace flowacct::record {

// Whose decoder reads it. X(family, name)
#define FLOWACCT_EXPORT_FAMILIES(X) \
  X(kNone, "unknown")               \
  X(kNetflow, "netflow")            \
  X(kIpfix, "ipfix")                \
  X(kSflow, "sflow")

enum class ExportFamily : uint8_t {
#define X(family, name) family,
  FLOWACCT_EXPORT_FAMILIES(X)
#undef X
};

// X(protocol, name, family, the version number on the wire). kNone: what is no export.
#define FLOWACCT_EXPORT_PROTOCOLS(X)    \
  X(kNone, "unknown", kNone, 0)         \
  X(kNetflow1, "netflow1", kNetflow, 1) \
  X(kNetflow5, "netflow5", kNetflow, 5) \
  X(kNetflow6, "netflow6", kNetflow, 6) \
  X(kNetflow7, "netflow7", kNetflow, 7) \
  X(kNetflow8, "netflow8", kNetflow, 8) \
  X(kNetflow9, "netflow9", kNetflow, 9) \
  X(kIpfix, "ipfix", kIpfix, 10)        \
  X(kSflow2, "sflow2", kSflow, 2)       \
  X(kSflow4, "sflow4", kSflow, 4)       \
  X(kSflow5, "sflow5", kSflow, 5)

enum class ExportProtocol : uint8_t {
#define X(protocol, name, family, version) protocol,
  FLOWACCT_EXPORT_PROTOCOLS(X)
#undef X
};

inline constexpr size_t kExportProtocolCount = 0
#define X(protocol, name, family, version) +1
    FLOWACCT_EXPORT_PROTOCOLS(X)
#undef X
    ;

absl::string_view ExportProtocolName(ExportProtocol protocol);
// For what cannot be told more exactly.
absl::string_view ExportFamilyName(ExportFamily family);
ExportFamily FamilyOf(ExportProtocol protocol);
// kNone: the family has no such version.
ExportProtocol FindExportProtocol(ExportFamily family, uint32_t version);
// The protocol's name, or the family's if it has no such version.
absl::string_view ExportProtocolName(ExportFamily family, uint32_t version);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_EXPORT_PROTOCOL_H_
