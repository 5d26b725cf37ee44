#include "flowacct/sink/clickhouse/batch_selection.h"

#include "absl/strings/str_cat.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/sql/group_select.h"

namespace flowacct::sink::clickhouse {
namespace {

using sql::FloorTo;

// Number 0 is of nobody: each such batch is one of its own.
constexpr absl::string_view kIdentity = "collector, run, pipeline, number, if(number = 0, id, 0)";

int64_t CeilTo(int64_t time, int64_t step) {
  return time <= INT64_MIN + step || time >= INT64_MAX - step ? time : FloorTo(time - 1, step) + step;
}

std::string OfTable(absl::string_view table) {
  return absl::StrCat(" FROM ", kBatches, " WHERE table_name = ", TextLiteral(table));
}

absl::Status ReadIds(HttpConnection* connection, const std::string& sql, Chosen chosen, std::vector<uint64_t>* ids) {
  return connection->Query(sql, {k64Cell}, chosen, [&](absl::Span<const Cell> cells) {
    ids->push_back(cells[0].u64());
    return true;
  });
}

std::string Versions(absl::string_view rollup, int64_t from, int64_t to) {
  return absl::StrCat("SELECT argMax(id, tuple(length(includes), id))", OfTable(rollup), Within("bin_start", from, to),
                      " GROUP BY bin_start");
}

// Batches of the table that no bin of `chosen` has, if that has some.
std::string NotIncluded(absl::string_view what, const sql::TableSchema& rollup, bool some, bool distributed,
                        int64_t from, int64_t to) {
  std::string sql =
      absl::StrCat("SELECT ", what, OfTable(rollup.rollup_of), Within("bin_start", from, to), " GROUP BY ", kIdentity);
  if (some) {
    absl::StrAppend(&sql, " HAVING max(id", In(distributed), "(SELECT arrayJoin(includes)", OfTable(rollup.name),
                    " AND id", In(distributed), "(SELECT id FROM chosen))) = 0");
  }
  return sql;
}

}  // namespace

std::vector<uint64_t> BatchSelection::all() const {
  std::vector<uint64_t> all = ids;
  all.insert(all.end(), base_ids.begin(), base_ids.end());
  return all;
}

std::string Within(absl::string_view column, int64_t from, int64_t to) {
  std::string sql;
  if (from != INT64_MIN) absl::StrAppend(&sql, " AND ", column, " >= ", from);
  if (to != INT64_MAX) absl::StrAppend(&sql, " AND ", column, " < ", to);
  return sql;
}

std::string FloorSql(absl::string_view column, int64_t step, int64_t origin) {
  // Rounded down, also before the origin, where division rounds towards it.
  const std::string since = absl::StrCat("(", column, " - (", origin % step, "))");
  return absl::StrCat("toInt64(", column, " - ((", since, " % ", step, ") + ", step, ") % ", step, ")");
}

std::string CountedBatches(const sql::TableSchema& table) {
  if (!table.rollup_of.empty()) return Versions(table.name, INT64_MIN, INT64_MAX);
  return absl::StrCat("SELECT min(id)", OfTable(table.name), " GROUP BY ", kIdentity);
}

absl::StatusOr<BatchSelection> SelectBatches(HttpConnection* connection, const sql::TableSchema& table,
                                             bool distributed, int64_t from, int64_t to) {
  BatchSelection selection;
  selection.distributed = distributed;
  if (table.rollup_of.empty()) {
    absl::Status status = ReadIds(
        connection,
        absl::StrCat("SELECT min(id)", OfTable(table.name), Within("bin_start", from, to), " GROUP BY ", kIdentity), {},
        &selection.ids);
    if (!status.ok()) return status;
    return selection;
  }
  absl::Status status = ReadIds(connection, Versions(table.name, from, to), {}, &selection.ids);
  if (!status.ok()) return status;
  selection.base_from = CeilTo(from, table.bin_seconds);
  selection.base_to = CeilTo(to, table.bin_seconds);
  status = ReadIds(
      connection,
      NotIncluded("min(id)", table, !selection.ids.empty(), distributed, selection.base_from, selection.base_to),
      selection.ids, &selection.base_ids);
  if (!status.ok()) return status;
  return selection;
}

absl::StatusOr<std::vector<int64_t>> BinsThatLack(HttpConnection* connection, const sql::TableSchema& rollup,
                                                  bool distributed) {
  std::vector<uint64_t> versions;
  absl::Status status = ReadIds(connection, Versions(rollup.name, INT64_MIN, INT64_MAX), {}, &versions);
  if (!status.ok()) return status;
  std::vector<int64_t> bins;
  status = connection->Query(absl::StrCat("SELECT DISTINCT ", FloorSql("any_start", rollup.bin_seconds, 0), " FROM (",
                                          NotIncluded("min(bin_start) AS any_start", rollup, !versions.empty(),
                                                      distributed, INT64_MIN, INT64_MAX),
                                          ")"),
                             {k64Cell}, versions, [&](absl::Span<const Cell> cells) {
                               bins.push_back(cells[0].i64());
                               return true;
                             });
  if (!status.ok()) return status;
  return bins;
}

}  // namespace flowacct::sink::clickhouse
