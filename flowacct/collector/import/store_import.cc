#include "flowacct/collector/import/store_import.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace flowacct::collector {
namespace {

// Behind a name of pmacct's, so that its own table of that name, which has other columns, is left alone.
constexpr absl::string_view kOurs = "_flowacct";
// Of 63 octets (PostgreSQL): partitions, rollups and views have longer names.
constexpr size_t kMaxStem = 32, kMaxPart = 16;

}  // namespace

std::string TableStem(absl::string_view table) {
  std::string stem;
  for (size_t at = 0; at < table.size(); ++at) {
    const auto c = static_cast<unsigned char>(table[at]);
    if (c == '%') {
      ++at;  // a letter of strftime
    } else if (c == '$') {
      while (at + 1 < table.size() &&
             (absl::ascii_islower(static_cast<unsigned char>(table[at + 1])) ||
              absl::ascii_isdigit(static_cast<unsigned char>(table[at + 1])) || table[at + 1] == '_')) {
        ++at;
      }
    } else if (!absl::StrContains("\"`[]", c)) {  // what quotes names
      stem.push_back(absl::ascii_isalnum(c) ? static_cast<char>(c) : '_');
    }
  }
  while (!stem.empty() && stem.back() == '_') stem.pop_back();
  stem.resize(std::min(stem.size(), kMaxStem));
  return stem;
}

std::string ConnectionWord(absl::string_view name, absl::string_view value, Quoting quoting) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.:/,%+@~", c);
  });
  if (plain) return absl::StrCat(name, "=", value);
  const std::string quoted = quoting == Quoting::kDoubled ? absl::StrReplaceAll(value, {{"'", "''"}})
                                                          : absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}});
  return absl::StrCat(name, "='", quoted, "'");
}

bool StoreImport::Writes(absl::string_view plugin_type) {
  constexpr absl::string_view kTypes[] = {"mysql", "pgsql", "sqlite3", "mongodb", "mongodb_legacy"};
  return std::find(std::begin(kTypes), std::end(kTypes), plugin_type) != std::end(kTypes);
}

void StoreImport::Write(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  const Statement* const plugins = settings.Of(Setting::kPlugins);
  const bool mongodb = absl::StartsWith(plugin.type, "mongodb");  // or mongodb_legacy
  settings.Attention(
      plugins, absl::StrCat("tables of ", mongodb ? "mongodb" : plugin.type,
                            " are ours, beside pmacct's, which stay: whatever reads them must be told their names "
                            "and columns (docs/reference/stores.md)"));
  if (settings.Of(Setting::kHistory, plugin) == nullptr && !mongodb) {
    settings.Attention(plugins,
                       absl::StrCat(plugin.name,
                                    " has no sql_history, so that pmacct adds to one row a group for ever; here "
                                    "each bin has rows of its own: give every a width, and the sink keep"));
  }
  if (plugin.type == "sqlite3") {
    WriteSqlite(pipeline, out);
  } else if (plugin.type == "pgsql") {
    WritePostgresql(pipeline, out);
  } else if (plugin.type == "mysql") {
    WriteMariadb(pipeline, out);
  } else {
    WriteMongodb(pipeline, out);
  }
}

void StoreImport::WriteTable(const BackendPipeline& pipeline, const Statement* statement, absl::string_view given,
                             absl::string_view place, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  // What pmacct calls its tables, and its documents, unless told.
  const bool theirs = absl::StartsWithIgnoreCase(pipeline.name, "acct");
  const std::string stem = TableStem(given);
  std::string table = pipeline.name;
  if (!stem.empty()) table = absl::StrCat(stem, kOurs, absl::StrReplaceAll(pipeline.suffix, {{"-", "_"}}));
  if (stem.empty() && theirs) absl::StrAppend(&table, kOurs);
  if (absl::StrContains(given, '%')) {
    settings.Remark(statement,
                    "there is one table for all times; bins go from it when they are as old as keep of the sink says");
  }
  if (absl::StrContains(given, '$')) settings.Attention(statement, "variables are left out: one table has all rows");
  const auto is_new = [&] {
    const std::string key = absl::AsciiStrToLower(absl::StrCat(place, "\n", table));
    if (std::find(tables_.begin(), tables_.end(), key) != tables_.end()) return false;
    tables_.push_back(key);
    return true;
  };
  for (int i = 1; !is_new(); ++i) {
    settings.Attention(statement, "several plugins write this table; here each has one of its own");
    table = absl::StrCat(stem.substr(0, kMaxPart), kOurs, "_", TableStem(pipeline.name).substr(0, kMaxPart),
                         i == 1 ? "" : absl::StrCat("_", i));
  }
  if (table != pipeline.name) out->Text("table", table, From(statement));
}

void StoreImport::WriteSqlite(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  ToldValues told(&settings, *pipeline.plugin);
  const std::string path = told.Of(Setting::kSqlDatabase, "the file", "/tmp/pmacct.db");
  out->Open("sqlite");
  out->Text("path", path, told.from());
  const Statement* const table = settings.Of(Setting::kSqlTable, *pipeline.plugin);
  WriteTable(pipeline, table, table == nullptr ? "" : table->value, path, out);
  out->Close();
  backend_->WriteSpool(pipeline, out);
}

void StoreImport::WritePostgresql(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  ToldValues told(&settings, plugin);
  std::string connection;
  // Without a host libpq takes the machine's own server, and so does pmacct.
  if (const std::string host = told.HostOf(Setting::kSqlHost, ""); !host.empty()) {
    absl::StrAppend(&connection, ConnectionWord("host", host), " ");
  }
  if (const std::string port = told.Of(Setting::kSqlPort, "port", ""); !port.empty()) {
    settings.NumberOf(settings.Of(Setting::kSqlPort, plugin), 1, UINT16_MAX);
    absl::StrAppend(&connection, ConnectionWord("port", port), " ");
  }
  const std::string database = told.Of(Setting::kSqlDatabase, "dbname", "pmacct");
  const std::string user = told.Of(Setting::kSqlUser, "user", "pmacct");
  absl::StrAppend(&connection, ConnectionWord("dbname", database), " ", ConnectionWord("user", user));
  if (const std::string authority = told.Of(Setting::kSqlCaFile, "", ""); !authority.empty()) {
    absl::StrAppend(&connection, " sslmode=verify-full ", ConnectionWord("sslrootcert", authority));
  }
  const Statement* const password = settings.Of(Setting::kSqlPassword, plugin);
  out->Open("postgresql");
  out->Text("connection", connection, told.from());
  backend_->WritePasswordFile(password, out);
  backend_->RemarkOnDefaultPassword(password, "sql_passwd", out);
  const Statement* const table = settings.Of(Setting::kSqlTable, plugin);
  absl::string_view name = table == nullptr ? "" : absl::string_view(table->value);
  if (const size_t dot = name.rfind('.'); dot != name.npos) {
    settings.Attention(table, "the schema is left out; give options='-c search_path=SCHEMA' in connection");
    name = name.substr(dot + 1);
  }
  WriteTable(pipeline, table, name, connection, out);
  out->Close();
  backend_->WriteSpool(pipeline, out);
}

void StoreImport::WriteMariadb(const BackendPipeline& pipeline, ConfigWriter* out) {
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  ToldValues told(&settings, plugin);
  const std::string host = told.HostOf(Setting::kSqlHost, "localhost");
  absl::string_view socket = host;
  const bool local = absl::ConsumePrefix(&socket, "unix:");
  const auto word = [](absl::string_view name, absl::string_view value) {
    return ConnectionWord(name, value, Quoting::kDoubled);
  };
  std::string connection = local ? word("socket", socket) : word("host", host);
  const Statement* const port = settings.Of(Setting::kSqlPort, plugin);
  if (local && port != nullptr) settings.Remark(port, "a socket has no port");
  if (!local && port != nullptr) {
    settings.NumberOf(port, 1, UINT16_MAX);
    absl::StrAppend(&connection, " ", word("port", told.Of(Setting::kSqlPort, "port", "")));
  }
  const std::string database = told.Of(Setting::kSqlDatabase, "database", "pmacct");
  const std::string user = told.Of(Setting::kSqlUser, "user", "pmacct");
  absl::StrAppend(&connection, " ", word("user", user), " ", word("database", database));
  if (const std::string authority = told.Of(Setting::kSqlCaFile, "", ""); !authority.empty()) {
    absl::StrAppend(&connection, " tls=verify ", word("tls_ca_file", authority));
  }
  const Statement* const password = settings.Of(Setting::kSqlPassword, plugin);
  out->Open("mariadb");
  out->Text("connection", connection, told.from());
  backend_->WritePasswordFile(password, out);
  backend_->RemarkOnDefaultPassword(password, "sql_passwd", out);
  const Statement* const table = settings.Of(Setting::kSqlTable, plugin);
  absl::string_view name = table == nullptr ? "" : absl::string_view(table->value);
  if (const size_t dot = name.rfind('.'); dot != name.npos) {
    settings.Attention(table, "the database before the dot is left out; give it in connection");
    name = name.substr(dot + 1);
  }
  WriteTable(pipeline, table, name, connection, out);
  out->Close();
  backend_->WriteSpool(pipeline, out);
}

void StoreImport::WriteMongodb(const BackendPipeline& pipeline, ConfigWriter* out) {
  constexpr uint64_t kPort = 27017;
  Settings& settings = backend_->settings();
  const Plugin& plugin = *pipeline.plugin;
  const Statement* const table = settings.Of(Setting::kMongoTable, plugin);
  // "DATABASE.COLLECTION", and pmacct's unless told.
  const absl::string_view given = table == nullptr ? "test.acct" : absl::string_view(table->value);
  const size_t dot = given.find('.');
  std::string database(given.substr(0, dot));
  const bool plain = !database.empty() && std::all_of(database.begin(), database.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
  if (dot == given.npos || !plain) {
    settings.Fail(table, "is no DATABASE.COLLECTION; write it so, the database with letters, digits, '_' and '-'");
  }
  ToldValues told(&settings, plugin);
  const std::string host = told.HostOf(Setting::kMongoHost, "127.0.0.1");
  const Statement* const password = settings.Of(Setting::kMongoPassword, plugin);
  // One of the two is enough for pmacct to make itself known.
  const bool known = password != nullptr || settings.Of(Setting::kMongoUser, plugin) != nullptr;
  std::string user;
  if (known) user = told.Of(Setting::kMongoUser, "user", "pmacct");
  out->Open("mongodb");
  out->Text(
      "uri",
      known ? absl::StrCat("mongodb://", PercentEncoded(user), "@", HostAndPort(host, kPort), "/?authSource=", database)
            : absl::StrCat("mongodb://", HostAndPort(host, kPort)),
      told.from());
  out->Text("database", database, table == nullptr ? "pmacct's unless told" : From(table));
  backend_->WritePasswordFile(password, out);
  if (known) backend_->RemarkOnDefaultPassword(password, "mongo_passwd", out);
  WriteTable(pipeline, table, dot == given.npos ? "" : given.substr(dot + 1), absl::StrCat(host, "\n", database), out);
  out->Close();
}

}  // namespace flowacct::collector
