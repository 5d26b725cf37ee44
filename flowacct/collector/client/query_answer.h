// The answer to a query as rows of text, and how these are printed.
//
// Digits of numbers stay as they came, so that no sum loses any. Text from the wire is made harmless where a person
// reads it. Threads: a plain value. Errors: Unavailable for what is no such answer.

#ifndef FLOWACCT_COLLECTOR_CLIENT_QUERY_ANSWER_H_
#define FLOWACCT_COLLECTOR_CLIENT_QUERY_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

struct QueryAnswer {
  enum class Kind : uint8_t {
    kAbsent,
    kNumber,
    kText,
    kOther,  // true, false, a list: JSON
  };
  struct Cell {
    Kind kind = Kind::kAbsent;
    std::string text;
  };

  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  uint64_t groups = 0;                  // how many there are, also those that are not shown; 0: not told
  bool incomplete = false;              // a bin of it is still filling
  std::vector<std::string> report;      // lines for people that say what became of all that was counted

  static absl::StatusOr<QueryAnswer> FromJson(absl::string_view json);

  // Whether column `index` holds what can be summed: a counter, by the registry of fields.
  bool IsCounter(size_t index) const;

  // Aligned columns with a header, and a line for what is not shown.
  std::string AsTable() const;
  // RFC 4180, absent values empty.
  std::string AsCsv() const;
  // An object a line; absent values are left out.
  std::string AsJsonLines() const;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_QUERY_ANSWER_H_
