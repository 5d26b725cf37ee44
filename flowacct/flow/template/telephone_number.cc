#include "flowacct/flow/template/telephone_number.h"

#include <algorithm>

namespace flowacct::flow {

TelephoneNumber TelephoneNumberOf(base::Octets octets) {
  base::Octets text = octets;
  while (!text.empty() && text.back() == 0) text.remove_suffix(1);
  // A leading "+" is the international form (E.164), which is what an MSISDN is in anyway.
  if (text.size() > 1 && text.front() == '+') text.remove_prefix(1);
  // A pseudonym that this project's exporter wrote is text as well.
  if (const std::optional<base::Digits> digits = base::Digits::Parse(base::AsText(text))) return {digits, false};
  base::Octets tbcd = octets;
  while (!tbcd.empty() && tbcd.back() == 0xff) tbcd.remove_suffix(1);
  if (text.empty() || tbcd.empty()) return {std::nullopt, true};
  return {base::Digits::FromTbcd(tbcd), false};
}

}  // namespace flowacct::flow
