#include "flowacct/collector/server/store_sinks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;

// "0" is for ever.
absl::Duration AgeOf(const std::string& text) {
  const absl::Duration age = ConfigFile::DurationOf(text);
  return age > absl::ZeroDuration() ? age : absl::InfiniteDuration();
}

// What all SQL stores are told.
absl::StatusOr<sink::StoreOptions> ToStoreOptions(const ConfigFile& file, const config::Pipeline& pipeline,
                                                  const aggregate::AggregatorOptions& aggregator) {
  sink::StoreOptions options;
  options.table = pipeline.name();
  options.bin_seconds = absl::ToInt64Seconds(aggregator.every);
  if (aggregator.every <= absl::ZeroDuration() || aggregator.every != absl::Seconds(options.bin_seconds)) {
    return file.ErrorAt(pipeline, "every", "a store needs bins of whole seconds; give every: \"5m\"");
  }
  return options;
}

absl::StatusOr<sink::sqlite::SqliteOptions> ToSqliteOptions(const ConfigFile& file, const config::Pipeline& pipeline,
                                                            const config::Sqlite& sqlite,
                                                            const aggregate::AggregatorOptions& aggregator) {
  const absl::StatusOr<sink::StoreOptions> shared = ToStoreOptions(file, pipeline, aggregator);
  if (!shared.ok()) return shared.status();
  sink::sqlite::SqliteOptions options;
  static_cast<sink::StoreOptions&>(options) = *shared;
  if (!sqlite.table().empty()) options.table = sqlite.table();
  options.path = sqlite.path();
  // The queue asks again.
  options.busy_timeout = absl::Milliseconds(200);
  options.retention = AgeOf(sqlite.keep());
  if (!sqlite.max_size().empty()) {
    const absl::StatusOr<uint64_t> octets = config::ParseOctets(sqlite.max_size());
    if (!octets.ok()) return file.ErrorAt(sqlite, "max_size", octets.status().message());
    options.max_octets = *octets;
  }
  for (const config::Rollup& rollup : sqlite.rollup()) {
    const absl::StatusOr<absl::Duration> every = config::ParseDuration(rollup.every());
    if (!every.ok()) return file.ErrorAt(rollup, "every", every.status().message());
    const int64_t seconds = absl::ToInt64Seconds(*every);
    const int64_t below = options.rollups.empty() ? options.bin_seconds : options.rollups.back().bin_seconds;
    if (seconds <= below || seconds % options.bin_seconds != 0) {
      return file.ErrorAt(
          rollup, "every",
          absl::StrCat("is no multiple of the pipeline's bins that is longer than those before it, of ", below, " s"));
    }
    options.rollups.push_back({seconds, AgeOf(rollup.keep())});
  }
  return options;
}

absl::StatusOr<sink::postgresql::PostgresqlOptions> ToPostgresqlOptions(
    const ConfigFile& file, const config::Pipeline& pipeline, const config::Postgresql& postgresql,
    const aggregate::AggregatorOptions& aggregator) {
  const absl::StatusOr<sink::StoreOptions> shared = ToStoreOptions(file, pipeline, aggregator);
  if (!shared.ok()) return shared.status();
  sink::postgresql::PostgresqlOptions options;
  static_cast<sink::StoreOptions&>(options) = *shared;
  if (!postgresql.table().empty()) options.table = postgresql.table();
  options.connection.conninfo = postgresql.connection();
  options.connection.password_file = postgresql.password_file();
  options.connection.timeout = ConfigFile::DurationOf(postgresql.timeout());
  options.retention = AgeOf(postgresql.keep());
  return options;
}

}  // namespace

bool IsStore(const config::Sink& sink) { return sink.has_sqlite() || sink.has_postgresql(); }

absl::Status CheckStore(const ConfigFile& file, const config::Sink& sink, const config::Pipeline& pipeline,
                        const aggregate::AggregatorOptions& aggregator) {
  if (sink.has_sqlite()) return ToSqliteOptions(file, pipeline, sink.sqlite(), aggregator).status();
  if (sink.has_postgresql()) return ToPostgresqlOptions(file, pipeline, sink.postgresql(), aggregator).status();
  return absl::OkStatus();
}

absl::StatusOr<StoreSink> NewStoreSink(const ConfigFile& file, const config::Sink& sink,
                                       const config::Pipeline& pipeline, const aggregate::AggregatorOptions& aggregator,
                                       std::shared_ptr<const aggregate::Schema> schema) {
  if (sink.has_sqlite()) {
    absl::StatusOr<sink::sqlite::SqliteOptions> options = ToSqliteOptions(file, pipeline, sink.sqlite(), aggregator);
    if (!options.ok()) return options.status();
    options->schema = std::move(schema);
    auto made = sink::sqlite::NewSqliteSink(*std::move(options));
    if (!made.ok()) return file.ErrorAt(sink.sqlite(), "path", made.status().message());
    return StoreSink{"sqlite", sink.sqlite().path(), *std::move(made)};
  }
  absl::StatusOr<sink::postgresql::PostgresqlOptions> options =
      ToPostgresqlOptions(file, pipeline, sink.postgresql(), aggregator);
  if (!options.ok()) return options.status();
  options->schema = std::move(schema);
  auto made = sink::postgresql::NewPostgresqlSink(*std::move(options));
  if (!made.ok()) return file.ErrorAt(sink.postgresql(), "connection", made.status().message());
  return StoreSink{"postgresql", "", *std::move(made)};
}

absl::StatusOr<std::shared_ptr<Spool>> OpenSpool(const ConfigFile& file, const config::Sink& sink, Spools* spools) {
  if (!sink.has_spool()) return std::shared_ptr<Spool>();
  const config::Spool& spool = sink.spool();
  SpoolOptions options;
  options.folder = spool.folder();
  options.max_octets = ConfigFile::OctetsOf(spool.max_size());
  options.max_age = AgeOf(spool.max_age());
  options.drop_oldest = spool.full() == config::Spool::DROP_OLDEST;
  absl::StatusOr<std::shared_ptr<Spool>> made = spools->Open(options);
  if (!made.ok()) return file.ErrorAt(spool, "folder", made.status().message());
  return made;
}

}  // namespace flowacct::collector
