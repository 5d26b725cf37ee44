// Rows into a table, as libmariadb's arrays where the server takes them, else by INSERTs of many rows: the fast ways
// that need no rights beyond INSERT (LOAD DATA LOCAL was no faster, and servers switch it off).
//
// Ownership: borrows the connection; copies what it is given. Threads: one at a time. Errors: the connection's.
// Cost: a row's octets are copied once; at most kRowsAtOnce rows or kOctetsAtOnce are held.

#ifndef FLOWACCT_SINK_MARIADB_ROW_INSERTER_H_
#define FLOWACCT_SINK_MARIADB_ROW_INSERTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/mariadb/mariadb_connection.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::mariadb {

class RowInserter {
 public:
  // `insert`: "INSERT INTO t (a, b) VALUES " of `columns` columns.
  RowInserter(MariadbConnection* connection, std::string insert, size_t columns, bool arrays);
  ~RowInserter();

  absl::Status Add(absl::Span<const sql::Cell> row);
  // The rest of them.
  absl::Status Finish();
  uint64_t rows() const { return done_; }

 private:
  struct Column {
    enum_field_types type = MYSQL_TYPE_NULL;  // until there is a value
    std::vector<int64_t> integers;
    std::vector<size_t> begins;
    std::vector<unsigned long> lengths;
    std::vector<char> nulls;  // STMT_INDICATOR_NULL, _NONE
    std::vector<char*> octets;
  };

  absl::Status Flush();
  absl::Status FlushArrays();
  absl::Status FlushRows();
  absl::Status Prepare(size_t rows);

  MariadbConnection* const connection_;
  const std::string insert_;
  const bool arrays_;
  const size_t rows_at_once_;
  std::vector<Column> columns_;
  std::string octets_;  // of all columns
  size_t rows_ = 0, prepared_ = 0;
  uint64_t done_ = 0;
  std::vector<MYSQL_BIND> binds_;
};

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_ROW_INSERTER_H_
