#include "flowacct/collector/kafka/kafka_position.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::collector {

std::string KafkaPosition::ToText() const {
  std::string text;
  for (const auto& [partition, offset] : next) {
    absl::StrAppend(&text, partition.first, " ", partition.second, " ", offset, "\n");
  }
  return text;
}

std::optional<KafkaPosition> KafkaPosition::Parse(absl::string_view text) {
  KafkaPosition position;
  // A line that was cut off is told by its missing end.
  if (!text.empty() && text.back() != '\n') return std::nullopt;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    int32_t partition = 0;
    int64_t offset = 0;
    if (words.size() != 3 || words[0].empty() || !absl::SimpleAtoi(words[1], &partition) || partition < 0 ||
        !absl::SimpleAtoi(words[2], &offset) || offset < 0 ||
        !position.next.try_emplace({std::string(words[0]), partition}, offset).second) {
      return std::nullopt;
    }
  }
  return position;
}

}  // namespace flowacct::collector
