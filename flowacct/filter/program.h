// A parsed filter: conditions on fields, joined by logic in postfix order.

#ifndef FLOWACCT_FILTER_PROGRAM_H_
#define FLOWACCT_FILTER_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/filter/route.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/record/field.h"

namespace flowacct::filter {

enum class Test : uint8_t {
  kExists,
  kRanges,   // a number in one of `ranges`
  kAllBits,  // (number & bits) == bits
  kAnyBit,   // (number & bits) != 0
  kBits,     // (number & bits) == bits_value
  kBlocks,   // an address in, or a prefix equal to or inside of, one of `blocks`
  kTexts,    // octets equal to one of `texts`: interned values, MAC addresses
  // Of what routes tell (route.h). A number in one of `ranges`:
  kPathHas,
  kPathBeginsWith,
  kPathEndsWith,
  kPathLength,
  kLabel,
  kCommunity,  // a community that fits one of `communities`
  kPattern,    // a text that `pattern` finds something in
  kSameAs,     // the value of the field `other`, which is there
};

// Whether it asks for numbers that are more or less than another.
constexpr bool IsOrdered(Test test) {
  return test == Test::kRanges || test == Test::kPathBeginsWith || test == Test::kPathEndsWith ||
         test == Test::kPathLength;
}

// Whatever the test, an absent field fails it, and a value that has nothing to ask about; `negated` turns the outcome
// for the others.
struct Condition {
  record::FieldId field;
  Test test = Test::kExists;
  bool negated = false;
  std::vector<NumberRange> ranges;  // sorted, apart; of times with record::SignBit flipped
  uint64_t bits = 0;
  uint64_t bits_value = 0;
  std::vector<base::IpPrefix> blocks;
  std::vector<std::string> texts;  // sorted
  std::vector<CommunityPattern> communities;
  RoutePattern pattern;
  record::FieldId other{};
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

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_PROGRAM_H_
