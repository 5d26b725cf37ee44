// Files that grow by lines, one for each name that a pattern of time and teller makes.
//
//     LogFileSet files({"/var/log/flowacct/bgp-$peer_src_ip-%Y%m%d.json"});
//     files.Append(teller, time, text, lines);     // whole lines
//     files.Flush();  files.Tick(now);             // some times a second
//
// Names: strftime(3)'s words for the time of the lines, $peer_src_ip or $bmp_router for the teller's address, with '_'
// for '.' and ':', and $peer_tcp_port or $bmp_router_port for its port. All that comes from outside is made of digits,
// letters of hexadecimal numbers and '_': a name stays in the folders of its pattern. Folders that are not there are
// made.
// Guaranteed: a file has whole lines alone, also where the disk was full meanwhile; what was moved away is written to
// no more, and a new file begins (at the next Tick, or at once after Reopen). Not checked: who else writes to a file.
// Ownership: owns its descriptors. Threads: one at a time; writing waits for the disk. Errors: counted, with the lines
// that were lost by them; the first of a row is told by error(). Bounds: max_open files, the one that was used last
// stays; a buffer each.

#ifndef FLOWACCT_COLLECTOR_ROUTELOG_LOG_FILE_SET_H_
#define FLOWACCT_COLLECTOR_ROUTELOG_LOG_FILE_SET_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {

struct LogTeller {
  base::IpAddress address;
  uint16_t port = 0;
};

std::string ExpandLogName(absl::string_view pattern, const LogTeller& teller, absl::Time time, absl::TimeZone zone);
// The word of a pattern for the teller's port; empty: it has none.
absl::string_view PortWordOf(absl::string_view pattern);
// InvalidArgument: what is wrong with a pattern. `ports`: those of its tellers are known.
absl::Status CheckLogPattern(absl::string_view pattern, bool ports);

// Opens `name` with flags of open(2), and makes the folders above it if they are not there.
absl::StatusOr<Descriptor> OpenLogFile(const std::string& name, int flags);
// Writes all of it; the octets that were written before an error are in `*written`.
absl::Status WriteWhole(int descriptor, absl::string_view text, size_t* written);

struct LogFileOptions {
  std::string pattern;
  absl::TimeZone zone = absl::UTCTimeZone();
  // Neighbours whose files are written at once; those of more are opened again each time.
  size_t max_open = 64;
  // A file that nobody writes to any more.
  absl::Duration close_after = absl::Minutes(5);
  size_t buffer_octets = 65536;
};

struct LogFileCounters {
  uint64_t lines = 0;  // written
  uint64_t lost = 0;   // for an error
  uint64_t errors = 0;
  uint64_t opened = 0;
  size_t open = 0;
};

class LogFileSet {
 public:
  explicit LogFileSet(LogFileOptions options) : options_(std::move(options)) {}
  ~LogFileSet() { Flush(); }
  LogFileSet(const LogFileSet&) = delete;
  LogFileSet& operator=(const LogFileSet&) = delete;

  void Append(const LogTeller& teller, absl::Time time, absl::string_view text, size_t lines);
  void Flush();
  // Closes what was moved away or is used no more.
  void Tick(absl::Time now);
  // Closes all; whoever comes next opens anew.
  void Reopen();

  const LogFileCounters& counters() const { return counters_; }
  // The error that lasts; empty: the last write went well.
  const std::string& error() const { return error_; }

 private:
  struct File {
    Descriptor descriptor;
    dev_t device = 0;
    ino_t inode = 0;
    absl::Time used;
    std::string buffer;
    size_t lines = 0;  // in the buffer
  };
  using Files = std::map<std::string, File>;

  File* Open(const std::string& name);
  void Flush(const std::string& name, File* file);
  Files::iterator Close(Files::iterator file);
  void Fail(absl::string_view what, size_t lines);

  const LogFileOptions options_;
  Files files_;
  File* last_ = nullptr;  // of the teller and second below
  base::IpAddress last_address_;
  uint16_t last_port_ = 0;
  int64_t last_second_ = 0;
  LogFileCounters counters_;
  std::string error_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTELOG_LOG_FILE_SET_H_
