// A parsed filter: conditions on fields, joined by logic in postfix order.

#ifndef FLOWACCT_AGGREGATE_FILTER_PROGRAM_H_
#define FLOWACCT_AGGREGATE_FILTER_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/record/field.h"

namespace flowacct::aggregate::filter_internal {

enum class Test : uint8_t {
  kExists,
  kRanges,   // a number in one of `ranges`
  kAllBits,  // (number & bits) == bits
  kAnyBit,   // (number & bits) != 0
  kBits,     // (number & bits) == bits_value
  kBlocks,   // an address in, or a prefix equal to or inside of, one of `blocks`
  kTexts,    // octets equal to one of `texts`: interned values, MAC addresses
};

// Whatever the test, an absent field fails it; `negated` turns the outcome for fields that are there.
struct Condition {
  record::FieldId field;
  Test test = Test::kExists;
  bool negated = false;
  std::vector<std::pair<uint64_t, uint64_t>> ranges;  // first and last, sorted, apart
  uint64_t bits = 0;
  uint64_t bits_value = 0;
  std::vector<base::IpPrefix> blocks;
  std::vector<std::string> texts;  // sorted
};

enum class Operator : uint8_t { kCondition, kNot, kAnd, kOr };
struct Step {
  Operator op;
  uint32_t condition = 0;
};

// Of parentheses and `not`; FilterOptions::max_depth is cut to it.
inline constexpr size_t kMaxDepth = 64;

struct Program {
  std::vector<Condition> conditions;
  std::vector<Step> steps;  // empty: every record passes
};

}  // namespace flowacct::aggregate::filter_internal

#endif  // FLOWACCT_AGGREGATE_FILTER_PROGRAM_H_
