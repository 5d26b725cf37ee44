// The order of the stages, on the caller's thread: records come in by batches, are enriched once, and go through each
// aggregation (filter, key, counters, bins) to its sink.
//
//     decoder -> enrichers in their order -> scaling of sampled counters -> each aggregation: filter, privacy, groups
//
// The identity that holds at any time, for each aggregation:
//     records in = dropped by enrichers + held by enrichers + filtered + aggregated + late
// where none is held after ReleaseAll, Bind, ReplaceEnrichers and Close; and of the aggregated, those that found the
// table full are in the overflow group, so that sums stay exact.
//
// A pipeline has a layout of its own, for a decoder that fills nothing else. Who decodes once for several pipelines
// makes a layout that has the RequiredFields() of all, and binds each to it. Who takes bins himself (to merge the
// partials of several workers) leaves the sinks null, and takes them from aggregator(i) instead of CloseBefore and
// Close, after Release or ReleaseAll.
//
// Rows that an enricher holds (enrich/enricher.h) go on from there when their wait is over. An aggregation's lateness
// is more than the longest wait, else what was held may be late for its bin.
//
// Ownership: the pipeline owns its stages; it borrows the sinks, the interner and a layout that it is bound to.
// Threads: one at a time. Errors: those of sinks; after one, the batch that failed is lost to that sink only.

#ifndef FLOWACCT_PIPELINE_PIPELINE_H_
#define FLOWACCT_PIPELINE_PIPELINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/interner.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/sampling_scaler.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/sink.h"

namespace flowacct::pipeline {

struct AggregationOptions {
  aggregate::AggregatorOptions aggregator;
  std::string where;  // a filter (filter/filter.h); empty: every record
  // Applied to a copy of the records that the filter let pass, and to nobody else's: what hides whose they are from
  // this aggregation (enrich/privacy/privacy.h). It takes no record out and holds none. Null: they stay as they are.
  enrich::EnricherFactory privacy;
  sink::Sink* sink = nullptr;  // borrowed; null: nothing is written
  // Of the batches that are written; the number is counted from 1 on. Of no run: they have none.
  aggregate::BatchIdentity identity;
};

// Plain values: the same options make a pipeline for each worker.
struct PipelineOptions {
  std::vector<AggregationOptions> aggregations;
  // Applied in this order: each sees what those before it have set.
  std::vector<enrich::EnricherFactory> enrichers;
  // Multiply sampled counters by their rate (enrich/sampling_scaler.h), after all enrichers, which may set the rate.
  bool scale_sampled = true;
  enrich::SamplingScalerOptions sampling;
  // Sum packets and octets of what each aggregation takes, for a live view (AggregationCounters).
  bool count_traffic = false;
  // Fields beside the registry's, for aggregations and their filters; null: none.
  std::shared_ptr<const record::CustomFields> custom_fields;
};

struct PipelineCounters {
  uint64_t records_in = 0;
  uint64_t records_dropped = 0;  // taken out by enrichers: no aggregation saw them
  uint64_t records_held = 0;     // now, by enrichers: aggregations will see them
};

// A sum by the name of its column.
struct NamedSum {
  std::string name;
  absl::uint128 sum;
};

struct AggregationCounters {
  uint64_t records_in = 0;        // what enrichers left
  uint64_t records_filtered = 0;  // the filter said no
  aggregate::AggregatorCounters aggregator;
  // Of what the filter let pass, late or not; zero unless asked for (count_traffic), or if nobody sums these fields.
  uint64_t packets = 0;
  uint64_t bytes = 0;
  std::vector<NamedSum> late;  // of what came too late for its bin, each sum that is asked
};

struct EnricherCounters {
  std::string enricher;  // its name; several of one name count together
  std::string counter;
  uint64_t value = 0;
};

class Pipeline {
 public:
  static absl::StatusOr<std::unique_ptr<Pipeline>> New(PipelineOptions options, base::Interner* interner);
  // With an interner that lives as long as the bins that come of it.
  static absl::StatusOr<std::unique_ptr<Pipeline>> New(PipelineOptions options,
                                                       std::shared_ptr<base::Interner> interner);

  // The fields that the aggregations, their filters and the enrichers need, the first aggregation's key first.
  absl::Span<const record::FieldId> RequiredFields() const { return required_fields_; }
  // The layout of the batches that Process takes: what decoders are to fill. As New leaves it, RequiredFields() and no
  // more.
  const record::Layout& layout() const { return *layout_; }
  // Batches have this layout from now on; it has RequiredFields() and outlives the binding. Also after the interner of
  // the batches changed. What was aggregated stays. What enrichers hold goes on before, by the layout until now, which
  // is there still.
  void Bind(const record::Layout* layout);
  // Other tables or rules, with bins kept open and counters going on. RequiredFields() may be others afterwards: the
  // layout is the pipeline's own again, of these fields, until Bind.
  void ReplaceEnrichers(absl::Span<const enrich::EnricherFactory> enrichers);

  // Takes rows of layout() and of this pipeline's interner; enriches them in place. Before them come the rows whose
  // wait is over at `now`; without it, at the time that was told last.
  void Process(record::FlowBatch& batch, absl::Time now);
  void Process(record::FlowBatch& batch);
  // Lets go on what enrichers held long enough at `now`, for times without batches.
  void Release(absl::Time now);
  // Lets go on all that enrichers hold: before this pipeline is given up.
  void ReleaseAll();
  // Release(now), and writes the bins that ended at least their lateness before `now`, which no exporter can push.
  absl::Status CloseBefore(absl::Time now);
  // ReleaseAll, and writes all bins that are left. `incomplete`: input ended before its time; the batches say so.
  absl::Status Close(bool incomplete);

  size_t aggregation_count() const { return stages_.size(); }
  aggregate::Aggregator& aggregator(size_t aggregation) { return *stages_[aggregation].aggregator; }

  PipelineCounters counters() const;
  AggregationCounters counters(size_t aggregation) const;
  // Of all enrichers, those that were replaced included, in the order of the stages. Allocates.
  std::vector<EnricherCounters> enricher_counters() const;
  uint64_t records_scaled() const { return scaler_ ? scaler_->records_scaled() : 0; }
  uint64_t scaling_overflows() const { return scaler_ ? scaler_->overflows() : 0; }

 private:
  struct Enrichment {
    std::unique_ptr<enrich::Enricher> enricher;
    record::FieldSet wanted;  // by what comes after it
  };
  struct Stage {
    std::unique_ptr<aggregate::Aggregator> aggregator;
    filter::Filter filter;
    filter::BoundFilter bound_filter;
    std::unique_ptr<enrich::Enricher> privacy;
    std::unique_ptr<record::FlowBatch> hidden;  // scratch, of layout_: what privacy is applied to
    sink::Sink* sink = nullptr;
    aggregate::BatchIdentity identity;
    uint64_t records_in = 0;
    uint64_t records_filtered = 0;
    uint64_t packets = 0, bytes = 0;
  };

  Pipeline() = default;
  void CountTraffic(const record::RowView& row, Stage* stage) const {
    stage->packets += row.Get<record::FieldId::kPackets>();
    stage->bytes += row.Get<record::FieldId::kBytes>();
  }
  // Sets required_fields_ and what each enricher's later stages want; makes and binds a layout of its own.
  void Plan();
  void ReleaseHeld(bool all);
  // Enriches from this enricher on, and accounts.
  void Take(size_t first_enricher, record::FlowBatch& batch);
  // To the groups, as the aggregation's privacy has them. `rows`: of a batch, in order; null: all.
  static void Account(const record::FlowBatch& batch, const filter::Selection* rows, Stage* stage);
  static absl::Status Write(Stage& stage, std::vector<aggregate::AggregateBatch> batches, bool incomplete);

  bool count_traffic_ = false;
  std::vector<record::FieldId> required_fields_;
  std::shared_ptr<const record::CustomFields> custom_fields_;
  std::unique_ptr<record::Layout> own_layout_;
  const record::Layout* layout_ = nullptr;
  std::vector<Enrichment> enrichers_;
  std::shared_ptr<base::Interner> interner_;
  std::unique_ptr<record::FlowBatch> released_;  // scratch, of layout_; null: enrichers are not bound
  int64_t now_nanos_ = 0;                        // that was told last
  std::unique_ptr<enrich::SamplingScaler> scaler_;
  record::FieldSet wanted_by_aggregations_;
  std::vector<Stage> stages_;
  filter::Selection selection_;
  PipelineCounters counters_;
  std::vector<EnricherCounters> replaced_;
};

}  // namespace flowacct::pipeline

#endif  // FLOWACCT_PIPELINE_PIPELINE_H_
