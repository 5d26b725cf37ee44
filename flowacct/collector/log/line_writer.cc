#include "flowacct/collector/log/line_writer.h"

#include "absl/strings/str_cat.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector::log {
namespace {

constexpr absl::string_view kCut = "…";
// For the end of the line: "}\n" and "\n".
constexpr size_t kEnd = 2;
// A value of fewer octets is not worth a cut one.
constexpr size_t kLeast = 16;

// `text` without what would not fit into `octets`, at the start of a character.
absl::string_view Cut(absl::string_view text, size_t octets) {
  if (text.size() <= octets) return text;
  while (octets > 0 && (static_cast<unsigned char>(text[octets]) & 0xc0) == 0x80) --octets;
  return text.substr(0, octets);
}

std::string JsonValue(absl::string_view text) {
  std::string quoted;
  record::AppendJsonString(text, &quoted);
  return quoted;
}

std::string LogfmtValue(absl::string_view text) {
  std::string printable;
  record::AppendPrintable(text, &printable);
  const bool plain = !text.empty() && printable == text && text.find_first_of(" \"\\=") == absl::string_view::npos;
  return plain ? printable : JsonValue(text);
}

}  // namespace

LineWriter::LineWriter(LogFormat format, absl::string_view prefix, size_t max_octets, std::string* line)
    : format_(format), max_octets_(max_octets), prefix_octets_(prefix.size()), line_(line) {
  line_->assign(prefix.data(), prefix.size());
  if (format_ == LogFormat::kJson) line_->push_back('{');
}

void LineWriter::Add(absl::string_view key, const LogField::Value& value) {
  if (const auto* text = absl::get_if<absl::string_view>(&value)) return AddText(key, *text);
  std::string number;
  if (const auto* flag = absl::get_if<bool>(&value)) {
    number = *flag ? "true" : "false";
  } else if (const auto* whole = absl::get_if<uint64_t>(&value)) {
    number = absl::StrCat(*whole);
  } else if (const auto* negative = absl::get_if<int64_t>(&value)) {
    number = absl::StrCat(*negative);
  } else {
    number = absl::StrCat(absl::get<double>(value));
    // JSON has no such numbers.
    if (number.find_first_not_of("0123456789.e+-") != std::string::npos) return AddText(key, number);
  }
  if (!AppendMember(key, number)) cut_ = true;
}

void LineWriter::AddText(absl::string_view key, absl::string_view text) {
  const auto escape = format_ == LogFormat::kJson ? JsonValue : LogfmtValue;
  // An octet of text becomes at least one of the line.
  const absl::string_view most = Cut(text, max_octets_);
  if (most.size() == text.size() && AppendMember(key, escape(text))) return;
  cut_ = true;
  for (size_t octets = most.size(); octets >= kLeast; octets = octets * 3 / 4) {
    if (AppendMember(key, escape(absl::StrCat(Cut(text, octets), kCut)))) return;
  }
}

bool LineWriter::AppendMember(absl::string_view key, absl::string_view value) {
  const bool json = format_ == LogFormat::kJson;
  const bool first = line_->size() == prefix_octets_ + (json ? 1 : 0);
  const size_t size = (first ? 0 : 1) + key.size() + (json ? 3 : 1) + value.size();
  if (line_->size() + size + kEnd > max_octets_) return false;
  if (json) {
    absl::StrAppend(line_, first ? "" : ",", "\"", key, "\":", value);
  } else {
    absl::StrAppend(line_, first ? "" : " ", key, "=", value);
  }
  return true;
}

bool LineWriter::Finish() {
  line_->append(format_ == LogFormat::kJson ? "}\n" : "\n");
  return cut_;
}

}  // namespace flowacct::collector::log
