// The numbers of subscribers and devices that records tell: mobileIMSI and mobileMSISDN of IANA's registry (455, 456),
// and elements of enterprises that hold the like.
//
// The registry calls them strings: decimal digits in ASCII. There are exporters that send them as GTP and MAP do:
// TBCD (3GPP TS 29.002, 17.7.8), two digits an octet. Which of the two it is the octets tell: in TBCD an octet has
// nibbles up to 9, and 0xf behind the last digit. Digits in ASCII are 0x30 to 0x39, so octets that are all of these are
// taken for text, though a TBCD of the digits 3 at each odd place would read so too: one number in 10^(n/2).
// Zeros behind a text of ASCII (fields of a fixed length), and octets of 0xff behind TBCD, are filling.
// Threads: any. Errors: what is neither has no digits. Cost: a handful of nanoseconds, no memory.

#ifndef FLOWACCT_FLOW_TEMPLATE_TELEPHONE_NUMBER_H_
#define FLOWACCT_FLOW_TEMPLATE_TELEPHONE_NUMBER_H_

#include <optional>

#include "flowacct/base/digits.h"
#include "flowacct/base/octets.h"

namespace flowacct::flow {

struct TelephoneNumber {
  std::optional<base::Digits> digits;
  bool empty = false;  // nothing but filling: not told
};

TelephoneNumber TelephoneNumberOf(base::Octets octets);

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_TELEPHONE_NUMBER_H_
