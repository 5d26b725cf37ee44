// A queue of nodes by distance for Dijkstra's algorithm: a radix heap.
//
// Guarantees: Pop gives the least distance; none that is pushed may be less than the last one popped. A node may be in
// it several times; what a shorter way has overtaken is dropped on the way. Ownership: a value. Threads: one at a time.
// Errors: none. Cost: a push is constant; each entry moves at most once for each bit in which distances differ.

#ifndef FLOWACCT_TOPOLOGY_DISTANCE_QUEUE_H_
#define FLOWACCT_TOPOLOGY_DISTANCE_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowacct::topology {

class DistanceQueue {
 public:
  struct Entry {
    uint32_t distance, node;
  };

  void Clear() {
    for (auto& bucket : buckets_) bucket.clear();
    filled_ = 0;
    last_ = 0;
  }
  void Push(uint32_t distance, uint32_t node) {
    const unsigned b = BucketOf(distance);
    buckets_[b].push_back({distance, node});
    filled_ |= uint64_t{1} << b;
  }
  // False: it is empty. `distances`: the shortest known of each node; an entry that is longer is dropped.
  template <typename Cell>
  bool Pop(const Cell* distances, Entry* entry) {
    while (filled_ != 0) {
      if ((filled_ & 1) == 0) Spread(distances);
      auto& least = buckets_[0];
      while (!least.empty()) {
        *entry = least.back();
        least.pop_back();
        if (static_cast<uint32_t>(distances[entry->node]) == entry->distance) {
          if (least.empty()) filled_ &= ~uint64_t{1};
          return true;
        }
      }
      filled_ &= ~uint64_t{1};
    }
    return false;
  }

 private:
  // 0: equal to the last one; else the highest bit in which it differs, counted from 1.
  unsigned BucketOf(uint32_t distance) const {
    const uint32_t differs = distance ^ last_;
    return differs == 0 ? 0 : 32 - static_cast<unsigned>(__builtin_clz(differs));
  }
  // The least bucket that has entries, into those below it.
  template <typename Cell>
  void Spread(const Cell* distances) {
    const unsigned b = static_cast<unsigned>(__builtin_ctzll(filled_));
    auto& bucket = buckets_[b];
    filled_ &= ~(uint64_t{1} << b);
    uint32_t least = ~uint32_t{0};
    size_t kept = 0;
    for (const Entry& e : bucket) {
      if (static_cast<uint32_t>(distances[e.node]) != e.distance) continue;
      least = e.distance < least ? e.distance : least;
      bucket[kept++] = e;
    }
    if (kept == 0) {
      bucket.clear();
      return;
    }
    last_ = least;
    for (size_t i = 0; i < kept; ++i) Push(bucket[i].distance, bucket[i].node);  // into lower ones
    bucket.clear();
  }

  std::array<std::vector<Entry>, 33> buckets_;
  uint64_t filled_ = 0;  // a bit for each bucket that has entries
  uint32_t last_ = 0;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_DISTANCE_QUEUE_H_
