#include "flowacct/sink/mongodb/group_pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/sql/group_select.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::Function;
using record::FieldType;
using record::StoredForm;
using sql::Column;

constexpr int kPartBits = 24;
constexpr int64_t kPart = int64_t{1} << kPartBits;

std::string Path(absl::string_view name) { return absl::StrCat("$", name); }

// An operator and its list of arguments, each the first element of a document.
Document Call(absl::string_view operation, const std::vector<Document>& arguments) {
  Document call;
  bson_append_array(call.get(), operation.data(), static_cast<int>(operation.size()), ListOf(arguments).get());
  return call;
}

Document Item(absl::string_view path) { return Document().Text("", path); }
Document Item(int64_t number) { return Document().Integer("", number); }
Document Item(const Document& expression) { return Document().Add("", expression); }

// Names of the parts of a value in the answer.
std::string Key(char part, size_t value) { return absl::StrCat(std::string(1, part), value); }

Document StepOf(const PipelineRequest& request) {
  // Rounded down, also before the origin, where the remainder is negative.
  const int64_t step = request.step_seconds * 1000;
  const int64_t origin = request.step_origin_seconds % request.step_seconds;
  const Document since = Call("$subtract", {Item(Path(kBinStart)), Document().Seconds("", origin)});
  const Document over = Call("$mod", {Item(since), Item(step)});
  const Document positive = Call("$mod", {Item(Call("$add", {Item(over), Item(step)})), Item(step)});
  return Call("$subtract", {Item(Path(kBinStart)), Item(positive)});
}

void AddSums(const PipelineRequest& request, size_t i, Document* group) {
  const Column& column = *request.values[i];
  const Document number = Call("$ifNull", {Item(Path(column.name)), Item(int64_t{0})});
  const Document low = Call("$mod", {Item(number), Item(kPart)});
  const Document rest = Call("$divide", {Item(Call("$subtract", {Item(number), Item(low)})), Item(kPart)});
  group->Add(Key('l', i), Document().Add("$sum", low));
  group->Add(Key('m', i), Document().Add("$sum", rest));
  if (request.wide[i]) {
    group->Add(Key('h', i), Document().Text("$sum", Path(absl::StrCat(column.name, kHighSuffix))));
  }
}

// min or max in the order of the field's numbers: of those that come first among the signed ones if there are any, else
// of all.
void AddExtremes(const PipelineRequest& request, size_t i, Document* group) {
  const Column& column = *request.values[i];
  const absl::string_view function = column.function == Function::kMin ? "$min" : "$max";
  const std::string path = Path(column.name);
  group->Add(Key('a', i), Document().Text(function, path));
  if (!MayBeNegative(column)) return;
  const Document first = Call(column.function == Function::kMin ? "$gte" : "$lt", {Item(path), Item(int64_t{0})});
  group->Add(Key('f', i), Document().Add(function, Call("$cond", {Item(first), Item(path), Document().Null("")})));
}

// Empty: a whole number, or nothing at all.
bool ReadCell(const bson_iter_t& at, StoredForm form, record::StoredValue* value) {
  *value = record::StoredValue();
  if (BSON_ITER_HOLDS_NULL(&at) || BSON_ITER_HOLDS_UNDEFINED(&at)) return true;
  value->present = true;
  switch (form) {
    case StoredForm::kInteger: {
      const std::optional<int64_t> number = WholeNumber(at);
      if (!number) return false;
      value->integer = *number;
      return true;
    }
    case StoredForm::kOctets: {
      if (!BSON_ITER_HOLDS_BINARY(&at)) return false;
      bson_subtype_t subtype;
      uint32_t size = 0;
      const uint8_t* octets = nullptr;
      bson_iter_binary(&at, &subtype, &size, &octets);
      value->octets = absl::string_view(reinterpret_cast<const char*>(octets), size);
      return true;
    }
    case StoredForm::kText: {
      if (!BSON_ITER_HOLDS_UTF8(&at)) return false;
      uint32_t size = 0;
      const char* const text = bson_iter_utf8(&at, &size);
      value->octets = absl::string_view(text, size);
      return true;
    }
  }
  return false;
}

bool SetPart(std::optional<int64_t> part, int shift, absl::uint128* sum) {
  if (!part || *part < 0) return false;
  *sum += absl::uint128(static_cast<uint64_t>(*part)) << shift;
  return true;
}

}  // namespace

std::vector<Document> StagesOf(const PipelineRequest& request) {
  std::vector<Document> all = {Document().Add(kBatch, request.batches)};
  Document bins;
  // Beyond these the milliseconds would not fit; no bin is there.
  constexpr int64_t kFirst = INT64_MIN / 1000, kLast = INT64_MAX / 1000;
  if (request.from_seconds > kFirst) bins.Seconds("$gte", std::min(request.from_seconds, kLast));
  if (request.to_seconds < kLast) bins.Seconds("$lt", std::max(request.to_seconds, kFirst));
  if (!bins.empty()) all.push_back(Document().Add(kBinStart, bins));
  all.insert(all.end(), request.conditions.begin(), request.conditions.end());

  Document key;
  if (request.step_seconds != 0) key.Add("s", StepOf(request));
  for (size_t i = 0; i < request.by.size(); ++i) key.Text(Key('k', i), Path(request.by[i]->name));
  Document group;
  if (key.empty()) {
    group.Null(kId);
  } else {
    group.Add(kId, key);
  }
  for (size_t i = 0; i < request.values.size(); ++i) {
    if (request.values[i]->function == Function::kSum) {
      AddSums(request, i, &group);
    } else {
      AddExtremes(request, i, &group);
    }
  }
  std::vector<Document> stages = {Document().Add("$match", Document().List("$and", all)),
                                  Document().Add("$group", group)};
  if (request.order) {
    const size_t i = *request.order;
    const auto times = [&](char part, int bits) {
      return Call("$multiply",
                  {Item(Path(Key(part, i))), Document().Real("", static_cast<double>(int64_t{1} << bits))});
    };
    std::vector<Document> parts = {Item(Path(Key('l', i))), Item(times('m', kPartBits))};
    if (request.wide[i]) parts.push_back(Item(times('h', kLowBits)));
    stages.push_back(Document().Add("$addFields", Document().Add("o", Call("$add", parts))));
    stages.push_back(Document().Add("$sort", Document().Integer("o", -1)));
  }
  return stages;
}

absl::Status ReadRow(const PipelineRequest& request, const bson_t& document, PipelineRow* row) {
  const auto wrong = [](absl::string_view what) {
    return absl::InternalError(absl::StrCat("mongodb: the server's answer has no fitting ", what));
  };
  std::fill(row->group.begin(), row->group.end(), record::StoredValue());
  bson_iter_t at, part;
  if (bson_iter_init_find(&at, &document, kId) && BSON_ITER_HOLDS_DOCUMENT(&at) && bson_iter_recurse(&at, &part)) {
    while (bson_iter_next(&part)) {
      const char* const key = bson_iter_key(&part);
      if (key[0] == 's') {
        if (!BSON_ITER_HOLDS_DATE_TIME(&part)) return wrong("time");
        row->step_seconds = sql::FloorTo(bson_iter_date_time(&part), 1000) / 1000;
        continue;
      }
      const size_t i = static_cast<size_t>(std::atoi(key + 1));
      if (key[0] != 'k' || i >= request.by.size() || !ReadCell(part, request.by[i]->form(), &row->group[i])) {
        return wrong("group");
      }
    }
  }
  for (size_t i = 0; i < request.values.size(); ++i) {
    const auto whole = [&](char c) { return IntegerOf(document, Key(c, i).c_str()); };
    row->values[i] = 0;
    row->present[i] = true;
    if (request.values[i]->function == Function::kSum) {
      if (!SetPart(whole('l'), 0, &row->values[i]) || !SetPart(whole('m'), kPartBits, &row->values[i]) ||
          (request.wide[i] && !SetPart(whole('h'), kLowBits, &row->values[i]))) {
        return absl::ResourceExhaustedError(
            absl::StrCat("mongodb: the sum of ", request.values[i]->name,
                         " is beyond what the server adds exactly; ask a shorter time"));
      }
      continue;
    }
    std::optional<int64_t> extreme = whole('f');
    if (!extreme) extreme = whole('a');
    row->present[i] = extreme.has_value();
    row->values[i] = static_cast<uint64_t>(extreme.value_or(0));
  }
  if (request.order) {
    if (!bson_iter_init_find(&at, &document, "o")) return wrong("order");
    row->order = bson_iter_as_double(&at);
  }
  return absl::OkStatus();
}

void AddValue(const Column& column, absl::uint128 value, absl::uint128* to, bool* present) {
  if (column.function == Function::kSum) {
    *to += value;
    *present = true;
    return;
  }
  const uint64_t sign = record::SignBit(record::Info(column.field).type);
  const bool less = (value ^ sign) < (*to ^ sign);
  if (!*present || less == (column.function == Function::kMin)) *to = value;
  *present = true;
}

}  // namespace flowacct::sink::mongodb
