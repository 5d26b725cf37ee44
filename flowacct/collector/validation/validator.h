// Keeps the VRPs of caches and files, and publishes the table that they make together.
//
//     auto published = std::make_shared<rpki::PublishedVrps>();
//     auto validator = Validator::New(options, published, log);
//     (*validator)->Start();                                     // files have been read when it returns
//     rpki::VrpReader reader(published);                         // any number, in other threads
//     RpkiStatus status = (*validator)->Status();
//
// Standards: RFC 8210 and 6810 over TCP (rpki/client.h), RFC 6811.
// Guaranteed: a table has the VRPs of all that have told some, each once (RFC 8210, 10: of several caches all data
// count). A cache that is away keeps its set until that expires; a file that is broken, or gone, keeps what was read
// last. Without any set that holds nothing is published: null. A cache that is slow, silent, floods or sends what is no
// such protocol costs its own connection alone, which is made again after a while. Tables are made no more often than
// the options say, however often sets change.
// Not done: TLS, SSH and TCP-MD5/AO of RFC 8210, 9: a cache is to be near, on a network that one trusts.
// Ownership: borrows nothing; shares what is published. Threads: one of its own, where table building takes place, too;
// New, Start, Stop of one at a time, Status of any. Errors: of New, a Status that names the option; later ones are told
// in the status and, once each, to `log`. Cost: some 40 octets a VRP and source, 0.3 s of CPU for a table of 700,000.

#ifndef FLOWACCT_COLLECTOR_VALIDATION_VALIDATOR_H_
#define FLOWACCT_COLLECTOR_VALIDATION_VALIDATOR_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/validation/roa_file_watch.h"
#include "flowacct/collector/validation/validation_options.h"
#include "flowacct/collector/validation/validation_status.h"
#include "flowacct/rpki/published_vrps.h"

namespace flowacct::collector {

class Validator {
 public:
  // `log` takes a line; it may be called from the thread, and may be empty.
  static absl::StatusOr<std::unique_ptr<Validator>> New(const ValidationOptions& options,
                                                        std::shared_ptr<rpki::PublishedVrps> published,
                                                        std::function<void(absl::string_view)> log);
  ~Validator();  // stops
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;

  // Once.
  void Start();
  // What is published stays.
  void Stop();

  RpkiStatus Status();
  const std::shared_ptr<rpki::PublishedVrps>& published() const { return published_; }

 private:
  class Cache;
  struct WatchedFile {
    explicit WatchedFile(RoaFileWatch opened) : watch(std::move(opened)) {}
    RoaFileWatch watch;
    std::string logged;  // the error that was
  };

  Validator(const ValidationOptions& options, std::shared_ptr<rpki::PublishedVrps> published,
            std::function<void(absl::string_view)> log);
  absl::Status Open();
  void Run();
  absl::Time Now() const;
  void LookAtFiles(absl::Time now);
  bool AllHaveSettled() const;
  void MakeTable(absl::Time now);
  void PublishStatus();

  const ValidationOptions options_;
  const std::shared_ptr<rpki::PublishedVrps> published_;
  const std::function<void(absl::string_view)> log_;
  Descriptor event_;
  absl::Time start_;  // by the wall, when the monotonic clock showed start_nanos_
  int64_t start_nanos_ = 0;

  // The thread's.
  std::vector<std::unique_ptr<Cache>> caches_;
  std::vector<std::unique_ptr<WatchedFile>> files_;
  std::unique_ptr<uint8_t[]> buffer_;
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time next_table_ = absl::InfinitePast();
  absl::Time first_table_until_ = absl::InfiniteFuture();
  bool table_is_old_ = false;
  bool first_table_ = true;
  uint64_t vrps_ = 0, tables_ = 0, octets_ = 0;
  bool validates_ = false;

  std::thread thread_;
  std::atomic<bool> stopping_{false};

  base::Mutex mutex_;
  RpkiStatus status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_VALIDATION_VALIDATOR_H_
