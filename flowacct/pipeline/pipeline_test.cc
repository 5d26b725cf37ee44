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
#include "flowacct/enrich/privacy/master_key.h"
#include "flowacct/enrich/privacy/privacy.h"

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

// Holds what goes to a port for two seconds, at most three rows at once; then tells its source's AS as the
// destination's.
class HoldPort : public enrich::Enricher {
 public:
  explicit HoldPort(uint16_t port) : port_(port) {}
  absl::string_view name() const override { return "hold_port"; }
  std::vector<F> RequiredFields(const record::FieldSet&) const override { return {F::kDstPort, F::kSrcAs, F::kDstAs}; }
  void Bind(const record::Layout& layout, const record::FieldSet&) override {
    EXPECT_TRUE(times_.empty()) << "held by a layout that is gone";
    rows_ = std::make_unique<record::FlowBatch>(&layout, &interner_);
  }
  void Apply(record::FlowBatch& batch) override {
    std::vector<uint32_t> kept;
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (batch.row(i).Get<F::kDstPort>() == port_ && times_.size() < 3) {
        rows_->AppendCopies(1, batch.row(i).octets());
        times_.push_back(now_);
      } else {
        kept.push_back(i);
      }
    }
    batch.Keep(kept);
  }
  size_t held() const override { return times_.size(); }
  void Release(int64_t now_nanos, bool all, record::FlowBatch& batch) override {
    now_ = now_nanos;
    std::vector<uint32_t> kept;
    std::vector<int64_t> times;
    for (uint32_t i = 0; i < times_.size(); ++i) {
      if (!all && now_nanos - times_[i] < 2000000000) {
        kept.push_back(i);
        times.push_back(times_[i]);
        continue;
      }
      batch.AppendCopies(1, rows_->row(i).octets());
      auto row = batch.row(batch.size() - 1);
      row.Set<F::kDstAs>(row.Get<F::kSrcAs>());
    }
    rows_->Keep(kept);
    times_ = times;
  }

 private:
  const uint16_t port_;
  base::Interner interner_;
  std::unique_ptr<record::FlowBatch> rows_;
  std::vector<int64_t> times_;
  int64_t now_ = 0;
};

class HoldingTest : public PipelineTest {
 protected:
  void Make(std::vector<enrich::EnricherFactory> enrichers) {
    PipelineOptions options;
    options.enrichers = std::move(enrichers);
    options.aggregations = {By({"dst_as"}, &sink_, "src_as != 99"), By({"dst_as"}, nullptr)};
    auto pipeline = Pipeline::New(options, &interner_);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    pipeline_ = *std::move(pipeline);
  }
  static absl::Time At(int seconds) { return absl::FromUnixSeconds(seconds); }
  void Process(int seconds, std::initializer_list<std::pair<uint32_t, uint16_t>> as_and_port) {
    record::FlowBatch batch(&pipeline_->layout(), &interner_);
    for (const auto& [as, port] : as_and_port) {
      Add(batch, as, port, uint64_t{1} << sent_, /*rate=*/sent_ % 2 == 0 ? 1 : 10);
      ++sent_;
    }
    pipeline_->Process(batch, At(seconds));
    CheckIdentity();
  }
  void CheckIdentity() {
    const PipelineCounters shared = pipeline_->counters();
    EXPECT_EQ(shared.records_in, sent_);
    for (size_t i = 0; i < 2; ++i) {
      const AggregationCounters own = pipeline_->counters(i);
      EXPECT_EQ(shared.records_in, shared.records_dropped + shared.records_held + own.records_filtered +
                                       own.aggregator.records_aggregated + own.aggregator.records_late);
      EXPECT_EQ(shared.records_in - shared.records_dropped - shared.records_held, own.records_in);
    }
  }
  uint64_t held() const { return pipeline_->counters().records_held; }
  uint64_t aggregated() { return pipeline_->counters(1).aggregator.records_aggregated; }

  RecordingSink sink_;
  std::unique_ptr<Pipeline> pipeline_;
  uint64_t sent_ = 0;
};

TEST_F(HoldingTest, HeldRowsGoOnFromWhereTheyWereHeld) {
  // The first one's rows come to the second, which holds some of them again; then all come to what drops AS 8.
  Make({[] { return std::make_unique<HoldPort>(22); }, [] { return std::make_unique<HoldPort>(22); },
        [] { return std::make_unique<HoldPort>(23); }, [] { return std::make_unique<DropEight>(); }});
  Process(10, {{7, 22}, {8, 22}, {99, 22}, {6, 23}, {5, 80}});
  EXPECT_EQ(held(), 4u);
  EXPECT_EQ(aggregated(), 1u);
  Process(11, {{7, 22}});  // no room: the second takes it
  EXPECT_EQ(held(), 5u);
  Process(12, {});  // the first three go to the second, which has room for two; of the rest none is of AS 8
  EXPECT_EQ(held(), 3u);
  EXPECT_EQ(pipeline_->counters().records_dropped, 0u);
  EXPECT_EQ(pipeline_->counters(0).records_filtered, 1u);
  pipeline_->Release(At(13));
  CheckIdentity();
  EXPECT_EQ(held(), 2u);
  ASSERT_TRUE(pipeline_->Close(false).ok());
  CheckIdentity();
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(pipeline_->counters().records_dropped, 1u);
  // Each with its packets times its rate, once: 16 of AS 5, 80 of AS 6, 1 + 320 of AS 7.
  EXPECT_EQ(sink_.rows, (std::vector<std::string>{"0 packets=16 ", "6 packets=80 ", "7 packets=321 "}));
}

TEST_F(HoldingTest, TimeWithoutRecordsIsEnough) {
  Make({[] { return std::make_unique<HoldPort>(22); }});
  Process(10, {{7, 22}});
  pipeline_->Release(At(11));
  EXPECT_EQ(held(), 1u);
  ASSERT_TRUE(pipeline_->CloseBefore(At(12)).ok());
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(aggregated(), 1u);
  CheckIdentity();
}

TEST_F(HoldingTest, NothingIsLostWhenLayoutAndEnrichersChange) {
  const enrich::EnricherFactory hold = [] { return std::make_unique<HoldPort>(22); };
  Make({hold, [] { return std::make_unique<DropEight>(); }});
  Process(10, {{7, 22}, {8, 22}, {6, 80}});
  EXPECT_EQ(held(), 2u);
  std::vector<F> fields = {F::kBytes};
  for (F field : pipeline_->RequiredFields()) fields.push_back(field);
  const record::Layout wider(fields);
  pipeline_->Bind(&wider);
  EXPECT_EQ(held(), 0u);
  CheckIdentity();
  Process(10, {{7, 22}});
  EXPECT_EQ(held(), 1u);
  pipeline_->ReplaceEnrichers({hold, hold});
  EXPECT_EQ(held(), 0u);
  CheckIdentity();
  Process(11, {{7, 22}});
  pipeline_->ReleaseAll();
  EXPECT_EQ(held(), 0u);
  CheckIdentity();
  EXPECT_EQ(pipeline_->counters().records_dropped, 1u);
  ASSERT_TRUE(pipeline_->Close(false).ok());
  EXPECT_EQ(sink_.rows, (std::vector<std::string>{"0 packets=4 ", "7 packets=97 "}));
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

// What a subscriber's number is told as, wherever an aggregation could tell it.
TEST_F(PipelineTest, PrivacyHidesFromOneAggregationWhatItsFilterAndOthersSee) {
  enrich::PrivacyOptions hide;
  hide.rules = {*enrich::PrivacyRule::Parse(F::kImsi, "pseudonym"), *enrich::PrivacyRule::Parse(F::kSrcAddr, "/24,48")};
  hide.key = *enrich::MasterKey::Parse("000102030405060708090a0b0c0d0e0f");
  auto privacy = enrich::Privacy::Factory(hide);
  ASSERT_TRUE(privacy.ok()) << privacy.status();
  PipelineOptions options;
  options.aggregations = {By({"imsi", "src_addr"}, nullptr, "imsi = 262011234567890 and src_addr = 10.1.2.3"),
                          By({"imsi", "src_addr"}, nullptr), By({"imsi"}, nullptr)};
  for (size_t i : {size_t{0}, size_t{1}}) {
    options.aggregations[i].aggregator.values = {"packets", "top(imsi)", "top(src_addr)", "distinct(imsi)"};
    options.aggregations[i].privacy = *privacy;
  }
  std::string first;
  for (int worker = 0; worker < 2; ++worker) {
    auto pipeline = Pipeline::New(options, &interner_);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    EXPECT_TRUE((*pipeline)->layout().Has(F::kStartTime)) << "pseudonyms rotate by it";
    record::FlowBatch batch(&(*pipeline)->layout(), &interner_);
    for (const char* imsi : {"262011234567890", "262011234567890", "262019999999999"}) {
      record::MutableRow row = batch.Append();
      row.Set<F::kImsi>(*base::Digits::Parse(imsi));
      row.Set<F::kSrcAddr>(*base::IpAddress::Parse("10.1.2.3"));
      row.Set<F::kPackets>(1);
    }
    (*pipeline)->Process(batch);
    std::string hidden;
    for (size_t i = 0; i < 3; ++i) {
      const AggregationCounters c = (*pipeline)->counters(i);
      EXPECT_EQ(c.records_filtered, i == 0 ? 1u : 0u);
      EXPECT_EQ(c.records_in, c.records_filtered + c.aggregator.records_aggregated);
      const auto batches = (*pipeline)->aggregator(i).Close();
      ASSERT_EQ(batches.size(), 1u);
      ASSERT_EQ(batches[0].size(), i == 0 ? 1u : 2u);
      if (i == 2) {
        EXPECT_EQ(record::RowView(batches[0].key(0)).Get<F::kImsi>().ToString(), "262011234567890");
        continue;
      }
      for (size_t row = 0; row < batches[0].size(); ++row) {
        absl::StrAppend(&hidden, batches[0].key(row).Get<F::kImsi>().ToString(), " ",
                        batches[0].key(row).Get<F::kSrcAddr>().ToString(), " ", batches[0].value(row, 0), " ",
                        batches[0].text(row, 1), " ", batches[0].text(row, 2), " ", batches[0].value(row, 3), "\n");
      }
    }
    EXPECT_FALSE(absl::StrContains(hidden, "26201")) << hidden;
    EXPECT_FALSE(absl::StrContains(hidden, "10.1.2.3")) << hidden;
    EXPECT_TRUE(absl::StrContains(hidden, " 10.1.2.0 2 x")) << hidden;
    // The same by another worker.
    if (worker == 0) first = hidden;
    EXPECT_EQ(hidden, first);
  }
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
