#include "flowacct/record/value_text.h"

#include <cmath>
#include <cstring>

#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/record/protocol_names.h"

namespace flowacct::record {
namespace {

using base::LoadBe16;
using base::LoadBe32;
using base::LoadHost;
using base::Octets;

constexpr char kHexDigits[] = "0123456789abcdef";

struct DigitPairs {
  char text[200];
  constexpr DigitPairs() : text{} {
    for (int i = 0; i < 100; ++i) {
      text[2 * i] = static_cast<char>('0' + i / 10);
      text[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
  }
};
constexpr DigitPairs kPairs;

struct PowersOfTen {
  uint64_t values[20];
  constexpr PowersOfTen() : values{} {
    uint64_t power = 1;
    for (uint64_t& value : values) {
      value = power;
      power *= 10;
    }
  }
  constexpr uint64_t operator[](int i) const { return values[i]; }
};
constexpr PowersOfTen kPowersOfTen;

char* WritePair(uint32_t v, char* out) {
  std::memcpy(out, kPairs.text + 2 * v, 2);
  return out + 2;
}

char* WriteText(absl::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* WriteHex(uint64_t v, int digits, char* out) {
  for (int i = digits; i-- > 0;) *out++ = kHexDigits[v >> (4 * i) & 15];
  return out;
}

template <char* (*Write)(const uint8_t*, char*)>
char* Quoted(const uint8_t* value, char* out) {
  *out++ = '"';
  out = Write(value, out);
  *out++ = '"';
  return out;
}

template <typename T>
char* WriteUnsigned(const uint8_t* value, char* out) {
  return WriteNumber(LoadHost<T>(value), out);
}

// Copies of the protocols' names, side by side and as long as a fixed copy: numbers where there is no name.
struct ProtocolTexts {
  static constexpr size_t kSize = 24;
  char text[256][kSize];
  ProtocolTexts() : text{} {
    for (int i = 0; i < 256; ++i) {
      const absl::string_view name = ProtocolName(static_cast<uint8_t>(i));
      char* const end =
          name.empty() ? WriteNumber(static_cast<uint64_t>(i), text[i]) : WriteText(name.substr(0, kSize - 1), text[i]);
      text[i][kSize - 1] = static_cast<char>(end - text[i]);
    }
  }
};

char* WriteProtocol(const uint8_t* value, char* out) {
  static const ProtocolTexts kTexts;
  const char* const text = kTexts.text[*value];
  std::memcpy(out, text, ProtocolTexts::kSize);
  return out + text[ProtocolTexts::kSize - 1];
}

char* WriteEtherType(const uint8_t* value, char* out) {
  return WriteHex(LoadHost<uint16_t>(value), 4, WriteText("0x", out));
}

char* WriteTcpFlags(const uint8_t* value, char* out) {
  const uint16_t flags = LoadHost<uint16_t>(value);
  // RFC 9293, 3.1: bits 0 to 7 are assigned, 8 was NS (RFC 3540) and is AE again; above is the data offset, if told.
  if (flags > 0x1ff) return WriteHex(flags, 4, WriteText("0x", out));
  if (flags == 0) return WriteText(".", out);
  static constexpr char kLetters[] = "FSRPAUECN";
  for (int bit = 0; bit < 9; ++bit) {
    if ((flags >> bit & 1) != 0) *out++ = kLetters[bit];
  }
  return out;
}

template <FieldType type>
char* WriteEnumeration(const uint8_t* value, char* out) {
  const absl::Span<const absl::string_view> names = EnumerationNames(type);
  return *value < names.size() ? WriteText(names[*value], out) : WriteNumber(*value, out);
}

char* WriteTimeValue(const uint8_t* value, char* out) { return WriteTime(LoadHost<int64_t>(value), out); }

char* WriteAddress(const uint8_t* value, char* out) { return out + base::IpAddress::FromV6(value).Format(out); }

char* WritePrefix(const uint8_t* value, char* out) {
  out = WriteAddress(value, out);
  *out++ = '/';
  return WriteNumber(value[16], out);
}

char* WriteMac(const uint8_t* value, char* out) { return out + base::MacAddress::From(value).Format(out); }

char* WriteRouteDistinguisher(const uint8_t* value, char* out) {
  const uint64_t rd = LoadHost<uint64_t>(value);
  const uint16_t type = static_cast<uint16_t>(rd >> 48);
  switch (type) {
    case 0:  // RFC 4364, 4.2: 2 octets of AS number, 4 octets of number
      out = WriteNumber(rd >> 32 & 0xffff, out);
      *out++ = ':';
      return WriteNumber(rd & 0xffffffff, out);
    case 1:  // IPv4 address, 2 octets of number
      out += base::IpAddress::V4(static_cast<uint32_t>(rd >> 16)).Format(out);
      *out++ = ':';
      return WriteNumber(rd & 0xffff, out);
    case 2: {  // 4 octets of AS number, 2 octets of number; a small AS number needs the type to be told from type 0
      const uint32_t as = static_cast<uint32_t>(rd >> 16);
      if (as <= 0xffff) out = WriteText("2:", out);
      out = WriteNumber(as, out);
      *out++ = ':';
      return WriteNumber(rd & 0xffff, out);
    }
    default: {  // RFC 8294: type and value in hex
      int digits = 1;
      while (digits < 4 && type >> (4 * digits) != 0) ++digits;
      out = WriteHex(type, digits, out);
      *out++ = ':';
      return WriteHex(rd & 0xffffffffffff, 12, out);
    }
  }
}

// A degree to five decimals, about a metre, which is what a float holds; what no sphere has (from garbage) as 0.
char* WriteDegree(float degree, char* out) {
  if (!(degree >= -360 && degree <= 360)) degree = 0;  // also not-a-number
  const int64_t scaled = std::llround(static_cast<double>(degree) * 1e5);
  if (scaled < 0) *out++ = '-';
  const uint64_t magnitude = static_cast<uint64_t>(scaled < 0 ? -scaled : scaled);
  out = WriteNumber(magnitude / 100000, out);
  uint64_t fraction = magnitude % 100000;
  if (fraction == 0) return out;
  *out++ = '.';
  for (int i = 4; i >= 0; --i, fraction /= 10) out[i] = static_cast<char>('0' + fraction % 10);
  out += 5;
  while (out[-1] == '0') --out;
  return out;
}

char* WriteCoordinates(const uint8_t* value, char* out) {
  out = WriteDegree(LoadHost<float>(value), out);
  *out++ = ',';
  return WriteDegree(LoadHost<float>(value + 4), out);
}

char* WriteCoordinatesJson(const uint8_t* value, char* out) {
  *out++ = '[';
  out = WriteCoordinates(value, out);
  *out++ = ']';
  return out;
}

char* WriteDigits(const uint8_t* value, char* out) {
  return out + base::Digits::FromBits(LoadHost<uint64_t>(value)).Format(out);
}

struct TypeFormat {
  FixedFormatter text;
  FixedFormatter json;
};

constexpr TypeFormat kFormats[] = {
    {WriteUnsigned<uint8_t>, WriteUnsigned<uint8_t>},    // kU8
    {WriteUnsigned<uint16_t>, WriteUnsigned<uint16_t>},  // kU16
    {WriteUnsigned<uint32_t>, WriteUnsigned<uint32_t>},  // kU32
    {WriteUnsigned<uint64_t>, WriteUnsigned<uint64_t>},  // kU64
    {WriteProtocol, Quoted<WriteProtocol>},              // kProtocol
    {WriteEtherType, Quoted<WriteEtherType>},            // kEtherType
    {WriteTcpFlags, WriteUnsigned<uint16_t>},            // kTcpFlags
    {WriteEnumeration<FieldType::kSamplingSource>, Quoted<WriteEnumeration<FieldType::kSamplingSource>>},
    {WriteEnumeration<FieldType::kRouteSource>, Quoted<WriteEnumeration<FieldType::kRouteSource>>},
    {WriteEnumeration<FieldType::kRoaState>, Quoted<WriteEnumeration<FieldType::kRoaState>>},
    {WriteEnumeration<FieldType::kBgpOrigin>, Quoted<WriteEnumeration<FieldType::kBgpOrigin>>},
    {WriteTimeValue, Quoted<WriteTimeValue>},                    // kTime
    {WriteAddress, Quoted<WriteAddress>},                        // kAddress
    {WritePrefix, Quoted<WritePrefix>},                          // kPrefix
    {WriteMac, Quoted<WriteMac>},                                // kMac
    {WriteRouteDistinguisher, Quoted<WriteRouteDistinguisher>},  // kRouteDistinguisher
    {WriteCoordinates, WriteCoordinatesJson},                    // kCoordinates
    {WriteDigits, Quoted<WriteDigits>},                          // kDigits
};
static_assert(sizeof(kFormats) / sizeof(kFormats[0]) == static_cast<size_t>(FieldType::kString));

void AppendNumber(uint64_t number, std::string* out) {
  char buffer[20];
  out->append(buffer, static_cast<size_t>(WriteNumber(number, buffer) - buffer));
}

void AppendHex(Octets octets, std::string* out) {
  for (const uint8_t octet : octets) {
    out->push_back(kHexDigits[octet >> 4]);
    out->push_back(kHexDigits[octet & 15]);
  }
}

// RFC 3032: 20 bits of label, 3 of traffic class, 1 bottom of stack.
void AppendLabels(Octets octets, char separator, std::string* out) {
  for (size_t i = 0; i + 3 <= octets.size(); i += 3) {
    if (i > 0) out->push_back(separator);
    AppendNumber(base::LoadBe24(octets.data() + i) >> 4, out);
  }
}

// RFC 4271, 4.3 with 4-octet numbers (RFC 6793), and RFC 5065 for confederations. A segment that is not whole ends
// the text with "?".
void AppendAsPath(Octets octets, std::string* out) {
  struct Brackets {
    absl::string_view open, close;
    char separator;
  };
  static constexpr Brackets kBrackets[] = {
      {"{", "}", ','},  // 1 AS_SET
      {"", "", ' '},    // 2 AS_SEQUENCE
      {"(", ")", ' '},  // 3 AS_CONFED_SEQUENCE
      {"[", "]", ','},  // 4 AS_CONFED_SET
  };
  for (size_t at = 0; at < octets.size();) {
    if (at > 0) out->push_back(' ');
    const size_t rest = octets.size() - at;
    const uint8_t type = octets[at];
    if (rest < 2 || type < 1 || type > 4 || rest < 2 + size_t{4} * octets[at + 1]) {
      out->push_back('?');
      return;
    }
    const Brackets& brackets = kBrackets[type - 1];
    const size_t count = octets[at + 1];
    at += 2;
    out->append(brackets.open.data(), brackets.open.size());
    for (size_t i = 0; i < count; ++i, at += 4) {
      if (i > 0) out->push_back(brackets.separator);
      AppendNumber(LoadBe32(octets.data() + at), out);
    }
    out->append(brackets.close.data(), brackets.close.size());
  }
}

void AppendCommunity(const uint8_t* p, std::string* out) {  // RFC 1997
  AppendNumber(LoadBe16(p), out);
  out->push_back(':');
  AppendNumber(LoadBe16(p + 2), out);
}

void AppendExtCommunity(const uint8_t* p, std::string* out) {  // RFC 4360
  const uint8_t type = p[0];  // transitive ones only: with bit 0x40 the same subtypes mean something else
  const absl::string_view name = p[1] == 2 ? "rt:" : "soo:";
  if (type <= 2 && (p[1] == 2 || p[1] == 3)) {
    out->append(name.data(), name.size());
    if (type == 1) {  // IPv4 address specific
      out->append(base::IpAddress::FromV4(p + 2).ToString());
    } else {
      AppendNumber(type == 0 ? LoadBe16(p + 2) : LoadBe32(p + 2), out);  // RFC 5668 for 4 octets
    }
    out->push_back(':');
    AppendNumber(type == 0 ? LoadBe32(p + 4) : LoadBe16(p + 6), out);
  } else {
    out->append("0x");
    AppendHex(Octets(p, 8), out);
  }
}

void AppendLargeCommunity(const uint8_t* p, std::string* out) {  // RFC 8092
  for (int i = 0; i < 3; ++i) {
    if (i > 0) out->push_back(':');
    AppendNumber(LoadBe32(p + 4 * i), out);
  }
}

void AppendList(Octets octets, size_t size, void (*append)(const uint8_t*, std::string*), bool json, std::string* out) {
  if (json) out->push_back('[');
  for (size_t i = 0; i + size <= octets.size(); i += size) {
    if (i > 0) out->push_back(json ? ',' : ' ');
    if (json) out->push_back('"');
    append(octets.data() + i, out);
    if (json) out->push_back('"');
  }
  if (json) out->push_back(']');
}

// The length of the UTF-8 character (RFC 3629, 4) that `text` begins with and its number; 0 if it begins with none.
size_t FirstCharacter(absl::string_view text, uint32_t* number) {
  const auto octet = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto tail = [&](size_t i) { return i < text.size() && (octet(i) & 0xc0) == 0x80; };
  const uint8_t first = octet(0);
  if (first < 0x80) {
    *number = first;
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf && tail(1)) {
    *number = static_cast<uint32_t>(first & 0x1f) << 6 | (octet(1) & 0x3f);
    return 2;
  }
  if (first >= 0xe0 && first <= 0xef && tail(1) && tail(2)) {
    *number = static_cast<uint32_t>(first & 0x0f) << 12 | static_cast<uint32_t>(octet(1) & 0x3f) << 6 |
              static_cast<uint32_t>(octet(2) & 0x3f);
    return *number >= 0x800 && (*number < 0xd800 || *number > 0xdfff) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4 && tail(1) && tail(2) && tail(3)) {
    *number = static_cast<uint32_t>(first & 0x07) << 18 | static_cast<uint32_t>(octet(1) & 0x3f) << 12 |
              static_cast<uint32_t>(octet(2) & 0x3f) << 6 | static_cast<uint32_t>(octet(3) & 0x3f);
    return *number >= 0x10000 && *number <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

// What an interner says of a value that found no place in it.
constexpr absl::string_view kOverflowText = "(overflow)";
constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Marks that change in which order a line is read (UAX #9), and line separators: a name must not rearrange a table.
bool IsFormatting(uint32_t c) {
  return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool IsControl(uint32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

template <typename Special>
void AppendCharacters(absl::string_view text, std::string* out, Special special) {
  while (!text.empty()) {
    size_t plain = 0;  // most text is nothing but ASCII
    while (plain < text.size() && text[plain] >= ' ' && text[plain] < 0x7f && text[plain] != '"' &&
           text[plain] != '\\') {
      ++plain;
    }
    out->append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    uint32_t c = 0;
    const size_t length = FirstCharacter(text, &c);
    if (length == 0) {
      out->append(kReplacement.data(), kReplacement.size());
      text.remove_prefix(1);
    } else {
      if (!special(c)) out->append(text.data(), length);
      text.remove_prefix(length);
    }
  }
}

void AppendUnicodeEscape(uint32_t c, std::string* out) {
  char buffer[6];
  out->append(buffer, static_cast<size_t>(WriteHex(c, 4, WriteText("\\u", buffer)) - buffer));
}

}  // namespace

char* WriteNumber(uint64_t number, char* out) {
  if (number < 10) {
    *out = static_cast<char>('0' + number);
    return out + 1;
  }
  // 1233 / 4096 is just above log10(2): right for every number of bits, or one too many.
  const int bits = 64 - __builtin_clzll(number);
  int digits = bits * 1233 >> 12;
  digits += number >= kPowersOfTen[digits] ? 1 : 0;
  char* p = out + digits;
  while (number >= 100) {
    p -= 2;
    std::memcpy(p, kPairs.text + 2 * (number % 100), 2);
    number /= 100;
  }
  if (number >= 10) {
    std::memcpy(out, kPairs.text + 2 * number, 2);
  } else {
    *out = static_cast<char>('0' + number);
  }
  return out + digits;
}

char* WriteTime(int64_t nanos, char* out) {
  constexpr int64_t kDay = int64_t{86400} * 1000000000;
  int64_t day = nanos / kDay;
  int64_t rest = nanos % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  // Years begin in March here, so that the leap day is the last; 400 years are 146,097 days. 64 bits of nanoseconds
  // reach from 1677 to 2262, so nothing below is negative.
  const uint32_t from_era = static_cast<uint32_t>(day + 719468);  // since 0000-03-01
  const uint32_t era = from_era / 146097, of_era = from_era % 146097;
  const uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t month = (5 * of_year + 2) / 153;
  const uint32_t day_of_month = of_year - (153 * month + 2) / 5 + 1;
  const uint32_t civil_month = month < 10 ? month + 3 : month - 9;
  const uint32_t year = era * 400 + year_of_era + (civil_month <= 2 ? 1 : 0);
  const uint32_t seconds = static_cast<uint32_t>(rest / 1000000000);
  uint32_t fraction = static_cast<uint32_t>(rest % 1000000000);
  out = WritePair(year / 100, out);
  out = WritePair(year % 100, out);
  *out++ = '-';
  out = WritePair(civil_month, out);
  *out++ = '-';
  out = WritePair(day_of_month, out);
  *out++ = 'T';
  out = WritePair(seconds / 3600, out);
  *out++ = ':';
  out = WritePair(seconds / 60 % 60, out);
  *out++ = ':';
  out = WritePair(seconds % 60, out);
  if (fraction != 0) {
    *out++ = '.';
    char* const digits = out;
    for (int i = 8; i >= 0; --i, fraction /= 10) digits[i] = static_cast<char>('0' + fraction % 10);
    out += 9;
    while (out[-1] == '0') --out;
  }
  *out++ = 'Z';
  return out;
}

FixedFormatter FixedTextFormatter(FieldType type) {
  return IsInterned(type) ? nullptr : kFormats[static_cast<size_t>(type)].text;
}

FixedFormatter FixedJsonFormatter(FieldType type) {
  return IsInterned(type) ? nullptr : kFormats[static_cast<size_t>(type)].json;
}

void AppendUtf8(absl::string_view text, std::string* out) {
  AppendCharacters(text, out, [](uint32_t) { return false; });
}

void AppendPrintable(absl::string_view text, std::string* out) {
  AppendCharacters(text, out, [out](uint32_t c) {
    if (c == '\n' || c == '\t' || c == '\r') {
      out->append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    } else if (IsControl(c)) {
      out->append("\\x");
      out->push_back(kHexDigits[c >> 4]);
      out->push_back(kHexDigits[c & 15]);
    } else if (IsFormatting(c)) {
      AppendUnicodeEscape(c, out);
    } else {
      return false;
    }
    return true;
  });
}

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  AppendCharacters(text, out, [out](uint32_t c) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c));
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out->append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    } else if (IsControl(c) || IsFormatting(c)) {
      AppendUnicodeEscape(c, out);
    } else {
      return false;
    }
    return true;
  });
  out->push_back('"');
}

void AppendInternedText(FieldType type, base::Octets octets, std::string* out) {
  switch (type) {
    case FieldType::kString:
      return AppendUtf8(base::AsText(octets), out);
    case FieldType::kLabelStack:
      return AppendLabels(octets, '/', out);
    case FieldType::kAsPath:
      return AppendAsPath(octets, out);
    case FieldType::kCommunities:
      return AppendList(octets, 4, AppendCommunity, false, out);
    case FieldType::kExtCommunities:
      return AppendList(octets, 8, AppendExtCommunity, false, out);
    case FieldType::kLargeCommunities:
      return AppendList(octets, 12, AppendLargeCommunity, false, out);
    default:
      return AppendHex(octets, out);
  }
}

void AppendInternedJson(FieldType type, base::Octets octets, std::string* out) {
  switch (type) {
    case FieldType::kString:
      return AppendJsonString(base::AsText(octets), out);
    case FieldType::kLabelStack:
      out->push_back('[');
      AppendLabels(octets, ',', out);
      out->push_back(']');
      return;
    case FieldType::kCommunities:
      return AppendList(octets, 4, AppendCommunity, true, out);
    case FieldType::kExtCommunities:
      return AppendList(octets, 8, AppendExtCommunity, true, out);
    case FieldType::kLargeCommunities:
      return AppendList(octets, 12, AppendLargeCommunity, true, out);
    default:
      out->push_back('"');
      AppendInternedText(type, octets, out);
      out->push_back('"');
  }
}

void AppendIdText(FieldType type, base::InternId id, const base::Interner& interner, std::string* out) {
  if (id == base::Interner::kOverflowId) {
    out->append(kOverflowText.data(), kOverflowText.size());
  } else {
    AppendInternedText(type, interner.Find(id), out);
  }
}

void AppendIdJson(FieldType type, base::InternId id, const base::Interner& interner, std::string* out) {
  if (id == base::Interner::kOverflowId) {
    const bool list = type == FieldType::kLabelStack || type >= FieldType::kCommunities;
    out->append(list ? "[\"(overflow)\"]" : "\"(overflow)\"");
  } else {
    AppendInternedJson(type, interner.Find(id), out);
  }
}

void AppendText(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* out) {
  if (IsInterned(type)) return AppendIdText(type, LoadHost<base::InternId>(value), interner, out);
  char buffer[kMaxFixedTextSize];
  out->append(buffer, static_cast<size_t>(FixedTextFormatter(type)(value, buffer) - buffer));
}

void AppendJson(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* out) {
  if (IsInterned(type)) return AppendIdJson(type, LoadHost<base::InternId>(value), interner, out);
  char buffer[kMaxFixedTextSize];
  out->append(buffer, static_cast<size_t>(FixedJsonFormatter(type)(value, buffer) - buffer));
}

void AppendText(const RowView& row, FieldId field, const base::Interner& interner, std::string* out) {
  if (row.Has(field)) AppendText(Info(field).type, row.octets() + row.layout().offset(field), interner, out);
}

void AppendJson(const RowView& row, FieldId field, const base::Interner& interner, std::string* out) {
  if (!row.Has(field)) {
    out->append("null");
    return;
  }
  AppendJson(Info(field).type, row.octets() + row.layout().offset(field), interner, out);
}

}  // namespace flowacct::record
