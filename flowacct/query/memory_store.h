// A GroupStore over batches in memory, by brute force: for tests the slow twin of all other stores, and for what is
// little.
//
// Ownership: shares the batches. Threads: one call at a time. Errors: as group_store.h has them. Cost: a pass over all
// rows of the time that is asked for, and a string a group.

#ifndef FLOWACCT_QUERY_MEMORY_STORE_H_
#define FLOWACCT_QUERY_MEMORY_STORE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/group_store.h"

namespace flowacct::query {

class MemoryStore final : public GroupStore {
 public:
  explicit MemoryStore(std::string name = "memory") : name_(std::move(name)) {}

  // All batches of a table are of one schema and have bins of one length, of whole seconds.
  void Add(const std::string& table, std::shared_ptr<const aggregate::AggregateBatch> batch);

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::vector<TableInfo>> Tables() override;
  absl::Status Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) override;

 private:
  struct Table {
    TableInfo info;
    std::vector<size_t> columns;  // of the batch, of each of info.values
    std::vector<std::shared_ptr<const aggregate::AggregateBatch>> batches;
  };

  const std::string name_;
  std::map<std::string, Table> tables_;
};

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_MEMORY_STORE_H_
