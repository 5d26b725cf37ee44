#include "flowacct/collector/sessions/roaming_answer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "flowacct/collector/count_text.h"

namespace flowacct::collector {
namespace {

using Cell = QueryAnswer::Cell;
using Kind = QueryAnswer::Kind;

std::string Digits(absl::uint128 number) {
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(number % 10)));
    number /= 10;
  } while (number != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Cell Number(absl::uint128 number) { return {Kind::kNumber, Digits(number)}; }
Cell Text(std::string text) { return text.empty() ? Cell() : Cell{Kind::kText, std::move(text)}; }
Cell Moment(int64_t nanos) {
  return nanos == 0 ? Cell()
                    : Text(absl::FormatTime(absl::RFC3339_full, absl::FromUnixNanos(nanos), absl::UTCTimeZone()));
}

// Hundredths as a number with two digits behind the point.
std::string Hundredths(absl::uint128 number) {
  return absl::StrCat(Digits(number / 100), absl::StrFormat(".%02d", static_cast<int>(number % 100)));
}

std::string Minutes(uint64_t milliseconds) { return Hundredths((absl::uint128(milliseconds) + 300) / 600); }

// `part` in percent of `whole`; absent if there is nothing to be part of.
Cell Percent(absl::uint128 part, absl::uint128 whole) {
  if (whole == 0) return {};
  const absl::uint128 ten_thousandths = part * 1'000'000 / whole;
  return {Kind::kNumber, absl::StrCat(Digits(ten_thousandths / 10000),
                                      absl::StrFormat(".%04d", static_cast<int>(ten_thousandths % 10000)))};
}

Cell Signed(absl::uint128 charged, absl::uint128 seen) {
  return {Kind::kNumber, charged >= seen ? Digits(charged - seen) : absl::StrCat("-", Digits(seen - charged))};
}

}  // namespace

QueryAnswer RoamingRows(const RoamingReport& report) {
  QueryAnswer answer;
  answer.columns = {"day", "visited_plmn", "home_plmn", "apn", "sessions", "minutes", "bytes_up", "bytes_down"};
  for (const RoamingRow& row : report.Rows()) {
    answer.rows.push_back({Text(absl::FormatCivilTime(row.day)), Text(row.visited_plmn.ToString()),
                           Text(row.home_plmn.ToString()), Text(row.apn), Number(row.sessions),
                           Cell{Kind::kNumber, Minutes(row.milliseconds)}, Number(row.bytes_up),
                           Number(row.bytes_down)});
  }
  answer.groups = answer.rows.size();
  return answer;
}

QueryAnswer RoamingSums(const RoamingComparison& comparison) {
  QueryAnswer answer;
  answer.columns = {"outcome",          "seen_sessions",    "seen_bytes_up",      "seen_bytes_down",
                    "charged_sessions", "charged_bytes_up", "charged_bytes_down", "charged_percent"};
  const RoamingSum all = comparison.all();
  const auto append = [&](absl::string_view name, const RoamingSum& sum) {
    answer.rows.push_back({Text(std::string(name)), Number(sum.seen_sessions), Number(sum.seen.up),
                           Number(sum.seen.down), Number(sum.charged_sessions), Number(sum.charged.up),
                           Number(sum.charged.down), Percent(sum.charged.total(), all.charged.total())});
  };
  for (size_t i = 0; i < kRoamingOutcomes; ++i) {
    append(RoamingOutcomeName(static_cast<RoamingOutcome>(i)), comparison.sums[i]);
  }
  append("all", all);
  answer.groups = answer.rows.size();
  return answer;
}

QueryAnswer RoamingDifferences(const RoamingComparison& comparison) {
  QueryAnswer answer;
  answer.columns = {"outcome",          "imsi",
                    "charging_id",      "apn",
                    "visited_plmn",     "home_plmn",
                    "start_time",       "end_time",
                    "seen_bytes_up",    "seen_bytes_down",
                    "charged_bytes_up", "charged_bytes_down",
                    "difference_up",    "difference_down",
                    "percent"};
  for (const RoamingDifference& d : comparison.differences) {
    const RoamingSession& session = d.session;
    const bool was_seen = d.outcome != RoamingOutcome::kNotSeen;
    const bool was_charged = d.outcome != RoamingOutcome::kNotCharged;
    answer.rows.push_back(
        {Text(std::string(RoamingOutcomeName(d.outcome))), Text(session.imsi.ToString()),
         session.charging_id ? Number(*session.charging_id) : Cell(), Text(session.apn),
         Text(session.visited_plmn.ToString()), Text(session.home_plmn.ToString()), Moment(session.start_nanos),
         Moment(session.end_nanos), was_seen ? Number(d.seen.up) : Cell(), was_seen ? Number(d.seen.down) : Cell(),
         was_charged ? Number(d.charged.up) : Cell(), was_charged ? Number(d.charged.down) : Cell(),
         Signed(d.charged.up, d.seen.up), Signed(d.charged.down, d.seen.down), Percent(d.octets(), d.charged.total())});
  }
  answer.groups = answer.rows.size();
  return answer;
}

std::string RoamingTotalText(const RoamingRow& total) {
  return absl::StrCat(Count(total.sessions, "session"), ", ", Minutes(total.milliseconds), " minutes, ",
                      WithCommas(total.bytes_up), " octets up, ", WithCommas(total.bytes_down), " down");
}

}  // namespace flowacct::collector
