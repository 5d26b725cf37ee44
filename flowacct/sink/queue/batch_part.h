// Which part of which batch a message holds, as text in one of its headers, so that who reads can count a batch once
// though it was written twice, and knows when he has all of it.
//
//     flowacct-batch: edge/flows/1699920000000000000/17 3 100 25000
//
// The batch (collector, pipeline, run, number; "/", "%", what is not printable and spaces in names are %XX), which of
// its messages this is (from 0), how many of its rows it holds, and how many rows the batch has. Messages of one batch
// with the same part hold the same rows, if they were written with the same options. Any thread.

#ifndef FLOWACCT_SINK_QUEUE_BATCH_PART_H_
#define FLOWACCT_SINK_QUEUE_BATCH_PART_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::sink::queue {

inline constexpr absl::string_view kBatchHeader = "flowacct-batch";

struct BatchPart {
  aggregate::BatchIdentity batch;
  uint64_t part = 0;
  uint64_t rows = 0;        // in this message
  uint64_t batch_rows = 0;  // in the batch
};

// The first word, without the numbers of the part. It is the same for all messages of a batch.
std::string BatchText(const aggregate::BatchIdentity& batch);
std::string BatchPartText(const BatchPart& part);
// Nothing if it is no such text.
std::optional<BatchPart> ParseBatchPart(absl::string_view text);

}  // namespace flowacct::sink::queue

#endif  // FLOWACCT_SINK_QUEUE_BATCH_PART_H_
