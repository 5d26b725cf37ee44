#include "flowacct/enrich/igp/igp_exporters.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::enrich {

IgpExporters::IgpExporters(std::vector<IgpExporter> lines) : lines_(std::move(lines)) {
  std::stable_sort(lines_.begin(), lines_.end(), [](const IgpExporter& a, const IgpExporter& b) {
    if (a.exporter.length() != b.exporter.length()) return a.exporter.length() > b.exporter.length();
    return a.in_if.has_value() && !b.in_if.has_value();
  });
  has_interfaces_ = std::any_of(lines_.begin(), lines_.end(), [](const IgpExporter& e) { return e.in_if.has_value(); });
}

absl::StatusOr<IgpExporters> IgpExporters::Parse(absl::string_view text, absl::string_view name) {
  std::vector<IgpExporter> lines;
  size_t number = 0;
  const auto error = [&](const auto&... what) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", what...));
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
    for (absl::string_view& cell : cells) cell = absl::StripAsciiWhitespace(cell);
    if (cells.size() != 2 && cells.size() != 3) {
      return error("\"", line, "\" is neither EXPORTER,ROUTER nor EXPORTER,INTERFACE,ROUTER");
    }
    IgpExporter exporter;
    const auto prefix = base::IpPrefix::Parse(cells[0]);
    if (!prefix) return error("\"", cells[0], "\" is no address or prefix of an exporter");
    exporter.exporter = *prefix;
    if (cells.size() == 3) {
      uint32_t in_if = 0;
      if (!absl::SimpleAtoi(cells[1], &in_if)) return error("\"", cells[1], "\" is no number of an interface");
      exporter.in_if = in_if;
    }
    exporter.router = std::string(cells.back());
    if (exporter.router.empty()) return error("no router behind the last comma");
    if (lines.size() >= kMaxLines) return error("more than ", kMaxLines, " lines; prefixes may speak for many");
    lines.push_back(std::move(exporter));
  }
  return IgpExporters(std::move(lines));
}

const std::string* IgpExporters::Find(const base::IpAddress& exporter, std::optional<uint32_t> in_if) const {
  for (const IgpExporter& line : lines_) {
    if (line.in_if && line.in_if != in_if) continue;
    if (line.exporter.Contains(exporter)) return &line.router;
  }
  return nullptr;
}

}  // namespace flowacct::enrich
