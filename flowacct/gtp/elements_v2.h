// Information elements of GTPv2-C: a table of all types, a reader of type, length, instance and value, groups walked to
// a bounded depth, and what the elements hold as values.
//
// Standard: 3GPP TS 29.274, Release 17, clause 8; section numbers beside the types are its own. Elements that have no
// Read function below stay octets. Octets beyond those that are known here are ignored, as 29.274, 7.7.10 and 8.1, has
// it of extendable elements; what is shorter than its fields gives nothing.
// Ownership: elements and what is made of Octets borrow them. Threads: any. Errors: a Read function gives nothing if
// the octets cannot mean anything; ElementReader says where a length lies. Cost: some instructions each; no allocation
// but for texts.

#ifndef FLOWACCT_GTP_ELEMENTS_V2_H_
#define FLOWACCT_GTP_ELEMENTS_V2_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/values.h"

namespace flowacct::gtp::v2 {

// Table 8.1-1: number, name, rule of length, octets that are needed (of a fixed length: all), text. A grouped element
// is extendable and holds elements.
#define FLOWACCT_GTP2_ELEMENTS(X)                                                                      \
  X(1, kImsi, kVariable, 1, "IMSI")                                                                    \
  X(2, kCause, kVariable, 2, "Cause")                                                                  \
  X(3, kRecovery, kVariable, 1, "Recovery")                                                            \
  X(51, kStnSr, kVariable, 1, "STN-SR")                                                                \
  X(52, kSourceToTargetContainer, kVariable, 1, "Source to Target Transparent Container")              \
  X(53, kTargetToSourceContainer, kVariable, 1, "Target to Source Transparent Container")              \
  X(54, kMmContextEutranSrvcc, kVariable, 1, "MM Context for E-UTRAN SRVCC")                           \
  X(55, kMmContextUtranSrvcc, kVariable, 1, "MM Context for UTRAN SRVCC")                              \
  X(56, kSrvccCause, kVariable, 1, "SRVCC Cause")                                                      \
  X(57, kTargetRncId, kVariable, 1, "Target RNC ID")                                                   \
  X(58, kTargetGlobalCellId, kVariable, 1, "Target Global Cell ID")                                    \
  X(59, kTeidC, kVariable, 4, "TEID-C")                                                                \
  X(60, kSvFlags, kVariable, 1, "Sv Flags")                                                            \
  X(61, kServiceAreaIdentifier, kVariable, 1, "Service Area Identifier")                               \
  X(62, kMmContextCsToPsSrvcc, kVariable, 1, "MM Context for CS to PS SRVCC")                          \
  X(71, kApn, kVariable, 1, "APN")                                                                     \
  X(72, kAmbr, kFixed, 8, "AMBR")                                                                      \
  X(73, kEbi, kExtendable, 1, "EPS Bearer ID")                                                         \
  X(74, kIpAddress, kVariable, 4, "IP Address")                                                        \
  X(75, kMei, kVariable, 1, "MEI")                                                                     \
  X(76, kMsisdn, kVariable, 1, "MSISDN")                                                               \
  X(77, kIndication, kExtendable, 1, "Indication")                                                     \
  X(78, kPco, kVariable, 1, "PCO")                                                                     \
  X(79, kPaa, kVariable, 1, "PAA")                                                                     \
  X(80, kBearerQos, kVariable, 22, "Bearer QoS")                                                       \
  X(81, kFlowQos, kExtendable, 21, "Flow QoS")                                                         \
  X(82, kRatType, kExtendable, 1, "RAT Type")                                                          \
  X(83, kServingNetwork, kExtendable, 3, "Serving Network")                                            \
  X(84, kBearerTft, kVariable, 1, "Bearer TFT")                                                        \
  X(85, kTad, kVariable, 1, "TAD")                                                                     \
  X(86, kUli, kExtendable, 1, "ULI")                                                                   \
  X(87, kFteid, kExtendable, 5, "F-TEID")                                                              \
  X(88, kTmsi, kVariable, 4, "TMSI")                                                                   \
  X(89, kGlobalCnId, kVariable, 5, "Global CN-Id")                                                     \
  X(90, kS103DataForwarding, kVariable, 6, "S103 PDN Data Forwarding Info")                            \
  X(91, kS1UDataForwarding, kVariable, 6, "S1-U Data Forwarding Info")                                 \
  X(92, kDelayValue, kExtendable, 1, "Delay Value")                                                    \
  X(93, kBearerContext, kGrouped, 0, "Bearer Context")                                                 \
  X(94, kChargingId, kExtendable, 4, "Charging ID")                                                    \
  X(95, kChargingCharacteristics, kExtendable, 2, "Charging Characteristics")                          \
  X(96, kTraceInformation, kVariable, 1, "Trace Information")                                          \
  X(97, kBearerFlags, kExtendable, 1, "Bearer Flags")                                                  \
  X(99, kPdnType, kExtendable, 1, "PDN Type")                                                          \
  X(100, kPti, kExtendable, 1, "Procedure Transaction ID")                                             \
  X(103, kMmContextGsmTriplets, kExtendable, 1, "MM Context (GSM Key and Triplets)")                   \
  X(104, kMmContextUmtsUsedCipher, kExtendable, 1, "MM Context (UMTS Key, Used Cipher, Quintuplets)")  \
  X(105, kMmContextGsmUsedCipher, kExtendable, 1, "MM Context (GSM Key, Used Cipher, Quintuplets)")    \
  X(106, kMmContextUmts, kExtendable, 1, "MM Context (UMTS Key and Quintuplets)")                      \
  X(107, kMmContextEps, kExtendable, 1, "MM Context (EPS Security Context, Quadruplets, Quintuplets)") \
  X(108, kMmContextUmtsQuadruplets, kExtendable, 1, "MM Context (UMTS Key, Quadruplets, Quintuplets)") \
  X(109, kPdnConnection, kGrouped, 0, "PDN Connection")                                                \
  X(110, kPduNumbers, kExtendable, 9, "PDU Numbers")                                                   \
  X(111, kPTmsi, kVariable, 4, "P-TMSI")                                                               \
  X(112, kPTmsiSignature, kVariable, 3, "P-TMSI Signature")                                            \
  X(113, kHopCounter, kExtendable, 1, "Hop Counter")                                                   \
  X(114, kUeTimeZone, kVariable, 2, "UE Time Zone")                                                    \
  X(115, kTraceReference, kFixed, 6, "Trace Reference")                                                \
  X(116, kCompleteRequestMessage, kVariable, 1, "Complete Request Message")                            \
  X(117, kGuti, kVariable, 10, "GUTI")                                                                 \
  X(118, kFContainer, kVariable, 1, "F-Container")                                                     \
  X(119, kFCause, kVariable, 1, "F-Cause")                                                             \
  X(120, kPlmnId, kVariable, 3, "PLMN ID")                                                             \
  X(121, kTargetIdentification, kVariable, 1, "Target Identification")                                 \
  X(123, kPacketFlowId, kVariable, 1, "Packet Flow ID")                                                \
  X(124, kRabContext, kFixed, 9, "RAB Context")                                                        \
  X(125, kSourceRncPdcpContext, kVariable, 1, "Source RNC PDCP Context Info")                          \
  X(126, kPortNumber, kExtendable, 2, "Port Number")                                                   \
  X(127, kApnRestriction, kExtendable, 1, "APN Restriction")                                           \
  X(128, kSelectionMode, kExtendable, 1, "Selection Mode")                                             \
  X(129, kSourceIdentification, kVariable, 1, "Source Identification")                                 \
  X(131, kChangeReportingAction, kVariable, 1, "Change Reporting Action")                              \
  X(132, kFqCsid, kExtendable, 1, "FQ-CSID")                                                           \
  X(133, kChannelNeeded, kExtendable, 1, "Channel Needed")                                             \
  X(134, kEmlppPriority, kExtendable, 1, "eMLPP Priority")                                             \
  X(135, kNodeType, kExtendable, 1, "Node Type")                                                       \
  X(136, kFqdn, kExtendable, 1, "FQDN")                                                                \
  X(137, kTransactionIdentifier, kVariable, 1, "Transaction Identifier")                               \
  X(138, kMbmsSessionDuration, kExtendable, 3, "MBMS Session Duration")                                \
  X(139, kMbmsServiceArea, kExtendable, 1, "MBMS Service Area")                                        \
  X(140, kMbmsSessionIdentifier, kExtendable, 1, "MBMS Session Identifier")                            \
  X(141, kMbmsFlowIdentifier, kExtendable, 2, "MBMS Flow Identifier")                                  \
  X(142, kMbmsIpMulticastDistribution, kExtendable, 4, "MBMS IP Multicast Distribution")               \
  X(143, kMbmsDistributionAcknowledge, kExtendable, 1, "MBMS Distribution Acknowledge")                \
  X(144, kRfspIndex, kFixed, 2, "RFSP Index")                                                          \
  X(145, kUci, kExtendable, 8, "User CSG Information")                                                 \
  X(146, kCsgReportingAction, kExtendable, 1, "CSG Information Reporting Action")                      \
  X(147, kCsgId, kExtendable, 4, "CSG ID")                                                             \
  X(148, kCsgMembershipIndication, kExtendable, 1, "CSG Membership Indication")                        \
  X(149, kServiceIndicator, kFixed, 1, "Service Indicator")                                            \
  X(150, kDetachType, kFixed, 1, "Detach Type")                                                        \
  X(151, kLocalDistinguishedName, kVariable, 1, "Local Distinguished Name")                            \
  X(152, kNodeFeatures, kExtendable, 1, "Node Features")                                               \
  X(153, kMbmsTimeToDataTransfer, kExtendable, 1, "MBMS Time to Data Transfer")                        \
  X(154, kThrottling, kExtendable, 2, "Throttling")                                                    \
  X(155, kArp, kExtendable, 1, "ARP")                                                                  \
  X(156, kEpcTimer, kExtendable, 1, "EPC Timer")                                                       \
  X(157, kSignallingPriority, kExtendable, 1, "Signalling Priority Indication")                        \
  X(158, kTmgi, kExtendable, 6, "TMGI")                                                                \
  X(159, kAdditionalMmContextSrvcc, kExtendable, 1, "Additional MM Context for SRVCC")                 \
  X(160, kAdditionalFlagsSrvcc, kExtendable, 1, "Additional Flags for SRVCC")                          \
  X(162, kMdtConfiguration, kExtendable, 1, "MDT Configuration")                                       \
  X(163, kApco, kExtendable, 1, "APCO")                                                                \
  X(164, kMbmsAbsoluteTime, kExtendable, 8, "Absolute Time of MBMS Data Transfer")                     \
  X(165, kHenbReporting, kExtendable, 1, "H(e)NB Information Reporting")                               \
  X(166, kIp4cp, kExtendable, 5, "IPv4 Configuration Parameters")                                      \
  X(167, kChangeToReportFlags, kExtendable, 1, "Change to Report Flags")                               \
  X(168, kActionIndication, kExtendable, 1, "Action Indication")                                       \
  X(169, kTwanIdentifier, kExtendable, 1, "TWAN Identifier")                                           \
  X(170, kUliTimestamp, kExtendable, 4, "ULI Timestamp")                                               \
  X(171, kMbmsFlags, kExtendable, 1, "MBMS Flags")                                                     \
  X(172, kRanNasCause, kExtendable, 2, "RAN/NAS Cause")                                                \
  X(173, kCnOperatorSelectionEntity, kExtendable, 1, "CN Operator Selection Entity")                   \
  X(174, kTrustedWlanMode, kExtendable, 1, "Trusted WLAN Mode Indication")                             \
  X(175, kNodeNumber, kExtendable, 1, "Node Number")                                                   \
  X(176, kNodeIdentifier, kExtendable, 1, "Node Identifier")                                           \
  X(177, kPresenceAreaAction, kExtendable, 1, "Presence Reporting Area Action")                        \
  X(178, kPresenceAreaInformation, kExtendable, 4, "Presence Reporting Area Information")              \
  X(179, kTwanIdentifierTimestamp, kExtendable, 4, "TWAN Identifier Timestamp")                        \
  X(180, kOverloadControl, kGrouped, 0, "Overload Control Information")                                \
  X(181, kLoadControl, kGrouped, 0, "Load Control Information")                                        \
  X(182, kMetric, kFixed, 1, "Metric")                                                                 \
  X(183, kSequenceNumber, kFixed, 4, "Sequence Number")                                                \
  X(184, kApnAndRelativeCapacity, kExtendable, 2, "APN and Relative Capacity")                         \
  X(185, kWlanOffloadability, kExtendable, 1, "WLAN Offloadability Indication")                        \
  X(186, kPagingAndServiceInformation, kExtendable, 2, "Paging and Service Information")               \
  X(187, kIntegerNumber, kVariable, 1, "Integer Number")                                               \
  X(188, kMillisecondTimestamp, kExtendable, 6, "Millisecond Time Stamp")                              \
  X(189, kMonitoringEvent, kExtendable, 1, "Monitoring Event Information")                             \
  X(190, kEcgiList, kExtendable, 2, "ECGI List")                                                       \
  X(191, kRemoteUeContext, kGrouped, 0, "Remote UE Context")                                           \
  X(192, kRemoteUserId, kExtendable, 1, "Remote User ID")                                              \
  X(193, kRemoteUeIpInformation, kVariable, 1, "Remote UE IP Information")                             \
  X(194, kCiotOptimizations, kExtendable, 1, "CIoT Optimizations Support Indication")                  \
  X(195, kScefPdnConnection, kGrouped, 0, "SCEF PDN Connection")                                       \
  X(196, kHeaderCompression, kExtendable, 4, "Header Compression Configuration")                       \
  X(197, kEpco, kVariable, 1, "ePCO")                                                                  \
  X(198, kServingPlmnRateControl, kExtendable, 4, "Serving PLMN Rate Control")                         \
  X(199, kCounter, kExtendable, 5, "Counter")                                                          \
  X(200, kMappedUeUsageType, kExtendable, 2, "Mapped UE Usage Type")                                   \
  X(201, kSecondaryRatUsage, kExtendable, 27, "Secondary RAT Usage Data Report")                       \
  X(202, kUpFunctionSelection, kExtendable, 1, "UP Function Selection Indication Flags")               \
  X(203, kMaximumPacketLossRate, kExtendable, 1, "Maximum Packet Loss Rate")                           \
  X(204, kApnRateControlStatus, kExtendable, 20, "APN Rate Control Status")                            \
  X(205, kExtendedTraceInformation, kExtendable, 1, "Extended Trace Information")                      \
  X(206, kMonitoringEventExtension, kExtendable, 1, "Monitoring Event Extension Information")          \
  X(207, kAdditionalRrmPolicyIndex, kExtendable, 4, "Additional RRM Policy Index")                     \
  X(208, kV2xContext, kGrouped, 0, "V2X Context")                                                      \
  X(209, kPc5QosParameters, kGrouped, 0, "PC5 QoS Parameters")                                         \
  X(210, kServicesAuthorized, kExtendable, 1, "Services Authorized")                                   \
  X(211, kBitRate, kExtendable, 4, "Bit Rate")                                                         \
  X(212, kPc5QosFlow, kExtendable, 10, "PC5 QoS Flow")                                                 \
  X(213, kSgiPtpTunnelAddress, kExtendable, 1, "SGi PtP Tunnel Address")                               \
  X(214, kPgwChangeInfo, kGrouped, 0, "PGW Change Info")                                               \
  X(215, kPgwFqdn, kExtendable, 1, "PGW FQDN")                                                         \
  X(216, kGroupId, kVariable, 1, "Group Id")                                                           \
  X(217, kPscellId, kFixed, 8, "PSCell ID")                                                            \
  X(218, kUpSecurityPolicy, kExtendable, 1, "UP Security Policy")                                      \
  X(219, kAlternativeImsi, kVariable, 1, "Alternative IMSI")                                           \
  X(254, kExtendedType, kVariable, 2, "IE Type Extension")                                             \
  X(255, kPrivateExtension, kVariable, 2, "Private Extension")

enum ElementType : uint8_t {
#define X(number, name, rule, size, text) name = number,
  FLOWACCT_GTP2_ELEMENTS(X)
#undef X
};

enum class LengthRule : uint8_t { kVariable, kFixed, kExtendable, kGrouped };

struct ElementInfo {
  uint8_t type = 0;
  LengthRule rule = LengthRule::kVariable;
  uint8_t size = 0;  // of the octets that are needed
  absl::string_view name;

  bool grouped() const { return rule == LengthRule::kGrouped; }
};

// Null of a type that is spare or reserved.
const ElementInfo* FindElement(uint8_t type);

struct Element {
  uint8_t type = 0;
  uint8_t instance = 0;  // which of several parameters of the same type it is
  uint8_t spare = 0;     // the four bits beside the instance
  uint32_t offset = 0;   // of its type, from the start of what the reader was given
  base::Octets value;
};

// Goes through elements that follow each other (8.2). Element by element: while (reader.Next(&element)) ...
class ElementReader {
 public:
  static constexpr size_t kHeaderSize = 4;

  // `offset` is what the elements' offsets count from.
  explicit ElementReader(base::Octets octets, size_t offset = 0)
      : octets_(octets), origin_(static_cast<uint32_t>(offset)) {}

  bool Next(Element* element) {
    const size_t rest = octets_.size() - at_;
    if (rest == 0) return false;
    const uint8_t* p = octets_.data() + at_;
    const uint32_t offset = origin_ + static_cast<uint32_t>(at_);
    const size_t size = rest < kHeaderSize ? 0 : base::LoadBe16(p + 1);
    if (rest < kHeaderSize || size > rest - kHeaderSize) {
      result_ = base::DecodeResult::Error(base::DecodeCode::kTruncated, offset);
      at_ = octets_.size();
      return false;
    }
    element->type = p[0];
    element->instance = p[3] & 0xf;
    element->spare = p[3] >> 4;
    element->offset = offset;
    element->value = base::Octets(p + kHeaderSize, size);
    at_ += kHeaderSize + size;
    return true;
  }
  // After the last one: kTruncated with the place of an element that has no room, of which nothing is read.
  base::DecodeResult result() const { return result_; }

 private:
  base::Octets octets_;
  size_t at_ = 0;
  uint32_t origin_;
  base::DecodeResult result_;
};

struct WalkOptions {
  // Of groups within groups. The standard nests two (a bearer context in a PDN connection); a stranger could nest
  // as many as fit into a datagram, some 16,000.
  size_t max_depth = 8;
};

// Calls `visit` with each element and how many groups are around it, groups before what they hold. `counters`: kOk for
// each element, kTooDeep for each group that was not entered, kTruncated for each list that ended early, kBadLength for
// each element that is shorter than it must be.
void WalkElements(base::Octets octets, const WalkOptions& options,
                  absl::FunctionRef<void(const Element&, size_t depth)> visit, base::DecodeCounters* counters);

// Numbers.
std::optional<uint8_t> ReadU8(base::Octets value);
std::optional<uint16_t> ReadU16(base::Octets value);
std::optional<uint32_t> ReadU32(base::Octets value);

// Identities: at most 15 digits of an IMSI (8.3), 16 of an IMEISV (8.10) or an MSISDN (8.11).
std::optional<base::Digits> ReadImsi(base::Octets value);
std::optional<base::Digits> ReadMei(base::Octets value);
std::optional<base::Digits> ReadMsisdn(base::Octets value);

struct Cause {  // 8.4
  uint8_t value = 0;
  bool from_remote = false;           // CS: of a node behind the sender
  bool bearer_context_error = false;  // BCE
  bool pdn_connection_error = false;  // PCE
  bool has_offending = false;
  uint8_t offending_type = 0, offending_instance = 0;
};
std::optional<Cause> ReadCause(base::Octets value);

struct Ambr {  // 8.7, kbit/s
  uint32_t up = 0, down = 0;
};
std::optional<Ambr> ReadAmbr(base::Octets value);

std::optional<uint8_t> ReadEbi(base::Octets value);                // 8.8
std::optional<base::IpAddress> ReadIpAddress(base::Octets value);  // 8.9
std::optional<Apn> ReadApn(base::Octets value);                    // 8.6
inline std::optional<Plmn> ReadPlmn(base::Octets value) {          // 8.18, 8.50; what follows is ignored
  if (value.size() < 3) return std::nullopt;
  const Plmn plmn = PlmnFromOctets(value.data());
  return plmn.empty() ? std::nullopt : std::optional<Plmn>(plmn);
}

// Indication flags in the order of their bits: octet 5, bit 8 first (8.12).
#define FLOWACCT_GTP2_INDICATIONS(X)                                                                                   \
  X(DAF)                                                                                                               \
  X(DTF)                                                                                                               \
  X(HI)                                                                                                                \
  X(DFI) X(OI) X(ISRSI) X(ISRAI) X(SGWCI) X(SQCI) X(UIMSI) X(CFSI) X(CRSI) X(P) X(PT) X(SI) X(MSV) X(RetLoc) X(PBIC)   \
      X(SRNI) X(S6AF) X(S4AF) X(MBMDT) X(ISRAU) X(CCRSI) X(CPRAI) X(ARRL) X(PPOF) X(PPON) X(PPSI) X(CSFBI) X(CLII)     \
          X(CPSR) X(NSI) X(UASI) X(DTCI) X(BDWI) X(PSCI) X(PCRI) X(AOSI) X(AOPI) X(ROAAI) X(EPCOSI) X(CPOPCI)          \
              X(PMTSMI) X(S11TF) X(PNSI) X(UNACCSI) X(WPMSI) X(5GSNN26) X(REPREFI) X(5GSIWK) X(EEVRSI) X(LTEMUI)       \
                  X(LTEMPI) X(ENBCRSI) X(TSPCMI) X(CSRMFI) X(MTEDTN) X(MTEDTA) X(N5GNMI) X(5GCNRS) X(5GCNRI) X(5SRHOI) \
                      X(ETHPDN) X(NSPUSI) X(PGWRNSI) X(RPPCSI) X(PGWCHI) X(SISSME) X(NSENBI) X(IDFUPF) X(EMCI)         \
                          X(spare1) X(spare2) X(spare3) X(spare4) X(spare5) X(LTEMSAI) X(SRTPI) X(UPIPSI)

inline constexpr size_t kIndicationFlags = 80;
absl::string_view IndicationFlagName(size_t flag);  // "HI"; empty if unknown or spare
// Whether flag number `flag` is set; one that the element does not reach is not.
inline bool HasIndication(base::Octets value, size_t flag) {
  return flag / 8 < value.size() && (value[flag / 8] >> (7 - flag % 8) & 1) != 0;
}
// The first eight octets, octet 5 in the most significant one: as ControlMessage::indication has it.
uint64_t ReadIndication(base::Octets value);

// Protocol configuration options (8.13 and 8.128; TS 24.008, 10.5.6.3 and 10.5.6.3A): protocol identifiers of PPP and
// container identifiers, each with its octets.
struct PcoItem {
  uint16_t id = 0;
  base::Octets contents;
};
class PcoReader {
 public:
  // Of PCO and APCO; of ePCO with `extended`, where some containers have lengths of two octets.
  explicit PcoReader(base::Octets value, bool extended = false);
  uint8_t configuration_protocol() const { return protocol_; }
  bool Next(PcoItem* item);
  bool ok() const { return ok_; }  // after the last one: no length lay

 private:
  base::Octets rest_;
  uint8_t protocol_ = 0;
  bool extended_;
  bool ok_ = true;
};

// Numbers of 8.34 and of 8.14.
enum PdnType : uint8_t { kIpv4 = 1, kIpv6 = 2, kIpv4v6 = 3, kNonIp = 4, kEthernet = 5 };
absl::string_view PdnTypeName(uint8_t type);  // "IPv4v6"; empty if unknown
std::optional<uint8_t> ReadPdnType(base::Octets value);

struct Paa {  // 8.14
  uint8_t pdn_type = 0;
  UeAddresses addresses;
};
std::optional<Paa> ReadPaa(base::Octets value);

// Allocation and retention priority as one octet (8.86).
struct Arp {
  uint8_t octet = 0;
  bool preemption_capability() const { return (octet & 0x40) == 0; }  // 0 is enabled (TS 29.212, 5.3.46)
  uint8_t priority_level() const { return octet >> 2 & 0xf; }
  bool preemption_vulnerability() const { return (octet & 0x01) == 0; }  // 0 is enabled (TS 29.212, 5.3.47)
};

struct Qos {  // Bearer QoS (8.15) and Flow QoS (8.16), which lacks the ARP; kbit/s
  Arp arp;
  uint8_t qci = 0;
  uint64_t max_up = 0, max_down = 0, guaranteed_up = 0, guaranteed_down = 0;
};
std::optional<Qos> ReadBearerQos(base::Octets value);
std::optional<Qos> ReadFlowQos(base::Octets value);

// 8.21. An area whose network is no number is left out; nothing if none is left.
std::optional<UserLocation> ReadUli(base::Octets value);
// 8.22. Nothing if it has neither address.
std::optional<Fteid> ReadFteid(base::Octets value, uint8_t instance);

struct GlobalCnId {  // 8.24
  Plmn plmn;
  uint16_t cn = 0;
};
std::optional<GlobalCnId> ReadGlobalCnId(base::Octets value);

struct DataForwarding {  // 8.25 (S103: `key` is a GRE key), 8.26 (S1-U: `key` is the TEID of the SGW)
  base::IpAddress address;
  uint32_t key = 0;
  uint8_t ebi = 0;                 // 8.26
  std::array<uint8_t, 16> ebis{};  // 8.25
  uint8_t ebi_count = 0;
};
std::optional<DataForwarding> ReadS103DataForwarding(base::Octets value);
std::optional<DataForwarding> ReadS1UDataForwarding(base::Octets value);

struct TraceReference {  // 8.45
  Plmn plmn;
  uint32_t id = 0;
};
std::optional<TraceReference> ReadTraceReference(base::Octets value);

struct UeTimeZone {             // 8.44
  uint8_t octet = 0;            // TimeZoneMinutes says what it means
  uint8_t daylight_saving = 0;  // hours
};
std::optional<UeTimeZone> ReadUeTimeZone(base::Octets value);

struct Guti {  // 8.47
  Plmn plmn;
  uint16_t mme_group = 0;
  uint8_t mme_code = 0;
  uint32_t m_tmsi = 0;
};
std::optional<Guti> ReadGuti(base::Octets value);

// A message, container or identification behind the octet that says of what kind (8.46, 8.48, 8.49, 8.51).
struct TypedOctets {
  uint8_t type = 0;
  base::Octets octets;
};
std::optional<TypedOctets> ReadCompleteRequestMessage(base::Octets value);
std::optional<TypedOctets> ReadFContainer(base::Octets value);
std::optional<TypedOctets> ReadFCause(base::Octets value);
std::optional<TypedOctets> ReadTargetIdentification(base::Octets value);

struct FqCsid {           // 8.62
  uint8_t node_type = 0;  // 0: `address` is IPv4, 1: IPv6, 2: of `node`, a number
  std::optional<base::IpAddress> address;
  uint32_t node = 0;
  base::Octets csids;  // of two octets each
  size_t size() const { return csids.size() / 2; }
  uint16_t operator[](size_t i) const { return base::LoadBe16(csids.data() + 2 * i); }
};
std::optional<FqCsid> ReadFqCsid(base::Octets value);

struct PrivateExtension {  // 8.67
  uint16_t enterprise = 0;
  base::Octets octets;
};
std::optional<PrivateExtension> ReadPrivateExtension(base::Octets value);

struct Ip4cp {
  uint8_t prefix_length = 0;
  base::IpAddress router;
};
std::optional<Ip4cp> ReadIp4cp(base::Octets value);

// Of EPC timer (8.87): nothing if it is infinite; 0: it is stopped.
std::optional<uint32_t> EpcTimerSeconds(uint8_t octet);
// ULI timestamp and others that count from 1900 as NTP does: seconds since 1970, of 1968 to 2104 (RFC 4330, 3).
std::optional<int64_t> ReadTimestamp(base::Octets value);

struct UserCsg {  // 8.75
  Plmn plmn;
  uint32_t csg = 0;
  uint8_t access_mode = 0;
  bool leaves = false, member = false;  // LCSG, CMI
};
std::optional<UserCsg> ReadUserCsg(base::Octets value);

struct SecondaryRatUsage {
  bool to_pgw = false, to_sgw = false;  // IRPGW, IRSGW: who is meant
  uint8_t rat = 0;                      // 0: NR
  uint8_t ebi = 0;
  int64_t start = 0, end = 0;  // seconds since 1970
  uint64_t octets_down = 0, octets_up = 0;
};
std::optional<SecondaryRatUsage> ReadSecondaryRatUsage(base::Octets value);

struct RateControlCounter {
  int64_t start = 0;  // seconds since 1970
  uint8_t value = 0;
};
std::optional<RateControlCounter> ReadCounter(base::Octets value);

struct ApnCapacity {
  uint8_t capacity = 0;  // per cent
  Apn apn;
};
std::optional<ApnCapacity> ReadApnCapacity(base::Octets value);

std::optional<uint64_t> ReadMillisecondTimestamp(base::Octets value);  // since 1900
std::optional<uint64_t> ReadIntegerNumber(base::Octets value);         // of 1 to 8 octets

}  // namespace flowacct::gtp::v2

#endif  // FLOWACCT_GTP_ELEMENTS_V2_H_
