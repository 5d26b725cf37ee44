#include "flowacct/collector/sessions/roaming_answer.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr int64_t kNoon = 1'772'366'400'000'000'000;  // 2026-03-01T12:00:00Z

RoamingSession Made(uint64_t imsi, std::optional<uint32_t> id, uint64_t up, uint64_t down) {
  RoamingSession s;
  s.imsi = *base::Digits::Parse(std::to_string(imsi));
  s.charging_id = id;
  s.apn = "web";
  s.home_plmn = *base::Digits::Parse("26201");
  s.visited_plmn = *base::Digits::Parse("310410");
  s.start_nanos = kNoon;
  s.end_nanos = kNoon + 90'299'000'000;
  s.milliseconds = 90'299;
  s.bytes_up = up;
  s.bytes_down = down;
  return s;
}

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

TEST(RoamingAnswerTest, Rows) {
  RoamingReport report({});
  EXPECT_EQ(RoamingRows(report).AsCsv(), "day,visited_plmn,home_plmn,apn,sessions,minutes,bytes_up,bytes_down\n");
  ASSERT_TRUE(report.Add(Made(262011234567890, 1, kMost, 1)).ok());
  ASSERT_TRUE(report.Add(Made(262011234567890, 2, kMost, 2)).ok());
  EXPECT_EQ(RoamingRows(report).AsCsv(),
            "day,visited_plmn,home_plmn,apn,sessions,minutes,bytes_up,bytes_down\n"
            "2026-03-01,310410,26201,web,2,3.01,36893488147419103230,3\n");
  EXPECT_EQ(RoamingRows(report).AsJsonLines(),
            R"({"day":"2026-03-01","visited_plmn":"310410","home_plmn":"26201","apn":"web","sessions":2,)"
            R"("minutes":3.01,"bytes_up":36893488147419103230,"bytes_down":3})"
            "\n");
  EXPECT_EQ(RoamingTotalText(report.Total()), "2 sessions, 3.01 minutes, 36,893,488,147,419,103,230 octets up, 3 down");
}

TEST(RoamingAnswerTest, Comparison) {
  RoamingReport report({});
  ASSERT_TRUE(report.Add(Made(262011234567890, 1, 500, 500)).ok());
  ASSERT_TRUE(report.Add(Made(262011234567890, 2, 100, 200)).ok());
  ASSERT_TRUE(report.Add(Made(262011234567890, 3, 7, 8)).ok());
  RoamingSession unseen = Made(262011234567891, std::nullopt, 1, 0);
  unseen.apn.clear();
  unseen.home_plmn = unseen.visited_plmn = base::Digits();
  const RoamingComparison comparison =
      report.Compare({Made(262011234567890, 1, 500, 500), Made(262011234567890, 2, 130, 190), unseen});
  EXPECT_EQ(RoamingSums(comparison).AsCsv(),
            "outcome,seen_sessions,seen_bytes_up,seen_bytes_down,charged_sessions,charged_bytes_up,charged_bytes_down,"
            "charged_percent\n"
            "explained,1,500,500,1,500,500,75.7002\n"
            "different,1,100,200,1,130,190,24.2240\n"
            "not_seen,0,0,0,1,1,0,0.0757\n"
            "not_charged,1,7,8,0,0,0,0.0000\n"
            "all,3,607,708,3,631,690,100.0000\n");
  EXPECT_EQ(
      RoamingDifferences(comparison).AsCsv(),
      "outcome,imsi,charging_id,apn,visited_plmn,home_plmn,start_time,end_time,seen_bytes_up,seen_bytes_down,"
      "charged_bytes_up,charged_bytes_down,difference_up,difference_down,percent\n"
      "different,262011234567890,2,web,310410,26201,2026-03-01T12:00:00+00:00,2026-03-01T12:01:30.299+00:00,100,"
      "200,130,190,30,-10,12.5000\n"
      "not_charged,262011234567890,3,web,310410,26201,2026-03-01T12:00:00+00:00,2026-03-01T12:01:30.299+00:00,7,"
      "8,,,-7,-8,\n"
      "not_seen,262011234567891,,,,,2026-03-01T12:00:00+00:00,2026-03-01T12:01:30.299+00:00,,,1,0,1,0,100.0000\n");
  // Of nothing there is no share.
  for (const auto& row : RoamingSums(RoamingReport({}).Compare({})).rows) {
    EXPECT_EQ(row.back().kind, QueryAnswer::Kind::kAbsent);
  }
}

}  // namespace
}  // namespace flowacct::collector
