// What a table will take on ClickHouse's disks, before its first row is written.
//
// By the widths of its columns, and by what LZ4 leaves of each kind, as it was measured (clickhouse_benchmark, and
// README.md): addresses, ports and counters of real traffic repeat more than those, which are random, so that it is
// rather too much. Not in it: rollups (estimate them by their own rows a second), replicas, and the room that merges
// need, as much again for the largest part. Threads: any. Cost: a walk over the columns.

#ifndef FLOWACCT_SINK_CLICKHOUSE_SIZE_ESTIMATE_H_
#define FLOWACCT_SINK_CLICKHOUSE_SIZE_ESTIMATE_H_

#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::sink::clickhouse {

struct SizeEstimate {
  double row_octets = 0;            // on the disk
  double day_octets = 0;            // of a day of such rows
  double row_octets_in_memory = 0;  // before compression: what a question reads of all columns
};

// `text_octets`: of a name, AS path or list of communities, on average.
SizeEstimate EstimateOctets(const aggregate::Schema& schema, double rows_per_second, double text_octets = 16);

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_SIZE_ESTIMATE_H_
