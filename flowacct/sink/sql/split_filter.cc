#include "flowacct/sink/sql/split_filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/sql/filter_sql.h"
#include "flowacct/sink/sql/route_text.h"

namespace flowacct::sink::sql {
namespace {

using filter::Operator;

// Answers that are kept a condition; paths and communities are few, and come again and again.
constexpr size_t kMaxAnswers = 65536;

}  // namespace

absl::StatusOr<SplitFilter> SplitFilter::New(const Dialect& dialect, const TableSchema& table,
                                             const filter::Program& program) {
  SplitFilter split;
  split.dialect_ = &dialect;
  split.table_ = &table;
  split.program_ = &program;
  std::vector<Part> nodes;
  std::vector<size_t> stack;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const filter::Step& step = program.steps[i];
    Part node{i, i + 1, true, {}};
    const size_t arguments = step.op == Operator::kCondition ? 0 : step.op == Operator::kNot ? 1 : 2;
    if (stack.size() < arguments) return absl::InternalError("sql: a filter with too few conditions");
    if (arguments == 0) node.in_sql = IsInSql(dialect, program.conditions[step.condition]);
    node.arguments.assign(stack.end() - static_cast<ptrdiff_t>(arguments), stack.end());
    for (const size_t argument : node.arguments) node.in_sql = node.in_sql && nodes[argument].in_sql;
    if (arguments != 0) node.begin = nodes[node.arguments[0]].begin;
    stack.resize(stack.size() - arguments);
    stack.push_back(nodes.size());
    nodes.push_back(std::move(node));
  }
  if (stack.size() > 1) return absl::InternalError("sql: a filter with too many conditions");
  if (!stack.empty()) split.Divide(nodes, stack[0]);
  for (const Column& column : split.columns_) {
    if (column.is_text && KeyColumn(table, column.field) == nullptr) return NoSuchKey(dialect, table, column.field);
  }
  split.answers_.resize(program.conditions.size());
  return split;
}

// What all of must hold is said part by part.
void SplitFilter::Divide(const std::vector<Part>& nodes, size_t node) {
  const Part& part = nodes[node];
  const filter::Step& step = program_->steps[part.end - 1];
  if (part.in_sql) {
    where_.push_back(part);
  } else if (step.op == Operator::kAnd) {
    for (const size_t argument : part.arguments) Divide(nodes, argument);
  } else {
    if (step.op == Operator::kCondition) existing_.push_back(program_->conditions[step.condition].field);
    const bool first = rest_.empty();
    AppendRest(nodes, node);
    if (!first) rest_.push_back({Operator::kAnd, 0, false, 0});
  }
}

void SplitFilter::AppendRest(const std::vector<Part>& nodes, size_t node) {
  const Part& part = nodes[node];
  const filter::Step& step = program_->steps[part.end - 1];
  if (part.in_sql) {
    rest_.push_back({Operator::kCondition, columns_.size(), false, 0});
    columns_.push_back({false, {}, part});
    return;
  }
  if (step.op != Operator::kCondition) {
    for (const size_t argument : part.arguments) AppendRest(nodes, argument);
    rest_.push_back({step.op, 0, false, 0});
    return;
  }
  const record::FieldId field = program_->conditions[step.condition].field;
  const auto known = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const Column& column) { return column.is_text && column.field == field; });
  rest_.push_back({Operator::kCondition, static_cast<size_t>(known - columns_.begin()), true, step.condition});
  if (known == columns_.end()) columns_.push_back({true, field, {}});
}

const sql::Column* SplitFilter::TextColumn(size_t column) const {
  return columns_[column].is_text ? KeyColumn(*table_, columns_[column].field) : nullptr;
}

absl::Status SplitFilter::AppendColumn(size_t column, Statement* out) const {
  const Column& c = columns_[column];
  if (c.is_text) {
    out->sql += Quoted(*dialect_, KeyColumn(*table_, c.field)->name);
    return absl::OkStatus();
  }
  return AppendCondition(*dialect_, *table_, program_->conditions,
                         absl::MakeConstSpan(program_->steps).subspan(c.part.begin, c.part.end - c.part.begin), out);
}

absl::Status SplitFilter::AppendWhere(const TableSchema& table, Statement* out) const {
  absl::string_view and_ = "";
  for (const record::FieldId field : existing_) {
    const sql::Column* const column = KeyColumn(table, field);
    if (column == nullptr) return NoSuchKey(*dialect_, table, field);
    absl::StrAppend(&out->sql, and_, Quoted(*dialect_, column->name), " IS NOT NULL");
    and_ = " AND ";
  }
  for (const Part& part : where_) {
    out->sql += std::string(and_);
    and_ = " AND ";
    absl::Status status =
        AppendCondition(*dialect_, table, program_->conditions,
                        absl::MakeConstSpan(program_->steps).subspan(part.begin, part.end - part.begin), out);
    if (!status.ok()) return status;
  }
  if (and_.empty()) absl::StrAppend(&out->sql, dialect_->true_word);
  return absl::OkStatus();
}

bool SplitFilter::Ask(uint32_t index, const Cell& cell) {
  if (cell.is_null()) return false;
  auto& answers = answers_[index];
  const auto known = answers.find(cell.octets);
  if (known != answers.end()) return known->second;
  const filter::Condition& condition = program_->conditions[index];
  const filter::Answer answer = AskRoute(condition, cell.octets, &scratch_);
  const bool passes = answer != filter::Answer::kNone && (answer == filter::Answer::kYes) != condition.negated;
  if (answers.size() >= kMaxAnswers) answers.clear();
  answers.emplace(cell.octets, passes);
  return passes;
}

bool SplitFilter::Passes(absl::Span<const Cell> cells) {
  stack_.clear();
  for (const RestStep& step : rest_) {
    if (step.op == Operator::kCondition) {
      const Cell& cell = cells[step.column];
      stack_.push_back(step.is_text ? Ask(step.condition, cell) : !cell.is_null() && cell.integer != 0);
    } else if (step.op == Operator::kNot) {
      stack_.back() = !stack_.back();
    } else {
      const bool last = stack_.back() != 0;
      stack_.pop_back();
      stack_.back() = step.op == Operator::kAnd ? stack_.back() && last : stack_.back() || last;
    }
  }
  return stack_.empty() || stack_.back() != 0;
}

}  // namespace flowacct::sink::sql
