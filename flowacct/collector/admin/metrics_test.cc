#include "flowacct/collector/admin/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/collector/admin/exporter_series.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

// The samples of a text of metrics; what is no sample and no comment fails.
std::map<std::string, std::string> Samples(const std::string& text) {
  std::map<std::string, std::string> samples;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    const size_t blank = line.rfind(' ');
    EXPECT_NE(blank, absl::string_view::npos) << line;
    const bool added = samples.emplace(line.substr(0, blank), line.substr(blank + 1)).second;
    EXPECT_TRUE(added) << "twice: " << line;
  }
  return samples;
}

Scrape SampleScrape() {
  Scrape scrape;
  scrape.status = SampleStatus();
  scrape.exporters = ExporterSeries(10).Select(SampleExporters());
  scrape.process.cpu_seconds = 1.5;
  scrape.process.started = absl::FromUnixMillis(1767225600250);
  scrape.admin.requests = 99;
  return scrape;
}

TEST(MetricsTest, NamesFollowTheConventions) {
  std::set<absl::string_view> names;
  for (const Metric& metric : Metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(absl::StartsWith(metric.name, "flowacct_") || absl::StartsWith(metric.name, "process_")) << metric.name;
    EXPECT_EQ(absl::EndsWith(metric.name, "_total"), metric.type == MetricType::kCounter) << metric.name;
    for (const char c : metric.name) EXPECT_TRUE(absl::ascii_islower(c) || c == '_') << metric.name;
    EXPECT_FALSE(metric.help.empty()) << metric.name;
    EXPECT_NE(metric.help.back(), '.') << metric.name;
    if (metric.unit == "bytes") {
      EXPECT_TRUE(absl::StrContains(metric.name, "_bytes")) << metric.name;
    }
    if (metric.unit == "seconds") {
      EXPECT_TRUE(absl::StrContains(metric.name, "_seconds")) << metric.name;
    }
  }
}

TEST(MetricsTest, ValuesOfAllKinds) {
  const std::string text = MetricsText(SampleScrape());
  const std::map<std::string, std::string> samples = Samples(text);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {R"(flowacct_build_info{version="0.1.0"})", "1"},
      {"flowacct_ready", "1"},
      {"flowacct_reloads_failed_total", "1"},
      {"flowacct_identity_equations", "8"},
      {"flowacct_identity_broken", "0"},
      {R"(flowacct_input_info{input="tls",kind="stream",listen="192.0.2.1:4740"})", "1"},
      {R"(flowacct_input_datagrams_total{input="exports"})", "1000000"},
      {R"(flowacct_input_kernel_dropped_total{input="exports"})", "120"},
      {R"(flowacct_input_decoded_total{input="exports"})", "999907"},
      {R"(flowacct_input_rejected_total{input="exports",reason="over_budget"})", "13"},
      {R"(flowacct_input_rejected_total{input="exports",reason="template_unknown"})", "22"},
      {R"(flowacct_input_rejected_total{input="tls",reason="truncated"})", "0"},
      {R"(flowacct_input_connections_accepted_total{input="tls"})", "31"},
      {R"(flowacct_pipeline_records_late_total{pipeline="as"})", "1003"},
      {R"(flowacct_pipeline_traffic_bytes_total{pipeline="as"})", "700000000000"},
      {R"(flowacct_sink_rows_lost_total{pipeline="as",sink="print"})", "8000"},
      {R"(flowacct_replica_errors_total{replica="tee",to="198.51.100.1:2055"})", "4"},
      {R"(flowacct_exporter_datagrams_total{exporter="192.0.2.10",protocol="netflow9",domain="256"})", "700000"},
      {R"(flowacct_exporter_errors_total{exporter="192.0.2.10",protocol="netflow9",domain="256",reason="template_unknown"})",
       "2"},
      {R"(flowacct_exporter_sequence_lost{exporter="192.0.2.30",protocol="sflow5",domain="3",unit="samples"})", "8"},
      {R"(flowacct_exporter_coverage_ratio{exporter="2001:db8::7",protocol="ipfix",domain="0"})", "0.8"},
      {"flowacct_exporters_summed", "0"},
      {"flowacct_admin_requests_total", "99"},
      {"process_cpu_seconds_total", "1.5"},
      {"process_start_time_seconds", "1767225600.25"},
  };
  for (const auto& [name, value] : expected) {
    const auto found = samples.find(name);
    ASSERT_NE(found, samples.end()) << name << " is missing in\n" << text;
    EXPECT_EQ(found->second, value) << name;
  }
  // Connections are a stream's alone.
  EXPECT_EQ(samples.count(R"(flowacct_input_connections{input="exports"})"), 0u);
  EXPECT_TRUE(absl::StrContains(text, "# TYPE flowacct_input_datagrams_total counter\n"));
  EXPECT_TRUE(absl::StrContains(text, "# TYPE flowacct_ready gauge\n"));
}

// Every row of the table has a value in the sample, where all that there can be is, except a meter.
TEST(MetricsTest, EveryRowTells) {
  Scrape scrape = SampleScrape();
  InputStatus& kafka = scrape.status.inputs.emplace_back();
  kafka.name = "topic";
  kafka.kind = "kafka";
  const std::string text = MetricsText(scrape);
  for (const Metric& metric : Metrics()) {
    if (absl::StartsWith(metric.name, "flowacct_input_meter_")) continue;
    EXPECT_TRUE(absl::StrContains(text, absl::StrCat("# HELP ", metric.name, " "))) << metric.name;
  }
}

TEST(MetricsTest, LabelsAreEscapedAndUtf8) {
  Scrape scrape = SampleScrape();
  scrape.status.pipelines[0].name = "a\"b\\c\nd\xff";
  const std::string text = MetricsText(scrape);
  EXPECT_TRUE(absl::StrContains(text, "{pipeline=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"}")) << text;
}

TEST(MetricsTest, LargeNumbers) {
  Scrape scrape = SampleScrape();
  scrape.status.inputs[0].received = uint64_t{1} << 53;
  scrape.status.inputs[1].received = ~uint64_t{0};
  const std::map<std::string, std::string> samples = Samples(MetricsText(scrape));
  EXPECT_EQ(samples.at(R"(flowacct_input_datagrams_total{input="exports"})"), "9007199254740992");
  double value = 0;
  ASSERT_TRUE(absl::SimpleAtod(samples.at(R"(flowacct_input_datagrams_total{input="tls"})"), &value));
  EXPECT_NEAR(value, std::ldexp(1.0, 64), std::ldexp(1.0, 12));
}

TEST(MetricsTest, TheReferenceHasEachRow) {
  const std::string document = MetricsReference();
  for (const Metric& metric : Metrics()) {
    EXPECT_TRUE(absl::StrContains(document, absl::StrCat("| `", metric.name, "` | "))) << metric.name;
  }
}

TEST(MetricsTest, EveryCounterOfExportersIsTold) {
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    const absl::string_view name = counter.name == "octets" ? "received_bytes" : counter.name;
    const std::string metric = absl::StrCat("flowacct_exporter_", name, "_total");
    EXPECT_TRUE(std::any_of(Metrics().begin(), Metrics().end(), [&](const Metric& m) { return m.name == metric; }))
        << metric;
  }
}

// As a decoder forgets: the counters go on in a sum.
void Forget(size_t index, std::vector<record::ExporterReport>* exporters) {
  record::ExporterReport sum;
  sum.scope = record::ExporterScope::kForgotten;
  sum.Add((*exporters)[index]);
  exporters->erase(exporters->begin() + static_cast<ptrdiff_t>(index));
  exporters->push_back(std::move(sum));
}

// Of the series' sum, or zeros.
record::ExporterCounters Others(const ExporterSamples& samples) {
  for (const ExporterSample& sample : samples.samples) {
    if (sample.exporter == "others") return sample.report;
  }
  return {};
}

TEST(ExporterSeriesTest, BeyondTheBoundTheyAreSummed) {
  ExporterSeries series(3);
  const ExporterSamples samples = series.Select(ManyExporters(10));
  ASSERT_EQ(samples.samples.size(), 4u);
  EXPECT_EQ(samples.summed, 7u);
  EXPECT_EQ(samples.samples[2].exporter, "10.0.0.2");
  const record::ExporterCounters others = Others(samples);
  EXPECT_EQ(others.datagrams, 103u + 104 + 105 + 106 + 107 + 108 + 109);
  EXPECT_EQ(others.octets, 1000 * others.datagrams);
  EXPECT_EQ(others.flow_records, 24 * others.datagrams);
  EXPECT_EQ(others.errors[base::DecodeCode::kOk], others.datagrams);
  EXPECT_TRUE(others.sequence.unit.empty());
}

TEST(ExporterSeriesTest, TheFirstKeepTheirSeries) {
  ExporterSeries series(2);
  std::vector<record::ExporterReport> exporters = ManyExporters(4);
  series.Select(exporters);
  std::reverse(exporters.begin(), exporters.end());
  const ExporterSamples samples = series.Select(exporters);
  std::set<std::string> own;
  for (const ExporterSample& sample : samples.samples) own.insert(sample.exporter);
  EXPECT_EQ(own, (std::set<std::string>{"10.0.0.0", "10.0.0.1", "others"}));
}

TEST(ExporterSeriesTest, TheSumNeverGoesBack) {
  ExporterSeries series(1);
  std::vector<record::ExporterReport> exporters = ManyExporters(4);
  uint64_t before = Others(series.Select(exporters)).datagrams;
  EXPECT_EQ(before, 101u + 102 + 103);
  // One is forgotten, and another counts on.
  Forget(2, &exporters);
  exporters[1].datagrams += 7;
  uint64_t now = Others(series.Select(exporters)).datagrams;
  EXPECT_EQ(now, before + 7);
  // One is forgotten and begins anew.
  before = now;
  const record::ExporterReport again = exporters[1];
  Forget(1, &exporters);
  exporters.push_back(again);
  exporters.back().datagrams = exporters.back().octets = 5;
  now = Others(series.Select(exporters)).datagrams;
  EXPECT_EQ(now, before + 5);
}

TEST(ExporterSeriesTest, WhatOwnSeriesToldIsNotToldAgain) {
  ExporterSeries series(1);
  std::vector<record::ExporterReport> exporters = ManyExporters(2);
  EXPECT_EQ(Others(series.Select(exporters)).datagrams, 101u);
  // It counted 7 since its series was told, and is forgotten. The one that is summed stays so; a new one gets the
  // place.
  exporters[0].datagrams += 7;
  Forget(0, &exporters);
  exporters.push_back(ManyExporters(10)[9]);
  ExporterSamples samples = series.Select(exporters);
  ASSERT_EQ(samples.samples.size(), 2u);
  EXPECT_EQ(samples.samples[0].exporter, "10.0.0.9");
  EXPECT_EQ(Others(samples).datagrams, 101u + 7);
  // That one is forgotten and comes again between two looks.
  Forget(2, &exporters);
  exporters.push_back(ManyExporters(10)[9]);
  exporters.back().datagrams = exporters.back().octets = 3;
  samples = series.Select(exporters);
  EXPECT_EQ(samples.samples[0].report.datagrams, 3u);
  EXPECT_EQ(samples.summed, 1u);
  EXPECT_EQ(Others(samples).datagrams, 101u + 7);
}

TEST(ExporterSeriesTest, WhatIsOfNoExporterIsInTheSum) {
  record::ExporterReport unreadable;
  unreadable.protocol = "sflow";
  unreadable.scope = record::ExporterScope::kUnreadable;
  unreadable.datagrams = 3;
  unreadable.errors.Count(base::DecodeCode::kTruncated, 3);
  const ExporterSamples samples = ExporterSeries(10).Select({unreadable});
  ASSERT_EQ(samples.samples.size(), 1u);
  EXPECT_EQ(samples.summed, 0u);
  EXPECT_EQ(Others(samples).errors[base::DecodeCode::kTruncated], 3u);
}

TEST(ExporterSeriesTest, ReportsOfTheSameExporterAreOne) {
  std::vector<record::ExporterReport> exporters = ManyExporters(2);
  exporters.push_back(exporters[0]);
  const ExporterSamples samples = ExporterSeries(10).Select(exporters);
  ASSERT_EQ(samples.samples.size(), 2u);
  EXPECT_EQ(samples.samples[0].report.datagrams, 200u);
  EXPECT_EQ(samples.samples[0].report.sequence.unit, "datagrams");
}

}  // namespace
}  // namespace flowacct::collector
