#include "flowacct/collector/stores/store_kind.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/sink/clickhouse/clickhouse_sink.h"
#include "flowacct/sink/clickhouse/clickhouse_store.h"
#include "flowacct/sink/clickhouse/connection_options.h"
#include "flowacct/sink/mariadb/connection_options.h"
#include "flowacct/sink/mariadb/mariadb_sink.h"
#include "flowacct/sink/mariadb/mariadb_store.h"
#include "flowacct/sink/mongodb/connection_options.h"
#include "flowacct/sink/mongodb/mongodb_sink.h"
#include "flowacct/sink/mongodb/mongodb_store.h"
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

absl::StatusOr<sink::mariadb::ConnectionOptions> Mariadb(const StorePlace& place) {
  absl::StatusOr<sink::mariadb::ConnectionOptions> connection = sink::mariadb::ParseConnectionOptions(place.place);
  if (!connection.ok()) return connection;
  if (!place.password_file.empty()) connection->password_file = place.password_file;
  connection->timeout = place.timeout;
  return connection;
}

Made NewMariadb(const StorePlace& place, sink::StoreOptions options) {
  absl::StatusOr<sink::mariadb::ConnectionOptions> connection = Mariadb(place);
  if (!connection.ok()) return connection.status();
  sink::mariadb::MariadbOptions mariadb;
  static_cast<sink::StoreOptions&>(mariadb) = std::move(options);
  mariadb.connection = *std::move(connection);
  return sink::mariadb::NewMariadbSink(std::move(mariadb));
}

Opened OpenMariadb(const StorePlace& place) {
  absl::StatusOr<sink::mariadb::ConnectionOptions> connection = Mariadb(place);
  if (!connection.ok()) return connection.status();
  return sink::mariadb::OpenMariadbStore(*std::move(connection));
}

sink::clickhouse::ConnectionOptions Clickhouse(const StorePlace& place) {
  sink::clickhouse::ConnectionOptions connection;
  connection.url = place.place;
  // "http://flowacct@host/flows", as one word of a command line. With a password it stays, and is refused.
  if (const size_t begin = connection.url.find("//"), end = connection.url.find_first_of(":/@", begin + 2);
      begin != std::string::npos && end != std::string::npos && connection.url[end] == '@') {
    connection.user = connection.url.substr(begin + 2, end - begin - 2);
    connection.url.erase(begin + 2, end - begin - 1);
  }
  if (!place.user.empty()) connection.user = place.user;
  connection.password_file = place.password_file;
  connection.ca_file = place.ca_file;
  connection.timeout = place.timeout;
  return connection;
}

Made NewClickhouse(const StorePlace& place, sink::StoreOptions options) {
  sink::clickhouse::ClickhouseOptions clickhouse;
  static_cast<sink::StoreOptions&>(clickhouse) = std::move(options);
  clickhouse.connection = Clickhouse(place);
  clickhouse.cluster = place.cluster;
  return sink::clickhouse::NewClickhouseSink(std::move(clickhouse));
}

Opened OpenClickhouse(const StorePlace& place) { return sink::clickhouse::OpenClickhouseStore(Clickhouse(place)); }

sink::mongodb::ConnectionOptions Mongodb(const StorePlace& place) {
  sink::mongodb::ConnectionOptions connection;
  // As one word of a command line "mongodb://..." is the whole of it.
  connection.uri = absl::StartsWith(place.place, "//") ? absl::StrCat("mongodb:", place.place) : place.place;
  const size_t host = connection.uri.find("//");
  const size_t path = host == std::string::npos ? host : connection.uri.find('/', host + 2);
  if (!place.database.empty()) {
    connection.database = place.database;
  } else if (path != std::string::npos) {  // ".../flows?...": also the database of the user, as MongoDB has it
    const std::string database = connection.uri.substr(path + 1, connection.uri.find('?', path) - path - 1);
    if (!database.empty()) connection.database = database;
  }
  connection.password_file = place.password_file;
  connection.timeout = place.timeout;
  return connection;
}

Made NewMongodb(const StorePlace& place, sink::StoreOptions options) {
  sink::mongodb::MongodbOptions mongodb;
  static_cast<sink::StoreOptions&>(mongodb) = std::move(options);
  mongodb.connection = Mongodb(place);
  return sink::mongodb::NewMongodbSink(std::move(mongodb));
}

Opened OpenMongodb(const StorePlace& place) { return sink::mongodb::OpenMongodbStore(Mongodb(place)); }

constexpr StoreKind kStores[] = {
    {"sqlite", true, "FILE", NewSqlite, OpenSqlite},
    {"postgresql", false, "CONNECTION", NewPostgresql, OpenPostgresql},
    {"mariadb", false, "CONNECTION", NewMariadb, OpenMariadb},
    {"clickhouse", false, "URL", NewClickhouse, OpenClickhouse},
    {"mongodb", false, "//HOST/DATABASE", NewMongodb, OpenMongodb},
};

}  // namespace

absl::Span<const StoreKind> StoreKinds() { return kStores; }

const StoreKind* FindStoreKind(absl::string_view name) {
  for (const StoreKind& kind : kStores) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

absl::StatusOr<StoreAt> ParseStore(absl::string_view text) {
  const size_t colon = text.find(':');
  const StoreKind* const kind = FindStoreKind(text.substr(0, colon));
  if (kind != nullptr && colon != text.npos && colon + 1 < text.size()) {
    StoreAt store{kind, {}};
    store.place.place = std::string(text.substr(colon + 1));
    return store;
  }
  std::string known;
  for (const StoreKind& k : kStores) absl::StrAppend(&known, known.empty() ? "" : ", ", k.name, ":", k.place);
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no store; there are ", known));
}

}  // namespace flowacct::collector
