#include "flowacct/collector/looking_glass/json_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {

JsonRows::JsonRows(absl::Span<const absl::string_view> columns) {
  json_ = "\"columns\":[";
  absl::string_view comma;
  for (absl::string_view column : columns) {
    absl::StrAppend(&json_, comma, "\"", column, "\"");
    comma = ",";
  }
  json_ += "],\"rows\":[";
}

void JsonRows::Row() {
  absl::StrAppend(&json_, rows_ == 0 ? "[" : "],[");
  ++rows_;
  comma_ = "";
}

std::string* JsonRows::Next() {
  absl::StrAppend(&json_, comma_);
  comma_ = ",";
  return &json_;
}

void JsonRows::Text(absl::string_view text) { record::AppendJsonString(text, Next()); }
void JsonRows::Number(uint64_t number) { absl::StrAppend(Next(), number); }
void JsonRows::Absent() { absl::StrAppend(Next(), "null"); }

void JsonRows::Time(absl::Time time) {
  const bool whole = time == absl::FromUnixSeconds(absl::ToUnixSeconds(time));
  Text(absl::FormatTime(whole ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()));
}

void JsonRows::Octets(record::FieldType type, base::Octets octets) {
  if (octets.empty()) return Absent();
  std::string text;
  record::AppendInternedText(type, octets, &text);
  Text(text);
}

std::string JsonRows::Finish() && {
  json_ += rows_ == 0 ? "]" : "]]";
  return std::move(json_);
}

}  // namespace flowacct::collector
