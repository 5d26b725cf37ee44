#include "flowacct/filter/filter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flowacct/base/host_number.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/record/value_text.h"

namespace flowacct::filter {
namespace {

using record::FieldType;
using record::Layout;

constexpr size_t kBlock = 64;  // rows that are tested together, a bit each

bool InBlocks(const base::IpAddress& address, uint8_t length, const Condition& condition) {
  for (const base::IpPrefix& block : condition.blocks) {
    if (block.length() <= length && block.Contains(address)) return true;
  }
  return false;
}

bool IsOneOf(absl::string_view text, const std::vector<std::string>& texts) {
  const auto at = std::lower_bound(texts.begin(), texts.end(), text,
                                   [](const std::string& a, absl::string_view b) { return a < b; });
  return at != texts.end() && *at == text;
}

// The value of a field that is there and not interned.
bool Holds(const Condition& condition, FieldType type, const uint8_t* p) {
  switch (condition.test) {
    case Test::kRanges:
      return InRanges(base::LoadHostNumber(p, record::FieldTypeSize(type)) ^ record::SignBit(type), condition.ranges);
    case Test::kAllBits:
      return (base::LoadHostNumber(p, record::FieldTypeSize(type)) & condition.bits) == condition.bits;
    case Test::kAnyBit:
      return (base::LoadHostNumber(p, record::FieldTypeSize(type)) & condition.bits) != 0;
    case Test::kBits:
      return (base::LoadHostNumber(p, record::FieldTypeSize(type)) & condition.bits) == condition.bits_value;
    case Test::kBlocks: {
      const base::IpAddress address = base::IpAddress::FromV6(p);
      return InBlocks(address, type == FieldType::kPrefix ? p[16] : address.IsV4() ? 32 : 128, condition);
    }
    case Test::kTexts:
      return IsOneOf(base::AsText(base::Octets(p, record::FieldTypeSize(type))), condition.texts);
    default:
      return condition.test == Test::kExists;
  }
}

}  // namespace

// What interned values were found to be.
struct BoundFilter::Memory {
  std::shared_ptr<const void> interner;       // whose ids these are
  std::vector<std::vector<uint8_t>> answers;  // [condition][id]: kUnasked, or whether it passes
  std::string text;
  RoutePattern::Scratch scratch;

  static constexpr uint8_t kUnasked = 2;

  Answer Ask(const Condition& condition, FieldType type, base::Octets value) {
    switch (condition.test) {
      case Test::kTexts:
        return IsOneOf(base::AsText(value), condition.texts) ? Answer::kYes : Answer::kNo;
      case Test::kPathHas:
        return PathHas(value, condition.ranges);
      case Test::kPathBeginsWith:
        return PathBeginsWith(value, condition.ranges);
      case Test::kPathEndsWith:
        return PathEndsWith(value, condition.ranges);
      case Test::kPathLength:
        return PathLengthIn(value, condition.ranges);
      case Test::kLabel:
        return HasLabel(value, condition.ranges);
      case Test::kCommunity:
        return HasCommunity(type, value, condition.communities);
      case Test::kPattern:
        text.clear();
        record::AppendInternedText(type, value, &text);
        return condition.pattern.Matches(text, &scratch) ? Answer::kYes : Answer::kNo;
      default:
        return Answer::kNone;
    }
  }
};

BoundFilter::BoundFilter() : memory_(std::make_unique<Memory>()) {}
BoundFilter::~BoundFilter() = default;
BoundFilter::BoundFilter(BoundFilter&&) noexcept = default;
BoundFilter& BoundFilter::operator=(BoundFilter&&) noexcept = default;

Filter::Filter() : program_(std::make_shared<Program>()) {}

bool Filter::passes_all() const { return program_->steps.empty(); }

BoundFilter Filter::Bind(const Layout& layout) const {
  BoundFilter bound;
  bound.program_ = program_;
  const auto place_of = [&layout](record::FieldId field) {
    BoundFilter::Place place{};
    place.absent = !layout.Has(field);
    if (!place.absent) {
      place.offset = layout.offset(field);
      place.presence_octet = static_cast<uint16_t>(layout.index(field) >> 3);
      place.presence_bit = static_cast<uint8_t>(layout.index(field) & 7);
    }
    return place;
  };
  for (const Condition& condition : program_->conditions) {
    bound.places_.push_back(place_of(condition.field));
    bound.other_places_.push_back(place_of(condition.other));
  }
  bound.memory_->answers.resize(bound.places_.size());
  return bound;
}

bool BoundFilter::PassesInterned(size_t index, base::InternId id, const base::Interner& interner) {
  const Condition& condition = program_->conditions[index];
  std::vector<uint8_t>& answers = memory_->answers[index];
  if (id < answers.size() && answers[id] != Memory::kUnasked) return answers[id] != 0;
  // What found no place in the interner could be anything, but it is a text.
  const FieldType type = record::Info(condition.field).type;
  const bool known = id != base::Interner::kOverflowId || condition.test == Test::kTexts;
  const Answer answer = known ? memory_->Ask(condition, type, interner.Find(id)) : Answer::kNone;
  const bool passes = answer != Answer::kNone && (answer == Answer::kYes) != condition.negated;
  if (id < interner.size()) {  // which any id of this interner is
    if (id >= answers.size()) answers.resize(interner.size(), Memory::kUnasked);
    answers[id] = passes ? 1 : 0;
  }
  return passes;
}

uint64_t BoundFilter::EvaluateSame(size_t index, const uint8_t* rows, size_t stride, size_t n) const {
  const Condition& condition = program_->conditions[index];
  const Place& place = places_[index];
  const Place& other = other_places_[index];
  if (place.absent || other.absent) return 0;
  const FieldType type = record::Info(condition.field).type;
  const size_t size = record::FieldTypeSize(type);
  const size_t other_size = record::FieldTypeSize(record::Info(condition.other).type);
  uint64_t passed = 0;
  for (size_t i = 0; i < n; ++i, rows += stride) {
    if ((rows[place.presence_octet] >> place.presence_bit & rows[other.presence_octet] >> other.presence_bit & 1) ==
        0) {
      continue;
    }
    const uint8_t* const a = rows + place.offset;
    const uint8_t* const b = rows + other.offset;
    // What found no place in the interner could be anything.
    if (record::IsInterned(type) && base::LoadHost<base::InternId>(a) == base::Interner::kOverflowId) continue;
    const bool same = size == other_size ? std::memcmp(a, b, size) == 0
                                         : base::LoadHostNumber(a, size) == base::LoadHostNumber(b, other_size);
    passed |= uint64_t{same != condition.negated} << i;
  }
  return passed;
}

uint64_t BoundFilter::Evaluate(size_t index, const uint8_t* rows, size_t stride, size_t n,
                               const base::Interner& interner) {
  const Condition& condition = program_->conditions[index];
  const Place& place = places_[index];
  if (place.absent) return 0;
  if (condition.test == Test::kSameAs) return EvaluateSame(index, rows, stride, n);
  const FieldType type = record::Info(condition.field).type;
  const size_t size = record::FieldTypeSize(type);
  const uint8_t* presence = rows + place.presence_octet;
  const uint8_t* value = rows + place.offset;
  uint64_t passed = 0;
  if (condition.test == Test::kRanges && condition.ranges.size() == 1) {  // =, <, >, a port: the common ones
    const auto [first, last] = condition.ranges[0];
    const uint64_t sign_bit = record::SignBit(type);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t there = presence[i * stride] >> place.presence_bit & 1;
      const uint64_t in = (base::LoadHostNumber(value + i * stride, size) ^ sign_bit) - first <= last - first ? 1 : 0;
      passed |= (there & (in ^ (condition.negated ? 1 : 0))) << i;
    }
    return passed;
  }
  const bool interned = record::IsInterned(type) && condition.test != Test::kExists;
  for (size_t i = 0; i < n; ++i) {
    if ((presence[i * stride] >> place.presence_bit & 1) == 0) continue;
    const uint8_t* p = value + i * stride;
    const bool passes = interned ? PassesInterned(index, base::LoadHost<base::InternId>(p), interner)
                                 : Holds(condition, type, p) != condition.negated;
    passed |= uint64_t{passes} << i;
  }
  return passed;
}

void BoundFilter::Meet(const base::Interner& interner) {
  if (memory_->interner == interner.identity()) return;
  memory_->interner = interner.identity();
  for (std::vector<uint8_t>& answers : memory_->answers) answers.clear();
}

uint64_t BoundFilter::Passed(const uint8_t* rows, size_t stride, size_t n, const base::Interner& interner) {
  // The parser nests no deeper than this; each level leaves at most two values, the last one more.
  uint64_t stack[2 * kMaxDepth + 8];
  size_t top = 0;
  for (const Step& step : program_->steps) {
    switch (step.op) {
      case Operator::kCondition:
        stack[top++] = Evaluate(step.condition, rows, stride, n, interner);
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
  const uint64_t passed = top == 0 ? ~uint64_t{0} : stack[0];
  return n < kBlock ? passed & ((uint64_t{1} << n) - 1) : passed;
}

void BoundFilter::Apply(const record::FlowBatch& batch, Selection* selection) {
  selection->clear();
  Meet(batch.interner());
  for (size_t first = 0; first < batch.size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    uint64_t passed = Passed(batch.data() + first * batch.stride(), batch.stride(), n, batch.interner());
    for (; passed != 0; passed &= passed - 1) {
      selection->push_back(static_cast<uint32_t>(first + static_cast<size_t>(__builtin_ctzll(passed))));
    }
  }
}

uint64_t BoundFilter::PassesOf(const record::FlowBatch& batch, size_t first, size_t n) {
  Meet(batch.interner());
  return Passed(batch.data() + first * batch.stride(), batch.stride(), n, batch.interner());
}

bool BoundFilter::Passes(const record::FlowBatch& batch, size_t row) {
  Meet(batch.interner());
  return Passed(batch.data() + row * batch.stride(), batch.stride(), 1, batch.interner()) != 0;
}

}  // namespace flowacct::filter
