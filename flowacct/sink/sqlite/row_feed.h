// Rows of the program as a table that a statement of SQLite reads: INSERT INTO flows SELECT * FROM flowacct_rows_11.
//
// A virtual table without a place in the file. One statement for all rows of a batch is twice as fast as one for each,
// with its values bound. Ownership: borrows the connection, which outlives it, and what Feed is given until the
// statement has ended. Threads: one at a time. Errors: SQLite's codes.

#ifndef FLOWACCT_SINK_SQLITE_ROW_FEED_H_
#define FLOWACCT_SINK_SQLITE_ROW_FEED_H_

#include <sqlite3.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/stored_rows.h"

namespace flowacct::sink::sqlite {

class RowFeed {
 public:
  explicit RowFeed(sqlite3* database) : database_(database) {}
  RowFeed(const RowFeed&) = delete;
  RowFeed& operator=(const RowFeed&) = delete;

  // Makes the table of so many columns that no row may outnumber, and says its name.
  int Table(size_t columns, std::string* name);
  // What the next statement reads: in each row `head`, then of the cells of `rows` those of these numbers.
  void Feed(std::vector<sql::Cell> head, absl::Span<const size_t> cells, sql::RowSource* rows) {
    head_ = std::move(head);
    picked_ = cells;
    rows_ = rows;
  }

 private:
  struct Module;
  struct Reader;
  sqlite3* const database_;
  std::vector<size_t> made_;  // tables of so many columns
  std::vector<sql::Cell> head_;
  absl::Span<const size_t> picked_;
  sql::RowSource* rows_ = nullptr;
};

}  // namespace flowacct::sink::sqlite

#endif  // FLOWACCT_SINK_SQLITE_ROW_FEED_H_
