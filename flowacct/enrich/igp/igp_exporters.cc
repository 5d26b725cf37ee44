#include "flowacct/enrich/igp/igp_exporters.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::enrich {

bool IgpExporters::Add(const base::IpPrefix& exporter, std::optional<uint32_t> in_if, std::string router) {
  if (!routers_.try_emplace(Key(exporter, in_if ? uint64_t{*in_if} + 1 : 0), std::move(router)).second) return false;
  has_interfaces_ |= in_if.has_value();
  std::vector<uint8_t>& lengths = lengths_[exporter.address().IsV4() ? 0 : 1];
  const auto place = std::lower_bound(lengths.begin(), lengths.end(), exporter.length(), std::greater<>());
  if (place == lengths.end() || *place != exporter.length()) lengths.insert(place, exporter.length());
  return true;
}

absl::StatusOr<IgpExporters> IgpExporters::Parse(absl::string_view text, absl::string_view name) {
  IgpExporters exporters;
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
    const auto prefix = base::IpPrefix::Parse(cells[0]);
    if (!prefix) return error("\"", cells[0], "\" is no address or prefix of an exporter");
    std::optional<uint32_t> in_if;
    if (cells.size() == 3 && !absl::SimpleAtoi(cells[1], &in_if.emplace())) {
      return error("\"", cells[1], "\" is no number of an interface");
    }
    if (cells.back().empty()) return error("no router behind the last comma");
    if (exporters.size() >= kMaxLines) return error("more than ", kMaxLines, " lines; prefixes may speak for many");
    if (!exporters.Add(*prefix, in_if, std::string(cells.back()))) {
      return error(line.substr(0, line.rfind(',')), " has a router already");
    }
  }
  return exporters;
}

const std::string* IgpExporters::Find(const base::IpAddress& exporter, std::optional<uint32_t> in_if) const {
  for (const uint8_t length : lengths_[exporter.IsV4() ? 0 : 1]) {
    const base::IpPrefix prefix(exporter, length);
    if (in_if) {
      const auto found = routers_.find(Key(prefix, uint64_t{*in_if} + 1));
      if (found != routers_.end()) return &found->second;
    }
    const auto found = routers_.find(Key(prefix, 0));
    if (found != routers_.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace flowacct::enrich
