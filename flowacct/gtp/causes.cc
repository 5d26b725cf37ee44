#include "flowacct/gtp/causes.h"

namespace flowacct::gtp {

namespace {

// Number, name.
#define FLOWACCT_GTP2_CAUSES(X)                                                                        \
  X(2, "Local detach")                                                                                 \
  X(3, "Complete detach")                                                                              \
  X(4, "RAT changed from 3GPP to Non-3GPP")                                                            \
  X(5, "ISR deactivation")                                                                             \
  X(6, "Error Indication received from RNC/eNodeB/S4-SGSN")                                            \
  X(7, "IMSI Detach Only")                                                                             \
  X(8, "Reactivation Requested")                                                                       \
  X(9, "PDN reconnection to this APN disallowed")                                                      \
  X(10, "Access changed from Non-3GPP to 3GPP")                                                        \
  X(11, "PDN connection inactivity timer expires")                                                     \
  X(12, "PGW not responding")                                                                          \
  X(13, "Network Failure")                                                                             \
  X(14, "QoS parameter mismatch")                                                                      \
  X(15, "EPS to 5GS Mobility")                                                                         \
  X(16, "Request accepted")                                                                            \
  X(17, "Request accepted partially")                                                                  \
  X(18, "New PDN type due to network preference")                                                      \
  X(19, "New PDN type due to single address bearer only")                                              \
  X(64, "Context Not Found")                                                                           \
  X(65, "Invalid Message Format")                                                                      \
  X(66, "Version not supported by next peer")                                                          \
  X(67, "Invalid length")                                                                              \
  X(68, "Service not supported")                                                                       \
  X(69, "Mandatory IE incorrect")                                                                      \
  X(70, "Mandatory IE missing")                                                                        \
  X(72, "System failure")                                                                              \
  X(73, "No resources available")                                                                      \
  X(74, "Semantic error in the TFT operation")                                                         \
  X(75, "Syntactic error in the TFT operation")                                                        \
  X(76, "Semantic errors in packet filter(s)")                                                         \
  X(77, "Syntactic errors in packet filter(s)")                                                        \
  X(78, "Missing or unknown APN")                                                                      \
  X(80, "GRE key not found")                                                                           \
  X(81, "Relocation failure")                                                                          \
  X(82, "Denied in RAT")                                                                               \
  X(83, "Preferred PDN type not supported")                                                            \
  X(84, "All dynamic addresses are occupied")                                                          \
  X(85, "UE context without TFT already activated")                                                    \
  X(86, "Protocol type not supported")                                                                 \
  X(87, "UE not responding")                                                                           \
  X(88, "UE refuses")                                                                                  \
  X(89, "Service denied")                                                                              \
  X(90, "Unable to page UE")                                                                           \
  X(91, "No memory available")                                                                         \
  X(92, "User authentication failed")                                                                  \
  X(93, "APN access denied - no subscription")                                                         \
  X(94, "Request rejected (reason not specified)")                                                     \
  X(95, "P-TMSI Signature mismatch")                                                                   \
  X(96, "IMSI/IMEI not known")                                                                         \
  X(97, "Semantic error in the TAD operation")                                                         \
  X(98, "Syntactic error in the TAD operation")                                                        \
  X(100, "Remote peer not responding")                                                                 \
  X(101, "Collision with network initiated request")                                                   \
  X(102, "Unable to page UE due to Suspension")                                                        \
  X(103, "Conditional IE missing")                                                                     \
  X(104, "APN restriction type incompatible with currently active PDN connection")                     \
  X(105, "Invalid overall length of the triggered response message and a piggybacked initial message") \
  X(106, "Data forwarding not supported")                                                              \
  X(107, "Invalid reply from remote peer")                                                             \
  X(108, "Fallback to GTPv1")                                                                          \
  X(109, "Invalid peer")                                                                               \
  X(110, "Temporarily rejected due to handover/TAU/RAU procedure in progress")                         \
  X(111, "Modifications not limited to S1-U bearers")                                                  \
  X(112, "Request rejected for a PMIPv6 reason")                                                       \
  X(113, "APN Congestion")                                                                             \
  X(114, "Bearer handling not supported")                                                              \
  X(115, "UE already re-attached")                                                                     \
  X(116, "Multiple PDN connections for a given APN not allowed")                                       \
  X(117, "Target access restricted for the subscriber")                                                \
  X(119, "MME/SGSN refuses due to VPLMN Policy")                                                       \
  X(120, "GTP-C Entity Congestion")                                                                    \
  X(121, "Late Overlapping Request")                                                                   \
  X(122, "Timed out Request")                                                                          \
  X(123, "UE is temporarily not reachable due to power saving")                                        \
  X(124, "Relocation failure due to NAS message redirection")                                          \
  X(125, "UE not authorised by OCS or external AAA Server")                                            \
  X(126, "Multiple accesses to a PDN connection not allowed")                                          \
  X(127, "Request rejected due to UE capability")                                                      \
  X(128, "S1-U Path Failure")                                                                          \
  X(129, "5GC not allowed")                                                                            \
  X(130, "PGW mismatch with network slice subscribed by the UE")                                       \
  X(131, "Rejection due to paging restriction")

#define FLOWACCT_GTP1_CAUSES(X)                                                     \
  X(0, "Request IMSI")                                                              \
  X(1, "Request IMEI")                                                              \
  X(2, "Request IMSI and IMEI")                                                     \
  X(3, "No identity needed")                                                        \
  X(4, "MS refuses")                                                                \
  X(5, "MS is not GPRS responding")                                                 \
  X(6, "Reactivation Requested")                                                    \
  X(7, "PDP address inactivity timer expires")                                      \
  X(59, "System failure")                                                           \
  X(60, "The transmit buffers are becoming full")                                   \
  X(61, "The receive buffers are becoming full")                                    \
  X(62, "Another node is about to go down")                                         \
  X(63, "This node is about to go down")                                            \
  X(128, "Request accepted")                                                        \
  X(129, "New PDP type due to network preference")                                  \
  X(130, "New PDP type due to single address bearer only")                          \
  X(177, "CDR decoding error")                                                      \
  X(192, "Non-existent")                                                            \
  X(193, "Invalid message format")                                                  \
  X(194, "IMSI not known")                                                          \
  X(195, "MS is GPRS detached")                                                     \
  X(196, "MS is not GPRS responding")                                               \
  X(197, "MS refuses")                                                              \
  X(198, "Version not supported")                                                   \
  X(199, "No resource available")                                                   \
  X(200, "Service not supported")                                                   \
  X(201, "Mandatory IE incorrect")                                                  \
  X(202, "Mandatory IE missing")                                                    \
  X(203, "Optional IE incorrect")                                                   \
  X(204, "System failure")                                                          \
  X(205, "Roaming restriction")                                                     \
  X(206, "P-TMSI signature mismatch")                                               \
  X(207, "GPRS connection suspended")                                               \
  X(208, "Authentication failure")                                                  \
  X(209, "User authentication failed")                                              \
  X(210, "Context not found")                                                       \
  X(211, "All PDP dynamic addresses are occupied")                                  \
  X(212, "No memory is available")                                                  \
  X(213, "Relocation failure")                                                      \
  X(214, "Unknown mandatory extension header")                                      \
  X(215, "Semantic error in the TFT operation")                                     \
  X(216, "Syntactic error in the TFT operation")                                    \
  X(217, "Semantic errors in packet filter(s)")                                     \
  X(218, "Syntactic errors in packet filter(s)")                                    \
  X(219, "Missing or unknown APN")                                                  \
  X(220, "Unknown PDP address or PDP type")                                         \
  X(221, "PDP context without TFT already activated")                               \
  X(222, "APN access denied - no subscription")                                     \
  X(223, "APN Restriction type incompatibility with currently active PDP Contexts") \
  X(224, "MS MBMS Capabilities Insufficient")                                       \
  X(225, "Invalid Correlation-ID")                                                  \
  X(226, "MBMS Bearer Context Superseded")                                          \
  X(227, "Bearer Control Mode violation")                                           \
  X(228, "Collision with network initiated request")                                \
  X(229, "APN Congestion")                                                          \
  X(230, "Bearer handling not supported")                                           \
  X(231, "Target access restricted for the subscriber")                             \
  X(232, "UE is temporarily not reachable due to power saving")                     \
  X(233, "Relocation failure due to NAS message redirection")                       \
  X(252, "Request related to possibly duplicated packets already fulfilled")        \
  X(253, "Request already fulfilled")                                               \
  X(254, "Sequence numbers of released/cancelled packets IE incorrect")             \
  X(255, "Request not fulfilled")

// Answers that accept; beyond them are the ranges of refusals and of requests.
struct Range {
  uint8_t first, last;
};
constexpr Range kAccepting2 = {16, 63}, kAccepting1 = {128, 191};

absl::string_view Name2(uint8_t cause) {
  switch (cause) {
#define X(number, text) \
  case number:          \
    return text;
    FLOWACCT_GTP2_CAUSES(X)
    default:
      return {};
  }
}

absl::string_view Name1(uint8_t cause) {
  switch (cause) {
    FLOWACCT_GTP1_CAUSES(X)
#undef X
    default:
      return {};
  }
}

}  // namespace

absl::string_view CauseName(uint8_t version, uint8_t cause) { return version >= 2 ? Name2(cause) : Name1(cause); }

bool CauseAccepts(uint8_t version, uint8_t cause) {
  const Range& range = version >= 2 ? kAccepting2 : kAccepting1;
  return cause >= range.first && cause <= range.last;
}

}  // namespace flowacct::gtp
