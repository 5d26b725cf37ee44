// Splits the sums of a block of records over the time bins that each spans.
//
// Of a number that belongs to `whole` nanoseconds, what comes up to a moment t of them is floor(number * t / whole), so
// that the parts are whole numbers and sum to it. The flow count stays in the first bin. Bins are taken in turn, all
// records of the block at once, so that whoever adds the parts has many for one bin; from bin to bin the numbers are
// stepped by adding, and divided only where the width of a bin changes.
//
// Ownership: borrows the rows until all parts are taken. Threads: one at a time. Cost: some 5 ns a part and sum.

#ifndef FLOWACCT_AGGREGATE_RECORD_SPLITTER_H_
#define FLOWACCT_AGGREGATE_RECORD_SPLITTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/group_bin.h"
#include "flowacct/aggregate/group_table.h"

namespace flowacct::aggregate {

class RecordSplitter {
 public:
  static constexpr size_t kMaxRecords = GroupTable::kBatch;

  // `stride`: of the rows; `sources`: of each value column of `schema`.
  RecordSplitter(const Schema& schema, absl::Span<const ValueSource> sources, size_t stride);

  // A record from `from` to `to`, in nanoseconds, to > from. At most kMaxRecords; they are numbered as they come.
  void Push(const uint8_t* row, int64_t from, int64_t to);
  size_t size() const { return records_.size(); }
  const uint8_t* row(size_t number) const { return records_[number].row; }

  // Whether there are parts still; then `next` is when the first begins.
  bool Next(int64_t* next) const;
  struct Part {
    size_t number;        // of the record
    const uint8_t* sums;  // where a row has its counters, the part's; nothing else is set. Valid until the next Take
  };
  // All parts of the bin that Next() is in. A part of nothing is left out, unless it is the first of its record.
  absl::Span<const Part> Take(TimeBin bin);

  void Clear();

 private:
  struct Record {
    const uint8_t* row;
    int64_t from, to;
    int64_t at;               // parts are taken up to here
    uint64_t step_width = 0;  // of Sum::step
  };
  // Of one column of one record.
  struct Sum {
    uint64_t number;
    uint64_t taken, rest;      // number * time so far / whole: quotient and remainder
    uint64_t step, step_rest;  // the same of one step
  };
  struct Column {
    ValueSource source;
    bool stays;  // in the first bin
  };

  bool Advance(size_t number, uint64_t through, uint64_t width, bool is_first);

  std::vector<Column> columns_;
  size_t stride_;
  std::vector<Record> records_;
  std::vector<uint32_t> left_;  // numbers of the records that have parts still
  std::vector<Sum> sums_;       // columns_.size() a record
  std::vector<uint8_t> part_rows_;
  std::vector<Part> parts_;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_RECORD_SPLITTER_H_
