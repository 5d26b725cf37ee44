// Traffic of an imagined mobile network as a tap sees it: GTP-C of both versions and GTP-U, with the truth about every
// packet.
//
//     auto traffic = NewGtpTraffic(options, &listener);
//     CapturedPacket packet;
//     while ((*traffic)->Next(&packet)) {
//       if (const GtpUserTruth* truth = (*traffic)->user()) ...  // whose packet it is; null for all but G-PDUs
//     }
//     (*traffic)->Finish();  // tells of the sessions that are still open
//
// Subscribers attach, use what they have, move, sleep and detach; the procedures are in the table below. What a tap may
// do to it is an option: interfaces that are not tapped, control messages that are lost, user packets that come before
// the control messages of their tunnel. The network itself loses nothing and never misbehaves.
// Standards: TS 23.401 and 23.060 (procedures), 29.274, 29.060, 29.281 (messages).
// Guaranteed: the same options give the same octets on every machine. No packet of a session is sent before it is made
// or after it ended; no TEID is given to another session while packets of the first are under way. (Packets that are
// early by an option are before the answer that made their tunnel, not before the session's request.)
// Ownership: a packet and its truth borrow the generator's buffers until the next call. Threads: one at a time.
// Cost: some 1.2 us a frame with 10,000 subscribers, 2.6 us with a million; memory: some 120 octets a subscriber and
// 200 a session, and what is to be sent within the next 100 ms: control messages as frames, packets as 40 octets.

#ifndef FLOWACCT_COLLECTOR_GENERATE_GTP_TRAFFIC_H_
#define FLOWACCT_COLLECTOR_GENERATE_GTP_TRAFFIC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/generate/gtp_network.h"
#include "flowacct/gtp/values.h"

namespace flowacct::collector {

// Where a tap may be. Name, text of options, text of the truth's interface column for user packets.
#define FLOWACCT_GTP_TAPS(X)                                                      \
  X(kGn, "gn", "Gn/Gp")                      /* SGSN to GGSN, both planes */      \
  X(kS1U, "s1u", "S1-U")                     /* eNodeB to SGW */                  \
  X(kS11, "s11", "")                         /* MME to SGW */                     \
  X(kS5, "s5", "S5/S8")                      /* SGW to PGW, both planes */        \
  X(kN3, "n3", "N3")                         /* gNodeB to UPF; has no GTP-C */    \
  X(kS10, "s10", "")                         /* MME to MME, and to SGSN */        \
  X(kX2, "x2", "X2")                         /* eNodeB to eNodeB; has no GTP-C */ \
  X(kForwarding, "forwarding", "forwarding") /* eNodeB to SGW and back, in a handover */

enum class GtpTap : uint8_t {
#define X(name, text, interface) name,
  FLOWACCT_GTP_TAPS(X)
#undef X
};

// What happens. Name, text, and how often: of a thousand of what a subscriber on 4G that is active does, that sleeps,
// and one on 2G or 3G; 0 where it comes of itself or not at all.
#define FLOWACCT_GTP_PROCEDURE_SHARES(X)                  \
  X(kAttach, "attach", 0, 0, 0)                           \
  X(kAttachRefused, "attach_refused", 0, 0, 0)            \
  X(kDetach, "detach", 90, 80, 120)                       \
  X(kEndByGateway, "end_by_gateway", 30, 20, 40)          \
  X(kIms, "second_connection", 90, 0, 0)                  \
  X(kImsEnd, "second_connection_end", 80, 0, 0)           \
  X(kDedicated, "dedicated_bearer", 140, 0, 0)            \
  X(kDedicatedEnd, "dedicated_bearer_end", 120, 0, 0)     \
  X(kBearerUpdate, "bearer_update", 30, 0, 0)             \
  X(kX2Handover, "x2_handover", 180, 0, 0)                \
  X(kS1Handover, "s1_handover", 60, 0, 0)                 \
  X(kSgwChange, "sgw_change", 50, 0, 0)                   \
  X(kMmeChange, "tracking_area_update", 50, 60, 0)        \
  X(kChangeNotification, "change_notification", 50, 0, 0) \
  X(kIdle, "release_access_bearers", 150, 0, 0)           \
  X(kServiceRequest, "service_request", 0, 520, 0)        \
  X(kPaged, "paged_service_request", 0, 340, 0)           \
  X(kSuspendResume, "suspend_resume", 20, 0, 0)           \
  X(kErrorIndication, "error_indication", 20, 0, 0)       \
  X(kTo3G, "move_to_3g", 60, 0, 0)                        \
  X(kTo4G, "move_to_4g", 0, 0, 150)                       \
  X(kPdpUpdate, "pdp_update", 0, 0, 160)                  \
  X(kSgsnChange, "sgsn_change", 0, 0, 120)                \
  X(kSecondary, "secondary_context", 0, 0, 160)           \
  X(kSecondaryEnd, "secondary_context_end", 0, 0, 80)     \
  X(kGgsnUpdate, "update_by_ggsn", 0, 0, 60)              \
  X(kInfoChange, "ms_info_change", 0, 0, 100)             \
  X(kN3Handover, "n3_handover", 0, 0, 0)                  \
  X(kEcho, "echo", 0, 0, 0)                               \
  X(kRestart, "node_restart", 0, 0, 0)

enum class GtpProcedure : uint8_t {
#define X(name, text, active, idle, umts) name,
  FLOWACCT_GTP_PROCEDURE_SHARES(X)
#undef X
};

inline constexpr size_t kGtpProcedures = 0
#define X(name, text, active, idle, umts) +1
    FLOWACCT_GTP_PROCEDURE_SHARES(X)
#undef X
    ;

absl::string_view GtpProcedureName(GtpProcedure procedure);

struct GtpTrafficOptions {
  uint64_t seed = 1;
  // Frames, of all kinds.
  uint64_t packets = 1000000;
  uint32_t subscribers = 2000;
  // The subscribers attach one by one in this time from the beginning on.
  uint32_t attach_milliseconds = 10000;
  // From one procedure of a subscriber to the next, on average; and from one burst of packets to the next.
  uint32_t procedure_milliseconds = 20000;
  uint32_t burst_milliseconds = 2000;
  uint32_t enodebs = 200;
  // Of the subscribers at first; they move between 3G and 4G.
  int percent_3g = 15, percent_5g = 5, percent_inbound = 8, percent_outbound = 5;
  // Of the eNodeBs.
  int percent_v6_transport = 10;
  // Of the attaches that the gateway refuses.
  int percent_refused = 2;
  // Of the requests and the answers that are sent twice.
  double percent_repeated = 2;
  // Of the control messages that the tap does not see.
  double percent_lost = 0;
  // Of the new tunnels whose first packets are seen before the answer to the request that made them.
  int percent_early = 0;
  // A TEID is used again as soon as it was free for this long.
  uint32_t teid_reuse_milliseconds = 1000;
  // From one restart of a node, which loses all its contexts, to the next; 0: none. At most every second.
  uint32_t restart_milliseconds = 0;
  // From one round of echo requests to the next; 0: none.
  uint32_t echo_milliseconds = 10000;
  // Bits 1 << GtpTap.
  uint16_t taps = 0xff;
  // Frames are cut at this; the wire length stays what it is.
  uint32_t snap_octets = 262144;
  int64_t start_seconds = 1700000000;
  base::Digits home_plmn;  // empty: 262 42
};

// "s1u,s5" as bits for `taps`; InvalidArgument names what is no tap.
absl::StatusOr<uint16_t> ParseGtpTaps(absl::string_view text);

// Whether the tunnel's subscriber can be known from the control messages that the tap saw of it until the packet's
// tunnel was made or moved. Messages say more together than each of them does: an answer whose request is missing is
// joined by the endpoints that both sides of the SGW name. What is not known here may yet be guessed by inner address.
// A tunnel that is not known may have been another subscriber's before, whose end may be missing, too.
enum class GtpKnowledge : uint8_t {
  kDirect,  // none of its subscriber's messages is missing since the attach
  kLinked,  // some are, but those that were seen still lead from the tunnel to the IMSI
  kNone,    // they do not; or there is no control plane to see: N3, X2
};
absl::string_view GtpKnowledgeName(GtpKnowledge knowledge);  // "direct", "linked", "no"

struct GtpUserTruth {
  uint64_t packet = 0;  // CapturedPacket::number
  int64_t time_nanos = 0;
  base::IpAddress source, destination;  // of the tunnel
  uint32_t teid = 0;
  uint32_t subscriber = 0;
  uint64_t session = 0;
  base::Digits imsi;
  absl::string_view apn;  // network identifier
  bool up = false;
  GtpTap interface = GtpTap::kS1U;
  uint8_t ebi = 0;
  uint16_t inner_octets = 0;
  GtpKnowledge known = GtpKnowledge::kNone;
};

struct GtpVolume {
  uint64_t packets_up = 0, bytes_up = 0, packets_down = 0, bytes_down = 0;
};

// A PDN connection or a primary PDP context with its secondary ones; octets are those of the inner IP packets.
struct GtpSessionTruth {
  uint64_t session = 0;
  base::Digits imsi, msisdn, imei, home_plmn, visited_plmn;
  GtpRoaming roaming = GtpRoaming::kHome;
  std::string apn;  // as the messages tell it
  gtp::UeAddresses ue;
  base::IpAddress gateway;
  uint32_t charging_id = 0;
  int64_t start_nanos = 0, end_nanos = 0;  // end 0: still open
  absl::string_view cause;                 // "deleted", "restart"; "" if open
  GtpVolume gateway_volume;                // seen at the gateway: S5/S8, Gn/Gp, N3
  GtpVolume radio_volume;                  // seen on S1-U
  uint32_t moves = 0;                      // between 3G and 4G
};

class GtpTruthListener {
 public:
  virtual ~GtpTruthListener() = default;
  // Of a session that has ended, and by Finish of one that is open.
  virtual void OnSession(const GtpSessionTruth& session) = 0;
};

struct GtpTrafficTruth {
  // Of what Next gave; frames are control messages (of GTP-U, too) and user packets.
  uint64_t frames = 0, control_messages = 0, user_packets = 0, user_octets = 0;
  // Of what was said and done, up to 100 ms ahead.
  uint64_t lost_messages = 0, repeated_messages = 0, early_bursts = 0, reused_teids = 0;
  uint64_t sessions = 0;
  std::array<uint64_t, 3> user_packets_by_knowledge{};
  std::array<uint64_t, kGtpProcedures> procedures{};
};
// One JSON object on one line, with the names above.
std::string GtpTrafficTruthJson(const GtpTrafficTruth& truth);

class GtpTrafficGenerator {
 public:
  virtual ~GtpTrafficGenerator() = default;
  // The next frame (Ethernet); false at the end.
  virtual bool Next(CapturedPacket* packet) = 0;
  // Of the last frame if it has a G-PDU; else null.
  virtual const GtpUserTruth* user() const = 0;
  // Tells the listener of the sessions that are still open. The last call.
  virtual void Finish() = 0;
  virtual const GtpTrafficTruth& truth() const = 0;
};

// `listener` may be null; it is called within Next and Finish. InvalidArgument names the option that cannot be.
absl::StatusOr<std::unique_ptr<GtpTrafficGenerator>> NewGtpTraffic(const GtpTrafficOptions& options,
                                                                   GtpTruthListener* listener);

// Rows of CSV, with the line's end; the names of the columns come from the first two.
std::string GtpUserTruthHeader();
std::string GtpSessionTruthHeader();
void AppendGtpUserTruth(const GtpUserTruth& truth, std::string* out);
void AppendGtpSessionTruth(const GtpSessionTruth& truth, std::string* out);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_GTP_TRAFFIC_H_
