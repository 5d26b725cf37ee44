#include "flowacct/query/memory_store.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/batch_rows.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::query {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldId;
using record::StoredValue;

constexpr int64_t kNanosPerSecond = 1000000000;

// Of a column that is grouped by: what makes groups equal, and what is told.
struct Key {
  bool present = false;
  int64_t integer = 0;
  std::string octets;
  friend bool operator<(const Key& a, const Key& b) {
    return std::tie(a.present, a.integer, a.octets) < std::tie(b.present, b.integer, b.octets);
  }
};

struct Group {
  int64_t step = 0;
  std::vector<Key> keys;
  friend bool operator<(const Group& a, const Group& b) { return std::tie(a.step, a.keys) < std::tie(b.step, b.keys); }
};

struct Sums {
  std::vector<absl::uint128> values;
  std::vector<char> present;
};

Key KeyOf(const AggregateBatch& batch, size_t row, const GroupColumn& column) {
  Key key;
  const record::RowView view = batch.key(row);
  if (!view.Has(column.field)) return key;
  key.present = true;
  const uint8_t* const value = view.octets() + view.layout().offset(column.field);
  if (column.v4_length >= 0 || column.v6_length >= 0) {
    const base::IpAddress address = base::IpAddress::FromV6(value);
    const int length = address.IsV4() ? column.v4_length : column.v6_length;
    const int whole = address.IsV4() ? 32 : 128;
    const auto cut = static_cast<uint8_t>(length < 0 ? whole : length);
    const base::IpAddress network = base::Mask(address, cut);
    key.octets.assign(reinterpret_cast<const char*>(network.data()), base::IpAddress::kSize);
    key.octets.push_back(static_cast<char>(cut));
    return key;
  }
  std::string scratch;
  const StoredValue stored = record::ToStored(record::Info(column.field).type, value, batch.interner(), &scratch);
  key.integer = stored.integer;
  key.octets = std::string(stored.octets);
  return key;
}

}  // namespace

void MemoryStore::Add(const std::string& name, std::shared_ptr<const AggregateBatch> batch) {
  Table& table = tables_[name];
  const int64_t start = batch->bin().start_nanos / kNanosPerSecond, end = batch->bin().end_nanos / kNanosPerSecond;
  if (table.batches.empty()) {
    table.info.name = name;
    const auto fields = batch->schema().key.fields();
    table.info.keys.assign(fields.begin(), fields.end());
    table.info.bin_seconds = end - start;
    table.info.first_seconds = start;
    for (size_t column = 0; column < batch->schema().values.size(); ++column) {
      const aggregate::ValueColumn& value = batch->schema().values[column];
      if (value.function == Function::kDistinct || value.function == Function::kTop) continue;
      table.info.values.push_back({value.field, value.function, value.name});
      table.columns.push_back(column);
    }
  }
  table.info.first_seconds = std::min(table.info.first_seconds, start);
  table.info.last_seconds = std::max(table.info.last_seconds, end);
  table.batches.push_back(std::move(batch));
}

absl::StatusOr<std::vector<TableInfo>> MemoryStore::Tables() {
  std::vector<TableInfo> tables;
  for (const auto& [name, table] : tables_) tables.push_back(table.info);
  return tables;
}

absl::Status MemoryStore::Sum(const GroupRequest& request, const std::function<bool(const GroupRow&)>& tell) {
  const auto found = tables_.find(request.table);
  if (found == tables_.end()) {
    return absl::NotFoundError(absl::StrCat(name_, ": there is no table \"", request.table, "\""));
  }
  const Table& table = found->second;
  for (const GroupColumn& column : request.by) {
    if (std::find(table.info.keys.begin(), table.info.keys.end(), column.field) == table.info.keys.end()) {
      return absl::NotFoundError(
          absl::StrCat(name_, ": table ", request.table, " has no column ", record::Info(column.field).name));
    }
  }
  for (const size_t value : request.values) {
    if (value >= table.columns.size()) return absl::NotFoundError(absl::StrCat(name_, ": there is no such value"));
  }

  std::map<Group, Sums> groups;
  for (const auto& batch : table.batches) {
    const int64_t start = batch->bin().start_nanos / kNanosPerSecond;
    if (start < request.from_seconds || start >= request.to_seconds) continue;
    Group group;
    group.keys.resize(request.by.size());
    if (request.step_seconds > 0) {
      const int64_t since = start - request.step_origin_seconds;
      const int64_t rest = ((since % request.step_seconds) + request.step_seconds) % request.step_seconds;
      group.step = start - rest;
    }
    const record::Layout layout(aggregate::BatchRows::Fields(batch->schema()));
    const aggregate::BatchRows rows(batch->schema(), layout);
    base::Interner interner;
    record::FlowBatch records(&layout, &interner);
    filter::BoundFilter where = request.where.Bind(layout);
    for (size_t row = 0; row < batch->size(); ++row) {
      if (!request.where.passes_all()) {
        records.Clear();
        rows.Append(*batch, row, 1, &records);
        if (!where.Passes(records, 0)) continue;
      }
      for (size_t i = 0; i < request.by.size(); ++i) group.keys[i] = KeyOf(*batch, row, request.by[i]);
      Sums& sums = groups[group];
      sums.values.resize(request.values.size());
      sums.present.resize(request.values.size());
      for (size_t i = 0; i < request.values.size(); ++i) {
        const size_t column = table.columns[request.values[i]];
        if (!batch->has_value(row, column)) continue;
        const absl::uint128 value = batch->wide_value(row, column);
        const Function function = table.info.values[request.values[i]].function;
        if (sums.present[i] == 0) {
          sums.values[i] = value;
        } else if (function == Function::kSum) {
          sums.values[i] += value;
        } else {
          sums.values[i] =
              function == Function::kMin ? std::min(sums.values[i], value) : std::max(sums.values[i], value);
        }
        sums.present[i] = 1;
      }
    }
  }

  std::vector<const std::pair<const Group, Sums>*> order;
  for (const auto& entry : groups) order.push_back(&entry);
  if (request.limit > 0 && request.order < request.values.size()) {
    std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
      return a->second.values[request.order] > b->second.values[request.order];
    });
    if (order.size() > request.limit) order.resize(request.limit);
  }
  std::vector<StoredValue> values(request.by.size());
  const std::unique_ptr<bool[]> present(new bool[request.values.size() + 1]);
  for (const auto* entry : order) {
    for (size_t i = 0; i < values.size(); ++i) {
      const Key& key = entry->first.keys[i];
      values[i].present = key.present;
      values[i].integer = key.integer;
      values[i].octets = key.octets;
    }
    for (size_t i = 0; i < request.values.size(); ++i) present[i] = entry->second.present[i] != 0;
    GroupRow row;
    row.step_seconds = entry->first.step;
    row.group = values;
    row.values = entry->second.values;
    row.present = absl::MakeConstSpan(present.get(), request.values.size());
    if (!tell(row)) break;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::query
