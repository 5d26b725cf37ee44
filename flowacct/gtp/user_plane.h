// Messages of the user plane: G-PDUs with the packet within, and the few that signal on its path.
//
// Standards: GTP-U TS 29.281, 7; GTPv0 TS 09.60, 8 (its T-PDUs and error indications bear a flow label where GTP-U has
// a TEID).
// Guaranteed: the inner packet begins where the header says, whatever its first octets look like.
// Ownership: borrows the octets. Threads: any. Errors: kUnsupported if the type is none of the user plane; what a list
// of elements cannot mean is told by its result. Cost: of a G-PDU some tens of instructions; no allocation.

#ifndef FLOWACCT_GTP_USER_PLANE_H_
#define FLOWACCT_GTP_USER_PLANE_H_

#include <cstdint>
#include <optional>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/extension_headers.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

enum class UserPlaneKind : uint8_t {
  kPacket,  // G-PDU, T-PDU
  kErrorIndication,
  kEndMarker,
  kEcho,  // request or response
  kSupportedExtensions,
  kTunnelStatus,
};

struct UserPlaneView {
  UserPlaneKind kind = UserPlaneKind::kPacket;
  uint32_t teid = 0;  // of the header; of GTPv0 the flow label
  std::optional<PduSessionContainer> session;
  base::Octets inner;  // of a packet
  // Of an error indication: whom its sender was sent packets for, and at which of its addresses (7.3.1).
  std::optional<uint32_t> unknown_teid;
  std::optional<base::IpAddress> peer;
  std::optional<uint8_t> recovery;  // of an echo response; GTP-U has 0 there (7.2.2)
  base::Octets extension_types;     // of a notification of the supported ones
  uint16_t bad_elements = 0;        // whose octets could not be read
};

// `view` holds what was read before an error.
base::DecodeResult ReadUserPlane(const MessageView& message, UserPlaneView* view);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_USER_PLANE_H_
