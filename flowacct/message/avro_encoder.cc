// Avro 1.11's binary encoding ("Specification", Binary encoding). Names and values are those of JSON
// (text_encoders.cc), with times as numbers; a key's field that is absent is null.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/message/encoders.h"
#include "flowacct/message/exact_octets.h"
#include "flowacct/message/row_columns.h"
#include "flowacct/message/wire_format.h"
#include "flowacct/record/value_text.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using record::FieldType;
using Source = RowColumn::Source;

constexpr absl::string_view kTime = R"({"type":"long","logicalType":"timestamp-nanos"})";
// A whole number, whatever its size: above 2^63 - 1, which a long cannot hold, as decimal digits.
constexpr absl::string_view kAnyNumber = R"("long","string")";

// The types that a value may have, without brackets.
absl::string_view AvroTypes(const RowColumn& column) {
  if (column.source == Source::kText) return R"("string")";
  switch (column.type) {
    case FieldType::kU8:
    case FieldType::kU16:
    case FieldType::kTcpFlags:
      return R"("int")";
    case FieldType::kU32:
      return R"("long")";
    case FieldType::kU64:
      return kAnyNumber;
    case FieldType::kTime:
      return kTime;
    case FieldType::kCoordinates:
      return R"({"type":"array","items":"float"})";
    case FieldType::kLabelStack:
      return R"({"type":"array","items":["int","string"]})";
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return R"({"type":"array","items":"string"})";
    default:
      return R"("string")";
  }
}

bool MayBeAbsent(const RowColumn& column) {
  return column.source == Source::kKey || column.function == aggregate::Function::kMin ||
         column.function == aggregate::Function::kMax;
}

// Avro's names are letters, digits and '_' ("Names"): "max(ttl)" is max_ttl.
std::string AvroName(absl::string_view name, const std::vector<std::string>& taken) {
  std::string fit;
  for (const char c : name) fit.push_back(absl::ascii_isalnum(c) ? c : '_');
  while (fit.size() > 1 && fit.back() == '_' && name.back() != '_') fit.pop_back();
  if (fit.empty() || absl::ascii_isdigit(fit[0])) fit.insert(fit.begin(), '_');
  const std::string first = fit;
  for (int n = 2; std::find(taken.begin(), taken.end(), fit) != taken.end(); ++n) fit = absl::StrCat(first, "_", n);
  return fit;
}

void AppendLong(int64_t number, std::string* out) {
  char octets[kMaxVarintSize];
  const uint64_t zigzag = static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63);
  out->append(octets, static_cast<size_t>(WriteVarint(zigzag, octets) - octets));
}

void AppendString(absl::string_view text, std::string* out) {
  AppendLong(static_cast<int64_t>(text.size()), out);
  out->append(text.data(), text.size());
}

class AvroEncoder : public RecordEncoder {
 public:
  explicit AvroEncoder(const aggregate::Schema& schema) : columns_(RowColumns(schema)) {
    schema_ = R"({"type":"record","name":"FlowRecord","namespace":"flowacct","fields":[)"
              R"({"name":"correction","type":"boolean","default":false},)"
              R"({"name":"incomplete","type":"boolean","default":false},)"
              R"({"name":"overflow","type":"boolean","default":false})";
    std::vector<std::string> names = {"correction", "incomplete", "overflow"};
    for (const absl::string_view name : {"bin_start", "bin_end"}) {
      absl::StrAppend(&schema_, R"(,{"name":")", name, R"(","type":["null",)", kTime, R"(],"default":null})");
      names.emplace_back(name);
    }
    for (const RowColumn& column : columns_) {
      names.push_back(AvroName(column.name, names));
      absl::StrAppend(&schema_, R"(,{"name":")", names.back(), "\"");
      if (names.back() != column.name) {
        schema_ += R"(,"doc":)";
        record::AppendJsonString(column.name, &schema_);
      }
      const absl::string_view types = AvroTypes(column);
      if (MayBeAbsent(column)) {
        absl::StrAppend(&schema_, R"(,"type":["null",)", types, R"(],"default":null})");
      } else if (types == kAnyNumber) {
        absl::StrAppend(&schema_, R"(,"type":[)", types, "]}");
      } else {
        absl::StrAppend(&schema_, R"(,"type":)", types, "}");
      }
    }
    schema_ += "]}";
  }

  void Append(const AggregateBatch& batch, size_t row, std::string* out) override {
    out->push_back(batch.correction() ? 1 : 0);
    out->push_back(batch.incomplete() ? 1 : 0);
    out->push_back(batch.is_overflow(row) ? 1 : 0);
    for (const int64_t nanos : {batch.bin().start_nanos, batch.bin().end_nanos}) {
      AppendLong(HasBin(batch.bin()) ? 1 : 0, out);
      if (HasBin(batch.bin())) AppendLong(nanos, out);
    }
    for (const RowColumn& column : columns_) AppendColumn(column, batch, row, out);
  }
  std::string Header() const override { return ""; }
  std::string SchemaText() const override { return schema_; }
  absl::string_view content_type() const override { return "avro/binary"; }

 private:
  void AppendColumn(const RowColumn& column, const AggregateBatch& batch, size_t row, std::string* out) {
    // Of a union comes first which of its types it is.
    const bool nullable = MayBeAbsent(column);
    if (nullable && !HasValue(column, batch, row)) return AppendLong(0, out);
    const int64_t first_type = nullable ? 1 : 0;
    if (column.source != Source::kText && column.type == FieldType::kU64) {
      const absl::uint128 number = column.source == Source::kKey
                                       ? base::LoadHost<uint64_t>(batch.key(row).octets() + column.offset)
                                       : batch.wide_value(row, column.offset);
      if (number <= static_cast<uint64_t>(INT64_MAX)) {
        AppendLong(first_type, out);
        AppendLong(static_cast<int64_t>(number), out);
      } else {
        AppendLong(first_type + 1, out);
        text_.clear();
        AppendWideNumber(number, &text_);
        AppendString(text_, out);
      }
      return;
    }
    if (nullable) AppendLong(first_type, out);
    const uint8_t* const value =
        column.source == Source::kKey ? batch.key(row).octets() + column.offset : batch.values(row) + 8 * column.offset;
    switch (column.source == Source::kText ? FieldType::kString : column.type) {
      case FieldType::kU8:
        return AppendLong(*value, out);
      case FieldType::kU16:
      case FieldType::kTcpFlags:
        return AppendLong(base::LoadHost<uint16_t>(value), out);
      case FieldType::kU32:
        return AppendLong(base::LoadHost<uint32_t>(value), out);
      case FieldType::kTime:
        return AppendLong(base::LoadHost<int64_t>(value), out);
      case FieldType::kCoordinates:
        AppendLong(2, out);
        out->append(reinterpret_cast<const char*>(value), 8);  // two floats, little-endian
        return AppendLong(0, out);
      case FieldType::kLabelStack:
        return AppendLabels(base::LoadHost<base::InternId>(value), batch.interner(), out);
      case FieldType::kCommunities:
      case FieldType::kExtCommunities:
      case FieldType::kLargeCommunities:
        return AppendTexts(column, value, batch.interner(), out);
      default:
        text_.clear();
        AppendCellText(column, batch, row, &text_);
        return AppendString(text_, out);
    }
  }

  void AppendLabels(base::InternId id, const base::Interner& interner, std::string* out) {
    if (id == base::Interner::kOverflowId) {
      AppendLong(1, out);
      AppendLong(1, out);
      AppendString(base::AsText(interner.Find(id)), out);
    } else {
      ListOfOctets(FieldType::kLabelStack, interner.Find(id), &numbers_);
      if (!numbers_.empty()) AppendLong(static_cast<int64_t>(numbers_.size()), out);
      for (const uint64_t label : numbers_) {
        AppendLong(0, out);
        AppendLong(static_cast<int64_t>(label), out);
      }
    }
    AppendLong(0, out);
  }

  void AppendTexts(const RowColumn& column, const uint8_t* value, const base::Interner& interner, std::string* out) {
    text_.clear();
    record::AppendText(column.type, value, interner, &text_);
    if (!text_.empty()) {
      AppendLong(1 + std::count(text_.begin(), text_.end(), ' '), out);
      for (absl::string_view rest = text_; !rest.empty();) {
        const absl::string_view item = rest.substr(0, rest.find(' '));
        AppendString(item, out);
        rest.remove_prefix(std::min(item.size() + 1, rest.size()));
      }
    }
    AppendLong(0, out);
  }

  const std::vector<RowColumn> columns_;
  std::string schema_;
  std::string text_;
  std::vector<uint64_t> numbers_;
};

}  // namespace

std::unique_ptr<RecordEncoder> NewAvroEncoder(const aggregate::Schema& schema) {
  return std::make_unique<AvroEncoder>(schema);
}

}  // namespace flowacct::message
