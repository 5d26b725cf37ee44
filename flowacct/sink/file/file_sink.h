// Writes batches into compressed files (zstd) by time: JSON lines, CSV or FlowMessages with their length before each.
//
//     {pipeline}/{time:%Y/%m/%d/%H}      /data/flows/peering/2023/11/14/22.json.zst
//
// A file that has its name is whole and never changes. Until then it is a part in FOLDER/.parts, to which each batch
// is appended as one zstd frame with its identity before it; when its time is over it is synced and renamed. What comes
// later for the same name goes into NAME.2, NAME.3 and so on.
// Guarantees: a batch of which Write answered OK is on the disk, whatever kills the process or the machine then; a
// batch that was cut by that is taken away when the folder is opened next. The same batch (its identity) written again
// is skipped, as long as the file that has it is there. No value of a batch leads out of the folder.
// Ownership: the folder is one sink's (a lock sees to it), and retention removes files that sinks made, no others.
// Threads: one call at a time. Blocks for the disk: one sync a batch.
// Errors: InvalidArgument for options; ResourceExhausted for a full disk; FailedPrecondition for a folder that another
// sink writes to; else the errno's kind. In each case nothing of the batch was kept. What cannot be renamed or removed
// is trouble(), and tried again.
// Cost: file_benchmark measures; memory is a compressor and what identities its open files
// have.

#ifndef FLOWACCT_SINK_FILE_FILE_SINK_H_
#define FLOWACCT_SINK_FILE_FILE_SINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink::file {

struct FileOptions {
  // Made if it is missing. Best of this sink alone: retention counts what sinks wrote there.
  std::string folder;
  // The name below the folder, without ".json.zst", ".csv.zst" or ".pb.zst", which the format gives. {time:FORMAT} is
  // the bin's start by strftime(3), UTC; {collector}, {pipeline}, {bin_start} and {bin_end} as message::RowText has
  // them, made fit for a name. A file is as long as its time stays the same: hours here.
  std::string name = "{pipeline}/{time:%Y/%m/%d/%H}";
  // kAvro is refused: a file of it would need Avro's own container.
  message::RecordFormat format = message::RecordFormat::kJson;
  // Of zstd, 1 to 19. 3 is zstd's own choice.
  int compression_level = 3;
  // A file is finished when a bin has ended so much later than its own: bins come late, and out of order.
  absl::Duration finish_after = absl::Minutes(10);
  // Else the next start goes on with the parts that are left.
  bool finish_at_close = true;
  // Parts that are open at once; the one of the oldest bins is finished before another is begun. Each is a descriptor.
  size_t max_open_files = 64;
  // A file that has grown so large is finished.
  uint64_t max_file_octets = uint64_t{16} << 30;
  // Files that were finished longer ago are removed, the folders that this leaves empty too.
  absl::Duration retention = absl::InfiniteDuration();
  // Of all files of the folder together; the oldest are removed. 0: no bound.
  uint64_t max_total_octets = 0;
  // For age.
  std::function<absl::Time()> now = absl::Now;
};

// What a sink counted since it was made.
struct FileCounters {
  uint64_t batches = 0;
  uint64_t rows = 0;
  uint64_t batches_skipped = 0;  // were there already
  uint64_t octets = 0;           // compressed
  uint64_t files_finished = 0;
  uint64_t files_removed = 0;   // by retention
  uint64_t batches_cut = 0;     // found cut when the folder was opened; nobody was told that they were kept
  uint64_t octets_damaged = 0;  // found damaged then, and set aside as .parts/NAME.damaged
};

class FileSink : public Sink {
 public:
  virtual const FileCounters& counters() const = 0;
  // Applies retention now. Write does so when a file is finished, and every ten minutes.
  virtual absl::Status Retain() = 0;
};

absl::StatusOr<std::unique_ptr<FileSink>> NewFileSink(FileOptions options);

}  // namespace flowacct::sink::file

#endif  // FLOWACCT_SINK_FILE_FILE_SINK_H_
