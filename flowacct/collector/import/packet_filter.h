// A filter in libpcap's language, said in ours (filter/filter.h), where it can be.
//
//     dst net 192.168.0.0/16 and not port 53    ->    dst net 192.168.0.0/16 and not port 53
//     tcp port 80 or 443                        ->    (proto tcp and port 80) or (proto tcp and port 443)
//
// Standard: pcap-filter(7) of libpcap 1.10; "and" and "or" bind alike there and are grouped from the left. What looks
// at packets where we have fields (offsets, lengths, names of hosts) cannot be said, but for some offsets that are
// fields: tcp[tcpflags], ip[1], ip[8], ip[9], icmp[icmptype], icmp[icmpcode].
// What comes out is a filter of ours. What differs: records are compared, so that `host` means a record's own
// addresses, never those of ARP or within a tunnel.
// Errors: InvalidArgument "column N: what cannot be said, and why". Any thread. Bounded in length and depth.

#ifndef FLOWACCT_COLLECTOR_IMPORT_PACKET_FILTER_H_
#define FLOWACCT_COLLECTOR_IMPORT_PACKET_FILTER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

absl::StatusOr<std::string> TranslatePacketFilter(absl::string_view text);

// Both hold; either may be empty, which holds always. A part with an "or" of its own gets parentheses.
std::string BothHold(absl::string_view a, absl::string_view b);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_PACKET_FILTER_H_
