// Rows as JSON: {"columns": [...], "rows": [[...], ...]}, as a query is answered.
//
// Threads: one at a time. Errors: none. Cost: some 30 ns a value.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_JSON_ROWS_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_JSON_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

// Rows of values in the order of the columns.
class JsonRows {
 public:
  explicit JsonRows(absl::Span<const absl::string_view> columns);

  void Row();
  void Text(absl::string_view text);
  void Number(uint64_t number);
  void Number(std::optional<uint32_t> number) { number ? Number(uint64_t{*number}) : Absent(); }
  void Absent();
  // RFC 3339, UTC, with microseconds if there are any.
  void Time(absl::Time time);
  // What the octets of an interned field say; absent if there are none.
  void Octets(record::FieldType type, base::Octets octets);

  size_t rows() const { return rows_; }
  // The members, without the braces around them.
  std::string Finish() &&;

 private:
  std::string* Next();

  std::string json_;
  size_t rows_ = 0;
  absl::string_view comma_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_JSON_ROWS_H_
