#include "flowacct/collector/inspect/inspection.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

Inspection InspectFiles(std::vector<std::string> files) {
  InspectOptions options;
  options.files = std::move(files);
  return Inspect(options);
}

TEST(Inspect, TellsExportersTemplatesAndTraffic) {
  const Inspection inspection = InspectFiles({"testdata/quickstart.pcap"});
  ASSERT_EQ(inspection.files.size(), 1u);
  EXPECT_EQ(inspection.files[0].format, "pcap");
  EXPECT_EQ(inspection.files[0].packets, 293u);
  EXPECT_EQ(inspection.files[0].evidence.kind, CaptureKind::kExports);
  ASSERT_EQ(inspection.exporters.size(), 2u);
  uint64_t records = 0, datagrams = 0;
  for (const record::ExporterReport& exporter : inspection.exporters) {
    EXPECT_EQ(exporter.protocol, "netflow9");
    ASSERT_FALSE(exporter.templates.empty());
    records += exporter.flow_records;
    datagrams += exporter.datagrams;
  }
  EXPECT_EQ(records, 3336u);
  EXPECT_EQ(datagrams, inspection.input.extracted.datagrams);
  uint64_t packets = 0;
  for (const auto& [protocol, sums] : inspection.by_protocol) packets += sums.packets;
  EXPECT_EQ(packets, 20335741u) << "the sum that testdata/README.md states";
  EXPECT_TRUE(inspection.errors.empty());
  const std::string text = InspectionAsText(inspection);
  for (const char* want : {"exporter 192.0.2.1", "template ", "sourceIPv4Address(4)", "sequence: no gaps", "tcp"}) {
    EXPECT_TRUE(absl::StrContains(text, want)) << want << " is not in:\n" << text;
  }
  const std::string json = InspectionAsJson(inspection);
  EXPECT_TRUE(absl::StrContains(json, "\"incomplete\":false")) << json;
  EXPECT_EQ(json.find('\n'), json.size() - 1) << "one line";
}

TEST(Inspect, ACaptureOfPacketsHasFramesAndNoExporters) {
  const Inspection inspection = InspectFiles({"testdata/packets.pcap"});
  EXPECT_TRUE(inspection.exporters.empty());
  EXPECT_EQ(inspection.input.accounted.frames, 300u);
  EXPECT_EQ(inspection.input.accounted.accounted, 300u);
  EXPECT_TRUE(absl::StrContains(InspectionAsText(inspection), "300 frames: 300 accounted"));
}

TEST(Inspect, AMissingFileIsToldBesideTheOthers) {
  const Inspection inspection = InspectFiles({"testdata/packets.pcap", "testdata/missing.pcap"});
  EXPECT_EQ(inspection.files.size(), 1u);
  ASSERT_EQ(inspection.failures.size(), 1u);
  EXPECT_TRUE(absl::StrContains(inspection.failures[0].message(), "missing.pcap"));
  EXPECT_TRUE(absl::StrContains(InspectionAsJson(inspection), "\"incomplete\":true"));
}

TEST(Inspect, TellsWhatDidNotFit) {
  Inspection inspection;
  inspection.exporters.resize(1);
  inspection.exporters[0].misfits = 3;
  EXPECT_TRUE(absl::StrContains(InspectionAsText(inspection), "3 values that did not fit the field"));
  EXPECT_TRUE(absl::StrContains(InspectionAsJson(inspection), "\"misfits\":3"));
}

// Whatever is counted is shown, and what is counted of no exporter in particular too.
TEST(Inspect, TellsEveryCounterAndWhoseItIs) {
  Inspection inspection;
  const std::pair<record::ExporterScope, const char*> kScopes[] = {
      {record::ExporterScope::kDomain, "exporter ::  sflow5  domain 0"},
      {record::ExporterScope::kForgotten, "4 domains forgotten for their silence  sflow5"},
      {record::ExporterScope::kBeyond, "exporters beyond the bound  sflow5"},
      {record::ExporterScope::kUnreadable, "datagrams whose header could not be read  sflow5"},
  };
  for (const auto& [scope, text] : kScopes) {
    record::ExporterReport& report = inspection.exporters.emplace_back();
    report.scope = scope;
    report.protocol = "sflow5";
    report.domains = 4;
    uint64_t n = 100;
    for (const record::ExporterCounter& counter : record::ExporterCounterTable()) report.*counter.value = ++n;
  }
  const std::string text = InspectionAsText(inspection), json = InspectionAsJson(inspection);
  for (const auto& [scope, want] : kScopes) {
    EXPECT_TRUE(absl::StrContains(text, want)) << want << " is not in:\n" << text;
    EXPECT_TRUE(absl::StrContains(json, absl::StrCat("\"scope\":\"", record::ExporterScopeName(scope), "\"")));
  }
  uint64_t n = 100;
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    EXPECT_TRUE(absl::StrContains(text, record::ExporterCounterText(counter, ++n))) << counter.name;
    EXPECT_TRUE(absl::StrContains(json, absl::StrCat("\"", counter.name, "\":", n))) << counter.name;
  }
}

}  // namespace
}  // namespace flowacct::collector
