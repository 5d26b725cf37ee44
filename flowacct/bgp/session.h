// A passive BGP speaker's side of one connection: octets and time in, octets to send and events out.
//
//     Session session(options, &listener);
//     session.Start(now);                        // the neighbour has connected
//     session.Receive(octets, now);              // as they come, however they are split
//     session.Tick(now);                         // not later than deadline()
//     send(session.output()); session.ConsumeOutput(n, now);
//     if (session.closed()) ...                  // send what is left of output(), then close the connection
//
// Standards: RFC 4271 (6, 8: states and errors of a passive speaker with DelayOpen), RFC 5492, RFC 6286
// (identifiers), RFC 6608 (subcodes of FSM errors), RFC 4724 and 8538 (graceful restart, as the receiving speaker),
// RFC 7313, RFC 8654, RFC 9687 (send hold timer), RFC 7606 through update.h.
// It never sends an UPDATE, and offers a neighbour what that offers and the options allow: without an AS of its own
// it waits for the neighbour's OPEN and says that it is of the same AS (internal).
// Ownership: borrows the listener; what events borrow is valid during the call. Threads: one at a time. The listener
// must not call the session.
// Errors: each ends in a NOTIFICATION with its code and in OnClosed, once.
// Bounds: at most one message of unparsed input, some 9 KiB of output (a keepalive is not queued behind another), 64
// KiB and 10 KiB of state.
// Cost: an UPDATE that came whole is decoded where it lies.

#ifndef FLOWACCT_BGP_SESSION_H_
#define FLOWACCT_BGP_SESSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session_context.h"
#include "flowacct/bgp/update.h"

namespace flowacct::bgp {

struct SessionOptions {
  uint32_t local_as = 0;  // 0: the neighbour's own, so that the session is internal
  uint32_t peer_as = 0;   // 0: any
  // Not 0 and unlike any neighbour's of the AS (RFC 6286); 127.0.0.1 is nobody's. A collector says its own address.
  uint32_t bgp_identifier = 0x7f000001;
  // 0: none. RFC 4271, 10 suggests 90.
  uint16_t hold_time_seconds = 90;
  FamilySet families = FamilySet::Joined();
  // Of which several paths of a prefix are taken, if the neighbour offers to send them (RFC 7911).
  FamilySet add_path = FamilySet::Joined();
  bool extended_message = true;  // 65,535 octets are the bound of a message then, else 4,096
  bool route_refresh = true;
  bool graceful_restart = true;  // a neighbour that restarts is told that its routes are kept
  bool family_disable = false;   // see SessionContext
  std::string host_name;         // told as FQDN if not empty
  // For the OPEN and for the first KEEPALIVE; RFC 4271, 8.2.2 suggests 4 minutes.
  absl::Duration open_hold_time = absl::Minutes(4);
  // How long the neighbour may take nothing of what is to be sent (RFC 9687, 4).
  absl::Duration send_hold_time = absl::Minutes(8);
  // UPDATEs with an error that the session survives, before it is closed. 0: no bound, as RFC 7606 means it: each costs
  // a counter.
  uint64_t max_erroneous_updates = 0;
};

// RFC 4271, 8.2.2. A passive speaker has no Connect; kActive waits for the neighbour's OPEN (DelayOpen) with nothing
// sent.
#define FLOWACCT_BGP_SESSION_STATES(X) \
  X(kIdle, "idle")                     \
  X(kActive, "active")                 \
  X(kOpenSent, "open_sent")            \
  X(kOpenConfirm, "open_confirm")      \
  X(kEstablished, "established")

enum class SessionState : uint8_t {
#define X(name, text) name,
  FLOWACCT_BGP_SESSION_STATES(X)
#undef X
};
absl::string_view SessionStateName(SessionState state);

enum class CloseCause : uint8_t { kNotificationSent, kNotificationReceived, kConnectionLost };

struct SessionClosed {
  CloseCause cause = CloseCause::kConnectionLost;
  NotificationView notification;  // if one was sent or received
  bool was_established = false;
  // The neighbour's routes may be kept as stale for `restart_time` (RFC 4724, 4.2; RFC 8538, 4): of which families its
  // OPEN says.
  bool graceful = false;
  absl::Duration restart_time;
};

class SessionListener {
 public:
  virtual ~SessionListener() = default;
  // `peer`: who it is and what it can, its graceful restart too.
  virtual void OnEstablished(const SessionContext& context, const Open& peer) = 0;
  // Routes that are announced or withdrawn, also of an UPDATE with errors that is not to end the session.
  virtual void OnUpdate(const Update& update, base::Octets message) = 0;
  virtual void OnEndOfRib(Family family) = 0;
  // A request, which a speaker without routes has no answer to; or BoRR and EoRR (RFC 7313, 4).
  virtual void OnRouteRefresh(Family family, RouteRefreshSubtype subtype) = 0;
  virtual void OnClosed(const SessionClosed& closed) = 0;
};

struct SessionCounters {
  std::array<uint64_t, kMessageTypeCount + 1> received{};  // by message type
  std::array<uint64_t, kMessageTypeCount + 1> sent{};
  uint64_t received_octets = 0;  // of whole messages
  uint64_t erroneous_updates = 0;
  uint64_t ignored_refreshes = 0;  // of unknown subtype or family, or not agreed
  UpdateCounters updates;
};

// What is known of one of two connections with the same neighbour.
struct CollisionParty {
  SessionState state = SessionState::kIdle;
  uint32_t local_as = 0, peer_as = 0;
  uint32_t local_identifier = 0, peer_identifier = 0;  // 0: its OPEN has not come
  bool opened_by_peer = true;
  bool graceful_restart = false;  // agreed
};

enum class CollisionVerdict : uint8_t { kNone, kCloseExisting, kCloseNew };

// RFC 4271, 6.8, when the new connection's OPEN has come. kNone: another neighbour, or one not known yet. The loser
// gets Stop(kConnectionCollisionResolution).
// * Established: the new one goes, unless graceful restart was agreed (RFC 4724, 5: the old one does) or
// `replace_established` (the
//   CollisionDetectEstablishedState of RFC 4271, 8.1.1).
// * Else the connection that the side with the larger identifier opened stays, or with RFC 6286, 2.3 of the larger AS.
// If the neighbour
//   opened both, the new one does: it has given up the old one.
CollisionVerdict ResolveCollision(const CollisionParty& existing, const CollisionParty& incoming,
                                  bool replace_established = false);

class Session {
 public:
  Session(const SessionOptions& options, SessionListener* listener);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start(absl::Time now);
  // Octets after the session was closed are ignored.
  void Receive(base::Octets octets, absl::Time now);
  void Tick(absl::Time now);
  // When Tick has something to do; InfiniteFuture if never.
  absl::Time deadline() const;
  // The connection ended; without effect once closed.
  void ConnectionLost(absl::Time now);
  // Closes with a NOTIFICATION; `text`, if any, is told with an administrative shutdown or reset (RFC 9003).
  void Stop(NotificationCode code, absl::string_view text, absl::Time now);
  // Asks for all routes of a family again (RFC 2918); false if the neighbour cannot, or there is no session.
  bool RequestRefresh(Family family, absl::Time now);

  // To be sent; valid until the session is next called.
  base::Octets output() const { return output_.octets().subspan(output_at_); }
  void ConsumeOutput(size_t octets, absl::Time now);

  SessionState state() const { return state_; }
  bool closed() const { return closed_; }
  // Meaningful from OpenConfirm on.
  const Open& peer() const { return peer_; }
  const SessionContext& context() const { return context_; }
  absl::Duration hold_time() const { return hold_time_; }
  CollisionParty collision_party() const;
  const SessionCounters& counters() const { return counters_; }

 private:
  void ReceiveMessages(base::Octets octets, absl::Time now);
  void Handle(MessageType type, base::Octets message, absl::Time now);
  void HandleOpen(base::Octets message, absl::Time now);
  void HandleUpdate(base::Octets message, absl::Time now);
  void HandleRouteRefresh(base::Octets message, absl::Time now);
  void FailHeader(const MessageBoundary& boundary, base::Octets header, absl::Time now);
  void FailState(absl::Time now);
  void Fail(NotificationCode code, base::Octets data, absl::Time now);
  void Close(CloseCause cause, const NotificationView& notification);
  void SendOpen(const Open* peer, absl::Time now);
  template <typename Write>
  void Send(MessageType type, absl::Time now, Write&& write);

  const SessionOptions options_;
  SessionListener* const listener_;
  SessionState state_ = SessionState::kIdle;
  bool closed_ = false;
  Open sent_, peer_;
  SessionContext context_;
  absl::Duration hold_time_ = absl::InfiniteDuration();
  absl::Time hold_deadline_ = absl::InfiniteFuture();
  absl::Time keepalive_deadline_ = absl::InfiniteFuture();
  absl::Time send_deadline_ = absl::InfiniteFuture();
  std::vector<uint8_t> input_;  // a message that is not whole yet
  base::OctetWriter output_;
  size_t output_at_ = 0;
  Update update_;
  SessionCounters counters_;
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_SESSION_H_
