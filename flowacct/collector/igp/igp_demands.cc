#include "flowacct/collector/igp/igp_demands.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "flowacct/collector/csv_line.h"

namespace flowacct::collector {
namespace {

// What a column may be called, the best first.
constexpr absl::string_view kFrom[] = {"from", "exporter"};
constexpr absl::string_view kTo[] = {"to", "bgp_next_hop", "dst_net", "dst_addr"};
constexpr absl::string_view kOctets[] = {"bytes", "octets"};

class Texts {
 public:
  explicit Texts(std::vector<std::string>* all) : all_(all) {}
  uint32_t Of(const std::string& text) {
    const auto [place, is_new] = places_.try_emplace(text, static_cast<uint32_t>(all_->size()));
    if (is_new) all_->push_back(text);
    return place->second;
  }

 private:
  std::vector<std::string>* const all_;
  absl::flat_hash_map<std::string, uint32_t> places_;
};

// Places of the columns that are there, the best first.
std::vector<size_t> Places(const std::vector<std::string>& header, absl::Span<const absl::string_view> names) {
  std::vector<size_t> places;
  for (const absl::string_view name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) places.push_back(static_cast<size_t>(found - header.begin()));
  }
  return places;
}

}  // namespace

absl::StatusOr<IgpDemands> ParseIgpDemands(absl::string_view name, absl::string_view text,
                                           const IgpDemandsOptions& options) {
  IgpDemands demands;
  Texts texts(&demands.texts), labels(&demands.labels);
  std::vector<std::string> header, cells;
  std::vector<size_t> from, to, octets, label;
  size_t number = 0;
  const auto error = [&](absl::string_view column, const auto&... what) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ":", number, ": ", column, column.empty() ? "" : ": ", what...));
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    if (!SplitCsvLine(line, &cells)) return error("", "a quote that is not closed, or something behind one that is");
    if (header.empty()) {
      header = cells;
      from = Places(header, kFrom);
      to = Places(header, kTo);
      octets = Places(header, kOctets);
      const auto missing = [&](absl::Span<const absl::string_view> names) {
        return error("", "no column ", absl::StrJoin(names, " or "), "; the first line is to name the columns: ", line);
      };
      if (from.empty()) return missing(kFrom);
      if (to.empty()) return missing(kTo);
      if (octets.empty()) return missing(kOctets);
      if (!options.label.empty()) {
        demands.label_name = options.label;
        const absl::string_view wanted = options.label;
        label = Places(header, absl::MakeConstSpan(&wanted, 1));
        if (label.empty()) return error(options.label, "no such column; there are ", absl::StrJoin(header, ", "));
      }
      continue;
    }
    if (cells.size() != header.size()) {
      return error("", cells.size(), " cells, where the first line has ", header.size());
    }
    IgpDemand demand;
    demand.from = texts.Of(cells[from.front()]);
    const auto where = std::find_if(to.begin(), to.end(), [&](size_t place) { return !cells[place].empty(); });
    demand.to = texts.Of(where == to.end() ? std::string() : cells[*where]);
    demand.label = labels.Of(label.empty() ? std::string() : cells[label.front()]);
    const std::string& much = cells[octets.front()];
    if (much.empty() || !std::all_of(much.begin(), much.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(much, &demand.octets)) {
      return error(header[octets.front()], "\"", much, "\" is no number of octets");
    }
    if (__builtin_add_overflow(demands.octets, demand.octets, &demands.octets)) {
      return error(header[octets.front()], "more than 2^64 octets in all");
    }
    if (demands.demands.size() >= options.max_rows || demands.labels.size() > options.max_labels) {
      return absl::ResourceExhaustedError(absl::StrCat(name, ":", number, ": more than ", options.max_rows,
                                                       " rows, or ", options.max_labels, " values of ",
                                                       options.label.empty() ? "a label" : options.label));
    }
    demands.demands.push_back(demand);
  }
  if (header.empty()) return error("", "is empty; the first line is to name the columns, such as from,to,bytes");
  if (demands.labels.empty()) demands.labels.emplace_back();
  return demands;
}

absl::Status ReadDemandRows(absl::string_view json, absl::Time now, std::string* csv, double* seconds) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(json.data(), json.size());
  const absl::Status none = absl::InternalError("these are no rows of a pipeline");
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("columns") ||
      !document.HasMember("rows") || !document["columns"].IsArray() || !document["rows"].IsArray()) {
    return none;
  }
  absl::Time from, to;
  std::string ignored;
  const auto time = [&](const char* name, absl::Time* t) {
    return document.HasMember(name) && document[name].IsString() &&
           absl::ParseTime(absl::RFC3339_full, document[name].GetString(), t, &ignored);
  };
  // Of the open bin counts what is over of it.
  if (time("from", &from) && time("to", &to)) {
    *seconds = std::max(absl::ToDoubleSeconds(std::min(to, now) - from), 1.0);
  }
  const auto line = [csv](const rapidjson::Value& cells) {
    absl::string_view comma;
    for (const rapidjson::Value& cell : cells.GetArray()) {
      absl::StrAppend(csv, comma);
      comma = ",";
      if (!cell.IsString()) continue;
      const std::string text(cell.GetString(), cell.GetStringLength());
      // A line is a row.
      absl::StrAppend(csv, "\"", absl::StrReplaceAll(text, {{"\"", "\"\""}, {"\n", " "}, {"\r", " "}}), "\"");
    }
    *csv += '\n';
  };
  csv->clear();
  line(document["columns"]);
  for (const rapidjson::Value& row : document["rows"].GetArray()) {
    if (!row.IsArray()) return none;
    line(row);
  }
  return absl::OkStatus();
}

}  // namespace flowacct::collector
