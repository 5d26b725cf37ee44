#include "flowacct/collector/client/text_grid.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "flowacct/record/display_width.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

constexpr size_t kGap = 2;

const char* Begin(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[1;31m";
    case Style::kInverse:
      return "\x1b[7m";
  }
  return "";
}

// The start of `text` that takes no more than `columns`.
absl::string_view CutToWidth(absl::string_view text, size_t columns) {
  size_t end = 0, width = 0;
  while (end < text.size()) {
    size_t next = end + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    width += record::DisplayWidth(text.substr(end, next - end));
    if (width > columns) break;
    end = next;
  }
  return text.substr(0, end);
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  record::AppendPrintable(text, &out);
  return out;
}

std::string GroupDigits(absl::string_view digits) {
  if (!absl::c_all_of(digits, absl::ascii_isdigit)) return std::string(digits);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string GroupDigits(uint64_t number) { return GroupDigits(absl::string_view(absl::StrCat(number))); }

Line& Line::Add(absl::string_view text, Style style) {
  if (text.empty()) return *this;
  width_ += record::DisplayWidth(text);
  pieces_.push_back({std::string(text), style});
  return *this;
}

Line& Line::PadTo(size_t width) { return width_ < width ? Add(std::string(width - width_, ' ')) : *this; }

std::string Line::Render(bool color, size_t columns) const {
  size_t used = pieces_.size();
  // Blanks at the end that nobody sees.
  while (used > 0 && pieces_[used - 1].style != Style::kInverse &&
         pieces_[used - 1].text.find_first_not_of(' ') == std::string::npos) {
    --used;
  }
  std::string out;
  size_t left = columns;
  for (size_t i = 0; i < used && left > 0; ++i) {
    const absl::string_view text = CutToWidth(pieces_[i].text, left);
    left -= record::DisplayWidth(text);
    const char* const begin = color ? Begin(pieces_[i].style) : "";
    absl::StrAppend(&out, begin, text, *begin != '\0' ? "\x1b[0m" : "");
    if (text.size() < pieces_[i].text.size()) break;
  }
  if (!color) absl::StripTrailingAsciiWhitespace(&out);
  return out;
}

void TextGrid::Add(absl::string_view text, Style style) {
  cells_.push_back({std::string(text), record::DisplayWidth(text), style});
}

std::vector<Line> TextGrid::Lines() const {
  if (right_.empty()) return {};
  std::vector<size_t> widths(right_.size(), 0);
  for (size_t i = 0; i < cells_.size(); ++i) {
    size_t& widest = widths[i % right_.size()];
    widest = std::max(widest, cells_[i].width);
  }
  std::vector<Line> lines;
  size_t column = 0, end = 0;
  for (const Cell& cell : cells_) {
    if (column == 0) {
      lines.emplace_back();
      end = 0;
    }
    Line& line = lines.back();
    const size_t start = end + (column == 0 ? 0 : kGap);
    end = start + widths[column];
    line.PadTo(right_[column] ? end - cell.width : start).Add(cell.text, cell.style);
    column = (column + 1) % right_.size();
  }
  return lines;
}

}  // namespace flowacct::collector
