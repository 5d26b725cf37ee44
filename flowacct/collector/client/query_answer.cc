#include "flowacct/collector/client/query_answer.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/client/text_grid.h"
#include "flowacct/record/field.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

// Not by recursion: the text may come from anybody who answers at that address.
constexpr unsigned kParseFlags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;

absl::Status NoAnswer(absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("the answer to the query is none: ", why));
}

// Fills an answer while the text is parsed: what stands in rows goes straight into cells, numbers as their digits.
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  explicit Handler(QueryAnswer* answer) : answer_(answer) {}

  bool Null() { return Scalar(QueryAnswer::Kind::kAbsent, ""); }
  bool Bool(bool value) {
    if (depth_ == 1 && key_ == "incomplete") {
      answer_->incomplete = value;
      return true;
    }
    return Scalar(QueryAnswer::Kind::kOther, value ? "true" : "false");
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1 && key_ == "groups") return absl::SimpleAtoi(absl::string_view(text, size), &answer_->groups);
    return Scalar(QueryAnswer::Kind::kNumber, absl::string_view(text, size));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 2 && key_ == "columns") {
      answer_->columns.emplace_back(text, size);
      return true;
    }
    if (depth_ == 2 && key_ == "report") {
      answer_->report.emplace_back(text, size);
      return true;
    }
    return Scalar(QueryAnswer::Kind::kText, absl::string_view(text, size));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1) key_.assign(text, size);
    if (InCell()) {
      Append(absl::StrCat(Separator(), Quoted(absl::string_view(text, size)), ":"));
      after_key_ = true;
    }
    return true;
  }
  bool StartObject() { return Start('{'); }
  bool EndObject(rapidjson::SizeType) { return End('}'); }
  bool StartArray() { return Start('['); }
  bool EndArray(rapidjson::SizeType) { return End(']'); }

  bool has_columns() const { return has_columns_; }

 private:
  static std::string Quoted(absl::string_view text) {
    std::string quoted;
    record::AppendJsonString(text, &quoted);
    return quoted;
  }

  bool InRow() const { return depth_ == 3 && key_ == "rows"; }
  // Within a cell that is a list or an object.
  bool InCell() const { return depth_ > 3 && key_ == "rows"; }
  absl::string_view Separator() const {
    const char last = answer_->rows.back().back().text.back();
    return after_key_ || last == '[' || last == '{' ? "" : ",";
  }
  void Append(absl::string_view text) {
    absl::StrAppend(&answer_->rows.back().back().text, text);
    after_key_ = false;
  }

  bool Scalar(QueryAnswer::Kind kind, absl::string_view text) {
    if (InRow()) {
      answer_->rows.back().push_back({kind, std::string(text)});
    } else if (InCell()) {
      Append(absl::StrCat(Separator(), kind == QueryAnswer::Kind::kText     ? Quoted(text)
                                       : kind == QueryAnswer::Kind::kAbsent ? "null"
                                                                            : std::string(text)));
    } else if (depth_ == 2 && (key_ == "rows" || key_ == "columns")) {
      return false;
    }
    return true;
  }
  bool Start(char bracket) {
    if (depth_ == 0 && bracket != '{') return false;
    if (depth_ == 1 && key_ == "columns") has_columns_ = true;
    if (depth_ == 2 && key_ == "rows") {
      if (bracket != '[') return false;
      answer_->rows.emplace_back();
    } else if (InRow()) {
      answer_->rows.back().push_back({QueryAnswer::Kind::kOther, std::string(1, bracket)});
    } else if (InCell()) {
      Append(absl::StrCat(Separator(), absl::string_view(&bracket, 1)));
    }
    ++depth_;
    return true;
  }
  bool End(char bracket) {
    --depth_;
    if (depth_ >= 3 && key_ == "rows") Append(absl::string_view(&bracket, 1));
    return true;
  }

  QueryAnswer* const answer_;
  bool has_columns_ = false;
  int depth_ = 0;
  std::string key_;  // of the outermost object
  bool after_key_ = false;
};

std::string CsvValue(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace

absl::StatusOr<QueryAnswer> QueryAnswer::FromJson(absl::string_view json) {
  QueryAnswer answer;
  Handler handler(&answer);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  const rapidjson::ParseResult parsed = reader.Parse<kParseFlags>(stream, handler);
  if (parsed.IsError()) return NoAnswer(absl::StrCat("no JSON of a table, from octet ", parsed.Offset(), " on"));
  if (!handler.has_columns()) return NoAnswer("it has no columns");
  for (size_t i = 0; i < answer.rows.size(); ++i) {
    if (answer.rows[i].size() != answer.columns.size()) {
      return NoAnswer(
          absl::StrCat("row ", i, " has ", answer.rows[i].size(), " values for ", answer.columns.size(), " columns"));
    }
  }
  return answer;
}

bool QueryAnswer::IsCounter(size_t index) const {
  const absl::string_view name = columns[index];
  if (absl::StartsWith(name, "distinct(")) return true;
  const std::optional<record::FieldId> field = record::FindField(name);
  return field && record::Info(*field).kind == record::FieldKind::kCounter;
}

std::string QueryAnswer::AsTable() const {
  if (rows.empty()) return incomplete ? "no traffic was accounted yet\n" : "no traffic was accounted\n";
  std::vector<bool> counters, right;
  for (size_t i = 0; i < columns.size(); ++i) {
    counters.push_back(IsCounter(i));
    bool numbers = false;
    for (const std::vector<Cell>& row : rows) numbers = numbers || row[i].kind == Kind::kNumber;
    right.push_back(numbers);
  }
  TextGrid grid(right);
  for (const std::string& column : columns) grid.Add(Printable(column), Style::kBold);
  for (const std::vector<Cell>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i].kind == Kind::kAbsent) {
        grid.Add("-");
      } else {
        grid.Add(counters[i] && row[i].kind == Kind::kNumber ? GroupDigits(row[i].text) : Printable(row[i].text));
      }
    }
  }
  std::string text;
  for (const Line& line : grid.Lines()) absl::StrAppend(&text, line.Render(/*color=*/false), "\n");
  if (groups > rows.size()) absl::StrAppend(&text, "and ", GroupDigits(absl::StrCat(groups - rows.size())), " more\n");
  if (incomplete) absl::StrAppend(&text, "the bin is still filling\n");
  return text;
}

std::string QueryAnswer::AsCsv() const {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) absl::StrAppend(&text, i == 0 ? "" : ",", CsvValue(columns[i]));
  absl::StrAppend(&text, "\n");
  for (const std::vector<Cell>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) absl::StrAppend(&text, i == 0 ? "" : ",", CsvValue(row[i].text));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string QueryAnswer::AsJsonLines() const {
  std::string text;
  for (const std::vector<Cell>& row : rows) {
    absl::string_view join = "{";
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i].kind == Kind::kAbsent) continue;
      absl::StrAppend(&text, join);
      record::AppendJsonString(columns[i], &text);
      text.push_back(':');
      if (row[i].kind == Kind::kText) {
        record::AppendJsonString(row[i].text, &text);
      } else {
        text.append(row[i].text);
      }
      join = ",";
    }
    absl::StrAppend(&text, join == "{" ? "{" : "", "}\n");
  }
  return text;
}

}  // namespace flowacct::collector
