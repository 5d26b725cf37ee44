// A field of a kept row as octets, and back: what open bins (bin_state.h) and finished batches (batch_octets.h) are
// made of.
//
//     field   = an address as 4 or 16 and so many octets, a prefix with its length behind, an interned value as its
//     number
//               (varint), all else in its octets, big-endian
//     varint  = 7 bits an octet, the low ones first; the high bit says that more come
//
// Guaranteed: any octets can be read; what no writer writes is refused. Threads: one at a time.

#ifndef FLOWACCT_AGGREGATE_KEPT_FIELD_H_
#define FLOWACCT_AGGREGATE_KEPT_FIELD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"

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

// What TakeNew gave, to the end of `reader`: their ids, appended to `ids`. False: no writer writes that.
bool ReadNewTexts(base::OctetReader* reader, base::Interner* interner, std::vector<base::InternId>* ids);

// Where a field lies in a row.
struct KeptField {
  record::FieldType type;
  uint16_t offset, index;
  uint8_t size;
};
KeptField KeptFieldOf(record::FieldId id, const record::Layout& layout);

// `value`: its octets in the row.
void AppendKeptField(const KeptField& field, const uint8_t* value, TextNumbers* texts, std::vector<uint8_t>* octets);
// `texts`: ids by their number. False: no writer writes that.
bool ReadKeptField(const KeptField& field, base::OctetReader* reader, const std::vector<base::InternId>& texts,
                   uint8_t* value);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_KEPT_FIELD_H_
