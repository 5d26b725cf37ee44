// The answer to a question: typed cells under named columns, and how they are shown.
//
// Numbers keep all their digits. Text from the wire is made harmless wherever it is shown: control characters on a
// terminal, markup in SVG, quotes in CSV (RFC 4180) and JSON (RFC 8259).
// Ownership: a plain value that owns all of it. Threads: any. Cost: linear in the cells.

#ifndef FLOWACCT_QUERY_ANSWER_H_
#define FLOWACCT_QUERY_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/query/group_value.h"
#include "flowacct/record/field.h"

namespace flowacct::query {

struct AnswerColumn {
  enum class Kind : uint8_t {
    kTime,    // begin of a step: Cell::time_seconds
    kField,   // a value of a group, of the type below: Cell::value
    kNumber,  // a sum: Cell::number
    kReal,    // a rate, a percentile, a share, a change: Cell::real
  };
  Kind kind = Kind::kNumber;
  record::FieldType type = record::FieldType::kU64;  // of kField
  std::string name;
};

struct AnswerCell {
  bool present = false;
  int64_t time_seconds = 0;
  absl::uint128 number = 0;
  double real = 0;
  GroupValue value;
};

struct AnswerRow {
  enum class Kind : uint8_t { kGroup, kOthers, kTotal };
  Kind kind = Kind::kGroup;
  size_t rank = 0;                // the same in every step; of others and total: behind the groups
  std::vector<AnswerCell> cells;  // one a column
};

struct Answer {
  std::string question;
  std::string table;
  int64_t from_seconds = 0, to_seconds = 0;  // what was really asked: whole bins; both 0: no time
  absl::TimeZone zone = absl::UTCTimeZone();
  std::vector<std::string> notes;  // what a reader should know: "from was moved back to a whole bin"
  std::vector<AnswerColumn> columns;
  std::vector<AnswerRow> rows;  // by step, then by rank
  size_t groups = 0;            // how many were found, also those that are not shown; 0: not counted
  size_t chart_column = 0;      // the value that a chart shows

  // Aligned columns with a header, the time asked above it, and notes below.
  std::string AsTable() const;
  // An object a line; absent values are left out. Others and total have "row":"others" and "row":"total".
  std::string AsJsonLines() const;
  std::string AsCsv() const;
  // For a terminal of so many columns: a bar a group, or a line of blocks a group where there are steps.
  std::string AsChart(size_t width = 100) const;
  // A whole SVG document without links.
  std::string AsSvg() const;
};

// How an answer may be asked for, by name.
struct AnswerFormat {
  absl::string_view name;    // "table"
  const char* content_type;  // of HTTP
  std::string (*text)(const Answer& answer);
};
absl::Span<const AnswerFormat> AnswerFormats();
// InvalidArgument with those that there are.
absl::StatusOr<const AnswerFormat*> FindAnswerFormat(absl::string_view name);

std::string TimeText(int64_t seconds, absl::TimeZone zone);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_ANSWER_H_
