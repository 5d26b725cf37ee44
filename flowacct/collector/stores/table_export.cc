#include "flowacct/collector/stores/table_export.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/group_batch.h"
#include "flowacct/query/group_value.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

using query::AnswerCell;
using query::AnswerColumn;
using query::AnswerRow;
using record::FieldType;

constexpr size_t kRowsAtOnce = 2000;

bool IsTime(const query::TableInfo::Value& value) {
  return value.function != aggregate::Function::kSum && record::Info(value.field).type == FieldType::kTime;
}

class Exporter {
 public:
  Exporter(const query::TableInfo& table, ExportFormat format,
           const std::function<absl::Status(absl::string_view)>& write)
      : table_(table), format_(format), write_(write) {
    if (table.bin_seconds != 0) {
      for (const char* name : {"bin_start", "bin_end"}) {
        some_.columns.push_back({AnswerColumn::Kind::kTime, FieldType::kTime, name});
      }
    }
    for (size_t i = 0; i < table.keys.size(); ++i) {
      some_.columns.push_back(
          {AnswerColumn::Kind::kField, record::Info(table.keys[i]).type, std::string(query::KeyName(table, i))});
    }
    for (const query::TableInfo::Value& value : table.values) {
      some_.columns.push_back(
          {IsTime(value) ? AnswerColumn::Kind::kField : AnswerColumn::Kind::kNumber, FieldType::kTime, value.name});
    }
  }

  absl::Status Add(const query::TableBin& bin, const query::GroupRow& row) {
    AnswerRow told;
    told.cells.reserve(some_.columns.size());
    const auto add = [&told](bool present) -> AnswerCell& {
      told.cells.emplace_back();
      told.cells.back().present = present;
      return told.cells.back();
    };
    if (table_.bin_seconds != 0) {
      for (const int64_t seconds : {bin.begin_seconds, bin.end_seconds}) add(true).time_seconds = seconds;
    }
    for (const record::StoredValue& value : row.group) add(value.present).value = query::GroupValue(value);
    for (size_t i = 0; i < table_.values.size(); ++i) {
      const bool sum = table_.values[i].function == aggregate::Function::kSum;
      AnswerCell& cell = add(sum || row.present[i]);
      cell.number = row.values[i];
      if (!cell.present || !IsTime(table_.values[i])) continue;
      cell.value.present = true;
      cell.value.integer = static_cast<int64_t>(absl::Uint128Low64(row.values[i]));
    }
    some_.rows.push_back(std::move(told));
    return some_.rows.size() < kRowsAtOnce ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    const std::string text = format_ == ExportFormat::kCsv ? some_.AsCsv() : some_.AsJsonLines();
    some_.rows.clear();
    absl::string_view rest = text;
    // The header once.
    if (format_ == ExportFormat::kCsv && std::exchange(begun_, true)) rest.remove_prefix(rest.find("\r\n") + 2);
    return rest.empty() ? absl::OkStatus() : write_(rest);
  }

 private:
  const query::TableInfo& table_;
  const ExportFormat format_;
  const std::function<absl::Status(absl::string_view)>& write_;
  query::Answer some_;
  bool begun_ = false;
};

}  // namespace

absl::StatusOr<TableProgress> ExportTable(query::GroupStore& store, const query::TableInfo& table,
                                          const TableExportOptions& options,
                                          const std::function<absl::Status(absl::string_view)>& write) {
  const auto bins = query::BinsOf(store, table, options.from_seconds, options.to_seconds);
  if (!bins.ok()) return bins.status();
  TableProgress progress;
  progress.bins_total = bins->size();
  Exporter exporter(table, options.format, write);
  for (const query::TableBin& bin : *bins) {
    query::GroupRequest request = query::AllOf(table, bin);
    request.where = options.where;
    absl::Status failed;
    absl::Status status = store.Sum(request, [&](const query::GroupRow& row) {
      ++progress.rows;
      failed = exporter.Add(bin, row);
      return failed.ok();
    });
    if (status.ok()) status = failed;
    if (!status.ok()) return status;
    ++progress.bins;
    if (options.progress) options.progress(progress);
    if (options.interrupted && options.interrupted()) return absl::CancelledError("interrupted");
  }
  if (absl::Status status = exporter.Flush(); !status.ok()) return status;
  return progress;
}

}  // namespace flowacct::collector
