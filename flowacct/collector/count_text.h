// Numbers as summaries for people have them.

#ifndef FLOWACCT_COLLECTOR_COUNT_TEXT_H_
#define FLOWACCT_COLLECTOR_COUNT_TEXT_H_

#include <cstdint>
#include <sstream>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

// "1,234,567"
inline std::string WithCommas(absl::uint128 n) {
  std::ostringstream text;
  text << n;
  std::string digits = text.str();
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

// "1 packet", "2 packets"
inline std::string Count(uint64_t n, absl::string_view what) {
  return absl::StrCat(WithCommas(n), " ", what, n == 1 ? "" : "s");
}

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_COUNT_TEXT_H_
