#include "flowacct/collector/sessions/charged_sessions.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kHeader = "imsi,charging_id,apn,start,duration_seconds,bytes_up,bytes_down\n";
constexpr absl::string_view kRow = "262011234567890,7,web,1772366400,60,10,20\n";

std::string Text(const RoamingSession& s) {
  return absl::StrCat(s.imsi.ToString(), " ", s.charging_id ? absl::StrCat(*s.charging_id) : "-", " ", s.apn, " ",
                      s.start_nanos, " ", s.end_nanos, " ", s.milliseconds, " ", s.bytes_up, "+", s.bytes_down, " ",
                      s.home_plmn.ToString(), ">", s.visited_plmn.ToString());
}

std::string Parsed(absl::string_view text, const ChargedOptions& options = {}) {
  const auto sessions = ParseChargedSessions("c.csv", text, options);
  if (!sessions.ok()) return std::string(sessions.status().message());
  std::string all;
  for (const RoamingSession& session : *sessions) absl::StrAppend(&all, Text(session), "\n");
  return all;
}

TEST(ChargedSessionsTest, WhatRowsSay) {
  struct Case {
    absl::string_view what;
    std::string text, want;
  };
  const std::string at = "1772366400000000000 1772366460000000000 60000 10+20";
  for (const Case& c : {
           Case{"seconds", absl::StrCat(kHeader, kRow), absl::StrCat("262011234567890 7 web ", at, " >\n")},
           Case{"RFC 3339", absl::StrCat(kHeader, "262011234567890,7,web,2026-03-01T13:00:00+01:00,60,10,20"),
                absl::StrCat("262011234567890 7 web ", at, " >\n")},
           Case{"fractions", absl::StrCat(kHeader, "262011234567890,7,web,1772366400.25,0.5004999999999,10,20"),
                "262011234567890 7 web 1772366400250000000 1772366400750499999 500 10+20 >\n"},
           Case{"other columns, and another order",
                "bytes_down,x,Bytes_Up,IMSI,visited_plmn,end,start,apn,home_plmn\n"
                "20,?,10,262011234567890,310410,1772366460,1772366400,web,26201\n",
                absl::StrCat("262011234567890 - web ", at, " 26201>310410\n")},
           Case{"only what is needed", "imsi,charging_id,bytes_up,bytes_down\n0,0,0,0\n", "0 0  0 0 0 0+0 >\n"},
           Case{"an end that is not known yet",
                "imsi,charging_id,start,end,bytes_up,bytes_down\n262011234567890,7,1772366400,,1,2\n",
                "262011234567890 7  1772366400000000000 1772366400000000000 0 1+2 >\n"},
           Case{"a pseudonym", "imsi,charging_id,bytes_up,bytes_down\nx0123456789abcde,7,1,2\n",
                "x0123456789abcde 7  0 0 0 1+2 >\n"},
           Case{"marks, comments, empty lines, carriage returns, quotes, blanks",
                absl::StrCat("\xef\xbb\xbf# TAP\r\n\r\n", kHeader, "\r\n# row\r\n",
                             " \"262011234567890\" ,7,\"we\"\"b,\" , 1772366400,60,10,20\r\n"),
                absl::StrCat("262011234567890 7 we\"b, ", at, " >\n")},
           Case{"parts of a session",
                absl::StrCat(kHeader, kRow, "262011234567890,8,web,1772366400,60,1,1\n",
                             "262011234567890,7,web,1772366460,30,5,6\n", "262011234567891,7,web,1772366400,60,2,2\n",
                             "262011234567890,7,,,,100,200\n"),
                "262011234567890 7 web 1772366400000000000 1772366490000000000 90000 115+226 >\n"
                "262011234567890 8 web 1772366400000000000 1772366460000000000 60000 1+1 >\n"
                "262011234567891 7 web 1772366400000000000 1772366460000000000 60000 2+2 >\n"},
           Case{"without charging identifier each row is a session",
                absl::StrCat(kHeader, "262011234567890,,web,1772366400,60,10,20\n",
                             "262011234567890,,web,1772366400,60,10,20\n"),
                absl::StrCat("262011234567890 - web ", at, " >\n262011234567890 - web ", at, " >\n")},
           Case{"no rows", std::string(kHeader), ""},
       }) {
    EXPECT_EQ(Parsed(c.text), c.want) << c.what;
  }
}

TEST(ChargedSessionsTest, ErrorsNameLineAndColumn) {
  struct Case {
    std::string text, want;
  };
  const auto row = [](absl::string_view text) { return absl::StrCat(kHeader, kRow, text, "\n"); };
  const std::string time = "is no time: RFC 3339 with its zone, or seconds since 1970";
  for (const Case& c : {
           Case{"", "c.csv: empty; its first line is to name the columns"},
           Case{"# nothing\n", "c.csv: empty; its first line is to name the columns"},
           Case{std::string(kRow), "c.csv:1: imsi: no such column; the first line is to name the columns"},
           Case{"imsi,charging_id,bytes_up\n",
                "c.csv:1: bytes_down: no such column; the first line is to name the columns"},
           Case{"imsi,IMSI,bytes_up,bytes_down\n", "c.csv:1: imsi: is there twice"},
           Case{"imsi,apn,bytes_up,bytes_down\n",
                "c.csv:1: start: no such column, and no charging_id to do without it"},
           Case{"imsi,apn,start,bytes_up,bytes_down\n",
                "c.csv:1: duration_seconds: no such column, nor end, and no charging_id to do without them"},
           Case{row("1,2"), "c.csv:3: 2 values, and the first line names 7 columns"},
           Case{row("\"1"), "c.csv:3: a quote that is not closed, or something between it and the comma"},
           Case{row("\"1\"2,7,web,1,1,1,1"),
                "c.csv:3: a quote that is not closed, or something between it and the comma"},
           Case{row("26201a,7,web,1,1,1,1"), "c.csv:3: imsi: \"26201a\" is no IMSI: at most 15 digits"},
           Case{row(",7,web,1,1,1,1"), "c.csv:3: imsi: \"\" is no IMSI: at most 15 digits"},
           Case{row("2620112345678901,7,web,1,1,1,1"),
                "c.csv:3: imsi: \"2620112345678901\" is no IMSI: at most 15 digits"},
           Case{row("1,4294967296,web,1,1,1,1"), "c.csv:3: charging_id: \"4294967296\" is no number of 32 bits"},
           Case{row("1,-1,web,1,1,1,1"), "c.csv:3: charging_id: \"-1\" is no number of 32 bits"},
           Case{row("1,7,web,yesterday,1,1,1"), absl::StrCat("c.csv:3: start: \"yesterday\" ", time)},
           Case{row("1,7,web,2026-03-01T12:00:00,1,1,1"),
                absl::StrCat("c.csv:3: start: \"2026-03-01T12:00:00\" ", time)},
           Case{row("1,7,web,1969-12-31T23:59:59Z,1,1,1"),
                absl::StrCat("c.csv:3: start: \"1969-12-31T23:59:59Z\" ", time)},
           Case{row("1,7,web,9999-12-31T23:59:59Z,1,1,1"),
                absl::StrCat("c.csv:3: start: \"9999-12-31T23:59:59Z\" ", time)},
           Case{row("1,7,web,infinite-future,1,1,1"), absl::StrCat("c.csv:3: start: \"infinite-future\" ", time)},
           Case{row("1,7,web,99999999999999999999,1,1,1"),
                absl::StrCat("c.csv:3: start: \"99999999999999999999\" ", time)},
           Case{row("1,7,web,1.,1,1,1"), absl::StrCat("c.csv:3: start: \"1.\" ", time)},
           Case{row("1,7,web,1.1234567891x,1,1,1"), absl::StrCat("c.csv:3: start: \"1.1234567891x\" ", time)},
           Case{row("1,7,web,1,-1,1,1"), "c.csv:3: duration_seconds: \"-1\" is no number of seconds"},
           Case{row("1,7,web,1,1h,1,1"), "c.csv:3: duration_seconds: \"1h\" is no number of seconds"},
           Case{row("1,7,web,1,1,,1"), "c.csv:3: bytes_up: \"\" is no number of octets"},
           Case{row("1,7,web,1,1,1,1e6"), "c.csv:3: bytes_down: \"1e6\" is no number of octets"},
           Case{row("1,7,web,1,1,18446744073709551616,1"),
                "c.csv:3: bytes_up: \"18446744073709551616\" is no number of octets"},
           Case{row("262011234567890,7,web,1,1,18446744073709551606,1"),
                "c.csv:3: bytes_up: with the session's other rows more than 2^64 octets"},
           Case{row("262011234567890,7,web,1,1,0,18446744073709551596"),
                "c.csv:3: bytes_down: with the session's other rows more than 2^64 octets"},
           Case{row("1,,,1,1,1,1"), "c.csv:3: apn: is empty, and so is charging_id; one of them is needed"},
           Case{row("1,,web,,1,1,1"), "c.csv:3: start: is empty, and so is charging_id; one of them is needed"},
           Case{row("1,,web,1,,1,1"),
                "c.csv:3: duration_seconds: is empty, and so is charging_id; one of them is needed"},
           Case{"imsi,charging_id,start,end,bytes_up,bytes_down\n1,7,5,4,1,1\n", "c.csv:2: end: is before start"},
           Case{"imsi,charging_id,start,end,bytes_up,bytes_down\n1,7,5,x,1,1\n",
                absl::StrCat("c.csv:2: end: \"x\" ", time)},
           Case{"imsi,charging_id,bytes_up,bytes_down,home_plmn\n1,7,1,1,2620\n",
                "c.csv:2: home_plmn: \"2620\" is no MCC and MNC: five or six digits"},
           Case{"imsi,charging_id,bytes_up,bytes_down,visited_plmn\n1,7,1,1,262-01\n",
                "c.csv:2: visited_plmn: \"262-01\" is no MCC and MNC: five or six digits"},
       }) {
    EXPECT_EQ(Parsed(c.text), c.want) << c.text;
  }
}

TEST(ChargedSessionsTest, Bounds) {
  ChargedOptions options;
  options.max_sessions = 1;
  EXPECT_EQ(ParseChargedSessions("c.csv", absl::StrCat(kHeader, kRow, kRow), options)->size(), 1u);
  const auto two = ParseChargedSessions("c.csv", absl::StrCat(kHeader, kRow, "1,8,web,1,1,1,1\n"), options);
  EXPECT_EQ(two.status(), absl::ResourceExhaustedError("c.csv:3: more than 1 sessions"));
  options.max_line_octets = 80;
  EXPECT_EQ(Parsed(absl::StrCat(kHeader, std::string(80, '#'), "\n", std::string(81, '#'), "\n"), options),
            "c.csv:3: a line of more than 80 octets");
}

TEST(ChargedSessionsTest, AFileIsReadAsItsTextIs) {
  const char* folder = std::getenv("TEST_TMPDIR");
  const std::string path = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/charged", getpid(), ".csv");
  // Longer than what is read at once, with lines across its end.
  std::string text(kHeader);
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&text, "262011234567890,", i, ",web,1772366400,60,", i, ",20\n");
  text.pop_back();
  for (const std::string& what : {text, absl::StrCat(text, "\n"), absl::StrCat(text, ",1\n"), std::string()}) {
    FILE* const file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(what.data(), 1, what.size(), file), what.size());
    ASSERT_EQ(std::fclose(file), 0);
    const auto read = ReadChargedSessions(path), parsed = ParseChargedSessions(path, what);
    EXPECT_EQ(read.status(), parsed.status());
    ASSERT_EQ(read.ok(), parsed.ok());
    if (!read.ok()) continue;
    ASSERT_EQ(read->size(), 5000u);
    for (size_t i = 0; i < read->size(); ++i) EXPECT_EQ(Text((*read)[i]), Text((*parsed)[i]));
  }
  unlink(path.c_str());
  const auto missing = ReadChargedSessions(path);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.status().message().substr(0, path.size()), path);
}

}  // namespace
}  // namespace flowacct::collector
