// How the time of a table is divided into partitions: which there are, and what to say for others.
//
//     g20231114   before that day          p20231114   that day      ...     g20231201   between them
//     rest        what is later than all
//
// A partition "p" is a day, or 32 days of tables with few rows, and is dropped whole when it is too old. Partitions are
// without holes (RANGE), so that what belongs to no such day lies in "g" and "rest", and these are divided when days
// are made. Threads: any, as values.

#ifndef FLOWACCT_SINK_MARIADB_PARTITIONS_H_
#define FLOWACCT_SINK_MARIADB_PARTITIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::sink::mariadb {

struct Partition {
  std::string name;
  int64_t bound = INT64_MAX;  // of bin_start: less than this; INT64_MAX: MAXVALUE
  int64_t rows = 0;           // as the server estimates

  bool is_day() const { return !name.empty() && name[0] == 'p'; }
  // The begin of its day, whatever lies before it since older ones were dropped; `length`: of the table's.
  int64_t DayStart(int64_t length) const { return bound - length; }
};

std::string DayName(absl::string_view letter, int64_t seconds);

// The one that rows of this bin go to, of all of a table, in order.
const Partition* Covering(const std::vector<Partition>& partitions, int64_t bin_start);

// Whether the day that begins at `start` is to be made, and can be.
bool IsMissing(const std::vector<Partition>& partitions, int64_t start, int64_t length);

// "PARTITION `rest` INTO (PARTITION ..., ...)", for ALTER TABLE ... REORGANIZE, and the same done to `partitions`: the
// first of the `starts` (in order, each missing) and those that lie in the same partition as it. Takes them away.
std::string Divide(int64_t length, std::vector<int64_t>* starts, std::vector<Partition>* partitions);

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_PARTITIONS_H_
