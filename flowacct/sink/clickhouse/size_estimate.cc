#include "flowacct/sink/clickhouse/size_estimate.h"

#include <algorithm>

#include "flowacct/record/field.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;

struct Octets {
  double memory, disk;
};

// bin_start, bin_end and batch hardly change from row to row.
constexpr Octets kHead = {24, 0.12};
// Random IPv4 addresses take 6.2, in rising order 4.1.
constexpr double kAddress = 6.5;
// Octets on the disk of a number of so many: of random ports 2.0, protocols 0.6, packets (10 bits) 3.2, bytes (20) 4.6.
double OfNumber(unsigned width) { return width == 1 ? 0.6 : width == 2 ? 2.0 : width == 4 ? 3.4 : 4.6; }
// Of a text what LZ4 leaves of some thousand ones in any order.
constexpr double kOfText = 0.45;

Octets Of(const sql::Column& column, double text_octets) {
  const CellType cell = CellTypeOf(column);
  const double null = cell.nullable ? 1 : 0;
  switch (cell.kind) {
    case CellType::Kind::kNumber:
      return {null + cell.width, OfNumber(cell.width) + 0.02 * null};
    case CellType::Kind::kFixed:
      return {null + cell.width, kAddress + 0.02 * null};
    case CellType::Kind::kText:
      break;
  }
  return {null + 8 + text_octets, 1 + kOfText * text_octets};
}

}  // namespace

SizeEstimate EstimateOctets(const aggregate::Schema& schema, double rows_per_second, double text_octets) {
  Octets row = kHead;
  const auto add = [&](const sql::Column& column) {
    const Octets octets = Of(column, std::max(text_octets, 0.0));
    row.memory += octets.memory;
    row.disk += octets.disk;
  };
  for (const record::FieldId field : schema.key.fields()) {
    sql::Column column;
    column.field = field;
    column.key = true;
    add(column);
  }
  for (const aggregate::ValueColumn& value : schema.values) {
    sql::Column column;
    column.field = value.field;
    column.function = value.function;
    add(column);
  }
  SizeEstimate estimate;
  estimate.row_octets = row.disk;
  estimate.row_octets_in_memory = row.memory;
  estimate.day_octets = row.disk * std::max(rows_per_second, 0.0) * 86400;
  return estimate;
}

}  // namespace flowacct::sink::clickhouse
