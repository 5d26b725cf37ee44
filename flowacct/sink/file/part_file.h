// A file of batches that is being written: zstd frames, one a batch, each with a skippable frame before it (RFC 8878,
// 3.1.2) that says which batch it is and how long.
//
//     skippable frame: 0x184D2A5A | length | sealed: octets of the batch's frame, rows, bin, identity, layout
//     zstd frame with a checksum: the rows
//
// What decompresses it sees the rows alone. A batch counts when its length is written, which is last; a file that
// ends in one that does not count, or whose frame is not whole, is cut there when it is opened.
// Threads: one at a time. Errors: the errno's kind, with the path and what to do; nothing of a batch is kept then.

#ifndef FLOWACCT_SINK_FILE_PART_FILE_H_
#define FLOWACCT_SINK_FILE_PART_FILE_H_

#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/message/record_encoder.h"

namespace flowacct::sink::file {

// What stands before a batch.
struct BatchHeader {
  uint64_t frame_octets = 0;  // 0: the batch does not count
  uint64_t rows = 0;
  aggregate::TimeBin bin;
  aggregate::BatchIdentity identity;
  // Of what the rows of a file have in common: batches of another layout need a file of their own.
  uint64_t layout = 0;
};

// Compresses rows: made once, used by all files of a sink.
class FrameWriter {
 public:
  FrameWriter(message::RecordFormat format, int compression_level);

  // Writes the batch's rows to `fd` from `offset` on as one frame; with the encoder's header if `header`. The frame's
  // octets, or the errno as a negative number.
  int64_t Write(const aggregate::AggregateBatch& batch, message::RecordEncoder* encoder, bool header, int fd,
                uint64_t offset);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  // Compresses what was gathered, and writes what came of it.
  bool Flush(ZSTD_EndDirective directive);

  const message::RecordFormat format_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string rows_, message_;
  std::vector<char> compressed_;
  int fd_ = -1;
  uint64_t offset_ = 0;
  int error_ = 0;
};

// The batches of a file from its begin on. `end`: where they end; what lies behind is none that counts.
struct ScannedFile {
  std::vector<BatchHeader> batches;
  uint64_t end = 0;
  // What lies behind the end is no batch that was being written: the file was damaged.
  bool damaged = false;
};
// `check_last`: the last batch is read, and does not count if it is not whole.
absl::StatusOr<ScannedFile> ScanFile(int fd, const std::string& path, bool check_last);
// Whether `path` is a regular file that begins as these do.
bool IsBatchFile(const std::string& path);

class PartFile {
 public:
  // Makes the file if it is not there; cuts what does not count; sets aside what is damaged, as PATH.damaged.
  static absl::StatusOr<std::unique_ptr<PartFile>> Open(const std::string& path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::vector<BatchHeader>& batches() const { return batches_; }
  uint64_t size() const { return size_; }
  // The file could not be cut after a failure: it is to be opened anew before it is written again.
  bool broken() const { return broken_; }
  // Found when it was opened.
  uint64_t batches_cut() const { return batches_cut_; }
  uint64_t octets_damaged() const { return octets_damaged_; }

  // The batch is on the disk when it answers OK.
  absl::Status Append(const aggregate::AggregateBatch& batch, uint64_t layout, message::RecordEncoder* encoder,
                      FrameWriter* writer);
  // Gives it its name, which nobody else has; the folder is there. AlreadyExists: somebody has it.
  absl::Status Rename(const std::string& path);
  absl::Status Remove();

 private:
  PartFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status SetDamagedAside();

  const std::string path_;
  int fd_;
  uint64_t size_ = 0;
  std::vector<BatchHeader> batches_;
  uint64_t batches_cut_ = 0, octets_damaged_ = 0;
  bool broken_ = false;
};

// "cannot write PATH: No space left on device; free some space"
absl::Status FileError(absl::string_view what, absl::string_view path, int error_number);
// fsync of a folder, so that what was made or renamed in it stays.
absl::Status SyncFolder(const std::string& path);
// Makes `path` and the folders above it that are missing, each synced.
absl::Status MakeFolders(const std::string& path);

}  // namespace flowacct::sink::file

#endif  // FLOWACCT_SINK_FILE_PART_FILE_H_
