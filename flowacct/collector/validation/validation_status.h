// What origin validation tells of itself: its caches, its files, and the table that they make together.
//
// Plain values, of one moment. Threads: any.

#ifndef FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_STATUS_H_
#define FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace flowacct::collector {

// A cache that is asked over the RPKI-to-Router protocol.
struct RpkiCacheStatus {
  std::string cache;  // "tcp://192.0.2.1:3323"
  std::string state;  // of rpki::ClientState, or "connecting"
  uint32_t version = 0;
  uint32_t session = 0;  // and serial: 0 without a session
  uint32_t serial = 0;
  uint64_t vrps = 0;
  uint64_t connections = 0;                     // that stood
  uint64_t failures = 0;                        // of connecting, and connections that were lost or given up
  uint64_t updates = 0;                         // answers that took effect
  uint64_t announced = 0;                       // VRPs that came with them
  uint64_t withdrawn = 0;                       // and that went
  uint64_t flushed = 0;                         // VRPs that expired, or were another cache's
  uint64_t errors_sent = 0;                     // Error Reports
  uint64_t errors_received = 0;                 // so
  absl::Time updated = absl::InfinitePast();    // the last answer that took effect
  absl::Time expires = absl::InfiniteFuture();  // unless the cache is heard again; the future: it has told nothing
  std::string last_error;
};

struct RpkiFileStatus {
  std::string file;
  uint64_t vrps = 0;
  uint64_t malformed = 0;  // entries that were left out
  uint64_t expired = 0;    // so
  uint64_t reads = 0;      // that took effect
  uint64_t failures = 0;   // the last good set stayed
  absl::Time updated = absl::InfinitePast();
  std::string last_error;  // empty: the file is as it was read last
};

// All zero without `rpki`.
struct RpkiStatus {
  uint64_t vrps = 0;    // of the table, each once
  uint64_t tables = 0;  // that were made
  uint64_t octets = 0;
  bool validates = false;  // somebody has told VRPs that have not expired
  std::vector<RpkiCacheStatus> caches;
  std::vector<RpkiFileStatus> files;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_VALIDATION_VALIDATION_STATUS_H_
