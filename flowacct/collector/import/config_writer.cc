#include "flowacct/collector/import/config_writer.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::collector {
namespace {

constexpr size_t kMaxLineOctets = 400;

}  // namespace

std::string OneLine(absl::string_view text) {
  std::string line;
  for (char c : text.substr(0, kMaxLineOctets)) {
    const auto octet = static_cast<unsigned char>(c);
    line.push_back(octet < 0x20 || octet >= 0x7f ? '?' : c);
  }
  if (text.size() > kMaxLineOctets) absl::StrAppend(&line, "...");
  return line;
}

void ConfigWriter::Line(absl::string_view text, absl::string_view from) {
  absl::StrAppend(&text_, std::string(static_cast<size_t>(2 * depth_), ' '), text);
  if (!from.empty()) absl::StrAppend(&text_, "  # ", OneLine(from));
  text_ += '\n';
}

void ConfigWriter::Open(absl::string_view name) {
  Line(absl::StrCat(name, " {"), "");
  ++depth_;
}
void ConfigWriter::Close() {
  --depth_;
  Line("}", "");
}
void ConfigWriter::Text(absl::string_view name, absl::string_view value, absl::string_view from) {
  Line(absl::StrCat(name, ": \"", absl::CEscape(value), "\""), from);
}
void ConfigWriter::Word(absl::string_view name, absl::string_view value, absl::string_view from) {
  Line(absl::StrCat(name, ": ", value), from);
}
void ConfigWriter::Number(absl::string_view name, uint64_t value, absl::string_view from) {
  Word(name, absl::StrCat(value), from);
}
void ConfigWriter::Flag(absl::string_view name, bool value, absl::string_view from) {
  Word(name, value ? "true" : "false", from);
}
void ConfigWriter::Comment(absl::string_view text) { Line(text.empty() ? "#" : absl::StrCat("# ", OneLine(text)), ""); }

void ConfigWriter::Append(const ConfigWriter& part) {
  absl::string_view text = part.text();
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const absl::string_view line = text.substr(0, end);
    if (line.empty()) {
      text_ += '\n';
    } else {
      Line(line, "");
    }
    text = end == absl::string_view::npos ? absl::string_view() : text.substr(end + 1);
  }
}

}  // namespace flowacct::collector
