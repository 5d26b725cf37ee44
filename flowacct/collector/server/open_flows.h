// For tests of a server: what it has accounted and not yet written.

#ifndef FLOWACCT_COLLECTOR_SERVER_OPEN_FLOWS_H_
#define FLOWACCT_COLLECTOR_SERVER_OPEN_FLOWS_H_

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/server/server.h"
#include "gtest/gtest.h"

namespace flowacct::collector {

// Flows of all that is open or late in pipeline "p".
inline uint64_t OpenFlows(Server& server) {
  MemoryQuestion question;
  question.pipeline = "p";
  const auto answer = server.Query(question);
  EXPECT_TRUE(answer.ok()) << answer.status();
  uint64_t flows = 0;
  const absl::string_view text = *answer;
  const size_t begin = text.find("\"rows\": [[");
  if (begin == absl::string_view::npos) return 0;
  const absl::string_view rows = text.substr(begin + 10);
  for (absl::string_view row : absl::StrSplit(rows.substr(0, rows.find("]]")), "], [")) {
    uint64_t n = 0;
    EXPECT_TRUE(absl::SimpleAtoi(row.substr(row.rfind(' ') + 1), &n)) << row;
    flows += n;
  }
  return flows;
}

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_OPEN_FLOWS_H_
