#include "flowacct/bmp/message_view.h"

#include <algorithm>

#include "flowacct/base/octet_reader.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session_context.h"

namespace flowacct::bmp {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr size_t kBodyAt = kCommonHeaderOctets + kPerPeerHeaderOctets;
constexpr uint8_t kFlagV6 = 0x80;
constexpr uint16_t kEnterpriseBit = 0x8000;
constexpr size_t kMarkerOctets = 16;

struct MessageTypeRow {
  absl::string_view name;
  size_t least;
};
constexpr MessageTypeRow kMessageTypes[kMessageTypeCount] = {
#define X(name, type, text, least) {text, least},
    FLOWACCT_BMP_MESSAGE_TYPES(X)
#undef X
};

constexpr absl::string_view kTerminationReasons[] = {
#define X(name, reason, text) text,
    FLOWACCT_BMP_TERMINATION_REASONS(X)
#undef X
};

constexpr absl::string_view kPeerDownReasons[] = {
#define X(name, reason, text) text,
    FLOWACCT_BMP_PEER_DOWN_REASONS(X)
#undef X
};

constexpr absl::string_view kStatistics[] = {
#define X(name, type, text) text,
    FLOWACCT_BMP_STATISTICS(X)
#undef X
};

template <size_t kCount>
absl::string_view TextOf(const absl::string_view (&texts)[kCount], size_t i) {
  return i < kCount ? texts[i] : absl::string_view();
}

base::IpAddress ReadAddress(const uint8_t* p, bool v6) {
  return v6 ? base::IpAddress::FromV6(p) : base::IpAddress::FromV4(p + 12);
}

// A BGP message that begins at `at`, whole within `message`.
DecodeResult ReadBgp(base::Octets message, size_t at, base::Octets* bgp) {
  const bgp::MessageBoundary next = bgp::NextMessage(message.subspan(at), bgp::kMaxExtendedMessageOctets);
  if (next.code != DecodeCode::kOk) return DecodeResult::Error(next.code, at);
  *bgp = message.subspan(at, next.length);
  return DecodeResult::Ok();
}

bool HasMarker(base::Octets octets) {
  return octets.size() >= kMarkerOctets &&
         std::all_of(octets.begin(), octets.begin() + kMarkerOctets, [](uint8_t octet) { return octet == 0xff; });
}

// A capability as an OPEN has it (RFC 7911, 4): which families have path identifiers.
void ReadAddPath(base::Octets capability, RouteMonitoringView* view) {
  if (capability.size() < 2 || capability[0] != static_cast<uint8_t>(bgp::CapabilityCode::kAddPath)) return;
  view->tells_add_path = true;
  for (size_t at = 2; capability.size() - at >= 4; at += 4) {
    view->add_path.Add(bgp::FamilyOf(base::LoadBe16(capability.data() + at), capability[at + 2]));
  }
}

}  // namespace

absl::string_view MessageTypeName(MessageType type) { return kMessageTypes[static_cast<size_t>(type)].name; }
absl::string_view TerminationReasonText(TerminationReason reason) {
  return TextOf(kTerminationReasons, static_cast<size_t>(reason));
}
absl::string_view PeerDownReasonText(PeerDownReason reason) {
  return TextOf(kPeerDownReasons, static_cast<size_t>(reason));
}
absl::string_view StatisticName(uint16_t type) { return TextOf(kStatistics, type); }

absl::string_view RibKindName(RibKind kind) {
  switch (kind) {
    case RibKind::kAdjRibIn:
      return "adj_rib_in";
    case RibKind::kAdjRibOut:
      return "adj_rib_out";
    case RibKind::kLocRib:
      return "loc_rib";
  }
  return "";
}

MessageBoundary NextMessage(base::Octets rest, size_t max_octets) {
  MessageBoundary next;
  if (rest.empty()) {
    next.code = DecodeCode::kTruncated;
    return next;
  }
  if (rest[0] != kVersion3 && rest[0] != kVersion4) {
    next.code = DecodeCode::kBadVersion;
    return next;
  }
  if (rest.size() < kCommonHeaderOctets) {
    next.code = DecodeCode::kTruncated;
    return next;
  }
  next.length = base::LoadBe32(rest.data() + 1);
  const size_t type = rest[5];
  if (next.length < kCommonHeaderOctets) {
    next.code = DecodeCode::kBadLength;
  } else if (next.length > max_octets) {
    next.code = DecodeCode::kLimitExceeded;
  } else if (type >= kMessageTypeCount) {
    next.code = rest.size() < next.length ? DecodeCode::kTruncated : DecodeCode::kUnsupported;
  } else if (next.length < kCommonHeaderOctets + kMessageTypes[type].least) {
    next.code = DecodeCode::kBadLength;
  } else {
    next.type = static_cast<MessageType>(type);
    if (rest.size() < next.length) next.code = DecodeCode::kTruncated;
  }
  return next;
}

PerPeerHeader ReadPerPeerHeader(base::Octets message) {
  const uint8_t* p = message.data() + kCommonHeaderOctets;
  PerPeerHeader header;
  header.peer_type = static_cast<PeerType>(p[0]);
  header.flags = p[1];
  header.distinguisher = base::LoadBe64(p + 2);
  header.address = ReadAddress(p + 10, !header.loc_rib() && (header.flags & kFlagV6) != 0);
  header.as = base::LoadBe32(p + 26);
  header.bgp_identifier = base::LoadBe32(p + 30);
  header.time = absl::FromUnixSeconds(base::LoadBe32(p + 34)) + absl::Microseconds(base::LoadBe32(p + 38));
  return header;
}

DecodeResult ReadPeerUp(base::Octets message, PeerUpView* view) {
  const uint8_t* p = message.data() + kBodyAt;
  // The local address is of the peer's family; some leave V out, and all of a Loc-RIB's is zero.
  const bool loc_rib = static_cast<PeerType>(message[kCommonHeaderOctets]) == PeerType::kLocRibInstance;
  const bool v6 = (!loc_rib && (message[kCommonHeaderOctets + 1] & kFlagV6) != 0) ||
                  !std::all_of(p, p + 12, [](uint8_t octet) { return octet == 0; });
  view->local_address = ReadAddress(p, v6);
  view->local_port = base::LoadBe16(p + 16);
  view->remote_port = base::LoadBe16(p + 18);
  size_t at = kBodyAt + 20;
  for (base::Octets* open : {&view->sent_open, &view->received_open}) {
    const DecodeResult result = ReadBgp(message, at, open);
    if (!result.ok()) return result;
    if (bgp::MessageTypeOf(*open) != bgp::MessageType::kOpen)
      return DecodeResult::Error(DecodeCode::kBadValue, at + 18);
    at += open->size();
  }
  view->information = message.subspan(at);
  const size_t end = ForEachTlv(view->information, [](const Tlv&) {});
  if (end != view->information.size()) return DecodeResult::Error(DecodeCode::kTrailingOctets, at + end);
  return DecodeResult::Ok();
}

DecodeResult ReadPeerDown(base::Octets message, PeerDownView* view) {
  view->reason = static_cast<PeerDownReason>(message[kBodyAt]);
  constexpr size_t kDataAt = kBodyAt + 1;
  switch (view->reason) {
    case PeerDownReason::kLocalNotification:
    case PeerDownReason::kRemoteNotification: {
      const DecodeResult result = ReadBgp(message, kDataAt, &view->notification);
      if (!result.ok()) return result;
      if (bgp::MessageTypeOf(view->notification) != bgp::MessageType::kNotification) {
        view->notification = {};
        return DecodeResult::Error(DecodeCode::kBadValue, kDataAt + 18);
      }
      view->information = message.subspan(kDataAt + view->notification.size());
      return DecodeResult::Ok();
    }
    case PeerDownReason::kLocalNoNotification:
      if (message.size() < kDataAt + 2) return DecodeResult::Error(DecodeCode::kTruncated, kDataAt);
      view->fsm_event = base::LoadBe16(message.data() + kDataAt);
      view->information = message.subspan(kDataAt + 2);
      return DecodeResult::Ok();
    case PeerDownReason::kStreamEnded:
      return DecodeResult::Error(DecodeCode::kBadValue, kBodyAt);
    default:
      view->information = message.subspan(kDataAt);
      return DecodeResult::Ok();
  }
}

DecodeResult ReadRouteMonitoring(base::Octets message, RouteMonitoringView* view) {
  if (VersionOf(message) == kVersion3) {
    const DecodeResult result = ReadBgp(message, kBodyAt, &view->update);
    if (!result.ok()) return result;
    const size_t end = kBodyAt + view->update.size();
    return end == message.size() ? DecodeResult::Ok() : DecodeResult::Error(DecodeCode::kTrailingOctets, end);
  }
  // TLVs: type, length of the value, index, value. The numbers of the types differ from draft to draft, so the message
  // is the one that begins as a BGP message does, and its capabilities are those of types that any draft gave them.
  base::OctetReader in(message);
  in.Skip(kBodyAt);
  while (in.remaining() > 0) {
    const size_t tlv_at = in.offset();
    const uint16_t type = in.U16();
    const size_t length = in.U16();
    in.Skip(2);
    const size_t value_at = in.offset();
    const base::Octets value = in.Bytes(length);
    if (!in.ok()) return DecodeResult::Error(DecodeCode::kBadLength, tlv_at);
    if ((type & kEnterpriseBit) != 0) continue;
    if (HasMarker(value)) {
      const DecodeResult result = ReadBgp(message.subspan(0, value_at + length), value_at, &view->update);
      if (!result.ok()) return result;
    } else if (type == 1 || type == 6) {  // Stateless Parsing: -13 to -17, -20
      ReadAddPath(value, view);
    } else if (type == 3 || type == 5) {  // VRF/Table Name
      view->table_name = base::AsText(value);
    }
  }
  return view->update.empty() ? DecodeResult::Error(DecodeCode::kBadValue, kBodyAt) : DecodeResult::Ok();
}

}  // namespace flowacct::bmp
