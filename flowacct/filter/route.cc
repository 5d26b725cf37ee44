#include "flowacct/filter/route.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::filter {
namespace {

using record::FieldType;

// IANA, "BGP Well-known Communities".
struct WellKnown {
  absl::string_view name;
  uint32_t community;
};
constexpr WellKnown kWellKnown[] = {
    {"graceful-shutdown", 0xffff0000},    // RFC 8326
    {"accept-own", 0xffff0001},           // RFC 7611
    {"llgr-stale", 0xffff0006},           // RFC 9494
    {"no-llgr", 0xffff0007},              // RFC 9494
    {"blackhole", 0xffff029a},            // RFC 7999
    {"no-export", 0xffffff01},            // RFC 1997, as the next two
    {"no-advertise", 0xffffff02},         //
    {"no-export-subconfed", 0xffffff03},  //
    {"nopeer", 0xffffff04},               // RFC 3765
};

// "100", "100-199", "*".
bool ParsePart(absl::string_view text, uint64_t largest, NumberRange* range) {
  if (text == "*") {
    *range = {0, largest};
    return true;
  }
  const auto number = [largest](absl::string_view digits, uint64_t* n) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == absl::string_view::npos &&
           absl::SimpleAtoi(digits, n) && *n <= largest;
  };
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (!number(ends.first, &range->first)) return false;
  range->second = range->first;
  return !absl::StrContains(text, "-") || (number(ends.second, &range->second) && range->first <= range->second);
}

// rt:64496:100, soo:192.0.2.1:7, 0x030b000000000064.
bool ParseExtended(absl::string_view text, CommunityPattern* pattern) {
  uint64_t whole = 0;
  if (text.size() == 18 && absl::StartsWithIgnoreCase(text, "0x") && absl::SimpleHexAtoi(text, &whole)) {
    pattern->extended = CommunityPattern::Extended::kWhole;
    pattern->parts[0] = {whole, whole};
    return true;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != 3) return false;
  pattern->subtype = absl::EqualsIgnoreCase(parts[0], "rt") ? 2 : absl::EqualsIgnoreCase(parts[0], "soo") ? 3 : 0;
  if (pattern->subtype == 0 || !ParsePart(parts[2], UINT32_MAX, &pattern->parts[1])) return false;
  pattern->extended = parts[1] == "*" ? CommunityPattern::Extended::kAny : CommunityPattern::Extended::kNumber;
  if (ParsePart(parts[1], UINT32_MAX, &pattern->parts[0])) return true;
  const std::optional<base::IpAddress> address = base::IpAddress::Parse(parts[1]);
  if (!address || !address->IsV4()) return false;
  pattern->extended = CommunityPattern::Extended::kAddress;
  pattern->parts[0] = {address->v4(), address->v4()};
  return true;
}

bool Within(uint64_t number, const NumberRange& range) { return number >= range.first && number <= range.second; }

bool FitsExtended(const uint8_t* p, const CommunityPattern& pattern) {
  using Extended = CommunityPattern::Extended;
  if (pattern.extended == Extended::kWhole) return Within(base::LoadBe64(p), pattern.parts[0]);
  // Transitive ones only: 0 an AS of 2 octets, 1 an address, 2 an AS of 4 octets (RFC 4360, RFC 5668).
  const uint8_t type = p[0];
  if (type > 2 || p[1] != pattern.subtype) return false;
  if (pattern.extended != Extended::kAny && (pattern.extended == Extended::kAddress) != (type == 1)) return false;
  const uint32_t administrator = type == 0 ? base::LoadBe16(p + 2) : base::LoadBe32(p + 2);
  const uint32_t number = type == 0 ? base::LoadBe32(p + 4) : base::LoadBe16(p + 6);
  return Within(administrator, pattern.parts[0]) && Within(number, pattern.parts[1]);
}

bool Fits(FieldType type, const uint8_t* p, const CommunityPattern& pattern) {
  const auto& parts = pattern.parts;
  switch (type) {
    case FieldType::kCommunities:
      return Within(base::LoadBe16(p), parts[0]) && Within(base::LoadBe16(p + 2), parts[1]);
    case FieldType::kExtCommunities:
      return FitsExtended(p, pattern);
    default:
      return Within(base::LoadBe32(p), parts[0]) && Within(base::LoadBe32(p + 4), parts[1]) &&
             Within(base::LoadBe32(p + 8), parts[2]);
  }
}

size_t CommunitySize(FieldType type) {
  return type == FieldType::kCommunities ? 4 : type == FieldType::kExtCommunities ? 8 : 12;
}

// The segments of an AS path that are whole.
struct Segment {
  enum Type : uint8_t { kSet = 1, kSequence = 2, kConfederationSequence = 3, kConfederationSet = 4 };
  uint8_t type;
  size_t count;
  const uint8_t* numbers;

  uint32_t number(size_t i) const { return base::LoadBe32(numbers + 4 * i); }
};

template <typename Visit>
void ForEachSegment(base::Octets path, Visit visit) {
  for (size_t at = 0; at + 2 <= path.size();) {
    const Segment segment{path[at], path[at + 1], path.data() + at + 2};
    if (segment.type < Segment::kSet || segment.type > Segment::kConfederationSet) return;
    at += 2 + 4 * segment.count;
    if (at > path.size()) return;
    visit(segment);
  }
}

Answer YesIf(bool condition) { return condition ? Answer::kYes : Answer::kNo; }

}  // namespace

std::string ParseCommunity(FieldType type, absl::string_view text, CommunityPattern* pattern) {
  if (type == FieldType::kExtCommunities) {
    if (ParseExtended(text, pattern)) return "";
    return absl::StrCat("\"", text, "\" is no extended community, such as rt:64496:100, soo:192.0.2.1:* or ",
                        "0x030b000000000064");
  }
  const bool large = type == FieldType::kLargeCommunities;
  for (const WellKnown& known : kWellKnown) {
    if (large || !absl::EqualsIgnoreCase(known.name, text)) continue;
    pattern->parts[0] = {known.community >> 16, known.community >> 16};
    pattern->parts[1] = {known.community & 0xffff, known.community & 0xffff};
    return "";
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  bool fits = parts.size() == (large ? 3 : 2);
  for (size_t i = 0; fits && i < parts.size(); ++i) {
    fits = ParsePart(parts[i], large ? UINT32_MAX : UINT16_MAX, &pattern->parts[i]);
  }
  if (fits) return "";
  return absl::StrCat("\"", text, "\" is no ",
                      large ? "large community, such as 4200000000:1:2 or 4200000000:1:*"
                            : "community, such as 64496:100, 64496:* or no-export");
}

absl::string_view PatternAlphabet(FieldType type) {
  switch (type) {
    case FieldType::kAsPath:
      return "0123456789 ,{}()[]?";
    case FieldType::kCommunities:
    case FieldType::kLargeCommunities:
      return "0123456789: ";
    case FieldType::kExtCommunities:
      return "0123456789: .abcdefxrtso";
    default:
      return "";
  }
}

bool InRanges(uint64_t number, absl::Span<const NumberRange> ranges) {
  if (ranges.size() <= 4) {
    for (const auto& [first, last] : ranges) {
      if (number - first <= last - first) return true;
    }
    return false;
  }
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), NumberRange(number, UINT64_MAX));
  return after != ranges.begin() && number <= (after - 1)->second;
}

Answer PathHas(base::Octets path, absl::Span<const NumberRange> ranges) {
  bool found = false;
  ForEachSegment(path, [&](const Segment& segment) {
    for (size_t i = 0; i < segment.count && !found; ++i) found = InRanges(segment.number(i), ranges);
  });
  return YesIf(found);
}

Answer PathBeginsWith(base::Octets path, absl::Span<const NumberRange> ranges) {
  std::optional<Answer> answer;
  ForEachSegment(path, [&](const Segment& segment) {
    if (answer || segment.count == 0 || segment.type > Segment::kSequence) return;
    answer = segment.type == Segment::kSequence ? YesIf(InRanges(segment.number(0), ranges)) : Answer::kNone;
  });
  return answer.value_or(Answer::kNone);
}

Answer PathEndsWith(base::Octets path, absl::Span<const NumberRange> ranges) {
  Answer answer = Answer::kNone;
  ForEachSegment(path, [&](const Segment& segment) {
    if (segment.count == 0 || segment.type > Segment::kSequence) return;
    answer =
        segment.type == Segment::kSequence ? YesIf(InRanges(segment.number(segment.count - 1), ranges)) : Answer::kNone;
  });
  return answer;
}

Answer PathLengthIn(base::Octets path, absl::Span<const NumberRange> ranges) {
  uint64_t length = 0;
  ForEachSegment(path, [&](const Segment& segment) {
    if (segment.type == Segment::kSequence) length += segment.count;
    if (segment.type == Segment::kSet && segment.count > 0) ++length;
  });
  return YesIf(InRanges(length, ranges));
}

Answer HasCommunity(FieldType type, base::Octets communities, absl::Span<const CommunityPattern> patterns) {
  const size_t size = CommunitySize(type);
  for (size_t at = 0; at + size <= communities.size(); at += size) {
    for (const CommunityPattern& pattern : patterns) {
      if (Fits(type, communities.data() + at, pattern)) return Answer::kYes;
    }
  }
  return Answer::kNo;
}

Answer HasLabel(base::Octets stack, absl::Span<const NumberRange> ranges) {
  for (size_t at = 0; at + 3 <= stack.size(); at += 3) {
    if (InRanges(base::LoadBe24(stack.data() + at) >> 4, ranges)) return Answer::kYes;
  }
  return Answer::kNo;
}

}  // namespace flowacct::filter
