// What the manifest of captures says that another decoder counted, and how counts are shown.
//
// "tshark: BMP: route-monitoring 84, peer-up 18; 5 frames malformed per tshark": parts, of which one begins with the
// decoder's name and has counts by words.

#ifndef FLOWACCT_TESTING_MANIFEST_COUNTS_H_
#define FLOWACCT_TESTING_MANIFEST_COUNTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace flowacct::testing {

using Counts = std::map<std::string, uint64_t>;

// "peer-up 18, route-monitoring 84".
std::string CountsAsText(const Counts& counts);
// Of the parts that begin with `decoder`, such as "tshark: BMP: "; items of other than two words are none.
Counts CountsOf(absl::string_view said, absl::string_view decoder);

}  // namespace flowacct::testing

#endif  // FLOWACCT_TESTING_MANIFEST_COUNTS_H_
