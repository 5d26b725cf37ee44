// Answers a question over bins that are in memory: some of the key's fields, a filter on them, the largest.
//
// Threads: any, one question at a time. Errors: InvalidArgument that names what the bins do not have.
// Cost: a pass over all rows of the bins.

#ifndef FLOWACCT_COLLECTOR_SERVER_BIN_QUERY_H_
#define FLOWACCT_COLLECTOR_SERVER_BIN_QUERY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

// The bins are of one schema; empty: there is nothing yet. All that match are summed together: JSON as
// CollectorControl::Query has it, with "from" and "to" of the bins.
absl::StatusOr<std::string> AnswerFromBins(const MemoryQuestion& question, const aggregate::Schema& schema,
                                           absl::Span<const aggregate::AggregateBatch* const> bins);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_BIN_QUERY_H_
