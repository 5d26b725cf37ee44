// Where printed octets go: a stream that somebody else owns, or a file that appears whole or not at all.
//
// A regular file is written as ".NAME.part-PID-N" in the folder where it will be, and renamed by Commit(), over what
// was there; a symbolic link is followed first. What is no regular file (/dev/full, a FIFO) is written as it is.
// Guaranteed: readers never see a part. Not promised: that a power loss keeps it (nothing is synced).
// Errors: the errno's kind, with the path, its text and what to do. Threads: one at a time.

#ifndef FLOWACCT_SINK_PRINT_OUTPUT_FILE_H_
#define FLOWACCT_SINK_PRINT_OUTPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::sink::print {

class OutputFile {
 public:
  // `keep`: what the file holds already stays, and more is added behind it.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Open(const std::string& path, bool keep);
  // What is written is in the file at once, behind what it holds.
  static absl::StatusOr<std::unique_ptr<OutputFile>> OpenToAppend(const std::string& path);
  // Borrows `stream`.
  static std::unique_ptr<OutputFile> OfStream(FILE* stream);

  // Discards what was not committed.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  bool is_terminal() const;

  absl::Status Write(absl::string_view text);
  // Makes sure that what was written has left this process.
  absl::Status Flush();
  // Octets written so far, and back to there; a stream cannot go back, and stays as it is.
  uint64_t size() const { return size_; }
  void Rollback(uint64_t size);
  absl::Status Commit();

 private:
  OutputFile() = default;
  absl::Status Error(int error_number) const;
  absl::Status CopyFrom(const std::string& path);

  std::string path_;       // as asked
  std::string target_;     // where the rename goes; empty: no rename
  std::string temporary_;  // empty: none to discard
  bool appends_ = false;
  FILE* stream_ = nullptr;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// "cannot write PATH: No space left on device; free some space or choose another path"
absl::Status WriteError(absl::string_view path, int error_number);

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_OUTPUT_FILE_H_
