#include "flowacct/collector/stores/store_kind.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/postgresql/connection_options.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/postgresql/postgresql_store.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"

namespace flowacct::collector {
namespace {

using Made = absl::StatusOr<std::unique_ptr<sink::StoreSink>>;
using Opened = absl::StatusOr<std::unique_ptr<query::GroupStore>>;

Made NewSqlite(const StorePlace& place, sink::StoreOptions options) {
  sink::sqlite::SqliteOptions sqlite;
  static_cast<sink::StoreOptions&>(sqlite) = std::move(options);
  sqlite.path = place.place;
  sqlite.max_octets = place.max_octets;
  sqlite.busy_timeout = place.timeout;
  return sink::sqlite::NewSqliteSink(std::move(sqlite));
}

Opened OpenSqlite(const StorePlace& place) { return sink::sqlite::OpenSqliteStore(place.place); }

sink::postgresql::ConnectionOptions Postgresql(const StorePlace& place) {
  sink::postgresql::ConnectionOptions connection;
  connection.conninfo = place.place;
  connection.password_file = place.password_file;
  connection.timeout = place.timeout;
  return connection;
}

Made NewPostgresql(const StorePlace& place, sink::StoreOptions options) {
  sink::postgresql::PostgresqlOptions postgresql;
  static_cast<sink::StoreOptions&>(postgresql) = std::move(options);
  postgresql.connection = Postgresql(place);
  return sink::postgresql::NewPostgresqlSink(std::move(postgresql));
}

Opened OpenPostgresql(const StorePlace& place) { return sink::postgresql::OpenPostgresqlStore(Postgresql(place)); }

constexpr StoreKind kStores[] = {
    {"sqlite", true, "FILE", NewSqlite, OpenSqlite},
    {"postgresql", false, "CONNECTION", NewPostgresql, OpenPostgresql},
};

}  // namespace

absl::Span<const StoreKind> StoreKinds() { return kStores; }

const StoreKind* FindStoreKind(absl::string_view name) {
  for (const StoreKind& kind : kStores) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

absl::StatusOr<NamedStore> ParseStore(absl::string_view text) {
  const size_t colon = text.find(':');
  const StoreKind* const kind = FindStoreKind(text.substr(0, colon));
  if (kind != nullptr && colon != text.npos && colon + 1 < text.size()) {
    NamedStore store{kind, {}};
    store.place.place = std::string(text.substr(colon + 1));
    return store;
  }
  std::string known;
  for (const StoreKind& k : kStores) absl::StrAppend(&known, known.empty() ? "" : ", ", k.name, ":", k.place);
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no store; there are ", known));
}

}  // namespace flowacct::collector
