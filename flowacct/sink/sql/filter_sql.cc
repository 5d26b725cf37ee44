#include "flowacct/sink/sql/filter_sql.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/value.h"
#include "flowacct/record/stored_value.h"

namespace flowacct::sink::sql {
namespace {

using base::IpAddress;
using filter::Condition;
using filter::Operator;
using filter::Test;
using record::FieldType;

// `count` parts joined by `word`, as a tree that is as flat as can be.
void AppendBalanced(size_t first, size_t count, absl::string_view word, absl::FunctionRef<void(size_t)> part,
                    Statement* out) {
  if (count == 1) return part(first);
  out->sql += "(";
  AppendBalanced(first, count / 2, word, part, out);
  absl::StrAppend(&out->sql, " ", word, " ");
  AppendBalanced(first + count / 2, count - count / 2, word, part, out);
  out->sql += ")";
}

// The largest number has no digits that every store reads: -9223372036854775808 is minus a number that is too large.
std::string Digits(int64_t number) { return number == INT64_MIN ? "(-9223372036854775807 - 1)" : absl::StrCat(number); }

struct SignedRange {
  int64_t first, last;
};

// Ranges of numbers as they are stored: those above 2^63 - 1 are negative there.
std::vector<SignedRange> StoredRanges(FieldType type, absl::Span<const filter::NumberRange> ranges) {
  constexpr uint64_t kHalf = uint64_t{1} << 63;
  const uint64_t flip = record::SignBit(type);
  std::vector<SignedRange> stored;
  for (const auto& [first, last] : ranges) {
    if (flip != 0) {  // of times with the bit flipped: the order is that of signed numbers
      stored.push_back({static_cast<int64_t>(first ^ flip), static_cast<int64_t>(last ^ flip)});
    } else if (first < kHalf && last >= kHalf) {
      stored.push_back({static_cast<int64_t>(first), INT64_MAX});
      stored.push_back({INT64_MIN, static_cast<int64_t>(last)});
    } else {
      stored.push_back({static_cast<int64_t>(first), static_cast<int64_t>(last)});
    }
  }
  return stored;
}

IpAddress LastOf(const base::IpPrefix& block) {
  const unsigned fixed = block.length() + (block.address().IsV4() ? 96u : 0u);
  IpAddress last = block.address();
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = fixed > 8 * i ? std::min(fixed - 8 * i, 8u) : 0;
    last.data()[i] = static_cast<uint8_t>(last.data()[i] | (0xff >> kept));
  }
  return last;
}

std::string Literal(const Dialect& dialect, const IpAddress& address, int extra = -1) {
  std::string octets(base::AsText(address.octets()));
  if (extra >= 0) octets.push_back(static_cast<char>(extra));
  return OctetsLiteral(dialect, octets);
}

// What a text of a filter is as a store has it.
Parameter StoredText(FieldType type, const std::string& text) {
  if (type == FieldType::kMac && text.size() == record::FieldTypeSize(type)) {
    std::string scratch;
    const base::Interner none;
    return Text(record::ToStored(type, reinterpret_cast<const uint8_t*>(text.data()), none, &scratch).octets);
  }
  if (record::StoredFormOf(type) == record::StoredForm::kOctets) return Octets(text);
  return Text(Storable(text));
}

class Compiler {
 public:
  Compiler(const Dialect& dialect, const TableSchema& table, absl::Span<const Condition> conditions,
           absl::Span<const filter::Step> steps, Statement* out)
      : dialect_(dialect), table_(table), conditions_(conditions), steps_(steps), out_(out) {}

  absl::Status Compile() {
    if (steps_.empty()) {
      absl::StrAppend(&out_->sql, dialect_.true_word);
      return absl::OkStatus();
    }
    std::vector<size_t> stack;  // of nodes
    for (const filter::Step& step : steps_) {
      Node node{step.op, step.condition, {}};
      const size_t arguments = step.op == Operator::kCondition ? 0 : step.op == Operator::kNot ? 1 : 2;
      if (stack.size() < arguments) return absl::InternalError("sql: a filter with too few conditions");
      for (size_t i = stack.size() - arguments; i < stack.size(); ++i) {
        // A chain of the same operator is one list.
        Node& argument = nodes_[stack[i]];
        if (arguments == 2 && argument.op == step.op) {
          node.children.insert(node.children.end(), argument.children.begin(), argument.children.end());
          argument.children.clear();
        } else {
          node.children.push_back(stack[i]);
        }
      }
      stack.resize(stack.size() - arguments);
      stack.push_back(nodes_.size());
      nodes_.push_back(std::move(node));
    }
    if (stack.size() != 1) return absl::InternalError("sql: a filter with too many conditions");
    Print(nodes_[stack[0]]);
    return status_;
  }

 private:
  struct Node {
    Operator op;
    uint32_t condition;
    std::vector<size_t> children;
  };

  void Print(const Node& node) {
    switch (node.op) {
      case Operator::kCondition:
        return PrintCondition(node.condition);
      case Operator::kNot:
        out_->sql += "(NOT ";
        Print(nodes_[node.children[0]]);
        out_->sql += ")";
        return;
      case Operator::kAnd:
      case Operator::kOr:
        return AppendBalanced(
            0, node.children.size(), node.op == Operator::kAnd ? "AND" : "OR",
            [&](size_t i) { Print(nodes_[node.children[i]]); }, out_);
    }
  }

  // Empty if the table lacks it.
  std::string NameOf(record::FieldId field) {
    const Column* const column = KeyColumn(table_, field);
    if (column != nullptr) return Quoted(dialect_, column->name);
    Fail(NoSuchKey(dialect_, table_, field));
    return "";
  }

  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  void PrintCondition(uint32_t index) {
    const Condition& condition = conditions_[index];
    const std::string name = NameOf(condition.field);
    if (name.empty()) return;
    if (condition.test == Test::kExists) {
      absl::StrAppend(&out_->sql,
                      condition.negated ? std::string(dialect_.false_word) : absl::StrCat("(", name, " IS NOT NULL)"));
      return;
    }
    if (dialect_.or_of_nulls_is_false) {
      absl::StrAppend(&out_->sql, "(", name, " IS NOT NULL AND ");
      if (condition.test == Test::kSameAs) absl::StrAppend(&out_->sql, NameOf(condition.other), " IS NOT NULL AND ");
    }
    absl::StrAppend(&out_->sql, "COALESCE(", condition.negated ? "NOT " : "", "(");
    PrintTest(index, condition, name);
    absl::StrAppend(&out_->sql, "), ", dialect_.false_word, ")", dialect_.or_of_nulls_is_false ? ")" : "");
  }

  void PrintTest(uint32_t index, const Condition& condition, const std::string& name) {
    const FieldType type = record::Info(condition.field).type;
    std::string& sql = out_->sql;
    const auto bits = [&](uint64_t b) {
      return absl::Substitute(dialect_.bit_and, name, Digits(static_cast<int64_t>(b)));
    };
    switch (condition.test) {
      case Test::kExists:
        return;
      case Test::kRanges: {
        if (type == FieldType::kDigits) return PrintDigits(condition, name);
        const std::vector<SignedRange> ranges = StoredRanges(type, condition.ranges);
        return PrintAny(ranges.size(), [&](size_t i) {
          if (ranges[i].first == ranges[i].last) {
            absl::StrAppend(&sql, name, " = ", Digits(ranges[i].first));
          } else {
            absl::StrAppend(&sql, name, " BETWEEN ", Digits(ranges[i].first), " AND ", Digits(ranges[i].last));
          }
        });
      }
      case Test::kAllBits:
        absl::StrAppend(&sql, bits(condition.bits), " = ", Digits(static_cast<int64_t>(condition.bits)));
        return;
      case Test::kAnyBit:
        absl::StrAppend(&sql, bits(condition.bits), " <> 0");
        return;
      case Test::kBits:
        absl::StrAppend(&sql, bits(condition.bits), " = ", Digits(static_cast<int64_t>(condition.bits_value)));
        return;
      case Test::kBlocks:
        return PrintAny(condition.blocks.size(),
                        [&](size_t i) { PrintBlock(type == FieldType::kPrefix, condition.blocks[i], name); });
      case Test::kTexts:
        return PrintAny(condition.texts.size(), [&](size_t i) {
          absl::StrAppend(&sql, name, " = ");
          Bind(dialect_, StoredText(type, condition.texts[i]), out_);
        });
      case Test::kSameAs: {
        const std::string other = NameOf(condition.other);
        absl::StrAppend(&sql, name, " = ", other);
        if (record::IsInterned(type)) {  // what found no place in the interner could be anything
          const absl::string_view overflow = base::AsText(base::Interner().Find(base::Interner::kOverflowId));
          const bool octets = record::StoredFormOf(type) == record::StoredForm::kOctets;
          absl::StrAppend(&sql, condition.negated ? " OR " : " AND ", name, condition.negated ? " = " : " <> ");
          Bind(dialect_, octets ? Octets(overflow) : Text(overflow), out_);
        }
        return;
      }
      case Test::kPathHas:
      case Test::kPathBeginsWith:
      case Test::kPathEndsWith:
      case Test::kPathLength:
      case Test::kLabel:
      case Test::kCommunity:
      case Test::kPattern:
        if (!IsInSql(dialect_, condition)) {
          Fail(absl::InternalError(absl::StrCat(dialect_.name, ": a condition that is not for SQL")));
        }
        absl::StrAppend(&sql, "flowacct_route(", index, ", ", name, ")");
        return;
    }
  }

  void PrintDigits(const Condition& condition, const std::string& name) {
    std::vector<filter::DigitBlock> blocks;
    for (const filter::NumberRange& range : condition.ranges) {
      const std::vector<filter::DigitBlock> more = filter::DigitBlocksOf(range);
      blocks.insert(blocks.end(), more.begin(), more.end());
    }
    PrintAny(blocks.size(), [&](size_t i) {
      absl::StrAppend(&out_->sql, name, blocks[i].beginning ? " LIKE " : " = ");
      Bind(dialect_, Text(absl::StrCat(blocks[i].digits.ToString(), blocks[i].beginning ? "%" : "")), out_);
    });
  }

  void PrintAny(size_t count, absl::FunctionRef<void(size_t)> part) {
    if (count == 0) {
      absl::StrAppend(&out_->sql, dialect_.false_word);
    } else {
      AppendBalanced(0, count, "OR", part, out_);
    }
  }

  // Addresses of 16 octets, and prefixes of 17, are in order, so that a block is a range of them.
  void PrintBlock(bool prefix, const base::IpPrefix& block, const std::string& name) {
    const IpAddress first = block.address(), last = LastOf(block);
    absl::StrAppend(&out_->sql, "(", name, " BETWEEN ", Literal(dialect_, first), " AND ",
                    Literal(dialect_, last, prefix ? 255 : -1));
    const base::IpPrefix v4(IpAddress::V4(0), 0);
    const IpAddress v4_last = LastOf(v4);
    if (!first.IsV4() && !(v4_last < first) && !(last < v4.address())) {  // a block of IPv6 holds no IPv4
      absl::StrAppend(&out_->sql, " AND NOT ", name, " BETWEEN ", Literal(dialect_, v4.address()), " AND ",
                      Literal(dialect_, v4_last, prefix ? 255 : -1));
    }
    if (prefix && block.length() > 0) {
      absl::StrAppend(&out_->sql, " AND substr(", name,
                      ", 17, 1) >= ", OctetsLiteral(dialect_, std::string(1, static_cast<char>(block.length()))));
    }
    out_->sql += ")";
  }

  const Dialect& dialect_;
  const TableSchema& table_;
  const absl::Span<const Condition> conditions_;
  const absl::Span<const filter::Step> steps_;
  Statement* const out_;
  std::vector<Node> nodes_;
  absl::Status status_;
};

}  // namespace

const Column* KeyColumn(const TableSchema& table, record::FieldId field) {
  for (const Column& column : table.columns) {
    if (column.key && column.field == field) return &column;
  }
  return nullptr;
}

bool IsInSql(const Dialect& dialect, const Condition& condition) {
  switch (condition.test) {
    case Test::kPathHas:
    case Test::kPathBeginsWith:
    case Test::kPathEndsWith:
    case Test::kPathLength:
    case Test::kLabel:
    case Test::kCommunity:
    case Test::kPattern:
      return dialect.has_functions;
    default:
      return true;
  }
}

absl::Status NoSuchKey(const Dialect& dialect, const TableSchema& table, record::FieldId field) {
  std::string keys;
  for (const Column& c : table.columns) {
    if (c.key) absl::StrAppend(&keys, keys.empty() ? "" : ", ", c.name);
  }
  return absl::NotFoundError(absl::StrCat(dialect.name, ": table \"", table.name, "\" has no key \"",
                                          record::Info(field).name, "\" that the filter asks for; it has ", keys));
}

absl::Status AppendCondition(const Dialect& dialect, const TableSchema& table, absl::Span<const Condition> conditions,
                             absl::Span<const filter::Step> steps, Statement* out) {
  return Compiler(dialect, table, conditions, steps, out).Compile();
}

}  // namespace flowacct::sink::sql
