#include "flowacct/sink/mariadb/partitions.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace flowacct::sink::mariadb {
namespace {

size_t CoveringIndex(const std::vector<Partition>& partitions, int64_t bin_start) {
  const auto at = std::find_if(partitions.begin(), partitions.end(),
                               [&](const Partition& p) { return p.bound == INT64_MAX || bin_start < p.bound; });
  return static_cast<size_t>(at - partitions.begin());
}

}  // namespace

std::string DayName(absl::string_view letter, int64_t seconds) {
  return absl::StrCat(letter, absl::FormatTime("%Y%m%d", absl::FromUnixSeconds(seconds), absl::UTCTimeZone()));
}

const Partition* Covering(const std::vector<Partition>& partitions, int64_t bin_start) {
  const size_t at = CoveringIndex(partitions, bin_start);
  return at == partitions.size() ? nullptr : &partitions[at];
}

bool IsMissing(const std::vector<Partition>& partitions, int64_t start, int64_t length) {
  const size_t at = CoveringIndex(partitions, start);
  if (at == partitions.size() || partitions[at].is_day()) return false;
  // Somebody's other bounds stay.
  return partitions[at].bound >= start + length && (at == 0 || partitions[at - 1].bound <= start);
}

std::string Divide(int64_t length, std::vector<int64_t>* starts, std::vector<Partition>* partitions) {
  const size_t at = CoveringIndex(*partitions, starts->front());
  const Partition old = (*partitions)[at];
  std::vector<Partition> parts;
  bool open = at == 0;  // there is time before the next part that has none yet
  int64_t done = at == 0 ? 0 : (*partitions)[at - 1].bound;
  while (!starts->empty() && starts->front() < old.bound) {
    const int64_t start = starts->front();
    starts->erase(starts->begin());
    if (open || start > done) parts.push_back({DayName("g", start), start, 0});
    done = start + length;
    parts.push_back({DayName("p", start), done, 0});
    open = false;
  }
  if (done < old.bound) parts.push_back(old);
  std::string sql = absl::StrCat("PARTITION `", old.name, "` INTO (");
  for (const Partition& part : parts) {
    absl::StrAppend(&sql, &part == &parts[0] ? "" : ", ", "PARTITION `", part.name, "` VALUES LESS THAN ");
    if (part.bound == INT64_MAX) {
      sql += "MAXVALUE";
    } else {
      absl::StrAppend(&sql, "(", part.bound, ")");
    }
  }
  partitions->erase(partitions->begin() + static_cast<ptrdiff_t>(at));
  partitions->insert(partitions->begin() + static_cast<ptrdiff_t>(at), parts.begin(), parts.end());
  return sql + ")";
}

}  // namespace flowacct::sink::mariadb
