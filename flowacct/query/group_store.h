// What every store of accounted traffic can do for a question: sum the values of rows by groups, within a time, of the
// rows that a filter passes. All else that a question asks (top, others, rates, percentiles, comparison) is made of it
// in one place, so that the same data gives the same answer whatever the store.
//
// Threads: one call at a time. Errors: NotFound for a table or column that is not there, with those that are;
// Unavailable for a store that cannot be reached; Unimplemented for a filter that the store cannot evaluate, with the
// condition. Texts name the store and what to do.

#ifndef FLOWACCT_QUERY_GROUP_STORE_H_
#define FLOWACCT_QUERY_GROUP_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"

namespace flowacct::query {

// A table: what one pipeline accounted.
struct TableInfo {
  struct Value {
    record::FieldId field{};
    aggregate::Function function = aggregate::Function::kSum;
    std::string name;  // "bytes", "max(ttl)", with the name that a configuration gave
  };

  std::string name;
  std::vector<record::FieldId> keys;
  // Of each of `keys`, as the table calls it: the registry's name, or one that a configuration gave. Empty: all are the
  // registry's.
  std::vector<std::string> key_names;
  std::vector<Value> values;
  // Columns that are there and cannot be summed (distinct, top), by name: nothing can be asked of them.
  std::vector<std::string> left_out;
  int64_t bin_seconds = 0;  // 0: rows have no time
  // Bins that are there: from the start of the first to the end of the last, seconds since 1970; both 0: none.
  int64_t first_seconds = 0;
  int64_t last_seconds = 0;
  std::string rollup_of;  // the table whose bins it sums to longer ones; empty: none
};

// What the table calls its key `key`, an index into TableInfo::keys.
inline absl::string_view KeyName(const TableInfo& table, size_t key) {
  return key < table.key_names.size() ? absl::string_view(table.key_names[key]) : record::Info(table.keys[key]).name;
}

// A column to group by: a key of the table as it is, or an address cut to a network.
struct GroupColumn {
  record::FieldId field{};
  int v4_length = -1;  // -1: as it is
  int v6_length = -1;
};

struct GroupRequest {
  std::string table;
  std::vector<GroupColumn> by;  // empty: one group
  std::vector<size_t> values;   // of TableInfo::values; sums are summed, min and max stay what they are
  filter::Filter where;
  // Rows whose bin begins in [from, to), seconds since 1970.
  int64_t from_seconds = INT64_MIN;
  int64_t to_seconds = INT64_MAX;
  // Not 0: groups are also apart by time, in steps that begin at `step_origin_seconds` plus a multiple of it.
  int64_t step_seconds = 0;
  int64_t step_origin_seconds = 0;
  // Not 0: only so many groups, the largest by `values[order]`; groups of the same value in any order, so a few more
  // may come.
  size_t limit = 0;
  size_t order = 0;
  // Set by another thread once nobody waits for the answer any more: a store that can then ends soon, with Cancelled.
  // Null: never. Outlives the call.
  const std::atomic<bool>* stop = nullptr;

  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
};

// A group and its sums. Borrowed for the call.
struct GroupRow {
  int64_t step_seconds = 0;                     // begin of the step
  absl::Span<const record::StoredValue> group;  // one for each of GroupRequest::by; of a network, its type's: prefix
  absl::Span<const absl::uint128> values;
  absl::Span<const bool> present;  // of each value: false for min and max of nothing
};

class GroupStore {
 public:
  virtual ~GroupStore() = default;
  // For error texts: "sqlite:flows.db".
  virtual absl::string_view name() const = 0;
  virtual absl::StatusOr<std::vector<TableInfo>> Tables() = 0;
  // Tells each group once, in any order. `tell` returns false to stop.
  virtual absl::Status Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) = 0;
};

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_GROUP_STORE_H_
