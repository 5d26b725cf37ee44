#include "flowacct/sink/clickhouse/clickhouse_store.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/clickhouse/batch_selection.h"
#include "flowacct/sink/clickhouse/group_select.h"
#include "flowacct/sink/clickhouse/http_connection.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/sql_store.h"

namespace flowacct::sink::clickhouse {
namespace {

class Store : public query::GroupStore {
 public:
  explicit Store(std::unique_ptr<HttpConnection> connection) : connection_(std::move(connection)) {}

  absl::string_view name() const override { return "clickhouse"; }

  absl::StatusOr<std::vector<query::TableInfo>> Tables() override {
    absl::StatusOr<std::vector<StoredTable>> tables = ReadTables(connection_.get(), "");
    if (!tables.ok()) return tables.status();
    std::vector<query::TableInfo> infos;
    for (const StoredTable& stored : *tables) {
      const sql::TableSchema& table = stored.schema;
      query::TableInfo info;
      info.name = table.name;
      info.bin_seconds = table.bin_seconds;
      info.rollup_of = table.rollup_of;
      sql::Describe(table.columns, &info);
      absl::Status status = FindSpan(stored, table.bin_seconds, &info);
      if (status.ok() && !table.rollup_of.empty()) {
        // With what its table has.
        for (const StoredTable& base : *tables) {
          if (base.schema.name == table.rollup_of) status = FindSpan(base, table.bin_seconds, &info);
        }
      }
      if (!status.ok()) return status;
      infos.push_back(std::move(info));
    }
    return infos;
  }

  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override {
    absl::StatusOr<const Features*> features = connection_->features();
    if (!features.ok()) return features.status();
    absl::StatusOr<std::vector<StoredTable>> tables = ReadTables(connection_.get(), request.table);
    if (!tables.ok()) return tables.status();
    const auto table = std::find_if(tables->begin(), tables->end(),
                                    [&](const StoredTable& t) { return t.ours && t.schema.name == request.table; });
    if (table == tables->end()) return NoTable(request.table);
    absl::StatusOr<GroupSelect> select = GroupSelect::New(request, table->schema);
    if (!select.ok()) return select.status();
    absl::StatusOr<BatchSelection> batches =
        SelectBatches(connection_.get(), table->schema, table->distributed, request.from_seconds, request.to_seconds);
    if (!batches.ok()) return batches.status();
    if (batches->empty()) return absl::OkStatus();
    absl::Status status = connection_->Query(select->Statement(*batches, **features), select->types(), batches->all(),
                                             [&](absl::Span<const Cell> cells) { return select->Tell(cells, tell); });
    if (status.ok()) status = select->status();
    if (status.ok()) select->Finish(tell);
    return status;
  }

 private:
  absl::Status NoTable(const std::string& name) {
    absl::StatusOr<std::vector<StoredTable>> tables = ReadTables(connection_.get(), "");
    if (!tables.ok()) return tables.status();
    std::string names;
    for (const StoredTable& t : *tables) absl::StrAppend(&names, names.empty() ? "" : ", ", t.schema.name);
    return absl::NotFoundError(
        absl::StrCat("clickhouse: there is no table \"", name, "\"; there are: ", names.empty() ? "none yet" : names));
  }

  // Widens `info` by the bins of `table`, in bins of `length`.
  absl::Status FindSpan(const StoredTable& stored, int64_t length, query::TableInfo* info) {
    const sql::TableSchema& table = stored.schema;
    std::string sql = absl::StrCat("SELECT count(), min(bin_start), max(bin_end) FROM ", kBatches,
                                   " WHERE table_name = ", TextLiteral(table.name), " AND row_count > 0");
    // Of what has been removed by partitions, flowacct_batches still tells. Of several servers one does not know all.
    if (!stored.distributed) {
      absl::StrAppend(&sql, " AND toString(intDiv(bin_start, ", PartitionSeconds(table),
                      ")) IN (SELECT partition FROM system.parts WHERE active AND database = currentDatabase() AND "
                      "table = ",
                      TextLiteral(table.name), ")");
    }
    return connection_->Query(sql, {k64Cell, k64Cell, k64Cell}, {}, [&](absl::Span<const Cell> cells) {
      if (cells[0].u64() == 0) return true;
      int64_t first = cells[1].i64(), last = cells[2].i64();
      if (length != 0) {
        first = sql::FloorTo(first, length);
        if (last > first) last = sql::FloorTo(last - 1, length) + length;
      }
      const bool empty = info->first_seconds == 0 && info->last_seconds == 0;
      info->first_seconds = empty ? first : std::min(info->first_seconds, first);
      info->last_seconds = empty ? last : std::max(info->last_seconds, last);
      return true;
    });
  }

  std::unique_ptr<HttpConnection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenClickhouseStore(ConnectionOptions options) {
  absl::StatusOr<std::unique_ptr<HttpConnection>> connection = HttpConnection::New(std::move(options));
  if (!connection.ok()) return connection.status();
  return std::make_unique<Store>(*std::move(connection));
}

}  // namespace flowacct::sink::clickhouse
