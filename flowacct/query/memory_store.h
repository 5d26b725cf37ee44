// Batches in memory as a store: what a collector has not written anywhere, and the slow twin of every other store.
//
// A batch that comes again, by its identity, counts once. Columns of distinct and top cannot be summed and are not
// offered. Ownership: shares the batches; their interners outlive it. Threads: one at a time. Errors: as GroupStore.
// Cost: every row of the table for each question, and every group in memory.

#ifndef FLOWACCT_QUERY_MEMORY_STORE_H_
#define FLOWACCT_QUERY_MEMORY_STORE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/group_store.h"

namespace flowacct::query {

class MemoryStore : public GroupStore {
 public:
  // All batches of a table have the same keys and values, and bins of one width.
  void Add(absl::string_view table, std::shared_ptr<const aggregate::AggregateBatch> batch);
  // `table` holds what `of` holds, in longer bins.
  void SetRollup(absl::string_view table, absl::string_view of);

  absl::string_view name() const override { return "memory"; }
  absl::StatusOr<std::vector<TableInfo>> Tables() override;
  absl::Status Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) override;

 private:
  struct Table {
    TableInfo info;
    std::vector<size_t> columns;  // of each of info.values, in a batch
    std::vector<std::shared_ptr<const aggregate::AggregateBatch>> batches;
  };
  std::map<std::string, Table, std::less<>> tables_;
};

// The answers to a request that names what is not there; for stores to answer alike.
absl::Status NoSuchTable(absl::string_view store, absl::string_view table, const std::vector<TableInfo>& tables);
// OK if the table has all that is asked: columns, values, fields of the filter.
absl::Status CheckRequest(absl::string_view store, const TableInfo& table, const GroupRequest& request);
// Begin of the step that `seconds` lies in.
int64_t StepOf(const GroupRequest& request, int64_t seconds);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_MEMORY_STORE_H_
