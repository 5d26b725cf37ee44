#include "flowacct/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/networks_enricher.h"

namespace flowacct::pipeline {
namespace {

using F = record::FieldId;

// Keeps what it is given as text: "as=64496 packets=3".
class RecordingSink : public sink::Sink {
 public:
  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (!failure.ok()) return failure;
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string row;
      for (F field : batch.schema().key.fields()) absl::StrAppend(&row, batch.key(i).GetNumber(field), " ");
      for (size_t v = 0; v < batch.schema().values.size(); ++v) {
        absl::StrAppend(&row, batch.schema().values[v].name, "=", batch.value(i, v), " ");
      }
      rows.push_back(row);
    }
    incomplete = batch.incomplete();
    return absl::OkStatus();
  }
  absl::Status Close() override {
    closed = true;
    return absl::OkStatus();
  }
  std::vector<std::string> rows;
  bool incomplete = false, closed = false;
  absl::Status failure;
};

class PipelineTest : public ::testing::Test {
 protected:
  AggregationOptions By(std::vector<std::string> by, sink::Sink* sink, std::string where = "") {
    AggregationOptions options;
    options.aggregator.by = std::move(by);
    options.aggregator.values = {"packets"};
    options.where = std::move(where);
    options.sink = sink;
    return options;
  }
  void Add(record::FlowBatch& batch, uint32_t src_as, uint16_t port, uint64_t packets, uint64_t rate = 0) {
    record::MutableRow row = batch.Append();
    row.Set<F::kSrcAs>(src_as);
    row.Set<F::kDstPort>(port);
    row.Set<F::kPackets>(packets);
    if (rate != 0) row.Set<F::kSamplingRate>(rate);
  }
  base::Interner interner_;
};

TEST_F(PipelineTest, EveryRecordIsFilteredOrAccountedInEachAggregation) {
  RecordingSink by_as, web;
  PipelineOptions options;
  options.aggregations = {By({"src_as"}, &by_as), By({"dst_port"}, &web, "dst_port in (80, 443)")};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  Add(batch, 64496, 443, 1);
  Add(batch, 64496, 22, 2);
  Add(batch, 64497, 443, 4, /*rate=*/100);
  (*pipeline)->Process(batch);
  ASSERT_TRUE((*pipeline)->Close(false).ok());
  EXPECT_EQ(by_as.rows, (std::vector<std::string>{"64496 packets=3 ", "64497 packets=400 "}));
  EXPECT_EQ(web.rows, (std::vector<std::string>{"443 packets=401 "}));
  EXPECT_TRUE(by_as.closed && web.closed);
  EXPECT_FALSE(by_as.incomplete);
  for (size_t i = 0; i < 2; ++i) {
    const AggregationCounters c = (*pipeline)->counters(i);
    EXPECT_EQ(c.records_in, 3u);
    EXPECT_EQ(c.records_in, c.records_filtered + c.aggregator.records_aggregated + c.aggregator.records_late);
  }
  EXPECT_EQ((*pipeline)->counters(1).records_filtered, 1u);
  EXPECT_EQ((*pipeline)->records_scaled(), 1u);
}

TEST_F(PipelineTest, ScalingIsOnlyDoneIfAsked) {
  RecordingSink sink;
  PipelineOptions options;
  options.scale_sampled = false;
  options.aggregations = {By({"src_as"}, &sink)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  Add(batch, 1, 1, 4, 100);
  (*pipeline)->Process(batch);
  ASSERT_TRUE((*pipeline)->Close(true).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::string>{"1 packets=4 "}));
  EXPECT_TRUE(sink.incomplete);
}

TEST_F(PipelineTest, TheLayoutHasWhatIsAskedAndNoMore) {
  PipelineOptions options;
  options.scale_sampled = false;
  options.aggregations = {By({"src_as"}, nullptr, "dst_port = 1")};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  const record::Layout& layout = (*pipeline)->layout();
  EXPECT_EQ(layout.fields()[0], F::kSrcAs) << "the first key's fields come first";
  EXPECT_TRUE(layout.Has(F::kDstPort));
  EXPECT_TRUE(layout.Has(F::kPackets));
  EXPECT_FALSE(layout.Has(F::kBytes));
}

TEST_F(PipelineTest, ASinkThatFailsDoesNotStopTheOthers) {
  RecordingSink bad, good;
  bad.failure = absl::UnavailableError("full");
  PipelineOptions options;
  options.aggregations = {By({"src_as"}, &bad), By({"src_as"}, &good)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  Add(batch, 1, 1, 4);
  (*pipeline)->Process(batch);
  EXPECT_EQ((*pipeline)->Close(false).message(), "full");
  EXPECT_EQ(good.rows.size(), 1u);
}

// Sets dst_as to what src_as is, plus one.
class Successor : public enrich::Enricher {
 public:
  absl::string_view name() const override { return "successor"; }
  std::vector<F> RequiredFields(const record::FieldSet& wanted) const override {
    return wanted.Has(F::kDstAs) ? std::vector<F>{F::kSrcAs} : std::vector<F>{};
  }
  void Bind(const record::Layout&, const record::FieldSet& wanted) override { wanted_ = wanted.Has(F::kDstAs); }
  void Apply(record::FlowBatch& batch) override {
    if (!wanted_) return;
    rows_ += batch.size();
    for (size_t i = 0; i < batch.size(); ++i) {
      auto row = batch.row(i);
      row.Set<F::kDstAs>(row.Get<F::kSrcAs>() + 1);
    }
  }
  std::vector<enrich::EnricherCounter> counters() const override { return {{"rows", rows_}}; }

 private:
  bool wanted_ = false;
  uint64_t rows_ = 0;
};

// Takes out what goes to AS 8.
class DropEight : public enrich::Enricher {
 public:
  absl::string_view name() const override { return "drop_eight"; }
  std::vector<F> RequiredFields(const record::FieldSet&) const override { return {F::kDstAs}; }
  void Bind(const record::Layout&, const record::FieldSet&) override {}
  void Apply(record::FlowBatch& batch) override {
    std::vector<uint32_t> kept;
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (batch.row(i).Get<F::kDstAs>() != 8) kept.push_back(i);
    }
    batch.Keep(kept);
  }
};

TEST_F(PipelineTest, DemandGoesAgainstTheStreamAndDroppedRecordsAreCounted) {
  RecordingSink sink;
  PipelineOptions options;
  options.enrichers = {[] { return std::make_unique<Successor>(); }, [] { return std::make_unique<DropEight>(); }};
  options.aggregations = {By({"dst_port"}, &sink, "dst_port != 22"), By({"dst_port"}, nullptr)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  const record::Layout& layout = (*pipeline)->layout();
  EXPECT_TRUE(layout.Has(F::kDstAs)) << "the second enricher wants it";
  EXPECT_TRUE(layout.Has(F::kSrcAs)) << "the first needs it to tell that";
  EXPECT_TRUE(layout.Has(F::kSamplingRate)) << "packets are scaled";
  record::FlowBatch batch(&layout, &interner_);
  Add(batch, 7, 443, 1);
  Add(batch, 6, 443, 2, /*rate=*/10);
  Add(batch, 7, 443, 4);
  Add(batch, 6, 22, 8);
  (*pipeline)->Process(batch);
  batch.Clear();
  Add(batch, 7, 443, 16);
  (*pipeline)->Process(batch);
  ASSERT_TRUE((*pipeline)->Close(false).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::string>{"443 packets=20 "}));
  const PipelineCounters counters = (*pipeline)->counters();
  EXPECT_EQ(counters.records_in, 5u);
  EXPECT_EQ(counters.records_dropped, 3u);
  for (size_t i = 0; i < 2; ++i) {
    const AggregationCounters c = (*pipeline)->counters(i);
    EXPECT_EQ(counters.records_in, counters.records_dropped + c.records_filtered + c.aggregator.records_aggregated +
                                       c.aggregator.records_late);
  }
}

TEST_F(PipelineTest, WhatNobodyWantsIsNotEnriched) {
  PipelineOptions options;
  options.scale_sampled = false;
  options.enrichers = {[] { return std::make_unique<Successor>(); }};
  options.aggregations = {By({"dst_port"}, nullptr)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  EXPECT_FALSE((*pipeline)->layout().Has(F::kSrcAs));
}

TEST_F(PipelineTest, OneLayoutServesSeveralPipelinesAndMayChange) {
  RecordingSink by_as, by_port;
  PipelineOptions options;
  options.enrichers = {[] { return std::make_unique<Successor>(); }};
  options.aggregations = {By({"dst_as"}, &by_as)};
  auto first = Pipeline::New(options, &interner_);
  options.enrichers.clear();
  options.aggregations = {By({"dst_port"}, &by_port, "src_as > 1")};
  auto second = Pipeline::New(options, &interner_);
  ASSERT_TRUE(first.ok() && second.ok());
  std::vector<F> fields((*first)->RequiredFields().begin(), (*first)->RequiredFields().end());
  fields.insert(fields.end(), (*second)->RequiredFields().begin(), (*second)->RequiredFields().end());
  const record::Layout two(fields);
  fields.insert(fields.begin(), {F::kBytes, F::kTos});
  const record::Layout three(fields);
  for (const record::Layout* layout : {&two, &three}) {
    (*first)->Bind(layout);
    (*second)->Bind(layout);
    EXPECT_EQ(&(*first)->layout(), layout);
    record::FlowBatch batch(layout, &interner_);
    Add(batch, 1, 80, 1, /*rate=*/2);
    Add(batch, 2, 81, 2, /*rate=*/2);
    // The second sees what the first has scaled already; who wants it otherwise hands it a copy.
    (*first)->Process(batch);
    (*second)->Process(batch);
  }
  ASSERT_TRUE((*first)->Close(false).ok() && (*second)->Close(false).ok());
  EXPECT_EQ(by_as.rows, (std::vector<std::string>{"2 packets=4 ", "3 packets=8 "}));
  EXPECT_EQ(by_port.rows, (std::vector<std::string>{"81 packets=16 "}));
}

TEST_F(PipelineTest, EnrichersAreReplacedWhileBinsStayOpen) {
  RecordingSink sink;
  PipelineOptions options;
  options.aggregations = {By({"dst_as"}, &sink)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  const enrich::EnricherFactory successor = [] { return std::make_unique<Successor>(); };
  for (const std::vector<enrich::EnricherFactory>& enrichers :
       std::vector<std::vector<enrich::EnricherFactory>>{{}, {successor}, {successor, successor}, {}}) {
    (*pipeline)->ReplaceEnrichers(enrichers);
    record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
    Add(batch, 7, 443, 1);
    (*pipeline)->Process(batch);
  }
  ASSERT_TRUE((*pipeline)->Close(false).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::string>{"0 packets=2 ", "8 packets=2 "}));
  const std::vector<EnricherCounters> counters = (*pipeline)->enricher_counters();
  ASSERT_EQ(counters.size(), 3u);
  EXPECT_EQ(counters[0].enricher + "." + counters[0].counter, "successor.rows");
  EXPECT_EQ(counters[0].value, 3u);
  EXPECT_EQ(counters[1].enricher + "." + counters[1].counter, "sampling.records_scaled");
}

TEST_F(PipelineTest, TheOwnerMayCloseBinsItself) {
  PipelineOptions options;
  options.aggregations = {By({"dst_port"}, nullptr)};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  Add(batch, 7, 443, 1);
  (*pipeline)->Process(batch);
  const auto batches = (*pipeline)->aggregator(0).Close();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].size(), 1u);
}

TEST_F(PipelineTest, TheWholeChainInOrder) {
  // A networks file tells the AS by the address, which the next stage and the filter read.
  auto networks = enrich::Networks::Parse("7,192.0.2.0/24\n8,198.51.100.0/24\n", "n");
  ASSERT_TRUE(networks.ok());
  RecordingSink sink;
  PipelineOptions options;
  options.enrichers = {
      enrich::NetworksEnricher::Factory(std::make_shared<const enrich::Networks>(*std::move(networks))),
      [] { return std::make_unique<Successor>(); }, [] { return std::make_unique<DropEight>(); }};
  options.sampling.default_rate = 100;
  options.aggregations = {By({"dst_as"}, &sink, "dst_as > 0")};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok());
  EXPECT_TRUE((*pipeline)->layout().Has(F::kSrcAddr));
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  for (const char* source : {"192.0.2.1", "198.51.100.1", "198.51.100.2", "203.0.113.1"}) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(*base::IpAddress::Parse(source));
    row.Set<F::kPackets>(1);
  }
  (*pipeline)->Process(batch);
  ASSERT_TRUE((*pipeline)->Close(false).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::string>{"9 packets=200 ", "1 packets=100 "}));
  EXPECT_EQ((*pipeline)->counters().records_dropped, 1u);
}

TEST_F(PipelineTest, AConfigurationMayNameFields) {
  record::CustomFieldOptions window;
  window.name = "window";
  window.element = "184";
  auto custom = record::CustomFields::New({window});
  ASSERT_TRUE(custom.ok()) << custom.status();
  RecordingSink sink;
  PipelineOptions options;
  options.custom_fields = std::make_shared<const record::CustomFields>(*std::move(custom));
  options.aggregations = {By({"window"}, &sink, "window > 5")};
  options.aggregations[0].aggregator.values = {"packets", "max(window)"};
  auto pipeline = Pipeline::New(options, &interner_);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
  for (uint64_t window : {5, 7}) {
    Add(batch, 1, 1, 1);
    batch.row(batch.size() - 1).Set<F::kCustom1>(window);
  }
  (*pipeline)->Process(batch);
  ASSERT_TRUE((*pipeline)->Close(false).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::string>{"7 packets=1 max(window)=7 "}));
}

TEST_F(PipelineTest, WrongWordsAreToldAtOnce) {
  PipelineOptions options;
  options.aggregations = {By({"src_sa"}, nullptr)};
  EXPECT_TRUE(absl::StrContains(Pipeline::New(options, &interner_).status().message(), "src_as"));
  options.aggregations = {By({"src_as"}, nullptr, "dst_prt = 1")};
  EXPECT_TRUE(absl::StrContains(Pipeline::New(options, &interner_).status().message(), "dst_port"));
}

}  // namespace
}  // namespace flowacct::pipeline
