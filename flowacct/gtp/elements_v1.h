// Information elements of GTPv1, GTPv0 and GTP': tables of all types, a reader of the lists that messages are, and what
// the elements hold as values.
//
// Standards: GTPv1 3GPP TS 29.060, Release 17, 7.7 and table 37, whose section numbers stand beside what is read; GTP-U
// TS 29.281, 8; GTP' TS 32.295, 6.2; GTPv0 TS 09.60, 7.9. A type below 128 is followed by as many octets as its row
// says; one from 128 on has a length of two octets, but for the list of extension header types, whose length is one.
// Guaranteed: values lie within the list; elements of unknown types with a length are told like all others; a type
// without a length that has no row ends the list, as nobody knows where the next element begins.
// Ownership: elements and what is made of Octets borrow them. Threads: any. Errors: a Read function gives nothing if
// the octets cannot mean anything; ElementReader says why and where a list ended early. Cost: some instructions each;
// no allocation.

#ifndef FLOWACCT_GTP_ELEMENTS_V1_H_
#define FLOWACCT_GTP_ELEMENTS_V1_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/message_types.h"
#include "flowacct/gtp/values.h"

namespace flowacct::gtp::v1 {

// Number, name, octets of its value (0: it has a length), text.
#define FLOWACCT_GTP1_ELEMENTS(X)                                                      \
  X(1, kCause, 1, "Cause")                                                             \
  X(2, kImsi, 8, "IMSI")                                                               \
  X(3, kRai, 6, "Routeing Area Identity")                                              \
  X(4, kTlli, 4, "Temporary Logical Link Identity")                                    \
  X(5, kPTmsi, 4, "Packet TMSI")                                                       \
  X(8, kReorderingRequired, 1, "Reordering Required")                                  \
  X(9, kAuthenticationTriplet, 28, "Authentication Triplet")                           \
  X(11, kMapCause, 1, "MAP Cause")                                                     \
  X(12, kPTmsiSignature, 3, "P-TMSI Signature")                                        \
  X(13, kMsValidated, 1, "MS Validated")                                               \
  X(14, kRecovery, 1, "Recovery")                                                      \
  X(15, kSelectionMode, 1, "Selection Mode")                                           \
  X(16, kTeidDataI, 4, "Tunnel Endpoint Identifier Data I")                            \
  X(17, kTeidControl, 4, "Tunnel Endpoint Identifier Control Plane")                   \
  X(18, kTeidDataII, 5, "Tunnel Endpoint Identifier Data II")                          \
  X(19, kTeardownInd, 1, "Teardown Ind")                                               \
  X(20, kNsapi, 1, "NSAPI")                                                            \
  X(21, kRanapCause, 1, "RANAP Cause")                                                 \
  X(22, kRabContext, 9, "RAB Context")                                                 \
  X(23, kRadioPrioritySms, 1, "Radio Priority SMS")                                    \
  X(24, kRadioPriority, 1, "Radio Priority")                                           \
  X(25, kPacketFlowId, 2, "Packet Flow Id")                                            \
  X(26, kChargingCharacteristics, 2, "Charging Characteristics")                       \
  X(27, kTraceReference, 2, "Trace Reference")                                         \
  X(28, kTraceType, 2, "Trace Type")                                                   \
  X(29, kMsNotReachableReason, 1, "MS Not Reachable Reason")                           \
  X(126, kPacketTransferCommand, 1, "Packet Transfer Command")                         \
  X(127, kChargingId, 4, "Charging ID")                                                \
  X(128, kEndUserAddress, 0, "End User Address")                                       \
  X(129, kMmContext, 0, "MM Context")                                                  \
  X(130, kPdpContext, 0, "PDP Context")                                                \
  X(131, kApn, 0, "Access Point Name")                                                 \
  X(132, kPco, 0, "Protocol Configuration Options")                                    \
  X(133, kGsnAddress, 0, "GSN Address")                                                \
  X(134, kMsisdn, 0, "MS International PSTN/ISDN Number")                              \
  X(135, kQos, 0, "Quality of Service Profile")                                        \
  X(136, kAuthenticationQuintuplet, 0, "Authentication Quintuplet")                    \
  X(137, kTft, 0, "Traffic Flow Template")                                             \
  X(138, kTargetIdentification, 0, "Target Identification")                            \
  X(139, kUtranContainer, 0, "UTRAN Transparent Container")                            \
  X(140, kRabSetupInformation, 0, "RAB Setup Information")                             \
  X(141, kExtensionHeaderTypes, 0, "Extension Header Type List")                       \
  X(142, kTriggerId, 0, "Trigger Id")                                                  \
  X(143, kOmcIdentity, 0, "OMC Identity")                                              \
  X(144, kRanContainer, 0, "RAN Transparent Container")                                \
  X(145, kPdpContextPrioritization, 0, "PDP Context Prioritization")                   \
  X(146, kAdditionalRabSetup, 0, "Additional RAB Setup Information")                   \
  X(147, kSgsnNumber, 0, "SGSN Number")                                                \
  X(148, kCommonFlags, 0, "Common Flags")                                              \
  X(149, kApnRestriction, 0, "APN Restriction")                                        \
  X(150, kRadioPriorityLcs, 0, "Radio Priority LCS")                                   \
  X(151, kRatType, 0, "RAT Type")                                                      \
  X(152, kUli, 0, "User Location Information")                                         \
  X(153, kMsTimeZone, 0, "MS Time Zone")                                               \
  X(154, kImei, 0, "IMEI(SV)")                                                         \
  X(155, kCamelCharging, 0, "CAMEL Charging Information Container")                    \
  X(156, kMbmsUeContext, 0, "MBMS UE Context")                                         \
  X(157, kTmgi, 0, "Temporary Mobile Group Identity")                                  \
  X(158, kRimRoutingAddress, 0, "RIM Routing Address")                                 \
  X(159, kMbmsPco, 0, "MBMS Protocol Configuration Options")                           \
  X(160, kMbmsServiceArea, 0, "MBMS Service Area")                                     \
  X(161, kSourceRncPdcpContext, 0, "Source RNC PDCP Context Info")                     \
  X(162, kAdditionalTraceInfo, 0, "Additional Trace Info")                             \
  X(163, kHopCounter, 0, "Hop Counter")                                                \
  X(164, kSelectedPlmn, 0, "Selected PLMN ID")                                         \
  X(165, kMbmsSessionIdentifier, 0, "MBMS Session Identifier")                         \
  X(166, kMbms2g3gIndicator, 0, "MBMS 2G/3G Indicator")                                \
  X(167, kEnhancedNsapi, 0, "Enhanced NSAPI")                                          \
  X(168, kMbmsSessionDuration, 0, "MBMS Session Duration")                             \
  X(169, kAdditionalMbmsTraceInfo, 0, "Additional MBMS Trace Info")                    \
  X(170, kMbmsSessionRepetition, 0, "MBMS Session Repetition Number")                  \
  X(171, kMbmsTimeToDataTransfer, 0, "MBMS Time To Data Transfer")                     \
  X(173, kBssContainer, 0, "BSS Container")                                            \
  X(174, kCellIdentification, 0, "Cell Identification")                                \
  X(175, kPduNumbers, 0, "PDU Numbers")                                                \
  X(176, kBssgpCause, 0, "BSSGP Cause")                                                \
  X(177, kRequiredMbmsCapabilities, 0, "Required MBMS Bearer Capabilities")            \
  X(178, kRimRoutingDiscriminator, 0, "RIM Routing Address Discriminator")             \
  X(179, kSetUpPfcs, 0, "List of set-up PFCs")                                         \
  X(180, kPsHandoverXid, 0, "PS Handover XID Parameters")                              \
  X(181, kMsInfoChangeReporting, 0, "MS Info Change Reporting Action")                 \
  X(182, kDirectTunnelFlags, 0, "Direct Tunnel Flags")                                 \
  X(183, kCorrelationId, 0, "Correlation-ID")                                          \
  X(184, kBearerControlMode, 0, "Bearer Control Mode")                                 \
  X(185, kMbmsFlowIdentifier, 0, "MBMS Flow Identifier")                               \
  X(186, kMbmsIpMulticast, 0, "MBMS IP Multicast Distribution")                        \
  X(187, kMbmsDistributionAck, 0, "MBMS Distribution Acknowledgement")                 \
  X(188, kReliableInterRatHandover, 0, "Reliable INTER RAT HANDOVER INFO")             \
  X(189, kRfspIndex, 0, "RFSP Index")                                                  \
  X(190, kFqdn, 0, "Fully Qualified Domain Name")                                      \
  X(191, kEvolvedArpI, 0, "Evolved Allocation/Retention Priority I")                   \
  X(192, kEvolvedArpII, 0, "Evolved Allocation/Retention Priority II")                 \
  X(193, kExtendedCommonFlags, 0, "Extended Common Flags")                             \
  X(194, kUci, 0, "User CSG Information")                                              \
  X(195, kCsgReportingAction, 0, "CSG Information Reporting Action")                   \
  X(196, kCsgId, 0, "CSG ID")                                                          \
  X(197, kCsgMembership, 0, "CSG Membership Indication")                               \
  X(198, kAmbr, 0, "Aggregate Maximum Bit Rate")                                       \
  X(199, kUeNetworkCapability, 0, "UE Network Capability")                             \
  X(200, kUeAmbr, 0, "UE-AMBR")                                                        \
  X(201, kApnAmbrWithNsapi, 0, "APN-AMBR with NSAPI")                                  \
  X(202, kGgsnBackOffTime, 0, "GGSN Back-Off Time")                                    \
  X(203, kSignallingPriority, 0, "Signalling Priority Indication")                     \
  X(204, kSignallingPriorityWithNsapi, 0, "Signalling Priority Indication with NSAPI") \
  X(205, kHigherBitrates, 0, "Higher bitrates than 16 Mbps flag")                      \
  X(207, kAdditionalMmContextSrvcc, 0, "Additional MM context for SRVCC")              \
  X(208, kAdditionalFlagsSrvcc, 0, "Additional flags for SRVCC")                       \
  X(209, kStnSr, 0, "STN-SR")                                                          \
  X(210, kCMsisdn, 0, "C-MSISDN")                                                      \
  X(211, kExtendedRanapCause, 0, "Extended RANAP Cause")                               \
  X(212, kEnodebId, 0, "eNodeB ID")                                                    \
  X(213, kSelectionModeWithNsapi, 0, "Selection Mode with NSAPI")                      \
  X(214, kUliTimestamp, 0, "ULI Timestamp")                                            \
  X(215, kLhnIdWithNsapi, 0, "Local Home Network ID with NSAPI")                       \
  X(216, kOperatorSelectionEntity, 0, "CN Operator Selection Entity")                  \
  X(217, kUeUsageType, 0, "UE Usage Type")                                             \
  X(218, kExtendedCommonFlagsII, 0, "Extended Common Flags II")                        \
  X(219, kNodeIdentifier, 0, "Node Identifier")                                        \
  X(220, kCiotOptimizations, 0, "CIoT Optimizations Support Indication")               \
  X(221, kScefPdnConnection, 0, "SCEF PDN Connection")                                 \
  X(222, kIovUpdatesCounter, 0, "IOV_updates counter")                                 \
  X(223, kMappedUeUsageType, 0, "Mapped UE Usage Type")                                \
  X(224, kUpFunctionSelection, 0, "UP Function Selection Indication Flags")            \
  X(230, kTunnelStatus, 0, "GTP-U Tunnel Status Information")                          \
  X(231, kRecoveryTimestamp, 0, "Recovery Time Stamp")                                 \
  X(238, kSpecialTypeExtension, 0, "Special IE type for IE Type Extension")            \
  X(249, kReleasedPackets, 0, "Sequence Numbers of Released Packets")                  \
  X(250, kCancelledPackets, 0, "Sequence Numbers of Cancelled Packets")                \
  X(251, kChargingGatewayAddress, 0, "Charging Gateway Address")                       \
  X(252, kDataRecordPacket, 0, "Data Record Packet")                                   \
  X(253, kRequestsResponded, 0, "Requests Responded")                                  \
  X(254, kRecommendedNode, 0, "Address of Recommended Node")                           \
  X(255, kPrivateExtension, 0, "Private Extension")

// GTPv0's, where they differ from those of GTPv1: it has flow labels of two octets where GTPv1 has TEIDs.
#define FLOWACCT_GTP0_ELEMENTS(X)                         \
  X(6, kV0Qos, 3, "Quality of Service Profile")           \
  X(16, kFlowLabelDataI, 2, "Flow Label Data I")          \
  X(17, kFlowLabelSignalling, 2, "Flow Label Signalling") \
  X(18, kFlowLabelDataII, 3, "Flow Label Data II")        \
  X(19, kV0MsNotReachableReason, 1, "MS Not Reachable Reason")

enum ElementType : uint8_t {
#define X(number, name, size, text) name = number,
  FLOWACCT_GTP1_ELEMENTS(X) FLOWACCT_GTP0_ELEMENTS(X)
#undef X
};

struct ElementInfo {
  uint8_t type = 0;
  uint8_t size = 0;  // of a value without a length
  absl::string_view name;

  bool has_length() const { return type >= 128; }
};

// Null of a type that the standard does not know.
const ElementInfo* FindElement(Protocol protocol, uint8_t type);

struct Element {
  uint8_t type = 0;
  uint32_t offset = 0;  // of its type, from the start of the message
  base::Octets value;
};

// Goes through the elements of a message: while (reader.Next(&element)) ...
class ElementReader {
 public:
  // Those of a message that is not of GTPv2.
  explicit ElementReader(const MessageView& message)
      : octets_(message.octets()),
        at_(message.octets().size() - message.payload().size()),
        protocol_(ProtocolOf(message)) {}

  bool Next(Element* element);
  // After the last one: kTruncated where an element has no room, kUnsupported where a type has no row and no length.
  base::DecodeResult result() const { return result_; }

 private:
  bool End(base::DecodeCode code) {
    result_ = base::DecodeResult::Error(code, at_);
    at_ = octets_.size();
    return false;
  }

  base::Octets octets_;
  size_t at_;
  Protocol protocol_;
  base::DecodeResult result_;
};

// Numbers, of which what follows is not looked at.
std::optional<uint8_t> ReadU8(base::Octets value);
std::optional<uint16_t> ReadU16(base::Octets value);
std::optional<uint32_t> ReadU32(base::Octets value);

std::optional<base::Digits> ReadImsi(base::Octets value);    // 7.7.2: at most 15 digits
std::optional<base::Digits> ReadImei(base::Octets value);    // 7.7.53
std::optional<base::Digits> ReadMsisdn(base::Octets value);  // 7.7.33: without the octet of its numbering plan
// 7.7.3. `code` is the LAC, `cell` the RAC; a LAC of 0xfffe (and a RAC of 0xff) says nothing (7.3.1).
std::optional<LocationArea> ReadRai(base::Octets value);
inline bool TellsArea(const LocationArea& rai) { return rai.code != 0xfffe; }
inline uint8_t SelectionMode(uint8_t octet) { return octet & 0x03; }  // 7.7.12
inline uint8_t Nsapi(uint8_t octet) { return octet & 0x0f; }          // 7.7.17
inline bool Teardown(uint8_t octet) { return (octet & 0x01) != 0; }   // 7.7.16
inline uint8_t RadioPriority(uint8_t octet) { return octet & 0x07; }  // 7.7.21; the NSAPI in the upper half

struct NsapiTeid {  // TEID Data II (7.7.15), of GTPv0 the flow label
  uint8_t nsapi = 0;
  uint32_t teid = 0;
};
std::optional<NsapiTeid> ReadTeidDataII(base::Octets value);

// PDP types (7.7.27): organisation and number.
inline constexpr uint8_t kPdpOrgEtsi = 0, kPdpOrgIetf = 1;
inline constexpr uint8_t kPdpPpp = 1, kPdpIpv4 = 0x21, kPdpIpv6 = 0x57, kPdpIpv4v6 = 0x8d;

struct EndUserAddress {  // 7.7.27
  uint8_t organisation = 0, number = 0;
  std::optional<base::IpAddress> v4, v6;  // as they came; absent where they are still to be assigned

  // As correlation has them: 0.0.0.0 is absent, and of IPv6 the prefix of 64 bits (TS 29.061, 11.2.1.3).
  UeAddresses addresses() const;
};
std::optional<EndUserAddress> ReadEndUserAddress(base::Octets value);

// GSN address (7.7.32), charging gateway address, address of recommended node: IPv4 or IPv6.
std::optional<base::IpAddress> ReadAddress(base::Octets value);

struct Qos {        // 7.7.34 with TS 24.008, 10.5.6.5; kbit/s; 0 is what was subscribed, or not told
  uint8_t arp = 0;  // allocation/retention priority, 1 to 3
  uint8_t delay_class = 0, reliability_class = 0, peak_throughput = 0, precedence_class = 0, mean_throughput = 0;
  // From here on only if `extended`: more than the profile of Release 97.
  bool extended = false;
  uint8_t traffic_class = 0;  // 1 conversational, 2 streaming, 3 interactive, 4 background
  uint8_t handling_priority = 0;
  bool signalling = false;
  uint32_t max_up = 0, max_down = 0, guaranteed_up = 0, guaranteed_down = 0;
};
std::optional<Qos> ReadQos(base::Octets value);
std::optional<Qos> ReadV0Qos(base::Octets value);  // TS 09.60, 7.9.6

std::optional<UserLocation> ReadUli(base::Octets value);  // 7.7.51: CGI, SAI or RAI

struct Ambr {  // 7.7.98, kbit/s
  uint32_t up = 0, down = 0;
};
std::optional<Ambr> ReadAmbr(base::Octets value);

// Evolved ARP I (7.7.91): the octet of TS 29.274, 8.86. Evolved ARP II (7.7.92) has the NSAPI before it.
struct NsapiArp {
  uint8_t nsapi = 0, arp = 0;
};
std::optional<NsapiArp> ReadEvolvedArpII(base::Octets value);

struct PdpContext {  // 7.7.29; of GTPv0 TS 09.60, 7.9.16
  uint8_t nsapi = 0, sapi = 0;
  bool vplmn_address_allowed = false, activity = false, reordering = false;
  base::Octets qos_subscribed, qos_requested, qos_negotiated;
  uint16_t sequence_down = 0, sequence_up = 0;
  uint32_t teid_control = 0;  // uplink: of the GGSN; of GTPv0 the flow label for signalling
  uint32_t teid_data = 0;     // of GTPv0 not told
  uint8_t context_identifier = 0;
  EndUserAddress address;
  std::optional<base::IpAddress> ggsn_control, ggsn_user;
  std::optional<Apn> apn;
  uint16_t transaction_identifier = 0;
};
std::optional<PdpContext> ReadPdpContext(Protocol protocol, base::Octets value);

struct RabSetup {  // RAB setup information (7.7.39); without a tunnel if the RAB was not set up
  uint8_t nsapi = 0;
  std::optional<uint32_t> teid;
  std::optional<base::IpAddress> address;
};
std::optional<RabSetup> ReadRabSetup(base::Octets value);

struct PrivateExtension {  // 7.7.46
  uint16_t enterprise = 0;
  base::Octets value;
};
std::optional<PrivateExtension> ReadPrivateExtension(base::Octets value);

}  // namespace flowacct::gtp::v1

#endif  // FLOWACCT_GTP_ELEMENTS_V1_H_
