// How far topics were read: of each partition the offset of the next message.
//
// As text, a line "TOPIC PARTITION OFFSET" each, so that it can be kept beside what was accounted of these messages.

#ifndef FLOWACCT_COLLECTOR_KAFKA_KAFKA_POSITION_H_
#define FLOWACCT_COLLECTOR_KAFKA_KAFKA_POSITION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

struct KafkaPosition {
  std::map<std::pair<std::string, int32_t>, int64_t> next;  // by topic and partition

  std::string ToText() const;
  // Nothing if it is no such text.
  static std::optional<KafkaPosition> Parse(absl::string_view text);
  friend bool operator==(const KafkaPosition& a, const KafkaPosition& b) { return a.next == b.next; }
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_KAFKA_POSITION_H_
