// Batches that wait for a store, on disk: what one has taken in is there after a crash, too, until the store has it.
//
//     auto spool = Spool::Open({"/var/lib/flowacct/spool/db"});
//     const std::string octets = Spool::Encode(batch);
//     const uint64_t number = (*spool)->Reserve(octets.size(), batch.size(), now, &losses);
//     if ((*spool)->Write(number, octets).ok()) (*spool)->Publish(number);   // on disk
//     if (uint64_t oldest = (*spool)->Take(now, &losses)) {
//       if (store->Write(*(*spool)->Read(oldest)).ok()) (*spool)->Remove(oldest);
//     }
//
// A batch is a file (aggregate/batch_octets.h), sealed by a sum: one whose octets were changed is noticed, set aside
// under another name, and counted with its rows; the others are used. A batch that was given to the store but not
// removed, since the program was killed in between, is there again: its identity lets the store count it once.
// Bounded: in octets and in age; what goes over board is told to the caller, who counts it. Files that were set aside
// are within the bound too, and go first. Ownership: a folder of its own, for one process (FailedPrecondition else).
// Threads: any. Errors: Status with path and reason. Cost: a file, two fsync(2), and some 60 ns a row each way.

#ifndef FLOWACCT_COLLECTOR_SPOOL_SPOOL_H_
#define FLOWACCT_COLLECTOR_SPOOL_SPOOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/state/state_directory.h"

namespace flowacct::collector {

class Spool;

struct SpoolOptions {
  std::string folder;  // made if it is missing; its parent has to be there
  // Hours of a busy collector: a batch takes some 22 octets a row of a 5-tuple.
  uint64_t max_octets = uint64_t{10} << 30;
  absl::Duration max_age = absl::InfiniteDuration();
  // What goes when there is no room: the oldest batches, or else the one that comes.
  bool drop_oldest = true;
};

// The spools that somebody holds, so that while a configuration is replaced the new sink shares the old one's.
class Spools {
 public:
  // As Spool::Open; of a folder that is open already the same one, with these bounds from now on.
  absl::StatusOr<std::shared_ptr<Spool>> Open(const SpoolOptions& options);

 private:
  base::Mutex mutex_;
  std::map<std::string, std::weak_ptr<Spool>> open_ ABSL_GUARDED_BY(mutex_);
};

class Spool {
 public:
  struct Losses {
    uint64_t dropped = 0;  // batches: no room, or too old
    uint64_t rows = 0;     // of these
  };
  struct Contents {
    uint64_t batches = 0;  // that were published
    uint64_t octets = 0;   // with what was set aside
  };

  // What was left there by an earlier run is there again.
  static absl::StatusOr<std::shared_ptr<Spool>> Open(SpoolOptions options);
  // The folder stays.
  void SetBounds(const SpoolOptions& options);

  static std::string Encode(const aggregate::AggregateBatch& batch);

  // All but Write and Read are quick: they rename or remove files at most. Numbers begin at 1.

  // Makes room and gives a number; 0: there is no room, and the batch is among the losses.
  uint64_t Reserve(uint64_t octets, uint64_t rows, absl::Time now, Losses* losses);
  // Of a number that was reserved: on disk when OK. Else nothing of it is there, and the number is forgotten.
  absl::Status Write(uint64_t number, absl::string_view octets);
  void Publish(uint64_t number);

  // The oldest that nobody has taken; 0: there is none.
  uint64_t Take(absl::Time now, Losses* losses);
  // Of a batch that was taken. DataLoss or InvalidArgument: it is damaged; else the disk does not give it now.
  absl::StatusOr<aggregate::AggregateBatch> Read(uint64_t number) const;
  uint64_t rows(uint64_t number) const;
  // It is written:
  absl::Status Remove(uint64_t number);
  // It was not, and is to be taken again:
  void GiveBack(uint64_t number);
  // It never will be: it is kept under another name, or, where that fails, removed.
  void SetAside(uint64_t number);

  Contents contents() const;
  // As options().folder, without a slash at the end.
  const std::string& folder() const { return directory_->path(); }

 private:
  struct File {
    uint64_t rows = 0;
    int64_t seconds = 0;  // when it was taken in, since 1970
    uint64_t octets = 0;
    bool published = true;
    bool taken = false;
  };

  Spool(SpoolOptions options, std::unique_ptr<StateDirectory> directory)
      : directory_(std::move(directory)), options_(std::move(options)) {}
  static std::string NameOf(uint64_t number, const File& file);
  absl::Status Find();
  std::string NameOf(uint64_t number) const;
  void DropExpired(absl::Time now, Losses* losses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether there is room for `octets` now.
  bool MakeRoom(uint64_t octets, Losses* losses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(std::map<uint64_t, File>::iterator file, Losses* losses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<StateDirectory> directory_;

  mutable base::Mutex mutex_;
  SpoolOptions options_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, File> files_ ABSL_GUARDED_BY(mutex_);         // by number
  std::map<std::string, uint64_t> aside_ ABSL_GUARDED_BY(mutex_);  // octets, by name
  uint64_t octets_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SPOOL_SPOOL_H_
