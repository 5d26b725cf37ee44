// Small batches of two keys and two sums, and what a store says of them, for the tests of stores.

#ifndef FLOWACCT_SINK_TESTING_PORT_FLOWS_H_
#define FLOWACCT_SINK_TESTING_PORT_FLOWS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink {

inline constexpr int64_t kPortFlowsDay = 1699920000;  // 2023-11-14T00:00:00Z

// So many rows of one packet and 100 octets, of 10.0.0.1 and the ports 0 to 99, in turns.
print::BatchBuilder PortFlows(int rows);
// Of the five minutes from `start` on (seconds since 1970), as batch `number` of the pipeline `table`, run 7 of "edge".
aggregate::AggregateBatch PortFlowsBatch(const print::BatchBuilder& builder, int64_t start, uint64_t number,
                                         absl::string_view table = "flows");

// Sums by port, as text; "-" where it is absent. Not `by_port`: of all, under "-".
using PortSums = std::map<std::string, std::vector<absl::uint128>>;
// Fails the test, and is empty, if the store does.
PortSums AskByPort(const absl::StatusOr<std::unique_ptr<query::GroupStore>>& store, const std::string& table,
                   std::vector<size_t> values, bool by_port = true);

// Writes the data of query/testing/conformance.h, and expects that what `open` gives then answers as the twin in
// memory.
void ExpectAnswersAsItsTwin(StoreSink* sink,
                            const std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()>& open);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_TESTING_PORT_FLOWS_H_
