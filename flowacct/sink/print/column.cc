#include "flowacct/sink/print/column.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/print/pmacct_text.h"

namespace flowacct::sink::print {
namespace {

using aggregate::Function;
using aggregate::ValueColumn;
using record::FieldId;
using record::FieldInfo;
using record::FieldType;

std::string FieldTitle(FieldId field, const record::Layout& layout, const PrintOptions& options) {
  const FieldInfo& info = record::Info(field);
  if (options.naming == Naming::kIpfix && !info.ipfix_name.empty()) return std::string(info.ipfix_name);
  if (options.naming == Naming::kPmacct) {
    if (options.format == PrintFormat::kCsv) {
      return info.pmacct_csv_title.empty() ? absl::AsciiStrToUpper(layout.NameOf(field))
                                           : std::string(info.pmacct_csv_title);
    }
    if (!info.pmacct_output.empty()) return std::string(info.pmacct_output);
  }
  return std::string(layout.NameOf(field));
}

// "min(ttl)" becomes "min(ipTTL)"; a name that is not of that form stays.
std::string ValueTitle(const ValueColumn& value, const record::Layout& layout, const PrintOptions& options) {
  const absl::string_view canonical = layout.NameOf(value.field);
  const std::string title = FieldTitle(value.field, layout, options);
  if (value.function == Function::kSum && value.name == canonical) return title;
  const std::string argument = absl::StrCat("(", canonical, ")");
  if (!absl::EndsWith(value.name, argument)) return value.name;
  return absl::StrCat(value.name.substr(0, value.name.size() - argument.size()), "(", title, ")");
}

bool IsNumber(FieldType type) { return type <= FieldType::kU64; }

Column KeyColumn(FieldId field, const record::Layout& layout, const PrintOptions& options) {
  const FieldType type = record::Info(field).type;
  const bool json = options.format == PrintFormat::kJson;
  Column column;
  column.title = FieldTitle(field, layout, options);
  column.type = type;
  column.offset = layout.offset(field);
  column.presence = layout.index(field);
  column.fixed = json ? record::FixedJsonFormatter(type) : record::FixedTextFormatter(type);
  column.interned = json ? record::AppendIdJson : record::AppendIdText;
  column.omit_absent = json;
  column.absent = options.format == PrintFormat::kTable ? "-" : "";
  column.right = IsNumber(type);
  column.quote_fixed = type == FieldType::kCoordinates;
  if (options.naming == Naming::kPmacct && options.format != PrintFormat::kTable) {
    FormatAsPmacct(field, options.format, &column);
  }
  return column;
}

Column ValueColumnOf(const ValueColumn& value, size_t index, const record::Layout& layout,
                     const PrintOptions& options) {
  Column column;
  column.title = ValueTitle(value, layout, options);
  column.offset = index;
  column.right = true;
  if (value.function == Function::kTop) {
    column.source = Source::kText;
    column.right = false;
    return column;
  }
  column.source = Source::kValue;
  column.summed = value.function == Function::kSum;
  const FieldType type = record::Info(value.field).type;
  // Numbers come as 64 bits whatever the field's size; a smaller type reads the low octets, which come first.
  const bool typed = value.function == Function::kMin || value.function == Function::kMax;
  if (typed && !record::IsInterned(type) && record::FieldTypeSize(type) <= 8 && !IsNumber(type)) {
    const bool json = options.format == PrintFormat::kJson;
    column.type = type;
    column.fixed = json ? record::FixedJsonFormatter(type) : record::FixedTextFormatter(type);
    column.quote_fixed = type == FieldType::kCoordinates;
    column.right = false;
    if (options.naming == Naming::kPmacct && options.format != PrintFormat::kTable) {
      FormatAsPmacct(value.field, options.format, &column);
    }
  } else {
    column.fixed = record::FixedTextFormatter(FieldType::kU64);
    column.counts = true;
  }
  return column;
}

// pmacct has latitude and longitude in columns of their own.
void SplitCoordinates(std::vector<Column>* columns) {
  for (size_t i = 0; i < columns->size(); ++i) {
    if ((*columns)[i].source != Source::kKey || (*columns)[i].type != FieldType::kCoordinates) continue;
    Column second = (*columns)[i];
    const std::vector<std::string> titles = absl::StrSplit(second.title, ',');
    if (titles.size() != 2) continue;
    (*columns)[i].title = titles[0];
    second.title = titles[1];
    second.offset += 4;
    columns->insert(columns->begin() + static_cast<ptrdiff_t>(++i), second);
  }
}

Column BinColumn(size_t which, const PrintOptions& options) {
  const bool json = options.format == PrintFormat::kJson;
  Column column;
  column.source = Source::kBin;
  column.offset = which;
  column.type = FieldType::kTime;
  column.title = which == 0 ? "bin_start" : "bin_end";
  column.fixed = json ? record::FixedJsonFormatter(FieldType::kTime) : record::FixedTextFormatter(FieldType::kTime);
  if (options.naming == Naming::kPmacct) {
    FormatAsPmacct(FieldId::kStartTime, options.format, &column);
    column.title = which == 0 ? "stamp_inserted" : "stamp_updated";
    column.fixed = WritePmacctSeconds;
    if (json) {
      column.fixed = [](const uint8_t* value, char* out) {
        *out++ = '"';
        out = WritePmacctSeconds(value, out);
        *out++ = '"';
        return out;
      };
    } else {
      column.title = absl::AsciiStrToUpper(column.title);
    }
  }
  return column;
}

size_t PmacctCounterRank(FieldId field) {
  return field == FieldId::kPackets ? 0 : field == FieldId::kFlows ? 1 : field == FieldId::kBytes ? 2 : 3;
}

}  // namespace

std::vector<Column> Columns(const aggregate::Schema& schema, const PrintOptions& options, bool bins) {
  const bool pmacct = options.naming == Naming::kPmacct && options.format != PrintFormat::kTable;
  std::vector<Column> columns;
  if (pmacct && options.format == PrintFormat::kJson) {
    Column event;
    event.source = Source::kConstant;
    event.title = "event_type";
    event.absent = "\"purge\"";
    columns.push_back(event);
  }
  if (bins && !pmacct) {
    columns.push_back(BinColumn(0, options));
    columns.push_back(BinColumn(1, options));
  }
  std::vector<FieldId> keys(schema.key.fields().begin(), schema.key.fields().end());
  if (pmacct) {
    std::stable_sort(keys.begin(), keys.end(), [](FieldId a, FieldId b) { return PmacctRank(a) < PmacctRank(b); });
  }
  for (const FieldId field : keys) columns.push_back(KeyColumn(field, schema.key, options));
  if (pmacct) SplitCoordinates(&columns);
  if (bins && pmacct) {
    columns.push_back(BinColumn(0, options));
    columns.push_back(BinColumn(1, options));
  }
  std::vector<size_t> order(schema.values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (pmacct) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return PmacctCounterRank(schema.values[a].field) < PmacctCounterRank(schema.values[b].field);
    });
  }
  for (const size_t i : order) columns.push_back(ValueColumnOf(schema.values[i], i, schema.key, options));
  return columns;
}

size_t FindValueColumn(const aggregate::Schema& schema, absl::string_view name) {
  for (size_t i = 0; i < schema.values.size(); ++i) {
    if (absl::EqualsIgnoreCase(schema.values[i].name, name)) return i;
  }
  const std::optional<FieldId> field = record::FindField(name);
  for (size_t i = 0; field.has_value() && i < schema.values.size(); ++i) {
    if (schema.values[i].field == *field && schema.values[i].function == Function::kSum) return i;
  }
  return kNoColumn;
}

}  // namespace flowacct::sink::print
