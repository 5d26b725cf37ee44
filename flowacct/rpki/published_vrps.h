// The VRP table of the moment, from who builds tables to any number of readers that look at it a batch at a time.
//
//     auto published = std::make_shared<PublishedVrps>();
//     published->Publish(std::make_shared<const VrpTable>(vrps));          // whoever keeps the VRPs
//     VrpReader reader(published);                                         // each reader
//     const VrpTable* table = reader.Meet();                               // once a batch
//
// Guaranteed: what Meet returned stays until the reader's next Meet. Ownership: a table is shared by the publisher and
// those readers that have met it; the last one frees it. Threads: Publish, Get and serial any; a reader one. Errors:
// none. Cost: Meet a load, and, only when the table is another, a lock that is held for the copy of a pointer.

#ifndef FLOWACCT_RPKI_PUBLISHED_VRPS_H_
#define FLOWACCT_RPKI_PUBLISHED_VRPS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "flowacct/base/mutex.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::rpki {

class PublishedVrps {
 public:
  PublishedVrps() = default;
  PublishedVrps(const PublishedVrps&) = delete;
  PublishedVrps& operator=(const PublishedVrps&) = delete;

  // Null: nobody has told VRPs that still hold, so that nothing can be said of any route.
  void Publish(std::shared_ptr<const VrpTable> table) {
    base::MutexLock lock(&mutex_);
    // The one before goes after the lock, with the argument: no reader waits for that.
    table_.swap(table);
    serial_.store(serial_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  std::shared_ptr<const VrpTable> Get() const { return Get(nullptr); }
  std::shared_ptr<const VrpTable> Get(uint64_t* serial) const {
    base::MutexLock lock(&mutex_);
    if (serial != nullptr) *serial = serial_.load(std::memory_order_relaxed);
    return table_;
  }
  // How often something was published.
  uint64_t serial() const { return serial_.load(std::memory_order_acquire); }

 private:
  mutable base::Mutex mutex_;
  std::shared_ptr<const VrpTable> table_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> serial_{0};
};

class VrpReader {
 public:
  explicit VrpReader(std::shared_ptr<const PublishedVrps> published) : published_(std::move(published)) {}

  // The table of the moment; null: there is none.
  const VrpTable* Meet() {
    if (published_->serial() != serial_) table_ = published_->Get(&serial_);
    return table_.get();
  }
  // Of what Meet returned last.
  uint64_t serial() const { return serial_; }

 private:
  std::shared_ptr<const PublishedVrps> published_;
  std::shared_ptr<const VrpTable> table_;
  uint64_t serial_ = 0;
};

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_PUBLISHED_VRPS_H_
