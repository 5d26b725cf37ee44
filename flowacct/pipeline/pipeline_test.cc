#include "flowacct/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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

TEST_F(PipelineTest, WrongWordsAreToldAtOnce) {
  PipelineOptions options;
  options.aggregations = {By({"src_sa"}, nullptr)};
  EXPECT_TRUE(absl::StrContains(Pipeline::New(options, &interner_).status().message(), "src_as"));
  options.aggregations = {By({"src_as"}, nullptr, "dst_prt = 1")};
  EXPECT_TRUE(absl::StrContains(Pipeline::New(options, &interner_).status().message(), "dst_port"));
}

}  // namespace
}  // namespace flowacct::pipeline
