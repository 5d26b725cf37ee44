// The packet within what the Linux firewall logs to a group (NFLOG): libpcap's frames of link type 239.
//
// Layout: LINKTYPE_NFLOG of tcpdump.org's list: family, version and group (4 octets), then attributes of
// linux/netfilter/nfnetlink_log.h, each with length and type in the machine's order of octets, padded to 4; numbers in
// them are in network order.
// Any octets can be read. Ownership: borrows. Any thread; nothing allocates.

#ifndef FLOWACCT_COLLECTOR_LIVE_NFLOG_FRAME_H_
#define FLOWACCT_COLLECTOR_LIVE_NFLOG_FRAME_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

inline constexpr uint32_t kLinkTypeNflog = 239;

struct NflogPacket {
  base::Octets octets;       // of the IP packet, as many as the group copies
  uint32_t wire_length = 0;  // by the IP header, at least octets.size()
  // 0: not told.
  uint32_t in_if = 0, out_if = 0;
  uint32_t mark = 0;
};

// None: there is no IP packet in it.
absl::optional<NflogPacket> PacketOfNflog(base::Octets frame);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LIVE_NFLOG_FRAME_H_
