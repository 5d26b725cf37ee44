// Keeps over a restart what a collector has learned and not yet written: what exporters told (templates, sampling
// rates, names, where their sequences are) and the open bins.
//
// In the folder there are, of each worker and input, what its decoder knows; of each pipeline the open bins, and a
// small file with what has happened since they were kept: up to which end bins are written, so that none is written
// twice, and how many records came, so that a start after a crash can tell how many of them are lost.
//
// Exact: after a clean stop nothing is lost or doubled. After a crash (kill -9, power) records are lost that open bins
// took in since the last checkpoint; and a bin is written again if the crash fell between its last octet in a sink and
// the few microseconds until that is noted. Bins that wait for slow sinks defer the checkpoint of their pipeline.
// With an input that can be read again (Kafka) a checkpoint is one file of all pipelines, with how far that input was
// read when the bins were as they are there, and bins are closed at checkpoints alone (bin_merger.h), which are made
// when one is over. A crash loses nothing of that input then: what came after the checkpoint is read again, and what
// was closed at it is closed as it was, with the same identity. Nothing is closed while the folder takes no checkpoint,
// or sinks are not done with what was closed before. Threads: any, but Save and Restore one at a time, with the workers
// as they are there (worker.h). Errors: told to the log, once until it works again; a collector whose folder is full
// goes on.

#ifndef FLOWACCT_COLLECTOR_SERVER_STATE_KEEPER_H_
#define FLOWACCT_COLLECTOR_SERVER_STATE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/igp/igp_service.h"
#include "flowacct/collector/server/worker.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/collector/state/state_directory.h"

namespace flowacct::collector {

class StateKeeper {
 public:
  using Log = std::function<void(absl::string_view)>;
  using Workers = absl::Span<const std::unique_ptr<Worker>>;
  // Reads how far inputs were read.
  StateKeeper(std::unique_ptr<StateDirectory> folder, Log log);

  // Source::position of an input, as the checkpoint has it; empty: it has none.
  std::string PositionOf(const std::string& input) const;

  // Before the workers run. Returns a line for each thing that was found or could not be used.
  std::vector<std::string> Restore(Workers workers, const Assignment& assignment);
  // A checkpoint: what is known and open now.
  void Save(Workers workers, const Assignment& assignment);
  // A bin is over and waits for a checkpoint, or an input does.
  static bool WantsCheckpoint(Workers workers, const Assignment& assignment);
  // The end, where an input can be read again, with workers that are stopped: a last checkpoint, once sinks are done.
  // False: there is none of now by the deadline, and the next start goes on from the one before. Then mergers have
  // nothing left to close.
  bool Finish(Workers workers, const Assignment& assignment, absl::Time deadline);
  // About once a second: how many records came.
  void NoteProgress(Workers workers, const Assignment& assignment);
  // All bins of the pipeline that end by this are written (BinMergerOptions::on_written).
  void NoteWritten(const std::string& pipeline, int64_t end_nanos);
  // The pipeline is no more, or another one: its open bins were written.
  void Forget(const std::string& pipeline);
  // The end, with workers that are stopped: keeps open bins, and closes the merger. As BinMerger::Close.
  bool Close(size_t pipeline, Workers workers, const Assignment& assignment, absl::Duration patience);
  // The decoders alone, of workers that are stopped.
  void SaveDecoders(Workers workers, const Assignment& assignment);

  // Sessions of mobile subscribers, at the end alone: while traffic is taken there is no time to write millions of
  // them.
  void SaveSessions(const SessionService& sessions);
  // Into one that has none. Appends a line if they were found, or could not be used.
  void RestoreSessions(SessionService* sessions, std::vector<std::string>* notes);

  // The inside of the network, now and then and at the end; nothing where nothing changed since.
  void SaveIgp(const IgpService& igp);
  void RestoreIgp(IgpService* igp, std::vector<std::string>* notes);

  const std::string& path() const { return folder_->path(); }

 private:
  // Since the last Save of a pipeline.
  struct Progress {
    int64_t generation = 0;  // when that was, nanoseconds since 1970; of the file of bins, too
    int64_t written_through = INT64_MIN;
    uint64_t records_in = 0;
    bool operator==(const Progress& other) const {
      return generation == other.generation && written_through == other.written_through &&
             records_in == other.records_in;
    }
  };

  // Of all pipelines, as a file has it.
  struct Checkpoint {
    struct Bins {
      uint64_t run = 0;
      uint64_t records_in = 0;
      int64_t due_nanos = INT64_MIN;
      uint64_t last_correction = 0;
      std::string state;
    };
    int64_t generation = 0;
    bool is_end = false;
    std::map<std::string, Bins> bins;              // by pipeline
    std::map<std::string, std::string> positions;  // by input
  };
  static std::string Encode(const Checkpoint& checkpoint);
  static absl::StatusOr<Checkpoint> Decode(base::Octets octets);

  // Takes all up to one moment, closes what is over, writes it and lets it go. False: not now.
  bool SaveTogether(Workers workers, const Assignment& assignment, bool is_end);
  bool WriteTogether(Workers workers, const Assignment& assignment);
  std::string RestoreTogether(const std::string& pipeline, const Checkpoint::Bins& bins, const Assignment& assignment,
                              BinMerger* merger);
  Progress ProgressOf(const std::string& pipeline, int64_t generation) const;
  void Report(absl::Status status);
  bool WriteBins(const std::string& pipeline, absl::string_view state, uint64_t run, uint64_t records_in, bool is_end);
  void WriteProgress(const std::string& pipeline, const Progress& progress) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string RestoreBins(const std::string& pipeline, BinMerger* merger);

  const std::unique_ptr<StateDirectory> folder_;
  const Log log_;
  base::Mutex mutex_;
  absl::flat_hash_map<std::string, Progress> progress_ ABSL_GUARDED_BY(mutex_);  // by pipeline
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // what sinks do now is not noted
  // Of Save and Restore.
  std::optional<Checkpoint> loaded_;   // by the start
  std::string loading_error_;          // a line
  std::optional<Checkpoint> unkept_;   // that was taken and could not be written
  bool is_file_ = false;               // there is a checkpoint of all pipelines
  bool are_files_ = true;              // there may be one of each pipeline
  uint64_t igp_changes_ = UINT64_MAX;  // that the file of the IGP has
  absl::Time igp_saved_ = absl::InfinitePast();
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_STATE_KEEPER_H_
