#include "flowacct/base/chunk.h"

#include <sys/mman.h>

namespace flowacct::base {

Chunk NewChunk(size_t octets, bool huge) {
  const size_t alignment = huge ? kHugePageOctets : 64;
  void* memory = ::operator new[](octets, std::align_val_t{alignment});
  if (huge) (void)madvise(memory, octets, MADV_HUGEPAGE);  // where it is refused, small pages do
  return Chunk(static_cast<uint8_t*>(memory), ChunkDelete(alignment));
}

ZeroedMemory::ZeroedMemory(size_t octets) {
  const size_t slack = octets >= kHugePageOctets ? kHugePageOctets : 0;  // to begin on a huge page
  memory_.reset(static_cast<uint8_t*>(std::calloc(octets + slack, 1)));
  if (memory_ == nullptr) std::abort();
  uintptr_t begin = reinterpret_cast<uintptr_t>(memory_.get());
  if (slack != 0) {
    begin = (begin + kHugePageOctets - 1) / kHugePageOctets * kHugePageOctets;
    (void)madvise(reinterpret_cast<void*>(begin), octets, MADV_HUGEPAGE);
  }
  begin_ = reinterpret_cast<uint8_t*>(begin);
}

}  // namespace flowacct::base
