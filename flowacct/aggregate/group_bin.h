// One open time bin of an aggregator: its groups with their sums, extremes and sketches.
//
//     row of the table = key | a u64 a value column | a u64 of bits "has met a value", if min or max is asked
//
// Ownership: owns all it gathers. Threads: one at a time.

#ifndef FLOWACCT_AGGREGATE_GROUP_BIN_H_
#define FLOWACCT_AGGREGATE_GROUP_BIN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/distinct_sketch.h"
#include "flowacct/aggregate/group_table.h"
#include "flowacct/aggregate/top_sketch.h"
#include "flowacct/aggregate/totals.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/layout.h"

namespace flowacct::aggregate {

// Where the field of a value column lies in the rows of a batch.
struct ValueSource {
  uint16_t offset = record::Layout::kAbsent;
  uint16_t index = 0;
  record::FieldType type = record::FieldType::kU64;
  uint8_t size = 8;

  bool Has(const uint8_t* row) const { return (row[index >> 3] >> (index & 7) & 1) != 0; }
  uint64_t Load(const uint8_t* row) const;
};

// The same for all value columns.
class ValueSources {
 public:
  ValueSources() = default;
  ValueSources(const Schema& schema, const record::Layout& layout);

  absl::Span<const ValueSource> columns() const { return columns_; }
  const ValueSource& operator[](size_t column) const { return columns_[column]; }

  // Sums of fields of 8 octets, which are added row by row; and the other columns that there is something to do for.
  struct PlainSum {
    uint16_t column;
    uint16_t offset;  // in a row of the batch
  };
  absl::Span<const PlainSum> plain_sums() const { return plain_sums_; }
  absl::Span<const uint16_t> others() const { return others_; }

 private:
  std::vector<ValueSource> columns_;
  std::vector<PlainSum> plain_sums_;
  std::vector<uint16_t> others_;
};

// What all bins of an aggregator share.
struct GroupShape {
  std::shared_ptr<const Schema> schema;
  std::vector<ValueSpec> values;
  std::shared_ptr<base::Interner> interner;
  bool has_extremes = false;        // min or max
  std::vector<uint64_t> sign_bits;  // a value column: record::SignBit of its field
  uint64_t seed = 0;

  size_t key_octets() const { return schema->key.row_size(); }
  size_t payload_octets() const { return 8 * (values.size() + (has_extremes ? 1 : 0)); }
  // Of the sketches of one group, at most.
  size_t max_sketch_octets() const;
};

class IdTranslation;
class BinState;

class GroupBin {
 public:
  GroupBin(std::shared_ptr<const GroupShape> shape, TimeBin time);

  TimeBin time() const { return time_; }
  size_t groups() const { return table_.size() - (has_overflow_ ? 1 : 0); }
  size_t rows() const { return table_.size(); }  // the overflow group included
  bool empty() const { return rows() == 0; }
  size_t octets() const;

  struct Outcome {
    size_t made = 0;        // groups
    size_t overflowed = 0;  // records
    size_t carries = 0;
  };
  // Adds `n` (at most GroupTable::kBatch) records with keys side by side at `keys`; sums are taken from `sum_rows`, the
  // rest from `rows` (two, because a pro-rated record brings a part of its sums and all of its other values).
  Outcome Add(const uint8_t* keys, const uint8_t* const* rows, const uint8_t* const* sum_rows, size_t n,
              const ValueSources& sources, size_t budget);

  // Adds all groups of `other`, whose shape is alike. Interned ids of its keys and values are of another interner if
  // the shapes' differ.
  Outcome Merge(GroupBin& other, size_t budget);
  // Whether its keys and values mean the same in an aggregator of `shape`, which is alike: then it may move there.
  bool BelongsTo(const GroupShape& shape) const;
  void MoveTo(std::shared_ptr<const GroupShape> shape) { shape_ = std::move(shape); }
  // Adds the sums to `totals` instead.
  void AddTo(Totals* totals) const;

  AggregateBatch Close();
  // What Close would give, while the bin goes on.
  AggregateBatch Snapshot();

 private:
  friend class BinState;  // bin_state.h: what is kept over a restart

  uint32_t OverflowRow();
  // `rows` with estimates and texts of the sketches.
  AggregateBatch Finish(AggregateBatch::Rows rows, AggregateBatch::Carries carries);
  void AddPlainSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n,
                    absl::Span<const ValueSources::PlainSum> sums, Outcome* outcome);
  template <size_t kSums>
  void AddSomeSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n,
                   const ValueSources::PlainSum* sums, Outcome* outcome);
  void AddSums(const uint32_t* groups, uint8_t* const* octets, const uint8_t* const* rows, size_t n, size_t column,
               const ValueSource& source, Outcome* outcome);
  void Carry(uint32_t group, size_t column, Outcome* outcome);
  void AddExtreme(const uint32_t* groups, const uint8_t* const* rows, size_t n, size_t column,
                  const ValueSource& source);
  void AddToSketches(const uint32_t* groups, const uint8_t* const* rows, size_t n, size_t column,
                     const ValueSource& source);
  // All but sums' low 64 bits.
  void MergeValue(GroupBin& other, uint32_t theirs, uint32_t group, size_t column, IdTranslation* ids);
  void Extend(uint32_t group, size_t column, uint64_t value);
  uint8_t* value(uint32_t group, size_t column) { return table_.row(group) + shape_->key_octets() + 8 * column; }
  uint64_t* SeenBits(uint32_t group);

  std::shared_ptr<const GroupShape> shape_;
  TimeBin time_;
  mutable GroupTable table_;
  AggregateBatch::Carries carries_;
  // [column][group]; empty for columns of other functions.
  std::vector<std::vector<DistinctSketch>> distinct_;
  std::vector<std::vector<TopSketch>> top_;
  uint32_t overflow_row_ = 0;
  bool has_overflow_ = false;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_GROUP_BIN_H_
