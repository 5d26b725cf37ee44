// The words that somebody may have meant, for the one line that an error gets.

#ifndef FLOWACCT_BASE_NEAR_MISS_H_
#define FLOWACCT_BASE_NEAR_MISS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::base {

// At most `limit` of `words` that are near `word` by edit distance (with transpositions), nearest first; none if
// nothing is near. Deterministic. Cost: |words| times the product of the lengths.
std::vector<std::string> NearestWords(absl::string_view word, absl::Span<const absl::string_view> words,
                                      size_t limit = 2);

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_NEAR_MISS_H_
