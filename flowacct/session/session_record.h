// What correlation tells of whole sessions, as values: records as charging has them, what there is now, and peers.

#ifndef FLOWACCT_SESSION_SESSION_RECORD_H_
#define FLOWACCT_SESSION_SESSION_RECORD_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/session/facts.h"

namespace flowacct::session {

// Why a bearer is over; the values of the field session_cause.
#define FLOWACCT_SESSION_CAUSES(X)                                                              \
  X(kNone, "", "it goes on: a record of an interval")                                           \
  X(kDeleted, "deleted", "its deletion was asked for and done")                                 \
  X(kReplaced, "replaced", "its subscriber made the same one anew")                             \
  X(kPeerRestart, "peer_restart", "a node that had it lost all, as its restart counter says")   \
  X(kUnknownToPeer, "unknown_to_peer", "a node answered that it does not have it")              \
  X(kErrorIndication, "error_indication", "the node in the core has no such tunnel")            \
  X(kIdle, "idle", "neither packet nor message for so long that its end must have been missed") \
  X(kStopped, "stopped", "the accounting stopped; the session may go on")

enum class Cause : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_SESSION_CAUSES(X)
#undef X
};

absl::string_view CauseName(Cause cause);

struct Volume {
  uint64_t packets_up = 0, packets_down = 0, bytes_up = 0, bytes_down = 0;
  uint64_t packets() const { return packets_up + packets_down; }
};

// Where a bearer runs on one interface. An endpoint of TEID 0 is not known, or not there, as in an idle phone's.
struct Path {
  Interface interface = Interface::kUnknown;
  Endpoint up, down;  // who takes what goes up, and down
  Volume volume;      // that was counted on it since it began
};

// Of one bearer, from its start or its last record to now or its end. A packet that is seen on two interfaces is in
// `volume` once: by direction it is that of the interface on which more octets were seen in all.
struct SessionRecord {
  Facts facts;
  Cause cause = Cause::kNone;
  uint8_t gtp_cause = 0;  // of the message that ended it; 0: none
  int64_t from_nanos = 0, until_nanos = 0;
  Volume volume;
  uint16_t rat_changes = 0, location_changes = 0;  // of its session, since its start or the bearer's last record
  Path path;  // the one in the core, if it was still there at the end, else that of access
};

// One bearer as it is now.
struct SessionView {
  Facts facts;
  bool active = true;  // false: it is over, and kept for late packets
  bool suspended = false;
  bool linked = false;                             // has its default bearer's session (else this is the default bearer)
  uint16_t rat_changes = 0, location_changes = 0;  // of its session since its start
  std::array<Path, 2> paths;                       // core, access; kUnknown: not seen
};

struct PeerReport {
  base::IpAddress address;
  uint64_t messages_from = 0, messages_to = 0;
  bool has_restart_counter = false;
  uint8_t restart_counter = 0;
  uint64_t restarts = 0;
  uint64_t control_endpoints = 0;  // sessions that it has a control endpoint of, now
  // Packets to it by what became of them; Match is the index.
  std::array<uint64_t, kMatches> packets{};
};

// Which tunnels packets were for that nobody knows: a sample of the last ones.
struct UnmatchedTunnel {
  Endpoint endpoint;
  Match match = Match::kNone;
  int64_t time_nanos = 0;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_RECORD_H_
