// Sums records into groups: the same key, the same time bin, one row.
//
//     New(options) -> RequiredFields() -> a layout that has them -> Bind(layout) -> Add(batch)... -> Close()
//
// Exact: each counter of each record ends in exactly one group (pro-rated: its parts do), in the overflow group, or in
// late(). Absent counters add nothing; absent key fields are a value of their own. Rows come out in the order in which
// their keys first came; the order does not depend on the seed.
//
// Ownership: borrows the interner, which outlives the aggregator and its batches; batches own their rows.
// Threads: one at a time; one aggregator a worker, then Merge. Errors: only New and Merge have any.
// Cost: a hash, two prefetched cache lines and a compare a record; no allocation a record (one a chunk of some
// thousand groups). Memory: a group takes its key row (fields + a presence bit each, in whole 8 octets) + 8 octets a
// value + 12 to 21 octets of index; a 5-tuple with three counters 76 to 85.

#ifndef FLOWACCT_AGGREGATE_AGGREGATOR_H_
#define FLOWACCT_AGGREGATE_AGGREGATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/totals.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::aggregate {

struct AggregatorOptions {
  // Key fields as in key_spec.h, in the order of the columns; none: one group of all.
  std::vector<std::string> by;
  // As in value_spec.h.
  std::vector<std::string> values = {"packets", "bytes", "flows"};
  // Fields beside the registry's, which may be named above; null: none.
  std::shared_ptr<const record::CustomFields> custom_fields;

  // Width of a time bin; zero: one bin of all time.
  absl::Duration every = absl::ZeroDuration();
  // Where midnight is, for the alignment of bins (time_bins.h).
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // Which time of a record chooses its bin. If it is absent: start_time, end_time, export_time, arrival_time, the
  // first that is there, and 1970 if none is.
  record::FieldId time_field = record::FieldId::kStartTime;
  // Splits the counters of a record over the bins that it spans (start_time to end_time), by time, whole numbers whose
  // sum is the record's. The flow count stays in the first bin.
  bool prorate = false;
  // CloseBefore keeps a bin open this long after its end: an exporter tells of a long flow when its active timeout
  // ends (30 minutes unless configured), so a bin by start_time wants that much.
  absl::Duration lateness = absl::ZeroDuration();
  // What becomes of a record for a bin that was closed.
  enum class Late : uint8_t {
    kCount,    // it is counted, and summed in late()
    kRestate,  // it opens the bin again, as a correction (AggregateBatch::correction): what is to be added to it
  };
  Late late = Late::kCount;
  // How long after its end a closed bin is restated: what comes still later is counted. An exporter that was cut off
  // for a night tells of it in the morning; who tells of older times may have a wrong clock, or read an old capture.
  absl::Duration restate_for = absl::InfiniteDuration();

  // Over all open bins. Four million 5-tuples take some 340 MB, ten times what a busy router sees in five minutes.
  // Records of further keys are summed in the overflow group.
  size_t max_groups = size_t{4} << 20;
  // For distinct() and top(), of which a group may need some kilooctets: limits the groups further, to what fits.
  size_t max_sketch_octets = size_t{1} << 30;
  // A day of five-minute bins, with room. Beyond, the oldest is closed; a record that spans more is not split.
  size_t max_open_bins = 512;
  // Of the hash, so that nobody can choose keys that collide. 0: from the system's randomness.
  uint64_t seed = 0;
};

// records_in = records_aggregated + records_late.
struct AggregatorCounters {
  uint64_t records_in = 0;
  uint64_t records_aggregated = 0;    // into any group, the overflow group included
  uint64_t records_overflowed = 0;    // of these, into the overflow group
  uint64_t records_late = 0;          // for a bin that was closed and is not restated: in late()
  uint64_t records_without_time = 0;  // accounted to 1970
  uint64_t records_not_split = 0;     // spanned more than max_open_bins: accounted whole to their first bin
  // Parts of pro-rated records whose other parts were in time, and groups of a merged aggregator whose bin was closed
  // here: their sums are in late().
  uint64_t parts_late = 0;
  uint64_t bins_evicted = 0;  // closed early for max_open_bins
  uint64_t sum_carries = 0;   // sums that went beyond 2^64 (AggregateBatch::wide_value has them)
  uint64_t groups = 0;        // made so far, in all bins, without overflow groups
};

class Aggregator {
 public:
  // InvalidArgument for an option that cannot be; its text names the option, the value and what to do.
  static absl::StatusOr<std::unique_ptr<Aggregator>> New(AggregatorOptions options, base::Interner* interner);
  // The same, with an interner that lives as long as this and whatever came of it.
  static absl::StatusOr<std::unique_ptr<Aggregator>> New(AggregatorOptions options,
                                                         std::shared_ptr<base::Interner> interner);
  ~Aggregator();

  const AggregatorOptions& options() const;
  const Schema& schema() const;
  // What the layout must have: the key's fields first and in order, then counters and times.
  absl::Span<const record::FieldId> RequiredFields() const;

  // Before the first Add, and again when the layout changes. Fields that `layout` lacks are absent in every record.
  void Bind(const record::Layout& layout);
  // `batch` has the bound layout and this aggregator's interner.
  void Add(const record::FlowBatch& batch);
  // Only the rows of a filter's selection.
  void Add(const record::FlowBatch& batch, absl::Span<const uint32_t> rows);

  // The bins that ended at least `lateness` before `now`, oldest first, and those that were evicted. Records that still
  // come for them are late. `now` is the collector's or the capture's time, which no exporter can push. Empty unless
  // bins were asked for.
  std::vector<AggregateBatch> CloseBefore(absl::Time now);
  // As CloseBefore, but gives the bins as they are, to be merged with those of others: null if none has ended. A few
  // pointers; the partial is for any thread, while this goes on, if the interner is shared (New). Its counters are
  // zero, as its records were counted here. `now` also says which records are late from now on, whether their bin was
  // ever open or not.
  std::unique_ptr<Aggregator> TakeClosed(absl::Time now);
  // The same of all bins; null if there are none. No record is late for it.
  std::unique_ptr<Aggregator> TakeAll();
  // What Close would give, oldest first, while the bins go on: a copy.
  std::vector<AggregateBatch> Snapshot();
  // When the oldest open bin ends, nanoseconds since 1970; none: no bin is open.
  std::optional<int64_t> first_bin_end() const;
  size_t open_groups() const;

  // All bins, oldest first: the end of the input. Without bins always exactly one batch, if only of no rows. What is
  // added afterwards begins anew.
  std::vector<AggregateBatch> Close();

  // Takes over what `other`, made of the same options, has gathered, as if its records had been added here: sums and
  // sketches merge. Keys and texts are carried over to this interner. InvalidArgument, and nothing done, if the options
  // differ. `other` is as new afterwards.
  absl::Status Merge(Aggregator&& other);

  // Writes down all that is open, the counters, late() and what is closed: octets in pieces of some hundred kilooctets,
  // to be kept one behind the other. Only `write` fails, or FailedPrecondition if there are bins that too many others
  // pushed out and nobody took (CloseBefore). For a worker that must not wait: TakeAll first, write down the partial
  // elsewhere and Merge it.
  absl::Status SaveState(absl::FunctionRef<absl::Status(base::Octets piece)> write) const;
  struct Restored {
    size_t bins = 0;
    size_t groups = 0;
  };
  // Takes over what an aggregator of the same options wrote down, as Merge would, also in another process, by a newer
  // program and with another interner. InvalidArgument: it is of other options or versions; DataLoss: it is damaged or
  // cut. Then nothing is taken over. Any octets can be read; the bounds of the options hold.
  absl::StatusOr<Restored> RestoreState(base::Octets state);

  const AggregatorCounters& counters() const;
  // Sums of the records and parts that came too late.
  const Totals& late() const;
  // Memory of groups, index and sketches now.
  size_t octets() const;

 private:
  struct State;
  explicit Aggregator(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATOR_H_
