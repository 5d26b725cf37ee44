// The sessions of mobile subscribers that a collector knows: takes the GTP messages that its packet inputs see pass,
// whichever thread they are on, and lets enrichers look tunnels up.
//
//     SessionService service(options);
//     service.Take(octets, transport);                         // any thread that sees packets
//     service.Advance(now);                                    // once a second or oftener
//     service.TakeRecords();                                   // of which record_rows.h makes rows for pipelines
//     SessionsEnricher::Factory(service.engine(), service.epochs())
//
// Standards: those of gtp and session. Guarantees: a message that was taken counts for every look-up after it; each
// record is given out once. Ownership: owns engine and epochs; outlives the readers that it is asked for.
// Threads: any; one message at a time, readers of the tables never wait. Errors: messages that cannot be read are
// counted by reason. Cost: a mutex a message, which are some thousandth of the packets that they are about.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_SESSION_SERVICE_H_
#define FLOWACCT_COLLECTOR_SESSIONS_SESSION_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/session/session_engine.h"

namespace flowacct::collector {

struct SessionServiceStatus {
  session::SessionCounters counters;
  base::DecodeCounters decoded;  // messages by what became of them
  uint64_t elements_unreadable = 0;
  uint64_t contexts = 0;
  uint64_t transactions = 0;
  uint64_t octets = 0;
};

class SessionService {
 public:
  explicit SessionService(session::SessionOptions options = {});

  // All messages of one datagram: GTP-C, GTP', and those of GTP-U that are no G-PDU.
  void Take(base::Octets datagram, const session::Transport& transport);
  // Ages what is old, as far as that takes some milliseconds at most.
  void Advance(int64_t now_nanos);
  // Ends every session, so that each has a record: no reader looks anything up any more.
  void EndAll(int64_t now_nanos);
  // Those that were made since the last call.
  std::vector<session::SessionRecord> TakeRecords();

  // For readers, in threads of their own.
  session::SessionEngine* engine() { return &engine_; }
  lpm::ReaderEpochs* epochs() { return &epochs_; }

  SessionServiceStatus Status() const;
  // The engine between two messages, for what is shown to people: quick.
  void Visit(absl::FunctionRef<void(const session::SessionEngine&)> visit) const;

  std::string Save() const;
  absl::Status Restore(base::Octets sealed);

 private:
  lpm::ReaderEpochs epochs_;
  mutable base::Mutex mutex_;
  session::SessionEngine engine_;  // written under mutex_; readers need none
  gtp::ControlMessage message_ ABSL_GUARDED_BY(mutex_);
  base::DecodeCounters decoded_ ABSL_GUARDED_BY(mutex_);
  uint64_t elements_unreadable_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Where the sessions are, once there are any: plans are older than they are.
struct SessionHolder {
  std::shared_ptr<SessionService> service;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_SESSION_SERVICE_H_
