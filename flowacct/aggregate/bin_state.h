// The groups of one time bin as octets that are kept, and back.
//
//     batch of groups = number of groups, 1 octet (0: the overflow group alone, which has no key) | keys | values
//                     | number of carries, varint | carries: group of the batch, 1 octet; column, 1 octet; varint
//     key             = presence bits as in the layout | each field that is there (kept_field.h)
//     value           = a sum: varint; min and max: bits that say which are there (varint), then these (varint);
//                       distinct: DistinctSketch::Save; top: how many (varint), then value, count, error
//
// Which fields and columns there are is told elsewhere (checkpoint.h). Guaranteed: any octets can be read; what no
// writer writes is refused, and nothing is read beyond the end. Ownership: borrows. Threads: one at a time.
// Cost: some 60 ns a group of a 5-tuple with three counters to write or to read, and some 22 octets.

#ifndef FLOWACCT_AGGREGATE_BIN_STATE_H_
#define FLOWACCT_AGGREGATE_BIN_STATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/aggregate/group_bin.h"
#include "flowacct/aggregate/kept_field.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_reader.h"

namespace flowacct::aggregate {

// Of one aggregator's bins.
class BinState {
 public:
  explicit BinState(const GroupShape& shape);

  // Appends the rows from `first` on, at most GroupTable::kBatch of them; returns the first one that is left.
  uint32_t Append(const GroupBin& bin, uint32_t first, TextNumbers* texts, std::vector<uint8_t>* octets) const;
  // Reads one batch into `bin`. `texts`: ids by their number. False: no writer writes that.
  bool Read(base::OctetReader* reader, const std::vector<base::InternId>& texts, size_t budget, GroupBin* bin,
            GroupBin::Outcome* outcome) const;

 private:
  void AppendValues(const GroupBin& bin, uint32_t group, TextNumbers* texts, std::vector<uint8_t>* octets) const;
  bool ReadValues(base::OctetReader* reader, const std::vector<base::InternId>& texts, uint32_t group, GroupBin* bin,
                  GroupBin::Outcome* outcome) const;
  bool ReadTop(base::OctetReader* reader, const std::vector<base::InternId>& texts, size_t column,
               TopSketch* sketch) const;

  const GroupShape& shape_;
  std::vector<KeptField> key_;
  std::vector<KeptField> values_;  // a column, of the field; only its type and size
  uint64_t extremes_ = 0;          // bits of the columns that are min or max
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_BIN_STATE_H_
