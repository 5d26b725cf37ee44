#include "flowacct/sink/sql/route_text.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::sink::sql {
namespace {

using filter::Answer;
using filter::Test;
using record::FieldType;

constexpr absl::string_view kOverflowText = "(overflow)";  // of what found no place in the interner

bool Number(absl::string_view text, uint64_t largest, uint64_t* number) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(text, number) && *number <= largest;
}

void AppendBe(uint64_t number, size_t octets, std::string* out) {
  for (size_t i = octets; i-- > 0;) out->push_back(static_cast<char>(number >> (8 * i)));
}

// A segment has at most 255 numbers (RFC 4271, 4.3); of a sequence that is longer in the text, several were one behind
// the other.
bool AppendSegments(uint8_t type, absl::Span<const absl::string_view> numbers, std::string* out) {
  size_t at = 0;
  do {
    const size_t count = std::min<size_t>(255, numbers.size() - at);
    out->push_back(static_cast<char>(type));
    out->push_back(static_cast<char>(count));
    for (size_t i = 0; i < count; ++i, ++at) {
      uint64_t number = 0;
      if (!Number(numbers[at], UINT32_MAX, &number)) return false;
      AppendBe(number, 4, out);
    }
  } while (at < numbers.size());
  return true;
}

std::optional<std::string> PathOctets(absl::string_view text) {
  struct Brackets {
    char open, close, separator;
    uint8_t type;
  };
  static constexpr Brackets kBrackets[] = {{'{', '}', ',', 1}, {'(', ')', ' ', 3}, {'[', ']', ',', 4}};
  std::string octets;
  std::vector<absl::string_view> sequence;
  const auto end_sequence = [&] {
    const bool ok = sequence.empty() || AppendSegments(2, sequence, &octets);
    sequence.clear();
    return ok;
  };
  while (!text.empty()) {
    const Brackets* brackets = nullptr;
    for (const Brackets& b : kBrackets) {
      if (text[0] == b.open) brackets = &b;
    }
    if (text[0] == ' ') {
      text.remove_prefix(1);
    } else if (text[0] == '?') {  // a segment that was not whole, which nobody looks at
      break;
    } else if (brackets != nullptr) {
      const size_t end = text.find(brackets->close);
      if (end == absl::string_view::npos || !end_sequence()) return std::nullopt;
      const std::vector<absl::string_view> numbers =
          absl::StrSplit(text.substr(1, end - 1), brackets->separator, absl::SkipEmpty());
      if (!AppendSegments(brackets->type, numbers, &octets)) return std::nullopt;
      text.remove_prefix(end + 1);
    } else {
      const size_t end = text.find(' ');
      sequence.push_back(text.substr(0, end));
      text.remove_prefix(end == absl::string_view::npos ? text.size() : end);
    }
  }
  if (!end_sequence()) return std::nullopt;
  return octets;
}

bool AppendExtended(absl::string_view text, std::string* out) {
  if (absl::StartsWith(text, "0x")) {
    uint64_t whole = 0;
    if (text.size() != 18 || !absl::SimpleHexAtoi(text, &whole)) return false;
    AppendBe(whole, 8, out);
    return true;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != 3 || (parts[0] != "rt" && parts[0] != "soo")) return false;
  const uint8_t subtype = parts[0] == "rt" ? 2 : 3;
  uint64_t number = 0, administrator = 0;
  if (!Number(parts[2], UINT32_MAX, &number)) return false;
  if (const auto address = base::IpAddress::Parse(parts[1]); address && address->IsV4()) {
    if (number > UINT16_MAX) return false;
    AppendBe(uint64_t{1} << 8 | subtype, 2, out);
    AppendBe(address->v4(), 4, out);
    AppendBe(number, 2, out);
    return true;
  }
  // 2 octets of AS and 4 of number read like 4 and 2, and no question tells them apart.
  if (!Number(parts[1], UINT32_MAX, &administrator)) return false;
  const bool wide = administrator > UINT16_MAX;
  if (wide && number > UINT16_MAX) return false;
  AppendBe((wide ? uint64_t{2} << 8 : 0) | subtype, 2, out);
  AppendBe(administrator, wide ? 4 : 2, out);
  AppendBe(number, wide ? 2 : 4, out);
  return true;
}

bool AppendNumbers(absl::string_view text, size_t count, size_t octets, std::string* out) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != count) return false;
  for (const absl::string_view part : parts) {
    uint64_t number = 0;
    if (!Number(part, octets == 2 ? UINT16_MAX : UINT32_MAX, &number)) return false;
    AppendBe(number, octets, out);
  }
  return true;
}

bool AppendItem(FieldType type, absl::string_view item, std::string* out) {
  uint64_t label = 0;
  switch (type) {
    case FieldType::kCommunities:
      return AppendNumbers(item, 2, 2, out);
    case FieldType::kExtCommunities:
      return AppendExtended(item, out);
    case FieldType::kLargeCommunities:
      return AppendNumbers(item, 3, 4, out);
    case FieldType::kLabelStack:
      if (!Number(item, 0xfffff, &label)) return false;
      AppendBe(label << 4, 3, out);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::string> RouteOctets(FieldType type, absl::string_view text) {
  if (text == kOverflowText) return std::nullopt;
  if (type == FieldType::kAsPath) return PathOctets(text);
  std::string octets;
  for (const absl::string_view item :
       absl::StrSplit(text, type == FieldType::kLabelStack ? '/' : ' ', absl::SkipEmpty())) {
    if (!AppendItem(type, item, &octets)) return std::nullopt;
  }
  return octets;
}

Answer AskRoute(const filter::Condition& condition, absl::string_view text, filter::RoutePattern::Scratch* scratch) {
  if (condition.test == Test::kPattern) {
    if (text == kOverflowText) return Answer::kNone;
    return condition.pattern.Matches(text, scratch) ? Answer::kYes : Answer::kNo;
  }
  const FieldType type = record::Info(condition.field).type;
  const std::optional<std::string> stored = RouteOctets(type, text);
  if (!stored) return Answer::kNone;
  const base::Octets octets = base::AsOctets(*stored);
  switch (condition.test) {
    case Test::kPathHas:
      return filter::PathHas(octets, condition.ranges);
    case Test::kPathBeginsWith:
      return filter::PathBeginsWith(octets, condition.ranges);
    case Test::kPathEndsWith:
      return filter::PathEndsWith(octets, condition.ranges);
    case Test::kPathLength:
      return filter::PathLengthIn(octets, condition.ranges);
    case Test::kLabel:
      return filter::HasLabel(octets, condition.ranges);
    case Test::kCommunity:
      return filter::HasCommunity(type, octets, condition.communities);
    default:
      return Answer::kNone;
  }
}

}  // namespace flowacct::sink::sql
