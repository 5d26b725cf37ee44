#include "flowacct/testing/manifest_counts.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace flowacct::testing {

std::string CountsAsText(const Counts& counts) {
  std::string text;
  for (const auto& [name, n] : counts) absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ", n);
  return text;
}

Counts CountsOf(absl::string_view said, absl::string_view decoder) {
  Counts counts;
  for (absl::string_view part : absl::StrSplit(said, "; ")) {
    if (!absl::ConsumePrefix(&part, decoder)) continue;
    for (absl::string_view item : absl::StrSplit(part, ", ")) {
      const std::vector<std::string> words = absl::StrSplit(item, ' ');
      if (words.size() == 2) (void)absl::SimpleAtoi(words[1], &counts[words[0]]);
    }
  }
  return counts;
}

}  // namespace flowacct::testing
