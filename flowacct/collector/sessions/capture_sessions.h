// The sessions that captures of packets tell of, from their first message to their last, for people who ask.
//
// Everything is kept to the end: sessions that are over, too. Packets that come before their session's messages wait as
// in a collector.
// Ownership: owns all. Threads: one at a time. Errors: a file that cannot be read ends the loading; Cancelled.
// Cost: as a replay; memory is that of all sessions.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_CAPTURE_SESSIONS_H_
#define FLOWACCT_COLLECTOR_SESSIONS_CAPTURE_SESSIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/session/session_options.h"
#include "flowacct/session/session_record.h"

namespace flowacct::collector {

struct CaptureSessionsOptions {
  std::vector<std::string> files;
  session::SessionOptions sessions;
  std::function<bool()> interrupted;                   // may be empty
  std::function<void(const CaptureReader&)> progress;  // may be empty
};

class CaptureSessions {
 public:
  static absl::StatusOr<std::unique_ptr<CaptureSessions>> Load(CaptureSessionsOptions options);

  absl::StatusOr<std::string> Ask(const SessionsQuestion& question) const;
  // Ends all sessions: every record of them. Once.
  std::vector<session::SessionRecord> TakeRecords();
  absl::string_view text(base::InternId id) const { return service_->engine()->text(id); }
  // What was read and joined, a line each.
  const std::vector<std::string>& summary() const { return summary_; }

 private:
  CaptureSessions() = default;

  std::shared_ptr<SessionService> service_;
  int64_t end_nanos_ = 0;
  std::vector<std::string> summary_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_CAPTURE_SESSIONS_H_
