// The columns of a printed batch: compiled once a batch from its schema, the naming and the format, so that a row is
// a walk over a short list.
//
// Ownership: columns borrow the registry's names (static) and the schema's; they live for one Write().

#ifndef FLOWACCT_SINK_PRINT_COLUMN_H_
#define FLOWACCT_SINK_PRINT_COLUMN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/value_text.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::sink::print {

// Appends what an interned value stands for.
using InternedFormatter = void (*)(record::FieldType type, base::InternId id, const base::Interner& interner,
                                   std::string* out);

enum class Source : uint8_t {
  kKey,      // a field of the key row
  kValue,    // a number of the value row
  kText,     // AggregateBatch::text
  kBin,      // start or end of the time bin
  kConstant  // the same in each row
};

struct Column {
  std::string title;
  Source source = Source::kKey;
  record::FieldType type = record::FieldType::kU64;
  // kKey: of the value's octets in the key row. kValue, kText: the index of the value column. kBin: 0 start, 1 end.
  size_t offset = 0;
  uint16_t presence = 0;                   // kKey: of the presence bit
  record::FixedFormatter fixed = nullptr;  // for fixed types and numbers
  InternedFormatter interned = nullptr;    // for interned types
  absl::string_view absent;                // what stands for a value that was not told; kConstant: the text
  bool omit_absent = false;                // JSON: the member is left out instead
  bool right = false;                      // a table aligns it right
  bool counts = false;                     // a table groups its digits
  bool summed = false;                     // a table has its total
  bool quote_fixed = false;                // CSV: the text of the fixed type may hold a comma
};

// `bins`: whether columns for the time bin come first (JSON and CSV).
std::vector<Column> Columns(const aggregate::Schema& schema, const PrintOptions& options, bool bins);

// The index of the value column that is called `name` in any naming; or `npos`.
inline constexpr size_t kNoColumn = static_cast<size_t>(-1);
size_t FindValueColumn(const aggregate::Schema& schema, absl::string_view name);

inline bool IsPresent(const Column& column, const uint8_t* key) {
  return (key[column.presence >> 3] >> (column.presence & 7) & 1) != 0;
}

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_COLUMN_H_
