#include "flowacct/sink/sql/group_select.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "flowacct/filter/program.h"
#include "flowacct/sink/sql/filter_sql.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;
using record::FieldType;

// Cut to `length` bits of 128, in SQL alone; `shown`: the length that the prefix tells.
std::string CutOctets(const Dialect& dialect, const std::string& name, unsigned bits, int shown) {
  const unsigned whole = bits / 8;
  std::string parts = absl::StrCat("substr(", name, ", 1, ", whole, ")");
  unsigned done = whole;
  if (bits % 8 != 0) {
    absl::StrAppend(&parts, " || ", absl::Substitute(dialect.masked_octet, name, whole, (0xff00 >> bits % 8) & 0xff));
    ++done;
  }
  std::string rest(16 - done, '\0');
  rest.push_back(static_cast<char>(shown));
  return absl::StrCat("(", parts, " || ", OctetsLiteral(dialect, rest), ")");
}

std::string Network(const Dialect& dialect, bool prefix, int v4_length, int v6_length, const std::string& name) {
  if (dialect.has_functions) return absl::StrCat("flowacct_network(", name, ", ", v4_length, ", ", v6_length, ")");
  const std::string v4_begin = OctetsLiteral(dialect, std::string(10, '\0') + "\xff\xff");
  const std::string is_v4 = absl::StrCat("substr(", name, ", 1, 12) = ", v4_begin);
  const auto cut = [&](unsigned bits, int length) {
    const std::string octets = CutOctets(dialect, name, bits, length);
    if (!prefix) return octets;
    // A prefix that is shorter already stays.
    return absl::StrCat("CASE WHEN substr(", name,
                        ", 17, 1) <= ", OctetsLiteral(dialect, std::string(1, static_cast<char>(length))), " THEN ",
                        name, " ELSE ", octets, " END");
  };
  return absl::StrCat("CASE WHEN ", name, " IS NULL THEN NULL WHEN ", is_v4, " THEN ",
                      cut(96u + static_cast<unsigned>(v4_length), v4_length), " ELSE ",
                      cut(static_cast<unsigned>(v6_length), v6_length), " END");
}

std::string Known(const TableSchema& table, bool keys) {
  std::string names;
  for (const Column& column : table.columns) {
    if (keys ? column.key : column.summable()) absl::StrAppend(&names, names.empty() ? "" : ", ", column.name);
  }
  return names.empty() ? "none" : names;
}

absl::uint128 ParseDigits(absl::string_view digits) {
  absl::uint128 number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

}  // namespace

bool MayBeNegative(const Column& column) {
  const FieldType type = record::Info(column.field).type;
  return record::FieldTypeSize(type) == 8 && record::SignBit(type) == 0;
}

std::string ExtremeOf(const Column& column, const std::string& name) {
  const absl::string_view function = column.function == Function::kMin ? "MIN" : "MAX";
  if (!MayBeNegative(column)) return absl::StrCat(function, "(", name, ")");
  const absl::string_view first = column.function == Function::kMin ? " >= 0" : " < 0";
  return absl::StrCat("COALESCE(", function, "(CASE WHEN ", name, first, " THEN ", name, " END), ", function, "(", name,
                      "))");
}

int64_t FloorTo(int64_t number, int64_t step) {
  const int64_t over = number % step;
  return number - (over < 0 ? over + step : over);
}

absl::StatusOr<GroupSelect> GroupSelect::New(const Dialect& dialect, const query::GroupRequest& request,
                                             const TableSchema& table, const TableSchema* base, Summed summed) {
  absl::StatusOr<SplitFilter> filter = SplitFilter::New(dialect, table, request.where.program());
  if (!filter.ok()) return filter.status();
  GroupSelect select(*std::move(filter));
  select.dialect_ = &dialect;
  select.request_ = &request;
  const auto wrong = [&](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(dialect.name, ": ", parts...));
  };
  if (request.step_seconds < 0) return wrong("step_seconds = ", request.step_seconds, ": a time is not negative");
  if (request.limit != 0 && request.order >= request.values.size()) {
    return wrong("order = ", request.order, ": there are only ", request.values.size(), " values");
  }
  std::vector<const Column*> known_values;
  for (const Column& column : table.columns) {
    if (column.summable()) known_values.push_back(&column);
  }
  Statement& out = select.statement_;
  std::string groups;  // "1, 2, 3"
  size_t columns = 0;
  const auto comma = [&] { return columns++ == 0 ? "" : ", "; };
  out.sql = "SELECT ";
  const std::string bin_start = Quoted(dialect, kBinStart);
  if (request.step_seconds != 0) {
    // Rounded down, also before the origin, where division rounds towards it.
    const int64_t step = request.step_seconds, origin = FloorTo(request.step_origin_seconds, 1) % step;
    const std::string since = absl::StrCat("(", bin_start, " - (", origin, "))");
    absl::StrAppend(&out.sql, comma(), bin_start, " - ((", since, " % ", step, ") + ", step, ") % ", step);
    absl::StrAppend(&groups, columns);
  }
  std::vector<const Column*> used;
  for (const query::GroupColumn& by : request.by) {
    const Column* const column = KeyColumn(table, by.field);
    if (column == nullptr) {
      return absl::NotFoundError(absl::StrCat(dialect.name, ": table \"", table.name, "\" has no key \"",
                                              record::Info(by.field).name, "\"; it has ", Known(table, true)));
    }
    used.push_back(column);
    const FieldType type = record::Info(by.field).type;
    const std::string name = Quoted(dialect, column->name);
    if (by.v4_length < 0 && by.v6_length < 0) {
      absl::StrAppend(&out.sql, comma(), name);
    } else {
      const int v4 = by.v4_length < 0 ? 32 : by.v4_length, v6 = by.v6_length < 0 ? 128 : by.v6_length;
      if ((type != FieldType::kAddress && type != FieldType::kPrefix) || v4 > 32 || v6 > 128) {
        return wrong(record::Info(by.field).name, " cannot be cut to /", v4, " and /", v6);
      }
      absl::StrAppend(&out.sql, comma(), Network(dialect, type == FieldType::kPrefix, v4, v6, name));
    }
    absl::StrAppend(&groups, groups.empty() ? "" : ", ", columns);
  }
  for (size_t i = 0; i < select.filter_.columns(); ++i) {
    out.sql += comma();
    if (absl::Status status = select.filter_.AppendColumn(i, &out); !status.ok()) return status;
    absl::StrAppend(&groups, groups.empty() ? "" : ", ", columns);
  }
  const bool here = summed == Summed::kHere;
  if (here && !select.filter_.whole()) {
    return absl::InternalError(absl::StrCat(dialect.name, ": its SQL does not say all of a filter"));
  }
  select.one_group_ = groups.empty() && !here;
  if (select.one_group_) absl::StrAppend(&out.sql, comma(), "COUNT(*)");
  std::string order;
  for (size_t i = 0; i < request.values.size(); ++i) {
    if (request.values[i] >= known_values.size()) {
      return absl::NotFoundError(absl::StrCat(dialect.name, ": table \"", table.name, "\" has no value ",
                                              request.values[i], "; it has ", Known(table, false)));
    }
    const Column* const column = known_values[request.values[i]];
    select.values_.push_back(column);
    used.push_back(column);
    const std::string name = Quoted(dialect, column->name);
    if (here) {
      absl::StrAppend(&out.sql, comma(), name);
      continue;
    }
    if (column->function != Function::kSum) {
      const std::string extreme = ExtremeOf(*column, name);
      absl::StrAppend(&out.sql, comma(), extreme);
      if (i == request.order) {
        order = absl::StrCat(extreme, dialect.descending);
        if (MayBeNegative(*column)) order = absl::StrCat("(", extreme, ") < 0", dialect.descending, ", ", order);
      }
      continue;
    }
    if (!dialect.sum.empty()) {
      absl::StrAppend(&out.sql, comma(), absl::Substitute(dialect.sum, name));
    } else {
      absl::StrAppend(&out.sql, comma(), absl::Substitute(dialect.sum_high, name));
      absl::StrAppend(&out.sql, comma(), absl::Substitute(dialect.sum_low, name));
    }
    if (i == request.order) order = absl::Substitute(dialect.sum_order, name);
  }
  select.sums_.resize(select.values_.size());
  select.present_.resize(select.values_.size());
  select.group_.resize(request.by.size());
  if (!select.filter_.whole()) {
    if (select.values_.size() > GroupSums::kMaxValues) return wrong("more than ", GroupSums::kMaxValues, " values");
    select.kept_.emplace(select.NewSums(kMaxGroupsHere));
  }

  for (const record::FieldId field : request.where.fields()) {
    if (const Column* column = KeyColumn(table, field)) used.push_back(column);
  }
  const auto where = [&](const TableSchema& of, int64_t from, int64_t to) -> absl::Status {
    absl::StrAppend(&out.sql, " FROM ", Quoted(dialect, of.name), " WHERE ");
    if (from != INT64_MIN) absl::StrAppend(&out.sql, bin_start, " >= ", from, " AND ");
    if (to != INT64_MAX) absl::StrAppend(&out.sql, bin_start, " < ", to, " AND ");
    return select.filter_.AppendWhere(of, &out);
  };
  absl::Status status;
  // The rollup, and of its table what it has not yet; both by the rollup's bins.
  const int64_t length = table.bin_seconds;
  const auto ceil = [&](int64_t t) {
    return t <= INT64_MIN + length || t >= INT64_MAX - length ? t : FloorTo(t - 1, length) + length;
  };
  if (base == nullptr || table.rolled_until >= ceil(request.to_seconds)) {
    status = where(table, request.from_seconds, request.to_seconds);
  } else {
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    std::string names;
    for (const Column* column : used) absl::StrAppend(&names, ", ", Quoted(dialect, column->name));
    absl::StrAppend(&out.sql, " FROM (SELECT ", bin_start, names);
    status = where(table, request.from_seconds, request.to_seconds);
    if (status.ok()) {
      absl::StrAppend(&out.sql, " UNION ALL SELECT ", bin_start, " - ((", bin_start, " % ", length, ") + ", length,
                      ") % ", length, names);
      status = where(*base, std::max(ceil(request.from_seconds), table.rolled_until), ceil(request.to_seconds));
    }
    absl::StrAppend(&out.sql, ") AS parts");
  }
  if (!status.ok()) return status;
  if (here) return select;
  if (!groups.empty()) absl::StrAppend(&out.sql, " GROUP BY ", groups);
  if (request.limit != 0 && select.filter_.whole()) {
    absl::StrAppend(&out.sql, " ORDER BY ", order);
    if (dialect.fetch_with_ties) {
      absl::StrAppend(&out.sql, " FETCH FIRST ", std::min<uint64_t>(request.limit, INT64_MAX), " ROWS WITH TIES");
    }
  }
  return select;
}

GroupSums GroupSelect::NewSums(size_t max_groups) const { return GroupSums(keys(), values_, max_groups); }

bool GroupSelect::Tell(absl::Span<const Cell> cells, absl::FunctionRef<bool(const query::GroupRow&)> tell) {
  const absl::Span<const Cell> key = cells.subspan(0, keys()), asked = cells.subspan(key.size(), filter_.columns());
  if (kept_ && !filter_.Passes(asked)) return true;
  size_t at = key.size() + asked.size();
  if (one_group_ && cells[at++].integer == 0) return true;  // of no rows there is no group
  for (size_t i = 0; i < values_.size(); ++i) {
    const Cell& cell = cells[at++];
    present_[i] = true;
    if (values_[i]->function != Function::kSum) {
      present_[i] = !cell.is_null();
      sums_[i] = cell.is_null() ? 0 : static_cast<uint64_t>(cell.integer);
    } else if (!dialect_->sum.empty()) {
      sums_[i] = ParseDigits(cell.octets);
    } else {
      const Cell& low = cells[at++];
      sums_[i] = (absl::uint128(cell.is_null() ? 0 : static_cast<uint64_t>(cell.integer)) << 32) +
                 (low.is_null() ? 0 : static_cast<uint64_t>(low.integer));
    }
  }
  if (kept_) {
    if (!kept_->Add(key, sums_, present_)) status_ = TooManyGroups(dialect_->name);
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
  for (size_t i = 0; i < group_.size(); ++i) group_[i] = StoredValueOf(key[key.size() - group_.size() + i]);
  row.group = group_;
  row.values = sums_;
  row.present = present_;
  return tell(row);
}

void GroupSelect::Finish(absl::FunctionRef<bool(const query::GroupRow&)> tell) {
  if (kept_) kept_->Tell(*request_, tell);
}

}  // namespace flowacct::sink::sql
