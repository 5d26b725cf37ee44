#include "flowacct/collector/stores/table_copy.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/query/group_batch.h"
#include "flowacct/query/memory_store.h"

namespace flowacct::collector {
namespace {

constexpr int64_t kNanos = 1000000000;

// Totals of the bins that are between those bounds, of the table's values in the order of `totals`.
absl::Status Sum(query::GroupStore& store, const query::TableInfo& table, const std::vector<size_t>& values,
                 int64_t from_seconds, int64_t to_seconds, const std::function<void(const query::GroupRow&)>& tell) {
  query::GroupRequest request;
  request.table = table.name;
  request.values = values;
  request.from_seconds = from_seconds;
  request.to_seconds = to_seconds;
  return store.Sum(request, [&tell](const query::GroupRow& row) {
    tell(row);
    return true;
  });
}

absl::Status CompareTotals(query::GroupStore& source, const query::TableInfo& table, query::GroupStore& target,
                           const std::string& target_table, int64_t from_seconds, int64_t to_seconds,
                           std::vector<CopiedTotal>* totals) {
  const auto tables = target.Tables();
  if (!tables.ok()) return tables.status();
  const auto written = std::find_if(tables->begin(), tables->end(),
                                    [&](const query::TableInfo& info) { return info.name == target_table; });
  if (written == tables->end()) return query::NoSuchTable(target.name(), target_table, *tables);
  std::vector<size_t> ours, theirs;
  for (size_t i = 0; i < table.values.size(); ++i) {
    const auto same =
        std::find_if(written->values.begin(), written->values.end(), [&](const query::TableInfo::Value& value) {
          return value.field == table.values[i].field && value.function == table.values[i].function;
        });
    if (same == written->values.end()) {
      return absl::NotFoundError(
          absl::StrCat(target.name(), ": table ", target_table, " has no value ", table.values[i].name));
    }
    ours.push_back(i);
    theirs.push_back(static_cast<size_t>(same - written->values.begin()));
    totals->emplace_back().name = table.values[i].name;
  }
  absl::Status status = Sum(source, table, ours, from_seconds, to_seconds, [&](const query::GroupRow& row) {
    for (size_t i = 0; i < ours.size(); ++i) {
      (*totals)[i].in_source = row.present[i];
      (*totals)[i].source = row.values[i];
    }
  });
  if (!status.ok()) return status;
  return Sum(target, *written, theirs, from_seconds, to_seconds, [&](const query::GroupRow& row) {
    for (size_t i = 0; i < theirs.size(); ++i) {
      (*totals)[i].in_target = row.present[i];
      (*totals)[i].target = row.values[i];
    }
  });
}

}  // namespace

uint64_t RunOf(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  // Stores have signed numbers.
  return std::max<uint64_t>(hash >> 1, 1);
}

bool CopyOutcome::same() const {
  return std::all_of(totals.begin(), totals.end(), [](const CopiedTotal& total) { return total.same(); });
}

absl::StatusOr<CopyOutcome> CopyTable(
    query::GroupStore& source, const query::TableInfo& table, sink::StoreSink& sink, const std::string& target_table,
    const std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()>& open_target,
    const TableCopyOptions& options) {
  const auto schema = query::SchemaOf(table);
  if (!schema.ok()) return schema.status();
  const auto bins = query::BinsOf(source, table, options.from_seconds, options.to_seconds);
  if (!bins.ok()) return bins.status();
  CopyOutcome outcome;
  outcome.done.bins_total = bins->size();
  query::GroupBatch rows(*schema);
  const uint64_t skipped_before = sink.counters().batches_skipped;
  for (const query::TableBin& bin : *bins) {
    absl::Status failed;
    absl::Status status = source.Sum(query::AllOf(table, bin), [&](const query::GroupRow& row) {
      failed = rows.Add(row);
      return failed.ok();
    });
    if (status.ok()) status = failed;
    if (!status.ok()) return status;
    outcome.done.rows += rows.size();
    // As a collector numbers bins: when they begin.
    const auto nanos = static_cast<uint64_t>(bin.begin_seconds * kNanos);
    status = sink.Write(rows.Take(bin, {"copy", table.name, options.run, nanos == 0 ? 1 : nanos}));
    if (!status.ok()) return status;
    ++outcome.done.bins;
    if (options.progress) options.progress(outcome.done);
    if (options.interrupted && options.interrupted()) {
      return absl::CancelledError("interrupted; the same copy again goes on where it ended");
    }
  }
  outcome.bins_skipped = sink.counters().batches_skipped - skipped_before;
  if (absl::Status status = sink.Close(); !status.ok()) return status;
  if (bins->empty()) return outcome;
  const auto target = open_target();
  if (!target.ok()) return target.status();
  // Bins that came to the source meanwhile are not meant.
  const bool timed = table.bin_seconds != 0;
  if (absl::Status status =
          CompareTotals(source, table, **target, target_table, timed ? bins->front().begin_seconds : INT64_MIN,
                        timed ? bins->back().begin_seconds + 1 : INT64_MAX, &outcome.totals);
      !status.ok()) {
    return status;
  }
  return outcome;
}

}  // namespace flowacct::collector
