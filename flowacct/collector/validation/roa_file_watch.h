// A file of ROAs that others replace or rewrite: read when it changes, its last good VRPs kept meanwhile.
//
//     RoaFileWatch watch("/var/lib/rpki-client/json", options);
//     if (watch.Look(absl::Now())) ... watch.vrps() ...        // every second or so
//
// What tells a change: device, inode, size and time of the last change. A file that changes while it is read is read
// again the next time. One that is not there, no regular file, too large or no such JSON leaves what was read before,
// and says so in status(). One that does not change is read again after `read_files_again`, for what has expired.
// Ownership: owns its VRPs. Threads: one at a time. Errors: status().last_error, a text for a person. Cost: a stat; a
// read some 1 s for the world's 700,000 VRPs, after which nothing is read for ten times as long.

#ifndef FLOWACCT_COLLECTOR_VALIDATION_ROA_FILE_WATCH_H_
#define FLOWACCT_COLLECTOR_VALIDATION_ROA_FILE_WATCH_H_

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/collector/validation/validation_options.h"
#include "flowacct/collector/validation/validation_status.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::collector {

class RoaFileWatch {
 public:
  RoaFileWatch(const std::string& path, const ValidationOptions& options);

  // Whether vrps() are others now.
  bool Look(absl::Time now);
  const std::vector<rpki::Vrp>& vrps() const { return vrps_; }
  // Whether it was ever read.
  bool has_vrps() const { return status_.reads != 0; }
  const RpkiFileStatus& status() const { return status_; }

 private:
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t nanos = 0;
    friend bool operator==(const Identity& a, const Identity& b) {
      return a.device == b.device && a.inode == b.inode && a.size == b.size && a.nanos == b.nanos;
    }
  };

  static Identity IdentityOf(const struct stat& info);
  absl::StatusOr<std::string> Read(Identity* identity) const;
  bool Fail(const absl::Status& status);

  const ValidationOptions options_;
  RpkiFileStatus status_;
  std::vector<rpki::Vrp> vrps_;
  Identity seen_;  // what was read last, or could not be
  bool seen_any_ = false;
  absl::Time read_again_ = absl::InfinitePast();
  absl::Time not_before_ = absl::InfinitePast();
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_VALIDATION_ROA_FILE_WATCH_H_
