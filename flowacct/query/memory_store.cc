#include "flowacct/query/memory_store.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/base/octets.h"
#include "flowacct/query/group_value.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::query {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldId;
using record::FieldType;

constexpr int64_t kNanos = 1000000000;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

struct Sums {
  std::vector<absl::uint128> values;
  std::vector<char> present;
};

// What to flip so that min and max of the column are in the order of unsigned numbers.
uint64_t SignOf(const TableInfo::Value& value) {
  return value.function == Function::kSum ? 0 : record::SignBit(record::Info(value.field).type);
}

void AddValue(const TableInfo::Value& column, absl::uint128 value, absl::uint128* sum, char* present) {
  const auto rank = [sign = SignOf(column)](absl::uint128 number) { return absl::Uint128Low64(number) ^ sign; };
  if (column.function == Function::kSum) {
    *sum += value;
  } else if (!*present) {
    *sum = value;
  } else if (column.function == Function::kMin ? rank(value) < rank(*sum) : rank(value) > rank(*sum)) {
    *sum = value;
  }
  *present = 1;
}

GroupValue ValueOf(const GroupColumn& column, const record::RowView& key, const base::Interner& interner,
                   std::string* scratch) {
  if (!key.Has(column.field)) return GroupValue();
  const uint8_t* const octets = key.octets() + key.layout().offset(column.field);
  if (column.v4_length < 0) return GroupValue(ToStored(record::Info(column.field).type, octets, interner, scratch));
  const base::IpAddress address = base::IpAddress::FromV6(octets);
  const base::IpPrefix prefix(address, static_cast<uint8_t>(address.IsV4() ? column.v4_length : column.v6_length));
  uint8_t row[17];
  record::internal::StoreField(row, prefix);
  return GroupValue(ToStored(FieldType::kPrefix, row, interner, scratch));
}

std::vector<TableInfo::Value> SummableValues(const aggregate::Schema& schema, std::vector<size_t>* columns) {
  std::vector<TableInfo::Value> values;
  for (size_t i = 0; i < schema.values.size(); ++i) {
    const aggregate::ValueColumn& column = schema.values[i];
    if (column.function == Function::kDistinct || column.function == Function::kTop) continue;
    values.push_back({column.field, column.function, column.name});
    columns->push_back(i);
  }
  return values;
}

}  // namespace

absl::Status NoSuchTable(absl::string_view store, absl::string_view table, const std::vector<TableInfo>& tables) {
  if (tables.empty()) {
    return absl::NotFoundError(absl::StrCat(store, ": there is no table yet; it comes with the first batch"));
  }
  std::vector<absl::string_view> names;
  for (const TableInfo& info : tables) names.push_back(info.name);
  return absl::NotFoundError(
      absl::StrCat(store, ": no table is called \"", table, "\"; there are ", absl::StrJoin(names, ", ")));
}

absl::Status CheckRequest(absl::string_view store, const TableInfo& table, const GroupRequest& request) {
  const auto has = [&table](FieldId field) {
    return std::find(table.keys.begin(), table.keys.end(), field) != table.keys.end();
  };
  const auto missing = [&](FieldId field) {
    std::vector<absl::string_view> names;
    for (size_t i = 0; i < table.keys.size(); ++i) names.push_back(KeyName(table, i));
    return absl::NotFoundError(absl::StrCat(store, ": table ", table.name, " has no column ", record::Info(field).name,
                                            "; its keys are ", absl::StrJoin(names, ", ")));
  };
  for (const GroupColumn& column : request.by) {
    if (!has(column.field)) return missing(column.field);
    if (column.v4_length >= 0 && record::Info(column.field).type != FieldType::kAddress) {
      return absl::InvalidArgumentError(
          absl::StrCat(store, ": ", record::Info(column.field).name, " is no address, so it has no network"));
    }
  }
  for (const FieldId field : request.where.fields()) {
    if (!has(field)) return missing(field);
  }
  for (const size_t value : request.values) {
    if (value >= table.values.size()) {
      return absl::NotFoundError(
          absl::StrCat(store, ": table ", table.name, " has ", table.values.size(), " values; ", value, " is none"));
    }
  }
  if (request.limit != 0 && request.order >= request.values.size()) {
    return absl::InvalidArgumentError(absl::StrCat(store, ": the largest groups are asked by no value"));
  }
  return absl::OkStatus();
}

int64_t StepOf(const GroupRequest& request, int64_t seconds) {
  if (request.step_seconds == 0) return 0;
  return request.step_origin_seconds +
         FloorDivide(seconds - request.step_origin_seconds, request.step_seconds) * request.step_seconds;
}

void MemoryStore::Add(absl::string_view table, std::shared_ptr<const AggregateBatch> batch) {
  Table& in = tables_[std::string(table)];
  if (in.batches.empty()) {
    in.info.name = std::string(table);
    const record::Layout& key = batch->schema().key;
    in.info.keys.assign(key.fields().begin(), key.fields().end());
    in.info.key_names.clear();
    for (const FieldId field : key.fields()) in.info.key_names.emplace_back(key.NameOf(field));
    in.columns.clear();
    in.info.values = SummableValues(batch->schema(), &in.columns);
  }
  if (batch->identity().number != 0) {
    for (const auto& other : in.batches) {
      if (other->identity() == batch->identity()) return;
    }
  }
  const int64_t first = FloorDivide(batch->bin().start_nanos, kNanos);
  const int64_t last = FloorDivide(batch->bin().end_nanos, kNanos);
  if (last != first) {
    in.info.bin_seconds = last - first;
    const bool only = in.info.last_seconds == in.info.first_seconds;
    in.info.first_seconds = only ? first : std::min(in.info.first_seconds, first);
    in.info.last_seconds = only ? last : std::max(in.info.last_seconds, last);
  }
  in.batches.push_back(std::move(batch));
}

void MemoryStore::SetRollup(absl::string_view table, absl::string_view of) {
  tables_[std::string(table)].info.rollup_of = std::string(of);
}

absl::StatusOr<std::vector<TableInfo>> MemoryStore::Tables() {
  std::vector<TableInfo> tables;
  for (const auto& [name, table] : tables_) {
    if (!table.batches.empty()) tables.push_back(table.info);
  }
  return tables;
}

absl::Status MemoryStore::Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) {
  const auto found = tables_.find(request.table);
  if (found == tables_.end() || found->second.batches.empty()) return NoSuchTable(name(), request.table, *Tables());
  const Table& table = found->second;
  if (absl::Status status = CheckRequest(name(), table.info, request); !status.ok()) return status;

  std::map<std::pair<int64_t, GroupValues>, Sums> groups;
  std::string scratch;
  for (const auto& batch : table.batches) {
    const int64_t begin = FloorDivide(batch->bin().start_nanos, kNanos);
    if (begin < request.from_seconds || begin >= request.to_seconds) continue;
    filter::BoundFilter where = request.where.Bind(batch->schema().key);
    // A filter only reads, what it reads is told by the batch.
    record::FlowBatch row(&batch->schema().key, const_cast<base::Interner*>(&batch->interner()));
    for (size_t i = 0; i < batch->size(); ++i) {
      const record::RowView key = batch->key(i);
      row.Clear();
      row.AppendCopies(1, key.octets());
      if (!where.Passes(row, 0)) continue;
      GroupValues group;
      for (const GroupColumn& column : request.by) group.push_back(ValueOf(column, key, batch->interner(), &scratch));
      Sums& sums = groups[{StepOf(request, begin), std::move(group)}];
      sums.values.resize(request.values.size());
      sums.present.resize(request.values.size());
      for (size_t v = 0; v < request.values.size(); ++v) {
        const size_t column = table.columns[request.values[v]];
        if (!batch->has_value(i, column)) continue;
        AddValue(table.info.values[request.values[v]], batch->wide_value(i, column), &sums.values[v], &sums.present[v]);
      }
    }
  }

  std::vector<decltype(groups)::const_iterator> order;
  order.reserve(groups.size());
  for (auto it = groups.cbegin(); it != groups.cend(); ++it) order.push_back(it);
  if (request.limit != 0 && order.size() > request.limit) {
    const uint64_t sign = SignOf(table.info.values[request.values[request.order]]);
    std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
      const size_t by = request.order;
      if (a->second.present[by] != b->second.present[by]) return a->second.present[by] > b->second.present[by];
      return (a->second.values[by] ^ sign) > (b->second.values[by] ^ sign);
    });
    order.resize(request.limit);
  }
  std::vector<record::StoredValue> views;
  for (const auto& it : order) {
    views.clear();
    for (const GroupValue& value : it->first.second) views.push_back(value.View());
    const size_t count = it->second.present.size();
    const auto present = std::make_unique<bool[]>(count + 1);
    std::copy(it->second.present.begin(), it->second.present.end(), present.get());
    GroupRow row;
    row.step_seconds = it->first.first;
    row.group = views;
    row.values = it->second.values;
    row.present = absl::Span<const bool>(present.get(), count);
    if (!tell(row)) break;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::query
