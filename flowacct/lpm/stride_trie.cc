#include "flowacct/lpm/stride_trie.h"

#include <algorithm>
#include <utility>

namespace flowacct::lpm::internal {

StrideTrie StrideTrie::Build(size_t from, std::vector<Prefix> prefixes) {
  // Shorter ones first, so that longer ones write over them, and equal ones in the order in which they came.
  std::stable_sort(prefixes.begin(), prefixes.end(),
                   [](const Prefix& a, const Prefix& b) { return a.length < b.length; });
  StrideTrie trie;
  for (const Prefix& prefix : prefixes) {
    const uint8_t* bits = prefix.address.data() + from;
    const size_t length = prefix.length;
    if (length <= 16) {
      const size_t begin = base::LoadBe16(bits);
      std::fill_n(trie.first_.begin() + static_cast<ptrdiff_t>(begin), size_t{1} << (16 - length), prefix.number);
      continue;
    }
    // Down to the block that the prefix ends in; what was a leaf on the way becomes a block full of it.
    std::vector<uint32_t>* level = &trie.first_;
    size_t at = base::LoadBe16(bits);
    size_t depth = 16;
    while (true) {
      const uint32_t entry = (*level)[at];
      size_t block = entry ^ kBlock;
      if ((entry & kBlock) == 0) {
        block = trie.blocks_.size() / 256;
        (*level)[at] = kBlock | static_cast<uint32_t>(block);
        trie.blocks_.resize(trie.blocks_.size() + 256, entry);
      }
      level = &trie.blocks_;
      at = block * 256 + bits[depth / 8];
      if (length <= depth + 8) break;
      depth += 8;
    }
    std::fill_n(trie.blocks_.begin() + static_cast<ptrdiff_t>(at), size_t{1} << (depth + 8 - length), prefix.number);
  }
  trie.blocks_.shrink_to_fit();
  return trie;
}

}  // namespace flowacct::lpm::internal
