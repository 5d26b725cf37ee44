#include "flowacct/query/answer.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

AnswerCell Number(absl::uint128 number) {
  AnswerCell cell;
  cell.present = true;
  cell.number = number;
  cell.real = static_cast<double>(number);
  return cell;
}

AnswerCell Real(double real) {
  AnswerCell cell = Number(0);
  cell.real = real;
  return cell;
}

AnswerCell Text(absl::string_view text) {
  AnswerCell cell;
  cell.present = cell.value.present = true;
  cell.value.octets = std::string(text);
  return cell;
}

AnswerCell Time(int64_t seconds) {
  AnswerCell cell;
  cell.present = true;
  cell.time_seconds = seconds;
  return cell;
}

// What hostile devices call their VRFs.
constexpr char kHostile[] = "<b>&\"x\",\x1b[31m";

Answer Bars() {
  using Kind = AnswerColumn::Kind;
  Answer answer;
  answer.question = "top 2 with others vrf_name by bytes";
  answer.table = "flows";
  answer.from_seconds = 1774742400;
  answer.to_seconds = 1774746000;
  answer.columns = {{Kind::kField, record::FieldType::kString, "vrf_name"},
                    {Kind::kNumber, record::FieldType::kU64, "bytes"},
                    {Kind::kReal, record::FieldType::kU64, "bps"}};
  answer.chart_column = 1;
  answer.rows = {
      {AnswerRow::Kind::kGroup, 0, {Text("red"), Number(absl::MakeUint128(1, 0)), Real(2.5)}},
      {AnswerRow::Kind::kGroup, 1, {Text(kHostile), Number(absl::MakeUint128(0, uint64_t{1} << 63)), Real(2)}},
      {AnswerRow::Kind::kOthers, 2, {AnswerCell(), Number(7), AnswerCell()}}};
  answer.notes = {"a note"};
  return answer;
}

TEST(AnswerTest, Table) {
  EXPECT_EQ(Bars().AsTable(),
            "flows, 2026-03-29T00:00:00+00:00 to 2026-03-29T01:00:00+00:00\n"
            "vrf_name                         bytes   bps\n"
            "red               18446744073709551616  2.50\n"
            "<b>&\"x\",\\x1b[31m   9223372036854775808     2\n"
            "others                               7     -\n"
            "note: a note\n");
}

TEST(AnswerTest, Json) {
  EXPECT_EQ(Bars().AsJsonLines(),
            "{\"vrf_name\":\"red\",\"bytes\":18446744073709551616,\"bps\":2.50}\n"
            "{\"vrf_name\":\"<b>&\\\"x\\\",\\u001b[31m\",\"bytes\":9223372036854775808,\"bps\":2}\n"
            "{\"row\":\"others\",\"bytes\":7}\n");
}

TEST(AnswerTest, Csv) {
  EXPECT_EQ(Bars().AsCsv(),
            "row,vrf_name,bytes,bps\r\n"
            ",red,18446744073709551616,2.50\r\n"
            ",\"<b>&\"\"x\"\",\x1b[31m\",9223372036854775808,2\r\n"
            "others,,7,\r\n");
}

TEST(AnswerTest, Charts) {
  const std::string chart = Bars().AsChart(60);
  EXPECT_TRUE(absl::StrContains(chart, "red               \xe2\x96\x88")) << chart;
  EXPECT_TRUE(absl::StrContains(chart, " 18.4E\n")) << chart;
  EXPECT_FALSE(absl::StrContains(chart, "\x1b")) << chart;
  const std::string svg = Bars().AsSvg();
  EXPECT_TRUE(absl::StartsWith(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"")) << svg;
  EXPECT_TRUE(absl::StrContains(svg, "&lt;b&gt;&amp;&quot;x&quot;,\\x1b[31m")) << svg;
  EXPECT_FALSE(absl::StrContains(svg, "<b>")) << svg;
}

TEST(AnswerTest, Steps) {
  Answer answer = Bars();
  answer.columns.insert(answer.columns.begin(), {AnswerColumn::Kind::kTime, record::FieldType::kTime, "time"});
  answer.chart_column = 2;
  answer.rows.clear();
  for (int step = 0; step < 4; ++step) {
    answer.rows.push_back(
        {AnswerRow::Kind::kGroup,
         0,
         {Time(1774742400 + 900 * step), Text("red"), Number(static_cast<uint32_t>(100 * step)), Real(1)}});
  }
  const std::string chart = answer.AsChart(60);
  EXPECT_TRUE(absl::StrContains(chart, "red   \xe2\x96\x83\xe2\x96\x86\xe2\x96\x88  300\n")) << chart;
  EXPECT_TRUE(absl::StrContains(answer.AsSvg(), "<polyline"));
  EXPECT_TRUE(absl::StrContains(answer.AsTable(), "2026-03-29T00:15:00+00:00  red")) << answer.AsTable();
}

TEST(AnswerTest, Nothing) {
  const Answer answer;
  EXPECT_EQ(answer.AsJsonLines(), "");
  EXPECT_TRUE(absl::StrContains(answer.AsTable(), "(no traffic)"));
  EXPECT_TRUE(absl::StrContains(answer.AsChart(), "(no traffic)"));
  EXPECT_TRUE(absl::StrContains(answer.AsSvg(), "(no traffic)"));
}

}  // namespace
}  // namespace flowacct::query
