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
  const size_t alignment = octets >= kHugePageOctets ? kHugePageOctets : 64;
  memory_.reset(static_cast<uint8_t*>(std::calloc(octets + alignment, 1)));
  if (memory_ == nullptr) std::abort();
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory_.get()) + alignment - 1) / alignment * alignment;
  begin_ = reinterpret_cast<uint8_t*>(begin);
  if (alignment == kHugePageOctets) (void)madvise(begin_, octets, MADV_HUGEPAGE);
}

}  // namespace flowacct::base
