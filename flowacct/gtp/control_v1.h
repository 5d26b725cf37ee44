// What a message of GTPv1-C or GTPv0 tells of subscribers, bearers and tunnels; and the signalling on GTP-U's path.
//
// Standards: 3GPP TS 29.060, Release 17, 7.3 to 7.5; TS 09.60, 7; TS 29.281, 7. How their words become those of
// ControlMessage:
// * A PDP context is a bearer whose EBI is its NSAPI. Messages that make or change one have one bearer; those about one
//   (delete) have its NSAPI in `ebi`; a list of contexts (SGSN context response, forward relocation request) is a
//   connection with one bearer for each, secondary contexts too, which have the same address and APN.
// * GSN addresses mean what their order says: control plane, user traffic, and the alternative ones of a second address
//   family in the same order (7.3.1, 7.3.2). They become endpoints with the TEIDs of the message: kGnSgsn... of what an
//   SGSN sends, kGnGgsn... of what a GGSN sends, kIuRncGtpU where the SGSN says that the tunnel is direct (7.7.81).
//   A TEID without an address stands for the address that its sender told before.
// * Update PDP context has one message type for both ways (7.3.3, 7.3.4). A request is the SGSN's, kModifyBearer, if it
//   has a TEID or an address, which it must, and else the GGSN's, kUpdateBearer. A response is the SGSN's,
//   kUpdateBearer, if it has what it alone tells: a location, a time zone, direct tunnel flags, or one address alone;
//   else it is held for the GGSN's, and who pairs by sequence number knows better.
// * Messages between SGSNs tell tunnels of forwarding: TEID Data II with the address for user traffic, and RAB setup
//   information, are kSgsnForwarding and kRncForwarding.
// * A routeing area is the serving network, and the location if it tells an area, in messages of create and update; in
//   an SGSN context request it is where the subscriber was.
// * An error indication has its tunnel as the one control endpoint, of kAnyGtpU.
// * GTPv0 names tunnels by flow labels of 16 bits, which stand where TEIDs do, that of the header too (has_teid is
//   false), and subscribers by the TID of the header, IMSI and NSAPI: `imsi` and the bearer's EBI, or `ebi`.
// QoS becomes the ARP alone: 29.060 has no QCI.
// Guaranteed: `out` holds what could be read, whatever the result. Ownership: `out` borrows nothing. Threads: any.
// Errors: kUnsupported if the message is of another version, or where a type without a length is unknown; kTruncated
// with the offset in the message of an element that has no room. Elements whose octets mean nothing are counted in
// `bad_elements`. Cost: no allocation; some hundreds of instructions.

#ifndef FLOWACCT_GTP_CONTROL_V1_H_
#define FLOWACCT_GTP_CONTROL_V1_H_

#include "flowacct/base/decode_result.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

base::DecodeResult ReadControlMessageV1(const MessageView& view, ControlMessage* out);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_CONTROL_V1_H_
