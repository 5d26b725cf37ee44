// Rows as documents, inserted in pieces.
//
// Ownership: borrows the connection. Threads: one at a time. Errors: of the connection, and of `pause`. Cost: a piece
// of at most 5,000 rows in memory, whose octets are used again.

#ifndef FLOWACCT_SINK_MONGODB_ROW_WRITER_H_
#define FLOWACCT_SINK_MONGODB_ROW_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/mongodb/mongodb_connection.h"
#include "flowacct/sink/mongodb/table_state.h"

namespace flowacct::sink::mongodb {

class RowWriter {
 public:
  // `pause` is called after each piece.
  RowWriter(MongodbConnection* connection, size_t rows_a_piece, std::function<absl::Status()> pause)
      : connection_(*connection), rows_a_piece_(rows_a_piece), pause_(std::move(pause)) {}

  // Rows of one batch's number into one collection, until Finish. `first_row`: how many of that number are there.
  void Begin(const std::string& collection, int64_t number, uint32_t first_row);
  // A row, whose cells follow.
  absl::Status Add(int64_t bin_start, int64_t bin_end);
  // A cell; what is absent is not told.
  void Integer(absl::string_view name, int64_t value) { current_->Integer(name, value); }
  void Octets(absl::string_view name, absl::string_view value) { current_->Octets(name, value); }
  void Text(absl::string_view name, absl::string_view value) { current_->Text(name, value); }
  void Sum(const std::string& name, absl::uint128 value);
  absl::Status Finish();

  uint32_t rows() const { return row_; }  // of the number and collection
  // Names of sums that passed 2^53, since this was made.
  const std::set<std::string>& wide() const { return wide_; }

 private:
  absl::Status Flush();

  MongodbConnection& connection_;
  const size_t rows_a_piece_;
  const std::function<absl::Status()> pause_;
  std::string collection_;
  int64_t number_ = 0;
  uint32_t row_ = 0;
  std::vector<Document> piece_;
  size_t in_piece_ = 0;
  Document* current_ = nullptr;
  std::set<std::string> wide_;
};

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_ROW_WRITER_H_
