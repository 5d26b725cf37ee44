#include "flowacct/record/from_stored.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::record {
namespace {

// What an interner says of a value that found no place in it.
constexpr absl::string_view kOverflowText = "(overflow)";

void StoreNumber(FieldType type, uint64_t number, uint8_t* row) {
  switch (FieldTypeSize(type)) {
    case 1:
      *row = static_cast<uint8_t>(number);
      return;
    case 2:
      base::StoreHost<uint16_t>(row, static_cast<uint16_t>(number));
      return;
    case 4:
      base::StoreHost<uint32_t>(row, static_cast<uint32_t>(number));
      return;
    default:
      base::StoreHost<uint64_t>(row, number);
  }
}

// Digits alone, up to `most`.
bool ParseNumber(absl::string_view text, uint64_t most, uint64_t* number) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(text, number) && *number <= most;
}

void AppendBe(uint64_t number, int octets, std::string* out) {
  for (int i = octets - 1; i >= 0; --i) out->push_back(static_cast<char>(number >> (8 * i) & 0xff));
}

bool ParseCoordinates(absl::string_view text, uint8_t* row) {
  const size_t comma = text.find(',');
  float latitude = 0, longitude = 0;
  if (comma == absl::string_view::npos || !absl::SimpleAtof(text.substr(0, comma), &latitude) ||
      !absl::SimpleAtof(text.substr(comma + 1), &longitude)) {
    return false;
  }
  base::StoreHost(row, latitude);
  base::StoreHost(row + 4, longitude);
  return true;
}

// "16/17": 3 octets each, the last with the bottom-of-stack bit (RFC 3032).
bool ParseLabels(absl::string_view text, std::string* out) {
  if (text.empty()) return true;
  for (const absl::string_view label : absl::StrSplit(text, '/')) {
    uint64_t number = 0;
    if (!ParseNumber(label, (1 << 20) - 1, &number)) return false;
    AppendBe(number << 4, 3, out);
  }
  out->back() = static_cast<char>(out->back() | 1);
  return true;
}

bool AppendSegment(uint8_t type, absl::string_view text, char separator, std::string* out) {
  std::vector<absl::string_view> items;
  if (!text.empty()) items = absl::StrSplit(text, separator);
  if (items.size() > 255) return false;
  out->push_back(static_cast<char>(type));
  out->push_back(static_cast<char>(items.size()));
  for (const absl::string_view item : items) {
    uint64_t as = 0;
    if (!ParseNumber(item, UINT32_MAX, &as)) return false;
    AppendBe(as, 4, out);
  }
  return true;
}

// Segments as record/value_text.cc writes them: "64500 64501 {64502,64503} (64510 64511) [64520,64521]".
bool ParseAsPath(absl::string_view text, std::string* out) {
  struct Brackets {
    char open, close, separator;
    uint8_t type;
  };
  static constexpr Brackets kBrackets[] = {{'{', '}', ',', 1}, {'(', ')', ' ', 3}, {'[', ']', ',', 4}};
  while (!text.empty()) {
    const auto* const brackets =
        std::find_if(std::begin(kBrackets), std::end(kBrackets), [&](const Brackets& b) { return b.open == text[0]; });
    size_t end = 0;
    if (brackets != std::end(kBrackets)) {
      end = text.find(brackets->close);
      if (end == absl::string_view::npos) return false;
      if (!AppendSegment(brackets->type, text.substr(1, end - 1), brackets->separator, out)) return false;
      ++end;
    } else if (text[0] == ' ') {
      if (!AppendSegment(2, "", ' ', out)) return false;
    } else if (text == "?") {
      out->push_back('\0');  // a segment that is none
      return true;
    } else {
      // As many numbers as a segment holds.
      for (int count = 0; count < 255; ++count) {
        const size_t next = text.find_first_not_of("0123456789", end);
        if (next == absl::string_view::npos) {
          end = text.size();
          break;
        }
        end = next;
        if (text[next] != ' ' || count == 254 || next + 1 >= text.size() ||
            absl::string_view("0123456789").find(text[next + 1]) == absl::string_view::npos) {
          break;
        }
        end = next + 1;
      }
      if (!AppendSegment(2, text.substr(0, end), ' ', out)) return false;
    }
    text.remove_prefix(end);
    if (text.empty()) return true;
    if (!absl::ConsumePrefix(&text, " ")) return false;
    if (text.empty() && !AppendSegment(2, "", ' ', out)) return false;
  }
  return true;
}

bool ParseCommunity(absl::string_view text, std::string* out) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  uint64_t as = 0, value = 0;
  if (parts.size() != 2 || !ParseNumber(parts[0], UINT16_MAX, &as) || !ParseNumber(parts[1], UINT16_MAX, &value)) {
    return false;
  }
  AppendBe(as << 16 | value, 4, out);
  return true;
}

bool ParseExtCommunity(absl::string_view text, std::string* out) {
  if (absl::ConsumePrefix(&text, "0x")) {
    const std::string octets = text.size() == 16 ? absl::HexStringToBytes(text) : "";
    out->append(octets);
    return octets.size() == 8;
  }
  uint8_t subtype = 2;
  if (absl::ConsumePrefix(&text, "soo:")) {
    subtype = 3;
  } else if (!absl::ConsumePrefix(&text, "rt:")) {
    return false;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return false;
  const absl::string_view first = text.substr(0, colon), second = text.substr(colon + 1);
  uint64_t as = 0, value = 0;
  if (absl::StrContains(first, '.')) {
    const std::optional<base::IpAddress> address = base::IpAddress::Parse(first);
    if (!address || !address->IsV4() || !ParseNumber(second, UINT16_MAX, &value)) return false;
    AppendBe(uint64_t{1} << 8 | subtype, 2, out);
    out->append(reinterpret_cast<const char*>(address->data()) + 12, 4);
    AppendBe(value, 2, out);
    return true;
  }
  if (!ParseNumber(first, UINT32_MAX, &as) || !ParseNumber(second, UINT32_MAX, &value)) return false;
  if (as <= UINT16_MAX) {
    AppendBe(subtype, 2, out);
    AppendBe(as, 2, out);
    AppendBe(value, 4, out);
    return true;
  }
  AppendBe(uint64_t{2} << 8 | subtype, 2, out);
  AppendBe(as, 4, out);
  AppendBe(value, 2, out);
  return value <= UINT16_MAX;
}

bool ParseLargeCommunity(absl::string_view text, std::string* out) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != 3) return false;
  for (const absl::string_view part : parts) {
    uint64_t number = 0;
    if (!ParseNumber(part, UINT32_MAX, &number)) return false;
    AppendBe(number, 4, out);
  }
  return true;
}

bool ParseList(absl::string_view text, bool (*parse)(absl::string_view, std::string*), std::string* out) {
  if (text.empty()) return true;
  for (const absl::string_view item : absl::StrSplit(text, ' ')) {
    if (!parse(item, out)) return false;
  }
  return true;
}

bool ParseInterned(FieldType type, absl::string_view text, std::string* out) {
  switch (type) {
    case FieldType::kLabelStack:
      return ParseLabels(text, out);
    case FieldType::kAsPath:
      return ParseAsPath(text, out);
    case FieldType::kCommunities:
      return ParseList(text, ParseCommunity, out);
    case FieldType::kExtCommunities:
      return ParseList(text, ParseExtCommunity, out);
    case FieldType::kLargeCommunities:
      return ParseList(text, ParseLargeCommunity, out);
    default:  // texts and octets are what they are
      out->assign(text.data(), text.size());
      return true;
  }
}

}  // namespace

bool FromStored(FieldType type, const StoredValue& value, base::Interner* interner, uint8_t* row) {
  if (IsInterned(type)) {
    base::InternId id = base::Interner::kOverflowId;
    if (value.octets != kOverflowText) {
      std::string octets;
      if (!ParseInterned(type, value.octets, &octets)) return false;
      id = interner->Intern(octets);
    }
    base::StoreHost<base::InternId>(row, id);
    return true;
  }
  switch (StoredFormOf(type)) {
    case StoredForm::kInteger:
      StoreNumber(type, static_cast<uint64_t>(value.integer), row);
      return true;
    case StoredForm::kOctets:
      if (value.octets.size() != FieldTypeSize(type)) return false;
      std::memcpy(row, value.octets.data(), value.octets.size());
      return type != FieldType::kPrefix || row[16] <= 128;
    case StoredForm::kText:
      break;
  }
  if (type == FieldType::kCoordinates) return ParseCoordinates(value.octets, row);
  if (type == FieldType::kDigits) {
    const std::optional<base::Digits> digits = base::Digits::Parse(value.octets);
    if (digits) base::StoreHost<uint64_t>(row, digits->bits());
    return digits.has_value();
  }
  const std::optional<base::MacAddress> mac = base::MacAddress::Parse(value.octets);
  if (!mac) return false;
  std::memcpy(row, mac->octets.data(), mac->octets.size());
  return true;
}

}  // namespace flowacct::record
