#include "flowacct/collector/top/frame.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "flowacct/collector/top/rates.h"
#include "flowacct/collector/top/screen.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(RateTextTest, ThreeDigits) {
  const std::pair<double, const char*> kCases[] = {
      {0, "0"},          {-5, "0"},        {0.001, "<0.01"}, {0.25, "0.25"},   {7, "7"},         {7.5, "7.50"},
      {9.94, "9.94"},    {9.96, "10"},     {123.4, "123"},   {999.4, "999"},   {999.5, "1.00k"}, {1234, "1.23k"},
      {9994, "9.99k"},   {9996, "10.0k"},  {12345, "12.3k"}, {99940, "99.9k"}, {99960, "100k"},  {999499, "999k"},
      {999500, "1.00M"}, {2.5e9, "2.50G"}, {1.2e20, "120E"},
  };
  for (const auto& [rate, text] : kCases) EXPECT_EQ(RateText(rate), text) << rate;
  EXPECT_EQ(RateText(0.0 / 0.0), "0");
}

TEST(RatesTest, BetweenTwoSamples) {
  const CollectorStatus before = SampleStatus(), now = SampleStatusAfter(absl::Seconds(10));
  const StatusRates rates = RatesOf(&before, now);
  EXPECT_EQ(rates.elapsed, absl::Seconds(10));
  ASSERT_EQ(rates.inputs.size(), 2u);
  EXPECT_DOUBLE_EQ(rates.inputs[0].received, 4200);
  EXPECT_DOUBLE_EQ(rates.inputs[0].octets, 4200 * 1400);
  EXPECT_DOUBLE_EQ(rates.inputs[0].records, 100000);
  EXPECT_DOUBLE_EQ(rates.inputs[0].kernel_dropped, 25);
  EXPECT_DOUBLE_EQ(rates.inputs[0].rejected, 3);
  EXPECT_DOUBLE_EQ(rates.total.records, 100200);
  EXPECT_DOUBLE_EQ(rates.pipelines[0].filtered, 100);
  EXPECT_DOUBLE_EQ(rates.pipelines[0].aggregated, 100100);
  EXPECT_DOUBLE_EQ(rates.pipelines[0].bytes, 2.5e9);
  EXPECT_DOUBLE_EQ(rates.pipelines[0].late, 0);
  EXPECT_EQ(rates.pipelines[0].sinks.size(), 2u);
  EXPECT_DOUBLE_EQ(rates.replicas[0][0].sent, 4200);
}

TEST(RatesTest, SinceTheStart) {
  CollectorStatus now = SampleStatus();
  now.now = now.started + absl::Seconds(100);
  EXPECT_DOUBLE_EQ(RatesOf(nullptr, now).inputs[0].received, 10000);
  // Started anew in between: what there is came since then.
  CollectorStatus before = SampleStatus();
  before.started -= absl::Hours(1);
  EXPECT_DOUBLE_EQ(RatesOf(&before, now).inputs[0].received, 10000);
  now.now = now.started;
  EXPECT_EQ(RatesOf(nullptr, now).inputs[0].received, 0);
}

TEST(RatesTest, WhatIsNewAndWhatIsGone) {
  CollectorStatus before = SampleStatus(), now = SampleStatusAfter(absl::Seconds(10));
  before.inputs.erase(before.inputs.begin());
  now.pipelines[0].name = "new";
  now.inputs[1].received = 3;  // back, for whatever reason
  const StatusRates rates = RatesOf(&before, now);
  EXPECT_DOUBLE_EQ(rates.inputs[0].received, 104200);
  EXPECT_DOUBLE_EQ(rates.inputs[1].received, 0);
  EXPECT_DOUBLE_EQ(rates.pipelines[0].sinks[0].rows, 900000);
}

TEST(RatesTest, Exporters) {
  const std::vector<record::ExporterReport> before = SampleExporters();
  std::vector<record::ExporterReport> now = before;
  now[1].flow_records += 1000;
  now[1].sequence.lost += 50;
  now[2].flow_records += 3000;
  now[2].datagrams += 20;
  now.push_back(ManyExporters(1)[0]);
  const std::vector<ExporterRates> rates = RatesOf(before, now, absl::Seconds(10));
  ASSERT_EQ(rates.size(), 4u);
  EXPECT_EQ(rates[0].exporter, "192.0.2.30");
  EXPECT_DOUBLE_EQ(rates[0].records, 300);
  EXPECT_DOUBLE_EQ(rates[0].datagrams, 2);
  EXPECT_EQ(rates[1].exporter, "10.0.0.0");
  EXPECT_DOUBLE_EQ(rates[1].records, 240);
  EXPECT_EQ(rates[2].exporter, "2001:db8::7");
  EXPECT_DOUBLE_EQ(rates[2].lost, 5);
  EXPECT_EQ(rates[2].lost_total, 1800050u);
  EXPECT_EQ(RatesOf(before, now, absl::ZeroDuration())[0].records, 0);
}

QueryAnswer Answer(absl::string_view json) { return *QueryAnswer::FromJson(json); }

TEST(RatesTest, Groups) {
  const QueryAnswer before = Answer(R"({"columns":["src_as","bytes"],"rows":[[1,100],[2,500],["1",7],[null,9]]})");
  const QueryAnswer now =
      Answer(R"({"columns":["src_as","bytes"],"rows":[[2,1500],[1,100],["1",27],[3,70],[null,3]]})");
  EXPECT_EQ(RatesOf(before, now, 1, absl::Seconds(10)), (std::vector<double>{100, 0, 2, -1, -1}));
  EXPECT_EQ(RatesOf(QueryAnswer(), now, 1, absl::Seconds(10)), std::vector<double>(5, -1));
  EXPECT_EQ(RatesOf(before, now, 2, absl::Seconds(10)), std::vector<double>(5, -1));
}

TEST(SparklineTest, TheLargestIsTheHighest) {
  EXPECT_EQ(Sparkline({0, 1, 2, 3, 4, 5, 6, 7, 8}, 20, true), "▁▂▃▄▅▆▇██");
  EXPECT_EQ(Sparkline({0, 50, 100}, 20, false), "_=#");
  EXPECT_EQ(Sparkline({1, 2, 3, 4}, 2, false), "##");
  EXPECT_EQ(Sparkline({0, 0, -1}, 9, true), "▁▁▁");
  EXPECT_EQ(Sparkline({}, 9, true), "");
}

std::vector<std::string> Plain(const std::vector<Line>& lines) {
  std::vector<std::string> text;
  for (const Line& line : lines) text.push_back(line.Render(false));
  return text;
}
std::string Joined(const std::vector<Line>& lines, bool color = false) {
  std::string text;
  for (const Line& line : lines) absl::StrAppend(&text, line.Render(color), "\n");
  return text;
}

TopModel SampleModel() {
  TopModel model;
  model.address = "127.0.0.1:2112";
  model.sampled = true;
  const CollectorStatus before = SampleStatus();
  model.status = SampleStatusAfter(absl::Seconds(10));
  model.rates = RatesOf(&before, model.status);
  model.rates.cpu_share = 0.25;
  model.process.resident_octets = 123000000;
  model.history = {50000, 75000, 100200};
  model.pipelines = {"as"};
  return model;
}

TEST(FrameTest, Overview) {
  EXPECT_EQ(Joined(Frame(SampleModel(), {})),
            "flowacct-collector 0.1.0  /etc/flowacct/collector.conf  up 3 d 04:12  ready  2 workers\n"
            "[1 overview]  2 exporters   3 groups of as\n"
            "\n"
            "records/s 100k ▄▆█  exporters 3  CPU 25%  memory 123 MB\n"
            "identity holds  the kernel drops 0.59% before it is seen  0.07% rejected\n"
            "\n"
            "INPUT    KIND    datagr/s  bit/s  records/s  dropped/s  rejected/s  lost in all\n"
            "exports  udp        4.20k  47.0M       100k         25           3          493\n"
            "tls      stream        10  96.0k        200          0           0            0\n"
            "\n"
            "PIPELINE  records/s  filtered/s  late/s  overfl./s  packets/s  bit/s  groups  memory\n"
            "as             100k         100       0          0      4.00M  20.0G  12,345  1.7 MB\n"
            "all            100k           0       0          0      4.00M  20.0G       0     0 B\n"
            "\n"
            "SINK       rows/s  batches  waiting  lost rows/s  lost rows\n"
            "as/print        0    4,589        2            0      8,000\n"
            "as/memory       0    4,589        0            0          0\n"
            "\n"
            "REPLICA  TO                 sent/s  dropped/s  errors/s\n"
            "tee      198.51.100.1:2055   4.20k          0         0\n"
            "\n"
            "input exports: receive buffer of 4 MiB instead of 64 MiB; raise net.core.rmem_max\n"
            "sink as/print: /var/lib/flowacct/as.csv: No space left on device; free some\n"
            "the last reload was refused: collector.conf:12:7: by: no field is called \"src_adr\"; did you mean "
            "src_addr?\n");
}

TEST(FrameTest, ColoursOfLosses) {
  TopModel model = SampleModel();
  const std::string text = Joined(Frame(model, {}), /*color=*/true);
  EXPECT_TRUE(absl::StrContains(text, "\x1b[1;31m25\x1b[0m")) << text;   // dropped now
  EXPECT_TRUE(absl::StrContains(text, "\x1b[33m8,000\x1b[0m")) << text;  // lost some time
  EXPECT_TRUE(absl::StrContains(text, "\x1b[32mholds\x1b[0m")) << text;
  ++model.status.pipelines[0].records_in;
  EXPECT_TRUE(absl::StrContains(Joined(Frame(model, {}), true), "\x1b[1;31mBROKEN\x1b[0m"));
}

TEST(FrameTest, Exporters) {
  TopModel model = SampleModel();
  model.view = 1;
  EXPECT_TRUE(absl::StrContains(Joined(Frame(model, {})), "no exporter was heard of\n"));
  model.exporters = RatesOf(SampleExporters(), SampleExporters(), absl::Seconds(1));
  model.exporters[0].records = 12345;
  EXPECT_EQ(Joined(Frame(model, {})),
            "flowacct-collector 0.1.0  /etc/flowacct/collector.conf  up 3 d 04:12  ready  2 workers\n"
            " 1 overview  [2 exporters]  3 groups of as\n"
            "\n"
            "EXPORTER     PROTOCOL  domain  datagr/s  bit/s  records/s  errors/s  lost/s  coverage\n"
            "192.0.2.10   netflow9     256         0      0      12.3k         0       0    99.90%\n"
            "2001:db8::7  ipfix          0         0      0          0         0       0    80.00%\n"
            "192.0.2.30   sflow5         3         0      0          0         0       0      100%\n");
}

TEST(FrameTest, Groups) {
  TopModel model = SampleModel();
  model.view = 2;
  EXPECT_TRUE(absl::StrContains(Joined(Frame(model, {})), "no traffic in the open bin yet\n"));
  model.groups = Answer(
      R"({"columns":["src_as","dst_as","packets","bytes"],"rows":[[64496,64497,120,10000],[64498,null,7,5000],["\u001b[2J",1,0,0]],"groups":100})");
  model.group_order = 3;
  model.group_rates = {1000, -1, 0};
  FrameOptions options;
  options.unicode = false;
  EXPECT_EQ(Joined(Frame(model, options)),
            "flowacct-collector 0.1.0  /etc/flowacct/collector.conf  up 3 d 04:12  ready  2 workers\n"
            " 1 overview   2 exporters  [3 groups of as]\n"
            "\n"
            "src_as   dst_as  packets   bytes  bytes/s\n"
            "64496    64497       120  10,000    1.00k  ####################\n"
            "64498    -             7   5,000        -  ##########\n"
            "\\x1b[2J  1             0       0        0\n"
            "and 97 more groups\n");
  model.group_trouble = "by: no field";
  EXPECT_TRUE(absl::StrContains(Joined(Frame(model, options)), "query: by: no field\n"));
}

TEST(FrameTest, WhatDoesNotFitIsTold) {
  TopModel model = SampleModel();
  model.view = 1;
  model.exporters = RatesOf(ManyExporters(100), ManyExporters(100), absl::Seconds(1));
  size_t max_scroll = 0;
  FrameOptions options;
  for (size_t rows = 1; rows < 120; ++rows) {
    options.rows = rows;
    const std::vector<Line> lines = Frame(model, options, &max_scroll);
    EXPECT_LE(lines.size(), std::max<size_t>(rows, 3)) << rows;
    if (rows >= 6) {
      EXPECT_EQ(max_scroll, rows < 104 ? 100 - (rows - 5) : 0) << rows;
    }
  }
  options.rows = 10;
  options.interactive = true;
  model.scroll = 3;
  std::vector<std::string> lines = Plain(Frame(model, options, &max_scroll));
  EXPECT_TRUE(absl::StartsWith(lines[3], "EXPORTER"));
  EXPECT_TRUE(absl::StartsWith(lines[4], "10.0.0.3 ")) << lines[4];
  EXPECT_EQ(lines[9], "lines 4 to 8 of 100; up and down move");
  model.scroll = 1000;
  lines = Plain(Frame(model, options, &max_scroll));
  EXPECT_EQ(lines[9], "lines 96 to 100 of 100; up and down move");
  EXPECT_EQ(max_scroll, 95u);
}

TEST(FrameTest, NothingYetAndTrouble) {
  TopModel model;
  model.address = "127.0.0.1:2112";
  model.trouble = "no collector answers";
  EXPECT_EQ(Plain(Frame(model, {})),
            (std::vector<std::string>{"flowacct top  127.0.0.1:2112", "no collector answers"}));
  model = SampleModel();
  model.trouble = "gone\x1b[2J";
  model.paused = true;
  const std::vector<std::string> lines = Plain(Frame(model, {}));
  EXPECT_EQ(lines[1], "gone\\x1b[2J");
  EXPECT_TRUE(absl::EndsWith(lines[2], "PAUSED")) << lines[2];
}

TEST(KeysTest, AllOfThem) {
  using Keys = std::vector<KeyPress>;
  EXPECT_EQ(KeysFrom("qpQP "), (Keys{{Key::kQuit}, {Key::kPause}, {Key::kQuit}, {Key::kPause}, {Key::kPause}}));
  EXPECT_EQ(KeysFrom("\t\x1b[Z\x1b[C\x1b[D"),
            (Keys{{Key::kNextView}, {Key::kPreviousView}, {Key::kNextView}, {Key::kPreviousView}}));
  EXPECT_EQ(KeysFrom("\x1b[A\x1bOB\x1b[5~\x1b[6~"), (Keys{{Key::kUp}, {Key::kDown}, {Key::kPageUp}, {Key::kPageDown}}));
  EXPECT_EQ(KeysFrom("13"), (Keys{{Key::kView, 0}, {Key::kView, 2}}));
  // What means nothing, and what is cut.
  EXPECT_EQ(KeysFrom("xyz0\x1b[15~\x1b[1;5Aq"), Keys{{Key::kQuit}});
  EXPECT_EQ(KeysFrom("\x1b"), Keys{});
  EXPECT_EQ(KeysFrom("\x1b["), Keys{});
  EXPECT_EQ(KeysFrom("\x1b[1"), Keys{});
  EXPECT_EQ(KeysFrom(std::string("\0\xff\x80", 3)), Keys{});
}

}  // namespace
}  // namespace flowacct::collector
