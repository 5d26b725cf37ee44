// Memory for large tables: chunks of rows on cache lines or in huge pages, and an index that the system zeroes page by
// page as it is touched.
//
// Ownership: each frees what it holds. Threads: plain values. Errors: out of memory ends the process, as operator new
// does without exceptions. Cost: that of the system's allocator; huge pages save the processor address translations.

#ifndef FLOWACCT_BASE_CHUNK_H_
#define FLOWACCT_BASE_CHUNK_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace flowacct::base {

// Frees a chunk: one of NewChunk, or any of new[].
struct ChunkDelete {
  size_t alignment = 0;  // 0: a plain array
  ChunkDelete() = default;
  explicit ChunkDelete(size_t chunk_alignment) : alignment(chunk_alignment) {}
  ChunkDelete(std::default_delete<uint8_t[]>) {}  // NOLINT: so that a plain array is a chunk, too
  void operator()(uint8_t* p) const {
    if (alignment != 0) {
      ::operator delete[](p, std::align_val_t{alignment});
    } else {
      delete[] p;
    }
  }
};
using Chunk = std::unique_ptr<uint8_t[], ChunkDelete>;

// `octets` of memory, not zeroed, that begin on a cache line. `huge`: all of it will be used, so the system is asked
// for huge pages; `octets` is then a multiple of kHugePageOctets.
inline constexpr size_t kHugePageOctets = size_t{2} << 20;
Chunk NewChunk(size_t octets, bool huge = false);

// `octets` of zeros that cost memory page by page as they are first touched, beginning on a cache line. Of a huge page
// or more, they lie in huge pages.
class ZeroedMemory {
 public:
  ZeroedMemory() = default;
  explicit ZeroedMemory(size_t octets);
  uint8_t* data() const { return begin_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t[], Free> memory_;
  uint8_t* begin_ = nullptr;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_CHUNK_H_
