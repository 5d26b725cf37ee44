#include "flowacct/record/field_document.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/record/field.h"
#include "flowacct/record/value_text.h"

namespace flowacct::record {
namespace {

absl::string_view KindName(FieldKind kind) {
  static constexpr absl::string_view kNames[] = {"key", "counter", "time", "attribute"};
  return kNames[static_cast<size_t>(kind)];
}

const FieldInfo& InfoAt(size_t i) { return Info(static_cast<FieldId>(i)); }

// "8" for IANA's, "2636:137" for an enterprise's, "" for none.
std::string ElementText(const FieldInfo& info) {
  if (info.element == 0) return "";
  return info.pen == 0 ? absl::StrCat(info.element) : absl::StrCat(info.pen, ":", info.element);
}

// One column of every form of the document.
struct Part {
  absl::string_view name;   // of the JSON member and the CSV column
  absl::string_view title;  // for people
  std::string (*text)(const FieldInfo& info);
  bool in_table;  // what fits a terminal's width
};

constexpr Part kParts[] = {
    {"name", "field", [](const FieldInfo& f) { return std::string(f.name); }, true},
    {"type", "type", [](const FieldInfo& f) { return std::string(FieldTypeName(f.type)); }, true},
    {"kind", "kind", [](const FieldInfo& f) { return std::string(KindName(f.kind)); }, true},
    {"unit", "unit", [](const FieldInfo& f) { return std::string(f.unit); }, false},
    {"ipfix_element", "element", ElementText, false},
    {"ipfix_name", "IPFIX name", [](const FieldInfo& f) { return std::string(f.ipfix_name); }, false},
    {"pmacct_primitive", "pmacct primitive", [](const FieldInfo& f) { return std::string(f.pmacct_primitive); }, true},
    {"pmacct_json", "pmacct JSON", [](const FieldInfo& f) { return std::string(f.pmacct_output); }, false},
    {"pmacct_csv", "pmacct CSV", [](const FieldInfo& f) { return std::string(f.pmacct_csv_title); }, false},
    {"help", "meaning", [](const FieldInfo& f) { return std::string(f.help); }, true},
};

// A bar would end a cell.
std::string MarkdownCell(absl::string_view text, bool code) {
  std::string cell;
  for (const char c : text) absl::StrAppend(&cell, c == '|' ? "\\" : "", absl::string_view(&c, 1));
  return code && !cell.empty() ? absl::StrCat("`", cell, "`") : cell;
}

// RFC 4180, 2.6 and 2.7.
std::string CsvCell(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) absl::StrAppend(&cell, c == '"' ? "\"" : "", absl::string_view(&c, 1));
  return absl::StrCat(cell, "\"");
}

}  // namespace

std::string FieldsAsMarkdown() {
  std::string out =
      "# Fields\n"
      "\n"
      "Every field that a record may have. Wherever a field is named, its name here, its IPFIX name, and pmacct's\n"
      "primitive, JSON name and CSV title are understood alike; `--naming` chooses which of them an output has.\n"
      "A `key` groups, a `counter` is summed, a `time` bounds a flow, and an `attribute` is told with a record and\n"
      "may be a key, too. [output.md](reference/output.md) shows how each type is written.\n"
      "\n"
      "This file is made by `flowacct fields --format markdown` from `flowacct/record/fields.def`.\n"
      "\n";
  for (const Part& part : kParts) absl::StrAppend(&out, "| ", part.title, " ");
  out.append("|\n");
  for (size_t i = 0; i < sizeof(kParts) / sizeof(kParts[0]); ++i) out.append("| --- ");
  out.append("|\n");
  for (size_t i = 0; i < kFieldCount; ++i) {
    for (const Part& part : kParts) {
      const bool code = part.name == "name" || part.name == "pmacct_primitive";
      absl::StrAppend(&out, "| ", MarkdownCell(part.text(InfoAt(i)), code), " ");
    }
    out.append("|\n");
  }
  return out;
}

std::string FieldsAsTable() {
  std::string out;
  std::vector<size_t> widths;
  for (const Part& part : kParts) {
    size_t width = part.title.size();
    for (size_t i = 0; i < kFieldCount; ++i) width = std::max(width, part.text(InfoAt(i)).size());
    widths.push_back(width);
  }
  for (size_t row = 0; row <= kFieldCount; ++row) {
    for (size_t p = 0; p < widths.size(); ++p) {
      if (!kParts[p].in_table) continue;
      const std::string text = row == 0 ? std::string(kParts[p].title) : kParts[p].text(InfoAt(row - 1));
      const bool last = p + 1 == widths.size();
      absl::StrAppend(&out, text, last ? "\n" : std::string(widths[p] - text.size() + 2, ' '));
    }
  }
  return out;
}

std::string FieldsAsJson() {
  std::string out;
  for (size_t i = 0; i < kFieldCount; ++i) {
    absl::string_view comma;
    out.push_back('{');
    for (const Part& part : kParts) {
      const std::string text = part.text(InfoAt(i));
      if (text.empty()) continue;
      absl::StrAppend(&out, comma);
      AppendJsonString(part.name, &out);
      out.push_back(':');
      AppendJsonString(text, &out);
      comma = ",";
    }
    out.append("}\n");
  }
  return out;
}

std::string FieldsAsCsv() {
  std::string out;
  for (size_t row = 0; row <= kFieldCount; ++row) {
    absl::string_view comma;
    for (const Part& part : kParts) {
      absl::StrAppend(&out, comma, row == 0 ? std::string(part.name) : CsvCell(part.text(InfoAt(row - 1))));
      comma = ",";
    }
    out.push_back('\n');
  }
  return out;
}

}  // namespace flowacct::record
