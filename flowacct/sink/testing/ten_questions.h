// Ten questions to whatever store holds a replay, and their answers as text, so that stores can be compared.
//
// The table has the keys src_addr, dst_addr, protocol, dst_port, src_as and dst_as, the sums bytes, packets and flows,
// and bins of which five minutes are a multiple.
// Threads: any. Errors: as query/ask.h, with the question.

#ifndef FLOWACCT_SINK_TESTING_TEN_QUESTIONS_H_
#define FLOWACCT_SINK_TESTING_TEN_QUESTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"

namespace flowacct::sink {

struct Replayed {
  std::string table;
  // What the replay covers, seconds since 1970, multiples of 300.
  int64_t from_seconds = 0, to_seconds = 0;
  // Some of whose addresses are sources there.
  std::string network = "0.0.0.0/1";
};

std::vector<std::string> TenQuestions(const Replayed& replayed);

// For each question its answer: JSON lines, or "(nothing)\n" for an answer without rows.
absl::StatusOr<std::vector<std::string>> AnswersToTen(query::GroupStore& store, const Replayed& replayed);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_TESTING_TEN_QUESTIONS_H_
