// Which parts of batches have been read, so that a batch that was written twice counts once (sink/queue/batch_part.h).
//
// The rule: of a batch each part counts once; when all its rows have come, whatever else is said to be of it does not
// count. Bounded: batches, and parts of those that are not whole; the oldest batch is forgotten first, and what came of
// it twice then counts twice. Threads: one at a time. Cost: a look-up or two in hash tables a message.

#ifndef FLOWACCT_COLLECTOR_KAFKA_BATCH_PARTS_H_
#define FLOWACCT_COLLECTOR_KAFKA_BATCH_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "flowacct/sink/queue/batch_part.h"

namespace flowacct::collector {

struct BatchPartsOptions {
  // A day of 5-minute bins of 300 collectors.
  size_t max_batches = 100000;
  // Some 16 octets each.
  size_t max_parts = 4000000;
};

class BatchParts {
 public:
  explicit BatchParts(BatchPartsOptions options = {}) : options_(options) {}

  // Whether it counts; notes it.
  bool Take(const sink::queue::BatchPart& part);

  uint64_t batches() const { return batches_.size(); }
  uint64_t parts() const { return parts_; }
  // Batches of which not all had come when they were forgotten.
  uint64_t forgotten() const { return forgotten_; }

 private:
  struct Batch {
    absl::flat_hash_set<uint64_t> parts;  // empty once it is whole
    uint64_t rows = 0;
    bool whole = false;
  };
  void ForgetOldest();

  const BatchPartsOptions options_;
  absl::flat_hash_map<std::string, Batch> batches_;
  std::deque<std::string> oldest_;
  uint64_t parts_ = 0;
  uint64_t forgotten_ = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_BATCH_PARTS_H_
