#include "flowacct/gtp/mobile_networks.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace flowacct::gtp {
namespace {

// By mobile country code: the country and the digits of its network codes.
struct CountryCode {
  uint16_t code;
  char country[3];
  uint8_t mnc_digits;
};
// clang-format off
constexpr CountryCode kCountryCodes[] = {
    {202, "GR", 2}, {204, "NL", 2}, {206, "BE", 2}, {208, "FR", 2}, {212, "MC", 2}, {213, "AD", 2}, {214, "ES", 2},
    {216, "HU", 2}, {218, "BA", 2}, {219, "HR", 2}, {220, "RS", 2}, {221, "XK", 2}, {222, "IT", 2}, {225, "VA", 2},
    {226, "RO", 2}, {228, "CH", 2}, {230, "CZ", 2}, {231, "SK", 2}, {232, "AT", 2}, {234, "GB", 2}, {235, "GB", 2},
    {238, "DK", 2}, {240, "SE", 2}, {242, "NO", 2}, {244, "FI", 2}, {246, "LT", 2}, {247, "LV", 2}, {248, "EE", 2},
    {250, "RU", 2}, {255, "UA", 2}, {257, "BY", 2}, {259, "MD", 2}, {260, "PL", 2}, {262, "DE", 2}, {266, "GI", 2},
    {268, "PT", 2}, {270, "LU", 2}, {272, "IE", 2}, {274, "IS", 2}, {276, "AL", 2}, {278, "MT", 2}, {280, "CY", 2},
    {282, "GE", 2}, {283, "AM", 2}, {284, "BG", 2}, {286, "TR", 2}, {288, "FO", 2}, {290, "GL", 2}, {292, "SM", 2},
    {293, "SI", 2}, {294, "MK", 2}, {295, "LI", 2}, {297, "ME", 2}, {302, "CA", 3}, {308, "PM", 2}, {310, "US", 3},
    {311, "US", 3}, {312, "US", 3}, {313, "US", 3}, {314, "US", 3}, {315, "US", 3}, {316, "US", 3}, {330, "PR", 3},
    {332, "VI", 2}, {334, "MX", 3}, {338, "JM", 3}, {340, "GP", 2}, {342, "BB", 3}, {344, "AG", 3}, {346, "KY", 3},
    {348, "VG", 3}, {350, "BM", 2}, {352, "GD", 3}, {354, "MS", 3}, {356, "KN", 3}, {358, "LC", 3}, {360, "VC", 3},
    {362, "CW", 2}, {363, "AW", 2}, {364, "BS", 2}, {365, "AI", 3}, {366, "DM", 3}, {368, "CU", 2}, {370, "DO", 2},
    {372, "HT", 2}, {374, "TT", 2}, {376, "TC", 3}, {400, "AZ", 2}, {401, "KZ", 2}, {402, "BT", 2}, {404, "IN", 2},
    {405, "IN", 2}, {406, "IN", 2}, {410, "PK", 2}, {412, "AF", 2}, {413, "LK", 2}, {414, "MM", 2}, {415, "LB", 2},
    {416, "JO", 2}, {417, "SY", 2}, {418, "IQ", 2}, {419, "KW", 2}, {420, "SA", 2}, {421, "YE", 2}, {422, "OM", 2},
    {424, "AE", 2}, {425, "IL", 2}, {426, "BH", 2}, {427, "QA", 2}, {428, "MN", 2}, {429, "NP", 2}, {430, "AE", 2},
    {431, "AE", 2}, {432, "IR", 2}, {434, "UZ", 2}, {436, "TJ", 2}, {437, "KG", 2}, {438, "TM", 2}, {440, "JP", 2},
    {441, "JP", 2}, {450, "KR", 2}, {452, "VN", 2}, {454, "HK", 2}, {455, "MO", 2}, {456, "KH", 2}, {457, "LA", 2},
    {460, "CN", 2}, {461, "CN", 2}, {466, "TW", 2}, {467, "KP", 2}, {470, "BD", 2}, {472, "MV", 2}, {502, "MY", 2},
    {505, "AU", 2}, {510, "ID", 2}, {514, "TL", 2}, {515, "PH", 2}, {520, "TH", 2}, {525, "SG", 2}, {528, "BN", 2},
    {530, "NZ", 2}, {536, "NR", 2}, {537, "PG", 2}, {539, "TO", 2}, {540, "SB", 2}, {541, "VU", 2}, {542, "FJ", 2},
    {543, "WF", 2}, {544, "AS", 2}, {545, "KI", 2}, {546, "NC", 2}, {547, "PF", 2}, {548, "CK", 2}, {549, "WS", 2},
    {550, "FM", 2}, {551, "MH", 2}, {552, "PW", 2}, {553, "TV", 2}, {554, "TK", 2}, {555, "NU", 2}, {602, "EG", 2},
    {603, "DZ", 2}, {604, "MA", 2}, {605, "TN", 2}, {606, "LY", 2}, {607, "GM", 2}, {608, "SN", 2}, {609, "MR", 2},
    {610, "ML", 2}, {611, "GN", 2}, {612, "CI", 2}, {613, "BF", 2}, {614, "NE", 2}, {615, "TG", 2}, {616, "BJ", 2},
    {617, "MU", 2}, {618, "LR", 2}, {619, "SL", 2}, {620, "GH", 2}, {621, "NG", 2}, {622, "TD", 2}, {623, "CF", 2},
    {624, "CM", 2}, {625, "CV", 2}, {626, "ST", 2}, {627, "GQ", 2}, {628, "GA", 2}, {629, "CG", 2}, {630, "CD", 2},
    {631, "AO", 2}, {632, "GW", 2}, {633, "SC", 2}, {634, "SD", 2}, {635, "RW", 2}, {636, "ET", 2}, {637, "SO", 2},
    {638, "DJ", 2}, {639, "KE", 2}, {640, "TZ", 2}, {641, "UG", 2}, {642, "BI", 2}, {643, "MZ", 2}, {645, "ZM", 2},
    {646, "MG", 2}, {647, "RE", 2}, {648, "ZW", 2}, {649, "NA", 2}, {650, "MW", 2}, {651, "LS", 2}, {652, "BW", 2},
    {653, "SZ", 2}, {654, "KM", 2}, {655, "ZA", 2}, {657, "ER", 2}, {658, "SH", 2}, {659, "SS", 2}, {702, "BZ", 2},
    {704, "GT", 2}, {706, "SV", 2}, {708, "HN", 3}, {710, "NI", 2}, {712, "CR", 2}, {714, "PA", 2}, {716, "PE", 2},
    {722, "AR", 3}, {724, "BR", 2}, {730, "CL", 2}, {732, "CO", 3}, {734, "VE", 2}, {736, "BO", 2}, {738, "GY", 2},
    {740, "EC", 2}, {742, "GF", 2}, {744, "PY", 2}, {746, "SR", 2}, {748, "UY", 2}, {750, "FK", 3},
};
// clang-format on

// Network codes of three digits where most have two, by their first and last.
struct LongCodes {
  uint16_t code;
  uint16_t first, last;
};
constexpr LongCodes kLongCodes[] = {
    {208, 500, 509}, {208, 700, 719}, {214, 700, 709}, {350, 0, 9},     {374, 120, 149},
    {405, 25, 47},   {405, 750, 759}, {405, 799, 999}, {502, 142, 159}, {738, 0, 9},
};

constexpr size_t kMccDigits = 3;

// The first `n` digits as a number; there are that many.
uint16_t FirstDigits(base::Digits digits, size_t begin, size_t n) {
  uint16_t number = 0;
  for (size_t i = begin; i < begin + n; ++i) {
    number = static_cast<uint16_t>(number * 10 + (digits.bits() >> (60 - 4 * i) & 0xf));
  }
  return number;
}

const CountryCode* Find(base::Digits digits) {
  if (digits.is_pseudonym() || digits.size() < kMccDigits) return nullptr;
  const uint16_t code = FirstDigits(digits, 0, kMccDigits);
  const CountryCode* const found = std::lower_bound(std::begin(kCountryCodes), std::end(kCountryCodes), code,
                                                    [](const CountryCode& a, uint16_t b) { return a.code < b; });
  return found != std::end(kCountryCodes) && found->code == code ? found : nullptr;
}

}  // namespace

absl::string_view CountryOf(base::Digits plmn_or_imsi) {
  const CountryCode* const found = Find(plmn_or_imsi);
  return found != nullptr ? absl::string_view(found->country, 2) : absl::string_view();
}

size_t MncDigitsOf(base::Digits imsi) {
  const CountryCode* const country = Find(imsi);
  if (country == nullptr || imsi.size() < kMccDigits + 3) return 2;
  const uint16_t network = FirstDigits(imsi, kMccDigits, 3);
  for (const LongCodes& codes : kLongCodes) {
    if (codes.code == country->code && network >= codes.first && network <= codes.last) return 3;
  }
  return country->mnc_digits;
}

base::Digits HomeNetworkOf(base::Digits imsi) {
  const size_t digits = kMccDigits + MncDigitsOf(imsi);
  if (imsi.is_pseudonym() || imsi.empty() || imsi.size() < digits) return base::Digits();
  return imsi.Prefix(digits);
}

}  // namespace flowacct::gtp
