#include "flowacct/sink/mongodb/filter_match.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/value.h"
#include "flowacct/sink/mongodb/table_state.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/route_text.h"

namespace flowacct::sink::mongodb {
namespace {

using base::IpAddress;
using filter::Condition;
using filter::Operator;
using filter::Test;
using record::FieldType;
using record::StoredForm;
using record::StoredValue;

// Masks up to this go to the server.
constexpr uint64_t kServerBits = 0x7fffffff;

struct SignedRange {
  int64_t first, last;
};

// Ranges of numbers as they are stored: those above 2^63 - 1 are negative there.
std::vector<SignedRange> StoredRanges(FieldType type, absl::Span<const filter::NumberRange> ranges) {
  constexpr uint64_t kHalf = uint64_t{1} << 63;
  const uint64_t flip = record::SignBit(type);
  const size_t size = record::FieldTypeSize(type);
  const uint64_t largest = size < 8 ? (uint64_t{1} << (8 * size)) - 1 : UINT64_MAX;
  std::vector<SignedRange> stored;
  for (const auto& [first, end] : ranges) {
    const uint64_t last = std::max(first, std::min(end, largest));
    if (flip == 0 && first < kHalf && last >= kHalf) {
      stored.push_back({static_cast<int64_t>(first), INT64_MAX});
      stored.push_back({INT64_MIN, static_cast<int64_t>(last)});
    } else {  // of times with the bit flipped: the order is that of signed numbers
      stored.push_back({static_cast<int64_t>(first ^ flip), static_cast<int64_t>(last ^ flip)});
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

// Stored addresses of 16 octets, and prefixes of 17, that are in a block are between two, but for a hole.
struct OctetRange {
  std::string first, last;

  bool Has(absl::string_view octets) const {
    return octets.size() == first.size() && octets >= first && octets <= last;
  }
};
struct BlockRange {
  OctetRange block;
  std::optional<OctetRange> hole;  // a block of IPv6 holds no IPv4

  bool Has(absl::string_view octets) const { return block.Has(octets) && !(hole && hole->Has(octets)); }
};

BlockRange RangeOf(bool prefix, const base::IpPrefix& block) {
  const auto range = [prefix](const IpAddress& first, uint8_t length, const IpAddress& last) {
    OctetRange r{std::string(base::AsText(first.octets())), std::string(base::AsText(last.octets()))};
    if (prefix) {
      // A shorter prefix that begins where the block does has a smaller last octet, and no other lies within.
      r.first.push_back(static_cast<char>(length));
      r.last.push_back('\xff');
    }
    return r;
  };
  const IpAddress first = block.address(), last = LastOf(block);
  BlockRange found{range(first, block.length(), last), {}};
  const base::IpPrefix v4(IpAddress::V4(0), 0);
  const IpAddress v4_last = LastOf(v4);
  if (!first.IsV4() && !(v4_last < first) && !(last < v4.address())) found.hole = range(v4.address(), 0, v4_last);
  return found;
}

// What a text of a filter is as a store has it.
std::string StoredText(FieldType type, const std::string& text) {
  if (type == FieldType::kMac && text.size() == record::FieldTypeSize(type)) {
    std::string scratch;
    const base::Interner none;
    return std::string(record::ToStored(type, reinterpret_cast<const uint8_t*>(text.data()), none, &scratch).octets);
  }
  return record::StoredFormOf(type) == StoredForm::kOctets ? text : sql::Storable(text);
}

void AddValue(FieldType type, absl::string_view key, absl::string_view value, Document* to) {
  if (record::StoredFormOf(type) == StoredForm::kOctets) {
    to->Octets(key, value);
  } else {
    to->Text(key, value);
  }
}

Document Exists(absl::string_view name) { return Document().Add(name, Document().Null("$ne")); }

Document Not(const Document& condition) { return Document().List("$nor", {condition}); }

// No _id is null.
Document Never() { return Document().Add(kId, Document().Null("$eq")); }

Document AnyOf(std::vector<Document> conditions) {
  if (conditions.empty()) return Never();
  return conditions.size() == 1 ? std::move(conditions[0]) : Document().List("$or", conditions);
}

// Texts of digits; those that begin alike are between two, ":" being behind the "9".
Document CompileDigits(absl::string_view name, absl::Span<const filter::NumberRange> ranges) {
  std::vector<Document> any;
  for (const filter::NumberRange& range : ranges) {
    for (const filter::DigitBlock& block : filter::DigitBlocksOf(range)) {
      const std::string text = block.digits.ToString();
      Document value;
      if (block.beginning) {
        value.Text("$gte", text).Text("$lt", absl::StrCat(text, ":"));
      } else {
        value.Text("$eq", text);
      }
      any.push_back(Document().Add(name, value));
    }
  }
  return AnyOf(std::move(any));
}

// What found no place in the interner could be anything.
absl::string_view OverflowText() {
  static const base::Interner* const none = new base::Interner();
  return base::AsText(none->Find(base::Interner::kOverflowId));
}

}  // namespace

const sql::Column* KeyColumn(absl::Span<const sql::Column> columns, record::FieldId field) {
  for (const sql::Column& column : columns) {
    if (column.key && column.field == field) return &column;
  }
  return nullptr;
}

absl::StatusOr<FilterMatch> FilterMatch::New(absl::string_view table, absl::Span<const sql::Column> columns,
                                             const filter::Program& program) {
  FilterMatch match(table, columns, program);
  if (absl::Status status = match.Compile(); !status.ok()) return status;
  return match;
}

absl::Status FilterMatch::Compile() {
  if (program_->steps.empty()) return absl::OkStatus();
  std::vector<size_t> stack;  // of nodes
  for (const filter::Step& step : program_->steps) {
    Node node{step.op, step.condition, {}};
    const size_t arguments = step.op == Operator::kCondition ? 0 : step.op == Operator::kNot ? 1 : 2;
    if (stack.size() < arguments) return absl::InternalError("mongodb: a filter with too few conditions");
    for (size_t i = stack.size() - arguments; i < stack.size(); ++i) {
      // A chain of the same operator is one list.
      Node& argument = nodes_[stack[i]];
      if (arguments == 2 && argument.op == step.op) {
        node.children.insert(node.children.end(), argument.children.begin(), argument.children.end());
      } else {
        node.children.push_back(stack[i]);
      }
    }
    stack.resize(stack.size() - arguments);
    stack.push_back(nodes_.size());
    nodes_.push_back(std::move(node));
  }
  if (stack.size() != 1) return absl::InternalError("mongodb: a filter with too many conditions");
  std::vector<size_t> parts = {stack[0]};
  if (nodes_[stack[0]].op == Operator::kAnd) parts = nodes_[stack[0]].children;
  for (const size_t part : parts) {
    if (std::optional<Document> condition = CompileNode(nodes_[part])) {
      conditions_.push_back(*std::move(condition));
    } else {
      here_.push_back(part);
      Need(nodes_[part]);
    }
  }
  return status_;
}

const sql::Column* FilterMatch::Find(record::FieldId field) {
  const sql::Column* const column = KeyColumn(columns_, field);
  if (column != nullptr) return column;
  std::string keys;
  for (const sql::Column& c : columns_) {
    if (c.key) absl::StrAppend(&keys, keys.empty() ? "" : ", ", c.name);
  }
  if (status_.ok()) {
    status_ =
        absl::NotFoundError(absl::StrCat("mongodb: table \"", table_, "\" has no key \"", record::Info(field).name,
                                         "\" that the filter asks for; it has ", keys.empty() ? "none" : keys));
  }
  return nullptr;
}

std::optional<Document> FilterMatch::CompileNode(const Node& node) {
  if (node.op == Operator::kCondition) {
    const Condition& condition = program_->conditions[node.condition];
    if (Find(condition.field) == nullptr) return std::nullopt;
    std::optional<Document> compiled = CompileCondition(condition);
    if (!compiled || !condition.negated) return compiled;
    if (condition.test == Test::kExists) return Never();
    return Document().List("$and", {Exists(Find(condition.field)->name), Not(*compiled)});
  }
  std::vector<Document> children;
  bool all = true;
  for (const size_t child : node.children) {
    std::optional<Document> compiled = CompileNode(nodes_[child]);
    if (compiled) {
      children.push_back(*std::move(compiled));
    } else {
      all = false;  // but the others are looked at, for the fields that are not there
    }
  }
  if (!all) return std::nullopt;
  if (node.op == Operator::kNot) return Not(children[0]);
  return Document().List(node.op == Operator::kAnd ? "$and" : "$or", children);
}

// True only of what is there; negation is the caller's.
std::optional<Document> FilterMatch::CompileCondition(const Condition& condition) {
  const std::string& name = KeyColumn(columns_, condition.field)->name;
  const FieldType type = record::Info(condition.field).type;
  const auto bits = [&](absl::string_view test, uint64_t mask) {
    return Document().Add(name, Document().Integer(test, static_cast<int64_t>(mask)));
  };
  std::vector<Document> any;
  switch (condition.test) {
    case Test::kExists:
      return Exists(name);
    case Test::kRanges:
      if (type == FieldType::kDigits) return CompileDigits(name, condition.ranges);
      for (const SignedRange& range : StoredRanges(type, condition.ranges)) {
        any.push_back(Document().Add(name, range.first == range.last
                                               ? Document().Integer("$eq", range.first)
                                               : Document().Integer("$gte", range.first).Integer("$lte", range.last)));
      }
      return AnyOf(std::move(any));
    case Test::kAllBits:
      if (condition.bits > kServerBits) return std::nullopt;
      return condition.bits == 0 ? Exists(name) : bits("$bitsAllSet", condition.bits);
    case Test::kAnyBit:
      if (condition.bits > kServerBits) return std::nullopt;
      return condition.bits == 0 ? Never() : bits("$bitsAnySet", condition.bits);
    case Test::kBits: {
      const uint64_t set = condition.bits_value, clear = condition.bits & ~condition.bits_value;
      if (condition.bits > kServerBits) return std::nullopt;
      if ((set & ~condition.bits) != 0) return Never();
      any.push_back(Exists(name));
      if (set != 0) any.push_back(bits("$bitsAllSet", set));
      if (clear != 0) any.push_back(bits("$bitsAllClear", clear));
      return Document().List("$and", any);
    }
    case Test::kBlocks:
      for (const base::IpPrefix& block : condition.blocks) {
        const BlockRange range = RangeOf(type == FieldType::kPrefix, block);
        const auto within = [&](const OctetRange& r) {
          return Document().Add(name, Document().Octets("$gte", r.first).Octets("$lte", r.last));
        };
        Document in = within(range.block);
        any.push_back(range.hole ? Document().List("$and", {in, Not(within(*range.hole))}) : std::move(in));
      }
      return AnyOf(std::move(any));
    case Test::kTexts:
      for (const std::string& text : condition.texts) {
        Document item;
        AddValue(type, "", StoredText(type, text), &item);
        any.push_back(std::move(item));
      }
      if (any.empty()) return Never();
      {
        Document in;
        bson_append_array(in.get(), "$in", 3, ListOf(any).get());
        return Document().Add(name, in);
      }
    case Test::kSameAs: {
      const sql::Column* const other = Find(condition.other);
      if (other == nullptr) return std::nullopt;
      // Of two that are absent nothing is true, which `negated` is not to turn.
      any = {Exists(name), Exists(other->name)};
      Document names;
      bson_append_array(
          names.get(), condition.negated ? "$ne" : "$eq", 3,
          ListOf({Document().Text("", absl::StrCat("$", name)), Document().Text("", absl::StrCat("$", other->name))})
              .get());
      any.push_back(Document().Add("$expr", names));
      if (record::IsInterned(type)) {
        Document overflow;
        AddValue(type, "$ne", OverflowText(), &overflow);
        any.push_back(Document().Add(name, overflow));
      }
      Document holds = Document().List("$and", any);
      return condition.negated ? Not(holds) : std::move(holds);  // who negates turns it once more
    }
    case Test::kPathHas:
    case Test::kPathBeginsWith:
    case Test::kPathEndsWith:
    case Test::kPathLength:
    case Test::kLabel:
    case Test::kCommunity:
    case Test::kPattern:
      return std::nullopt;
  }
  return std::nullopt;
}

void FilterMatch::Need(const Node& node) {
  for (const size_t child : node.children) Need(nodes_[child]);
  if (node.op != Operator::kCondition) return;
  const Condition& condition = program_->conditions[node.condition];
  const auto need = [this](record::FieldId field) {
    const sql::Column* const column = Find(field);
    if (column != nullptr && std::find(needed_.begin(), needed_.end(), column) == needed_.end()) {
      needed_.push_back(column);
    }
  };
  need(condition.field);
  if (condition.test == Test::kSameAs) need(condition.other);
}

bool FilterMatch::Passes(absl::Span<const StoredValue> values) {
  return std::all_of(here_.begin(), here_.end(), [&](size_t node) { return Holds(nodes_[node], values); });
}

bool FilterMatch::Holds(const Node& node, absl::Span<const StoredValue> values) {
  const auto holds = [&](size_t child) { return Holds(nodes_[child], values); };
  switch (node.op) {
    case Operator::kCondition:
      return Holds(program_->conditions[node.condition], values);
    case Operator::kNot:
      return !holds(node.children[0]);
    case Operator::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case Operator::kOr:
      return std::any_of(node.children.begin(), node.children.end(), holds);
  }
  return false;
}

size_t FilterMatch::Place(record::FieldId field) const {
  size_t i = 0;
  while (needed_[i]->field != field) ++i;
  return i;
}

bool FilterMatch::Holds(const Condition& condition, absl::Span<const StoredValue> values) {
  const StoredValue& value = values[Place(condition.field)];
  if (!value.present) return false;
  const FieldType type = record::Info(condition.field).type;
  const uint64_t number = static_cast<uint64_t>(value.integer);
  bool yes = false;
  switch (condition.test) {
    case Test::kExists:
      return !condition.negated;
    case Test::kRanges:
      if (type == FieldType::kDigits) {
        const std::optional<base::Digits> digits = base::Digits::Parse(value.octets);
        for (const auto& [first, last] : condition.ranges) {
          yes = yes || (digits && digits->bits() >= first && digits->bits() <= last);
        }
        break;
      }
      for (const SignedRange& range : StoredRanges(type, condition.ranges)) {
        yes = yes || (value.integer >= range.first && value.integer <= range.last);
      }
      break;
    case Test::kAllBits:
      yes = (number & condition.bits) == condition.bits;
      break;
    case Test::kAnyBit:
      yes = (number & condition.bits) != 0;
      break;
    case Test::kBits:
      yes = (number & condition.bits) == condition.bits_value;
      break;
    case Test::kBlocks:
      for (const base::IpPrefix& block : condition.blocks) {
        yes = yes || RangeOf(type == FieldType::kPrefix, block).Has(value.octets);
      }
      break;
    case Test::kTexts:
      for (const std::string& text : condition.texts) yes = yes || StoredText(type, text) == value.octets;
      break;
    case Test::kSameAs: {
      const StoredValue& other = values[Place(condition.other)];
      if (!other.present) return false;
      yes = value.integer == other.integer && value.octets == other.octets;
      if (record::IsInterned(type) && value.octets == OverflowText()) return false;
      break;
    }
    default: {
      const filter::Answer answer = sql::AskRoute(condition, value.octets, &scratch_);
      if (answer == filter::Answer::kNone) return false;
      yes = answer == filter::Answer::kYes;
    }
  }
  return yes != condition.negated;
}

}  // namespace flowacct::sink::mongodb
