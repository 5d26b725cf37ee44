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
#include "flowacct/record/field_set.h"

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
    if (columns.size() < 10) continue;
    const std::string folder = columns[0].substr(0, columns[0].find('/'));
    if (std::set<std::string>{"netflow5", "netflow9", "ipfix", "sflow", "packets"}.count(folder) == 0) continue;
    rows.push_back({columns[0], columns[6], columns[7], columns[9]});
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
    {"netflow9/fortigate-fortios542-appid.pcap", "packets", 105,
     "ours: nfdump adds the IN and the OUT counters of the same packets"},
    {"netflow9/fortigate-fortios542-appid.pcap", "bytes", 29492,
     "ours: nfdump adds the IN and the OUT counters of the same packets"},
    {"netflow9/sampler-options-multiple-rates.pcap", "packets", 112000,
     "ours: each flow names its sampler (1 in 2000 or 1 in 4000); nfdump scales some of the flows only"},
    {"netflow9/sampler-options-multiple-rates.pcap", "bytes", 32332000,
     "ours: each flow names its sampler (1 in 2000 or 1 in 4000); nfdump scales some of the flows only"},
    {"netflow9/sampling-rate-in-flow-record.pcap", "packets", 12288,
     "ours: each record tells its rate, 1 in 2048; nfdump does not scale by it"},
    {"netflow9/sampling-rate-in-flow-record.pcap", "bytes", 7659520,
     "ours: each record tells its rate, 1 in 2048; nfdump does not scale by it"},
    {"netflow9/data-before-template-then-both.pcap", "flow and option records", 12,
     "ours: data held for its template is decoded when that comes"},
    {"netflow9/data-before-template-then-both.pcap", "rows", 8,
     "ours: data held for its template is decoded when that comes"},
    {"netflow9/data-before-template-then-both.pcap", "packets", 240000,
     "ours: data held for its template is decoded when that comes"},
    {"netflow9/data-before-template-then-both.pcap", "bytes", 350880000,
     "ours: data held for its template is decoded when that comes"},
    {"ipfix/yaf-applabel-reverse.pcap", "rows", 4, "both: a biflow is two rows here, one there; the sums agree"},
    {"ipfix/cisco-ipv6-transport-sampling-option.pcap", "packets", 30976,
     "ours: the options tell 1 in 256; nfdump does not scale by it"},
    {"ipfix/cisco-ipv6-transport-sampling-option.pcap", "bytes", 2721792,
     "ours: the options tell 1 in 256; nfdump does not scale by it"},
    {"ipfix/cisco-options-maps-reassigned.pcap", "flow and option records", 85,
     "ours: options data held for its template is decoded when that comes"},
    {"ipfix/mpls-labels-and-sampling-options.pcap", "packets", 110,
     "ours: the options tell 1 in 10; nfdump does not scale by it"},
    {"ipfix/mpls-labels-and-sampling-options.pcap", "bytes", 9790,
     "ours: the options tell 1 in 10; nfdump does not scale by it"},
    {"ipfix/inline-monitoring-datalink-frame-section.pcap", "rows", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-datalink-frame-section.pcap", "packets", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-datalink-frame-section.pcap", "bytes", 96,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-juniper-cpid.pcap", "rows", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-juniper-cpid.pcap", "packets", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-juniper-cpid.pcap", "bytes", 104,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-srv6-frame-section.pcap", "rows", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-srv6-frame-section.pcap", "packets", 1,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/inline-monitoring-srv6-frame-section.pcap", "bytes", 104,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/ethernet-over-mpls-control-word-frame-section.pcap", "rows", 10,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/ethernet-over-mpls-control-word-frame-section.pcap", "packets", 10,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/ethernet-over-mpls-control-word-frame-section.pcap", "bytes", 14337,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/physical-interfaces.pcap", "packets", 29000,
     "ours: the options tell 1 in 1000; nfdump does not scale by it"},
    {"ipfix/physical-interfaces.pcap", "bytes", 31111000,
     "ours: the options tell 1 in 1000; nfdump does not scale by it"},
    {"ipfix/ipfixprobe-biflow.pcap", "rows", 6, "both: a biflow is two rows here, one there; the sums agree"},
    {"sflow/v5-flow-extended-gateway-router-switch.pcap", "bytes", 5080064,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-expanded-flow-sample.pcap", "bytes", 104000,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-raw-header-protocol-ipv4.pcap", "bytes", 64,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-qinq.pcap", "bytes", 327680,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-output-discarded.pcap", "bytes", 1536000,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-output-multiple-interfaces.pcap", "bytes", 1536000,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-output-local.pcap", "bytes", 1536000,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-counters-30-packets.pcap", "rows", 7,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-counters-30-packets.pcap", "packets", 12,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-counters-30-packets.pcap", "bytes", 1953,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"sflow/v5-agent-ipv6-flow-and-counters.pcap", "bytes", 1220,
     "ours: octets are those of the IP packets; nfdump counts frames, and their FCS"},
    {"netflow5/netflow-v1-softflowd.pcap", "rows", 108,
     "ours: records of v1 are 48 octets; nfdump finds 20 of the 108"},
    {"netflow5/netflow-v1-softflowd.pcap", "packets", 304,
     "ours: records of v1 are 48 octets; nfdump finds 20 of the 108"},
    {"netflow5/netflow-v1-softflowd.pcap", "bytes", 116443,
     "ours: records of v1 are 48 octets; nfdump finds 20 of the 108"},
    {"netflow5/netflow-v8-all-14-aggregations-flowtools-synthetic.pcap", "rows", 532,
     "ours: nfdump 1.7.1 has no v8; tshark has the same 532 records"},
    {"netflow5/netflow-v8-all-14-aggregations-flowtools-synthetic.pcap", "packets", 10428,
     "ours: nfdump 1.7.1 has no v8; tshark has the same 532 records"},
    {"netflow5/netflow-v8-all-14-aggregations-flowtools-synthetic.pcap", "bytes", 10428,
     "ours: nfdump 1.7.1 has no v8; tshark has the same 532 records"},
    {"ipfix/softflowd-psamp-packet-sections.pcap", "rows", 344,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/softflowd-psamp-packet-sections.pcap", "packets", 344,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
    {"ipfix/softflowd-psamp-packet-sections.pcap", "bytes", 119794,
     "ours: a packet section is a row of one packet, with the IP length as octets; nfdump reads none"},
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
    enrich::SamplingScaler scaler({});
    scaler.Bind(layout, record::FieldSet(layout.fields()));
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

  size_t compared_ = 0;
  void Compare(const std::string& file, const std::string& quantity, uint64_t ours, uint64_t theirs) {
    ++compared_;
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
    uint64_t flow_records = 0, option_records = 0, datagrams = 0;
    for (const record::ExporterReport& report : reports) {
      flow_records += report.flow_records;
      option_records += report.option_records;
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
  EXPECT_GT(compared_, 200u);
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
