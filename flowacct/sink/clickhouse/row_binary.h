// Rows as ClickHouse's format RowBinary has them: numbers of fixed width, least octet first; a text with its length
// before it (LEB128); of what may be NULL an octet before it that is 1 if it is.
//
// Standard: ClickHouse's documentation, Formats, RowBinary. Ownership: cells borrow, and are valid for the call.
// Threads: plain values. Errors: a text that is longer than can be is no row; whoever reads sees that octets are left.

#ifndef FLOWACCT_SINK_CLICKHOUSE_ROW_BINARY_H_
#define FLOWACCT_SINK_CLICKHOUSE_ROW_BINARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::sink::clickhouse {

struct CellType {
  enum class Kind : uint8_t { kNumber, kFixed, kText };
  Kind kind = Kind::kNumber;
  uint8_t width = 8;  // octets of a number (1 to 8, or 16) or of fixed octets
  bool nullable = false;
};
constexpr CellType kU8Cell = {CellType::Kind::kNumber, 1, false};
constexpr CellType k64Cell = {CellType::Kind::kNumber, 8, false};
constexpr CellType k128Cell = {CellType::Kind::kNumber, 16, false};
constexpr CellType kTextCell = {CellType::Kind::kText, 0, false};

struct Cell {
  bool is_null = false;
  absl::uint128 number = 0;
  absl::string_view octets;

  uint64_t u64() const { return absl::Uint128Low64(number); }
  int64_t i64() const { return static_cast<int64_t>(u64()); }
};

// Appends values to `out`.
class RowWriter {
 public:
  explicit RowWriter(std::string* out) : out_(*out) {}
  void Number(uint64_t number, size_t width) {
    char octets[8];
    for (size_t i = 0; i < 8; ++i) octets[i] = static_cast<char>(number >> 8 * i);
    out_.append(octets, width);
  }
  void IsNull(bool is_null) { out_.push_back(is_null ? 1 : 0); }
  void Octets(absl::string_view octets) { out_.append(octets.data(), octets.size()); }
  void Length(size_t length) {
    for (; length >= 0x80; length >>= 7) out_.push_back(static_cast<char>(length | 0x80));
    out_.push_back(static_cast<char>(length));
  }
  void Text(absl::string_view text) {
    Length(text.size());
    Octets(text);
  }

 private:
  std::string& out_;
};

// Rows from octets that come in pieces.
class RowReader {
 public:
  explicit RowReader(absl::Span<const CellType> types) : types_(types.begin(), types.end()), cells_(types.size()) {}

  // Tells the rows that are whole. False if `tell` said so, or if this is no row.
  bool Take(absl::string_view octets, absl::FunctionRef<bool(absl::Span<const Cell>)> tell);
  // Whether all that came were whole rows.
  bool is_whole() const { return rest_.empty() && !wrong_; }

 private:
  // How many octets the row at the begin has; 0: it has not all come yet.
  size_t ReadRow(absl::string_view octets);

  std::vector<CellType> types_;
  std::vector<Cell> cells_;
  std::string rest_;
  bool wrong_ = false;
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_ROW_BINARY_H_
