#include "flowacct/collector/server/bin_query.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/batch_rows.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/base/interner.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using aggregate::Schema;
using record::FieldId;

constexpr size_t kBlockRows = 1024;

std::string NamesOf(const Schema& schema) {
  return absl::StrJoin(schema.key.fields(), ", ",
                       [&](std::string* out, FieldId field) { absl::StrAppend(out, schema.key.NameOf(field)); });
}

absl::Status CheckFields(absl::Span<const FieldId> fields, const Schema& schema, absl::string_view what) {
  for (const FieldId field : fields) {
    if (schema.key.Has(field)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": the bins have no ", schema.key.NameOf(field), "; their key is ", NamesOf(schema)));
  }
  return absl::OkStatus();
}

void AppendValue(const AggregateBatch& batch, size_t row, size_t column, std::string* out) {
  if (!batch.has_value(row, column)) {
    absl::StrAppend(out, "null");
    return;
  }
  const uint64_t value = batch.value(row, column);
  const record::FieldType type = record::Info(batch.schema().values[column].field).type;
  if (type == record::FieldType::kTime) {
    record::AppendJson(type, reinterpret_cast<const uint8_t*>(&value), batch.interner(), out);
  } else if (value == UINT64_MAX) {  // and perhaps beyond
    std::ostringstream digits;
    digits << batch.wide_value(row, column);
    *out += digits.str();
  } else {
    absl::StrAppend(out, value);
  }
}

void AppendMember(absl::string_view name, absl::string_view text, std::string* out) {
  absl::StrAppend(out, "\"", name, "\": ");
  record::AppendJsonString(text, out);
  absl::StrAppend(out, ", ");
}

std::string TimeText(int64_t nanos) {
  return absl::FormatTime(absl::RFC3339_sec, absl::FromUnixNanos(nanos), absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<std::string> AnswerFromBins(const MemoryQuestion& question, const Schema& schema,
                                           absl::Span<const AggregateBatch* const> bins) {
  aggregate::AggregatorOptions options;
  if (question.by.empty()) {
    for (const FieldId field : schema.key.fields()) options.by.emplace_back(schema.key.NameOf(field));
  } else {
    options.by = aggregate::SplitKeys(question.by);
  }
  options.values.clear();
  for (const aggregate::ValueColumn& value : schema.values) {
    if (value.function == Function::kSum || value.function == Function::kMin || value.function == Function::kMax) {
      options.values.push_back(value.name);
    }
  }
  std::vector<std::string> by = options.by;
  filter::FilterOptions filter_options;
  if (schema.key.custom_fields() != nullptr) {
    options.custom_fields = schema.key.custom_fields();
    filter_options.names = &options.custom_fields->names();
    for (std::string& key : by) key = filter_options.names->Canonical(key);
  }
  auto keys = aggregate::ParseKeys(by);
  if (!keys.ok()) return keys.status();
  for (const aggregate::KeySpec& key : *keys) {
    const FieldId read = key.kind == aggregate::KeySpec::Kind::kMasked ? key.source : key.column;
    if (absl::Status status = CheckFields({read}, schema, "by"); !status.ok()) return status;
  }
  auto filter = filter::Filter::Parse(question.where, filter_options);
  if (!filter.ok()) return filter.status();
  if (absl::Status status = CheckFields(filter->fields(), schema, "where"); !status.ok()) return status;

  auto interner = std::make_shared<base::Interner>();
  auto aggregator = aggregate::Aggregator::New(options, interner);
  if (!aggregator.ok()) return aggregator.status();
  std::vector<FieldId> fields((*aggregator)->RequiredFields().begin(), (*aggregator)->RequiredFields().end());
  fields.insert(fields.end(), filter->fields().begin(), filter->fields().end());
  const record::Layout layout(fields);
  (*aggregator)->Bind(layout);
  filter::BoundFilter bound = filter->Bind(layout);
  record::FlowBatch records(&layout, interner.get());
  filter::Selection selection;
  int64_t from = INT64_MAX, to = INT64_MIN;
  const aggregate::BatchRows rows(schema, layout);
  for (const AggregateBatch* bin : bins) {
    from = std::min(from, bin->bin().start_nanos);
    to = std::max(to, bin->bin().end_nanos);
    for (size_t first = 0; first < bin->size(); first += kBlockRows) {
      rows.Append(*bin, first, kBlockRows, &records);
      if (filter->passes_all()) {
        (*aggregator)->Add(records);
      } else {
        bound.Apply(records, &selection);
        (*aggregator)->Add(records, selection);
      }
      records.Clear();
    }
  }
  const std::vector<AggregateBatch> answers = (*aggregator)->Close();
  const AggregateBatch& answer = answers.front();

  const std::vector<aggregate::ValueColumn>& values = answer.schema().values;
  size_t order = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].name == (question.order.empty() ? "bytes" : question.order)) order = i;
  }
  if (!question.order.empty() && (values.empty() || values[order].name != question.order)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "order: \"", question.order, "\" is not among the values, which are ", absl::StrJoin(options.values, ", ")));
  }
  const std::vector<uint32_t> top = aggregate::TopRows(answer, order, question.top == 0 ? answer.size() : question.top);

  std::string json = "{";
  AppendMember("pipeline", question.pipeline, &json);
  if (!bins.empty()) {
    AppendMember("from", TimeText(from), &json);
    AppendMember("to", TimeText(to), &json);
  }
  absl::StrAppend(&json, "\"groups\": ", answer.size(), ", \"columns\": [");
  absl::string_view comma;
  for (const FieldId field : answer.schema().key.fields()) {
    absl::StrAppend(&json, comma);
    record::AppendJsonString(answer.schema().key.NameOf(field), &json);
    comma = ", ";
  }
  for (const aggregate::ValueColumn& value : values) {
    absl::StrAppend(&json, comma);
    record::AppendJsonString(value.name, &json);
    comma = ", ";
  }
  absl::StrAppend(&json, "], \"rows\": [");
  comma = "";
  for (const uint32_t row : top) {
    absl::StrAppend(&json, comma, "[");
    comma = ", ";
    absl::string_view between;
    for (const FieldId field : answer.schema().key.fields()) {
      absl::StrAppend(&json, between);
      record::AppendJson(answer.key(row), field, answer.interner(), &json);
      between = ", ";
    }
    for (size_t column = 0; column < values.size(); ++column) {
      absl::StrAppend(&json, between);
      AppendValue(answer, row, column, &json);
      between = ", ";
    }
    absl::StrAppend(&json, "]");
  }
  // The open bin still fills.
  absl::StrAppend(&json, "], \"incomplete\": true}");
  return json;
}

}  // namespace flowacct::collector
