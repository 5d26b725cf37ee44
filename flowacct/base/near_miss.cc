#include "flowacct/base/near_miss.h"

#include <algorithm>
#include <utility>

namespace flowacct::base {
namespace {

// Optimal string alignment distance.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> NearestWords(absl::string_view word, absl::Span<const absl::string_view> words, size_t limit) {
  constexpr size_t kLongestWord = 64;  // what is longer is no slip of the hand
  if (word.empty() || word.size() > kLongestWord) return {};
  const size_t tolerance = std::max<size_t>(1, word.size() / 3);
  std::vector<std::pair<size_t, absl::string_view>> near;
  for (absl::string_view candidate : words) {
    if (candidate.size() > kLongestWord) continue;
    // The distance is at least the difference of the lengths.
    if (candidate.size() > word.size() + tolerance || word.size() > candidate.size() + tolerance) continue;
    const size_t distance = Distance(word, candidate);
    if (distance <= tolerance) near.emplace_back(distance, candidate);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> result;
  for (size_t i = 0; i < near.size() && i < limit; ++i) result.emplace_back(near[i].second);
  return result;
}

}  // namespace flowacct::base
