#include "flowacct/sink/testing/ten_questions.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/query/ask.h"
#include "flowacct/query/question.h"

namespace flowacct::sink {

std::vector<std::string> TenQuestions(const Replayed& replayed) {
  constexpr int64_t kBin = 300;
  const int64_t bins = std::max<int64_t>((replayed.to_seconds - replayed.from_seconds) / kBin, 1);
  const int64_t later = (bins + 1) / 2 * kBin;  // the second half, and as long before it
  const std::string time = absl::StrCat(" from @", replayed.from_seconds, " to @", replayed.to_seconds);
  const std::string second_half =
      absl::StrCat(" from @", replayed.to_seconds - later, " to @", replayed.to_seconds, " compare -", later, "s");
  std::vector<std::string> questions = {
      absl::StrCat("top 20 src_addr, dst_addr by bytes where src_addr in ", replayed.network, time),
      absl::StrCat("top 10 with others dst_addr by bytes, packets, flows total", time),
      absl::StrCat("top 10 with others src_addr by p95(bps), bytes", time),
      absl::StrCat("top 5 protocol by bytes, bps every 5m", time),
      absl::StrCat("top 10 dst_port by packets, share(packets)", second_half),
      absl::StrCat("by bytes, packets, flows", time),
      absl::StrCat("top 20 src_addr/24, dst_addr/24,48 by packets, bytes", time),
      absl::StrCat("protocol by flows, pps every 1h in America/St_Johns", time),
      absl::StrCat("top 20 dst_port by flows where (proto tcp or proto udp) and not dst_port in 1024-65535", time),
      absl::StrCat("top 10 with others src_as, dst_as by share(bytes), bps order share(bytes)", time),
  };
  for (std::string& question : questions) absl::StrAppend(&question, " table ", replayed.table);
  return questions;
}

absl::StatusOr<std::vector<std::string>> AnswersToTen(query::GroupStore& store, const Replayed& replayed) {
  std::vector<std::string> answers;
  for (const std::string& text : TenQuestions(replayed)) {
    const auto failed = [&](const absl::Status& status) {
      return absl::Status(status.code(), absl::StrCat("\"", text, "\": ", status.message()));
    };
    const auto question = query::ParseQuestion(text);
    if (!question.ok()) return failed(question.status());
    const auto answer = query::Ask(*question, store, absl::FromUnixSeconds(replayed.to_seconds));
    if (!answer.ok()) return failed(answer.status());
    const std::string lines = answer->AsJsonLines();
    answers.push_back(lines.empty() ? "(nothing)\n" : lines);
  }
  return answers;
}

}  // namespace flowacct::sink
