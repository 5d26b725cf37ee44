// What the kernel tells of this process: memory, CPU, file descriptors. Linux' /proc; what cannot be read is zero.
//
// Threads: any. Cost: some 100 microseconds, and one file descriptor while it lasts.

#ifndef FLOWACCT_COLLECTOR_ADMIN_PROCESS_STATUS_H_
#define FLOWACCT_COLLECTOR_ADMIN_PROCESS_STATUS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace flowacct::collector {

struct ProcessStatus {
  double cpu_seconds = 0;  // user and system, all threads
  uint64_t resident_octets = 0;
  uint64_t virtual_octets = 0;
  uint64_t threads = 0;
  uint64_t open_files = 0;
  uint64_t max_files = 0;
  absl::Time started = absl::UnixEpoch();
};

ProcessStatus ReadProcessStatus();

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_PROCESS_STATUS_H_
