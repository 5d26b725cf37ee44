#include "flowacct/gtp/user_plane.h"

#include "flowacct/gtp/elements_v1.h"

namespace flowacct::gtp {

using base::DecodeCode;
using base::DecodeResult;

namespace {

constexpr uint8_t kPacketType = 255, kEndMarkerType = 254, kTunnelStatusType = 253, kExtensionsType = 31;

template <typename T>
void Keep(std::optional<T> value, std::optional<T>* target, uint16_t* bad) {
  if (value) {
    *target = value;
  } else {
    ++*bad;
  }
}

}  // namespace

DecodeResult ReadUserPlane(const MessageView& message, UserPlaneView* view) {
  constexpr size_t kTypeAt = 1;
  *view = UserPlaneView();
  if (message.is_prime() || message.version() > 1) return DecodeResult::Error(DecodeCode::kBadVersion, 0);
  view->teid = message.version() == 0 ? message.flow_label() : message.teid();
  if (message.first_extension_type() != 0) {
    ExtensionReader extensions(message);
    for (ExtensionHeader header; extensions.Next(&header);) {
      if (!header.Is(ExtensionType::kPduSessionContainer)) continue;
      Keep(ReadPduSessionContainer(header.content), &view->session, &view->bad_elements);
    }
  }
  if (message.type() == kPacketType) {
    view->inner = message.payload();
    return DecodeResult::Ok();
  }
  const MessageTypeInfo* info = FindMessageType(message);
  if (info == nullptr) return DecodeResult::Error(DecodeCode::kUnsupported, kTypeAt);
  if (info->procedure == Procedure::kErrorIndication) {
    view->kind = UserPlaneKind::kErrorIndication;
    if (message.version() == 0) view->unknown_teid = message.flow_label();  // it has no elements but a private one
  } else if (info->procedure == Procedure::kEcho) {
    view->kind = UserPlaneKind::kEcho;
  } else if (message.version() == 1 && message.type() == kEndMarkerType) {
    view->kind = UserPlaneKind::kEndMarker;
  } else if (message.version() == 1 && message.type() == kTunnelStatusType) {
    view->kind = UserPlaneKind::kTunnelStatus;
  } else if (message.version() == 1 && message.type() == kExtensionsType) {
    view->kind = UserPlaneKind::kSupportedExtensions;
  } else {
    return DecodeResult::Error(DecodeCode::kUnsupported, kTypeAt);
  }
  v1::ElementReader elements(message);
  for (v1::Element element; elements.Next(&element);) {
    switch (element.type) {
      case v1::kTeidDataI:
        if (message.version() == 1) Keep(v1::ReadU32(element.value), &view->unknown_teid, &view->bad_elements);
        break;
      case v1::kGsnAddress:
        Keep(v1::ReadAddress(element.value), &view->peer, &view->bad_elements);
        break;
      case v1::kRecovery:
        Keep(v1::ReadU8(element.value), &view->recovery, &view->bad_elements);
        break;
      case v1::kExtensionHeaderTypes:
        view->extension_types = element.value;
        break;
      default:
        break;
    }
  }
  return elements.result();
}

}  // namespace flowacct::gtp
