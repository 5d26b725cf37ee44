// Copies some fields of rows of one layout into rows of another, with their presence: how an aggregation key is cut
// from a batch. Compiled once; runs of fields that lie side by side in both layouts become one copy.
//
// The target row's padding is zeroed, so that projected rows compare and hash as octets.
// Threads: immutable. Cost: one pass over the rows for each run of fields.

#ifndef FLOWACCT_RECORD_PROJECTION_H_
#define FLOWACCT_RECORD_PROJECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/record/layout.h"

namespace flowacct::record {

class Projection {
 public:
  // Fields of `to` that `from` lacks come out absent.
  Projection(const Layout& from, const Layout& to);

  // `n` rows at `source`, `source_stride` apart, to `target`, `target_stride` apart (at least to.row_size()).
  void Apply(const uint8_t* source, size_t source_stride, size_t n, uint8_t* target, size_t target_stride) const;

 private:
  struct Copy {
    uint16_t from, to, length;
  };
  struct Bits {  // presence bits from .. from + count - 1 become to .. ; count <= 56
    uint16_t from, to, count;
  };
  std::vector<Copy> copies_;
  std::vector<Bits> bits_;
  size_t target_row_size_;
  size_t source_row_size_;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_PROJECTION_H_
