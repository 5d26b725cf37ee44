#include "flowacct/sink/sqlite/sqlite_store.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/sql/sql_store.h"
#include "flowacct/sink/sqlite/sqlite_connection.h"

namespace flowacct::sink::sqlite {
namespace {

class Store : public query::GroupStore {
 public:
  Store(const std::string& path, std::unique_ptr<SqliteConnection> connection)
      : name_(absl::StrCat("sqlite:", path)), connection_(std::move(connection)) {}

  absl::string_view name() const override { return name_; }

  absl::StatusOr<std::vector<query::TableInfo>> Tables() override { return sql::StoredTables(connection_.get()); }

  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override {
    connection_->set_program(&request.where.program());
    connection_->set_stop(request.stop);
    absl::Status status = sql::SumStored(connection_.get(), request, tell);
    connection_->set_stop(nullptr);
    connection_->set_program(nullptr);
    return status;
  }

 private:
  const std::string name_;
  std::unique_ptr<SqliteConnection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenSqliteStore(const std::string& path,
                                                                   size_t max_groups_in_memory) {
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::Open(path, /*writes=*/false, absl::Seconds(5));
  if (!connection.ok()) return connection.status();
  (*connection)->set_groups_in_memory(max_groups_in_memory);
  return std::make_unique<Store>(path, *std::move(connection));
}

}  // namespace flowacct::sink::sqlite
