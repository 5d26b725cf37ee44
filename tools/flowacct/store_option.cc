#include "tools/flowacct/store_option.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/postgresql/connection_options.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/postgresql/postgresql_store.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"

namespace flowacct::tools {

namespace {

enum class Kind : uint8_t { kSqlite, kPostgresql };

struct StoreName {
  Kind kind = Kind::kSqlite;
  std::string place;
};

absl::StatusOr<StoreName> ParseStore(const std::string& store) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(store, absl::MaxSplits(':', 1));
  if (!parts.second.empty()) {
    if (parts.first == "sqlite") return StoreName{Kind::kSqlite, std::string(parts.second)};
    if (parts.first == "postgresql") return StoreName{Kind::kPostgresql, std::string(parts.second)};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--store: \"", store, "\" is no store; such as sqlite:flows.db or postgresql:dbname=flows"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<sink::StoreSink>> NewStoreSink(const std::string& store, sink::StoreOptions options) {
  absl::StatusOr<StoreName> name = ParseStore(store);
  if (!name.ok()) return name.status();
  if (name->kind == Kind::kSqlite) {
    sink::sqlite::SqliteOptions sqlite;
    static_cast<sink::StoreOptions&>(sqlite) = std::move(options);
    sqlite.path = std::move(name->place);
    auto made = sink::sqlite::NewSqliteSink(std::move(sqlite));
    if (!made.ok()) return made.status();
    return std::unique_ptr<sink::StoreSink>(*std::move(made));
  }
  sink::postgresql::PostgresqlOptions postgresql;
  static_cast<sink::StoreOptions&>(postgresql) = std::move(options);
  postgresql.connection.conninfo = std::move(name->place);
  auto made = sink::postgresql::NewPostgresqlSink(std::move(postgresql));
  if (!made.ok()) return made.status();
  return std::unique_ptr<sink::StoreSink>(*std::move(made));
}

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const std::string& store) {
  absl::StatusOr<StoreName> name = ParseStore(store);
  if (!name.ok()) return name.status();
  if (name->kind == Kind::kSqlite) return sink::sqlite::OpenSqliteStore(name->place);
  sink::postgresql::ConnectionOptions options;
  options.conninfo = std::move(name->place);
  return sink::postgresql::OpenPostgresqlStore(std::move(options));
}

}  // namespace flowacct::tools
