// BMP messages in a stream, and what each type says, as views.
//
//     MessageBoundary next = NextMessage(rest, max_octets);
//     if (next.code == base::DecodeCode::kOk) ... rest.subspan(0, next.length), of next.type
//
// Standards: RFC 7854 (4), RFC 8671 (Adj-RIB-Out), RFC 9069 (Loc-RIB), RFC 9736 (TLVs of Peer Up), RFC 9972
// (statistics), draft-ietf-grow-bmp-tlv (version 4: Route Monitoring as TLVs with an index).
// Guaranteed: Read... tells of octets that are within the message; OPENs and other BGP messages are whole by their own
// headers. Not checked: what the BGP messages say. Ownership: views borrow the message. Threads: plain values. Errors:
// DecodeResult with the offset in the message. Cost: some loads; no allocation.

#ifndef FLOWACCT_BMP_MESSAGE_VIEW_H_
#define FLOWACCT_BMP_MESSAGE_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"

namespace flowacct::bmp {

inline constexpr size_t kCommonHeaderOctets = 6;    // RFC 7854, 4.1
inline constexpr size_t kPerPeerHeaderOctets = 42;  // RFC 7854, 4.2
inline constexpr uint8_t kVersion3 = 3;
inline constexpr uint8_t kVersion4 = 4;

// name, type, text, least octets behind the common header
#define FLOWACCT_BMP_MESSAGE_TYPES(X)              \
  X(kRouteMonitoring, 0, "route_monitoring", 42)   \
  X(kStatisticsReport, 1, "statistics_report", 46) \
  X(kPeerDown, 2, "peer_down", 43)                 \
  X(kPeerUp, 3, "peer_up", 62)                     \
  X(kInitiation, 4, "initiation", 0)               \
  X(kTermination, 5, "termination", 0)             \
  X(kRouteMirroring, 6, "route_mirroring", 42)

enum class MessageType : uint8_t {
#define X(name, type, text, least) name = type,
  FLOWACCT_BMP_MESSAGE_TYPES(X)
#undef X
};
inline constexpr size_t kMessageTypeCount = 7;
absl::string_view MessageTypeName(MessageType type);

struct MessageBoundary {
  // kOk: a message of `length` octets is whole. kTruncated: more are needed, `length` in all (0: not yet known). Else
  // the stream cannot be followed. kUnsupported: whole, of a type that is not known; it may be skipped.
  base::DecodeCode code = base::DecodeCode::kOk;
  size_t length = 0;
  MessageType type = MessageType::kInitiation;
};
MessageBoundary NextMessage(base::Octets rest, size_t max_octets);
inline uint8_t VersionOf(base::Octets message) { return message[0]; }

enum class PeerType : uint8_t {  // IANA "BMP Peer Types"
  kGlobalInstance = 0,
  kRdInstance = 1,
  kLocalInstance = 2,
  kLocRibInstance = 3,  // RFC 9069
};

enum class RibKind : uint8_t { kAdjRibIn, kAdjRibOut, kLocRib };
absl::string_view RibKindName(RibKind kind);  // "adj_rib_in"

// RFC 7854, 4.2; RFC 8671, 4; RFC 9069, 4.
struct PerPeerHeader {
  PeerType peer_type = PeerType::kGlobalInstance;  // others than the named ones as they came
  uint8_t flags = 0;
  uint64_t distinguisher = 0;
  base::IpAddress address;  // 0.0.0.0: a Loc-RIB's
  uint32_t as = 0;
  uint32_t bgp_identifier = 0;
  absl::Time time;  // the router's; the epoch: not told

  bool loc_rib() const { return peer_type == PeerType::kLocRibInstance; }
  bool post_policy() const { return !loc_rib() && (flags & 0x40) != 0; }  // L
  bool as2() const { return !loc_rib() && (flags & 0x20) != 0; }          // A: AS_PATH of 2 octets
  bool filtered() const { return loc_rib() && (flags & 0x80) != 0; }      // F: not all of the Loc-RIB
  RibKind rib() const {
    return loc_rib() ? RibKind::kLocRib : (flags & 0x10) != 0 ? RibKind::kAdjRibOut : RibKind::kAdjRibIn;  // O
  }
};
// Of a message that NextMessage found whole and that has one.
inline bool HasPerPeerHeader(MessageType type) {
  return type != MessageType::kInitiation && type != MessageType::kTermination;
}
PerPeerHeader ReadPerPeerHeader(base::Octets message);

struct Tlv {
  uint16_t type = 0;
  base::Octets value;
};
// visit(const Tlv&) for each; returns where the first begins that does not fit, or the end.
template <typename Visitor>
size_t ForEachTlv(base::Octets tlvs, Visitor&& visit) {
  size_t at = 0;
  while (tlvs.size() - at >= 4) {
    const size_t length = base::LoadBe16(tlvs.data() + at + 2);
    if (length > tlvs.size() - at - 4) break;
    visit(Tlv{base::LoadBe16(tlvs.data() + at), tlvs.subspan(at + 4, length)});
    at += 4 + length;
  }
  return at;
}

enum class InformationType : uint16_t {  // IANA "Initiation Information TLVs", "Peer Up Message TLVs"
  kString = 0,
  kSysDescr = 1,
  kSysName = 2,
  kTableName = 3,   // RFC 9069, 5.3: of Peer Up
  kAdminLabel = 4,  // RFC 9736
};

enum class TerminationType : uint16_t { kString = 0, kReason = 1 };
// name, reason, text (RFC 7854, 4.5)
#define FLOWACCT_BMP_TERMINATION_REASONS(X)                \
  X(kAdministrativelyClosed, 0, "administratively closed") \
  X(kUnspecified, 1, "unspecified")                        \
  X(kOutOfResources, 2, "out of resources")                \
  X(kRedundantConnection, 3, "redundant connection")       \
  X(kPermanentlyClosed, 4, "permanently administratively closed")
enum class TerminationReason : uint16_t {
#define X(name, reason, text) name = reason,
  FLOWACCT_BMP_TERMINATION_REASONS(X)
#undef X
};
absl::string_view TerminationReasonText(TerminationReason reason);

struct PeerUpView {  // RFC 7854, 4.10
  base::IpAddress local_address;
  uint16_t local_port = 0;
  uint16_t remote_port = 0;
  base::Octets sent_open;  // by the router
  base::Octets received_open;
  base::Octets information;  // TLVs
};
base::DecodeResult ReadPeerUp(base::Octets message, PeerUpView* view);

// name, reason, text (IANA "BMP Peer Down Reason Codes")
#define FLOWACCT_BMP_PEER_DOWN_REASONS(X)                                            \
  X(kStreamEnded, 0, "the stream of the router ended")                               \
  X(kLocalNotification, 1, "the router closed the session with a NOTIFICATION")      \
  X(kLocalNoNotification, 2, "the router closed the session without a NOTIFICATION") \
  X(kRemoteNotification, 3, "the peer closed the session with a NOTIFICATION")       \
  X(kRemoteNoNotification, 4, "the peer closed the session without a NOTIFICATION")  \
  X(kDeConfigured, 5, "the router monitors the peer no longer")                      \
  X(kLocalSystemClosed, 6, "the router closed the Loc-RIB")
enum class PeerDownReason : uint8_t {
#define X(name, reason, text) name = reason,
  FLOWACCT_BMP_PEER_DOWN_REASONS(X)
#undef X
};
absl::string_view PeerDownReasonText(PeerDownReason reason);

struct PeerDownView {  // RFC 7854, 4.9; RFC 9069, 5.3.1
  PeerDownReason reason = PeerDownReason::kStreamEnded;
  base::Octets notification;  // whole, of the reasons that have one
  uint16_t fsm_event = 0;     // kLocalNoNotification (RFC 4271, 8.1); 0: none
  base::Octets information;   // TLVs: kLocalSystemClosed
};
base::DecodeResult ReadPeerDown(base::Octets message, PeerDownView* view);

struct RouteMonitoringView {  // RFC 7854, 4.6
  base::Octets update;        // whole, with its header; of any BGP type
  bgp::FamilySet add_path;    // version 4 tells it beside the message
  bool tells_add_path = false;
  absl::string_view table_name;  // version 4
};
base::DecodeResult ReadRouteMonitoring(base::Octets message, RouteMonitoringView* view);

// name, type, text (IANA "BMP Statistics Types")
#define FLOWACCT_BMP_STATISTICS(X)                                           \
  X(kRejectedPrefixes, 0, "rejected_prefixes")                               \
  X(kDuplicatePrefixes, 1, "duplicate_prefixes")                             \
  X(kDuplicateWithdraws, 2, "duplicate_withdraws")                           \
  X(kClusterListLoops, 3, "cluster_list_loops")                              \
  X(kAsPathLoops, 4, "as_path_loops")                                        \
  X(kOriginatorIdLoops, 5, "originator_id_loops")                            \
  X(kAsConfedLoops, 6, "as_confed_loops")                                    \
  X(kAdjRibInRoutes, 7, "adj_rib_in_routes")                                 \
  X(kLocRibRoutes, 8, "loc_rib_routes")                                      \
  X(kFamilyAdjRibInRoutes, 9, "family_adj_rib_in_routes")                    \
  X(kFamilyLocRibRoutes, 10, "family_loc_rib_routes")                        \
  X(kTreatedAsWithdrawUpdates, 11, "treated_as_withdraw_updates")            \
  X(kTreatedAsWithdrawPrefixes, 12, "treated_as_withdraw_prefixes")          \
  X(kDuplicateUpdates, 13, "duplicate_updates")                              \
  X(kPreAdjRibOutRoutes, 14, "pre_policy_adj_rib_out_routes")                \
  X(kPostAdjRibOutRoutes, 15, "post_policy_adj_rib_out_routes")              \
  X(kFamilyPreAdjRibOutRoutes, 16, "family_pre_policy_adj_rib_out_routes")   \
  X(kFamilyPostAdjRibOutRoutes, 17, "family_post_policy_adj_rib_out_routes") \
  X(kPreAdjRibInRoutes, 18, "pre_policy_adj_rib_in_routes")                  \
  X(kFamilyPreAdjRibInRoutes, 19, "family_pre_policy_adj_rib_in_routes")     \
  X(kPostAdjRibInRoutes, 20, "post_policy_adj_rib_in_routes")                \
  X(kFamilyPostAdjRibInRoutes, 21, "family_post_policy_adj_rib_in_routes")

struct Statistic {
  uint16_t type = 0;
  uint64_t value = 0;  // a counter of 32 bits or a gauge of 64
  bool has_family = false;
  uint16_t afi = 0;
  uint8_t safi = 0;
};
// Empty for one that has no row.
absl::string_view StatisticName(uint16_t type);

// visit(const Statistic&) for each (RFC 7854, 4.8); those of other lengths than 4, 8 and 11 are left out.
template <typename Visitor>
base::DecodeResult ReadStatistics(base::Octets message, Visitor&& visit) {
  constexpr size_t kCountAt = kCommonHeaderOctets + kPerPeerHeaderOctets, kStart = kCountAt + 4;
  const base::Octets tlvs = message.subspan(kStart);
  size_t count = 0;
  const size_t end = ForEachTlv(tlvs, [&](const Tlv& tlv) {
    ++count;
    const uint8_t* p = tlv.value.data();
    switch (tlv.value.size()) {
      case 4:
        return visit(Statistic{tlv.type, base::LoadBe32(p), false, 0, 0});
      case 8:
        return visit(Statistic{tlv.type, base::LoadBe64(p), false, 0, 0});
      case 11:
        return visit(Statistic{tlv.type, base::LoadBe64(p + 3), true, base::LoadBe16(p), p[2]});
      default:
        return;
    }
  });
  if (end != tlvs.size()) return base::DecodeResult::Error(base::DecodeCode::kBadLength, kStart + end);
  if (count != base::LoadBe32(message.data() + kCountAt)) {
    return base::DecodeResult::Error(base::DecodeCode::kBadCount, kCountAt);
  }
  return base::DecodeResult::Ok();
}

enum class MirroringType : uint16_t { kBgpMessage = 0, kInformation = 1 };          // RFC 7854, 4.7
enum class MirroringInformation : uint16_t { kErroredPdu = 0, kMessagesLost = 1 };  // RFC 7854, 4.7

// What is behind the per-peer header: TLVs of Route Mirroring.
inline base::Octets BodyOf(base::Octets message) { return message.subspan(kCommonHeaderOctets + kPerPeerHeaderOctets); }

}  // namespace flowacct::bmp

#endif  // FLOWACCT_BMP_MESSAGE_VIEW_H_
