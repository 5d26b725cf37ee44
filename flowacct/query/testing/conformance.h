// What every GroupStore must answer as MemoryStore does.
//
//     ConformanceData data;
//     for (const auto& [table, batch] : data.batches()) { sink.Write(*batch); twin.Add(table, batch); }
//     ExpectConforms(store, twin);
//
// The data holds both address families, networks, AS numbers, ports, protocols, MAC addresses, routes, texts that are
// hostile to SQL, absent values, sums above 2^63 whose totals exceed 64 bits, times before 1970, several bins, a
// correction of one, a batch that comes twice, an overflow row, a key that a configuration named, a value that cannot
// be summed, and a table without bins. It is the same each time. Each request must be answered: none may be refused as
// Unimplemented.

#ifndef FLOWACCT_QUERY_TESTING_CONFORMANCE_H_
#define FLOWACCT_QUERY_TESTING_CONFORMANCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/query/group_store.h"
#include "flowacct/query/memory_store.h"

namespace flowacct::query {

// Begin of the first bin: an hour before Europe's clocks went forward.
inline constexpr int64_t kConformanceStart = 1774742400;  // 2026-03-29T00:00:00Z
inline constexpr int64_t kConformanceBin = 300;

class ConformanceData {
 public:
  ConformanceData();
  ~ConformanceData();

  using Batch = std::pair<std::string, std::shared_ptr<const aggregate::AggregateBatch>>;
  // Table and batch, in the order in which they come; their identity's pipeline is the table. They borrow the
  // interner of this. Tables: "flows" (5-minute bins) and "total" (no bins).
  const std::vector<Batch>& batches() const { return batches_; }

 private:
  base::Interner interner_;
  std::vector<Batch> batches_;
};

struct ConformanceRequest {
  std::string name;
  GroupRequest request;
};

// At least 25; against the tables of ConformanceData.
std::vector<ConformanceRequest> ConformanceRequests();

// Expects that `store`, which holds what `twin` holds, describes its tables alike and answers each request alike.
// A copy of a store (collector/stores) has no column for a value that cannot be summed, and tells of none left out.
enum class IsCopy : bool { kNo, kYes };
void ExpectConforms(GroupStore& store, MemoryStore& twin, IsCopy is_copy = IsCopy::kNo);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_TESTING_CONFORMANCE_H_
