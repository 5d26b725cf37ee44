// Looks up which bearer a packet belongs to, and counts it there.
//
//     std::vector<LookUp> batch;  ...  reader.FindBatch(absl::MakeSpan(batch));    // by tunnel and time
//     for (const LookUp& l : batch) reader.Count(l.found, packets, bytes);         // once, when the row is done
//     epochs_reader.Quiescent();                                                   // all that was found is void
//
// A tunnel is looked up at the time of the packet: from its creation to its end, with SessionOptions::slack_nanos on
// both sides where no other tunnel has the endpoint. Later than linger_nanos after its end nothing is known of it.
// Guarantees: a look-up beside a change gives what was before or what is after it; volumes lose nothing: what is
// counted until the reader is quiescent is in the bearer's record.
// Ownership: the engine outlives its readers. Threads: a reader is one thread's, online in the engine's epochs when it
// looks up; nobody waits. Errors: Found::match. Cost: README.md.

#ifndef FLOWACCT_SESSION_SESSION_READER_H_
#define FLOWACCT_SESSION_SESSION_READER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/gtp/values.h"
#include "flowacct/session/facts.h"

namespace flowacct::session {

class SessionEngine;
class Tables;
class PeerCounts;

struct LookUp {
  base::IpAddress address;  // the outer destination
  uint32_t teid = 0;
  int64_t time_nanos = 0;
  Found found;
};

class SessionReader {
 public:
  explicit SessionReader(SessionEngine* engine);
  SessionReader(SessionReader&&) noexcept;
  SessionReader& operator=(SessionReader&&) = delete;
  // What it counted by peer stays with the engine.
  ~SessionReader();

  void FindBatch(absl::Span<LookUp> look_ups) const;
  Found Find(const base::IpAddress& destination, uint32_t teid, int64_t time_nanos) const;
  // By the addresses of subscribers (inner ones): up if the source is one's, else down if the destination is. Match:
  // kJoinedByAddress, kAmbiguous, kExpired, or kNone: nobody's.
  Found FindByAddress(const base::IpAddress& source, const base::IpAddress& destination, int64_t time_nanos) const;

  // Of a packet or row that was found so, joined or not: the bearer's volume, and what became of it by peer. Once for
  // each: not when it is held and looked up again.
  void Count(const Found& found, uint64_t packets, uint64_t bytes);
  // The same, and keeps which tunnel it was for if it is not joined (SessionEngine::unmatched).
  void Count(const LookUp& look_up, uint64_t packets, uint64_t bytes);

  // Both ends of the tunnel that was found: {up, down}. One of TEID 0 is not known.
  std::pair<Endpoint, Endpoint> Endpoints(const Found& found) const;

  // Valid as long as the engine.
  absl::string_view text(base::InternId id) const;
  const gtp::UserLocation& location(uint32_t id) const;  // of 0: an empty one
  // Of the interner that has the texts: base::Interner::identity.
  const std::shared_ptr<const void>& identity() const;

 private:
  const Tables* tables_;
  SessionEngine* engine_;
  PeerCounts* counts_;  // the engine's, but only this reader writes there
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_READER_H_
