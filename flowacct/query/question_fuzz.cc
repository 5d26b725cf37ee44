// Whatever the text: it is refused with a column inside it, or it is written so that it is read back alike.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "flowacct/base/octets.h"
#include "flowacct/query/question.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct;  // NOLINT
  const absl::string_view text = base::AsText(base::Octets(data, size));
  const auto question = query::ParseQuestion(text);
  if (!question.ok()) {
    absl::string_view message = question.status().message();
    size_t column = 0;
    if (!absl::ConsumePrefix(&message, "question, column ") ||
        !absl::SimpleAtoi(message.substr(0, message.find(':')), &column) || column == 0 || column > size + 1) {
      std::abort();
    }
    return 0;
  }
  const std::string written = query::ToText(*question);
  const auto again = query::ParseQuestion(written);
  if (!again.ok() || query::ToText(*again) != written || again->where != question->where ||
      again->zone_name != question->zone_name || again->values.size() != question->values.size()) {
    std::abort();
  }
  const absl::Time now = absl::FromUnixSeconds(1774742400);
  if (question->from && question->from->At(now, question->zone) != again->from->At(now, again->zone)) std::abort();
  if (question->every) query::StepBegin(now, *question->every, question->zone);
  return 0;
}
