#include "flowacct/record/flow_batch.h"

#include <algorithm>

namespace flowacct::record {

void FlowBatch::Reserve(size_t rows) {
  if (rows <= capacity_) return;
  const size_t capacity = std::max<size_t>({rows, capacity_ * 2, 64});
  std::unique_ptr<uint8_t[]> grown(new uint8_t[capacity * stride()]);
  if (size_ > 0) std::memcpy(grown.get(), rows_.get(), size_ * stride());
  rows_ = std::move(grown);
  capacity_ = capacity;
}

uint8_t* FlowBatch::AppendCopies(size_t n, const uint8_t* prototype) {
  Reserve(size_ + n);
  const size_t row_size = stride();
  uint8_t* first = rows_.get() + size_ * row_size;
  // Rows of a layout without fields have no octets, and their prototype may be null.
  for (size_t i = 0; i < n && row_size > 0; ++i) std::memcpy(first + i * row_size, prototype, row_size);
  size_ += n;
  return first;
}

MutableRow FlowBatch::Append() {
  Reserve(size_ + 1);
  uint8_t* octets = rows_.get() + size_ * stride();
  std::memset(octets, 0, stride());
  ++size_;
  return MutableRow(layout_, octets);
}

void FlowBatch::Keep(absl::Span<const uint32_t> rows) {
  const size_t row_size = stride();
  size_t kept = 0;
  for (uint32_t row : rows) {
    if (row != kept) std::memcpy(data() + kept * row_size, data() + row * row_size, row_size);
    ++kept;
  }
  size_ = kept;
}

void FlowBatch::CopyFrom(const FlowBatch& other) {
  size_ = 0;
  Reserve(other.size_);
  if (other.size_ > 0) std::memcpy(rows_.get(), other.rows_.get(), other.size_ * stride());
  size_ = other.size_;
}

}  // namespace flowacct::record
