// A trie over address bits: 16 first, then 8 at a time; each entry is a value's number or the next block.
//
// Leaf-pushed: a shorter prefix fills the entries of a longer one's block that the longer ones leave free, so that a
// look-up ends at its first leaf. Threads: immutable once built.

#ifndef FLOWACCT_LPM_STRIDE_TRIE_H_
#define FLOWACCT_LPM_STRIDE_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::lpm::internal {

class StrideTrie {
 public:
  static constexpr uint32_t kMaxNumber = 0x7fffffff;

  struct Prefix {
    base::IpAddress address;
    uint8_t length;   // in its family
    uint32_t number;  // 1 to kMaxNumber; of two equal prefixes, the later one's counts
  };

  StrideTrie() : first_(size_t{1} << 16) {}
  // The bits of an address begin at its octet `from`: 12 for IPv4, 0 for IPv6.
  static StrideTrie Build(size_t from, std::vector<Prefix> prefixes);

  // 0: none. `bits`: the address from that octet on.
  uint32_t Find(const uint8_t* bits) const {
    uint32_t entry = first_[base::LoadBe16(bits)];
    for (bits += 2; (entry & kBlock) != 0; ++bits) entry = blocks_[(entry ^ kBlock) * size_t{256} + *bits];
    return entry;
  }
  void Prefetch(const uint8_t* bits) const {
    const uint32_t entry = first_[base::LoadBe16(bits)];
    if ((entry & kBlock) != 0) __builtin_prefetch(&blocks_[(entry ^ kBlock) * size_t{256} + bits[2]]);
  }
  size_t octets() const { return 4 * (first_.capacity() + blocks_.capacity()); }

 private:
  static constexpr uint32_t kBlock = 0x80000000;

  std::vector<uint32_t> first_;
  std::vector<uint32_t> blocks_;
};

}  // namespace flowacct::lpm::internal

#endif  // FLOWACCT_LPM_STRIDE_TRIE_H_
