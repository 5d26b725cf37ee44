#include "flowacct/collector/csv_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace flowacct::collector {

bool SplitCsvLine(absl::string_view line, std::vector<std::string>* cells) {
  cells->clear();
  for (;;) {
    line = absl::StripLeadingAsciiWhitespace(line);
    std::string& cell = cells->emplace_back();
    if (absl::ConsumePrefix(&line, "\"")) {
      for (;;) {
        const size_t quote = line.find('"');
        if (quote == absl::string_view::npos) return false;
        absl::StrAppend(&cell, line.substr(0, quote));
        line.remove_prefix(quote + 1);
        if (!absl::ConsumePrefix(&line, "\"")) break;
        cell.push_back('"');
      }
      line = absl::StripLeadingAsciiWhitespace(line);
      if (!line.empty() && line[0] != ',') return false;
    } else {
      const size_t comma = std::min(line.find(','), line.size());
      cell = std::string(absl::StripTrailingAsciiWhitespace(line.substr(0, comma)));
      line.remove_prefix(comma);
    }
    if (line.empty()) return true;
    line.remove_prefix(1);
  }
}

}  // namespace flowacct::collector
