#include "flowacct/aggregate/filter.h"

#include <algorithm>
#include <utility>

#include "flowacct/aggregate/filter_program.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {
namespace {

using filter_internal::Condition;
using filter_internal::Operator;
using filter_internal::Program;
using filter_internal::Step;
using filter_internal::Test;
using record::FieldType;
using record::Layout;

constexpr size_t kBlock = 64;  // rows that are tested together, a bit each

bool InRanges(uint64_t number, const Condition& condition) {
  const auto& ranges = condition.ranges;
  if (ranges.size() <= 4) {
    for (const auto& [first, last] : ranges) {
      if (number - first <= last - first) return true;
    }
    return false;
  }
  auto after = std::upper_bound(ranges.begin(), ranges.end(), std::make_pair(number, UINT64_MAX));
  return after != ranges.begin() && number <= (after - 1)->second;
}

bool InBlocks(const base::IpAddress& address, uint8_t length, const Condition& condition) {
  for (const base::IpPrefix& block : condition.blocks) {
    if (block.length() <= length && block.Contains(address)) return true;
  }
  return false;
}

uint64_t LoadNumber(const uint8_t* p, size_t size) {
  switch (size) {
    case 1:
      return *p;
    case 2:
      return base::LoadHost<uint16_t>(p);
    case 4:
      return base::LoadHost<uint32_t>(p);
    default:
      return base::LoadHost<uint64_t>(p);
  }
}

// The value of a field that is there.
bool Passes(const Condition& condition, FieldType type, const uint8_t* p, const base::Interner& interner) {
  switch (condition.test) {
    case Test::kExists:
      return true;
    case Test::kRanges:
      return InRanges(LoadNumber(p, record::FieldTypeSize(type)), condition);
    case Test::kAllBits:
      return (LoadNumber(p, record::FieldTypeSize(type)) & condition.bits) == condition.bits;
    case Test::kAnyBit:
      return (LoadNumber(p, record::FieldTypeSize(type)) & condition.bits) != 0;
    case Test::kBits:
      return (LoadNumber(p, record::FieldTypeSize(type)) & condition.bits) == condition.bits_value;
    case Test::kBlocks: {
      const base::IpAddress address = base::IpAddress::FromV6(p);
      return InBlocks(address, type == FieldType::kPrefix ? p[16] : address.IsV4() ? 32 : 128, condition);
    }
    case Test::kTexts: {
      const base::Octets octets = record::IsInterned(type) ? interner.Find(base::LoadHost<base::InternId>(p))
                                                           : base::Octets(p, record::FieldTypeSize(type));
      const absl::string_view text = base::AsText(octets);
      const auto at = std::lower_bound(condition.texts.begin(), condition.texts.end(), text,
                                       [](const std::string& a, absl::string_view b) { return a < b; });
      return at != condition.texts.end() && *at == text;
    }
  }
  return false;
}

}  // namespace

Filter::Filter() : program_(std::make_shared<Program>()) {}

bool Filter::passes_all() const { return program_->steps.empty(); }

BoundFilter Filter::Bind(const Layout& layout) const {
  BoundFilter bound;
  bound.program_ = program_;
  for (const Condition& condition : program_->conditions) {
    BoundFilter::Place place{};
    place.absent = !layout.Has(condition.field);
    if (!place.absent) {
      place.offset = layout.offset(condition.field);
      place.presence_octet = static_cast<uint16_t>(layout.index(condition.field) >> 3);
      place.presence_bit = static_cast<uint8_t>(layout.index(condition.field) & 7);
    }
    bound.places_.push_back(place);
  }
  return bound;
}

uint64_t BoundFilter::Evaluate(size_t index, const uint8_t* rows, size_t stride, size_t n,
                               const base::Interner& interner) const {
  const Condition& condition = program_->conditions[index];
  const Place& place = places_[index];
  if (place.absent) return 0;
  const FieldType type = record::Info(condition.field).type;
  const size_t size = record::FieldTypeSize(type);
  const uint8_t* presence = rows + place.presence_octet;
  const uint8_t* value = rows + place.offset;
  uint64_t passed = 0;
  if (condition.test == Test::kRanges && condition.ranges.size() == 1) {  // =, <, >, a port: the common ones
    const auto [first, last] = condition.ranges[0];
    for (size_t i = 0; i < n; ++i) {
      const uint64_t there = presence[i * stride] >> place.presence_bit & 1;
      const uint64_t in = LoadNumber(value + i * stride, size) - first <= last - first ? 1 : 0;
      passed |= (there & (in ^ (condition.negated ? 1 : 0))) << i;
    }
    return passed;
  }
  for (size_t i = 0; i < n; ++i) {
    if ((presence[i * stride] >> place.presence_bit & 1) == 0) continue;
    const bool passes = Passes(condition, type, value + i * stride, interner) != condition.negated;
    passed |= uint64_t{passes} << i;
  }
  return passed;
}

void BoundFilter::Apply(const record::FlowBatch& batch, Selection* selection) const {
  selection->clear();
  // The parser nests no deeper than this; each level leaves at most two values, the last one more.
  uint64_t stack[2 * filter_internal::kMaxDepth + 8];
  for (size_t first = 0; first < batch.size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    size_t top = 0;
    for (const Step& step : program_->steps) {
      switch (step.op) {
        case Operator::kCondition:
          stack[top++] =
              Evaluate(step.condition, batch.data() + first * batch.stride(), batch.stride(), n, batch.interner());
          break;
        case Operator::kNot:
          stack[top - 1] = ~stack[top - 1];
          break;
        case Operator::kAnd:
          --top;
          stack[top - 1] &= stack[top];
          break;
        case Operator::kOr:
          --top;
          stack[top - 1] |= stack[top];
          break;
      }
    }
    uint64_t passed = top == 0 ? ~uint64_t{0} : stack[0];
    if (n < kBlock) passed &= (uint64_t{1} << n) - 1;
    for (; passed != 0; passed &= passed - 1) {
      selection->push_back(static_cast<uint32_t>(first + static_cast<size_t>(__builtin_ctzll(passed))));
    }
  }
}

}  // namespace flowacct::aggregate
