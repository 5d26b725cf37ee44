// Rows of one layout, side by side: the noun that crosses between rooms. At least a datagram's worth at a time, so
// that calls, clock reads and look-ups are paid once a batch.
//
// Ownership: the batch owns its rows, and borrows its layout and the interner that its interned fields refer to.
// Threads: one at a time. Cost: memory is kept over Clear(), so that nothing is allocated in steady state.

#ifndef FLOWACCT_RECORD_FLOW_BATCH_H_
#define FLOWACCT_RECORD_FLOW_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::record {

class FlowBatch {
 public:
  FlowBatch(const Layout* layout, base::Interner* interner) : layout_(layout), interner_(interner) {}

  const Layout& layout() const { return *layout_; }
  base::Interner& interner() const { return *interner_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t stride() const { return layout_->row_size(); }
  const uint8_t* data() const { return rows_.get(); }
  uint8_t* data() { return rows_.get(); }
  RowView row(size_t i) const { return RowView(layout_, data() + i * stride()); }
  MutableRow row(size_t i) { return MutableRow(layout_, data() + i * stride()); }

  // Appends `n` rows that are copies of `prototype` (row_size octets); returns the first. Valid until the next append.
  uint8_t* AppendCopies(size_t n, const uint8_t* prototype);
  // Appends one row in which every field is absent.
  MutableRow Append();
  void Clear() { size_ = 0; }
  // Becomes the rows of `other`, which has this layout.
  void CopyFrom(const FlowBatch& other);
  // Forgets the rows from `size` on.
  void Truncate(size_t size) {
    if (size < size_) size_ = size;
  }
  // Forgets all rows but these, whose numbers ascend; they move up.
  void Keep(absl::Span<const uint32_t> rows);

 private:
  void Reserve(size_t rows);

  const Layout* layout_;
  base::Interner* interner_;
  std::unique_ptr<uint8_t[]> rows_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FLOW_BATCH_H_
