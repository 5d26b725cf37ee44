// JSON (RFC 8259) and CSV (RFC 4180). Names and values are those that sink/print prints as JSON lines and CSV: values
// are record/value_text.h's.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/message/encoders.h"
#include "flowacct/message/row_columns.h"
#include "flowacct/record/value_text.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using Source = RowColumn::Source;

// A column with a formatter for its type, if its values have a fixed one and can be read as they lie.
struct FastColumn {
  RowColumn column;
  record::FixedFormatter fixed = nullptr;
  std::string prefix;  // JSON: "name":
};

std::string TimeText(int64_t nanos) {
  char text[record::kMaxFixedTextSize];
  return std::string(text, static_cast<size_t>(record::WriteTime(nanos, text) - text));
}

// The value's octets if a formatter for fixed types can read them; null: take the slow way.
const uint8_t* FixedOctets(const FastColumn& column, const uint8_t* key, const uint8_t* values, bool plain) {
  if (column.fixed == nullptr) return nullptr;
  if (column.column.source == Source::kKey) return key + column.column.offset;
  return plain ? values + 8 * column.column.offset : nullptr;
}

void AppendFixed(const FastColumn& column, const uint8_t* value, std::string* out) {
  char text[record::kMaxFixedTextSize];
  out->append(text, static_cast<size_t>(column.fixed(value, text) - text));
}

class JsonEncoder : public RecordEncoder {
 public:
  explicit JsonEncoder(const aggregate::Schema& schema) {
    for (RowColumn& column : RowColumns(schema)) {
      FastColumn fast;
      record::AppendJsonString(column.name, &fast.prefix);
      fast.prefix += ':';
      if (column.source != Source::kText) fast.fixed = record::FixedJsonFormatter(column.type);
      fast.column = std::move(column);
      columns_.push_back(std::move(fast));
    }
  }

  void Append(const AggregateBatch& batch, size_t row, std::string* out) override {
    const size_t begin = out->size();
    out->push_back('{');
    if (batch.correction()) out->append("\"correction\":true,");
    if (batch.incomplete()) out->append("\"incomplete\":true,");
    if (batch.is_overflow(row)) out->append("\"overflow\":true,");
    if (HasBin(batch.bin())) {
      if (batch.bin().start_nanos != bin_.start_nanos || batch.bin().end_nanos != bin_.end_nanos) {
        bin_ = batch.bin();
        bin_text_ = absl::StrCat("\"bin_start\":\"", TimeText(bin_.start_nanos), "\",\"bin_end\":\"",
                                 TimeText(bin_.end_nanos), "\",");
      }
      out->append(bin_text_);
    }
    const uint8_t* const key = batch.key(row).octets();
    const uint8_t* const values = batch.values(row);
    const bool plain = batch.values_are_plain();
    for (const FastColumn& column : columns_) {
      if (column.column.source == Source::kKey ? !HasKey(column.column, key)
                                               : !plain && !batch.has_value(row, column.column.offset)) {
        continue;
      }
      out->append(column.prefix);
      if (const uint8_t* const value = FixedOctets(column, key, values, plain)) {
        AppendFixed(column, value, out);
      } else {
        AppendCellJson(column.column, batch, row, out);
      }
      out->push_back(',');
    }
    if (out->size() == begin + 1) {
      out->push_back('}');
    } else {
      out->back() = '}';
    }
  }
  std::string Header() const override { return ""; }
  std::string SchemaText() const override { return ""; }
  absl::string_view content_type() const override { return "application/json"; }

 private:
  std::vector<FastColumn> columns_;
  aggregate::TimeBin bin_;
  std::string bin_text_;
};

// RFC 4180, 2.5-2.7: quotes where the text holds a separator, a quote or a line end.
void QuoteIfNeeded(size_t begin, std::string* text) {
  if (text->find_first_of(",\"\n\r", begin) == std::string::npos) return;
  for (size_t at = begin; (at = text->find('"', at)) != std::string::npos; at += 2) text->insert(at, 1, '"');
  text->insert(begin, 1, '"');
  text->push_back('"');
}

class CsvEncoder : public RecordEncoder {
 public:
  explicit CsvEncoder(const aggregate::Schema& schema) {
    header_ = "bin_start,bin_end";
    for (RowColumn& column : RowColumns(schema)) {
      header_ += ',';
      const size_t begin = header_.size();
      header_ += column.name;
      QuoteIfNeeded(begin, &header_);
      FastColumn fast;
      // The text of coordinates holds a comma.
      if (column.source != Source::kText && column.type != record::FieldType::kCoordinates) {
        fast.fixed = record::FixedTextFormatter(column.type);
      }
      fast.column = std::move(column);
      columns_.push_back(std::move(fast));
    }
  }

  void Append(const AggregateBatch& batch, size_t row, std::string* out) override {
    if (batch.bin().start_nanos != bin_.start_nanos || batch.bin().end_nanos != bin_.end_nanos) {
      bin_ = batch.bin();
      bin_text_ = HasBin(bin_) ? absl::StrCat(TimeText(bin_.start_nanos), ",", TimeText(bin_.end_nanos)) : ",";
    }
    out->append(bin_text_);
    const uint8_t* const key = batch.key(row).octets();
    const uint8_t* const values = batch.values(row);
    const bool plain = batch.values_are_plain();
    bool tell_overflow = batch.is_overflow(row);  // in the first column of a key
    for (const FastColumn& column : columns_) {
      out->push_back(',');
      if (column.column.source == Source::kKey) {
        const bool tell = tell_overflow;
        tell_overflow = false;
        if (!HasKey(column.column, key)) {
          if (tell) out->append("(overflow)");
          continue;
        }
      } else if (!plain && !batch.has_value(row, column.column.offset)) {
        continue;
      }
      if (const uint8_t* const value = FixedOctets(column, key, values, plain)) {
        AppendFixed(column, value, out);
      } else {
        const size_t begin = out->size();
        AppendCellText(column.column, batch, row, out);
        QuoteIfNeeded(begin, out);
      }
    }
  }
  std::string Header() const override { return header_; }
  std::string SchemaText() const override { return header_; }
  absl::string_view content_type() const override { return "text/csv"; }

 private:
  std::vector<FastColumn> columns_;
  std::string header_;
  aggregate::TimeBin bin_;
  std::string bin_text_ = ",";
};

}  // namespace

std::unique_ptr<RecordEncoder> NewJsonEncoder(const aggregate::Schema& schema) {
  return std::make_unique<JsonEncoder>(schema);
}

std::unique_ptr<RecordEncoder> NewCsvEncoder(const aggregate::Schema& schema) {
  return std::make_unique<CsvEncoder>(schema);
}

}  // namespace flowacct::message
