#include "flowacct/filter/value.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/protocol_names.h"

namespace flowacct::filter {
namespace {

using record::FieldType;

struct Name {
  absl::string_view name;
  uint64_t number;
};

constexpr Name kUnits[] = {
    {"", 1},
    {"k", 1000},
    {"m", 1000 * 1000},
    {"g", 1000 * 1000 * 1000},
    {"t", uint64_t{1000} * 1000 * 1000 * 1000},
    {"ki", 1 << 10},
    {"mi", 1 << 20},
    {"gi", 1 << 30},
    {"ti", uint64_t{1} << 40},
};

// IEEE 802 Numbers, as far as they have a name that people use.
constexpr Name kEtherTypes[] = {
    {"ipv4", 0x0800}, {"arp", 0x0806},  {"vlan", 0x8100},  {"ipv6", 0x86dd},
    {"mpls", 0x8847}, {"lldp", 0x88cc}, {"pppoe", 0x8864}, {"qinq", 0x88a8},
};

// RFC 9293, 3.1; RFC 3168; NS of RFC 3540, which is historic.
constexpr Name kTcpFlags[] = {
    {"fin", 0x001}, {"syn", 0x002}, {"rst", 0x004}, {"psh", 0x008}, {"ack", 0x010},
    {"urg", 0x020}, {"ece", 0x040}, {"cwr", 0x080}, {"ns", 0x100},
};
constexpr absl::string_view kTcpFlagLetters = "FSRPAUECN";  // the bits in order

const absl::string_view kTimeFormats[] = {
    absl::string_view(absl::RFC3339_full),
    "%Y-%m-%dT%H:%M:%E*S",
    "%Y-%m-%d %H:%M:%E*S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
};

template <size_t n>
std::optional<uint64_t> Find(const Name (&names)[n], absl::string_view name) {
  for (const Name& candidate : names) {
    if (absl::EqualsIgnoreCase(candidate.name, name)) return candidate.number;
  }
  return std::nullopt;
}

std::string DidYouMean(absl::string_view word, const std::vector<absl::string_view>& words) {
  const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(word), words);
  return near.empty() ? "" : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?");
}

std::optional<uint64_t> ParsePlain(absl::string_view text) {
  uint64_t number = 0;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(text[2])) || !absl::SimpleHexAtoi(text, &number))
      return std::nullopt;
    return number;
  }
  size_t at = 0;
  unsigned __int128 digits = 0;
  uint64_t divisor = 1;
  bool fraction = false, any = false;
  for (; at < text.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[at])) || (text[at] == '.' && !fraction));
       ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    any = true;
    if (digits > UINT64_MAX || (fraction && divisor >= 1000000000000)) return std::nullopt;
    digits = digits * 10 + static_cast<unsigned>(text[at] - '0');
    if (fraction) divisor *= 10;
  }
  const std::optional<uint64_t> unit = Find(kUnits, text.substr(at));
  if (!any || !unit || digits > UINT64_MAX) return std::nullopt;
  const unsigned __int128 value = digits * *unit;
  if (value % divisor != 0 || value / divisor > UINT64_MAX) return std::nullopt;
  return static_cast<uint64_t>(value / divisor);
}

std::string ParseTime(absl::string_view text, uint64_t* nanos) {
  if (const std::optional<uint64_t> plain = ParsePlain(text); plain && *plain < (uint64_t{1} << 33)) {
    *nanos = *plain * 1000000000;
    return "";
  }
  for (absl::string_view format : kTimeFormats) {
    absl::Time time;
    std::string error;
    if (!absl::ParseTime(format, text, &time, &error)) continue;
    if (time < absl::FromUnixNanos(INT64_MIN) || time > absl::FromUnixNanos(INT64_MAX)) break;
    *nanos = static_cast<uint64_t>(absl::ToUnixNanos(time));
    return "";
  }
  return absl::StrCat("\"", text,
                      "\" is no time from 1678 to 2261, such as \"2026-01-31 12:00:00\" or 2026-01-31T12:00:00Z");
}

// RFC 4364, 4.2: 65000:1 (type 0), 192.0.2.1:1 (type 1), 4200000000:1 (type 2).
std::optional<uint64_t> ParseRouteDistinguisher(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return ParsePlain(text);
  const std::optional<uint64_t> assigned = ParsePlain(text.substr(colon + 1));
  if (!assigned) return std::nullopt;
  const absl::string_view administrator = text.substr(0, colon);
  if (const auto address = base::IpAddress::Parse(administrator); address && address->IsV4()) {
    if (*assigned > 0xffff) return std::nullopt;
    return uint64_t{1} << 48 | uint64_t{address->v4()} << 16 | *assigned;
  }
  const std::optional<uint64_t> as = ParsePlain(administrator);
  if (!as || *as > 0xffffffff || *assigned > (*as > 0xffff ? 0xffff : 0xffffffff)) return std::nullopt;
  return *as > 0xffff ? uint64_t{2} << 48 | *as << 16 | *assigned : *as << 32 | *assigned;
}

std::string NoDigits(const Operand& operand, absl::string_view text) {
  return absl::StrCat("\"", text, "\" is no text of 1 to 16 digits, such as 262011234567890 or 26201*, which ",
                      operand.name, " is compared with");
}

// Digits, or all that begin with some: 26201*. They are a range, as digits lie in 64 bits from the first one on.
std::string ParseDigits(const Operand& operand, absl::string_view text, NumberRange* range) {
  absl::string_view told = text;
  const bool beginning = absl::ConsumeSuffix(&told, "*");
  const std::optional<base::Digits> digits = base::Digits::Parse(told);
  if (!digits || (beginning && digits->is_pseudonym())) return NoDigits(operand, text);
  const uint64_t behind =
      beginning && digits->size() < base::Digits::kMaxDigits ? ~uint64_t{0} >> (4 * digits->size()) : 0;
  *range = {digits->bits() & ~behind, digits->bits()};
  return "";
}

}  // namespace

Test TestOf(FieldType type) {
  switch (type) {
    case FieldType::kAddress:
    case FieldType::kPrefix:
      return Test::kBlocks;
    case FieldType::kMac:
    case FieldType::kString:
    case FieldType::kOctets:
      return Test::kTexts;
    case FieldType::kCoordinates:
    case FieldType::kLabelStack:
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return Test::kExists;
    default:
      return Test::kRanges;
  }
}

std::string ParseTcpFlags(absl::string_view text, uint64_t* bits) {
  if (const auto named = Find(kTcpFlags, text)) {
    *bits = *named;
    return "";
  }
  if (const auto number = ParsePlain(text); number && *number <= 0xffff) {
    *bits = *number;
    return "";
  }
  uint64_t letters = 0;
  for (char c : text) {
    const size_t bit = kTcpFlagLetters.find(c);
    if (bit == absl::string_view::npos) {
      std::vector<absl::string_view> words;
      for (const Name& flag : kTcpFlags) words.push_back(flag.name);
      return absl::StrCat("no TCP flag is called \"", text, "\"",
                          DidYouMean(text, words).empty() ? "; there are fin, syn, rst, psh, ack, urg, ece, cwr, ns"
                                                          : DidYouMean(text, words));
    }
    letters |= uint64_t{1} << bit;
  }
  *bits = letters;
  return "";
}

Operand OperandOf(record::FieldId field) {
  const record::FieldInfo& info = record::Info(field);
  return Operand{std::string(info.name), info.type, 8 * record::FieldTypeSize(info.type)};
}

std::string ParseNumber(const Operand& operand, absl::string_view text, uint64_t* number) {
  std::optional<uint64_t> value;
  switch (operand.type) {
    case FieldType::kProtocol:
      if (const auto named = record::ProtocolFromName(text)) value = *named;
      if (!value && !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text[0]))) {
        std::vector<absl::string_view> words;
        for (int i = 0; i < 256; ++i) words.push_back(record::ProtocolName(static_cast<uint8_t>(i)));
        return absl::StrCat("no protocol is called \"", text, "\"", DidYouMean(text, words));
      }
      break;
    case FieldType::kEtherType:
      value = Find(kEtherTypes, text);
      break;
    case FieldType::kTcpFlags: {
      uint64_t bits = 0;
      if (std::string why = ParseTcpFlags(text, &bits); !why.empty()) return why;
      value = bits;
      break;
    }
    case FieldType::kSamplingSource:
    case FieldType::kRouteSource:
    case FieldType::kRoaState:
    case FieldType::kBgpOrigin: {
      const absl::Span<const absl::string_view> names = record::EnumerationNames(operand.type);
      for (size_t i = 0; i < names.size(); ++i) {
        if (absl::EqualsIgnoreCase(names[i], text)) value = i;
      }
      break;
    }
    case FieldType::kTime: {
      std::string why = ParseTime(text, number);
      *number ^= record::SignBit(FieldType::kTime);
      return why;
    }
    case FieldType::kRouteDistinguisher:
      value = ParseRouteDistinguisher(text);
      break;
    case FieldType::kDigits: {
      const std::optional<base::Digits> digits = base::Digits::Parse(text);
      if (!digits) return NoDigits(operand, text);
      *number = digits->bits();
      return "";
    }
    default:
      break;
  }
  if (!value) value = ParsePlain(text);
  if (!value) {
    return absl::StrCat("\"", text, "\" is no ",
                        operand.type == FieldType::kRouteDistinguisher ? "route distinguisher, such as 65000:1"
                                                                       : "whole number that fits",
                        ", which ", operand.name, " is compared with");
  }
  if (operand.bits < 64 && *value >> operand.bits != 0) {
    return absl::StrCat(text, " is more than ", operand.name, " can be: it has ", operand.bits, " bits");
  }
  *number = *value;
  return "";
}

std::string AddAlternative(const Operand& operand, absl::string_view text, bool quoted, bool exact,
                           Condition* condition) {
  if (condition->test == Test::kCommunity) {
    CommunityPattern pattern;
    std::string why = ParseCommunity(operand.type, text, &pattern);
    if (why.empty()) condition->communities.push_back(pattern);
    return why;
  }
  if (condition->test == Test::kBlocks || (condition->test == Test::kTexts && operand.type == FieldType::kPrefix)) {
    const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(text);
    if (!prefix) return absl::StrCat("\"", text, "\" is no address or prefix, such as 192.0.2.0/24");
    if (!exact || operand.type != FieldType::kPrefix) {
      condition->blocks.push_back(*prefix);
    } else {
      condition->test = Test::kTexts;
      condition->texts.emplace_back(base::AsText(prefix->address().octets()));
      condition->texts.back() += static_cast<char>(prefix->length());
    }
    return "";
  }
  if (condition->test == Test::kTexts) {
    if (operand.type == FieldType::kMac) {
      const std::optional<base::MacAddress> mac = base::MacAddress::Parse(text);
      if (!mac) return absl::StrCat("\"", text, "\" is no MAC address, such as 02:00:00:00:00:01");
      condition->texts.emplace_back(base::AsText(base::Octets(mac->octets)));
    } else if (operand.type == FieldType::kOctets) {
      if (text.size() % 2 != 0 || !std::all_of(text.begin(), text.end(), [](char c) {
            return absl::ascii_isxdigit(static_cast<unsigned char>(c));
          })) {
        return absl::StrCat("\"", text, "\" is not an even number of hexadecimal digits");
      }
      condition->texts.push_back(absl::HexStringToBytes(text));
    } else {
      condition->texts.emplace_back(text);
    }
    return "";
  }
  if (operand.type == FieldType::kDigits) {
    NumberRange range;
    std::string why = ParseDigits(operand, text, &range);
    if (why.empty()) condition->ranges.push_back(range);
    return why;
  }
  uint64_t first = 0, last = 0;
  const std::string why = ParseNumber(operand, text, &first);
  last = first;
  if (!why.empty()) {
    const size_t dash = text.find('-', 1);
    if (quoted || dash == absl::string_view::npos || !ParseNumber(operand, text.substr(0, dash), &first).empty() ||
        !ParseNumber(operand, text.substr(dash + 1), &last).empty()) {
      return why;
    }
    if (first > last) return absl::StrCat("the range ", text, " ends before it begins");
  }
  condition->ranges.emplace_back(first, last);
  return "";
}

std::vector<DigitBlock> DigitBlocksOf(const NumberRange& range) {
  std::vector<DigitBlock> blocks;
  for (uint64_t first = range.first;;) {
    // As many nibbles as go through all values. Of pseudonyms each is one value.
    uint64_t behind = 0;
    while (!base::Digits::FromBits(first).is_pseudonym()) {
      const uint64_t more = behind << 4 | 0xf;
      if ((first & more) != 0 || more > range.second - first) break;
      behind = more;
    }
    blocks.push_back({base::Digits::FromBits(first | behind), behind != 0});
    if ((first | behind) >= range.second) return blocks;
    first = (first | behind) + 1;
  }
}

}  // namespace flowacct::filter
