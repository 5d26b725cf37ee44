// Where accounted traffic goes.
//
// Threads: one call at a time. Errors: a Status whose text names the sink, what failed and what to do.

#ifndef FLOWACCT_SINK_SINK_H_
#define FLOWACCT_SINK_SINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::sink {

class Sink {
 public:
  virtual ~Sink() = default;
  // One batch, whole. A sink that answers with an error has kept nothing of it.
  virtual absl::Status Write(const aggregate::AggregateBatch& batch) = 0;
  // No more batches come; what is held back is written.
  virtual absl::Status Close() = 0;

  // Of the rows of batches that Write took, those that are known not to have got through. It grows only.
  virtual uint64_t rows_lost() const { return 0; }
  // What is wrong though Write took the last batch, for a person; empty: nothing.
  virtual std::string trouble() const { return ""; }
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_SINK_H_
