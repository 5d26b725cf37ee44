// Turns what was sampled into an estimate of what was there: counters times the sampling rate of their record.
//
// The rate is the record's own `sampling_rate`, whoever told it (`sampling_source` names the teller); where nobody
// told one, the configured rate. Each record is multiplied once, in integers, so that the sum over records stays the
// sum that any reader of the records computes; a product that leaves 64 bits is held at the largest value and counted.
// Threads: one at a time. Cost: one pass over the batch; nothing if the layout has no sampling rate.

#ifndef FLOWACCT_ENRICH_SAMPLING_SCALER_H_
#define FLOWACCT_ENRICH_SAMPLING_SCALER_H_

#include <cstdint>
#include <vector>

#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::enrich {

struct SamplingScalerOptions {
  // For records whose exporter tells no rate: one packet in this many was sampled. 0: unknown, nothing is multiplied.
  uint64_t default_rate = 0;
  // Use default_rate even where the exporter tells one (some exporters tell a wrong one).
  bool override_rate = false;
};

class SamplingScaler {
 public:
  // `layout` outlives the scaler. RequiredFields() should be in it.
  SamplingScaler(const record::Layout* layout, SamplingScalerOptions options);

  static absl::Span<const record::FieldId> RequiredFields();

  void Apply(record::FlowBatch& batch);

  uint64_t records_scaled() const { return records_scaled_; }
  uint64_t overflows() const { return overflows_; }

 private:
  struct Counter {
    uint16_t offset;
  };

  const record::Layout* layout_;
  SamplingScalerOptions options_;
  std::vector<Counter> counters_;  // the counters of the layout that sampling thins out
  uint64_t records_scaled_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SAMPLING_SCALER_H_
