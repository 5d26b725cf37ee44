// Sums by groups as an aggregation pipeline, and its documents as groups and sums of 128 bits.
//
// $sum of whole numbers beyond 2^63 turns to a double without a word, so that each number is summed as two, its lower
// 24 bits and the rest; neither sum leaves what a double holds exactly before half a billion rows of the largest
// numbers, and one that does is an error, never a rounded answer. Ownership: borrows the columns. Threads: any.

#ifndef FLOWACCT_SINK_MONGODB_GROUP_PIPELINE_H_
#define FLOWACCT_SINK_MONGODB_GROUP_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/mongodb/table_state.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::mongodb {

struct PipelineRequest {
  Document batches;  // TableState::Visible
  int64_t from_seconds = INT64_MIN;
  int64_t to_seconds = INT64_MAX;
  std::vector<Document> conditions;
  int64_t step_seconds = 0;
  int64_t step_origin_seconds = 0;
  std::vector<const sql::Column*> by;
  std::vector<const sql::Column*> values;
  std::vector<bool> wide;       // of each value
  std::optional<size_t> order;  // of values, a sum: about the largest first
};

// A group; it borrows the octets of the document that it was read from.
struct PipelineRow {
  int64_t step_seconds = 0;
  std::vector<record::StoredValue> group;
  std::vector<absl::uint128> values;
  std::unique_ptr<bool[]> present;
  double order = 0;  // about what the rows are ordered by

  explicit PipelineRow(const PipelineRequest& request)
      : group(request.by.size()), values(request.values.size()), present(new bool[request.values.size() + 1]) {}
};

std::vector<Document> StagesOf(const PipelineRequest& request);
// Internal for what is no answer to it; ResourceExhausted for a sum that is not exact.
absl::Status ReadRow(const PipelineRequest& request, const bson_t& document, PipelineRow* row);

// Adds what another group of the same name has: sums, or the smaller or larger by the order of the field's numbers.
void AddValue(const sql::Column& column, absl::uint128 value, absl::uint128* to, bool* present);

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_GROUP_PIPELINE_H_
