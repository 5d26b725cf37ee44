// Names of IP protocols, as IANA's Assigned Internet Protocol Numbers has them, in lower case ("tcp", "ipv6-icmp").
//
// 89 is "ospf" (IANA: OSPFIGP) and 4 "ipip" (IANA: IPv4), as people say; both names are understood.
// Any thread; nothing allocates.

#ifndef FLOWACCT_RECORD_PROTOCOL_NAMES_H_
#define FLOWACCT_RECORD_PROTOCOL_NAMES_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace flowacct::record {

// Empty for a number that has no name.
absl::string_view ProtocolName(uint8_t number);
// By name or alias ("icmp6", "ospfigp"), not case-sensitive; not by number.
std::optional<uint8_t> ProtocolFromName(absl::string_view name);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_PROTOCOL_NAMES_H_
