#include "flowacct/query/memory_store.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

// So many rows are filtered at once.
constexpr size_t kBlockRows = 1024;

struct Group {
  int64_t step = 0;
  GroupValues group;
  std::vector<absl::uint128> values;
  std::unique_ptr<bool[]> present;
};

// Where a group is found: octets that no other value begins with.
void AppendPlace(const GroupValue& value, std::string* place) {
  place->push_back(value.present ? 1 : 0);
  if (!value.present) return;
  const uint64_t numbers[] = {static_cast<uint64_t>(value.integer), value.octets.size()};
  place->append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  place->append(value.octets);
}

// Says of rows of a batch, in their order, whether a filter passes them.
class RowFilter {
 public:
  RowFilter(const filter::Filter& filter, const AggregateBatch& batch) : batch_(batch), all_(filter.passes_all()) {
    if (all_) return;
    filter_ = filter.Bind(batch.schema().key);
    // A filter only reads; what it reads is told by the batch.
    rows_.emplace(&batch.schema().key, const_cast<base::Interner*>(&batch.interner()));
  }

  bool Passes(size_t row) {
    if (all_) return true;
    if (row >= end_) Fill(row);
    while (at_ < selection_.size() && begin_ + selection_[at_] < row) ++at_;
    return at_ < selection_.size() && begin_ + selection_[at_] == row;
  }

 private:
  void Fill(size_t row) {
    begin_ = row;
    end_ = std::min(row + kBlockRows, batch_.size());
    rows_->Clear();
    for (size_t i = begin_; i < end_; ++i) rows_->AppendCopies(1, batch_.key(i).octets());
    filter_.Apply(*rows_, &selection_);
    at_ = 0;
  }

  const AggregateBatch& batch_;
  const bool all_;
  filter::BoundFilter filter_;
  std::optional<record::FlowBatch> rows_;
  filter::Selection selection_;
  size_t begin_ = 0, end_ = 0, at_ = 0;
};

// What to flip so that min and max of the column are in the order of unsigned numbers.
uint64_t SignOf(const TableInfo::Value& value) {
  return value.function == Function::kSum ? 0 : record::SignBit(record::Info(value.field).type);
}

void AddValue(const TableInfo::Value& column, absl::uint128 value, absl::uint128* sum, bool* present) {
  const auto rank = [sign = SignOf(column)](absl::uint128 number) { return absl::Uint128Low64(number) ^ sign; };
  if (column.function == Function::kSum) {
    *sum += value;
  } else if (!*present) {
    *sum = value;
  } else if (column.function == Function::kMin ? rank(value) < rank(*sum) : rank(value) > rank(*sum)) {
    *sum = value;
  }
  *present = true;
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

bool IsSummable(const aggregate::ValueColumn& column) {
  return column.function != Function::kDistinct && column.function != Function::kTop;
}

std::vector<TableInfo::Value> SummableValues(const aggregate::Schema& schema, std::vector<size_t>* columns) {
  std::vector<TableInfo::Value> values;
  for (size_t i = 0; i < schema.values.size(); ++i) {
    const aggregate::ValueColumn& column = schema.values[i];
    if (!IsSummable(column)) continue;
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
    in.info.left_out.clear();
    for (const aggregate::ValueColumn& column : batch->schema().values) {
      if (!IsSummable(column)) in.info.left_out.push_back(column.name);
    }
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

  std::deque<Group> groups;
  absl::flat_hash_map<std::string, Group*> index;
  std::string scratch, place;
  GroupValues group(request.by.size());
  for (const auto& batch : table.batches) {
    const int64_t begin = FloorDivide(batch->bin().start_nanos, kNanos);
    if (begin < request.from_seconds || begin >= request.to_seconds) continue;
    const int64_t step = StepOf(request, begin);
    RowFilter where(request.where, *batch);
    for (size_t i = 0; i < batch->size(); ++i) {
      if (i % kBlockRows == 0 && request.stopped()) return absl::CancelledError("memory: the question was given up");
      if (!where.Passes(i)) continue;
      const record::RowView key = batch->key(i);
      place.assign(reinterpret_cast<const char*>(&step), sizeof(step));
      for (size_t g = 0; g < group.size(); ++g) {
        group[g] = ValueOf(request.by[g], key, batch->interner(), &scratch);
        AppendPlace(group[g], &place);
      }
      Group*& sums = index[place];
      if (sums == nullptr) {
        groups.emplace_back();
        sums = &groups.back();
        sums->step = step;
        sums->group = group;
        sums->values.resize(request.values.size());
        sums->present = std::make_unique<bool[]>(request.values.size() + 1);
      }
      for (size_t v = 0; v < request.values.size(); ++v) {
        const size_t column = table.columns[request.values[v]];
        if (!batch->has_value(i, column)) continue;
        AddValue(table.info.values[request.values[v]], batch->wide_value(i, column), &sums->values[v],
                 &sums->present[v]);
      }
    }
  }

  std::vector<const Group*> order;
  order.reserve(groups.size());
  for (const Group& one : groups) order.push_back(&one);
  if (request.limit != 0 && order.size() > request.limit) {
    const uint64_t sign = SignOf(table.info.values[request.values[request.order]]);
    const auto larger = [by = request.order, sign](const Group* a, const Group* b) {
      if (a->present[by] != b->present[by]) return a->present[by] > b->present[by];
      return (a->values[by] ^ sign) > (b->values[by] ^ sign);
    };
    std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(request.limit), order.end(), larger);
    order.resize(request.limit);
  }
  std::vector<record::StoredValue> views;
  for (const Group* one : order) {
    views.clear();
    for (const GroupValue& value : one->group) views.push_back(value.View());
    GroupRow row;
    row.step_seconds = one->step;
    row.group = views;
    row.values = one->values;
    row.present = absl::Span<const bool>(one->present.get(), one->values.size());
    if (!tell(row)) break;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::query
