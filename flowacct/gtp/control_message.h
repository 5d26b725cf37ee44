// A message of GTP-C as correlation wants it: what it does, whom it is for, and the elements that tell of subscribers,
// bearers and tunnels, alike for GTPv0, v1 and v2.
//
// Filled by ReadControlMessage from a MessageView; all other elements stay in the view. Absent is not zero: an element
// that the message lacks, or whose octets cannot be read, is absent (the latter counted in `bad_elements`).
// Standards: 3GPP TS 09.60 (GTPv0), TS 29.060, TS 29.274.
// Ownership: a plain value that borrows nothing. Threads: any. Cost: no allocation; some 11 KB, so it is used again and
// again: Clear leaves what lies behind the counts as it was.

#ifndef FLOWACCT_GTP_CONTROL_MESSAGE_H_
#define FLOWACCT_GTP_CONTROL_MESSAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/values.h"

namespace flowacct::gtp {

// What messages do, whatever version they are of. A message type is a row of the tables of message types, which have
// the procedure and the role. Name, text.
#define FLOWACCT_GTP_PROCEDURES(X)                                                                    \
  X(kNone, "none") /* nothing that correlation needs */                                               \
  X(kEcho, "echo") /* bears the restart counter */                                                    \
  X(kVersionNotSupported, "version_not_supported")                                                    \
  X(kErrorIndication, "error_indication") /* of GTP-U: nobody knows this TEID */                      \
  X(kEndMarker, "end_marker")             /* of GTP-U: the last packet on the old path */             \
  X(kCreateSession, "create_session")     /* v1: create PDP context, secondary ones too */            \
  X(kModifyBearer, "modify_bearer")       /* v1: update PDP context by the SGSN */                    \
  X(kDeleteSession, "delete_session")     /* v1: delete PDP context */                                \
  X(kCreateBearer, "create_bearer")                                                                   \
  X(kUpdateBearer, "update_bearer") /* v1: update PDP context by the GGSN, which has the same type */ \
  X(kDeleteBearer, "delete_bearer")                                                                   \
  X(kReleaseAccessBearers, "release_access_bearers")                                                  \
  X(kModifyAccessBearers, "modify_access_bearers")                                                    \
  X(kBearerResource, "bearer_resource")         /* commands; refused by their failure indications */  \
  X(kChangeNotification, "change_notification") /* v1: MS info change */                              \
  X(kDownlinkDataNotification, "downlink_data_notification")                                          \
  X(kSuspend, "suspend")                                                                              \
  X(kResume, "resume")                                                                                \
  X(kContext, "context") /* v1: SGSN context request, response, acknowledge */                        \
  X(kForwardRelocation, "forward_relocation")                                                         \
  X(kForwardRelocationComplete, "forward_relocation_complete")                                        \
  X(kRelocationCancel, "relocation_cancel")                                                           \
  X(kCreateForwarding, "create_forwarding") /* indirect data forwarding tunnels */                    \
  X(kDeleteForwarding, "delete_forwarding")                                                           \
  X(kDeletePdnConnectionSet, "delete_pdn_connection_set")                                             \
  X(kPgwRestart, "pgw_restart")                                                                       \
  X(kPduNotification, "pdu_notification")

enum class Procedure : uint8_t {
#define X(name, text) name,
  FLOWACCT_GTP_PROCEDURES(X)
#undef X
};

absl::string_view ProcedureName(Procedure procedure);

enum class Role : uint8_t {
  kRequest,      // is answered
  kResponse,     // answers: has the sequence number of what it answers, and a cause
  kAcknowledge,  // the third step of context transfer
  kCommand,      // is answered by another request with its sequence number, or by a failure indication
  kNotice,       // is not answered
};

// An EPS bearer, or a PDP context of GTPv1 with its NSAPI.
struct BearerContext {
  static constexpr size_t kMaxFteids = 8;  // a bearer context has at most that many instances in any message

  uint8_t ebi = 0;  // EBI or NSAPI
  bool has_ebi = false;
  // Of a list of those that go: "to be removed" or "marked for removal" of session and bearer messages; the EBIs alone
  // of Delete Bearer Request and Release Access Bearers Request.
  bool to_be_removed = false;
  std::optional<uint8_t> linked_ebi;  // of a dedicated bearer or secondary context: the one it belongs to
  std::optional<uint8_t> cause;
  std::optional<uint8_t> qci;
  std::optional<uint8_t> arp;  // the octet of 8.86; of GTPv1 the priority from QoS, 1 to 3
  std::optional<uint32_t> charging_id;
  std::array<Fteid, kMaxFteids> fteids{};
  uint8_t fteid_count = 0;

  absl::Span<const Fteid> endpoints() const { return absl::MakeConstSpan(fteids.data(), fteid_count); }
};

// One PDN connection of a context response or forward relocation request (8.39; v1: PDP context, TS 29.060, 7.7.29).
struct ConnectionContext {
  Apn apn;
  UeAddresses ue;
  std::optional<uint8_t> linked_ebi;
  std::optional<Fteid> pgw_control;            // whom the new node will talk to
  uint8_t first_bearer = 0, bearer_count = 0;  // in ControlMessage::bearers
};

// Flags of ControlMessage::indication that tell what is going on; all of them have names by v2::IndicationFlagName,
// and flag n there is bit 63 - n here.
inline constexpr uint64_t kIndicationDirectTunnel = uint64_t{1} << 62;  // DTF
inline constexpr uint64_t kIndicationHandover = uint64_t{1} << 61;      // HI
inline constexpr uint64_t kIndicationOperation = uint64_t{1} << 59;     // OI: on to the PGW with it
inline constexpr uint64_t kIndicationIsr = uint64_t{1} << 57;           // ISRAI
inline constexpr uint64_t kIndicationSgwChange = uint64_t{1} << 56;     // SGWCI
inline constexpr uint64_t kIndicationScope = uint64_t{1} << 49;         // SI

// All but the lists.
struct ControlFields {
  // EPS bearers of one UE are 11 (TS 24.301); twice that many for lists "to be created" and "to be removed".
  static constexpr size_t kMaxBearers = 22;
  static constexpr size_t kMaxConnections = 11;
  static constexpr size_t kMaxControlFteids = 4;

  uint8_t version = 0;
  uint8_t type = 0;
  Procedure procedure = Procedure::kNone;
  Role role = Role::kNotice;
  bool has_teid = false;
  uint32_t teid = 0;  // of the header: the receiver's
  uint32_t sequence = 0;
  uint64_t flow_tid = 0;  // GTPv0: the TID, IMSI and NSAPI, in place of the TEID

  std::optional<uint8_t> cause;
  std::optional<uint8_t> recovery;
  std::optional<base::Digits> imsi, msisdn, imei;  // imei: IMEI or IMEISV
  std::optional<Apn> apn;
  std::optional<UeAddresses> ue;
  std::optional<RatType> rat;
  std::optional<Plmn> serving_network;
  std::optional<UserLocation> location;
  std::optional<uint8_t> time_zone;  // UE time zone, the octet of 8.44
  std::optional<uint8_t> selection_mode;
  std::optional<uint16_t> charging_characteristics;
  std::optional<uint32_t> charging_id;  // outside of bearers
  std::optional<uint32_t> ambr_up_kbps, ambr_down_kbps;
  std::optional<uint8_t> linked_ebi;
  std::optional<uint8_t> ebi;  // outside of bearers: of Delete Bearer Request, Change Notification ...
  bool teardown = false;       // v1: teardown indicator, all contexts of this address
  uint64_t indication = 0;     // indication flags, octet 5 of the element in the most significant octet (8.12)
  uint8_t control_count = 0, bearer_count = 0, connection_count = 0;
  uint16_t bad_elements = 0;   // whose octets could not be read
  uint16_t beyond_bounds = 0;  // bearers, endpoints and connections that found no place
};

struct ControlMessage : ControlFields {
  // Of the sender, and others at their instances: PGW S5/S8 address for control plane or PMIP and so on. Of PGW Restart
  // Notification, which has addresses alone: those of the PGW and the SGW, with TEID 0.
  std::array<Fteid, kMaxControlFteids> control{};
  std::array<BearerContext, kMaxBearers> bearers{};
  std::array<ConnectionContext, kMaxConnections> connections{};

  void Clear() { static_cast<ControlFields&>(*this) = ControlFields(); }
  // A new one at the end of its list; null, and counted in beyond_bounds, if there is no place.
  Fteid* AddControl() { return Add(&control, &control_count); }
  BearerContext* AddBearer() { return Add(&bearers, &bearer_count); }
  ConnectionContext* AddConnection() { return Add(&connections, &connection_count); }
  Fteid* AddEndpoint(BearerContext* bearer) { return Add(&bearer->fteids, &bearer->fteid_count); }

  absl::Span<const Fteid> control_endpoints() const { return absl::MakeConstSpan(control.data(), control_count); }
  absl::Span<const BearerContext> bearer_contexts() const { return absl::MakeConstSpan(bearers.data(), bearer_count); }

 private:
  template <typename T, size_t kSize>
  T* Add(std::array<T, kSize>* list, uint8_t* count) {
    if (*count == kSize) {
      ++beyond_bounds;
      return nullptr;
    }
    T* added = &(*list)[(*count)++];
    *added = T();
    return added;
  }
};

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_CONTROL_MESSAGE_H_
