#include "flowacct/topology/rate_text.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace flowacct::topology {
namespace {

struct Unit {
  char letter;
  double bits;
};
constexpr Unit kUnits[] = {{'T', 1e12}, {'G', 1e9}, {'M', 1e6}, {'k', 1e3}};

}  // namespace

std::optional<double> ParseRate(absl::string_view text) {
  double scale = 1;
  for (const Unit& unit : kUnits) {
    if (!text.empty() && (text.back() == unit.letter || (unit.letter == 'k' && text.back() == 'K'))) {
      scale = unit.bits;
      text.remove_suffix(1);
      break;
    }
  }
  // Digits and a point: no sign, no exponent, no "inf".
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.';
  });
  double number = 0;
  if (!plain || !absl::SimpleAtod(text, &number)) return std::nullopt;
  const double rate = number * scale / 8;
  if (!(rate > 0) || rate > static_cast<double>(std::numeric_limits<float>::max())) return std::nullopt;
  return rate;
}

std::string RateText(double octets_per_second) {
  const double bits = octets_per_second * 8;
  for (const Unit& unit : kUnits) {
    if (bits >= unit.bits) return absl::StrFormat("%.4g%c", bits / unit.bits, unit.letter);
  }
  return absl::StrFormat("%.4g", bits);
}

}  // namespace flowacct::topology
