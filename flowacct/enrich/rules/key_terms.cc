#include "flowacct/enrich/rules/key_terms.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::enrich {
namespace {

using filter::Condition;
using filter::Test;
using record::FieldType;

// Conditions that must all hold; the terms of a program are alternatives of these.
using Term = std::vector<uint32_t>;

struct Terms {
  std::vector<Term> alternatives;
  bool exact;
};

const Terms& Anything() {
  static const auto* anything = new Terms{{Term()}, false};
  return *anything;
}

// How many values a condition has that can be looked up; 0: it cannot.
size_t LookUps(const Condition& condition, const KeyOptions& options) {
  if (condition.negated) return 0;
  switch (condition.test) {
    case Test::kRanges: {
      if (record::Info(condition.field).type == FieldType::kTime) return 0;
      uint64_t values = 0;
      for (const auto& [first, last] : condition.ranges) {
        if (last - first >= options.max_range) return 0;
        values += last - first + 1;
      }
      return values <= options.max_keys ? static_cast<size_t>(values) : 0;
    }
    case Test::kAllBits:
    case Test::kBits:
      return 1;
    case Test::kBlocks:
      return condition.blocks.size() <= options.max_keys ? condition.blocks.size() : 0;
    case Test::kTexts:
      return condition.texts.size() <= options.max_keys ? condition.texts.size() : 0;
    default:
      return 0;
  }
}

// Networks are found by their address; their length is checked.
bool LookedUpExactly(const Condition& condition) { return record::Info(condition.field).type != FieldType::kPrefix; }

Terms And(Terms a, Terms b, size_t max_terms) {
  Terms both{{}, a.exact && b.exact};
  if (a.alternatives.size() * b.alternatives.size() > max_terms) {
    // One side is enough to be found by: the one that asks for more at once.
    const auto shortest = [](const Terms& terms) {
      size_t n = SIZE_MAX;
      for (const Term& term : terms.alternatives) n = std::min(n, term.size());
      return n;
    };
    both.alternatives = std::move(shortest(a) >= shortest(b) ? a.alternatives : b.alternatives);
    both.exact = false;
    return both;
  }
  for (const Term& left : a.alternatives) {
    for (const Term& right : b.alternatives) {
      both.alternatives.push_back(left);
      both.alternatives.back().insert(both.alternatives.back().end(), right.begin(), right.end());
    }
  }
  return both;
}

Terms Or(Terms a, Terms b, size_t max_terms) {
  if (a.alternatives.size() + b.alternatives.size() > max_terms) return Anything();
  a.alternatives.insert(a.alternatives.end(), b.alternatives.begin(), b.alternatives.end());
  a.exact = a.exact && b.exact;
  return a;
}

Terms TermsOf(const filter::Program& program, const KeyOptions& options) {
  if (program.steps.empty()) return Terms{{Term()}, true};
  std::vector<Terms> stack;
  const auto pop = [&stack] {
    Terms top = std::move(stack.back());
    stack.pop_back();
    return top;
  };
  for (const filter::Step& step : program.steps) {
    switch (step.op) {
      case filter::Operator::kCondition: {
        const Condition& condition = program.conditions[step.condition];
        stack.push_back(LookUps(condition, options) > 0 ? Terms{{Term{step.condition}}, LookedUpExactly(condition)}
                                                        : Anything());
        break;
      }
      case filter::Operator::kNot:
        stack.back() = Anything();
        break;
      case filter::Operator::kAnd: {
        Terms right = pop(), left = pop();
        stack.push_back(And(std::move(left), std::move(right), options.max_terms));
        break;
      }
      case filter::Operator::kOr: {
        Terms right = pop(), left = pop();
        stack.push_back(Or(std::move(left), std::move(right), options.max_terms));
        break;
      }
    }
  }
  return pop();
}

KeyValue AddressValue(record::FieldId field, const base::IpPrefix& prefix) {
  KeyValue value;
  value.part.field = field;
  value.part.kind = prefix.address().IsV4() ? KeyPart::Kind::kV4 : KeyPart::Kind::kV6;
  value.part.length = prefix.length();
  value.address = prefix.address();
  return value;
}

KeyValue NumberValue(record::FieldId field, uint64_t mask, uint64_t number) {
  KeyValue value;
  value.part.field = field;
  value.part.kind = KeyPart::Kind::kNumber;
  const size_t bits = 8 * record::FieldTypeSize(record::Info(field).type);
  value.part.mask = bits < 64 ? mask & ((uint64_t{1} << bits) - 1) : mask;
  value.number = number;
  return value;
}

// One value for each alternative of a condition.
std::vector<KeyValue> ValuesOf(const Condition& condition, TextTable* texts) {
  std::vector<KeyValue> values;
  const FieldType type = record::Info(condition.field).type;
  switch (condition.test) {
    case Test::kRanges:
      for (const auto& [first, last] : condition.ranges) {
        for (uint64_t i = 0; i <= last - first; ++i) {
          values.push_back(NumberValue(condition.field, UINT64_MAX, first + i));
        }
      }
      break;
    case Test::kAllBits:
      values.push_back(NumberValue(condition.field, condition.bits, condition.bits));
      break;
    case Test::kBits:
      values.push_back(NumberValue(condition.field, condition.bits, condition.bits_value));
      break;
    case Test::kBlocks:
      for (const base::IpPrefix& block : condition.blocks) values.push_back(AddressValue(condition.field, block));
      break;
    default:
      for (const std::string& text : condition.texts) {
        KeyValue value;
        value.part.field = condition.field;
        if (type == FieldType::kPrefix) {  // the network's octets and length
          const base::IpAddress network = base::IpAddress::FromV6(reinterpret_cast<const uint8_t*>(text.data()));
          values.push_back(AddressValue(condition.field, base::IpPrefix(network, 128)));
          continue;
        }
        if (type == FieldType::kMac) {
          value.part.kind = KeyPart::Kind::kMac;
          std::memcpy(&value.number, text.data(), 6);
        } else {
          value.part.kind = KeyPart::Kind::kText;
          value.number = texts->Add(text) + uint64_t{1};
        }
        values.push_back(value);
      }
      break;
  }
  return values;
}

// Appends the keys of one term; false if something of it is left to check.
bool AppendKeys(const filter::Program& program, Term term, const KeyOptions& options, TextTable* texts,
                std::vector<Key>* keys) {
  // Those with the fewest values first, so that what is left to check is what would have made the most keys.
  std::stable_sort(term.begin(), term.end(), [&](uint32_t a, uint32_t b) {
    return LookUps(program.conditions[a], options) < LookUps(program.conditions[b], options);
  });
  bool whole = true;
  size_t count = 1, octets = 0;
  std::vector<std::vector<KeyValue>> columns;
  std::vector<record::FieldId> fields;
  for (uint32_t index : term) {
    const Condition& condition = program.conditions[index];
    const size_t values = LookUps(condition, options);
    const bool known = std::find(fields.begin(), fields.end(), condition.field) != fields.end();
    if (known || count * values > options.max_keys - std::min(options.max_keys, keys->size())) {
      whole = false;
      continue;
    }
    std::vector<KeyValue> column = ValuesOf(condition, texts);
    size_t widest = 0;
    for (const KeyValue& value : column) widest = std::max(widest, value.part.size());
    if (octets + widest > options.max_key_octets) {
      whole = false;
      continue;
    }
    octets += widest;
    count *= values;
    fields.push_back(condition.field);
    columns.push_back(std::move(column));
  }
  std::vector<size_t> at(columns.size());
  for (size_t i = 0; i < count; ++i) {
    Key key;
    for (size_t c = 0; c < columns.size(); ++c) key.push_back(columns[c][at[c]]);
    std::sort(key.begin(), key.end(), [](const KeyValue& a, const KeyValue& b) { return a.part < b.part; });
    keys->push_back(std::move(key));
    for (size_t c = 0; c < columns.size() && ++at[c] == columns[c].size(); ++c) at[c] = 0;
  }
  return whole;
}

}  // namespace

size_t KeyPart::size() const {
  switch (kind) {
    case Kind::kNumber:
      return record::FieldTypeSize(record::Info(field).type);
    case Kind::kMac:
      return 8;
    case Kind::kText:
    case Kind::kV4:
      return 4;
    case Kind::kV6:
      return 16;
  }
  return 0;
}

KeyTerms KeysOf(const filter::Program& program, const KeyOptions& options, TextTable* texts) {
  Terms terms = TermsOf(program, options);
  KeyTerms result;
  result.exact = terms.exact;
  for (const Term& term : terms.alternatives) {
    if (!AppendKeys(program, term, options, texts, &result.keys)) result.exact = false;
  }
  return result;
}

}  // namespace flowacct::enrich
