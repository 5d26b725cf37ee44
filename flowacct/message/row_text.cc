#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/message/row_columns.h"
#include "flowacct/record/value_text.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;

// What is the same for all rows of a batch.
struct BatchFact {
  absl::string_view name;
  void (*append)(const AggregateBatch& batch, std::string* out);
};

void AppendSeconds(const aggregate::TimeBin& bin, int64_t nanos, std::string* out) {
  if (!HasBin(bin)) return;
  // Rounded down, also before 1970.
  absl::StrAppend(out, nanos / 1000000000 - (nanos % 1000000000 < 0 ? 1 : 0));
}

constexpr BatchFact kFacts[] = {
    {"bin_start",
     [](const AggregateBatch& batch, std::string* out) { AppendSeconds(batch.bin(), batch.bin().start_nanos, out); }},
    {"bin_end",
     [](const AggregateBatch& batch, std::string* out) { AppendSeconds(batch.bin(), batch.bin().end_nanos, out); }},
    {"collector",
     [](const AggregateBatch& batch, std::string* out) { record::AppendUtf8(batch.identity().collector, out); }},
    {"pipeline",
     [](const AggregateBatch& batch, std::string* out) { record::AppendUtf8(batch.identity().pipeline, out); }},
};

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("text \"", text, "\": ", why));
}

}  // namespace

struct RowText::Parts {
  struct Part {
    std::string literal;  // comes before the value
    const BatchFact* fact = nullptr;
    bool has_column = false;
    RowColumn column;
  };
  std::vector<Part> parts;
};

RowText::RowText(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RowText::RowText(RowText&&) = default;
RowText& RowText::operator=(RowText&&) = default;
RowText::~RowText() = default;

absl::StatusOr<RowText> RowText::Parse(absl::string_view text, const aggregate::Schema& schema) {
  const std::vector<RowColumn> columns = RowColumns(schema);
  auto parts = std::make_unique<Parts>();
  Parts::Part part;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
      part.literal.push_back(c);
      ++at;
    } else if (c == '}') {
      return Wrong(text, "a } closes nothing; a brace itself is }}");
    } else if (c != '{') {
      part.literal.push_back(c);
    } else {
      const size_t end = text.find('}', at);
      if (end == absl::string_view::npos) return Wrong(text, "a { is not closed by }; a brace itself is {{");
      const absl::string_view name = absl::StripAsciiWhitespace(text.substr(at + 1, end - at - 1));
      at = end;
      for (const BatchFact& fact : kFacts) {
        if (absl::EqualsIgnoreCase(fact.name, name)) part.fact = &fact;
      }
      if (const RowColumn* const column = FindRowColumn(columns, name); part.fact == nullptr && column != nullptr) {
        part.has_column = true;
        part.column = *column;
      }
      if (part.fact == nullptr && !part.has_column) {
        std::string names;
        for (const RowColumn& column : columns) absl::StrAppend(&names, column.name, ", ");
        for (const BatchFact& fact : kFacts) absl::StrAppend(&names, &fact == kFacts ? "" : ", ", fact.name);
        return Wrong(text, absl::StrCat("there is no {", name, "} here; there are ", names));
      }
      parts->parts.push_back(std::move(part));
      part = Parts::Part();
    }
  }
  if (!part.literal.empty()) parts->parts.push_back(std::move(part));
  return RowText(std::move(parts));
}

bool RowText::is_constant() const {
  for (const Parts::Part& part : parts_->parts) {
    if (part.has_column) return false;
  }
  return true;
}

void RowText::Append(const AggregateBatch& batch, size_t row, std::string* out) const {
  for (const Parts::Part& part : parts_->parts) {
    out->append(part.literal);
    if (part.fact != nullptr) part.fact->append(batch, out);
    if (part.has_column) AppendCellText(part.column, batch, row, out);
  }
}

}  // namespace flowacct::message
