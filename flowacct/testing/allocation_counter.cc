#include "flowacct/testing/allocation_counter.h"

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local int64_t thread_allocations = 0;
thread_local int64_t thread_octets = 0;
thread_local int64_t thread_heap_octets = 0;

}  // namespace

namespace flowacct::testing {

int64_t AllocationCounter::ThreadAllocations() { return thread_allocations; }
int64_t AllocationCounter::ThreadOctets() { return thread_octets; }
int64_t AllocationCounter::ThreadHeapOctets() { return thread_heap_octets; }

#ifdef FLOWACCT_SANITIZED
bool AllocationCounter::Works() { return false; }
#else
bool AllocationCounter::Works() { return true; }
#endif

}  // namespace flowacct::testing

#ifndef FLOWACCT_SANITIZED
namespace {

// glibc puts the size of a block in front of it.
int64_t HeapOctets(void* block) { return static_cast<int64_t>(malloc_usable_size(block) + sizeof(std::size_t)); }

void* CountedAllocate(std::size_t size, std::size_t alignment) {
  ++thread_allocations;
  thread_octets += static_cast<int64_t>(size);
  if (size == 0) size = 1;
  void* block;
  if (alignment <= alignof(std::max_align_t)) {
    block = std::malloc(size);
  } else {
    // aligned_alloc wants a multiple of the alignment.
    block = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  }
  if (block == nullptr) std::abort();
  thread_heap_octets += HeapOctets(block);
  return block;
}

void CountedFree(void* block) {
  if (block != nullptr) thread_heap_octets -= HeapOctets(block);
  std::free(block);
}

}  // namespace

// The other forms (nothrow, array, sized) of the standard library end in these.
void* operator new(std::size_t size) { return CountedAllocate(size, 1); }
void* operator new[](std::size_t size) { return CountedAllocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return CountedAllocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return CountedAllocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { CountedFree(block); }
void operator delete[](void* block) noexcept { CountedFree(block); }
void operator delete(void* block, std::size_t) noexcept { CountedFree(block); }
void operator delete[](void* block, std::size_t) noexcept { CountedFree(block); }
void operator delete(void* block, std::align_val_t) noexcept { CountedFree(block); }
void operator delete[](void* block, std::align_val_t) noexcept { CountedFree(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { CountedFree(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { CountedFree(block); }
#endif
