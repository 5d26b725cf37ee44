// A folder of one program's own for what it keeps over a restart: each file is there whole, or as it was before.
//
//     auto folder = StateDirectory::Open("/var/lib/flowacct");
//     (*folder)->Write("decoders.in.0", octets);       // by another name first, then renamed
//     (*folder)->Read("decoders.in.0");                // NotFound: never written
//
// Guaranteed: a second program that opens the folder is refused while the first one runs (flock(2)); a file that was
// written is there after a crash of the machine, too (fsync(2)). Names may hold any octets: what no file name can is
// written as %XX.
// Threads: any, but not two writers of one name. Errors: Status with path and reason. Cost: that of the disk.

#ifndef FLOWACCT_COLLECTOR_STATE_STATE_DIRECTORY_H_
#define FLOWACCT_COLLECTOR_STATE_STATE_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {

class StateDirectory {
 public:
  // Made if it is missing (0700); its parent has to be there.
  static absl::StatusOr<std::unique_ptr<StateDirectory>> Open(const std::string& path);

  absl::Status Write(absl::string_view name, absl::string_view octets);
  // Writes over the begin of a small file, at once and in place: for what changes all the time, and is wrong by the
  // last change at most after a crash. The same size each time.
  absl::Status Overwrite(absl::string_view name, absl::string_view octets);
  absl::StatusOr<std::string> Read(absl::string_view name) const;
  // Gives what cannot be used another name, so that nothing is lost, and returns its path.
  absl::StatusOr<std::string> SetAside(absl::string_view name);
  absl::Status Remove(absl::string_view name);

  struct File {
    std::string name;  // as it lies in the folder: in which octets are written as %XX
    uint64_t octets = 0;
    bool set_aside = false;
  };
  // What was written and what was set aside, in no order. What a crash left half written is removed.
  absl::StatusOr<std::vector<File>> List();
  // By File::name.
  absl::Status RemoveSetAside(absl::string_view name);

  const std::string& path() const { return path_; }

 private:
  StateDirectory(std::string path, Descriptor folder, Descriptor lock)
      : path_(std::move(path)), folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::string PathOf(absl::string_view name) const;

  const std::string path_;
  const Descriptor folder_;
  const Descriptor lock_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STATE_STATE_DIRECTORY_H_
