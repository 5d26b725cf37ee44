#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/client/report_text.h"
#include "flowacct/collector/client/text_grid.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(TextGridTest, DigitsInGroups) {
  EXPECT_EQ(GroupDigits(uint64_t{0}), "0");
  EXPECT_EQ(GroupDigits(uint64_t{999}), "999");
  EXPECT_EQ(GroupDigits(uint64_t{1000}), "1,000");
  EXPECT_EQ(GroupDigits(~uint64_t{0}), "18,446,744,073,709,551,615");
  EXPECT_EQ(GroupDigits("340282366920938463463374607431768211455"),
            "340,282,366,920,938,463,463,374,607,431,768,211,455");
  EXPECT_EQ(GroupDigits("-1234"), "-1234");
  EXPECT_EQ(GroupDigits("1.5e10"), "1.5e10");
  EXPECT_EQ(GroupDigits(""), "");
}

TEST(TextGridTest, ColumnsAreAligned) {
  TextGrid grid({false, true});
  for (const char* cell : {"name", "n", "ü", "1", "日本", "1,000"}) grid.Add(cell);
  std::vector<std::string> lines;
  for (const Line& line : grid.Lines()) lines.push_back(line.Render(false));
  EXPECT_EQ(lines, (std::vector<std::string>{"name      n", "ü         1", "日本  1,000"}));
  EXPECT_TRUE(TextGrid({}).Lines().empty());
}

TEST(LineTest, CutAndColoured) {
  Line line;
  line.Add("ab").Add("", Style::kBad).Add("日本", Style::kBad).Add("   ");
  EXPECT_EQ(line.width(), 9u);
  EXPECT_EQ(line.Render(false), "ab日本");
  EXPECT_EQ(line.Render(true), "ab\x1b[1;31m日本\x1b[0m");
  EXPECT_EQ(line.Render(false, 3), "ab");
  EXPECT_EQ(line.Render(true, 4), "ab\x1b[1;31m日\x1b[0m");
  EXPECT_EQ(line.Render(true, 1), "a");
  EXPECT_EQ(line.Render(true, 0), "");
}

QueryAnswer Answer(absl::string_view json) {
  absl::StatusOr<QueryAnswer> answer = QueryAnswer::FromJson(json);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.value_or(QueryAnswer());
}

TEST(QueryAnswerTest, AllFormats) {
  const QueryAnswer answer = Answer(FakeCollector::kAnswer);
  EXPECT_EQ(answer.groups, 1234u);
  EXPECT_TRUE(answer.incomplete);
  EXPECT_FALSE(answer.IsCounter(0));
  EXPECT_TRUE(answer.IsCounter(3));
  EXPECT_EQ(answer.AsTable(),
            "  src_as  dst_as  packets                       bytes\n"
            "   64496   64497      120                     151,200\n"
            "   64498       -        7  18,446,744,073,709,551,615\n"
            "a \"b\", c   64499        1                          40\n"
            "and 1,231 more\n"
            "the bin is still filling\n");
  EXPECT_EQ(answer.AsCsv(),
            "src_as,dst_as,packets,bytes\n"
            "64496,64497,120,151200\n"
            "64498,,7,18446744073709551615\n"
            "\"a \"\"b\"\", c\",64499,1,40\n");
  EXPECT_EQ(answer.AsJsonLines(),
            "{\"src_as\":64496,\"dst_as\":64497,\"packets\":120,\"bytes\":151200}\n"
            "{\"src_as\":64498,\"packets\":7,\"bytes\":18446744073709551615}\n"
            "{\"src_as\":\"a \\\"b\\\", c\",\"dst_as\":64499,\"packets\":1,\"bytes\":40}\n");
}

TEST(QueryAnswerTest, DigitsBeyond64Bits) {
  const QueryAnswer answer = Answer(R"({"columns":["bytes"],"rows":[[340282366920938463463374607431768211455]]})");
  EXPECT_EQ(answer.AsCsv(), "bytes\n340282366920938463463374607431768211455\n");
  EXPECT_TRUE(absl::StrContains(answer.AsTable(), "340,282,366,920,938,463,463,374,607,431,768,211,455"));
}

TEST(QueryAnswerTest, ListsStayLists) {
  const QueryAnswer answer = Answer(
      R"({"columns":["std_comm","coordinates","x"],"rows":[[["65000:1","65000:2"],[52.37,4.9],{"a":[1,{}],"b":null,"c":"\u001b"}]]})");
  EXPECT_EQ(answer.AsJsonLines(),
            "{\"std_comm\":[\"65000:1\",\"65000:2\"],\"coordinates\":[52.37,4.9],"
            "\"x\":{\"a\":[1,{}],\"b\":null,\"c\":\"\\u001b\"}}\n");
}

TEST(QueryAnswerTest, EmptyOnes) {
  EXPECT_EQ(Answer(R"({"columns":["bytes"],"rows":[]})").AsTable(), "no traffic was accounted\n");
  EXPECT_EQ(Answer(R"({"columns":["bytes"],"rows":[],"incomplete":true})").AsTable(), "no traffic was accounted yet\n");
  EXPECT_EQ(Answer(R"({"columns":["bytes"],"rows":[]})").AsCsv(), "bytes\n");
  EXPECT_EQ(Answer(R"({"columns":["bytes"],"rows":[[null]]})").AsJsonLines(), "{}\n");
  EXPECT_EQ(Answer(R"({"columns":[],"rows":[[],[]]})").AsTable(), "");
}

TEST(QueryAnswerTest, HarmlessOnATerminal) {
  const QueryAnswer answer = Answer(R"({"columns":["a\u001b[2J"],"rows":[["\u001b[31mred\n"]]})");
  EXPECT_EQ(answer.AsTable(), "a\\x1b[2J\n\\x1b[31mred\\n\n");
}

TEST(QueryAnswerTest, WhatIsNone) {
  for (const char* json : {"", "{}", "[]", "5", "{\"columns\":1}", "{\"columns\":[1],\"rows\":[]}",
                           "{\"columns\":[\"a\"],\"rows\":[[1,2]]}", "{\"columns\":[\"a\"],\"rows\":[1]}",
                           "{\"columns\":[\"a\"],\"rows\":[{\"a\":1}]}", "{\"columns\":[\"a\"],\"rows\":[[1]]",
                           "{\"columns\":[\"a\"],\"groups\":-1}", "{\"columns\":[\"a\"]} x"}) {
    EXPECT_FALSE(QueryAnswer::FromJson(json).ok()) << json;
  }
  const absl::string_view whole = FakeCollector::kAnswer;
  for (size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(QueryAnswer::FromJson(whole.substr(0, size)).ok());
  EXPECT_FALSE(QueryAnswer::FromJson(absl::StrCat("{\"columns\":[],\"rows\":[[", std::string(1000000, '['))).ok());
}

TEST(ReportTextTest, Status) {
  ProcessStatus process;
  process.cpu_seconds = 12.34;
  process.resident_octets = 123000000;
  process.threads = 7;
  process.open_files = 21;
  process.max_files = 1024;
  const std::string text = StatusAsText(SampleStatus(), process, /*color=*/false);
  EXPECT_EQ(
      text,
      "flowacct-collector 0.1.0  /etc/flowacct/collector.conf  up 3 d 04:12  ready  2 workers\n"
      "3 exporters with 4 domains; memory 123 MB, CPU 12.3 s, 7 threads, 21 of 1024 files\n"
      "3 reloads, 1 refused\n"
      "the last reload was refused: collector.conf:12:7: by: no field is called \"src_adr\"; did you mean src_addr?\n"
      "3 templates of 1 exporters were restored\n"
      "\n"
      "INPUT    KIND    FROM                     received  octets     records  kernel dropped  rejected\n"
      "exports  udp     0.0.0.0:2055,[::]:4739  1,000,000  1.4 GB  24,000,000             120        93\n"
      "tls      stream  192.0.2.1:4740              5,000  6.0 MB      90,000               0         0\n"
      "input exports: receive buffer of 4 MiB instead of 64 MiB; raise net.core.rmem_max\n"
      "input exports rejected: not_allowed 11, over_rate 12, over_budget 13, longer_than_buffer 14, truncated 21, "
      "template_unknown 22\n"
      "input tls connections: 2 open, 31 accepted, 32 refused, 33 failed\n"
      "\n"
      "PIPELINE     records  aggregated  filtered  dropped   late  overflowed  groups  memory  bins closed\n"
      "as        24,090,000  24,085,995     1,002    1,001  1,003       1,004  12,345  1.7 MB        4,572\n"
      "all       24,090,000  24,090,000         0        0      0           0       0     0 B            0\n"
      "\n"
      "BGP PEER      as   up  IPv4  IPv6  stale  updates\n"
      "192.0.2.1  64500  yes    65     0      0       66\n"
      "\n"
      "BMP ROUTER  name    tables  messages  errors\n"
      "192.0.2.9   edge-1      74        75       0\n"
      "\n"
      "ENRICHMENT           count\n"
      "as/rules rules_met  90,001\n"
      "\n"
      "SINK       batches  written  waiting  dropped  failed  rows written  rows lost\n"
      "as/print     4,589    4,580        2        4       3     9,000,000      8,000\n"
      "as/memory    4,589    4,589        0        0       0     9,008,000          0\n"
      "sink as/print: /var/lib/flowacct/as.csv: No space left on device; free some\n"
      "\n"
      "RPKI                       state         VRPs  updates  failures\n"
      "tcp://192.0.2.8:323        synchronized    76        0         0\n"
      "/var/lib/rpki-client/json  failed          77       78        79\n"
      "/var/lib/rpki-client/json: No such file or directory; is the path right?\n"
      "\n"
      "REPLICA  TO                    sent  dropped  errors\n"
      "tee      198.51.100.1:2055  999,990        6       4\n"
      "\n"
      "the accounting identity holds: 8 equations (GET /api/v1/identity)\n");
}

TEST(ReportTextTest, ColoursAreForTerminalsAlone) {
  EXPECT_FALSE(absl::StrContains(StatusAsText(SampleStatus(), {}, false), "\x1b"));
  EXPECT_TRUE(absl::StrContains(StatusAsText(SampleStatus(), {}, true), "\x1b[1;31m"));
}

TEST(ReportTextTest, WhatIsBrokenIsTold) {
  CollectorStatus status = SampleStatus();
  status.ready = false;
  status.not_ready = "port taken\x1b[2J";
  status.inputs[1].up = false;
  ++status.pipelines[0].records_in;
  const std::string text = StatusAsText(status, {}, false);
  EXPECT_TRUE(absl::StrContains(text, "not ready: port taken\\x1b[2J")) << text;
  EXPECT_TRUE(absl::StrContains(text, "input tls is down: no reason is told\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "the accounting identity is broken")) << text;
  EXPECT_TRUE(absl::StrContains(text, "  pipeline as: records_in 24090001 != aggregated 24085995")) << text;
}

TEST(ReportTextTest, AnEmptyCollector) {
  CollectorStatus status;
  status.started = status.now = absl::UnixEpoch();
  EXPECT_TRUE(absl::StrContains(StatusAsText(status, {}, false), "the accounting identity holds: 0 equations"));
  EXPECT_EQ(ExportersAsText({}, false), "no exporter was heard of\n");
  EXPECT_EQ(TemplatesAsText({}), "no templates\n");
}

TEST(ReportTextTest, Exporters) {
  std::vector<record::ExporterReport> exporters = SampleExporters();
  record::ExporterReport& forgotten = exporters.emplace_back();
  forgotten.scope = record::ExporterScope::kForgotten;
  forgotten.protocol = "netflow";
  forgotten.datagrams = 17;
  EXPECT_EQ(
      ExportersAsText(exporters, false),
      "EXPORTER     PROTOCOL  domain  datagrams  octets  flow records  other records  errors               lost  "
      "coverage\n"
      "192.0.2.10   netflow9     256    700,000  980 MB    16,800,000            300       2      700 datagrams    "
      "99.90%\n"
      "2001:db8::7  ipfix          0    300,000  420 MB     7,200,031              0       0  1,800,000 records    "
      "80.00%\n"
      "192.0.2.30   sflow5         3      4,000  4.0 MB        20,000          4,444       0        0 datagrams      "
      "100%\n"
      "(forgotten)  netflow        -         17     0 B             0              0       0                  -        "
      " "
      "-\n"
      "3 exporters' domains, 2 with loss: about 700 datagrams and 1,800,000 records\n");
}

TEST(ReportTextTest, Templates) {
  EXPECT_EQ(
      TemplatesAsText(SampleExporters()),
      "192.0.2.10 netflow9 domain 256 template 256 (flow): 16,800,000 records, defined 4,572 times, 1 with other "
      "fields\n"
      "    sourceIPv4Address(4) octetDeltaCount(8) interfaceName(var)\n"
      "192.0.2.10 netflow9 domain 256 template 257 (option): 16,800,000 records, defined 4,572 times, 1 with other "
      "fields\n"
      "    selectorId(2)*\n"
      "192.0.2.10 netflow9 domain 256 sampling all: 1 in 1000 (told by options)\n");
}

TEST(ReportTextTest, Pieces) {
  EXPECT_EQ(Uptime(absl::Seconds(-5)), "0 s");
  EXPECT_EQ(Uptime(absl::Seconds(59)), "59 s");
  EXPECT_EQ(Uptime(absl::Seconds(245)), "4:05 min");
  EXPECT_EQ(Uptime(absl::Hours(4) + absl::Minutes(12)), "04:12 h");
  EXPECT_EQ(Uptime(absl::Hours(76) + absl::Minutes(12)), "3 d 04:12");
  EXPECT_EQ(CoverageText(1), "100%");
  EXPECT_EQ(CoverageText(0.999999), "99.99%");
  EXPECT_EQ(CoverageText(0.8), "80.00%");
  EXPECT_EQ(CoverageText(0), "0.00%");
}

}  // namespace
}  // namespace flowacct::collector
