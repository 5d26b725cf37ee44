// The sinks of an import that are databases: pmacct's plugins mysql, pgsql, sqlite3 and mongodb.
//
//     plugins: pgsql[a]                       postgresql {
//     sql_host[a]: db.example                   connection: "host=db.example dbname=flows user=pmacct"
//     sql_db[a]: flows                          table: "acct_flowacct"
//     sql_table[a]: acct_%Y%m%d               }
//
// Tables are ours, beside those of pmacct: theirs stay as they are.

#ifndef FLOWACCT_COLLECTOR_IMPORT_STORE_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_STORE_IMPORT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/collector/import/backend_import.h"
#include "flowacct/collector/import/config_writer.h"

namespace flowacct::collector {

class StoreImport {
 public:
  explicit StoreImport(BackendImport* backend) : backend_(backend) {}

  static bool Writes(absl::string_view plugin_type);
  // What is in `sink`.
  void Write(const BackendPipeline& pipeline, ConfigWriter* out);

 private:
  void WriteSqlite(const BackendPipeline& pipeline, ConfigWriter* out);
  void WritePostgresql(const BackendPipeline& pipeline, ConfigWriter* out);
  void WriteMariadb(const BackendPipeline& pipeline, ConfigWriter* out);
  void WriteMongodb(const BackendPipeline& pipeline, ConfigWriter* out);
  // `given`: the table's name in pmacct, of `statement`, which may be null. `place`: the database that it is in.
  void WriteTable(const BackendPipeline& pipeline, const Statement* statement, absl::string_view given,
                  absl::string_view place, ConfigWriter* out);

  BackendImport* backend_;
  std::vector<std::string> tables_;  // with their places, in small letters
};

// "acct_v9_%Y%m%d" as "acct_v9": what is left of a name without variables, of letters, digits and '_'.
std::string TableStem(absl::string_view table);
// One "name=value" of a connection string, in single quotes where it must be. Before a quote and a '\' within them
// libpq has a '\'; our MariaDB sink has a second quote.
enum class Quoting { kBackslash, kDoubled };
std::string ConnectionWord(absl::string_view name, absl::string_view value, Quoting quoting = Quoting::kBackslash);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_STORE_IMPORT_H_
