// The groups of one time bin as octets that are kept, and back.
//
//     batch of groups = number of groups, 1 octet (0: the overflow group alone, which has no key) | keys | values
//                     | number of carries, varint | carries: group of the batch, 1 octet; column, 1 octet; varint
//     key             = presence bits as in the layout | each field that is there: an address as 4 or 16 and so many
//                       octets, a prefix with its length behind, an interned value as its number (varint), all else in
//                       its octets, big-endian
//     value           = a sum: varint; min and max: bits that say which are there (varint), then these (varint);
//                       distinct: DistinctSketch::Save; top: how many (varint), then value, count, error
//     varint          = 7 bits an octet, the low ones first; the high bit says that more come
//
// Which fields and columns there are is told elsewhere (checkpoint.h). Guaranteed: any octets can be read; what no
// writer writes is refused, and nothing is read beyond the end. Ownership: borrows. Threads: one at a time.
// Cost: some 60 ns a group of a 5-tuple with three counters to write or to read, and some 22 octets.

#ifndef FLOWACCT_AGGREGATE_BIN_STATE_H_
#define FLOWACCT_AGGREGATE_BIN_STATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/aggregate/group_bin.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {

void AppendVarint(uint64_t number, std::vector<uint8_t>* octets);
// Zero, and the reader failed, for what is no number of 64 bits.
uint64_t ReadVarint(base::OctetReader* reader);

// Numbers the interned values of a state in the order in which they are met, and gathers what each stands for.
class TextNumbers {
 public:
  // kNone and kOverflowId mean the same everywhere.
  static constexpr uint32_t kFirst = base::Interner::kOverflowId + 1;

  explicit TextNumbers(const base::Interner& interner) : interner_(interner) {}
  uint32_t NumberOf(base::InternId id);
  // Length (varint) and octets of each value that was met since the last call.
  std::vector<uint8_t> TakeNew();

 private:
  const base::Interner& interner_;
  absl::flat_hash_map<base::InternId, uint32_t> numbers_;
  std::vector<uint8_t> texts_;
};

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
  struct Field {
    record::FieldType type;
    uint16_t offset, index;
    uint8_t size;
  };
  static Field FieldOf(record::FieldId id, const record::Layout& layout);
  static void AppendField(const Field& field, const uint8_t* value, TextNumbers* texts, std::vector<uint8_t>* octets);
  static bool ReadField(const Field& field, base::OctetReader* reader, const std::vector<base::InternId>& texts,
                        uint8_t* value);
  void AppendValues(const GroupBin& bin, uint32_t group, TextNumbers* texts, std::vector<uint8_t>* octets) const;
  bool ReadValues(base::OctetReader* reader, const std::vector<base::InternId>& texts, uint32_t group, GroupBin* bin,
                  GroupBin::Outcome* outcome) const;
  bool ReadTop(base::OctetReader* reader, const std::vector<base::InternId>& texts, size_t column,
               TopSketch* sketch) const;

  const GroupShape& shape_;
  std::vector<Field> key_;
  std::vector<Field> values_;  // a column, of the field; only its type and size
  uint64_t extremes_ = 0;      // bits of the columns that are min or max
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_BIN_STATE_H_
