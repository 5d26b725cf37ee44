#include "flowacct/lpm/node_arena.h"

#include <cstdlib>
#include <utility>

namespace flowacct::lpm {

size_t NodeArena::ClassOf(size_t octets) {
  const size_t last = (octets + kUnit - 1) / kUnit - 1;  // unit
  const unsigned log2 = 63 - static_cast<unsigned>(__builtin_clzll(last | 1));
  if (log2 <= kStepBits) return last;
  return (size_t{log2 - kStepBits} << kStepBits) + (last >> (log2 - kStepBits));
}

size_t NodeArena::UnitsOf(size_t size_class) {
  if (size_class < size_t{2} << kStepBits) return size_class + 1;
  const size_t shift = (size_class >> kStepBits) - 1;
  return ((size_class & ((size_t{1} << kStepBits) - 1)) + (size_t{1} << kStepBits) + 1) << shift;
}

NodeArena::NodeArena(ReaderEpochs* epochs, NodeArenaOptions options)
    : epochs_(epochs), options_(options), chunk_table_(kMaxChunks * sizeof(uint64_t*)) {
  chunks_ = reinterpret_cast<uint64_t**>(chunk_table_.data());
}

void NodeArena::PushRest(size_t begin, size_t end) {
  while (begin < end) {
    size_t size_class = ClassOf((end - begin) * kUnit);
    if (UnitsOf(size_class) > end - begin) --size_class;
    Push(static_cast<Ref>(begin), size_class);
    begin += UnitsOf(size_class);
  }
}

void NodeArena::NewChunk() {
  reserved_ += (end_ - next_) * kUnit;
  PushRest(next_, end_);
  if (memory_.size() == kMaxOctets / (kChunkUnits * kUnit)) std::abort();
  // Huge pages only where all of one will be used.
  memory_.push_back(base::NewChunk(kChunkUnits * kUnit, memory_.size() >= 1));
  chunks_[memory_.size() - 1] = reinterpret_cast<uint64_t*>(memory_.back().get());
  end_ = memory_.size() << kChunkBits;
  next_ = end_ - kChunkUnits;
  if (next_ == 0) ++next_;  // 0 is no block
}

NodeArena::Ref NodeArena::Allocate(size_t octets) {
  const size_t size_class = ClassOf(octets);
  const size_t units = UnitsOf(size_class);
  if (free_[size_class] != 0) return Pop(size_class);
  if (reserved_ + units * kUnit > options_.max_octets) {
    // Rather than take more a larger block is cut.
    const uint64_t larger = classes_with_free_ >> size_class;
    if (larger != 0) {
      const size_t cut = size_class + static_cast<size_t>(__builtin_ctzll(larger));
      const Ref ref = Pop(cut);
      PushRest(ref + units, ref + UnitsOf(cut));
      return ref;
    }
    full_ = true;
    freed_since_full_ = 0;
  }
  if (end_ - next_ < units) NewChunk();
  const Ref fresh = static_cast<Ref>(next_);
  next_ += units;
  reserved_ += units * kUnit;
  return fresh;
}

NodeArena::Ref NodeArena::Pop(size_t size_class) {
  const Ref ref = free_[size_class];
  free_[size_class] = static_cast<Ref>(*At(ref));
  if (free_[size_class] == 0) classes_with_free_ &= ~(uint64_t{1} << size_class);
  free_octets_ -= UnitsOf(size_class) * kUnit;
  return ref;
}

void NodeArena::Push(Ref ref, size_t size_class) {
  *At(ref) = free_[size_class];
  free_[size_class] = ref;
  classes_with_free_ |= uint64_t{1} << size_class;
  free_octets_ += UnitsOf(size_class) * kUnit;
  if (full_ && (freed_since_full_ += UnitsOf(size_class) * kUnit) >= kReserve) full_ = false;
}

void NodeArena::Free(Ref ref, size_t octets) { Push(ref, ClassOf(octets)); }

void NodeArena::Retire(Ref ref, size_t octets) {
  const size_t size_class = ClassOf(octets);
  const size_t class_octets = UnitsOf(size_class) * kUnit;
  batch_.blocks.push_back({ref, static_cast<uint32_t>(size_class)});
  batch_octets_ += class_octets;
  garbage_octets_ += class_octets;
  if (batch_octets_ >= kCollectOctets) CollectGarbage();
}

void NodeArena::CollectGarbage() {
  if (!batch_.blocks.empty()) {
    batch_.epoch = epochs_->now();
    garbage_.push_back(std::move(batch_));
    batch_ = {};
    batch_octets_ = 0;
    if (!spare_.empty()) {
      batch_.blocks = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  const uint64_t safe = epochs_->Advance();
  while (!garbage_.empty() && garbage_.front().epoch < safe) {
    std::vector<Block>& blocks = garbage_.front().blocks;
    for (const Block& block : blocks) {
      garbage_octets_ -= UnitsOf(block.size_class) * kUnit;
      Push(block.ref, block.size_class);
    }
    blocks.clear();
    if (spare_.size() < 4) spare_.push_back(std::move(blocks));
    garbage_.pop_front();
  }
}

}  // namespace flowacct::lpm
