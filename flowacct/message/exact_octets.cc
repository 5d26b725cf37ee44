#include "flowacct/message/exact_octets.h"

#include <algorithm>

namespace flowacct::message {
namespace {

using record::FieldType;

constexpr uint8_t kAsSequence = 2;  // RFC 4271, 4.3
constexpr size_t kMaxSegment = 255;

// Octets of a number in the list; of large communities, which are three, of each.
constexpr size_t NumberSize(FieldType type) {
  return type == FieldType::kLabelStack ? 3 : type == FieldType::kExtCommunities ? 8 : 4;
}

void AppendBe(uint64_t number, size_t size, std::string* out) {
  for (size_t i = size; i-- > 0;) out->push_back(static_cast<char>(number >> (8 * i)));
}

// All numbers of all segments; false unless it is one sequence.
bool ListOfAsPath(base::Octets octets, std::vector<uint64_t>* numbers) {
  size_t segments = 0;
  bool sequences = true;
  while (octets.size() >= 2 && octets.size() >= 2 + size_t{4} * octets[1]) {
    sequences &= octets[0] == kAsSequence && octets[1] > 0;
    ++segments;
    const size_t count = octets[1];
    for (size_t i = 0; i < count; ++i) numbers->push_back(base::LoadBe32(octets.data() + 2 + 4 * i));
    octets.remove_prefix(2 + 4 * count);
  }
  return octets.empty() && segments == 1 && sequences;
}

}  // namespace

bool ListOfOctets(FieldType type, base::Octets octets, std::vector<uint64_t>* numbers) {
  numbers->clear();
  if (type == FieldType::kAsPath) return ListOfAsPath(octets, numbers);
  const size_t size = NumberSize(type);
  const size_t whole = type == FieldType::kLargeCommunities ? 12 : size;
  bool exact = !octets.empty() && octets.size() % whole == 0;
  const size_t end = octets.size() - octets.size() % whole;
  for (size_t at = 0; at < end; at += size) {
    const uint64_t number = base::LoadBe(octets.data() + at, size);
    if (type == FieldType::kLabelStack) {
      // RFC 3032, 2.1: 20 bits of label, 3 of traffic class, the bottom's bit.
      const uint64_t bottom = at + size == octets.size() ? 1 : 0;
      exact &= (number & 15) == bottom;
      numbers->push_back(number >> 4);
    } else {
      numbers->push_back(number);
    }
  }
  return exact;
}

void AppendOctetsOfList(FieldType type, const std::vector<uint64_t>& numbers, std::string* octets) {
  if (type == FieldType::kAsPath) {
    // A segment has room for so many; who wrote more of them as one list wrote which segments, too.
    for (size_t at = 0; at < numbers.size();) {
      const size_t count = std::min(numbers.size() - at, kMaxSegment);
      octets->push_back(static_cast<char>(kAsSequence));
      octets->push_back(static_cast<char>(count));
      for (size_t i = 0; i < count; ++i) AppendBe(numbers[at++], 4, octets);
    }
    return;
  }
  const size_t size = NumberSize(type);
  // What is no whole large community is left out.
  const size_t count = type == FieldType::kLargeCommunities ? numbers.size() - numbers.size() % 3 : numbers.size();
  for (size_t i = 0; i < count; ++i) {
    const bool label = type == FieldType::kLabelStack;
    AppendBe(label ? (numbers[i] << 4 | (i + 1 == count ? 1 : 0)) : numbers[i], size, octets);
  }
}

}  // namespace flowacct::message
