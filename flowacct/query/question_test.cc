#include "flowacct/query/question.h"

#include <string>

#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

TEST(QuestionTest, ReadsAndWrites) {
  const struct {
    const char* text;
    const char* written;  // null: the same
  } kCases[] = {
      {"top 20 dst_as by bytes where src_addr in 192.0.2.0/24 from -24h every 1h", nullptr},
      {"", nullptr},
      {"dst_as", nullptr},
      {"DST_AS BY Bytes FROM Today", "dst_as by bytes from today"},
      {"src_host, peer_src_ip by BYTES", "src_addr, exporter by bytes"},
      {"src_addr/24 by bps", "src_addr/24,64 by bps"},
      {"src_addr/24,48, dst_as by bps", nullptr},
      {"src_addr/24 , 48 , dst_as by bps", "src_addr/24,48, dst_as by bps"},
      {"src_addr/48 by bps", "src_addr/32,48 by bps"},
      {"top 3 with others dst_as by bytes total", nullptr},
      {"total by bytes", "by bytes total"},
      {"by bytes, packets, bytes", "by bytes, packets"},
      {"by bps, pps, fps, p95(bps), p99.9(pps), share(bytes), max(ttl), min(end_time)", nullptr},
      {"dst_as order packets asc", "dst_as by packets order packets asc"},
      {"dst_as by bytes order packets", "dst_as by bytes, packets order packets"},
      {"dst_as by bytes asc", nullptr},
      {"by bytes where dst_port in (53, 80) and not (src_as = 1) to now", nullptr},
      {"by bytes where vrf_name = ' from here' from -1h", nullptr},
      {"by bytes where vrf_name in (total, from) from -1h", nullptr},
      {"in Europe/Berlin from yesterday to today by bytes", "in Europe/Berlin by bytes from yesterday to today"},
      {"from 2026-03-29 to 2026-03-29 12:30 by bytes", "by bytes from 2026-03-29T00:00:00 to 2026-03-29T12:30:00"},
      {"from '2026-03-29 12:30:15' by bytes", "by bytes from 2026-03-29T12:30:15"},
      {"from 2026-03-29T12:30+02:00 to 2026-03-29t12:30:00z by bytes",
       "by bytes from 2026-03-29T10:30:00Z to 2026-03-29T12:30:00Z"},
      {"from @1774742400 to now-5m by bytes", "by bytes from 2026-03-29T00:00:00Z to -5m"},
      {"from today-7d to yesterday+1h by bytes", "by bytes from today-7d to yesterday+1h"},
      {"dst_as by bytes every 1mo compare -1y", nullptr},
      {"by bytes table flows", "by bytes table \"flows\""},
      {"by bytes table 'a \"b\"'", nullptr},
  };
  for (const auto& c : kCases) {
    const auto question = ParseQuestion(c.text);
    ASSERT_TRUE(question.ok()) << c.text << ": " << question.status();
    const std::string written = ToText(*question);
    EXPECT_EQ(written, c.written != nullptr ? c.written : c.text);
    const auto again = ParseQuestion(written);
    ASSERT_TRUE(again.ok()) << written << ": " << again.status();
    EXPECT_EQ(ToText(*again), written);
  }
}

TEST(QuestionTest, Errors) {
  const struct {
    const char* text;
    const char* error;  // after "question, column "
  } kCases[] = {
      {"top 5 dst_ass by bytes", "7: no field is called \"dst_ass\"; did you mean dst_as"},
      {"topp 5 dst_as", "1: no field is called \"topp\"; did you mean top?"},
      {"top dst_as", "5: after top comes a number from 1 to 100000, not \"dst_as\""},
      {"top 0 dst_as", "5: after top comes a number"},
      {"top", "4: after top comes how many, as in top 10"},
      {"top 5 by bytes", "1: top is of groups; name a field, as in top 10 dst_as"},
      {"dst_as with others", "8: there are no others where all are shown; say top N"},
      {"top 5 with some dst_as", "12: after with comes others, not \"some\""},
      {"dst_as, dst_as", "9: dst_as is a group already"},
      {"dst_as, ", "9: here comes a field to group by, as in dst_as"},
      {"bytes", "1: bytes is a counter, not a group; say by bytes"},
      {"dst_as/24", "1: dst_as is no address, so it has no network; leave out the mask"},
      {"src_addr/240", "1: a mask is at most 32 bits for IPv4 and 128 for IPv6"},
      {"dst_as by byte", "11: no value is called \"byte\"; did you mean bytes?"},
      {"by dst_as", "4: dst_as is no counter"},
      {"by ", "4: here comes a value, as in bytes, bps or p95(bps)"},
      {"by p95(bytes)", "4: a percentile is of bps, pps or fps, not of \"bytes\""},
      {"by p0(bps)", "4: a percentile is above 0 and at most 100, as in p95(bps)"},
      {"by share(max(ttl))", "4: a share is of a sum, as in share(bytes)"},
      {"by distinct(src_addr)", "4: distinct(src_addr) of bins cannot be summed; group by src_addr instead"},
      {"dst_as by bytes whree dst_port 1", "17: nothing begins with \"whree\" here; did you mean where?"},
      {"dst_as where", "13: after where comes a condition, as in dst_port 443"},
      {"dst_as where dst_prt 443 from -1h", "14: no field is called \"dst_prt\""},
      {"dst_as where (dst_port 443 from -1h", "28: "},
      {"from yesteday", "6: \"yesteday\" is no time; did you mean yesterday?"},
      {"from -24x", "6: \"-24x\" is no time; say -24h, today or 2026-03-29T12:00"},
      {"from 2026-02-30", "6: \"2026-02-30\" is no time"},
      {"from 1950-01-01", "6: a time is from 1970 to 2100"},
      {"from today from now", "12: from is said twice; leave one out"},
      {"in Europe/Berln", "4: no time zone is called \"Europe/Berln\""},
      {"in /etc/passwd", "4: no time zone is called \"/etc/passwd\""},
      {"in a..b", "4: no time zone is called"},
      {"every hour", "7: \"hour\" is no span; a span is a number and s, m, h, d, w, mo or y, as in 5m or 7d"},
      {"every 0m", "7: \"0m\" is no span"},
      {"every 99999999999999999999d", "7: "},
      {"compare 7d", "9: a question is compared with an earlier time, as in compare -7d"},
      {"compare", "8: after compare comes how long before, as in -7d"},
      {"dst_as asc desc", "12: asc or desc is said twice; leave one out"},
      {"table ''", "7: the name of a table is empty"},
      {"dst_as \x1b[31m", "8: nothing begins with \"\\x1b[31m\" here"},
  };
  for (const auto& c : kCases) {
    const auto question = ParseQuestion(c.text);
    ASSERT_FALSE(question.ok()) << c.text;
    const std::string expected = std::string("question, column ") + c.error;
    EXPECT_EQ(std::string(question.status().message()).substr(0, expected.size()), expected) << c.text;
  }
  EXPECT_FALSE(ParseQuestion(std::string(70000, 'x')).ok());
}

TEST(QuestionTest, CalendarOfAZone) {
  absl::TimeZone berlin;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Berlin", &berlin));
  const auto at = [&](int year, int month, int day, int hour = 0) {
    return absl::FromCivil(absl::CivilSecond(year, month, day, hour), berlin);
  };
  const auto span = [](const char* text) { return *ParseQuestion(std::string("every ") + text)->every; };
  // The day on which clocks go forward has 23 hours.
  EXPECT_EQ(Move(at(2026, 3, 29), span("1d"), 1, berlin), at(2026, 3, 30));
  EXPECT_EQ(at(2026, 3, 30) - at(2026, 3, 29), absl::Hours(23));
  EXPECT_EQ(Move(at(2026, 3, 29), span("24h"), 1, berlin), at(2026, 3, 30, 1));
  EXPECT_EQ(Move(at(2026, 1, 31), span("1mo"), 1, berlin), at(2026, 2, 28));
  EXPECT_EQ(Move(at(2026, 3, 31, 5), span("1mo"), -1, berlin), at(2026, 2, 28, 5));
  EXPECT_EQ(Move(at(2024, 2, 29), span("1y"), 1, berlin), at(2025, 2, 28));
  EXPECT_EQ(StepBegin(at(2026, 4, 1, 13), span("6h"), berlin), at(2026, 4, 1, 12));
  EXPECT_EQ(StepBegin(at(2026, 4, 1, 13), span("1d"), berlin), at(2026, 4, 1));
  EXPECT_EQ(StepBegin(at(2026, 4, 1, 13), span("1w"), berlin), at(2026, 3, 30));
  EXPECT_EQ(StepBegin(at(2026, 4, 15), span("1mo"), berlin), at(2026, 4, 1));
  EXPECT_EQ(StepBegin(at(2026, 5, 15), span("3mo"), berlin), at(2026, 4, 1));
  EXPECT_EQ(StepBegin(at(2026, 5, 15), span("1y"), berlin), at(2026, 1, 1));

  const absl::Time now = at(2026, 3, 30, 1);
  const auto question = ParseQuestion("in Europe/Berlin from yesterday to today");
  EXPECT_EQ(question->from->At(now, question->zone), at(2026, 3, 29));
  EXPECT_EQ(question->to->At(now, question->zone), at(2026, 3, 30));
  EXPECT_EQ(ParseQuestion("in Europe/Berlin from 2026-03-29")->from->At(now, berlin), at(2026, 3, 29));
  EXPECT_EQ(ParseQuestion("from -24h")->from->At(now, berlin), now - absl::Hours(24));
}

}  // namespace
}  // namespace flowacct::query
