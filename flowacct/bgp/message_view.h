// BGP messages in a stream: where one ends, of which type it is, and those that need no session to be read.
//
//     MessageBoundary next = NextMessage(rest, kMaxMessageOctets);
//     if (next.code == base::DecodeCode::kOk) ... rest.subspan(0, next.length), whose type is MessageTypeOf
//
// Standards: RFC 4271 (4.1, 4.5, 6.1), RFC 2918 and 7313 (ROUTE-REFRESH), RFC 8654 (extended messages).
// OPEN is in open.h, UPDATE in update.h.
// Ownership: views borrow. Threads: plain values.
// Cost: a compare of 16 octets and two loads.

#ifndef FLOWACCT_BGP_MESSAGE_VIEW_H_
#define FLOWACCT_BGP_MESSAGE_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/session_context.h"

namespace flowacct::bgp {

inline constexpr size_t kMessageHeaderOctets = 19;  // RFC 4271, 4.1

// name, type, text, least length with the header (RFC 4271, 6.1; RFC 7313, 5)
#define FLOWACCT_BGP_MESSAGE_TYPES(X)     \
  X(kOpen, 1, "open", 29)                 \
  X(kUpdate, 2, "update", 23)             \
  X(kNotification, 3, "notification", 21) \
  X(kKeepalive, 4, "keepalive", 19)       \
  X(kRouteRefresh, 5, "route_refresh", 23)

enum class MessageType : uint8_t {
#define X(name, type, text, least) name = type,
  FLOWACCT_BGP_MESSAGE_TYPES(X)
#undef X
};
inline constexpr size_t kMessageTypeCount = 5;  // numbered from 1
absl::string_view MessageTypeName(MessageType type);

struct MessageBoundary {
  // kOk: a message of `length` octets is whole, and `type` is known. kTruncated: more octets are needed, `length` in
  // all (0: not yet known). Else the stream cannot be followed: `error` is RFC 4271's name of it (6.1).
  base::DecodeCode code = base::DecodeCode::kOk;
  size_t length = 0;
  MessageType type = MessageType::kKeepalive;
  NotificationCode error = NotificationCode::kMessageHeaderError;
};

// OPEN and KEEPALIVE never have more than 4,096 octets (RFC 8654, 4).
MessageBoundary NextMessage(base::Octets rest, size_t max_octets);

// Of a message whose boundary is known.
inline MessageType MessageTypeOf(base::Octets message) { return static_cast<MessageType>(message[18]); }

inline NotificationView ReadNotification(base::Octets message) {
  return {message[kMessageHeaderOctets], message[kMessageHeaderOctets + 1], message.subspan(kMessageHeaderOctets + 2)};
}

enum class RouteRefreshSubtype : uint8_t {  // RFC 7313, 3.2
  kRequest = 0,
  kBeginning = 1,  // BoRR: what is not told again before EoRR is gone
  kEnd = 2,        // EoRR
};

struct RouteRefreshView {
  uint16_t afi = 0;
  uint8_t safi = 0;
  uint8_t subtype = 0;  // others than RouteRefreshSubtype are to be ignored (RFC 7313, 5)
  Family family = Family::kOther;
  base::Octets filters;  // RFC 5291: outbound route filters
};
RouteRefreshView ReadRouteRefresh(base::Octets message);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_MESSAGE_VIEW_H_
