// The order of the stages, on the caller's thread: records come in by batches, are enriched once, and go through each
// aggregation (filter, key, counters, bins) to its sink.
//
// The identity that holds at any time, for each aggregation:
//     records in = filtered + aggregated + late
// and of the aggregated, those that found the table full are in the overflow group, so that sums stay exact.
//
// Ownership: the pipeline owns its stages; it borrows the sinks and the interner.
// Threads: one at a time. Errors: those of sinks; after one, the batch that failed is lost to that sink only.

#ifndef FLOWACCT_PIPELINE_PIPELINE_H_
#define FLOWACCT_PIPELINE_PIPELINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/filter.h"
#include "flowacct/base/interner.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/sampling_scaler.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/sink.h"

namespace flowacct::pipeline {

struct AggregationOptions {
  aggregate::AggregatorOptions aggregator;
  std::string where;           // a filter (aggregate/filter.h); empty: every record
  sink::Sink* sink = nullptr;  // borrowed; null: nothing is written
};

struct PipelineOptions {
  std::vector<AggregationOptions> aggregations;
  // Multiply sampled counters by their rate (enrich/sampling_scaler.h).
  bool scale_sampled = true;
  enrich::SamplingScalerOptions sampling;
  // Prefixes to networks, AS numbers and next hops; null: none. Borrowed.
  const enrich::Networks* networks = nullptr;
  enrich::Networks::Policy networks_policy = enrich::Networks::Policy::kFill;
};

struct AggregationCounters {
  uint64_t records_in = 0;
  uint64_t records_filtered = 0;  // the filter said no
  aggregate::AggregatorCounters aggregator;
};

class Pipeline {
 public:
  static absl::StatusOr<std::unique_ptr<Pipeline>> New(PipelineOptions options, base::Interner* interner);

  // What decoders are to fill: the fields that the aggregations need, the first aggregation's key first.
  const record::Layout& layout() const { return *layout_; }

  // Takes rows of layout(); enriches them in place.
  void Process(record::FlowBatch& batch);
  // Writes the bins that ended at least their lateness before `now`, which no exporter can push.
  absl::Status CloseBefore(absl::Time now);
  // Writes all bins that are left. `incomplete`: input ended before its time; the batches say so.
  absl::Status Close(bool incomplete);

  size_t aggregation_count() const { return stages_.size(); }
  AggregationCounters counters(size_t aggregation) const;
  uint64_t records_scaled() const { return scaler_ ? scaler_->records_scaled() : 0; }
  uint64_t scaling_overflows() const { return scaler_ ? scaler_->overflows() : 0; }

 private:
  struct Stage {
    std::unique_ptr<aggregate::Aggregator> aggregator;
    aggregate::Filter filter;
    aggregate::BoundFilter bound_filter;
    sink::Sink* sink = nullptr;
    uint64_t records_in = 0;
    uint64_t records_filtered = 0;
  };

  Pipeline() = default;
  static absl::Status Write(Stage& stage, std::vector<aggregate::AggregateBatch> batches, bool incomplete);

  const enrich::Networks* networks_ = nullptr;
  enrich::Networks::Policy networks_policy_ = enrich::Networks::Policy::kFill;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<enrich::SamplingScaler> scaler_;
  std::vector<Stage> stages_;
  aggregate::Selection selection_;
};

}  // namespace flowacct::pipeline

#endif  // FLOWACCT_PIPELINE_PIPELINE_H_
