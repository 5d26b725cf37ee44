#include "flowacct/collector/server/store_sinks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/stores/store_kind.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;

// "0" is for ever.
absl::Duration AgeOf(const std::string& text) {
  const absl::Duration age = ConfigFile::DurationOf(text);
  return age > absl::ZeroDuration() ? age : absl::InfiniteDuration();
}

struct ConfiguredStore {
  absl::string_view kind;
  absl::string_view place_name;  // of the setting that says where it is
  StorePlace place;
  sink::StoreOptions options;
};

// Where a store is: a function a message of the configuration.
ConfiguredStore PlaceOf(const config::Sqlite& sqlite) {
  ConfiguredStore store{"sqlite", "path", {}, {}};
  store.place.place = sqlite.path();
  // The queue asks again.
  store.place.timeout = absl::Milliseconds(200);
  return store;
}

template <typename Server>
ConfiguredStore ServerAt(absl::string_view kind, absl::string_view place_name, const std::string& place,
                         const Server& server) {
  ConfiguredStore store{kind, place_name, {}, {}};
  store.place.place = place;
  store.place.password_file = server.password_file();
  store.place.timeout = ConfigFile::DurationOf(server.timeout());
  return store;
}

ConfiguredStore PlaceOf(const config::Postgresql& server) {
  return ServerAt("postgresql", "connection", server.connection(), server);
}
ConfiguredStore PlaceOf(const config::Mariadb& server) {
  return ServerAt("mariadb", "connection", server.connection(), server);
}
ConfiguredStore PlaceOf(const config::Clickhouse& server) {
  ConfiguredStore store = ServerAt("clickhouse", "url", server.url(), server);
  store.place.user = server.user();
  store.place.ca_file = server.ca_file();
  store.place.cluster = server.cluster();
  return store;
}
ConfiguredStore PlaceOf(const config::Mongodb& server) {
  ConfiguredStore store = ServerAt("mongodb", "uri", server.uri(), server);
  store.place.database = server.database();
  return store;
}

// What all stores are told.
template <typename Message>
absl::Status SetOptions(const ConfigFile& file, const Message& message, const config::Pipeline& pipeline,
                        const aggregate::AggregatorOptions& aggregator, sink::StoreOptions* options) {
  options->table = message.table().empty() ? pipeline.name() : message.table();
  options->bin_seconds = absl::ToInt64Seconds(aggregator.every);
  if (aggregator.every <= absl::ZeroDuration() || aggregator.every != absl::Seconds(options->bin_seconds)) {
    return file.ErrorAt(pipeline, "every", "a store needs bins of whole seconds; give every: \"5m\"");
  }
  options->retention = AgeOf(message.keep());
  for (const config::Rollup& rollup : message.rollup()) {
    const absl::StatusOr<absl::Duration> every = config::ParseDuration(rollup.every());
    if (!every.ok()) return file.ErrorAt(rollup, "every", every.status().message());
    const int64_t seconds = absl::ToInt64Seconds(*every);
    const int64_t below = options->rollups.empty() ? options->bin_seconds : options->rollups.back().bin_seconds;
    if (seconds <= below || seconds % options->bin_seconds != 0) {
      return file.ErrorAt(
          rollup, "every",
          absl::StrCat("is no multiple of the pipeline's bins that is longer than those before it, of ", below, " s"));
    }
    options->rollups.push_back({seconds, AgeOf(rollup.keep())});
  }
  return absl::OkStatus();
}

// Calls `use` with the message of a store. False: the sink is none.
template <typename Use>
bool WithStore(const config::Sink& sink, Use use) {
  switch (sink.kind_case()) {
    case config::Sink::kSqlite:
      use(sink.sqlite());
      return true;
    case config::Sink::kPostgresql:
      use(sink.postgresql());
      return true;
    case config::Sink::kMariadb:
      use(sink.mariadb());
      return true;
    case config::Sink::kClickhouse:
      use(sink.clickhouse());
      return true;
    case config::Sink::kMongodb:
      use(sink.mongodb());
      return true;
    default:
      return false;
  }
}

absl::StatusOr<ConfiguredStore> ToStore(const ConfigFile& file, const config::Sink& sink,
                                        const config::Pipeline& pipeline,
                                        const aggregate::AggregatorOptions& aggregator) {
  ConfiguredStore store;
  absl::Status status;
  WithStore(sink, [&](const auto& message) {
    store = PlaceOf(message);
    status = SetOptions(file, message, pipeline, aggregator, &store.options);
  });
  if (!status.ok()) return status;
  if (sink.has_sqlite() && !sink.sqlite().max_size().empty()) {
    const absl::StatusOr<uint64_t> octets = config::ParseOctets(sink.sqlite().max_size());
    if (!octets.ok()) return file.ErrorAt(sink.sqlite(), "max_size", octets.status().message());
    store.place.max_octets = *octets;
  }
  return store;
}

}  // namespace

bool IsStore(const config::Sink& sink) {
  return WithStore(sink, [](const auto&) {});
}

absl::Status CheckStore(const ConfigFile& file, const config::Sink& sink, const config::Pipeline& pipeline,
                        const aggregate::AggregatorOptions& aggregator) {
  return ToStore(file, sink, pipeline, aggregator).status();
}

absl::StatusOr<StoreSink> NewStoreSink(const ConfigFile& file, const config::Sink& sink,
                                       const config::Pipeline& pipeline, const aggregate::AggregatorOptions& aggregator,
                                       std::shared_ptr<const aggregate::Schema> schema) {
  absl::StatusOr<ConfiguredStore> store = ToStore(file, sink, pipeline, aggregator);
  if (!store.ok()) return store.status();
  const StoreKind* const kind = FindStoreKind(store->kind);
  store->options.schema = std::move(schema);
  auto made = kind->new_sink(store->place, std::move(store->options));
  if (!made.ok()) {
    absl::Status error;
    WithStore(sink, [&](const auto& message) {
      error = file.ErrorAt(message, std::string(store->place_name), made.status().message());
    });
    return error;
  }
  return StoreSink{std::string(kind->name), kind->is_file ? store->place.place : "", *std::move(made)};
}

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const config::Sink& sink) {
  ConfiguredStore store;
  WithStore(sink, [&](const auto& message) { store = PlaceOf(message); });
  return FindStoreKind(store.kind)->open(store.place);
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
