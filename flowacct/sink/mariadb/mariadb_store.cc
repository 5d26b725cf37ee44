#include "flowacct/sink/mariadb/mariadb_store.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/mariadb/mariadb_connection.h"
#include "flowacct/sink/sql/sql_store.h"

namespace flowacct::sink::mariadb {
namespace {

class Store : public query::GroupStore {
 public:
  explicit Store(std::unique_ptr<MariadbConnection> connection) : connection_(std::move(connection)) {}

  absl::string_view name() const override { return "mariadb"; }
  absl::StatusOr<std::vector<query::TableInfo>> Tables() override { return sql::StoredTables(connection_.get()); }
  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override {
    return sql::SumStored(connection_.get(), request, tell);
  }

 private:
  std::unique_ptr<MariadbConnection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenMariadbStore(ConnectionOptions options) {
  absl::StatusOr<std::unique_ptr<MariadbConnection>> connection = MariadbConnection::New(std::move(options));
  if (!connection.ok()) return connection.status();
  return std::make_unique<Store>(*std::move(connection));
}

}  // namespace flowacct::sink::mariadb
