// The machine behind gtp_traffic.h: subscribers and sessions on simulated time, and what taps see of them.
//
// Time: every subscriber has one entry in a heap of events, which is its next procedure or burst of packets. Either
// writes all its frames ahead into a second heap, of frames by time, and keeps its subscriber busy until the last of
// them; so a procedure never changes tunnels under packets that are on their way. Next takes what is first of both.
// Knowledge: each subscriber has a label for its IMSI and each of its tunnel endpoints; a message that the tap sees
// makes the labels of all that it names equal. A tunnel can be known if its label is the IMSI's.
// Ownership, threads, cost: as gtp_traffic.h says.

#ifndef FLOWACCT_COLLECTOR_GENERATE_GTP_SIMULATION_H_
#define FLOWACCT_COLLECTOR_GENERATE_GTP_SIMULATION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/generate/flow_population.h"
#include "flowacct/collector/generate/gtp_frame.h"
#include "flowacct/collector/generate/gtp_network.h"
#include "flowacct/collector/generate/gtp_traffic.h"
#include "flowacct/gtp/message_writer.h"

namespace flowacct::collector {

class GtpSimulation : public GtpTrafficGenerator {
 public:
  GtpSimulation(const GtpTrafficOptions& options, GtpTruthListener* listener);

  bool Next(CapturedPacket* packet) override;
  const GtpUserTruth* user() const override { return has_user_ ? &user_ : nullptr; }
  void Finish() override;
  const GtpTrafficTruth& truth() const override { return truth_; }

 private:
  // The user plane's endpoints of a bearer: of eNodeB, SGSN or gNodeB; of the SGW on both sides; of PGW, GGSN or UPF.
  enum Endpoint : uint8_t { kRadio, kSgwRadio, kSgwCore, kGateway };
  static constexpr size_t kEndpoints = 4, kSlots = 2, kBearers = 2;

  // Labels: the IMSI, the control endpoints of a subscriber, then those of its sessions.
  static constexpr int kImsi = 0, kMm = 1, kSgw = 2, kFirstSlot = 3, kSlotLabels = 2 + kBearers * kEndpoints,
                       kForwardSgw = kFirstSlot + kSlots * kSlotLabels, kForwardRadio = kForwardSgw + 1,
                       kLabels = kForwardRadio + 1;
  static constexpr int SgwLabel(int slot) { return kFirstSlot + slot * kSlotLabels; }
  static constexpr int GatewayLabel(int slot) { return SgwLabel(slot) + 1; }
  static constexpr int Label(int slot, int bearer, Endpoint endpoint) {
    return SgwLabel(slot) + 2 + bearer * static_cast<int>(kEndpoints) + endpoint;
  }
  static constexpr uint32_t Bit(int label) { return uint32_t{1} << label; }

  struct Bearer {
    bool open = false;
    std::array<uint32_t, kEndpoints> teid{};
  };

  struct Session {
    uint64_t id = 0;  // 0: the slot is free
    int64_t start_nanos = 0, end_nanos = 0;
    GtpVolume gateway_volume, radio_volume;
    uint32_t subscriber = 0;
    uint32_t sgw_control = 0, gateway_control = 0;
    uint32_t charging_id = 0;
    std::array<Bearer, kBearers> bearers;
    GtpNodeId gateway = 0;
    uint16_t moves = 0;
    uint8_t apn = 0;
    bool restarted = false;
  };

  enum class State : uint8_t { kDetached, kActive, kIdle };

  struct Subscriber {
    int64_t next_burst = 0, next_procedure = 0, busy_until = 0;
    uint32_t mm_control = 0, sgw_control = 0;  // TEIDs of MME or SGSN, and of the SGW on S11
    std::array<int32_t, kSlots> sessions{-1, -1};
    GtpNodeId mm = 0, sgw = 0, radio = 0;
    GtpProfile profile;
    GtpAccess access = GtpAccess::k4G;
    State state = State::kDetached;
    bool lost = false;  // a message of it, since it attached
    std::array<uint8_t, kLabels> labels{};
  };

  struct Event {
    int64_t at;
    uint32_t subscriber;  // or one of those below
  };
  static constexpr uint32_t kRestartEvent = ~uint32_t{0}, kEchoEvent = kRestartEvent - 1;

  enum class Kind : uint8_t { kControl, kUser, kClose };
  struct Pending {
    int64_t at;
    uint64_t order;
    uint32_t index;  // of a control frame, user packet or session
    Kind kind;
  };

  struct UserPacket {
    uint32_t session, teid, number, remote;
    GtpNodeId from, to;
    uint16_t octets, ue_port;
    uint8_t ebi;
    GtpTraffic traffic;
    GtpTap tap;
    GtpKnowledge known;
    bool up, v6;
  };

  // --- time ---
  void Schedule(uint32_t subscriber);
  void Push(int64_t at, Kind kind, uint32_t index);
  void Run(const Event& event);
  void RunProcedure(uint32_t index, int64_t now);
  GtpProcedure Choose(const Subscriber& u);
  bool Possible(const Subscriber& u, GtpProcedure procedure) const;
  int64_t Around(uint32_t milliseconds);  // a half to three halves of it, in nanoseconds
  int64_t Step();                         // from a message to the next
  bool Chance(double percent) { return random_.Unit() * 100 < percent; }

  // --- what the tap sees ---
  bool Visible(const Subscriber& u, GtpTap tap) const;
  // Sends message_ and clears it. Returns `mentions` if the tap saw it, else 0.
  uint32_t Send(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap, bool request, uint32_t mentions);
  uint32_t Request(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap, uint32_t mentions) {
    return Send(u, at, from, to, tap, true, mentions);
  }
  // `request` is what Request returned: both are of one transaction.
  void Answer(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap, uint32_t mentions,
              uint32_t request) {
    if (const uint32_t seen = Send(u, at, from, to, tap, false, mentions); seen != 0) Link(u, seen | request);
  }
  void SendUserSignal(Subscriber& u, int64_t at, GtpNodeId from, GtpNodeId to, GtpTap tap);
  void SendEcho(GtpNodeId from, GtpNodeId to, int64_t at, GtpTap tap, bool user, bool v1);
  void PushFrame(int64_t at, const base::IpAddress& from, const base::IpAddress& to, uint16_t source_port,
                 uint16_t destination_port);
  void Link(Subscriber& u, uint32_t labels);
  void Fresh(Subscriber& u, int label);
  GtpKnowledge Knowledge(const Subscriber& u, int label) const;

  // --- user packets ---
  // Some packets of the subscriber from `now` on; returns when the last one is over.
  int64_t Burst(uint32_t index, int64_t now);
  void Carry(const Subscriber& u, int slot, int bearer, int64_t at, bool up, GtpTraffic traffic, uint16_t octets,
             uint16_t port, uint32_t remote, bool v6);
  void PushUser(const Subscriber& u, int slot, int bearer, int64_t at, bool up, GtpTraffic traffic, uint16_t octets,
                uint16_t port, uint32_t remote, bool v6, GtpTap tap, GtpNodeId from, GtpNodeId to, uint32_t teid,
                GtpKnowledge known);
  void EncodeUser(const UserPacket& packet, int64_t at);
  const base::IpAddress& UserAddress(GtpNodeId node, GtpNodeId peer) const;

  // --- sessions ---
  uint32_t NewTeid(GtpNodeId node, int64_t now);
  void FreeTeid(GtpNodeId node, uint32_t teid, int64_t now) { network_.node(node).FreeTeidAt(teid, now); }
  int32_t Open(uint32_t subscriber, int slot, uint8_t apn, GtpNodeId gateway, int64_t now);
  // The slot is kept until its packets are out.
  void Close(Subscriber& u, int slot, int64_t now, bool restarted);
  void FreeBearer(const Subscriber& u, const Session& session, int bearer, int64_t now);
  void FreeControl(Subscriber& u, int64_t now);  // if no session is left
  void Tell(const Session& session, bool open);
  Session& At(const Subscriber& u, int slot) { return sessions_[static_cast<size_t>(u.sessions[slot])]; }
  const Session& At(const Subscriber& u, int slot) const { return sessions_[static_cast<size_t>(u.sessions[slot])]; }
  int Connections(const Subscriber& u) const { return (u.sessions[0] >= 0 ? 1 : 0) + (u.sessions[1] >= 0 ? 1 : 0); }
  bool HasDedicated(const Subscriber& u) const;
  static uint8_t Ebi(int slot, int bearer) { return static_cast<uint8_t>(5 + 2 * slot + bearer); }

  // --- nodes ---
  GtpNodeId Pick(const std::vector<GtpNodeId>& nodes) {
    return nodes[random_.Below(static_cast<uint32_t>(nodes.size()))];
  }
  // Another one than `old` if there is one.
  GtpNodeId Other(const std::vector<GtpNodeId>& nodes, GtpNodeId old);
  GtpNodeId PickMme(const Subscriber& u);
  GtpNodeId PickSgsn(const Subscriber& u);
  GtpNodeId PickSgw(const Subscriber& u);
  GtpNodeId PickRadio(const Subscriber& u, GtpNodeId old);
  GtpNodeId PickGateway(const Subscriber& u, uint8_t apn);
  uint32_t Sequence(GtpNodeId node);

  // --- messages ---
  gtp::V2MessageWriter& Begin2(uint8_t type, std::optional<uint32_t> teid, uint32_t sequence) {
    message_.Clear();
    return v2_.Begin(type, teid, sequence);
  }
  gtp::V1MessageWriter& Begin1(uint8_t type, uint32_t teid, uint32_t sequence) {
    message_.Clear();
    return v1_.Begin(type, teid, static_cast<uint16_t>(sequence));
  }
  void Fteid(uint8_t type, uint8_t instance, uint32_t teid, GtpNodeId node, bool control);
  void WriteIdentity2(uint32_t index);  // who and where
  void WriteLocation2(const Subscriber& u);
  void WriteLocation1(const Subscriber& u);
  void WriteAnsweredBearer(int slot, int bearer);

  // --- procedures: from `now` on; return when the last message is over ---
  int64_t Attach(uint32_t index, int64_t now);
  int64_t Attach5G(uint32_t index, int64_t now);
  int64_t Connect4G(uint32_t index, int slot, uint8_t apn, int64_t now);
  int64_t Disconnect4G(uint32_t index, int slot, int64_t now);
  int64_t Dedicated(uint32_t index, int64_t now);
  int64_t DedicatedEnd(uint32_t index, int64_t now);
  int64_t BearerUpdate(uint32_t index, int64_t now);
  int64_t Handover(uint32_t index, int64_t now, bool over_x2);
  int64_t SgwChange(uint32_t index, int64_t now);
  int64_t MmeChange(uint32_t index, int64_t now);
  int64_t ChangeNotification(uint32_t index, int64_t now);
  int64_t Release(uint32_t index, int64_t now);
  int64_t ServiceRequest(uint32_t index, int64_t now, bool paged);
  int64_t Notify(uint32_t index, int slot, int64_t now);  // that packets wait
  // Tells the SGW of the eNodeB's endpoints, which are made anew, or of the MME that asks; of one slot or (-1) all.
  int64_t ModifyBearers(uint32_t index, int64_t now, bool radio, bool sender, int only_slot);
  void FreeRadio(Subscriber& u, int64_t now);
  int64_t SuspendResume(uint32_t index, int64_t now);
  int64_t ErrorIndication(uint32_t index, int64_t now);
  // At another SGW, of a session that the gateway has already; `first` of the subscriber, with the eNodeB's endpoints.
  int64_t CreateAtSgw(uint32_t index, int slot, bool first, bool radio, int64_t now);
  int64_t DeleteAtSgw(Subscriber& u, GtpNodeId sgw, uint32_t sgw_control, int slot, int64_t now);
  int64_t Detach4G(uint32_t index, int64_t now);
  int64_t EndByGateway4G(uint32_t index, int64_t now);
  int64_t EndByGateway3G(uint32_t index, int64_t now);
  int64_t To3G(uint32_t index, int64_t now);
  int64_t To4G(uint32_t index, int64_t now);
  int64_t Connect3G(uint32_t index, int64_t now);
  int64_t PdpUpdate(uint32_t index, int64_t now, bool new_sgsn);
  int64_t Update3G(uint32_t index, int slot, int64_t now);
  int64_t Secondary(uint32_t index, int64_t now);
  int64_t SecondaryEnd(uint32_t index, int64_t now);
  int64_t GgsnUpdate(uint32_t index, int64_t now);
  int64_t InfoChange(uint32_t index, int64_t now);
  int64_t Detach3G(uint32_t index, int64_t now);
  int64_t ContextTransfer1(uint32_t index, GtpNodeId to, uint32_t new_control, int64_t now);
  int64_t N3Handover(uint32_t index, int64_t now);
  int64_t Detach5G(uint32_t index, int64_t now);
  void Restart(int64_t now);
  void Echoes(int64_t now);
  void Count(GtpProcedure procedure) { ++truth_.procedures[static_cast<size_t>(procedure)]; }

  const GtpTrafficOptions options_;
  GtpTruthListener* const listener_;
  GtpNetwork network_;
  RandomStream random_;
  const int64_t teid_reuse_nanos_;
  std::vector<Subscriber> subscribers_;
  std::vector<Session> sessions_;
  std::vector<uint32_t> free_sessions_;
  std::vector<Event> events_;
  std::vector<Pending> pending_;
  std::vector<base::OctetWriter> control_frames_;
  std::vector<UserPacket> user_packets_;
  std::vector<uint32_t> free_control_frames_, free_user_packets_;
  uint64_t order_ = 0, next_session_ = 1;
  uint32_t next_charging_id_ = 1000;
  uint32_t next_number_ = 0;
  int64_t frozen_until_ = 0;  // nobody changes anything while a node restarts
  int64_t last_nanos_ = 0;
  int32_t shown_frame_ = -1;  // whose buffer the caller has

  base::OctetWriter message_, inner_, payload_, frame_;
  gtp::V1MessageWriter v1_{&message_};
  gtp::V2MessageWriter v2_{&message_};
  GtpUserTruth user_;
  bool has_user_ = false;
  GtpTrafficTruth truth_;
};

// Message types (TS 29.274, 6.1; TS 29.060, 7.1), elements and interface types (TS 29.274, 8.1 and 8.22) of procedures.
namespace gtp_message {
inline constexpr uint8_t kEchoRequest = 1, kEchoResponse = 2, kCreateSessionRequest = 32, kModifyBearerRequest = 34,
                         kDeleteSessionRequest = 36, kChangeNotificationRequest = 38, kCreateBearerRequest = 95,
                         kUpdateBearerRequest = 97, kDeleteBearerRequest = 99, kContextRequest = 130,
                         kContextResponse = 131, kContextAcknowledge = 132, kSuspendNotification = 162,
                         kResumeNotification = 164, kCreateForwardingRequest = 166, kDeleteForwardingRequest = 168,
                         kReleaseAccessBearersRequest = 170, kDownlinkDataNotification = 176,
                         kDownlinkDataNotificationAcknowledge = 177;
inline constexpr uint8_t kCreatePdpRequest = 16, kUpdatePdpRequest = 18, kDeletePdpRequest = 20,
                         kSgsnContextRequest = 50, kSgsnContextResponse = 51, kSgsnContextAcknowledge = 52,
                         kInfoChangeRequest = 128;
inline constexpr uint8_t kBearerTft = 84, kBearerContext = 93, kPdnConnection = 109;
inline constexpr uint8_t kAccepted = 16, kAccepted1 = 128;  // causes
inline constexpr uint8_t kEutran = 6, kUtran = 1, kGeran = 2;
inline constexpr uint8_t kS1UEnodeb = 0, kS1USgw = 1, kS5USgw = 4, kS5UPgw = 5, kS5CSgw = 6, kS5CPgw = 7, kS11Mme = 10,
                         kS11Sgw = 11, kS10Mme = 12, kForwardEnodeb = 19, kForwardSgw23 = 23;
}  // namespace gtp_message

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_GTP_SIMULATION_H_
