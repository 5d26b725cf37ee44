#include "flowacct/pipeline/pipeline.h"

#include <algorithm>
#include <utility>

namespace flowacct::pipeline {
namespace {

void Count(const enrich::Enricher& enricher, std::vector<EnricherCounters>* counters) {
  for (const enrich::EnricherCounter& counter : enricher.counters()) {
    const auto same = std::find_if(counters->begin(), counters->end(), [&](const EnricherCounters& c) {
      return c.enricher == enricher.name() && c.counter == counter.name;
    });
    if (same != counters->end()) {
      same->value += counter.value;
    } else {
      counters->push_back({std::string(enricher.name()), std::string(counter.name), counter.value});
    }
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::New(PipelineOptions options, base::Interner* interner) {
  return New(std::move(options), std::shared_ptr<base::Interner>(std::shared_ptr<void>(), interner));
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::New(PipelineOptions options,
                                                        std::shared_ptr<base::Interner> interner) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline);
  pipeline->interner_ = interner;
  filter::FilterOptions filter_options;
  pipeline->custom_fields_ = options.custom_fields;
  if (options.custom_fields != nullptr) filter_options.names = &options.custom_fields->names();
  for (AggregationOptions& aggregation : options.aggregations) {
    Stage stage;
    stage.sink = aggregation.sink;
    stage.identity = std::move(aggregation.identity);
    absl::StatusOr<filter::Filter> filter = filter::Filter::Parse(aggregation.where, filter_options);
    if (!filter.ok()) return filter.status();
    stage.filter = *std::move(filter);
    aggregation.aggregator.custom_fields = options.custom_fields;
    auto aggregator = aggregate::Aggregator::New(std::move(aggregation.aggregator), interner);
    if (!aggregator.ok()) return aggregator.status();
    stage.aggregator = *std::move(aggregator);
    if (aggregation.privacy) stage.privacy = aggregation.privacy();
    pipeline->stages_.push_back(std::move(stage));
  }
  pipeline->count_traffic_ = options.count_traffic;
  if (options.scale_sampled) pipeline->scaler_ = std::make_unique<enrich::SamplingScaler>(options.sampling);
  pipeline->ReplaceEnrichers(options.enrichers);
  return pipeline;
}

void Pipeline::ReplaceEnrichers(absl::Span<const enrich::EnricherFactory> enrichers) {
  ReleaseAll();
  released_ = nullptr;
  for (const Enrichment& replaced : enrichers_) Count(*replaced.enricher, &replaced_);
  enrichers_.clear();
  for (const enrich::EnricherFactory& factory : enrichers) enrichers_.push_back({factory(), record::FieldSet()});
  Plan();
}

void Pipeline::Plan() {
  required_fields_.clear();
  record::FieldSet wanted;
  const auto need = [&](absl::Span<const record::FieldId> fields) {
    for (record::FieldId field : fields) {
      if (!wanted.Has(field)) required_fields_.push_back(field);
      wanted.Add(field);
    }
  };
  // The first aggregation's fields come first, so that its key is one run of octets.
  for (const Stage& stage : stages_) {
    need(stage.aggregator->RequiredFields());
    need(stage.filter.fields());
    if (stage.privacy != nullptr) {
      need(stage.privacy->RequiredFields(record::FieldSet(stage.aggregator->RequiredFields())));
    }
  }
  wanted_by_aggregations_ = wanted;
  if (scaler_ != nullptr) need(scaler_->RequiredFields(wanted));
  for (auto enrichment = enrichers_.rbegin(); enrichment != enrichers_.rend(); ++enrichment) {
    enrichment->wanted = wanted;
    need(enrichment->enricher->RequiredFields(wanted));
  }
  auto layout = std::make_unique<record::Layout>(required_fields_, custom_fields_);
  Bind(layout.get());
  own_layout_ = std::move(layout);
}

void Pipeline::Bind(const record::Layout* layout) {
  ReleaseAll();
  layout_ = layout;
  released_ = std::make_unique<record::FlowBatch>(layout_, interner_.get());
  for (Enrichment& enrichment : enrichers_) enrichment.enricher->Bind(*layout, enrichment.wanted);
  if (scaler_ != nullptr) scaler_->Bind(*layout, wanted_by_aggregations_);
  for (Stage& stage : stages_) {
    stage.aggregator->Bind(*layout);
    stage.bound_filter = stage.filter.Bind(*layout);
    if (stage.privacy == nullptr) continue;
    stage.privacy->Bind(*layout, record::FieldSet(stage.aggregator->RequiredFields()));
    stage.hidden = std::make_unique<record::FlowBatch>(layout, interner_.get());
  }
}

void Pipeline::Process(record::FlowBatch& batch, absl::Time now) {
  now_nanos_ = absl::ToUnixNanos(now);
  Process(batch);
}

void Pipeline::Process(record::FlowBatch& batch) {
  ReleaseHeld(/*all=*/false);
  if (batch.empty()) return;
  counters_.records_in += batch.size();
  Take(0, batch);
}

void Pipeline::Release(absl::Time now) {
  now_nanos_ = absl::ToUnixNanos(now);
  ReleaseHeld(/*all=*/false);
}

void Pipeline::ReleaseAll() { ReleaseHeld(/*all=*/true); }

void Pipeline::ReleaseHeld(bool all) {
  if (released_ == nullptr) return;
  const size_t n = enrichers_.size();
  for (size_t step = 0; step < n; ++step) {
    // The last one first, so that each knows the time when rows come from those before it; of all rows in their order,
    // so that what a later one holds of them goes on, too.
    const size_t i = all ? step : n - 1 - step;
    released_->Clear();
    enrichers_[i].enricher->Release(now_nanos_, all, *released_);
    if (!released_->empty()) Take(i + 1, *released_);
  }
}

void Pipeline::Take(size_t first_enricher, record::FlowBatch& batch) {
  for (size_t i = first_enricher; i < enrichers_.size() && !batch.empty(); ++i) {
    enrich::Enricher& enricher = *enrichers_[i].enricher;
    const size_t before = batch.size() + enricher.held();
    enricher.Apply(batch);
    counters_.records_dropped += before - batch.size() - enricher.held();
  }
  if (batch.empty()) return;
  if (scaler_ != nullptr) scaler_->Apply(batch);
  for (Stage& stage : stages_) {
    stage.records_in += batch.size();
    if (stage.filter.passes_all()) {
      for (size_t i = 0; count_traffic_ && i < batch.size(); ++i) CountTraffic(batch.row(i), &stage);
      Account(batch, nullptr, &stage);
      continue;
    }
    stage.bound_filter.Apply(batch, &selection_);
    stage.records_filtered += batch.size() - selection_.size();
    if (count_traffic_) {
      for (const uint32_t i : selection_) CountTraffic(batch.row(i), &stage);
    }
    Account(batch, &selection_, &stage);
  }
}

void Pipeline::Account(const record::FlowBatch& batch, const filter::Selection* rows, Stage* stage) {
  if (stage->privacy == nullptr) {
    if (rows == nullptr) {
      stage->aggregator->Add(batch);
    } else {
      stage->aggregator->Add(batch, *rows);
    }
    return;
  }
  record::FlowBatch& hidden = *stage->hidden;
  if (rows == nullptr) {
    hidden.CopyFrom(batch);
  } else {
    hidden.Clear();
    for (const uint32_t row : *rows) hidden.AppendCopies(1, batch.row(row).octets());
  }
  stage->privacy->Apply(hidden);
  stage->aggregator->Add(hidden);
}

absl::Status Pipeline::Write(Stage& stage, std::vector<aggregate::AggregateBatch> batches, bool incomplete) {
  absl::Status status;
  for (aggregate::AggregateBatch& batch : batches) {
    batch.set_incomplete(incomplete);
    if (stage.identity.run != 0) {
      ++stage.identity.number;
      batch.set_identity(stage.identity);
    }
    if (stage.sink != nullptr) status.Update(stage.sink->Write(batch));
  }
  return status;
}

absl::Status Pipeline::CloseBefore(absl::Time now) {
  Release(now);
  absl::Status status;
  for (Stage& stage : stages_) status.Update(Write(stage, stage.aggregator->CloseBefore(now), /*incomplete=*/false));
  return status;
}

absl::Status Pipeline::Close(bool incomplete) {
  ReleaseAll();
  absl::Status status;
  for (Stage& stage : stages_) {
    status.Update(Write(stage, stage.aggregator->Close(), incomplete));
    if (stage.sink != nullptr) status.Update(stage.sink->Close());
  }
  return status;
}

PipelineCounters Pipeline::counters() const {
  PipelineCounters counters = counters_;
  for (const Enrichment& enrichment : enrichers_) counters.records_held += enrichment.enricher->held();
  return counters;
}

AggregationCounters Pipeline::counters(size_t aggregation) const {
  const Stage& stage = stages_[aggregation];
  AggregationCounters counters{
      stage.records_in, stage.records_filtered, stage.aggregator->counters(), stage.packets, stage.bytes, {}};
  const std::vector<aggregate::ValueColumn>& values = stage.aggregator->schema().values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].function != aggregate::Function::kSum) continue;
    counters.late.push_back({values[i].name, stage.aggregator->late().sums[i]});
  }
  return counters;
}

std::vector<EnricherCounters> Pipeline::enricher_counters() const {
  std::vector<EnricherCounters> counters = replaced_;
  for (const Enrichment& enrichment : enrichers_) Count(*enrichment.enricher, &counters);
  if (scaler_ != nullptr) Count(*scaler_, &counters);
  for (const Stage& stage : stages_) {
    if (stage.privacy != nullptr) Count(*stage.privacy, &counters);
  }
  return counters;
}

}  // namespace flowacct::pipeline
