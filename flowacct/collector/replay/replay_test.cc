#include "flowacct/collector/replay/replay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"

namespace flowacct::collector {
namespace {

class SummingSink : public sink::Sink {
 public:
  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    ++batches;
    incomplete = incomplete || batch.incomplete();
    for (size_t i = 0; i < batch.size(); ++i) packets += batch.value(i, 0);
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }
  size_t batches = 0;
  uint64_t packets = 0;
  bool incomplete = false;
};

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    options_.files = {"testdata/quickstart.pcap"};
    options_.pipeline.aggregations.resize(1);
    options_.pipeline.aggregations[0].aggregator.by = {"src_as"};
    options_.pipeline.aggregations[0].aggregator.values = {"packets"};
    options_.pipeline.aggregations[0].sink = &sink_;
  }
  ReplayOptions options_;
  SummingSink sink_;
};

constexpr uint64_t kPackets = 20335741, kRecords = 3336;  // testdata/README.md

TEST_F(ReplayTest, TotalsAreThoseOfTheCapture) {
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(sink_.packets, kPackets);
  EXPECT_EQ(outcome->records, kRecords);
  EXPECT_FALSE(outcome->incomplete());
  EXPECT_FALSE(sink_.incomplete);
  const std::vector<std::string> summary = Summary(*outcome);
  ASSERT_EQ(summary.size(), 1u) << absl::StrJoin(summary, "\n");
  EXPECT_EQ(summary[0], "293 packets from 1 file: 3,336 records accounted");
}

TEST_F(ReplayTest, SeveralFilesAreOneInput) {
  options_.files.push_back(options_.files[0]);
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(sink_.packets, 2 * kPackets);
  EXPECT_EQ(sink_.batches, 1u);
}

TEST_F(ReplayTest, AMissingFileLeavesTheRestAccountedAndMarked) {
  options_.files.push_back("testdata/missing.pcap");
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(sink_.packets, kPackets);
  EXPECT_TRUE(sink_.incomplete);
  ASSERT_EQ(outcome->failures.size(), 1u);
  EXPECT_TRUE(absl::StrContains(outcome->failures[0].message(), "missing.pcap"));
}

TEST_F(ReplayTest, NothingReadIsNothingWritten) {
  options_.files = {"testdata/missing.pcap"};
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(sink_.batches, 0u);
  EXPECT_EQ(outcome->failures.size(), 1u);
}

TEST_F(ReplayTest, AnInterruptKeepsWhatWasCounted) {
  int asked = 0;
  options_.interrupted = [&asked] { return ++asked == 1; };
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->interrupted);
  EXPECT_TRUE(sink_.incomplete);
  EXPECT_GT(sink_.packets, 0u);
  EXPECT_LT(sink_.packets, kPackets);
  EXPECT_EQ(Summary(*outcome).back(), "incomplete: interrupted");
}

TEST_F(ReplayTest, BinsThatCloseEarlyLoseNothingUncounted) {
  options_.close_bins = true;
  options_.pipeline.aggregations[0].aggregator.every = absl::Minutes(5);
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  const pipeline::AggregationCounters& counters = outcome->aggregations[0];
  EXPECT_EQ(counters.records_in, kRecords);
  EXPECT_EQ(counters.records_in,
            counters.records_filtered + counters.aggregator.records_aggregated + counters.aggregator.records_late);
  EXPECT_GT(sink_.batches, 5u);
}

TEST_F(ReplayTest, WhatCameTooLateIsSummedInTheSummary) {
  options_.close_bins = true;
  options_.pipeline.aggregations[0].aggregator.every = absl::Seconds(10);
  options_.pipeline.aggregations[0].aggregator.prorate = true;
  const auto outcome = Replay(options_);
  ASSERT_TRUE(outcome.ok());
  const pipeline::AggregationCounters& counters = outcome->aggregations[0];
  EXPECT_GT(counters.aggregator.records_late, 0u);
  EXPECT_GT(counters.aggregator.parts_late, 0u);
  ASSERT_EQ(counters.late.size(), 1u);
  EXPECT_EQ(counters.late[0].name, "packets");
  EXPECT_EQ(counters.late[0].sum + sink_.packets, absl::uint128(kPackets));
  EXPECT_TRUE(absl::StrContains(absl::StrJoin(Summary(*outcome), "\n"), " not in any row: ")) << Summary(*outcome)[1];
}

TEST(Summary, TellsEachSumOfWhatCameTooLate) {
  ReplayOutcome outcome;
  pipeline::AggregationCounters& counters = outcome.aggregations.emplace_back();
  counters.aggregator.records_late = 1200;
  counters.late = {{"packets", 7}, {"bytes", absl::MakeUint128(1, 0)}};
  EXPECT_EQ(Summary(outcome).at(1),
            "1,200 records too late for their time bin, not in any row: 7 packets, 18,446,744,073,709,551,616 bytes");
  counters.aggregator.parts_late = 1;
  counters.late.clear();
  EXPECT_EQ(Summary(outcome).at(1), "1,200 records and 1 part of records too late for their time bin, not in any row");
}

TEST_F(ReplayTest, WrongOptionsAreToldBeforeAnythingIsRead) {
  options_.pipeline.aggregations[0].where = "nonsense = 1";
  EXPECT_EQ(Replay(options_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sink_.batches, 0u);
}

}  // namespace
}  // namespace flowacct::collector
