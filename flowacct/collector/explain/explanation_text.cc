#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/explain/explanation.h"
#include "flowacct/collector/explain/route_text.h"
#include "flowacct/record/display_width.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

std::string TimeText(int64_t nanos) {
  char buffer[32];
  return std::string(buffer, static_cast<size_t>(record::WriteTime(nanos, buffer) - buffer));
}

std::string Quoted(absl::string_view text) {
  std::string out;
  record::AppendJsonString(text, &out);
  return out;
}

std::string Printable(absl::string_view text) {
  std::string out;
  record::AppendPrintable(text, &out);
  return out;
}

void AppendPadded(const std::string& text, size_t width, std::string* out) {
  out->append(text);
  out->append(width - std::min(width, record::DisplayWidth(text)) + 2, ' ');
}

void AppendRoutes(absl::string_view title, const std::vector<enrich::AskedTable>& routes, std::string* out) {
  for (const enrich::AskedTable& route : routes) {
    absl::StrAppend(out, "  ", title, RouteText(route), route.answered ? " (answers)" : "", "\n");
  }
}

void AppendText(const ExplainedRecord& record, std::string* out) {
  absl::StrAppend(out, "record ", record.number, ": ", record.unit, " ", record.unit_number, " of ",
                  Printable(record.file), ", ", TimeText(record.time_nanos), ", ", record.octets, " octets");
  if (!record.protocol.empty()) {
    absl::StrAppend(out, ", ", record.protocol, " from ", record.source.ToString(), " port ", record.source_port);
  }
  out->push_back('\n');
  if (!record.protocol.empty()) {
    absl::StrAppend(out, "  exporter ", record.exporter.ToString(), ", observation domain ", record.domain, "\n");
  }
  if (record.reverse) out->append("  the other direction of a biflow\n");
  if (record.format.has_value()) {
    absl::StrAppend(out, "  template ", record.format->id, " (", record::RecordKindName(record.format->kind),
                    "): ", record.format->fields.size(), " fields, defined ", record.format->definitions,
                    record.format->definitions == 1 ? " time\n" : " times\n");
  } else if (record.template_id != 0) {
    absl::StrAppend(out, "  template ", record.template_id, "\n");
  }
  if (record.set.has_value()) {
    absl::StrAppend(out, "  set ", record.set->number, " of the message, at octet ", record.set->offset, ", ",
                    record.set->octets, " octets\n");
  }
  if (record.offset.has_value()) absl::StrAppend(out, "  its fields from octet ", *record.offset, " on\n");
  if (record.held) out->append("  came in an earlier message, and was held until this one's template\n");
  for (const record::SamplingReport& sampling : record.sampling) {
    absl::StrAppend(out, "  sampling of the exporter: ", Printable(sampling.what), ": 1 in ", sampling.rate,
                    " (told by ", record::SamplingSourceName(sampling.source), ")\n");
  }
  AppendRoutes("route to the destination: ", record.destination_routes, out);
  AppendRoutes("route to the source: ", record.source_routes, out);
  for (const auto& [place, text] : record.rules) {
    absl::StrAppend(out, "  met rule ", Printable(place), ": ", Printable(text), "\n");
  }
  if (!record.dropped_by.empty()) absl::StrAppend(out, "  dropped by ", Printable(record.dropped_by), "\n");

  std::vector<std::array<std::string, 4>> rows = {{"field", "value", "by", "from"}};
  for (const ExplainedField& field : record.fields) {
    if (field.steps.empty()) {
      rows.push_back({std::string(record::Info(field.field).name), "(absent)", "", Printable(field.absent)});
    }
    for (const ExplainedStep& step : field.steps) {
      const bool first = &step == &field.steps.front();
      rows.push_back({first ? std::string(record::Info(field.field).name) : "",
                      step.value.json.empty() ? "(absent)" : step.value.text, step.by, Printable(step.detail)});
    }
  }
  size_t widths[3] = {};
  for (const auto& row : rows) {
    for (size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], record::DisplayWidth(row[i]));
  }
  for (const auto& row : rows) {
    for (size_t i = 0; i < 3; ++i) AppendPadded(row[i], widths[i], out);
    absl::StrAppend(out, row[3], "\n");
  }
}

void AppendRoutesJson(absl::string_view name, const std::vector<enrich::AskedTable>& routes, std::string* out) {
  if (routes.empty()) return;
  absl::StrAppend(out, ",\"", name, "\":[");
  absl::string_view comma;
  for (const enrich::AskedTable& route : routes) {
    absl::StrAppend(out, comma, "{\"source\":", Quoted(RouteOriginText(route.origin)), ",\"peer\":\"",
                    route.peer.ToString(), "\",\"for_all\":", route.for_all ? "true" : "false");
    if (route.followed) absl::StrAppend(out, ",\"followed\":\"", route.router.ToString(), "\"");
    if (route.found) {
      absl::StrAppend(out, ",\"prefix\":\"", route.prefix.ToString(), "\",\"path_id\":", route.path_id,
                      ",\"next_hop\":\"", route.next_hop.ToString(), "\",\"as_path\":", Quoted(route.as_path),
                      ",\"next_hop_matched\":", route.next_hop_matched ? "true" : "false",
                      ",\"stale\":", route.stale ? "true" : "false");
    }
    absl::StrAppend(out, ",\"answers\":", route.answered ? "true" : "false", "}");
    comma = ",";
  }
  out->push_back(']');
}

void AppendElementJson(const ExplainedElement& element, std::string* out) {
  absl::StrAppend(out, ",\"element\":{\"name\":", Quoted(element.name));
  if (element.pen.has_value()) absl::StrAppend(out, ",\"pen\":", *element.pen, ",\"id\":", element.id);
  if (element.position != 0) absl::StrAppend(out, ",\"field\":", element.position);
  if (element.offset.has_value()) absl::StrAppend(out, ",\"offset\":", *element.offset);
  absl::StrAppend(out, ",\"octets\":\"", absl::BytesToHexString(element.octets), "\"");
  if (element.converted) out->append(",\"converted\":true");
  out->push_back('}');
}

void AppendJson(const ExplainedRecord& record, std::string* out) {
  absl::StrAppend(out, "{\"record\":", record.number, ",\"file\":", Quoted(record.file), ",\"", record.unit,
                  "\":", record.unit_number, ",\"time\":\"", TimeText(record.time_nanos),
                  "\",\"octets\":", record.octets);
  if (!record.protocol.empty()) {
    absl::StrAppend(out, ",\"export\":", Quoted(record.protocol), ",\"from\":\"", record.source.ToString(),
                    "\",\"port\":", record.source_port);
  }
  if (!record.protocol.empty()) {
    absl::StrAppend(out, ",\"exporter\":\"", record.exporter.ToString(), "\",\"domain\":", record.domain);
  }
  if (record.set.has_value()) {
    absl::StrAppend(out, ",\"set\":{\"number\":", record.set->number, ",\"offset\":", record.set->offset,
                    ",\"octets\":", record.set->octets, "}");
  }
  if (record.offset.has_value()) absl::StrAppend(out, ",\"offset\":", *record.offset);
  if (record.held) out->append(",\"held\":true");
  if (record.reverse) out->append(",\"reverse\":true");
  if (record.template_id != 0) absl::StrAppend(out, ",\"template\":", record.template_id);
  if (!record.sampling.empty()) {
    out->append(",\"sampling\":[");
    for (size_t i = 0; i < record.sampling.size(); ++i) {
      const record::SamplingReport& sampling = record.sampling[i];
      absl::StrAppend(out, i == 0 ? "" : ",", "{\"what\":", Quoted(sampling.what), ",\"rate\":", sampling.rate,
                      ",\"source\":\"", record::SamplingSourceName(sampling.source), "\"}");
    }
    out->push_back(']');
  }
  AppendRoutesJson("routes", record.destination_routes, out);
  AppendRoutesJson("src_routes", record.source_routes, out);
  if (!record.rules.empty()) {
    out->append(",\"rules\":[");
    for (size_t i = 0; i < record.rules.size(); ++i) {
      absl::StrAppend(out, i == 0 ? "" : ",", "{\"place\":", Quoted(record.rules[i].first),
                      ",\"rule\":", Quoted(record.rules[i].second), "}");
    }
    out->push_back(']');
  }
  if (!record.dropped_by.empty()) absl::StrAppend(out, ",\"dropped_by\":", Quoted(record.dropped_by));
  out->append(",\"fields\":{");
  absl::string_view comma;
  for (const ExplainedField& field : record.fields) {
    absl::StrAppend(out, comma, "\"", record::Info(field.field).name, "\":[");
    comma = ",";
    if (field.steps.empty()) {
      absl::StrAppend(out, "{\"value\":null,\"why\":", Quoted(field.absent), "}");
    }
    absl::string_view step_comma;
    for (const ExplainedStep& step : field.steps) {
      absl::StrAppend(out, step_comma, "{\"value\":", step.value.json.empty() ? "null" : step.value.json,
                      ",\"by\":", Quoted(step.by), ",\"from\":", Quoted(step.detail));
      if (step.element.has_value()) AppendElementJson(*step.element, out);
      out->push_back('}');
      step_comma = ",";
    }
    out->push_back(']');
  }
  out->append("}}\n");
}

}  // namespace

std::string ExplanationAsText(const Explanation& explanation) {
  std::string out;
  for (const ExplainedRecord& record : explanation.records) {
    if (!out.empty()) out.push_back('\n');
    AppendText(record, &out);
  }
  return out;
}

std::string ExplanationAsJson(const Explanation& explanation) {
  std::string out;
  for (const ExplainedRecord& record : explanation.records) AppendJson(record, &out);
  return out;
}

}  // namespace flowacct::collector
