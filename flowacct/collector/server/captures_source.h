// Captures as a worker's source: files, read once in their order, and folders, whose files are read when they appear.
//
// A file of a folder is taken when two looks, a second apart, found it alike: whole, if its writer writes on or renames
// it into place. It is read once; `remove` removes it then. What was read is remembered by name as long as it is there.
// Errors: a file that cannot be read, or is cut, is told to `log` and left; what was whole of it is accounted.

#ifndef FLOWACCT_COLLECTOR_SERVER_CAPTURES_SOURCE_H_
#define FLOWACCT_COLLECTOR_SERVER_CAPTURES_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/server/source.h"

namespace flowacct::collector {

struct CapturesSourceOptions {
  std::vector<std::string> paths;
  std::optional<CaptureKind> kind;  // nothing: each capture is asked
  std::string pattern = "*";        // of names in folders (fnmatch(3))
  bool remove = false;              // a folder's file that was read
  bool use_capture_time = true;
  // Names of a folder that are remembered: a folder that nobody clears must not take the memory.
  size_t max_remembered = 100000;
  std::function<void(absl::string_view)> log;
  std::function<int64_t()> clock;  // for tests; empty: the system's
};

class CapturesSource final : public Source {
 public:
  explicit CapturesSource(CapturesSourceOptions options);

  int fd() const override { return -1; }
  Reading Read() override;
  bool ended() const override { return folders_.empty() && waiting_.empty() && reader_ == nullptr; }
  std::optional<int64_t> time_nanos() const override {
    return options_.use_capture_time ? std::optional<int64_t>(time_nanos_) : std::nullopt;
  }
  void AddTo(InputStatus* status) const override;

 private:
  struct Seen {
    uint64_t size = 0;
    int64_t changed_nanos = 0;
    bool taken = false;
    bool still_there = false;
  };
  struct File {
    std::string path;
    bool of_folder = false;
  };

  void LookIntoFolders();
  bool OpenNext();
  void Finish();

  const CapturesSourceOptions options_;
  std::vector<std::string> folders_;
  std::deque<File> waiting_;
  File file_;
  std::unique_ptr<CaptureReader> reader_;
  std::optional<CaptureKind> kind_;  // of the open file
  absl::flat_hash_map<std::string, Seen> seen_;
  int64_t last_look_nanos_ = 0;
  int64_t time_nanos_ = 0;
  uint64_t packets_ = 0;
  uint64_t octets_ = 0;
  uint64_t failed_ = 0;
  std::string trouble_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_CAPTURES_SOURCE_H_
