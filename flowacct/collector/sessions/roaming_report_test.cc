#include "flowacct/collector/sessions/roaming_report.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNoon = int64_t{1772366400} * kSecond;  // 2026-03-01T12:00:00Z
constexpr std::optional<uint32_t> kNoId;

base::Digits D(absl::string_view text) { return text.empty() ? base::Digits() : *base::Digits::Parse(text); }

struct Part {
  absl::string_view imsi = "262011234567890";
  std::optional<uint32_t> charging_id;
  uint64_t session = 0;
  absl::string_view apn = "internet";
  int64_t start = 0, end = 60;  // seconds since noon
  uint64_t up = 0, down = 0;
  absl::string_view home = "26201", visited = "20801";

  Part& Imsi(absl::string_view text) { return imsi = text, *this; }
  Part& Id(uint32_t id) { return charging_id = id, *this; }
  Part& Session(uint64_t number) { return session = number, *this; }
  Part& Apn(absl::string_view text) { return apn = text, *this; }
  Part& Start(int64_t seconds) { return start = seconds, *this; }
  Part& End(int64_t seconds) { return end = seconds, *this; }
  Part& Up(uint64_t octets) { return up = octets, *this; }
  Part& Down(uint64_t octets) { return down = octets, *this; }
  Part& Home(absl::string_view plmn) { return home = plmn, *this; }
  Part& Visited(absl::string_view plmn) { return visited = plmn, *this; }
};

RoamingSession Made(const Part& p) {
  RoamingSession s;
  s.imsi = D(p.imsi);
  s.charging_id = p.charging_id;
  s.session = p.session;
  s.apn = std::string(p.apn);
  s.home_plmn = D(p.home);
  s.visited_plmn = D(p.visited);
  s.start_nanos = kNoon + p.start * kSecond;
  s.end_nanos = kNoon + p.end * kSecond;
  s.milliseconds = static_cast<uint64_t>(p.end - p.start) * 1000;
  s.bytes_up = p.up;
  s.bytes_down = p.down;
  return s;
}

RoamingReport ReportOf(const std::vector<Part>& parts, RoamingOptions options = {}) {
  RoamingReport report(options);
  for (const Part& part : parts) EXPECT_TRUE(report.Add(Made(part)).ok());
  return report;
}

std::string Text(const RoamingRow& row) {
  return absl::StrCat(absl::FormatCivilTime(row.day), " ", row.visited_plmn.ToString(), " ", row.home_plmn.ToString(),
                      " ", row.apn, " ", row.sessions, " ", row.milliseconds, " ", absl::Uint128Low64(row.bytes_up),
                      "+", absl::Uint128Low64(row.bytes_down));
}

std::vector<std::string> Rows(const RoamingReport& report) {
  std::vector<std::string> rows;
  for (const RoamingRow& row : report.Rows()) rows.push_back(Text(row));
  return rows;
}

using Lines = std::vector<std::string>;

TEST(RoamingReportTest, PartsOfASessionAreOne) {
  const RoamingReport report =
      ReportOf({Part().Id(7).Start(0).End(3600).Up(10).Down(100), Part().Id(8).Start(5).End(7).Up(1).Down(1),
                Part().Id(7).Start(3600).End(3660).Up(5).Down(50)});
  EXPECT_EQ(Rows(report), Lines({"2026-03-01 20801 26201 internet 2 3662000 16+151"}));
  EXPECT_EQ(report.sessions(), 2u);
  EXPECT_EQ(report.Total().sessions, 2u);
}

TEST(RoamingReportTest, GroupsAreByDayNetworksAndAccessPoint) {
  const RoamingReport report = ReportOf({
      Part().Id(1).Apn("web").Up(1),
      Part().Id(2).Apn("Web.mnc001.mcc262.gprs").Up(2),
      Part().Id(3).Apn("web").Up(4).Visited("310410"),
      Part().Imsi("310410123456789").Id(4).Up(8).Home("310410").Visited("26201"),
      Part().Id(3).Apn("web").Start(43200).End(43201).Up(16).Visited("310410"),
      Part().Id(3).Apn("web").Start(43201).End(43202).Up(32).Visited("310410"),
      Part().Id(3).Apn("web").Start(43202).End(43203).Up(64).Visited("20801"),
  });
  EXPECT_EQ(Rows(report),
            Lines({"2026-03-01 20801 26201 web 2 120000 3+0", "2026-03-01 26201 310410 internet 1 60000 8+0",
                   "2026-03-01 310410 26201 web 1 60000 4+0", "2026-03-02 20801 26201 web 1 1000 64+0",
                   "2026-03-02 310410 26201 web 1 2000 48+0"}));
  EXPECT_EQ(report.Total().sessions, 4u);
  EXPECT_EQ(report.Total().bytes_up, 127u);
  EXPECT_EQ(report.Total().milliseconds, 243'000u);
}

TEST(RoamingReportTest, WhoRoams) {
  struct Case {
    absl::string_view home, visited;
    std::vector<absl::string_view> own;
    bool roams, unknown;
  };
  for (const Case& c :
       {Case{"26201", "20801", {}, true, false}, Case{"26201", "26201", {}, false, false},
        Case{"26201", "26202", {}, true, false}, Case{"26201", "26202", {"26201", "26202"}, false, false},
        Case{"26201", "20801", {"26201"}, true, false}, Case{"", "20801", {}, false, true},
        Case{"26201", "", {"26201"}, false, true}, Case{"", "", {}, false, true},
        Case{"310410", "31041", {}, true, false}}) {
    RoamingOptions options;
    for (const absl::string_view own : c.own) options.own_networks.push_back(D(own));
    for (const bool all : {false, true}) {
      options.all = all;
      const RoamingReport report = ReportOf({Part().Id(1).Home(c.home).Visited(c.visited)}, options);
      EXPECT_EQ(report.Rows().size(), c.roams || all ? 1u : 0u) << c.home << " in " << c.visited;
      EXPECT_EQ(report.parts_at_home(), !c.roams && !c.unknown && !all ? 1u : 0u) << c.home << " in " << c.visited;
      EXPECT_EQ(report.parts_of_unknown_networks(), c.unknown && !all ? 1u : 0u) << c.home << " in " << c.visited;
    }
  }
}

TEST(RoamingReportTest, DaysAreThoseOfTheZone) {
  RoamingOptions options;
  options.zone = absl::FixedTimeZone(13 * 3600);
  EXPECT_EQ(Rows(ReportOf({Part().Id(1)}, options)), Lines({"2026-03-02 20801 26201 internet 1 60000 0+0"}));
}

TEST(RoamingReportTest, BoundsRefuseAPartAsAWhole) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  RoamingOptions options;
  options.max_sessions = 2;
  options.max_groups = 2;
  RoamingReport report(options);
  ASSERT_TRUE(report.Add(Made(Part().Id(1).Up(kMost))).ok());
  ASSERT_TRUE(report.Add(Made(Part().Id(1).Apn("b").Up(0).Down(9))).ok());
  EXPECT_EQ(report.Add(Made(Part().Id(1).Apn("c"))).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(report.Add(Made(Part().Id(1).Up(1).Down(1))).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(report.Add(Made(Part().Id(1).Up(0).Down(kMost))).code(), absl::StatusCode::kOutOfRange);
  ASSERT_TRUE(report.Add(Made(Part().Id(2).Up(kMost))).ok());
  EXPECT_EQ(report.Add(Made(Part().Id(3))).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(report.sessions(), 2u);
  const RoamingRow total = report.Total();
  EXPECT_EQ(total.bytes_up, absl::uint128(kMost) * 2);
  EXPECT_EQ(total.bytes_down, 9u);
  EXPECT_EQ(total.sessions, 2u);
}

// "outcome charging_id seen_up+seen_down charged_up+charged_down", the largest difference first.
Lines Differences(const RoamingComparison& comparison) {
  Lines lines;
  for (const RoamingDifference& d : comparison.differences) {
    lines.push_back(absl::StrCat(RoamingOutcomeName(d.outcome), " ", d.session.charging_id.value_or(0), " ",
                                 absl::Uint128Low64(d.seen.up), "+", absl::Uint128Low64(d.seen.down), " ",
                                 absl::Uint128Low64(d.charged.up), "+", absl::Uint128Low64(d.charged.down)));
  }
  return lines;
}

TEST(RoamingReportTest, WhatIsPairedWithWhat) {
  struct Case {
    absl::string_view what;
    std::vector<Part> seen, charged;
    Lines differences;
    uint64_t explained = 0;  // charged sessions
  };
  const Case cases[] = {
      {"nothing", {}, {}, {}},
      {"the same charging identifier, whatever the time and the APN",
       {Part().Id(7).Up(10).Down(20)},
       {Part().Id(7).Apn("").Start(-999999).End(-999998).Up(10).Down(20)},
       {},
       1},
      {"another subscriber's charging identifier",
       {Part().Id(7).Up(10)},
       {Part().Imsi("262011234567891").Id(7).Up(11)},
       {"not_seen 7 0+0 11+0", "not_charged 7 10+0 0+0"}},
      {"two charging identifiers are two sessions, even at the same time",
       {Part().Id(7).Up(10)},
       {Part().Id(8).Up(10)},
       {"not_charged 7 10+0 0+0", "not_seen 8 0+0 10+0"}},
      {"no identifier charged: by APN and time",
       {Part().Id(7).Start(0).End(50).Up(10), Part().Id(8).Start(50).End(200).Up(20)},
       {Part().Apn("INTERNET.mnc001.mcc262.gprs").Start(60).End(190).Up(20),
        Part().Apn("internet").Start(1).End(49).Up(10)},
       {},
       2},
      {"no identifier seen: by APN and time",
       {Part().Start(0).End(50).Up(10), Part().Start(50).End(200).Up(20)},
       {Part().Id(8).Start(60).End(190).Up(20), Part().Id(7).Start(1).End(49).Up(10)},
       {},
       2},
      {"another APN",
       {Part().Id(7).Up(9)},
       {Part().Apn("web").Up(10)},
       {"not_seen 0 0+0 10+0", "not_charged 7 9+0 0+0"}},
      {"another time",
       {Part().Id(7).Up(9)},
       {Part().Start(66).End(100).Up(10)},
       {"not_seen 0 0+0 10+0", "not_charged 7 9+0 0+0"}},
      {"clocks that are 4 s apart", {Part().Id(7).Up(9)}, {Part().Start(64).End(100).Up(9)}, {}, 1},
      {"several rows of one session",
       {Part().Id(7).Start(0).End(100).Up(30)},
       {Part().Start(0).End(40).Up(10), Part().Start(40).End(100).Up(20)},
       {},
       2},
      {"the longest time in common",
       {Part().Id(7).Start(0).End(100).Up(1), Part().Id(8).Start(90).End(190).Up(2)},
       {Part().Start(80).End(190).Up(2)},
       {"not_charged 7 1+0 0+0"},
       1},
      {"of two as good ones the first",
       {Part().Id(9).Start(0).End(100).Up(1), Part().Id(8).Start(0).End(100).Up(2)},
       {Part().Start(10).End(20).Up(2)},
       {"not_charged 9 1+0 0+0"},
       1},
      {"what is paired by identifier is not paired by time",
       {Part().Id(7).Start(0).End(100).Up(5)},
       {Part().Id(7).Start(0).End(100).Up(5), Part().Start(10).End(20).Up(2)},
       {"not_seen 0 0+0 2+0"},
       1},
      {"a connection's other bearers, if they are not charged themselves",
       {Part().Id(7).Session(1).Up(10), Part().Id(8).Session(1).Start(5).Up(3), Part().Session(1).Start(6).Up(4),
        Part().Id(9).Session(1).Start(5).Up(1).Down(1)},
       {Part().Id(7).Up(17), Part().Id(9).Up(1).Down(1)},
       {},
       2},
      {"bearers of another connection",
       {Part().Id(7).Session(1).Up(10), Part().Id(8).Session(2).Up(3)},
       {Part().Id(7).Up(10)},
       {"not_charged 8 3+0 0+0"},
       1},
      {"bearers whose connection is not known",
       {Part().Id(7).Up(10), Part().Id(8).Up(3)},
       {Part().Id(7).Up(10)},
       {"not_charged 8 3+0 0+0"},
       1},
      {"up for down", {Part().Id(7).Up(10).Down(20)}, {Part().Id(7).Up(20).Down(10)}, {"different 7 10+20 20+10"}},
      {"who is at home need not be charged, and is compared if he was",
       {Part().Id(7).Up(10).Visited("26201"), Part().Id(8).Up(10).Visited("26201")},
       {Part().Id(8).Up(12)},
       {"different 8 10+0 12+0"}},
      {"the largest first",
       {Part().Id(1).Up(10), Part().Id(2).Up(30), Part().Id(3).Up(20)},
       {Part().Id(3).Up(55), Part().Id(4).Up(25)},
       {"different 3 20+0 55+0", "not_charged 2 30+0 0+0", "not_seen 4 0+0 25+0", "not_charged 1 10+0 0+0"}},
  };
  for (const Case& c : cases) {
    std::vector<RoamingSession> charged;
    absl::uint128 octets = 0;
    for (const Part& part : c.charged) {
      charged.push_back(Made(part));
      octets += part.up + part.down;
    }
    const RoamingComparison comparison = ReportOf(c.seen).Compare(charged);
    EXPECT_EQ(absl::StrJoin(Differences(comparison), "\n"), absl::StrJoin(c.differences, "\n")) << c.what;
    EXPECT_EQ(comparison.sum(RoamingOutcome::kExplained).charged_sessions, c.explained) << c.what;
    EXPECT_EQ(comparison.all().charged_sessions, c.charged.size()) << c.what;
    EXPECT_EQ(comparison.all().charged.total(), octets) << c.what;
  }
}

TEST(RoamingReportTest, ToleranceIsOfWhatIsCharged) {
  struct Case {
    uint64_t seen_up, seen_down, charged_up, charged_down;
    uint32_t ppm;
    bool explained;
  };
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  for (const Case& c :
       {Case{99, 0, 100, 0, 10000, true}, Case{98, 0, 100, 0, 10000, false}, Case{101, 0, 100, 0, 10000, true},
        Case{102, 0, 100, 0, 10000, false}, Case{100, 0, 100, 0, 0, true}, Case{100, 0, 101, 0, 0, false},
        Case{0, 0, 0, 0, 0, true}, Case{1, 0, 0, 0, 1000000, false}, Case{0, 0, 1, 0, 1000000, true},
        Case{50, 50, 51, 49, 20000, true}, Case{50, 50, 51, 49, 19999, false},
        Case{kMost, kMost, kMost - 1, kMost, 0, false}, Case{kMost, kMost, kMost - 1, kMost, 1, true},
        Case{0, 0, kMost, kMost, 999999, false}, Case{0, 0, kMost, kMost, 1000000, true}}) {
    RoamingCompareOptions options;
    options.tolerance_ppm = c.ppm;
    const RoamingComparison comparison =
        ReportOf({Part().Id(1).Up(c.seen_up).Down(c.seen_down)})
            .Compare({Made(Part().Id(1).Up(c.charged_up).Down(c.charged_down))}, options);
    EXPECT_EQ(comparison.differences.empty(), c.explained)
        << c.seen_up << "+" << c.seen_down << " " << c.charged_up << "+" << c.charged_down << " " << c.ppm;
  }
}

TEST(RoamingReportTest, TheShareThatIsExplainedIsRoundedDown) {
  EXPECT_EQ(ReportOf({}).Compare({}).explained_ppm(), std::nullopt);
  EXPECT_EQ(ReportOf({}).Compare({Made(Part().Id(1))}).explained_ppm(), std::nullopt);
  const RoamingComparison comparison = ReportOf({Part().Id(1).Up(9'999'999), Part().Id(2).Up(5)})
                                           .Compare({Made(Part().Id(1).Up(9'999'999)), Made(Part().Id(2).Up(1))});
  EXPECT_EQ(comparison.explained_ppm(), 999'999u);
}

TEST(RoamingReportTest, ASessionIsMadeOfARecord) {
  session::SessionRecord record;
  record.facts.imsi = D("262011234567890");
  record.facts.session = 5;
  record.facts.packed_home = session::PackedPlmn(D("26201"));
  record.facts.packed_visited = session::PackedPlmn(D("310410"));
  record.from_nanos = kNoon;
  record.until_nanos = kNoon + 1'999'999;
  record.volume = {1, 2, 3, 4};
  RoamingSession s = ToRoamingSession(record, "web");
  EXPECT_EQ(s.imsi, record.facts.imsi);
  EXPECT_EQ(s.charging_id, kNoId);
  EXPECT_EQ(s.session, 5u);
  EXPECT_EQ(s.apn, "web");
  EXPECT_EQ(s.home_plmn.ToString(), "26201");
  EXPECT_EQ(s.visited_plmn.ToString(), "310410");
  EXPECT_EQ(s.start_nanos, kNoon);
  EXPECT_EQ(s.end_nanos, kNoon + 1'999'999);
  EXPECT_EQ(s.milliseconds, 1u);
  EXPECT_EQ(s.bytes_up, 3u);
  EXPECT_EQ(s.bytes_down, 4u);
  record.facts.charging_id = 0;
  record.facts.has_charging_id = true;
  EXPECT_EQ(ToRoamingSession(record, "").charging_id, 0u);
}

TEST(RoamingReportTest, OfAnApnTheNetworkIsCompared) {
  for (const auto& [text, network] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"internet", "internet"},
                                                        {"InterNet.MNC001.mcc262.GPRS", "internet"},
                                                        {"a.b.mnc01.mcc262.gprs", "a.b.mnc01.mcc262.gprs"},
                                                        {"a.b", "a.b"},
                                                        {std::string(200, 'A'), std::string(200, 'a')}}) {
    EXPECT_EQ(ApnNetwork(text), network);
  }
}

}  // namespace
}  // namespace flowacct::collector
