// A node of a live table: how its prefixes and children lie in it, and how one is looked for. Internal to live_table.h.
//
// Threads: the writer makes a node before anybody sees it; of one that is seen only slots change. Cost: LongestIn and
// ChildOf are some ten instructions and a cache line each.

#ifndef FLOWACCT_LPM_TABLE_NODE_H_
#define FLOWACCT_LPM_TABLE_NODE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "flowacct/base/octets.h"
#include "flowacct/lpm/node_arena.h"

// The baseline of x86-64 counts bits by a table; every processor since 2008 has an instruction. What counts bits all
// the time is therefore compiled twice, from parts that are always inlined.
#define FLOWACCT_LPM_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__)
#define FLOWACCT_LPM_POPCNT __attribute__((target("popcnt")))
#else
#define FLOWACCT_LPM_POPCNT
#endif

namespace flowacct::lpm::internal {

// A node, in words of 8 octets. It stands for a whole number of octets of an address, its depth, and has the values of
// prefixes that end in its next octet and the children for values of that octet.
//
//     header | words | bases | slots
//
//     header  bits 0-11: which of twelve words there are; 12-14: octets skipped; 15-24: slots; 32-63: the octets
//     skipped,
//             from the left. A node is reached by its parent's octet and then the octets that it skips.
//     words   0-7: a heap of 512 bits: prefix bits b of length l (0 to 8; 0 only for the default route) are bit
//             2^l + b. So lengths to 5 are word 0, 6 word 1, 7 words 2-3, 8 words 4-7.
//             8-11: the octets for which there is a child.
//             Words that are zero are left out.
//     bases   16 bits for each word: the slot of its first bit that is set
//     slots   32 bits for each bit that is set, in order: values, then children
using Ref = NodeArena::Ref;
using Slot = std::atomic<uint32_t>;
static_assert(sizeof(Slot) == sizeof(uint32_t) && Slot::is_always_lock_free);

constexpr size_t kPrefixWords = 8;
constexpr uint64_t kPrefixMask = (1 << kPrefixWords) - 1;
constexpr unsigned kMaxSkip = 4;

FLOWACCT_LPM_INLINE unsigned Popcount(uint64_t x) { return static_cast<unsigned>(__builtin_popcountll(x)); }
FLOWACCT_LPM_INLINE uint64_t Below(unsigned bit) { return (uint64_t{1} << bit) - 1; }

// For the five highest bits of an octet: its prefixes of length 0 to 5 in the heap's first word.
constexpr std::array<uint64_t, 32> MakeShortPrefixes() {
  std::array<uint64_t, 32> table{};
  for (unsigned bits = 0; bits < 32; ++bits) {
    for (unsigned length = 0; length <= 5; ++length)
      table[bits] |= uint64_t{1} << ((1u << length) + (bits >> (5 - length)));
  }
  return table;
}
constexpr std::array<uint64_t, 32> kShortPrefixes = MakeShortPrefixes();

// Where a prefix or a child is in its node.
struct Place {
  unsigned word;
  unsigned bit;
};
inline Place PrefixPlace(unsigned octet, unsigned length) {
  const unsigned index = (1u << length) | (octet >> (8 - length));
  return {index >> 6, index & 63};
}
inline Place ChildPlace(unsigned octet) { return {static_cast<unsigned>(kPrefixWords) + (octet >> 6), octet & 63}; }

// What is left of an address, from the left.
struct Key {
  uint64_t high;
  uint64_t low;

  unsigned octet() const { return static_cast<unsigned>(high >> 56); }
  void Skip(unsigned octets) {
    if (octets == 0) return;
    high = high << (8 * octets) | low >> (64 - 8 * octets);
    low <<= 8 * octets;
  }
};
inline Key KeyOf(const uint8_t* address, bool v6) {
  if (!v6) return {uint64_t{base::LoadBe32(address + 12)} << 32, 0};
  return {base::LoadBe64(address), base::LoadBe64(address + 8)};
}
inline bool IsV6(const uint8_t* address) {
  return base::LoadHost<uint64_t>(address) != 0 || base::LoadBe32(address + 8) != 0xffff;
}

struct Node {
  const uint64_t* at;
  uint64_t header;

  explicit Node(const uint64_t* words) : at(words), header(words[0]) {}

  unsigned mask() const { return header & 0xfff; }
  unsigned skip() const { return header >> 12 & 7; }
  unsigned slot_count() const { return header >> 15 & 0x3ff; }
  uint64_t skipped() const { return header >> 32; }  // left-aligned in 32 bits
  unsigned skipped_octet(unsigned i) const { return header >> (56 - 8 * i) & 0xff; }

  FLOWACCT_LPM_INLINE unsigned word_count() const { return Popcount(mask()); }
  const uint64_t* words() const { return at + 1; }
  FLOWACCT_LPM_INLINE const uint16_t* bases() const { return reinterpret_cast<const uint16_t*>(at + 1 + word_count()); }
  FLOWACCT_LPM_INLINE Slot* slots() const {
    const unsigned n = word_count();
    return reinterpret_cast<Slot*>(const_cast<uint64_t*>(at + 1 + n)) + (n + 1) / 2;
  }
  FLOWACCT_LPM_INLINE unsigned PositionOf(unsigned word) const { return Popcount(mask() & Below(word)); }
  bool HasWord(unsigned word) const { return (mask() >> word & 1) != 0; }
  FLOWACCT_LPM_INLINE bool Has(Place place) const {
    return HasWord(place.word) && (words()[PositionOf(place.word)] >> place.bit & 1) != 0;
  }
  // Of a place that it has.
  FLOWACCT_LPM_INLINE unsigned SlotOf(Place place) const {
    const unsigned position = PositionOf(place.word);
    return bases()[position] + Popcount(words()[position] & Below(place.bit));
  }
  FLOWACCT_LPM_INLINE unsigned value_count() const {
    return (mask() >> kPrefixWords) == 0 ? slot_count() : bases()[Popcount(mask() & kPrefixMask)];
  }
  bool Skips(const Key& key) const { return ((key.high >> 32 ^ skipped()) & 0xffffffff) >> (32 - 8 * skip()) == 0; }
  FLOWACCT_LPM_INLINE size_t octets() const { return OctetsOf(word_count(), slot_count()); }

  static size_t OctetsOf(size_t words, size_t slots) { return 8 + 8 * words + 4 * ((words + 1) / 2) + 4 * slots; }
};

constexpr uint64_t Header(unsigned mask, unsigned skip, unsigned slots, uint64_t skipped) {
  return mask | uint64_t{skip} << 12 | uint64_t{slots} << 15 | skipped << 32;
}
// The first `n` octets of what is left of an address, as a header has them.
inline uint64_t SkippedOf(const Key& key, unsigned n) {
  return n == 0 ? 0 : (key.high >> 32) >> (32 - 8 * n) << (32 - 8 * n);
}

// The slot of the longest prefix in a node that the octet after it matches, and how much of the octet; null: none.
struct Found {
  const Slot* slot;
  unsigned length;
};
FLOWACCT_LPM_INLINE Found LongestIn(const Node& node, unsigned octet) {
  const unsigned mask = node.mask();
  const uint64_t* words = node.words();
  const auto masked = [&](unsigned word, uint64_t bits, unsigned* position) {
    // The first word stands in for one that is not there.
    const uint64_t there = mask >> word & 1;
    *position = there != 0 ? Popcount(mask & Below(word)) : 0;
    return words[*position] & bits & (0 - there);
  };
  unsigned positions[4];
  const uint64_t short_bits = masked(0, kShortPrefixes[octet >> 3], &positions[0]);
  const uint64_t bits6 = masked(1, uint64_t{1} << (octet >> 2), &positions[1]);
  const uint64_t bits7 = masked(2 + (octet >> 7), uint64_t{1} << (octet >> 1 & 63), &positions[2]);
  const uint64_t bits8 = masked(4 + (octet >> 6), uint64_t{1} << (octet & 63), &positions[3]);
  if ((short_bits | bits6 | bits7 | bits8) == 0) return {nullptr, 0};
  uint64_t bits = short_bits;
  unsigned position = positions[0];
  unsigned length = 31 - static_cast<unsigned>(__builtin_clz(63 - static_cast<unsigned>(__builtin_clzll(bits | 2))));
  if (bits6 != 0) bits = bits6, position = positions[1], length = 6;
  if (bits7 != 0) bits = bits7, position = positions[2], length = 7;
  if (bits8 != 0) bits = bits8, position = positions[3], length = 8;
  const unsigned bit = 63 - static_cast<unsigned>(__builtin_clzll(bits));
  return {node.slots() + node.bases()[position] + Popcount(words[position] & Below(bit)), length};
}

// The child for an octet; 0: none.
FLOWACCT_LPM_INLINE Ref ChildOf(const Node& node, unsigned octet) {
  const Place place = ChildPlace(octet);
  const unsigned mask = node.mask();
  if ((mask >> place.word & 1) == 0) return 0;
  const unsigned position = Popcount(mask & Below(place.word));
  const uint64_t word = node.words()[position];
  if ((word >> place.bit & 1) == 0) return 0;
  return node.slots()[node.bases()[position] + Popcount(word & Below(place.bit))].load(std::memory_order_acquire);
}

}  // namespace flowacct::lpm::internal

#endif  // FLOWACCT_LPM_TABLE_NODE_H_
