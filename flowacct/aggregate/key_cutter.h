// Cuts the keys of groups from the rows of a batch: the fields as they lie, addresses cut to their networks.
//
// A key is a row of the key's layout. Compiled once per pair of layouts. Threads: immutable. Cost: that of a
// record::Projection; a network by mask costs some two nanoseconds a row more, one that is told more.

#ifndef FLOWACCT_AGGREGATE_KEY_CUTTER_H_
#define FLOWACCT_AGGREGATE_KEY_CUTTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/projection.h"

namespace flowacct::aggregate {

class KeyCutter {
 public:
  // `key` has the columns of `specs`; both layouts outlive the cutter.
  KeyCutter(const record::Layout& from, const record::Layout* key, absl::Span<const KeySpec> specs);

  // Of `n` rows in no order, pointers to them, their keys side by side to `keys`.
  void Cut(const uint8_t* const* rows, size_t n, uint8_t* keys) const;

 private:
  struct Network {
    KeySpec spec;
    uint16_t source_offset, source_index;  // kAbsent: the rows have none
    uint16_t mask_offset, mask_index;
    uint64_t masks[2][2];  // for IPv6 and IPv4, as they lie in memory
    bool column_is_prefix;
  };
  void CutMasked(const Network& network, const uint8_t* const* rows, size_t n, uint8_t* keys) const;
  void CutTold(const Network& network, const uint8_t* row, uint8_t* key) const;

  const record::Layout* key_;
  record::Projection projection_;
  size_t from_stride_;
  size_t key_stride_;
  std::vector<Network> networks_;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_KEY_CUTTER_H_
