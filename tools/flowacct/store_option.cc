#include "tools/flowacct/store_option.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"

namespace flowacct::tools {

absl::StatusOr<std::unique_ptr<sink::Sink>> NewStoreSink(const std::string& store, const std::string& table,
                                                         int64_t bin_seconds) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(store, absl::MaxSplits(':', 1));
  if (parts.first == "sqlite" && !parts.second.empty()) {
    sink::sqlite::SqliteOptions options;
    options.path = std::string(parts.second);
    options.table = table;
    options.bin_seconds = bin_seconds;
    auto made = sink::sqlite::NewSqliteSink(std::move(options));
    if (!made.ok()) return made.status();
    return std::unique_ptr<sink::Sink>(*std::move(made));
  }
  if (parts.first == "postgresql" && !parts.second.empty()) {
    sink::postgresql::PostgresqlOptions options;
    options.connection.conninfo = std::string(parts.second);
    options.table = table;
    options.bin_seconds = bin_seconds;
    auto made = sink::postgresql::NewPostgresqlSink(std::move(options));
    if (!made.ok()) return made.status();
    return std::unique_ptr<sink::Sink>(*std::move(made));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--store: \"", store, "\" is no store; such as sqlite:flows.db or postgresql:dbname=flows"));
}

}  // namespace flowacct::tools
