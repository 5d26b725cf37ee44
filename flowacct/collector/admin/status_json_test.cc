#include "flowacct/collector/admin/status_json.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(StatusJsonTest, ReadsWhatItWrites) {
  ProcessStatus process;
  process.cpu_seconds = 12.25;
  process.resident_octets = ~uint64_t{0};
  process.threads = 7;
  process.started = absl::FromUnixSeconds(1767225600);
  CollectorStatus status = SampleStatus();
  status.not_ready = "a \"reason\"\n";
  status.inputs[0].received = ~uint64_t{0};
  const std::string json = StatusAsJson(status, process);
  const absl::StatusOr<CollectorStatus> read = StatusFromJson(json);
  ASSERT_TRUE(read.ok()) << read.status();
  // A member that one direction forgot would be missing in the second text.
  EXPECT_EQ(StatusAsJson(*read, *ProcessFromJson(json)), json);
  EXPECT_EQ(read->now, status.now);
  EXPECT_EQ(read->not_ready, status.not_ready);
  EXPECT_EQ(read->inputs[0].received, ~uint64_t{0});
  EXPECT_EQ(read->inputs[0].decoded[base::DecodeCode::kTemplateUnknown], 22u);
  EXPECT_EQ(read->pipelines[0].sinks[0].last_error, status.pipelines[0].sinks[0].last_error);
  EXPECT_EQ(read->replicas[0].receivers[0].sent, 999990u);
  EXPECT_EQ(ProcessFromJson(json)->cpu_seconds, 12.25);
}

TEST(StatusJsonTest, EveryMemberIsTold) {
  // No two numbers are alike in the sample, and none is zero that should be told.
  const std::string json = StatusAsJson(SampleStatus(), ProcessStatus());
  for (const char* text :
       {R"("version":"0.1.0")",
        R"("ready":true)",
        R"("started":"2026-01-01T00:00:00Z")",
        R"("reloads":3)",
        R"("reloads_failed":1)",
        R"("log_suppressed":7)",
        R"("kernel_dropped":120)",
        R"("refused_budget":13)",
        R"("decoded":{"ok":999907,"truncated":21,"template_unknown":22})",
        R"("connections_failed":33)",
        R"("records_overflowed":1004)",
        R"("open_octets":1728300)",
        R"("corrections":17)",
        R"("rows_lost":8000)",
        R"("bgp":{"established":61,)",
        R"("peers":[{"peer":"192.0.2.1","as":64500,"router_id":"192.0.2.7","up":true,"ipv4_paths":65,)",
        R"("rpki":{"validates":true,"vrps":71,"tables":72,"octets":73,)",
        R"("caches":[{"cache":"tcp://192.0.2.8:323","state":"synchronized","version":1,"session":74,)",
        R"("files":[{"file":"/var/lib/rpki-client/json","vrps":77,)",
        R"("route_logs":[{"name":"bgp","lines":71,"dropped":72,)",
        R"("last_dump":"2026-01-01T00:00:00Z")",
        R"("enrichment":[{"enricher":"rules","counter":"rules_met","value":90001}])",
        R"("receivers":[{"to":"198.51.100.1:2055","sent":999990,"dropped":6,"errors":4}])",
        R"("process":{)"}) {
    EXPECT_TRUE(absl::StrContains(json, text)) << text << " is missing in " << json;
  }
}

TEST(StatusJsonTest, TimesThatWereNeverTold) {
  CollectorStatus status;
  status.started = status.now = absl::InfinitePast();
  const std::string json = StatusAsJson(status, ProcessStatus());
  EXPECT_TRUE(absl::StrContains(json, R"("last_round":null)")) << json;
  ASSERT_TRUE(StatusFromJson(json).ok());
  EXPECT_EQ(StatusFromJson(json)->last_round, absl::InfiniteFuture());
}

TEST(StatusJsonTest, ExportersWithAndWithoutTemplates) {
  const std::vector<record::ExporterReport> exporters = SampleExporters();
  const std::string json = ExportersAsJson(exporters, /*templates=*/true, 10);
  const absl::StatusOr<std::vector<record::ExporterReport>> read = ExportersFromJson(json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ExportersAsJson(*read, true, 10), json);
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].templates[1].kind, record::RecordKind::kOption);
  EXPECT_EQ((*read)[0].sampling[0].source, record::SamplingSource::kOptions);
  EXPECT_EQ((*read)[0].interfaces[1].first, 17u);
  EXPECT_TRUE(absl::StrContains(json, R"("coverage":0.8)")) << json;
  EXPECT_FALSE(absl::StrContains(json, "\x1b"));

  const std::string brief = ExportersAsJson(exporters, /*templates=*/false, 2);
  EXPECT_FALSE(absl::StrContains(brief, "sourceIPv4Address"));
  EXPECT_TRUE(absl::EndsWith(brief, "],\"more\":1}\n")) << brief;
  EXPECT_EQ(ExportersFromJson(brief)->size(), 2u);
}

TEST(StatusJsonTest, TemplatesOfAllExporters) {
  const std::string json = TemplatesAsJson(SampleExporters(), 10);
  EXPECT_TRUE(absl::StartsWith(
      json,
      R"({"templates":[{"exporter":"192.0.2.10","protocol":"netflow9","domain":256,"id":256,"kind":"flow",)"
      R"("records":16800000,"definitions":4572,"redefinitions":1,"fields":[{"name":"sourceIPv4Address","length":4,)"
      R"("scope":false})"))
      << json;
  EXPECT_TRUE(absl::EndsWith(json, "],\"more\":0}\n"));
  EXPECT_TRUE(absl::EndsWith(TemplatesAsJson(SampleExporters(), 1), "],\"more\":1}\n"));
  EXPECT_EQ(TemplatesAsJson({}, 1), "{\"templates\":[],\"more\":0}\n");
}

TEST(StatusJsonTest, IdentityWithBothSides) {
  const std::string json = IdentityAsJson(Identity(SampleStatus()), Losses(SampleExporters()));
  EXPECT_TRUE(absl::StartsWith(json, R"({"holds":true,"equations":[{"of":"kernel of input exports")")) << json;
  EXPECT_TRUE(absl::StrContains(
      json, R"({"of":"sink as/print","unit":"batches","left":{"batches":4589},"right":{"written":4580,"waiting":2,)"
            R"("dropped":4,"failed":3},"left_sum":4589,"right_sum":4589,"holds":true,"by_definition":false})"))
      << json;
  EXPECT_TRUE(absl::StrContains(json, R"("losses":{"exporters":3,"exporters_with_loss":2,"lost_datagrams":700,)"));
  CollectorStatus status = SampleStatus();
  ++status.inputs[0].received;
  EXPECT_TRUE(absl::StartsWith(IdentityAsJson(Identity(status), LossReport()), R"({"holds":false)"));
}

TEST(StatusJsonTest, ErrorsAreOneMember) {
  EXPECT_EQ(ErrorAsJson("a \"b\"\n"), "{\"error\":\"a \\\"b\\\"\\n\"}\n");
  EXPECT_EQ(ErrorFromJson(ErrorAsJson("a \"b\"\n")), "a \"b\"\n");
  EXPECT_EQ(ErrorFromJson("<html>"), "");
  EXPECT_EQ(ErrorFromJson("{\"error\":5}"), "");
}

TEST(StatusJsonTest, WhatIsNotKnownIsSkippedAndWhatIsMissingStays) {
  const absl::StatusOr<CollectorStatus> read =
      StatusFromJson(R"({"version":"9","inputs":[{"name":"a","new":{"x":[1]}}],"newer":3})");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->version, "9");
  EXPECT_EQ(read->inputs[0].name, "a");
  EXPECT_TRUE(read->inputs[0].up);
}

TEST(StatusJsonTest, WhatIsWrongIsNamed) {
  const struct {
    const char* json;
    const char* error;
  } kCases[] = {
      {"", "no JSON, from octet 0 on"},
      {"[]", "no JSON object"},
      {R"({"inputs":[{"received":-1}]})", "inputs.0.received is no whole number"},
      {R"({"inputs":[{"name":"a"},{"decoded":{"ok":"1"}}]})", "inputs.1.decoded.ok is no whole number"},
      {R"({"inputs":{}})", "inputs is no list"},
      {R"({"workers":4294967296})", "workers is no number that fits"},
      {R"({"ready":1})", "ready is no true or false"},
      {R"({"now":"yesterday"})", "now is no time"},
      {R"({"notes":[1]})", "notes.0 is no text"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = StatusFromJson(c.json).status();
    EXPECT_TRUE(absl::StrContains(status.message(), c.error)) << c.json << ": " << status;
  }
  EXPECT_FALSE(ExportersFromJson(R"({"exporters":[{"exporter":"here"}]})").ok());
  EXPECT_FALSE(ExportersFromJson(R"({"exporters":[{"templates":[{"kind":"odd"}]}]})").ok());
  EXPECT_FALSE(ExportersFromJson(R"({"exporters":[{"interfaces":{"x":"y"}}]})").ok());
  // Depth costs no stack.
  EXPECT_FALSE(StatusFromJson(std::string(1000000, '[')).ok());
}

// Cut anywhere, an answer is no JSON.
TEST(StatusJsonTest, CutAtEveryOctet) {
  const std::string json = ExportersAsJson(SampleExporters(), true, 10);
  for (size_t size = 0; size + 2 < json.size(); ++size) {
    EXPECT_FALSE(ExportersFromJson(absl::string_view(json).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace flowacct::collector
