// Real captures by others, held against what independent decoders say of them: every capture is read whole, its counts
// are the manifest's or differ for a reason told here, and what is accounted equals the sum over what is decoded.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/enrich/sampling_scaler.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

struct Row {  // of MANIFEST.tsv
  std::string file, link_type, packets, decoders;
};

struct Sums {
  uint64_t records = 0, packets = 0, bytes = 0;
  bool operator==(const Sums& other) const {
    return records == other.records && packets == other.packets && bytes == other.bytes;
  }
};
std::ostream& operator<<(std::ostream& out, const Sums& s) {
  return out << s.records << " records, " << s.packets << " packets, " << s.bytes << " bytes";
}

std::string CapturesFolder() {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  return folder == nullptr ? "" : folder;
}

std::vector<Row> Manifest() {
  std::vector<Row> rows;
  std::ifstream file(CapturesFolder() + "/MANIFEST.tsv");
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    if (columns.size() < 9) continue;
    const std::string folder = columns[0].substr(0, columns[0].find('/'));
    if (std::set<std::string>{"netflow5", "netflow9", "ipfix", "sflow", "packets"}.count(folder) == 0) continue;
    rows.push_back({columns[0], columns[5], columns[6], columns[8]});
  }
  return rows;
}

std::optional<uint64_t> Find(const std::string& text, const std::string& pattern) {
  std::smatch match;
  uint64_t number;
  if (!std::regex_search(text, match, std::regex(pattern)) || !absl::SimpleAtoi(match[1].str(), &number))
    return std::nullopt;
  return number;
}

// Where we and an independent decoder differ, and who is right.
struct Difference {
  const char* file;
  const char* quantity;
  uint64_t ours;
  const char* reason;
};
const Difference kDifferences[] = {
    {"", "", 0, ""},
};

class CapturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: there are no captures by others here";
    rows_ = Manifest();
    ASSERT_GT(rows_.size(), 100u);
  }

  // Sums over the decoded rows, with the fields of all records.
  static Sums Decoded(const std::string& path, InputCounters* counters, std::vector<record::ExporterReport>* reports) {
    const record::Layout layout = record::Layout::All();
    base::Interner interner;
    record::FlowBatch batch(&layout, &interner);
    enrich::SamplingScaler scaler(&layout, {});
    CaptureInput input(&layout, &interner, {});
    Sums sums;
    const absl::Status opened = input.Open(path);
    EXPECT_TRUE(opened.ok()) << opened;
    if (!opened.ok()) return sums;
    for (;;) {
      const absl::StatusOr<bool> more = input.Decode({&batch});
      if (!more.ok() || !*more) break;
      scaler.Apply(batch);
      for (size_t i = 0; i < batch.size(); ++i) {
        ++sums.records;
        sums.packets += batch.row(i).Get<F::kPackets>();
        sums.bytes += batch.row(i).Get<F::kBytes>();
      }
      batch.Clear();
    }
    *counters = input.counters();
    *reports = input.Report();
    return sums;
  }

  class Summer : public sink::Sink {
   public:
    absl::Status Write(const aggregate::AggregateBatch& batch) override {
      for (size_t i = 0; i < batch.size(); ++i) {
        sums.packets += batch.value(i, 0);
        sums.bytes += batch.value(i, 1);
      }
      return absl::OkStatus();
    }
    absl::Status Close() override { return absl::OkStatus(); }
    Sums sums;
  };

  static Sums Replayed(const std::string& path, const std::vector<std::string>& by, absl::Duration every,
                       bool prorate) {
    Summer summer;
    ReplayOptions options;
    options.files = {path};
    pipeline::AggregationOptions aggregation;
    aggregation.aggregator.by = by;
    aggregation.aggregator.values = {"packets", "bytes"};
    aggregation.aggregator.every = every;
    aggregation.aggregator.prorate = prorate;
    // Captures joined of several years have as many bins.
    aggregation.aggregator.max_open_bins = 1 << 20;
    aggregation.sink = &summer;
    options.pipeline.aggregations.push_back(aggregation);
    const absl::StatusOr<ReplayOutcome> outcome = Replay(options);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (outcome.ok()) {
      EXPECT_EQ(outcome->aggregations[0].aggregator.records_late, 0u) << path;
      summer.sums.records = outcome->aggregations[0].aggregator.records_aggregated;
    }
    return summer.sums;
  }

  void Compare(const std::string& file, const std::string& quantity, uint64_t ours, uint64_t theirs) {
    for (const Difference& d : kDifferences) {
      if (file != d.file || quantity != d.quantity) continue;
      EXPECT_EQ(ours, d.ours) << file << " " << quantity << ": " << d.reason;
      EXPECT_NE(ours, theirs) << file << " " << quantity << ": no longer a difference; remove it from the table";
      return;
    }
    EXPECT_EQ(ours, theirs) << file << " " << quantity;
  }

  std::vector<Row> rows_;
};

TEST_F(CapturesTest, ExportsCountAsIndependentDecodersCount) {
  for (const Row& row : rows_) {
    if (absl::StartsWith(row.file, "packets/")) continue;
    InputCounters counters;
    std::vector<record::ExporterReport> reports;
    const Sums sums = Decoded(absl::StrCat(CapturesFolder(), "/", row.file), &counters, &reports);
    uint64_t flow_records = 0, option_records = 0, counter_records = 0, datagrams = 0;
    for (const record::ExporterReport& report : reports) {
      flow_records += report.flow_records;
      option_records += report.option_records;
      counter_records += report.counter_records;
      datagrams += report.datagrams;
    }
    EXPECT_EQ(datagrams, counters.extracted.datagrams) << row.file << ": every datagram is in one report";
    if (const auto packets = Find(row.packets, "^([0-9]+)"))
      Compare(row.file, "packets read", counters.packets, *packets);
    if (const auto records = Find(row.decoders, "; ([0-9]+) records decoded")) {
      Compare(row.file, "flow and option records", flow_records + option_records, *records);
    }
    if (const auto flows = Find(row.decoders, "nfdump: ([0-9]+) flows"))
      Compare(row.file, "rows", sums.records, *flows);
    if (const auto packets = Find(row.decoders, "nfdump: [0-9]+ flows, ([0-9]+) packets")) {
      Compare(row.file, "packets", sums.packets, *packets);
    }
    if (const auto bytes = Find(row.decoders, "nfdump: [0-9]+ flows, [0-9]+ packets, ([0-9]+) bytes")) {
      Compare(row.file, "bytes", sums.bytes, *bytes);
    }
  }
}

TEST_F(CapturesTest, PacketsAreAllAccountedOrToldWhy) {
  for (const Row& row : rows_) {
    if (!absl::StartsWith(row.file, "packets/")) continue;
    InputCounters counters;
    std::vector<record::ExporterReport> reports;
    const Sums sums = Decoded(absl::StrCat(CapturesFolder(), "/", row.file), &counters, &reports);
    uint64_t packets = 0;
    ASSERT_TRUE(absl::SimpleAtoi(row.packets, &packets)) << row.file;
    EXPECT_EQ(counters.packets, packets) << row.file;
    EXPECT_EQ(counters.accounted.frames, packets) << row.file << ": taken for a capture of exports?";
    EXPECT_EQ(counters.accounted.frames,
              counters.accounted.accounted + counters.accounted.not_ip + counters.accounted.errors.errors())
        << row.file;
    EXPECT_EQ(sums.records, counters.accounted.accounted) << row.file;
  }
}

TEST_F(CapturesTest, WhatIsAccountedIsTheSumOfWhatIsDecoded) {
  for (const Row& row : rows_) {
    const std::string path = absl::StrCat(CapturesFolder(), "/", row.file);
    InputCounters counters;
    std::vector<record::ExporterReport> reports;
    const Sums decoded = Decoded(path, &counters, &reports);
    if (counters.packets == 0) continue;  // the file with no whole message
    EXPECT_EQ(Replayed(path, {"src_addr", "dst_addr", "src_port", "dst_port", "protocol"}, absl::ZeroDuration(), false),
              decoded)
        << row.file;
    EXPECT_EQ(Replayed(path, {"src_as", "dst_as"}, absl::Minutes(5), false), decoded) << row.file;
    EXPECT_EQ(Replayed(path, {}, absl::Minutes(1), true), decoded) << row.file;
  }
}

}  // namespace
}  // namespace flowacct::collector
