// The most frequent values: Space-Saving (Metwally, Agrawal, El Abbadi, 2005).
//
// Keeps `capacity` values with a count each. As long as no more distinct values are met, the counts are exact. After
// that, every value that is more frequent than total / capacity is there, and a count is too high by at most that
// (Count::error tells by how much at most). A merge keeps these bounds (Agarwal et al., "Mergeable summaries", 2012).
// Ownership: owns its memory. Threads: one at a time. Cost: a scan over at most `capacity` counts of 40 octets.

#ifndef FLOWACCT_AGGREGATE_TOP_SKETCH_H_
#define FLOWACCT_AGGREGATE_TOP_SKETCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowacct::aggregate {

class TopSketch {
 public:
  // A field's octets, the longest being a prefix of 17; zeros after them.
  using Value = std::array<uint64_t, 3>;
  struct Count {
    Value value;
    uint64_t count = 0;
    uint64_t error = 0;  // the true count is between count - error and count
  };

  // Eight times what is shown: then a value shown has at least total / (8 top) records.
  static constexpr size_t Capacity(uint32_t top) { return top < 4 ? 32 : size_t{8} * top; }
  static constexpr size_t MaxOctets(size_t capacity) { return sizeof(TopSketch) + capacity * sizeof(Count); }

  void Add(const Value& value, size_t capacity);
  void Merge(const TopSketch& other, size_t capacity);
  // The most frequent first, ties by value; at most `top`.
  std::vector<Count> Top(uint32_t top) const;
  std::vector<Count>& counts() { return counts_; }
  const std::vector<Count>& counts() const { return counts_; }
  size_t octets() const { return sizeof(*this) + counts_.capacity() * sizeof(Count); }

 private:
  std::vector<Count> counts_;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_TOP_SKETCH_H_
