// Joins GTP's control plane to its user plane: follows PDP contexts, PDN connections and bearers through the messages
// of all versions, and keeps whose each tunnel is, at which time.
//
//     lpm::ReaderEpochs epochs;
//     SessionEngine engine(&epochs, options);                       // the writer
//     engine.Take(message, transport);  ...  while (engine.Advance(now)) {}
//     for (const SessionRecord& record : engine.TakeRecords()) ...
//     SessionReader reader(&engine);                                // each thread that has packets: session_reader.h
//
// Standards: procedures of TS 23.060, TS 23.401 and TS 23.007 as seen in TS 29.060 (GTPv0, v1) and TS 29.274 (v2).
// Answers are paired with requests by both addresses and the sequence number, never by a port; what comes again is
// counted and changes nothing. What a session is: README.md.
// Guaranteed: what a request asks for counts only if its answer accepts it, or if there must have been one
// (SessionOptions::assume_nanos, assume_made_nanos; for a session that is not known yet within max_assumed, and never
// at another's cost); a tunnel endpoint is one bearer's at a time; bearers are never joined by a subscriber's address.
// Not checked: whether a node may say what it says. Ownership: `epochs` outlives the engine, which outlives its
// readers. Threads: one writer (or a mutex around it); readers never wait. Errors: counters; no message is refused as
// such. Cost and memory: README.md.

#ifndef FLOWACCT_SESSION_SESSION_ENGINE_H_
#define FLOWACCT_SESSION_SESSION_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/session/facts.h"
#include "flowacct/session/session_options.h"
#include "flowacct/session/session_record.h"

namespace flowacct::session {

struct Transport {
  base::IpAddress source, destination;
  uint16_t source_port = 0, destination_port = 0;
  int64_t time_nanos = 0;  // since 1970, when it was seen
};

// Name, help.
#define FLOWACCT_SESSION_COUNTERS(X)                                                    \
  X(messages, "control messages taken")                                                 \
  X(requests, "of them requests")                                                       \
  X(responses, "of them responses")                                                     \
  X(accepted, "responses that accept what was asked for")                               \
  X(refused_by_peer, "responses with a cause that refuses")                             \
  X(retransmissions, "requests and responses that came again")                          \
  X(unpaired_responses, "responses whose request was not seen")                         \
  X(unanswered_requests, "requests without an answer in time")                          \
  X(assumed, "requests whose answer was not seen, and that were not sent again")        \
  X(answers_alone, "unpaired responses that told of a session all the same")            \
  X(unknown_session, "messages for a session that is not known")                        \
  X(incomplete, "messages that lack what correlation needs: addresses, TEIDs, bearers") \
  X(contexts_created, "bearers and PDP contexts made")                                  \
  X(contexts_ended, "bearers and PDP contexts that are over")                           \
  X(replaced, "of them because the same was made anew")                                 \
  X(restarted, "of them because a peer restarted")                                      \
  X(idle, "of them because nothing was seen of them for long")                          \
  X(learned, "sessions learned from context transfer, whose creation was not seen")     \
  X(linked, "sessions that were found to be the same on two interfaces")                \
  X(tunnels_created, "tunnel endpoints made")                                           \
  X(tunnels_reused, "of them while another bearer still had them")                      \
  X(forwarding_tunnels, "of them for data that is forwarded in a handover")             \
  X(path_changes, "changes of a tunnel of a bearer that stays")                         \
  X(facts_changes, "changes of what is known of a bearer")                              \
  X(access_releases, "releases of access bearers")                                      \
  X(suspends, "subscribers that were suspended")                                        \
  X(resumes, "subscribers that were resumed")                                           \
  X(error_indications, "GTP-U error indications")                                       \
  X(end_markers, "GTP-U end markers")                                                   \
  X(peer_restarts, "peers whose restart counter grew")                                  \
  X(commands, "commands; what they bring about is told by the request that follows")    \
  X(unsupported, "messages of procedures that change nothing here")                     \
  X(intervals, "records of intervals made")                                             \
  X(context_bound, "contexts that max_contexts refused, or a session with too many")    \
  X(control_bound, "control endpoints that too many sessions share")                    \
  X(tunnel_bound, "tunnels that max_tunnels refused")                                   \
  X(peer_bound, "addresses that max_peers refused")                                     \
  X(transaction_bound, "requests that max_transactions refused")                        \
  X(assumed_bound, "creations without an answer that max_assumed refused")              \
  X(history_bound, "old facts and tunnels that max_history made forgotten early")       \
  X(lease_bound, "sessions that max_leases keeps from being found by address")          \
  X(location_bound, "locations that max_locations refused")                             \
  X(text_bound, "names that the interner refused")                                      \
  X(record_bound, "records of ended bearers that max_records lost")                     \
  X(restored, "contexts restored")

struct SessionCounters {
#define X(name, help) uint64_t name = 0;
  FLOWACCT_SESSION_COUNTERS(X)
#undef X
};

class SessionEngine {
 public:
  explicit SessionEngine(lpm::ReaderEpochs* epochs, SessionOptions options = {});
  SessionEngine(const SessionEngine&) = delete;
  SessionEngine& operator=(const SessionEngine&) = delete;
  ~SessionEngine();

  // A message of GTP-C, and of GTP-U: error indication, end marker, echo. An error indication has the tunnel that is
  // unknown as its first control endpoint.
  void Take(const gtp::ControlMessage& message, const Transport& transport);
  // Times out and tidies up, a bounded amount a call (some 100 us); true: there is more to do at once. `now` is the
  // clock's, or in a replay that of the last packet; what is older than the last one counts as that.
  bool Advance(int64_t now_nanos);
  // Ends all that is there with Cause::kStopped, and makes all records that wait, whatever max_records. No reader holds
  // anything.
  void EndAll(int64_t now_nanos);
  // Those that are done since the last call, in the order of their making.
  std::vector<SessionRecord> TakeRecords();

  // --- What there is ---

  const SessionCounters& counters() const;
  size_t contexts() const;      // bearers that are there, and those that linger
  size_t transactions() const;  // requests that wait for their answer
  size_t octets() const;        // of all tables
  void VisitPeers(absl::FunctionRef<void(const PeerReport&)> visit) const;
  // Those of addresses that no control message named, together.
  PeerReport unknown_peers() const;
  // All bearers from the place `from` on, until `visit` returns false; returns the place to go on from, 0 at the end.
  size_t VisitSessions(size_t from, absl::FunctionRef<bool(const SessionView&)> visit) const;
  std::vector<SessionView> SessionsOf(base::Digits imsi) const;
  // Tunnels of which packets came and could not be joined, the last ones by Count(LookUp) first.
  std::vector<UnmatchedTunnel> unmatched() const;
  absl::string_view text(base::InternId id) const;
  const gtp::UserLocation& location(uint32_t id) const;

  // --- Over a restart ---

  // All sessions that are there, with their volumes and what peers' restart counters are; not what is over, and not
  // requests that wait. Sealed octets (base/sealed_octets.h).
  std::string Save() const;
  // Into an engine that has nothing yet. InvalidArgument, DataLoss: as base::Unseal, and then it has nothing still.
  absl::Status Restore(base::Octets sealed);

 private:
  friend class SessionReader;
  class Impl;

  std::unique_ptr<Impl> impl_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_ENGINE_H_
