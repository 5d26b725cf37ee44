// Every message type of GTP: its name, what it does, its part in that, and the plane that it belongs to.
//
// Standards: GTPv0 TS 09.60, 7.1; GTPv1 TS 29.060, 7.1 table 1 and, of GTP-U, TS 29.281, 6.1 table 6.1-1, which share
// their numbers; GTPv2 TS 29.274, 6.1 table 6.1-1 with those of the Sv interface from TS 29.280, 5.2.1; GTP' TS 32.295,
// 6.2. Names are those of the standards.
// Ownership: rows are there for ever. Threads: any. Errors: a number without a row is null. Cost: two loads.

#ifndef FLOWACCT_GTP_MESSAGE_TYPES_H_
#define FLOWACCT_GTP_MESSAGE_TYPES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

// Numbers mean something within one of these.
enum class Protocol : uint8_t { kV0, kV1, kV2, kPrime };
inline constexpr unsigned kProtocolCount = 4;

inline Protocol ProtocolOf(const MessageView& message) {
  return message.is_prime() ? Protocol::kPrime : static_cast<Protocol>(message.version());
}

enum class MessagePlane : uint8_t { kControl, kUser, kBoth };

// Protocol, number, name, procedure, role, plane.
#define FLOWACCT_GTP_MESSAGE_TYPES(X)                                                                     \
  X(kV0, 1, "Echo Request", kEcho, kRequest, kBoth)                                                       \
  X(kV0, 2, "Echo Response", kEcho, kResponse, kBoth)                                                     \
  X(kV0, 3, "Version Not Supported", kVersionNotSupported, kNotice, kBoth)                                \
  X(kV0, 16, "Create PDP Context Request", kCreateSession, kRequest, kControl)                            \
  X(kV0, 17, "Create PDP Context Response", kCreateSession, kResponse, kControl)                          \
  X(kV0, 18, "Update PDP Context Request", kModifyBearer, kRequest, kControl)                             \
  X(kV0, 19, "Update PDP Context Response", kModifyBearer, kResponse, kControl)                           \
  X(kV0, 20, "Delete PDP Context Request", kDeleteSession, kRequest, kControl)                            \
  X(kV0, 21, "Delete PDP Context Response", kDeleteSession, kResponse, kControl)                          \
  X(kV0, 22, "Create AA PDP Context Request", kCreateSession, kRequest, kControl)                         \
  X(kV0, 23, "Create AA PDP Context Response", kCreateSession, kResponse, kControl)                       \
  X(kV0, 24, "Delete AA PDP Context Request", kDeleteSession, kRequest, kControl)                         \
  X(kV0, 25, "Delete AA PDP Context Response", kDeleteSession, kResponse, kControl)                       \
  X(kV0, 26, "Error Indication", kErrorIndication, kNotice, kBoth)                                        \
  X(kV0, 27, "PDU Notification Request", kPduNotification, kRequest, kControl)                            \
  X(kV0, 28, "PDU Notification Response", kPduNotification, kResponse, kControl)                          \
  X(kV0, 29, "PDU Notification Reject Request", kPduNotification, kRequest, kControl)                     \
  X(kV0, 30, "PDU Notification Reject Response", kPduNotification, kResponse, kControl)                   \
  X(kV0, 32, "Send Routeing Information for GPRS Request", kNone, kRequest, kControl)                     \
  X(kV0, 33, "Send Routeing Information for GPRS Response", kNone, kResponse, kControl)                   \
  X(kV0, 34, "Failure Report Request", kNone, kRequest, kControl)                                         \
  X(kV0, 35, "Failure Report Response", kNone, kResponse, kControl)                                       \
  X(kV0, 36, "Note MS GPRS Present Request", kNone, kRequest, kControl)                                   \
  X(kV0, 37, "Note MS GPRS Present Response", kNone, kResponse, kControl)                                 \
  X(kV0, 48, "Identification Request", kNone, kRequest, kControl)                                         \
  X(kV0, 49, "Identification Response", kNone, kResponse, kControl)                                       \
  X(kV0, 50, "SGSN Context Request", kContext, kRequest, kControl)                                        \
  X(kV0, 51, "SGSN Context Response", kContext, kResponse, kControl)                                      \
  X(kV0, 52, "SGSN Context Acknowledge", kContext, kAcknowledge, kControl)                                \
  X(kV0, 255, "T-PDU", kNone, kNotice, kUser)                                                             \
  X(kV1, 1, "Echo Request", kEcho, kRequest, kBoth)                                                       \
  X(kV1, 2, "Echo Response", kEcho, kResponse, kBoth)                                                     \
  X(kV1, 3, "Version Not Supported", kVersionNotSupported, kNotice, kControl)                             \
  X(kV1, 16, "Create PDP Context Request", kCreateSession, kRequest, kControl)                            \
  X(kV1, 17, "Create PDP Context Response", kCreateSession, kResponse, kControl)                          \
  X(kV1, 18, "Update PDP Context Request", kModifyBearer, kRequest, kControl)                             \
  X(kV1, 19, "Update PDP Context Response", kModifyBearer, kResponse, kControl)                           \
  X(kV1, 20, "Delete PDP Context Request", kDeleteSession, kRequest, kControl)                            \
  X(kV1, 21, "Delete PDP Context Response", kDeleteSession, kResponse, kControl)                          \
  X(kV1, 22, "Initiate PDP Context Activation Request", kNone, kRequest, kControl)                        \
  X(kV1, 23, "Initiate PDP Context Activation Response", kNone, kResponse, kControl)                      \
  X(kV1, 26, "Error Indication", kErrorIndication, kNotice, kUser)                                        \
  X(kV1, 27, "PDU Notification Request", kPduNotification, kRequest, kControl)                            \
  X(kV1, 28, "PDU Notification Response", kPduNotification, kResponse, kControl)                          \
  X(kV1, 29, "PDU Notification Reject Request", kPduNotification, kRequest, kControl)                     \
  X(kV1, 30, "PDU Notification Reject Response", kPduNotification, kResponse, kControl)                   \
  X(kV1, 31, "Supported Extension Headers Notification", kNone, kNotice, kBoth)                           \
  X(kV1, 32, "Send Routeing Information for GPRS Request", kNone, kRequest, kControl)                     \
  X(kV1, 33, "Send Routeing Information for GPRS Response", kNone, kResponse, kControl)                   \
  X(kV1, 34, "Failure Report Request", kNone, kRequest, kControl)                                         \
  X(kV1, 35, "Failure Report Response", kNone, kResponse, kControl)                                       \
  X(kV1, 36, "Note MS GPRS Present Request", kNone, kRequest, kControl)                                   \
  X(kV1, 37, "Note MS GPRS Present Response", kNone, kResponse, kControl)                                 \
  X(kV1, 48, "Identification Request", kNone, kRequest, kControl)                                         \
  X(kV1, 49, "Identification Response", kNone, kResponse, kControl)                                       \
  X(kV1, 50, "SGSN Context Request", kContext, kRequest, kControl)                                        \
  X(kV1, 51, "SGSN Context Response", kContext, kResponse, kControl)                                      \
  X(kV1, 52, "SGSN Context Acknowledge", kContext, kAcknowledge, kControl)                                \
  X(kV1, 53, "Forward Relocation Request", kForwardRelocation, kRequest, kControl)                        \
  X(kV1, 54, "Forward Relocation Response", kForwardRelocation, kResponse, kControl)                      \
  X(kV1, 55, "Forward Relocation Complete", kForwardRelocationComplete, kRequest, kControl)               \
  X(kV1, 56, "Relocation Cancel Request", kRelocationCancel, kRequest, kControl)                          \
  X(kV1, 57, "Relocation Cancel Response", kRelocationCancel, kResponse, kControl)                        \
  X(kV1, 58, "Forward SRNS Context", kNone, kRequest, kControl)                                           \
  X(kV1, 59, "Forward Relocation Complete Acknowledge", kForwardRelocationComplete, kResponse, kControl)  \
  X(kV1, 60, "Forward SRNS Context Acknowledge", kNone, kResponse, kControl)                              \
  X(kV1, 61, "UE Registration Query Request", kNone, kRequest, kControl)                                  \
  X(kV1, 62, "UE Registration Query Response", kNone, kResponse, kControl)                                \
  X(kV1, 70, "RAN Information Relay", kNone, kNotice, kControl)                                           \
  X(kV1, 96, "MBMS Notification Request", kNone, kRequest, kControl)                                      \
  X(kV1, 97, "MBMS Notification Response", kNone, kResponse, kControl)                                    \
  X(kV1, 98, "MBMS Notification Reject Request", kNone, kRequest, kControl)                               \
  X(kV1, 99, "MBMS Notification Reject Response", kNone, kResponse, kControl)                             \
  X(kV1, 100, "Create MBMS Context Request", kNone, kRequest, kControl)                                   \
  X(kV1, 101, "Create MBMS Context Response", kNone, kResponse, kControl)                                 \
  X(kV1, 102, "Update MBMS Context Request", kNone, kRequest, kControl)                                   \
  X(kV1, 103, "Update MBMS Context Response", kNone, kResponse, kControl)                                 \
  X(kV1, 104, "Delete MBMS Context Request", kNone, kRequest, kControl)                                   \
  X(kV1, 105, "Delete MBMS Context Response", kNone, kResponse, kControl)                                 \
  X(kV1, 112, "MBMS Registration Request", kNone, kRequest, kControl)                                     \
  X(kV1, 113, "MBMS Registration Response", kNone, kResponse, kControl)                                   \
  X(kV1, 114, "MBMS De-Registration Request", kNone, kRequest, kControl)                                  \
  X(kV1, 115, "MBMS De-Registration Response", kNone, kResponse, kControl)                                \
  X(kV1, 116, "MBMS Session Start Request", kNone, kRequest, kControl)                                    \
  X(kV1, 117, "MBMS Session Start Response", kNone, kResponse, kControl)                                  \
  X(kV1, 118, "MBMS Session Stop Request", kNone, kRequest, kControl)                                     \
  X(kV1, 119, "MBMS Session Stop Response", kNone, kResponse, kControl)                                   \
  X(kV1, 120, "MBMS Session Update Request", kNone, kRequest, kControl)                                   \
  X(kV1, 121, "MBMS Session Update Response", kNone, kResponse, kControl)                                 \
  X(kV1, 128, "MS Info Change Notification Request", kChangeNotification, kRequest, kControl)             \
  X(kV1, 129, "MS Info Change Notification Response", kChangeNotification, kResponse, kControl)           \
  X(kV1, 253, "Tunnel Status", kNone, kNotice, kUser)                                                     \
  X(kV1, 254, "End Marker", kEndMarker, kNotice, kUser)                                                   \
  X(kV1, 255, "G-PDU", kNone, kNotice, kUser)                                                             \
  X(kV2, 1, "Echo Request", kEcho, kRequest, kControl)                                                    \
  X(kV2, 2, "Echo Response", kEcho, kResponse, kControl)                                                  \
  X(kV2, 3, "Version Not Supported Indication", kVersionNotSupported, kNotice, kControl)                  \
  X(kV2, 25, "SRVCC PS to CS Request", kNone, kRequest, kControl)                                         \
  X(kV2, 26, "SRVCC PS to CS Response", kNone, kResponse, kControl)                                       \
  X(kV2, 27, "SRVCC PS to CS Complete Notification", kNone, kRequest, kControl)                           \
  X(kV2, 28, "SRVCC PS to CS Complete Acknowledge", kNone, kResponse, kControl)                           \
  X(kV2, 29, "SRVCC PS to CS Cancel Notification", kNone, kRequest, kControl)                             \
  X(kV2, 30, "SRVCC PS to CS Cancel Acknowledge", kNone, kResponse, kControl)                             \
  X(kV2, 31, "SRVCC CS to PS Request", kNone, kRequest, kControl)                                         \
  X(kV2, 32, "Create Session Request", kCreateSession, kRequest, kControl)                                \
  X(kV2, 33, "Create Session Response", kCreateSession, kResponse, kControl)                              \
  X(kV2, 34, "Modify Bearer Request", kModifyBearer, kRequest, kControl)                                  \
  X(kV2, 35, "Modify Bearer Response", kModifyBearer, kResponse, kControl)                                \
  X(kV2, 36, "Delete Session Request", kDeleteSession, kRequest, kControl)                                \
  X(kV2, 37, "Delete Session Response", kDeleteSession, kResponse, kControl)                              \
  X(kV2, 38, "Change Notification Request", kChangeNotification, kRequest, kControl)                      \
  X(kV2, 39, "Change Notification Response", kChangeNotification, kResponse, kControl)                    \
  X(kV2, 40, "Remote UE Report Notification", kNone, kRequest, kControl)                                  \
  X(kV2, 41, "Remote UE Report Acknowledge", kNone, kResponse, kControl)                                  \
  X(kV2, 64, "Modify Bearer Command", kBearerResource, kCommand, kControl)                                \
  X(kV2, 65, "Modify Bearer Failure Indication", kBearerResource, kResponse, kControl)                    \
  X(kV2, 66, "Delete Bearer Command", kBearerResource, kCommand, kControl)                                \
  X(kV2, 67, "Delete Bearer Failure Indication", kBearerResource, kResponse, kControl)                    \
  X(kV2, 68, "Bearer Resource Command", kBearerResource, kCommand, kControl)                              \
  X(kV2, 69, "Bearer Resource Failure Indication", kBearerResource, kResponse, kControl)                  \
  X(kV2, 70, "Downlink Data Notification Failure Indication", kNone, kNotice, kControl)                   \
  X(kV2, 71, "Trace Session Activation", kNone, kNotice, kControl)                                        \
  X(kV2, 72, "Trace Session Deactivation", kNone, kNotice, kControl)                                      \
  X(kV2, 73, "Stop Paging Indication", kNone, kNotice, kControl)                                          \
  X(kV2, 95, "Create Bearer Request", kCreateBearer, kRequest, kControl)                                  \
  X(kV2, 96, "Create Bearer Response", kCreateBearer, kResponse, kControl)                                \
  X(kV2, 97, "Update Bearer Request", kUpdateBearer, kRequest, kControl)                                  \
  X(kV2, 98, "Update Bearer Response", kUpdateBearer, kResponse, kControl)                                \
  X(kV2, 99, "Delete Bearer Request", kDeleteBearer, kRequest, kControl)                                  \
  X(kV2, 100, "Delete Bearer Response", kDeleteBearer, kResponse, kControl)                               \
  X(kV2, 101, "Delete PDN Connection Set Request", kDeletePdnConnectionSet, kRequest, kControl)           \
  X(kV2, 102, "Delete PDN Connection Set Response", kDeletePdnConnectionSet, kResponse, kControl)         \
  X(kV2, 103, "PGW Downlink Triggering Notification", kNone, kRequest, kControl)                          \
  X(kV2, 104, "PGW Downlink Triggering Acknowledge", kNone, kResponse, kControl)                          \
  X(kV2, 128, "Identification Request", kNone, kRequest, kControl)                                        \
  X(kV2, 129, "Identification Response", kNone, kResponse, kControl)                                      \
  X(kV2, 130, "Context Request", kContext, kRequest, kControl)                                            \
  X(kV2, 131, "Context Response", kContext, kResponse, kControl)                                          \
  X(kV2, 132, "Context Acknowledge", kContext, kAcknowledge, kControl)                                    \
  X(kV2, 133, "Forward Relocation Request", kForwardRelocation, kRequest, kControl)                       \
  X(kV2, 134, "Forward Relocation Response", kForwardRelocation, kResponse, kControl)                     \
  X(kV2, 135, "Forward Relocation Complete Notification", kForwardRelocationComplete, kRequest, kControl) \
  X(kV2, 136, "Forward Relocation Complete Acknowledge", kForwardRelocationComplete, kResponse, kControl) \
  X(kV2, 137, "Forward Access Context Notification", kNone, kRequest, kControl)                           \
  X(kV2, 138, "Forward Access Context Acknowledge", kNone, kResponse, kControl)                           \
  X(kV2, 139, "Relocation Cancel Request", kRelocationCancel, kRequest, kControl)                         \
  X(kV2, 140, "Relocation Cancel Response", kRelocationCancel, kResponse, kControl)                       \
  X(kV2, 141, "Configuration Transfer Tunnel", kNone, kNotice, kControl)                                  \
  X(kV2, 149, "Detach Notification", kNone, kRequest, kControl)                                           \
  X(kV2, 150, "Detach Acknowledge", kNone, kResponse, kControl)                                           \
  X(kV2, 151, "CS Paging Indication", kNone, kNotice, kControl)                                           \
  X(kV2, 152, "RAN Information Relay", kNone, kNotice, kControl)                                          \
  X(kV2, 153, "Alert MME Notification", kNone, kRequest, kControl)                                        \
  X(kV2, 154, "Alert MME Acknowledge", kNone, kResponse, kControl)                                        \
  X(kV2, 155, "UE Activity Notification", kNone, kRequest, kControl)                                      \
  X(kV2, 156, "UE Activity Acknowledge", kNone, kResponse, kControl)                                      \
  X(kV2, 157, "ISR Status Indication", kNone, kNotice, kControl)                                          \
  X(kV2, 158, "UE Registration Query Request", kNone, kRequest, kControl)                                 \
  X(kV2, 159, "UE Registration Query Response", kNone, kResponse, kControl)                               \
  X(kV2, 160, "Create Forwarding Tunnel Request", kNone, kRequest, kControl) /* S103: by GRE, not GTP */  \
  X(kV2, 161, "Create Forwarding Tunnel Response", kNone, kResponse, kControl)                            \
  X(kV2, 162, "Suspend Notification", kSuspend, kRequest, kControl)                                       \
  X(kV2, 163, "Suspend Acknowledge", kSuspend, kResponse, kControl)                                       \
  X(kV2, 164, "Resume Notification", kResume, kRequest, kControl)                                         \
  X(kV2, 165, "Resume Acknowledge", kResume, kResponse, kControl)                                         \
  X(kV2, 166, "Create Indirect Data Forwarding Tunnel Request", kCreateForwarding, kRequest, kControl)    \
  X(kV2, 167, "Create Indirect Data Forwarding Tunnel Response", kCreateForwarding, kResponse, kControl)  \
  X(kV2, 168, "Delete Indirect Data Forwarding Tunnel Request", kDeleteForwarding, kRequest, kControl)    \
  X(kV2, 169, "Delete Indirect Data Forwarding Tunnel Response", kDeleteForwarding, kResponse, kControl)  \
  X(kV2, 170, "Release Access Bearers Request", kReleaseAccessBearers, kRequest, kControl)                \
  X(kV2, 171, "Release Access Bearers Response", kReleaseAccessBearers, kResponse, kControl)              \
  X(kV2, 176, "Downlink Data Notification", kDownlinkDataNotification, kRequest, kControl)                \
  X(kV2, 177, "Downlink Data Notification Acknowledge", kDownlinkDataNotification, kResponse, kControl)   \
  X(kV2, 179, "PGW Restart Notification", kPgwRestart, kRequest, kControl)                                \
  X(kV2, 180, "PGW Restart Notification Acknowledge", kPgwRestart, kResponse, kControl)                   \
  X(kV2, 200, "Update PDN Connection Set Request", kNone, kRequest, kControl)                             \
  X(kV2, 201, "Update PDN Connection Set Response", kNone, kResponse, kControl)                           \
  X(kV2, 211, "Modify Access Bearers Request", kModifyAccessBearers, kRequest, kControl)                  \
  X(kV2, 212, "Modify Access Bearers Response", kModifyAccessBearers, kResponse, kControl)                \
  X(kV2, 231, "MBMS Session Start Request", kNone, kRequest, kControl)                                    \
  X(kV2, 232, "MBMS Session Start Response", kNone, kResponse, kControl)                                  \
  X(kV2, 233, "MBMS Session Update Request", kNone, kRequest, kControl)                                   \
  X(kV2, 234, "MBMS Session Update Response", kNone, kResponse, kControl)                                 \
  X(kV2, 235, "MBMS Session Stop Request", kNone, kRequest, kControl)                                     \
  X(kV2, 236, "MBMS Session Stop Response", kNone, kResponse, kControl)                                   \
  X(kV2, 240, "SRVCC CS to PS Response", kNone, kResponse, kControl)                                      \
  X(kV2, 241, "SRVCC CS to PS Complete Notification", kNone, kRequest, kControl)                          \
  X(kV2, 242, "SRVCC CS to PS Complete Acknowledge", kNone, kResponse, kControl)                          \
  X(kV2, 243, "SRVCC CS to PS Cancel Notification", kNone, kRequest, kControl)                            \
  X(kV2, 244, "SRVCC CS to PS Cancel Acknowledge", kNone, kResponse, kControl)                            \
  X(kPrime, 1, "Echo Request", kEcho, kRequest, kControl)                                                 \
  X(kPrime, 2, "Echo Response", kEcho, kResponse, kControl)                                               \
  X(kPrime, 3, "Version Not Supported", kVersionNotSupported, kNotice, kControl)                          \
  X(kPrime, 4, "Node Alive Request", kNone, kRequest, kControl)                                           \
  X(kPrime, 5, "Node Alive Response", kNone, kResponse, kControl)                                         \
  X(kPrime, 6, "Redirection Request", kNone, kRequest, kControl)                                          \
  X(kPrime, 7, "Redirection Response", kNone, kResponse, kControl)                                        \
  X(kPrime, 240, "Data Record Transfer Request", kNone, kRequest, kControl)                               \
  X(kPrime, 241, "Data Record Transfer Response", kNone, kResponse, kControl)

struct MessageTypeInfo {
  Protocol protocol;
  uint8_t type;
  absl::string_view name;
  Procedure procedure;
  Role role;
  MessagePlane plane;
};

absl::Span<const MessageTypeInfo> MessageTypes();

// Null if the standard knows no such message.
const MessageTypeInfo* FindMessageType(Protocol protocol, uint8_t type);
inline const MessageTypeInfo* FindMessageType(const MessageView& message) {
  return FindMessageType(ProtocolOf(message), message.type());
}

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_MESSAGE_TYPES_H_
