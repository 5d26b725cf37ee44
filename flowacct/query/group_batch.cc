#include "flowacct/query/group_batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/from_stored.h"
#include "flowacct/record/layout.h"

namespace flowacct::query {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kDaySeconds = 86400;
// Clocks are moved by no more.
constexpr int64_t kShiftSeconds = 2 * 3600;
constexpr size_t kRowsPerChunk = 4096;
// Carries number the columns of a row with 6 bits.
constexpr uint64_t kColumnsAtMost = 64;

bool IsExtreme(const aggregate::ValueColumn& value) { return value.function != Function::kSum; }

}  // namespace

absl::StatusOr<std::vector<TableBin>> BinsOf(GroupStore& store, const TableInfo& table, int64_t from_seconds,
                                             int64_t to_seconds) {
  std::vector<TableBin> bins;
  if (table.bin_seconds == 0) return std::vector<TableBin>{TableBin{}};
  GroupRequest request;
  request.table = table.name;
  if (!table.values.empty()) request.values = {0};
  request.from_seconds = from_seconds;
  request.to_seconds = to_seconds;
  // Each begin is a step of its own, whatever the bins' width.
  request.step_seconds = 1;
  absl::Status status = store.Sum(request, [&bins](const GroupRow& row) {
    bins.push_back({row.step_seconds, 0});
    return true;
  });
  if (!status.ok()) return status;
  std::sort(bins.begin(), bins.end(),
            [](const TableBin& a, const TableBin& b) { return a.begin_seconds < b.begin_seconds; });
  for (size_t i = 0; i < bins.size(); ++i) {
    bins[i].end_seconds = bins[i].begin_seconds + table.bin_seconds;
    if (i + 1 == bins.size()) continue;
    const int64_t next = bins[i + 1].begin_seconds;
    const bool shifted = table.bin_seconds % kDaySeconds == 0 && next - bins[i].end_seconds <= kShiftSeconds;
    if (next < bins[i].end_seconds || shifted) bins[i].end_seconds = next;
  }
  return bins;
}

GroupRequest AllOf(const TableInfo& table, const TableBin& bin) {
  GroupRequest request;
  request.table = table.name;
  for (const FieldId key : table.keys) request.by.push_back({key, -1, -1});
  for (size_t i = 0; i < table.values.size(); ++i) request.values.push_back(i);
  if (table.bin_seconds != 0) {
    request.from_seconds = bin.begin_seconds;
    request.to_seconds = bin.begin_seconds + 1;
  }
  return request;
}

absl::StatusOr<std::shared_ptr<const aggregate::Schema>> SchemaOf(const TableInfo& table) {
  std::vector<std::pair<std::string, FieldId>> own;
  for (size_t i = 0; i < table.keys.size(); ++i) {
    const absl::string_view name = KeyName(table, i);
    if (!absl::EqualsIgnoreCase(name, record::Info(table.keys[i]).name)) own.emplace_back(name, table.keys[i]);
  }
  std::shared_ptr<const record::CustomFields> custom;
  if (!own.empty()) {
    absl::StatusOr<record::CustomFields> made = record::CustomFields::OfNames(own);
    if (!made.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("table ", table.name, ": ", made.status().message()));
    }
    custom = std::make_shared<const record::CustomFields>(*std::move(made));
  }
  if (table.values.size() > kColumnsAtMost) {
    return absl::InvalidArgumentError(absl::StrCat("table ", table.name, " has more than ", kColumnsAtMost, " values"));
  }
  std::vector<aggregate::ValueColumn> values;
  for (const TableInfo::Value& value : table.values) values.push_back({value.field, value.function, value.name});
  return std::make_shared<const aggregate::Schema>(
      aggregate::Schema{record::Layout(table.keys, std::move(custom)), std::move(values)});
}

GroupBatch::GroupBatch(std::shared_ptr<const aggregate::Schema> schema, size_t max_octets)
    : schema_(std::move(schema)), max_octets_(max_octets) {
  Begin();
}

void GroupBatch::Begin() {
  // What all rows together name is bounded by what they are.
  interner_ = std::make_shared<base::Interner>(base::InternerOptions{max_octets_});
  carries_.clear();
  rows_ = {};
  rows_.values_offset = schema_->key.row_size();
  const size_t values_end = rows_.values_offset + 8 * schema_->values.size();
  const bool extremes = std::any_of(schema_->values.begin(), schema_->values.end(), IsExtreme);
  if (extremes) rows_.seen_offset = values_end;
  rows_.stride = values_end + (extremes ? 8 : 0);
  rows_.rows_per_chunk = kRowsPerChunk;
}

absl::Status GroupBatch::TooMuch() const {
  return absl::ResourceExhaustedError(
      absl::StrCat("the rows of one bin take more than ", max_octets_, " octets of memory"));
}

absl::Status GroupBatch::Add(const GroupRow& row) {
  const size_t at = rows_.size % kRowsPerChunk;
  if (at == 0) {
    if ((rows_.chunks.size() + 1) * kRowsPerChunk * rows_.stride > max_octets_) return TooMuch();
    rows_.chunks.push_back(aggregate::NewChunk(kRowsPerChunk * rows_.stride));
  }
  uint8_t* const octets = rows_.chunks.back().get() + at * rows_.stride;
  std::fill(octets, octets + rows_.stride, uint8_t{0});
  const absl::Span<const FieldId> fields = schema_->key.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!row.group[i].present) continue;
    const uint16_t index = schema_->key.index(fields[i]);
    const record::FieldType type = record::Info(fields[i]).type;
    if (!record::FromStored(type, row.group[i], interner_.get(), octets + schema_->key.offset(fields[i]))) {
      return absl::InvalidArgumentError(
          absl::StrCat("what the store has of ", schema_->key.NameOf(fields[i]), " is no such value"));
    }
    octets[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
  }
  uint64_t seen = 0;
  for (size_t column = 0; column < schema_->values.size(); ++column) {
    const bool present = row.present[column] || !IsExtreme(schema_->values[column]);
    if (!present) continue;
    seen |= uint64_t{1} << column;
    const absl::uint128 value = row.values[column];
    base::StoreHost<uint64_t>(octets + rows_.values_offset + 8 * column, absl::Uint128Low64(value));
    if (absl::Uint128High64(value) != 0) carries_[rows_.size * kColumnsAtMost + column] = absl::Uint128High64(value);
  }
  if (rows_.seen_offset != 0) base::StoreHost<uint64_t>(octets + rows_.seen_offset, seen);
  ++rows_.size;
  // No name is written that stands for another.
  return interner_->overflows() == 0 ? absl::OkStatus() : TooMuch();
}

AggregateBatch GroupBatch::Take(const TableBin& bin, aggregate::BatchIdentity identity) {
  AggregateBatch batch(schema_, std::shared_ptr<const base::Interner>(interner_),
                       {bin.begin_seconds * kNanos, bin.end_seconds * kNanos}, std::move(rows_));
  batch.set_identity(std::move(identity));
  batch.set_carries(std::move(carries_));
  Begin();
  return batch;
}

}  // namespace flowacct::query
