#include "flowacct/bgp/message_view.h"

#include <algorithm>
#include <cstddef>

namespace flowacct::bgp {
namespace {

struct TypeRow {
  absl::string_view name;
  size_t least_octets;
};
constexpr TypeRow kTypes[kMessageTypeCount] = {
#define X(name, type, text, least) {text, least},
    FLOWACCT_BGP_MESSAGE_TYPES(X)
#undef X
};

}  // namespace

absl::string_view MessageTypeName(MessageType type) {
  const size_t index = static_cast<size_t>(type) - 1;
  return index < kMessageTypeCount ? kTypes[index].name : "unknown";
}

MessageBoundary NextMessage(base::Octets rest, size_t max_octets) {
  MessageBoundary next;
  const size_t marker_octets = std::min<size_t>(rest.size(), 16);
  if (marker_octets == 16
          ? (base::LoadHost<uint64_t>(rest.data()) & base::LoadHost<uint64_t>(rest.data() + 8)) != ~uint64_t{0}
          : std::any_of(rest.begin(), rest.begin() + marker_octets, [](uint8_t o) { return o != 0xff; })) {
    next.code = base::DecodeCode::kBadValue;
    next.error = NotificationCode::kConnectionNotSynchronized;
    return next;
  }
  if (rest.size() < kMessageHeaderOctets) {
    next.code = base::DecodeCode::kTruncated;
    return next;
  }
  next.length = base::LoadBe16(rest.data() + 16);
  const uint8_t type = rest[18];
  if (next.length < kMessageHeaderOctets || next.length > max_octets) {
    next.code = base::DecodeCode::kBadLength;
    next.error = NotificationCode::kBadMessageLength;
    return next;
  }
  if (type == 0 || type > kMessageTypeCount) {
    next.code = base::DecodeCode::kBadValue;
    next.error = NotificationCode::kBadMessageType;
    return next;
  }
  next.type = static_cast<MessageType>(type);
  const bool small = next.type == MessageType::kOpen || next.type == MessageType::kKeepalive;
  if (next.length < kTypes[type - 1].least_octets || (small && next.length > kMaxMessageOctets) ||
      (next.type == MessageType::kKeepalive && next.length != kMessageHeaderOctets)) {
    next.code = base::DecodeCode::kBadLength;
    next.error = NotificationCode::kBadMessageLength;
    return next;
  }
  if (next.length > rest.size()) next.code = base::DecodeCode::kTruncated;
  return next;
}

RouteRefreshView ReadRouteRefresh(base::Octets message) {
  const uint8_t* p = message.data() + kMessageHeaderOctets;
  RouteRefreshView view;
  view.afi = base::LoadBe16(p);
  view.subtype = p[2];
  view.safi = p[3];
  view.family = FamilyOf(view.afi, view.safi);
  view.filters = message.subspan(kMessageHeaderOctets + 4);
  return view;
}

}  // namespace flowacct::bgp
