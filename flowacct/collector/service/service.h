// What makes a process a service: signals, systemd, and the rights that it gives up.
//
// Threads: BlockSignals before any other thread is made; RunService on the main thread.

#ifndef FLOWACCT_COLLECTOR_SERVICE_SERVICE_H_
#define FLOWACCT_COLLECTOR_SERVICE_SERVICE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

// From now on SIGTERM, SIGINT, SIGHUP and SIGUSR1 come to RunService alone; SIGPIPE is ignored.
void BlockSignals();

struct ServiceCalls {
  std::function<void()> reload;        // SIGHUP
  std::function<bool()> is_alive;      // asked before each word to systemd's watchdog
  std::function<void()> every_second;  // may be empty
};

// Tells systemd (sd_notify(3)) that the service is ready, and serves signals and the watchdog until SIGTERM or SIGINT,
// or until EndService; returns the signal, or 0.
int RunService(const ServiceCalls& calls);
// Lets RunService return. Any thread.
void EndService();
// A line for `systemctl status`.
void NotifyStatus(absl::string_view line);

// Becomes this user and group (by name), for good; empty: stays. `folder`, if not empty, and the files in it become the
// user's first. NotFound or PermissionDenied says what to do.
absl::Status DropPrivileges(const std::string& user, const std::string& group, const std::string& folder);

// Refuses all system calls but those that a running collector needs (seccomp(2)): the others fail with EPERM.
// FailedPrecondition where the system cannot.
absl::Status RestrictSystemCalls();

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVICE_SERVICE_H_
