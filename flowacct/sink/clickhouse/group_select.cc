#include "flowacct/sink/clickhouse/group_select.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/sql/filter_sql.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;
using record::FieldType;

// The octets of an address or prefix cut to `bits` of 128, and the length that the prefix tells.
std::string CutOctets(const std::string& name, unsigned bits, int shown) {
  const unsigned whole = bits / 8;
  std::string parts = absl::StrCat("concat(substring(", name, ", 1, ", whole, ")");
  unsigned done = whole;
  if (bits % 8 != 0) {
    absl::StrAppend(&parts, ", ", absl::Substitute(kDialect.masked_octet, name, whole, (0xff00 >> bits % 8) & 0xff));
    ++done;
  }
  std::string rest(16 - done, '\0');
  rest.push_back(static_cast<char>(shown));
  return absl::StrCat(parts, ", ", sql::OctetsLiteral(kDialect, rest), ")");
}

std::string Network(bool prefix, int v4_length, int v6_length, const std::string& name) {
  const auto cut = [&](unsigned bits, int length) {
    const std::string octets = CutOctets(name, bits, length);
    if (!prefix) return octets;
    // A prefix that is shorter already stays.
    return absl::StrCat("if(substring(", name,
                        ", 17, 1) <= ", sql::OctetsLiteral(kDialect, std::string(1, static_cast<char>(length))),
                        ", substring(", name, ", 1, 17), ", octets, ")");
  };
  return absl::StrCat("if(isNull(", name, "), NULL, if(substring(", name,
                      ", 1, 12) = ", sql::OctetsLiteral(kDialect, std::string(10, '\0') + "\xff\xff"), ", ",
                      cut(96u + static_cast<unsigned>(v4_length), v4_length), ", ",
                      cut(static_cast<unsigned>(v6_length), v6_length), "))");
}

std::string Known(const sql::TableSchema& table, bool keys) {
  std::vector<std::string> names;
  for (const sql::Column& column : table.columns) {
    if (keys ? column.key : column.summable()) names.push_back(column.name);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

absl::Status NoColumn(const sql::TableSchema& table, absl::string_view what, bool key) {
  return absl::NotFoundError(
      absl::StrCat("clickhouse: table \"", table.name, "\" has no ", what, "; it has ", Known(table, key)));
}

// A key as all stores have it.
sql::Cell SqlCell(const Cell& cell, const CellType& type) {
  if (cell.is_null) return {};
  const bool number = type.kind == CellType::Kind::kNumber;
  return {number ? sql::Cell::Kind::kInteger : sql::Cell::Kind::kOctets, cell.i64(), cell.octets};
}

}  // namespace

std::string RowsOf(const sql::TableSchema& table, const BatchSelection& selection,
                   const std::vector<std::string>& names, const std::string& condition, int64_t from, int64_t to) {
  const std::string where = absl::StrCat(sql::kBatch, In(selection.distributed), "(SELECT id FROM chosen)",
                                         condition.empty() ? "" : absl::StrCat(" AND ", condition));
  const std::string plain =
      absl::StrCat(" FROM ", Quoted(table.name), " WHERE ", where, Within(sql::kBinStart, from, to));
  if (table.rollup_of.empty()) return plain;
  const std::string columns = names.empty() ? "" : absl::StrCat(", ", absl::StrJoin(names, ", "));
  std::vector<std::string> parts;
  if (!selection.ids.empty() || selection.base_ids.empty()) {
    parts.push_back(absl::StrCat("SELECT ", sql::kBinStart, columns, plain));
  }
  if (!selection.base_ids.empty()) {
    // Under another name, which in ClickHouse would stand for the column in WHERE, too.
    const std::string bin = FloorSql(sql::kBinStart, table.bin_seconds, 0);
    parts.push_back(absl::StrCat("SELECT flowacct_bin AS ", sql::kBinStart, columns, " FROM (SELECT ", bin,
                                 " AS flowacct_bin", columns, " FROM ", Quoted(table.rollup_of), " WHERE ", where,
                                 Within(sql::kBinStart, selection.base_from, selection.base_to), ")"));
  }
  return absl::StrCat(" FROM (", absl::StrJoin(parts, " UNION ALL "), ")");
}

absl::StatusOr<GroupSelect> GroupSelect::New(const query::GroupRequest& request, const sql::TableSchema& table) {
  const auto wrong = [&](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat("clickhouse: ", parts...));
  };
  if (request.step_seconds < 0) return wrong("step_seconds = ", request.step_seconds, ": a time is not negative");
  if (request.limit != 0 && request.order >= request.values.size()) {
    return wrong("order = ", request.order, ": there are only ", request.values.size(), " values");
  }
  absl::StatusOr<sql::SplitFilter> filter = sql::SplitFilter::New(kDialect, table, request.where.program());
  if (!filter.ok()) return filter.status();
  GroupSelect select(*std::move(filter));
  select.request_ = &request;
  select.table_ = &table;
  std::vector<std::string> out, groups;
  std::set<std::string> read;
  if (request.step_seconds != 0) {
    out.push_back(FloorSql(sql::kBinStart, request.step_seconds, request.step_origin_seconds));
    groups.push_back(out.back());
    select.types_.push_back(k64Cell);
  }
  for (const query::GroupColumn& by : request.by) {
    const sql::Column* const column = sql::KeyColumn(table, by.field);
    if (column == nullptr) return NoColumn(table, absl::StrCat("key \"", record::Info(by.field).name, "\""), true);
    const FieldType type = record::Info(by.field).type;
    const std::string name = Quoted(column->name);
    read.insert(name);
    if (by.v4_length < 0 && by.v6_length < 0) {
      out.push_back(name);
      select.types_.push_back(CellTypeOf(*column));
    } else {
      const int v4 = by.v4_length < 0 ? 32 : by.v4_length, v6 = by.v6_length < 0 ? 128 : by.v6_length;
      if ((type != FieldType::kAddress && type != FieldType::kPrefix) || v4 > 32 || v6 > 128) {
        return wrong(record::Info(by.field).name, " cannot be cut to /", v4, " and /", v6);
      }
      out.push_back(Network(type == FieldType::kPrefix, v4, v6, name));
      select.types_.push_back({CellType::Kind::kText, 0, true});
    }
    groups.push_back(out.back());
  }
  for (size_t i = 0; i < select.filter_.columns(); ++i) {
    sql::Statement column;
    if (absl::Status status = select.filter_.AppendColumn(i, &column); !status.ok()) return status;
    // Of a condition one octet, whatever functions it is made of.
    const sql::Column* const text = select.filter_.TextColumn(i);
    out.push_back(text != nullptr ? column.sql : absl::StrCat("if(", column.sql, ", 1, 0)"));
    select.types_.push_back(text != nullptr ? CellTypeOf(*text) : kU8Cell);
    groups.push_back(out.back());
  }
  // How many rows: of none there is no group.
  out.push_back("count()");
  select.types_.push_back(k64Cell);
  std::vector<const sql::Column*> known_values;
  for (const sql::Column& column : table.columns) {
    if (column.summable()) known_values.push_back(&column);
  }
  for (size_t i = 0; i < request.values.size(); ++i) {
    if (request.values[i] >= known_values.size()) {
      return NoColumn(table, absl::StrCat("value ", request.values[i]), false);
    }
    const sql::Column* const column = known_values[request.values[i]];
    select.values_.push_back(column);
    const std::string name = Quoted(column->name);
    read.insert(name);
    std::string order;
    if (column->function == Function::kSum) {
      out.push_back(absl::Substitute(kDialect.sum, name));
      order = absl::Substitute(kDialect.sum_order, name);
      select.types_.push_back(k128Cell);
    } else {
      out.push_back(absl::StrCat(column->function == Function::kMin ? "min(" : "max(", name, ")"));
      order = absl::StrCat(out.back(), " DESC NULLS LAST");
      select.types_.push_back(CellTypeOf(*column));
    }
    if (i == request.order) select.order_ = order;
  }
  for (const record::FieldId field : request.where.fields()) {
    if (const sql::Column* column = sql::KeyColumn(table, field)) read.insert(Quoted(column->name));
  }
  sql::Statement condition;
  if (absl::Status status = select.filter_.AppendWhere(table, &condition); !status.ok()) return status;
  select.condition_ = condition.sql;
  select.names_.assign(read.begin(), read.end());
  select.select_ = absl::StrJoin(out, ", ");
  select.groups_ = absl::StrJoin(groups, ", ");
  select.sums_.resize(select.values_.size());
  select.present_.resize(select.values_.size());
  select.group_.resize(request.by.size());
  const size_t keys = request.by.size() + (request.step_seconds != 0 ? 1 : 0);
  select.cells_.resize(keys + select.filter_.columns());
  if (!select.filter_.whole()) {
    if (select.values_.size() > sql::GroupSums::kMaxValues) {
      return wrong("more than ", sql::GroupSums::kMaxValues, " values");
    }
    select.kept_.emplace(keys, select.values_, sql::kMaxGroupsHere);
  }
  return select;
}

std::string GroupSelect::Statement(const BatchSelection& selection, const Features& features) const {
  std::string sql = absl::StrCat(
      "SELECT ", select_, RowsOf(*table_, selection, names_, condition_, request_->from_seconds, request_->to_seconds));
  if (!groups_.empty()) absl::StrAppend(&sql, " GROUP BY ", groups_);
  if (request_->limit == 0 || kept_) return sql;
  absl::StrAppend(&sql, " ORDER BY ", order_);
  if (features.limit_with_ties) {
    absl::StrAppend(&sql, " LIMIT ", std::min<uint64_t>(request_->limit, INT64_MAX), " WITH TIES");
  }
  return sql;
}

bool GroupSelect::Tell(absl::Span<const Cell> cells, absl::FunctionRef<bool(const query::GroupRow&)> tell) {
  size_t at = 0;
  for (; at < cells_.size(); ++at) cells_[at] = SqlCell(cells[at], types_[at]);
  if (cells[at++].u64() == 0) return true;  // of no rows there is no group
  if (kept_ && !filter_.Passes(absl::MakeConstSpan(cells_).subspan(cells_.size() - filter_.columns()))) return true;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Cell& cell = cells[at++];
    present_[i] = !cell.is_null;
    sums_[i] = cell.is_null ? absl::uint128(0) : cell.number;
  }
  const absl::Span<const sql::Cell> key(cells_.data(), cells_.size() - filter_.columns());
  if (kept_) {
    if (!kept_->Add(key, sums_, present_)) status_ = sql::TooManyGroups(kDialect.name);
    return status_.ok();
  }
  if (request_->limit != 0) {
    // Those of the same value as the last come, too, so that whoever orders them further has them all.
    const absl::uint128 value = present_[request_->order] ? sums_[request_->order] : absl::uint128(0);
    if (told_ >= request_->limit && value != last_) return false;
    last_ = value;
  }
  ++told_;
  query::GroupRow row;
  if (request_->step_seconds != 0) row.step_seconds = key[0].integer;
  for (size_t i = 0; i < group_.size(); ++i) group_[i] = sql::StoredValueOf(key[key.size() - group_.size() + i]);
  row.group = group_;
  row.values = sums_;
  row.present = present_;
  return tell(row);
}

void GroupSelect::Finish(absl::FunctionRef<bool(const query::GroupRow&)> tell) {
  if (kept_) kept_->Tell(*request_, tell);
}

}  // namespace flowacct::sink::clickhouse
