// Questions in the language of docs/reference/query.md, and those that a configuration has, as JSON.
//
//     {"question": "top 10 dst_as by bytes from -1h", "store": "memory", "format": "csv"}
//     {"saved": "peering"}
//     {"questions":[{"name":"peering","ask":"top 20 dst_as by bytes from -24h every 1h"}]}
//
// Members that nobody knows are refused. Threads: any. Errors: InvalidArgument that names the member and what to do.
// Cost: linear in the text, whatever its nesting.

#ifndef FLOWACCT_COLLECTOR_ADMIN_QUESTION_JSON_H_
#define FLOWACCT_COLLECTOR_ADMIN_QUESTION_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

absl::StatusOr<WrittenQuestion> WrittenQuestionFromJson(absl::string_view json);
std::string WrittenQuestionAsJson(const WrittenQuestion& question);

std::string QuestionsAsJson(const std::vector<SavedQuestion>& questions);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_QUESTION_JSON_H_
