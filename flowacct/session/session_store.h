// The writer's side of the tables: makes, changes and ends sessions, bearers, tunnels and facts, forgets what is over
// when its time has come, and makes records. Knows nothing of messages.
//
// A session is a PDN connection: bearers (EBI or NSAPI) of which one is the default one, each with a leg on the paths
// that were seen, and control endpoints of both nodes on each path. An end is told to readers at once, by time; rows
// go `linger_nanos` later, and their memory is used again when no reader can see them; then no packet can be counted
// any more, and the bearer's last record is made.
// Threads: one writer. Errors: counters. Cost: some cache misses a call.

#ifndef FLOWACCT_SESSION_SESSION_STORE_H_
#define FLOWACCT_SESSION_SESSION_STORE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/tables.h"

namespace flowacct::session {

// A control endpoint: a TEID of GTP-C at a peer. Peer 0: not known.
struct ControlEnd {
  uint32_t peer = 0;
  uint32_t teid = 0;
  bool known() const { return peer != 0 && teid != 0; }
  bool operator==(const ControlEnd& o) const { return peer == o.peer && teid == o.teid; }
  template <typename H>
  friend H AbslHashValue(H h, const ControlEnd& e) {
    return H::combine(std::move(h), e.peer, e.teid);
  }
};

// The node towards the subscriber (MME, SGSN; on the core's path SGW, SGSN), and that towards the network.
enum Side : uint8_t { kNear, kFar };
inline constexpr Side kSides[2] = {kNear, kFar};

// 56 octets.
struct SessionRow {
  uint32_t next = 0;  // of the same IMSI
  uint32_t first_leg = 0;
  ControlEnd control[kPaths][2];
  uint16_t rat_changes = 0, location_changes = 0;
  uint8_t default_ebi = 0;
  bool suspended = false, closing = false, over = false;
  uint32_t active_seconds = 0;  // since 1970, when it last had a message or packets
  uint32_t seen_packets = 0;    // of the default bearer, the low bits of their number, then

  ControlEnd& at(PathKind path, Side side) { return control[static_cast<size_t>(path)][side]; }
  const ControlEnd& at(PathKind path, Side side) const { return control[static_cast<size_t>(path)][side]; }
  bool has_control(PathKind path) const { return at(path, kNear).known() || at(path, kFar).known(); }
};
static_assert(sizeof(SessionRow) == 56);

// What records have told of a bearer: at the number of its primary leg. 48 octets.
struct Reported {
  Volume volume;
  int64_t at_nanos = 0;  // 0: there was none
  uint16_t rat_changes = 0, location_changes = 0;
};

// What a file makes up: sums and differences with it are times, too. 2116.
constexpr int64_t kLastNanos = int64_t{1} << 62;
inline int64_t InReach(int64_t nanos) { return std::min(std::max<int64_t>(nanos, 0), kLastNanos); }

class SessionStore {
 public:
  SessionStore(lpm::ReaderEpochs* epochs, SessionOptions options);
  ~SessionStore();

  // --- Peers ---
  uint32_t PeerOf(const base::IpAddress& address);  // 0: max_peers
  // All of its sessions from before `time_nanos` end; Step does it bit by bit.
  void PeerRestarted(uint32_t peer, int64_t time_nanos);

  // --- Sessions ---
  // With its default bearer, on `path`. 0: max_contexts.
  uint32_t NewSession(const Facts& facts, PathKind path, int64_t time_nanos);
  // `number`: of a session that was there before; 0: a new one.
  uint32_t NewSession(const Facts& facts, PathKind path, int64_t time_nanos, uint64_t number);
  void SetControl(uint32_t session, PathKind path, Side side, ControlEnd end);
  // Calls `visit(session, path, side)` with all that have this control endpoint.
  void VisitControl(ControlEnd end, absl::FunctionRef<void(uint32_t, PathKind, Side)> visit) const;
  uint32_t FirstOf(base::Digits imsi) const;  // then SessionRow::next
  void EndSession(uint32_t session, int64_t time_nanos, Cause cause, uint8_t gtp_cause);
  // Ends when `closing_nanos` have passed, unless it has both paths or none of it any more by then.
  void CloseSession(uint32_t session);
  // The path's control endpoints and tunnels.
  void EndPath(uint32_t session, PathKind path, int64_t time_nanos);
  void Touch(uint32_t session, int64_t time_nanos) {
    sessions[session].active_seconds = static_cast<uint32_t>(time_nanos / 1'000'000'000);
  }

  // --- Bearers ---
  uint32_t FindLeg(uint32_t session, uint8_t ebi, PathKind path) const;  // of what is not over
  uint32_t AnyLeg(uint32_t session, uint8_t ebi) const;                  // in the core if there is one
  size_t BearersOf(uint32_t session) const;                              // that are not over
  // Found or made; a new bearer has the facts of the default one, but for what is the bearer's. 0: max_contexts.
  uint32_t LegOf(uint32_t session, uint8_t ebi, PathKind path, int64_t time_nanos);
  // Another bearer is the default one from now on, so that the one that was may end alone.
  void MakeDefault(uint32_t session, uint8_t ebi);
  void EndBearer(uint32_t session, uint8_t ebi, int64_t time_nanos, Cause cause, uint8_t gtp_cause);
  const Facts& FactsOf(uint32_t session) const;  // of the default bearer
  const Facts& FactsOfLeg(uint32_t leg) const { return tables.facts[tables.legs[leg].facts.load()]; }
  // If they differ from what is known of the bearer, they count from then on.
  void SetFacts(uint32_t session, uint8_t ebi, const Facts& facts, int64_t time_nanos);
  // Changes facts of all bearers of the session; counts changes of RAT and location.
  void ChangeFacts(uint32_t session, int64_t time_nanos, absl::FunctionRef<void(Facts*)> change);

  // --- Tunnels ---
  // The leg's tunnel in one direction is this endpoint from then on. `second`: of a node of both families the other
  // address; peer 0: none.
  void SetTunnel(uint32_t leg, Direction direction, Interface interface, uint32_t peer, uint32_t second, uint32_t teid,
                 int64_t time_nanos);
  void EndTunnel(uint32_t leg, Direction direction, int64_t time_nanos);
  void EndTunnels(uint32_t leg, int64_t time_nanos);  // both
  // Besides the leg's own; packets are joined, and not counted.
  void AddForwarding(uint32_t leg, Direction direction, Interface interface, uint32_t peer, uint32_t teid,
                     int64_t time_nanos);
  void EndForwarding(uint32_t session, int64_t time_nanos);
  // The tunnel that has the endpoint now; 0: none.
  uint32_t TunnelOf(const base::IpAddress& address, uint32_t teid) const;

  // --- Time ---
  void Now(int64_t time_nanos) { now_ = std::max(now_, InReach(time_nanos)); }
  int64_t now() const { return now_; }
  bool Step();
  void EndAll();
  std::vector<SessionRecord> TakeRecords() { return std::exchange(records_, {}); }

  // --- What there is ---
  PeerCounts* NewCounts();  // any thread
  size_t contexts() const { return contexts_; }
  size_t octets() const;
  uint32_t LocationId(const gtp::UserLocation& location);
  base::InternId TextId(absl::string_view text);
  uint64_t PacketsOf(uint32_t peer, Match match) const;
  Path PathOf(uint32_t leg) const;
  // Of the bearer: core (or 0), access (or 0).
  std::array<uint32_t, kPaths> LegsOf(uint32_t leg) const;
  bool IsPrimary(uint32_t leg) const;  // of the bearer's legs the one that stands for it
  Reported ReportedOf(uint32_t leg) const;
  uint32_t SecondOf(uint32_t tunnel) const;  // the peer of its second address; 0: none
  void SetReported(uint32_t leg, const Reported& reported);

  Tables tables;
  SessionCounters counters;
  RowStore<SessionRow> sessions;
  const SessionOptions options;
  uint64_t next_session = 1;

 private:
  // What is to be forgotten, in the order of time.
  struct Over {
    enum Kind : uint8_t { kTunnel, kFacts, kBearer };
    int64_t time_nanos;
    uint32_t row;
    uint32_t leg;  // of facts; of a bearer its other leg, or 0
    Kind kind;
  };
  struct Gone {  // a bearer's legs, which no new reader sees
    uint64_t epoch;
    uint32_t leg, other;
  };
  struct Closing {
    int64_t time_nanos;
    uint32_t session;
    uint64_t number;
  };
  struct Forwarding {
    int64_t time_nanos;
    uint32_t session;
    uint32_t tunnel;
    int64_t from_nanos;
  };
  uint32_t HashOfControl(ControlEnd end) const;
  uint32_t HashOfImsi(base::Digits imsi) const;
  uint32_t HashOfTunnel(uint32_t row) const;
  uint32_t NewFacts(const Facts& facts, int64_t time_nanos);
  uint32_t NewLeg(uint32_t session, uint8_t ebi, PathKind path, uint32_t facts);
  uint32_t NewTunnel(uint32_t leg, Direction direction, Interface interface, bool counts, uint32_t peer, uint32_t teid,
                     int64_t time_nanos);
  void EndTunnelRow(uint32_t row, int64_t time_nanos);
  void Unlease(uint32_t leg, const Facts& facts);
  void Lease(uint32_t leg, const Facts& facts);
  void Forget(const Over& over);
  void ForgetTunnel(uint32_t row);
  void ForgetFacts(uint32_t row, uint32_t leg);
  void ForgetBearer(uint32_t leg, uint32_t other);
  void Bury(const Gone& gone, size_t max_records);
  void BoundTunnels(uint32_t newest);
  void BoundFacts(uint32_t newest);
  SessionRecord RecordOf(uint32_t leg, uint32_t other, int64_t until);
  void VisitInTurn(uint32_t leg);
  bool ForgetOne();
  bool CloseOne();
  bool RestartSome(size_t* steps);
  bool SweepSome(size_t* steps);

  lpm::ReaderEpochs* epochs_;
  KeyIndex control_index_, imsi_index_;  // of sessions
  absl::flat_hash_map<uint32_t, uint32_t> second_tunnels_;
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> forwarding_;  // by session
  KeyIndex location_index_;
  RowStore<Reported> reported_;
  std::deque<Over> over_;
  std::deque<Gone> gone_;
  std::deque<Closing> closing_;
  std::deque<Forwarding> forwarding_ends_;
  // Sessions are looked at for peers that restarted, round and round: the round in the upper half, and the session that
  // is next; and where it ends.
  uint64_t restart_walk_ = 1, restart_walk_end_ = 1;
  std::vector<SessionRecord> records_;
  size_t contexts_ = 0;
  uint32_t next_serial_ = 1;
  int64_t now_ = 0;
  int64_t swept_to_ = 0;  // the time up to which the sweep has come
  uint32_t sweep_at_ = 1;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_STORE_H_
