// A finished batch as octets that are kept or sent, and back: the same rows, schema, names, flags and identity.
//
// Guaranteed: what WriteBatch gave reads back as an equal batch, also by a newer program; any octets can be read, and
// what was cut or changed on the way is refused (base/sealed_octets.h).
// Ownership: a batch that was read owns all that it needs, its interner too. Threads: any.
// Errors: InvalidArgument for octets that are none of this, or of a newer version; DataLoss for damaged ones;
// ResourceExhausted for rows that would take more memory than asked. Cost: some 60 ns and 22 octets a row of a 5-tuple
// with three counters.

#ifndef FLOWACCT_AGGREGATE_BATCH_OCTETS_H_
#define FLOWACCT_AGGREGATE_BATCH_OCTETS_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {

// Tells pieces of some 256 KiB, which make the octets one behind the other; a status that is not OK ends it, and is
// returned.
absl::Status WriteBatch(const AggregateBatch& batch, absl::FunctionRef<absl::Status(base::Octets piece)> write);

// `max_row_octets`: what the rows of the batch take in memory at most.
absl::StatusOr<AggregateBatch> ReadBatch(base::Octets octets, size_t max_row_octets = size_t{4} << 30);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_BATCH_OCTETS_H_
