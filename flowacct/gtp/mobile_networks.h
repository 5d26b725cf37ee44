// Which country a mobile network is of, and how many digits its code has.
//
// Standards: ITU-T E.212 and its list of mobile country codes (annex to the Operational Bulletin); countries are ISO
// 3166-1 alpha-2, and XK for Kosovo, which that standard has no code for. Shared codes (901, 991, 999) are of no
// country. 340 is told as GP though Martinique and French Guiana have it, too, 362 as CW (also BQ and SX), 647 as RE
// (also YT).
// The length of a network code is its country's, but for ranges in countries that have both: an IMSI alone does not
// tell it, and where both lengths begin alike (Panama's 02 and 020) the shorter one counts. Who knows better, from an
// access point name's "mncNNN", says so.
// Threads: any. Errors: what is not assigned has no country and two digits. Cost: a search among 240 rows.

#ifndef FLOWACCT_GTP_MOBILE_NETWORKS_H_
#define FLOWACCT_GTP_MOBILE_NETWORKS_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"

namespace flowacct::gtp {

// "DE" of 262. Of the first three digits of a network or an IMSI; empty if no country has them. A static text.
absl::string_view CountryOf(base::Digits plmn_or_imsi);
// 2 or 3, of the network code in an IMSI.
size_t MncDigitsOf(base::Digits imsi);
// MCC and MNC of an IMSI; empty if it is too short, or a pseudonym.
base::Digits HomeNetworkOf(base::Digits imsi);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_MOBILE_NETWORKS_H_
