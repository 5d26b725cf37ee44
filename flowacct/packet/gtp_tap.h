// What PacketDecoder shows of GTP beside rows: the messages that are no packets of subscribers.
//
// Of each packet the outermost UDP datagram on a port of GTP is looked at: 2123 (GTP-C), 3386 (GTPv0, GTP'), 2152 and
// the decoder's own list (GTP-U), on either side, the other port being 1024 or more. It is shown whole and unread,
// unless it is a G-PDU. What lies within a G-PDU is a subscriber's and never shown, so that nobody makes sessions by
// what he sends through his tunnel. Datagrams on 2123 and 3386 that come in IP fragments of the outermost level are
// shown when they are whole, if their first fragment comes first. Ownership: the octets are lent for the call. Threads:
// that of the decoder. Cost: none of packets on other ports but that of the general path for UDP tunnels.

#ifndef FLOWACCT_PACKET_GTP_TAP_H_
#define FLOWACCT_PACKET_GTP_TAP_H_

#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::packet {

struct GtpDatagram {
  base::IpAddress source, destination;
  uint16_t source_port = 0, destination_port = 0;
  base::Octets octets;     // the UDP payload
  bool truncated = false;  // the capture has less than the UDP length says
  int64_t time_nanos = 0;
};

class GtpTap {
 public:
  virtual ~GtpTap() = default;
  virtual void OnGtp(const GtpDatagram& datagram) = 0;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_GTP_TAP_H_
