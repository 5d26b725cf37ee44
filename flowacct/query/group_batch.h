// The rows of a store's table as batches again, bin by bin: to write them elsewhere.
//
//     GroupBatch batch(table);
//     auto begins = BinBegins(store, table);                 // -> a time each
//     store.Sum(batch.RequestFor(bin), [&](const GroupRow& row) { return batch.Add(row).ok(); });
//     sink.Write(batch.Take(bin, identity));
//
// Exact: each group of a bin is one row, sums in 128 bits, absent values absent, names as the table has them. Long
// values come back as from_stored.h says. Values that cannot be summed are not among them (TableInfo::left_out).
// Ownership: a plain value; what Take gives owns all that it needs. Threads: one at a time.
// Errors: of Add: InvalidArgument for a value that is none of its field, ResourceExhausted above `max_octets`.
// Cost: all rows of a bin in memory, some hundred octets each.

#ifndef FLOWACCT_QUERY_GROUP_BATCH_H_
#define FLOWACCT_QUERY_GROUP_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/query/group_store.h"

namespace flowacct::query {

struct TableBin {
  int64_t begin_seconds = 0, end_seconds = 0;  // both 0: of a table without bins
};

// The bins of the table that have rows and begin in [from, to), the first one first. Of bins that are days of a zone
// the ends are told by the next bin, else by the table's width.
absl::StatusOr<std::vector<TableBin>> BinsOf(GroupStore& store, const TableInfo& table,
                                             int64_t from_seconds = INT64_MIN, int64_t to_seconds = INT64_MAX);

// All keys and values of the table in that bin.
GroupRequest AllOf(const TableInfo& table, const TableBin& bin);

// The schema that batches of the table have. InvalidArgument for names that cannot be.
absl::StatusOr<std::shared_ptr<const aggregate::Schema>> SchemaOf(const TableInfo& table);

class GroupBatch {
 public:
  // A bin of ten million groups.
  static constexpr size_t kMaxOctets = size_t{2} << 30;

  explicit GroupBatch(std::shared_ptr<const aggregate::Schema> schema, size_t max_octets = kMaxOctets);

  size_t size() const { return rows_.size; }
  // A row of AllOf.
  absl::Status Add(const GroupRow& row);
  // What was added; begins anew.
  aggregate::AggregateBatch Take(const TableBin& bin, aggregate::BatchIdentity identity);

 private:
  void Begin();
  absl::Status TooMuch() const;

  const std::shared_ptr<const aggregate::Schema> schema_;
  const size_t max_octets_;
  std::shared_ptr<base::Interner> interner_;
  aggregate::AggregateBatch::Rows rows_;
  aggregate::AggregateBatch::Carries carries_;
};

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_GROUP_BATCH_H_
