#include "flowacct/sink/mariadb/row_inserter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace flowacct::sink::mariadb {
namespace {

using sql::Cell;

// Pieces that servers take as they come (max_allowed_packet is 16 MiB there), and that are done in some milliseconds.
constexpr size_t kRowsAtOnce = 4096;
constexpr size_t kOctetsAtOnce = size_t{1} << 20;
// A statement has at most 65,535 values, and short ones are as fast.
constexpr size_t kValuesAtOnce = 5000;

enum_field_types TypeOf(Cell::Kind kind) {
  return kind == Cell::Kind::kInteger ? MYSQL_TYPE_LONGLONG
         : kind == Cell::Kind::kText  ? MYSQL_TYPE_STRING
                                      : MYSQL_TYPE_BLOB;
}

}  // namespace

RowInserter::RowInserter(MariadbConnection* connection, std::string insert, size_t columns, bool arrays)
    : connection_(connection),
      insert_(std::move(insert)),
      arrays_(arrays && connection->takes_arrays()),
      rows_at_once_(arrays_ ? kRowsAtOnce : std::clamp<size_t>(kValuesAtOnce / columns, 1, 1000)),
      columns_(columns) {}

RowInserter::~RowInserter() { connection_->Unprepare(); }

absl::Status RowInserter::Add(absl::Span<const Cell> row) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const Cell& cell = row[i];
    column.nulls.push_back(cell.is_null() ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE);
    if (!cell.is_null()) column.type = TypeOf(cell.kind);
    column.integers.push_back(cell.integer);
    const bool has_octets = cell.kind == Cell::Kind::kOctets || cell.kind == Cell::Kind::kText;
    column.begins.push_back(octets_.size());
    column.lengths.push_back(has_octets ? cell.octets.size() : 0);
    if (has_octets) octets_.append(cell.octets.data(), cell.octets.size());
  }
  ++rows_;
  return rows_ == rows_at_once_ || octets_.size() >= kOctetsAtOnce ? Flush() : absl::OkStatus();
}

absl::Status RowInserter::Finish() { return rows_ == 0 ? absl::OkStatus() : Flush(); }

absl::Status RowInserter::Flush() {
  for (Column& column : columns_) {
    column.octets.resize(rows_);
    for (size_t row = 0; row < rows_; ++row) column.octets[row] = &octets_[0] + column.begins[row];
  }
  absl::Status status = arrays_ ? FlushArrays() : FlushRows();
  if (status.ok()) done_ += rows_;
  rows_ = 0;
  octets_.clear();
  for (Column& column : columns_) {
    column.integers.clear();
    column.begins.clear();
    column.lengths.clear();
    column.nulls.clear();
  }
  return status;
}

absl::Status RowInserter::Prepare(size_t rows) {
  if (prepared_ == rows) return absl::OkStatus();
  std::string sql = insert_;
  for (size_t row = 0; row < rows; ++row) {
    absl::StrAppend(&sql, row == 0 ? "(" : ", (");
    for (size_t i = 0; i < columns_.size(); ++i) sql += i == 0 ? "?" : ", ?";
    sql += ")";
  }
  prepared_ = 0;
  absl::Status status = connection_->Prepare(sql);
  if (status.ok()) prepared_ = rows;
  return status;
}

absl::Status RowInserter::FlushArrays() {
  if (absl::Status status = Prepare(1); !status.ok()) return status;
  binds_.assign(columns_.size(), MYSQL_BIND());
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    MYSQL_BIND& bind = binds_[i];
    bind.buffer_type = column.type == MYSQL_TYPE_NULL ? MYSQL_TYPE_LONGLONG : column.type;
    bind.u.indicator = column.nulls.data();
    if (bind.buffer_type == MYSQL_TYPE_LONGLONG) {
      bind.buffer = column.integers.data();
    } else {
      bind.buffer = column.octets.data();
      bind.length = column.lengths.data();
    }
  }
  return connection_->ExecutePrepared(&binds_, static_cast<unsigned>(rows_));
}

absl::Status RowInserter::FlushRows() {
  if (absl::Status status = Prepare(rows_); !status.ok()) return status;
  binds_.assign(columns_.size() * rows_, MYSQL_BIND());
  for (size_t row = 0; row < rows_; ++row) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      MYSQL_BIND& bind = binds_[row * columns_.size() + i];
      if (column.nulls[row] == STMT_INDICATOR_NULL) {
        bind.buffer_type = MYSQL_TYPE_NULL;
      } else if (column.type == MYSQL_TYPE_LONGLONG) {
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.buffer = &column.integers[row];
      } else {
        bind.buffer_type = column.type;
        bind.buffer = column.octets[row];
        bind.buffer_length = column.lengths[row];
        bind.length = &column.lengths[row];
      }
    }
  }
  return connection_->ExecutePrepared(&binds_, 0);
}

}  // namespace flowacct::sink::mariadb
