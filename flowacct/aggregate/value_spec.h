// What is computed of a group, as a person writes it.
//
//     bytes                         the sum of a counter
//     min(ttl), max(start_time)     of any field that is a number or a time
//     distinct(src_addr)            how many values: exact for a few, then an estimate (distinct_sketch.h)
//     top(dst_port), top5(dst_port) the most frequent values by records, three unless told (top_sketch.h)
//
// Errors: InvalidArgument that names the item and what to do. Any thread.

#ifndef FLOWACCT_AGGREGATE_VALUE_SPEC_H_
#define FLOWACCT_AGGREGATE_VALUE_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"

namespace flowacct::aggregate {

// Carries and has_value() number the columns of a row with 6 bits.
inline constexpr size_t kMaxValues = 64;
inline constexpr uint32_t kMaxTop = 100;

struct ValueSpec {
  ValueColumn column;
  uint32_t top = 0;  // how many, for kTop
};

absl::StatusOr<ValueSpec> ParseValue(absl::string_view item);
// All of --sum; a repeated item is kept once.
absl::StatusOr<std::vector<ValueSpec>> ParseValues(absl::Span<const std::string> items);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_VALUE_SPEC_H_
