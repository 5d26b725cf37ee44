#include "flowacct/record/projection.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/octets.h"

namespace flowacct::record {
namespace {

template <size_t kLength>
void CopyFixed(const uint8_t* source, size_t source_stride, size_t n, uint8_t* target, size_t target_stride) {
  for (size_t i = 0; i < n; ++i) std::memcpy(target + i * target_stride, source + i * source_stride, kLength);
}

void CopyRun(const uint8_t* source, size_t source_stride, size_t n, uint8_t* target, size_t target_stride,
             size_t length) {
  switch (length) {
    case 1:
      return CopyFixed<1>(source, source_stride, n, target, target_stride);
    case 2:
      return CopyFixed<2>(source, source_stride, n, target, target_stride);
    case 4:
      return CopyFixed<4>(source, source_stride, n, target, target_stride);
    case 8:
      return CopyFixed<8>(source, source_stride, n, target, target_stride);
    case 16:
      return CopyFixed<16>(source, source_stride, n, target, target_stride);
    case 32:
      return CopyFixed<32>(source, source_stride, n, target, target_stride);
    case 37:
      return CopyFixed<37>(source, source_stride, n, target, target_stride);  // the 5-tuple
    default:
      for (size_t i = 0; i < n; ++i) std::memcpy(target + i * target_stride, source + i * source_stride, length);
  }
}

}  // namespace

Projection::Projection(const Layout& from, const Layout& to)
    : target_row_size_(to.row_size()), source_row_size_(from.row_size()) {
  for (FieldId field : to.fields()) {
    if (!from.Has(field)) continue;
    const Copy copy{from.offset(field), to.offset(field), static_cast<uint16_t>(FieldTypeSize(Info(field).type))};
    if (!copies_.empty() && copies_.back().from + copies_.back().length == copy.from &&
        copies_.back().to + copies_.back().length == copy.to) {
      copies_.back().length = static_cast<uint16_t>(copies_.back().length + copy.length);
    } else {
      copies_.push_back(copy);
    }
    const Bits bits{from.index(field), to.index(field), 1};
    // A run is loaded as 8 octets from its first octet, and so it spans at most 56 bits.
    if (!bits_.empty() && bits_.back().from + bits_.back().count == bits.from &&
        bits_.back().to + bits_.back().count == bits.to && bits_.back().count < 48) {
      ++bits_.back().count;
    } else {
      bits_.push_back(bits);
    }
  }
}

namespace {

// One run of fields and one octet of presence: what a key of a few fields that lead the layout comes to.
template <size_t kLength>
void ApplyLeading(const uint8_t* source, size_t source_stride, size_t n, uint8_t* target, size_t target_stride,
                  size_t target_row_size, size_t from, size_t length, uint8_t mask) {
  if (kLength != 0) length = kLength;
  for (size_t i = 0; i < n; ++i, source += source_stride, target += target_stride) {
    base::StoreHost<uint64_t>(target + target_row_size - 8, 0);  // the padding, before the last field
    target[0] = source[0] & mask;
    std::memcpy(target + 1, source + from, length);
  }
}

}  // namespace

void Projection::Apply(const uint8_t* source, size_t source_stride, size_t n, uint8_t* target,
                       size_t target_stride) const {
  if (copies_.size() == 1 && bits_.size() == 1 && bits_[0].from == 0 && bits_[0].to == 0 && bits_[0].count <= 8 &&
      copies_[0].to == 1 && copies_[0].length + size_t{9} > target_row_size_) {
    const uint8_t mask = static_cast<uint8_t>((1u << bits_[0].count) - 1);
    const auto apply = copies_[0].length == 37 ? ApplyLeading<37> : ApplyLeading<0>;  // 37: the 5-tuple
    return apply(source, source_stride, n, target, target_stride, target_row_size_, copies_[0].from, copies_[0].length,
                 mask);
  }
  if (target_stride == target_row_size_) {
    std::memset(target, 0, n * target_row_size_);
  } else {
    for (size_t i = 0; i < n; ++i) std::memset(target + i * target_stride, 0, target_row_size_);
  }
  for (const Bits& run : bits_) {
    const uint64_t mask = (uint64_t{1} << run.count) - 1;
    const size_t source_octet = run.from >> 3, target_octet = run.to >> 3;
    // A row is at least 8 octets and may be shorter than 8 from here on: load and store no further than it goes.
    const size_t load = std::min<size_t>(8, source_row_size_ - source_octet);
    const size_t store = std::min<size_t>(8, target_row_size_ - target_octet);
    for (size_t i = 0; i < n; ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, source + i * source_stride + source_octet, load);
      uint8_t* out = target + i * target_stride + target_octet;
      uint64_t word = 0;
      std::memcpy(&word, out, store);
      word |= (bits >> (run.from & 7) & mask) << (run.to & 7);
      std::memcpy(out, &word, store);
    }
  }
  for (const Copy& run : copies_) {
    CopyRun(source + run.from, source_stride, n, target + run.to, target_stride, run.length);
  }
}

}  // namespace flowacct::record
