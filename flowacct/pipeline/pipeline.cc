#include "flowacct/pipeline/pipeline.h"

#include <utility>

namespace flowacct::pipeline {

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::New(PipelineOptions options, base::Interner* interner) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline);
  pipeline->networks_ = options.networks;
  pipeline->networks_policy_ = options.networks_policy;
  // The first aggregation's fields come first, so that its key is one run of octets.
  std::vector<record::FieldId> fields;
  const auto need = [&fields](absl::Span<const record::FieldId> more) {
    fields.insert(fields.end(), more.begin(), more.end());
  };
  for (AggregationOptions& aggregation : options.aggregations) {
    Stage stage;
    stage.sink = aggregation.sink;
    absl::StatusOr<aggregate::Filter> filter = aggregate::Filter::Parse(aggregation.where);
    if (!filter.ok()) return filter.status();
    stage.filter = *std::move(filter);
    auto aggregator = aggregate::Aggregator::New(std::move(aggregation.aggregator), interner);
    if (!aggregator.ok()) return aggregator.status();
    stage.aggregator = *std::move(aggregator);
    need(stage.aggregator->RequiredFields());
    need(stage.filter.fields());
    pipeline->stages_.push_back(std::move(stage));
  }
  if (options.scale_sampled) need(enrich::SamplingScaler::RequiredFields());
  if (options.networks != nullptr) need(enrich::Networks::SourceFields());
  pipeline->layout_ = std::make_unique<record::Layout>(fields);
  for (Stage& stage : pipeline->stages_) {
    stage.aggregator->Bind(*pipeline->layout_);
    stage.bound_filter = stage.filter.Bind(*pipeline->layout_);
  }
  if (options.scale_sampled) {
    pipeline->scaler_ = std::make_unique<enrich::SamplingScaler>(pipeline->layout_.get(), options.sampling);
  }
  return pipeline;
}

void Pipeline::Process(record::FlowBatch& batch) {
  if (batch.empty()) return;
  if (scaler_ != nullptr) scaler_->Apply(batch);
  if (networks_ != nullptr) networks_->Apply(networks_policy_, &batch);
  for (Stage& stage : stages_) {
    stage.records_in += batch.size();
    if (stage.filter.passes_all()) {
      stage.aggregator->Add(batch);
      continue;
    }
    stage.bound_filter.Apply(batch, &selection_);
    stage.records_filtered += batch.size() - selection_.size();
    stage.aggregator->Add(batch, selection_);
  }
}

absl::Status Pipeline::Write(Stage& stage, std::vector<aggregate::AggregateBatch> batches, bool incomplete) {
  absl::Status status;
  for (aggregate::AggregateBatch& batch : batches) {
    batch.set_incomplete(incomplete);
    if (stage.sink != nullptr) status.Update(stage.sink->Write(batch));
  }
  return status;
}

absl::Status Pipeline::CloseBefore(absl::Time now) {
  absl::Status status;
  for (Stage& stage : stages_) status.Update(Write(stage, stage.aggregator->CloseBefore(now), /*incomplete=*/false));
  return status;
}

absl::Status Pipeline::Close(bool incomplete) {
  absl::Status status;
  for (Stage& stage : stages_) {
    status.Update(Write(stage, stage.aggregator->Close(), incomplete));
    if (stage.sink != nullptr) status.Update(stage.sink->Close());
  }
  return status;
}

AggregationCounters Pipeline::counters(size_t aggregation) const {
  const Stage& stage = stages_[aggregation];
  return {stage.records_in, stage.records_filtered, stage.aggregator->counters()};
}

}  // namespace flowacct::pipeline
