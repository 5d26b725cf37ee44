// What somebody wants to know of what was accounted, and the one line in which it is asked.
//
//     top 20 dst_as by bytes where src_addr in 192.0.2.0/24 from -24h every 1h
//
//     question   [top N [with others]] [GROUP, ...] [by VALUE, ... [asc]] [where FILTER] [from TIME] [to TIME] [in
//     ZONE]
//                [every SPAN] [compare -SPAN] [order VALUE [asc]] [total] [table NAME]; after the groups in any order
//     GROUP      a field, or the network of an address: dst_as, src_addr/24, src_addr/24,48 (aggregate/key_spec.h)
//     VALUE      a counter or a value of the table: bytes, packets, flows, max(ttl)
//                bps, pps, fps: bits, packets and flows a second
//                p95(bps): 95 percent of the table's bins have that rate or less (nearest rank; without traffic: zero)
//                share(bytes): percent of all that passes the filter
//     FILTER     flowacct/filter; ends where one of the words above begins, unless in quotes or parentheses
//     TIME       now, today, yesterday, -24h, today-7d, 2026-03-29, 2026-03-29T12:00:00, also with Z or +02:00,
//                @1774742400 (seconds since 1970)
//     SPAN       5m, 1h, 1d, 1w, 1mo, 1y; days and longer are calendar days of the zone, whatever its clocks do
//
// Words are not case-sensitive. Fields go by the registry's names, and by those that a configuration gave
// (QuestionOptions::names). ToText writes a question so that it is read back alike, with the same names.
// Errors: InvalidArgument, "question, column 8: no field is called "dst_ass"; did you mean dst_as?".
// Threads: a plain value. Cost: linear in the text; a time zone is read from the system once.

#ifndef FLOWACCT_QUERY_QUESTION_H_
#define FLOWACCT_QUERY_QUESTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/group_store.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"

namespace flowacct::query {

// A length of time; days and longer are the calendar's.
struct Span {
  enum class Unit : uint8_t { kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear };
  int64_t count = 0;  // of a moment also negative
  Unit unit = Unit::kSecond;

  bool is_calendar() const { return unit >= Unit::kDay; }
  // Of those that are not the calendar's.
  int64_t seconds() const { return count * (unit == Unit::kSecond ? 1 : unit == Unit::kMinute ? 60 : 3600); }
};
std::string ToText(const Span& span);
// `time` moved by `times` spans.
absl::Time Move(absl::Time time, const Span& span, int64_t times, absl::TimeZone zone);
// Begin of the step of this length that `time` lies in: steps shorter than a day count from midnight, weeks from
// Monday, days from 1970-01-05, months and years from January.
absl::Time StepBegin(absl::Time time, const Span& span, absl::TimeZone zone);

struct Moment {
  enum class Kind : uint8_t { kNow, kToday, kYesterday, kCivil, kAbsolute };
  Kind kind = Kind::kNow;
  absl::CivilSecond civil;  // of kCivil: in the question's zone
  absl::Time time;          // of kAbsolute
  Span moved;               // count 0: not

  absl::Time At(absl::Time now, absl::TimeZone zone) const;
};
std::string ToText(const Moment& moment);

struct AskedValue {
  enum class Kind : uint8_t { kColumn, kRate, kPercentile, kShare };
  Kind kind = Kind::kColumn;
  std::string name;                                 // "bytes", "bps", "p95(bps)", "share(bytes)"
  std::string column;                               // that it is made of: "bytes"
  record::FieldId field = record::FieldId::kBytes;  // what that column is of
  aggregate::Function function = aggregate::Function::kSum;
  uint32_t factor = 1;    // of rates: 8 for bits
  double percentile = 0;  // above 0, at most 100
};

struct Question {
  uint64_t top = 0;  // 0: all groups
  bool others = false;
  bool total = false;
  std::vector<GroupColumn> by;
  std::vector<std::string> by_names;  // of each of `by`, as it was asked for: "dst_as", "mtla/24,64"
  std::vector<AskedValue> values;     // empty: every sum of the table
  std::string order;                  // the name of one of `values`; empty: the first
  bool ascending = false;
  std::string where;
  filter::Filter filter;
  // Absent: from where the table begins; to where it ends, but to now if `from` is relative.
  std::optional<Moment> from, to;
  std::string zone_name = "UTC";
  absl::TimeZone zone = absl::UTCTimeZone();
  std::optional<Span> every;
  std::optional<Span> compare;  // so long before
  std::string table;            // empty: the one that has all that is asked
};

struct QuestionOptions {
  size_t max_octets = 65536;  // as a filter
  // No screen shows more, and an answer holds them at once.
  uint64_t max_top = 100000;
  // Names of fields beside the registry's; null: none. Borrowed while the text is parsed.
  const record::FieldNames* names = nullptr;
};

absl::StatusOr<Question> ParseQuestion(absl::string_view text, const QuestionOptions& options = {});
std::string ToText(const Question& question);

// "src_addr/24,64", "dst_as"; the field by its name in the registry, or as told.
std::string ToText(const GroupColumn& column);
std::string ToText(const GroupColumn& column, absl::string_view name);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_QUESTION_H_
