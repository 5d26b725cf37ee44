#include "flowacct/sink/queue/batch_part.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::sink::queue {
namespace {

void AppendEscaped(absl::string_view text, std::string* out) {
  for (const char c : text) {
    if (c == '/' || c == '%' || !absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      absl::StrAppend(out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      out->push_back(c);
    }
  }
}

bool Unescape(absl::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return false;
    }
    *out += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return true;
}

}  // namespace

std::string BatchText(const aggregate::BatchIdentity& batch) {
  std::string text;
  AppendEscaped(batch.collector, &text);
  text += "/";
  AppendEscaped(batch.pipeline, &text);
  absl::StrAppend(&text, "/", batch.run, "/", batch.number);
  return text;
}

std::string BatchPartText(const BatchPart& part) {
  return absl::StrCat(BatchText(part.batch), " ", part.part, " ", part.rows, " ", part.batch_rows);
}

std::optional<BatchPart> ParseBatchPart(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  if (words.size() != 4) return std::nullopt;
  const std::vector<absl::string_view> names = absl::StrSplit(words[0], '/');
  BatchPart part;
  if (names.size() != 4 || !Unescape(names[0], &part.batch.collector) || !Unescape(names[1], &part.batch.pipeline) ||
      !absl::SimpleAtoi(names[2], &part.batch.run) || !absl::SimpleAtoi(names[3], &part.batch.number) ||
      !absl::SimpleAtoi(words[1], &part.part) || !absl::SimpleAtoi(words[2], &part.rows) ||
      !absl::SimpleAtoi(words[3], &part.batch_rows)) {
    return std::nullopt;
  }
  return part;
}

}  // namespace flowacct::sink::queue
