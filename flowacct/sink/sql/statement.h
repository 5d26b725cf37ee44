// A statement with the values that go with it, and the cells that come back.
//
// Threads: any, as values. Ownership: a Statement owns its values; a Cell borrows.

#ifndef FLOWACCT_SINK_SQL_STATEMENT_H_
#define FLOWACCT_SINK_SQL_STATEMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::sink::sql {

struct Cell {
  enum class Kind : uint8_t { kNull, kInteger, kOctets, kText };
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  absl::string_view octets;  // of octets and text

  bool is_null() const { return kind == Kind::kNull; }
};

struct Parameter {
  Cell::Kind kind = Cell::Kind::kNull;
  int64_t integer = 0;
  std::string octets;
};

inline Parameter Integer(int64_t integer) { return {Cell::Kind::kInteger, integer, {}}; }
inline Parameter Text(absl::string_view text) { return {Cell::Kind::kText, 0, std::string(text)}; }
inline Parameter Octets(absl::string_view octets) { return {Cell::Kind::kOctets, 0, std::string(octets)}; }
inline Parameter Null() { return {}; }

struct Statement {
  std::string sql;
  std::vector<Parameter> parameters;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_STATEMENT_H_
