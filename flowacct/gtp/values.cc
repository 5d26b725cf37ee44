#include "flowacct/gtp/values.h"

#include <algorithm>

namespace flowacct::gtp {

namespace {

constexpr size_t kMaxLabel = 63;  // RFC 1035, 2.3.4
constexpr unsigned kNoDigit = 0xf;

struct FormRow {
  absl::string_view name;
  uint8_t code_bits, cell_bits;
};

constexpr FormRow kForms[] = {
#define X(name, text, code_bits, cell_bits) {text, code_bits, cell_bits},
    FLOWACCT_GTP_LOCATION_FORMS(X)
#undef X
};

// From the most exact one on.
constexpr LocationForm kByExactness[] = {
    LocationForm::kEcgi,        LocationForm::kCgi, LocationForm::kSai, LocationForm::kExtendedMacroEnodeb,
    LocationForm::kMacroEnodeb, LocationForm::kRai, LocationForm::kTai, LocationForm::kLai,
};
static_assert(sizeof(kByExactness) / sizeof(kByExactness[0]) == kLocationForms, "each form has its place");

constexpr absl::string_view kRatTypes[] = {
    "",
    "UTRAN",
    "GERAN",
    "WLAN",
    "GAN",
    "HSPA Evolution",
    "EUTRAN",
    "Virtual",
    "EUTRAN-NB-IoT",
    "LTE-M",
    "NR",
    "WB-E-UTRAN(LEO)",
    "WB-E-UTRAN(MEO)",
    "WB-E-UTRAN(GEO)",
    "WB-E-UTRAN(OTHERSAT)",
    "EUTRAN-NB-IoT(LEO)",
    "EUTRAN-NB-IoT(MEO)",
    "EUTRAN-NB-IoT(GEO)",
    "EUTRAN-NB-IoT(OTHERSAT)",
    "LTE-M(LEO)",
    "LTE-M(MEO)",
    "LTE-M(GEO)",
    "LTE-M(OTHERSAT)",
};

size_t FormatNumber(uint32_t n, char* out) {
  char digits[10];
  size_t size = 0;
  do {
    digits[size++] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  std::reverse_copy(digits, digits + size, out);
  return size;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsLabelOf(absl::string_view label, absl::string_view letters, bool digits) {
  const size_t size = letters.size() + (digits ? 3 : 0);
  if (label.size() != size) return false;
  for (size_t i = 0; i < letters.size(); ++i) {
    if (Lower(label[i]) != letters[i]) return false;
  }
  for (size_t i = letters.size(); i < size; ++i) {
    if (label[i] < '0' || label[i] > '9') return false;
  }
  return true;
}

bool IsVisible(uint8_t c) { return c > ' ' && c < 0x7f; }

// The dotted text of names whose labels come without lengths.
std::optional<Apn> ApnFromText(base::Octets octets) {
  if (octets.size() >= Apn::kMaxSize) return std::nullopt;
  Apn apn;
  size_t label = 0;  // octets of the one that is open
  for (const uint8_t c : octets) {
    label = c == '.' ? 0 : label + 1;
    const bool empty = c == '.' && (apn.size == 0 || apn.octets[apn.size - 1u] == '.');
    if (!IsVisible(c) || empty || label > kMaxLabel) return std::nullopt;
    apn.octets[apn.size++] = static_cast<char>(c);
  }
  if (label == 0) return std::nullopt;
  return apn;
}

// Where "mncNNN.mccNNN.gprs" begins in `name`; its size if it does not end so (TS 23.003, 9.1.2).
size_t OperatorBegin(absl::string_view name) {
  constexpr size_t kSize = 18;
  if (name.size() < kSize) return name.size();
  const size_t begin = name.size() - kSize;
  const absl::string_view id = name.substr(begin);
  const bool is_one = IsLabelOf(id.substr(0, 6), "mnc", true) && id[6] == '.' &&
                      IsLabelOf(id.substr(7, 6), "mcc", true) && id[13] == '.' &&
                      IsLabelOf(id.substr(14), "gprs", false) && (begin == 0 || name[begin - 1] == '.');
  return is_one ? begin : name.size();
}

}  // namespace

Plmn PlmnFromOctets(const uint8_t* octets) {
  // Where the nibbles lie; the third digit of the MNC, or the filler, is the last one.
  constexpr unsigned kShifts[6] = {16, 20, 8, 0, 4, 12};
  const uint32_t packed = base::LoadBe24(octets);
  uint64_t bits = ~uint64_t{0};
  for (unsigned i = 0; i < 6; ++i) {
    const uint32_t nibble = packed >> kShifts[i] & 0xf;
    if (nibble > 9 && !(i == 5 && nibble == kNoDigit)) return Plmn();
    bits ^= uint64_t{nibble ^ kNoDigit} << (60 - 4 * i);
  }
  return Plmn::FromBits(bits);
}

absl::string_view Apn::network() const {
  const size_t begin = OperatorBegin(text());
  if (begin == size) return text();
  return text().substr(0, begin == 0 ? 0 : begin - 1);
}

absl::string_view Apn::operator_id() const { return text().substr(OperatorBegin(text())); }

std::optional<Apn> ApnFromLabels(base::Octets octets) {
  if (!octets.empty() && octets.back() == 0) octets.remove_suffix(1);
  if (octets.empty() || octets.size() > Apn::kMaxSize) return std::nullopt;
  if (octets[0] > kMaxLabel) return ApnFromText(octets);
  Apn apn;
  size_t at = 0;
  while (at < octets.size()) {
    const size_t label = octets[at];
    if (label == 0 || label > kMaxLabel || label > octets.size() - at - 1) return std::nullopt;
    if (at != 0) apn.octets[apn.size++] = '.';
    for (const uint8_t c : octets.subspan(at + 1, label)) {
      if (!IsVisible(c) || c == '.') return std::nullopt;
      apn.octets[apn.size++] = static_cast<char>(c);
    }
    at += 1 + label;
  }
  return apn;
}

absl::string_view InterfaceTypeName(InterfaceType type) {
  switch (type) {
#define X(number, name, plane, text) \
  case number:                       \
    return text;
    FLOWACCT_GTP_INTERFACE_TYPES(X)
#undef X
    default:
      return {};
  }
}

InterfacePlane PlaneOf(InterfaceType type) {
  switch (type) {
#define X(number, name, plane, text) \
  case number:                       \
    return InterfacePlane::plane;
    FLOWACCT_GTP_INTERFACE_TYPES(X)
#undef X
    default:
      return InterfacePlane::kUnknown;
  }
}

absl::string_view LocationFormName(LocationForm form) { return kForms[static_cast<size_t>(form)].name; }

std::optional<LocationForm> MostExactForm(const UserLocation& location) {
  for (const LocationForm form : kByExactness) {
    if (location.Has(form)) return form;
  }
  return std::nullopt;
}

size_t FormatLocation(LocationForm form, const LocationArea& area, char* out) {
  const FormRow& row = kForms[static_cast<size_t>(form)];
  char* p = std::copy(row.name.begin(), row.name.end(), out);
  *p++ = ':';
  char plmn[base::Digits::kTextSize];
  const size_t digits = area.plmn.Format(plmn);
  constexpr size_t kMcc = 3;
  p = std::copy(plmn, plmn + std::min(digits, kMcc), p);
  *p++ = '-';
  if (digits > kMcc) p = std::copy(plmn + kMcc, plmn + digits, p);
  if (row.code_bits > 0) {
    *p++ = '-';
    p += FormatNumber(area.code, p);
  }
  if (row.cell_bits > 0) {
    *p++ = '-';
    p += FormatNumber(area.cell, p);
  }
  return static_cast<size_t>(p - out);
}

std::string LocationText(LocationForm form, const LocationArea& area) {
  char text[kLocationTextSize];
  return std::string(text, FormatLocation(form, area, text));
}

absl::string_view RatTypeName(RatType rat) {
  return rat < sizeof(kRatTypes) / sizeof(kRatTypes[0]) ? kRatTypes[rat] : absl::string_view();
}

std::optional<int> TimeZoneMinutes(uint8_t octet) {
  const int tens = octet & 0x7, ones = octet >> 4;
  if (ones > 9) return std::nullopt;
  const int minutes = 15 * (10 * tens + ones);
  return (octet & 0x8) != 0 ? -minutes : minutes;
}

std::string TimeZoneText(uint8_t octet) {
  const std::optional<int> minutes = TimeZoneMinutes(octet);
  if (!minutes) return {};
  const int n = *minutes < 0 ? -*minutes : *minutes, hours = n / 60, rest = n % 60;
  const auto digit = [](int d) { return static_cast<char>('0' + d % 10); };
  return {*minutes < 0 ? '-' : '+', digit(hours / 10), digit(hours), ':', digit(rest / 10), digit(rest)};
}

}  // namespace flowacct::gtp
