// Memory in blocks of size classes behind 32-bit references, which are freed when no reader can see them any more.
//
//     sizes:  8 to 64 octets in steps of 8, then four classes for each doubling, up to 256 KiB
//     memory: chunks of 2 MiB that never move, cut from the front; a freed block serves its own class again
//
// What the writer unlinks it retires; the block comes back once all readers of `epochs` were quiescent. That garbage is
// bounded by nobody but the readers: `congested` tells the writer to stop taking work until they catch up.
//
// Ownership: owns the blocks; `epochs` outlives it. Threads: one writer; At for any thread that got the reference
// through a release store. Errors: once a block needs more than max_octets, and no larger one is free to be cut, `full`
// is true until enough came back; Allocate goes on to kMaxOctets, so that removals, which may need a smaller copy
// first, always succeed; there the process ends. Cost: some 5 ns. Memory: classes waste a fifth at most, a tenth on
// average; what many blocks have grown out of stays with its class, which is why max_octets may be passed, to its
// double, while less than half of it is in use.

#ifndef FLOWACCT_LPM_NODE_ARENA_H_
#define FLOWACCT_LPM_NODE_ARENA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "flowacct/base/chunk.h"
#include "flowacct/lpm/reader_epochs.h"

namespace flowacct::lpm {

struct NodeArenaOptions {
  // 64 full tables of today.
  size_t max_octets = size_t{4} << 30;
  // A reader that stalls for longer than its writer needs to fill this makes the writer wait: some 0.2 s at full speed.
  size_t max_garbage_octets = size_t{128} << 20;
};

class NodeArena {
 public:
  using Ref = uint32_t;  // of 8 octets each, from the arena's beginning; 0 is no block

  static constexpr size_t kUnit = 8;
  static constexpr size_t kMaxBlockOctets = size_t{256} << 10;
  static constexpr size_t kMaxOctets = size_t{30} << 30;

  explicit NodeArena(ReaderEpochs* epochs, NodeArenaOptions options = {});
  NodeArena(const NodeArena&) = delete;
  NodeArena& operator=(const NodeArena&) = delete;

  // Begins at a multiple of 8; not zeroed.
  Ref Allocate(size_t octets);
  // At once: nobody can see it.
  void Free(Ref ref, size_t octets);
  // When all readers that may see it have gone on.
  void Retire(Ref ref, size_t octets);
  // Begins a new epoch and frees what nobody can see.
  void CollectGarbage();

  uint64_t* At(Ref ref) { return chunks_[ref >> kChunkBits] + (ref & kInChunk); }
  const uint64_t* At(Ref ref) const { return chunks_[ref >> kChunkBits] + (ref & kInChunk); }

  // Half of what was taken being free, if of other sizes, it goes on to twice as much.
  bool full() const {
    return full_ && (used_octets() + garbage_octets_ > options_.max_octets / 2 || reserved_ > 2 * options_.max_octets);
  }
  bool congested() const { return garbage_octets_ >= options_.max_garbage_octets; }
  // Blocks in use; retired and not yet freed; free; all that was taken from the system.
  size_t used_octets() const { return reserved_ - free_octets_ - garbage_octets_; }
  size_t garbage_octets() const { return garbage_octets_; }
  size_t free_octets() const { return free_octets_; }
  size_t octets() const { return reserved_; }
  ReaderEpochs* epochs() const { return epochs_; }

 private:
  static constexpr unsigned kStepBits = 2;
  static constexpr unsigned kChunkBits = 18;  // of units: 2 MiB
  static constexpr size_t kChunkUnits = size_t{1} << kChunkBits;
  static constexpr Ref kInChunk = kChunkUnits - 1;
  static constexpr size_t kMaxChunks = (size_t{1} << 32) >> kChunkBits;
  static constexpr size_t kClasses = 64;
  // So much must come back before a full arena is tried again.
  static constexpr size_t kReserve = size_t{1} << 20;
  // Garbage is looked after whenever that much more came.
  static constexpr size_t kCollectOctets = size_t{256} << 10;

  struct Block {
    Ref ref;
    uint32_t size_class;
  };
  struct Batch {
    uint64_t epoch;
    std::vector<Block> blocks;
  };

  static size_t ClassOf(size_t octets);
  static size_t UnitsOf(size_t size_class);
  void Push(Ref ref, size_t size_class);
  // Units in blocks of the largest classes that fit.
  void PushRest(size_t begin, size_t end);
  Ref Pop(size_t size_class);
  void NewChunk();

  ReaderEpochs* epochs_;
  NodeArenaOptions options_;
  uint64_t** chunks_;
  base::ZeroedMemory chunk_table_;  // its own memory: never moves, costs what is touched
  std::vector<base::Chunk> memory_;
  size_t next_ = 0, end_ = 0;  // units of the last chunk that were never used

  std::array<Ref, kClasses> free_{};  // heads; each block's first word has the next
  uint64_t classes_with_free_ = 0;    // a bit each
  size_t free_octets_ = 0;
  size_t reserved_ = 0;
  bool full_ = false;
  size_t freed_since_full_ = 0;

  Batch batch_;  // of the current epoch
  size_t batch_octets_ = 0;
  std::deque<Batch> garbage_;
  std::vector<std::vector<Block>> spare_;
  size_t garbage_octets_ = 0;
};

}  // namespace flowacct::lpm

#endif  // FLOWACCT_LPM_NODE_ARENA_H_
