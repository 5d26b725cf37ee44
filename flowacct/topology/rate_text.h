// Rates as networks name them, in bits a second, and as the library keeps them, in octets a second.
//
// Values; any thread. Errors: nothing on what is no rate.

#ifndef FLOWACCT_TOPOLOGY_RATE_TEXT_H_
#define FLOWACCT_TOPOLOGY_RATE_TEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace flowacct::topology {

// "100G", "2.5G", "400M", "64k", "9600": bits a second, to octets a second. None on anything else, and on 0.
std::optional<double> ParseRate(absl::string_view text);
// Octets a second to bits a second: "100G".
std::string RateText(double octets_per_second);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_RATE_TEXT_H_
