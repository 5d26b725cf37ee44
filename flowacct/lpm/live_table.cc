#include "flowacct/lpm/live_table.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "flowacct/base/octets.h"
#include "flowacct/lpm/table_node.h"

namespace flowacct::lpm {
namespace {

using internal::Below;
using internal::ChildOf;
using internal::ChildPlace;
using internal::Found;
using internal::Header;
using internal::IsV6;
using internal::Key;
using internal::KeyOf;
using internal::kMaxSkip;
using internal::kPrefixWords;
using internal::LongestIn;
using internal::Node;
using internal::Place;
using internal::Popcount;
using internal::PrefixPlace;
using internal::Ref;
using internal::SkippedOf;
using internal::Slot;

bool HasPopcnt() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("popcnt") != 0;
  return has;
#else
  return false;
#endif
}

// What of an IPv4 address matches within its first 16 bits, from the root.
FLOWACCT_LPM_INLINE LiveTable::Match FindShort(const NodeArena& arena, Ref ref, Key key) {
  LiveTable::Match best;
  unsigned depth = 0;
  while (ref != 0) {
    const Node node(arena.At(ref));
    depth += node.skip();
    if (depth >= 2 || !node.Skips(key)) break;
    key.Skip(node.skip());
    const Found match = LongestIn(node, key.octet());
    if (match.slot != nullptr) {
      best.value = match.slot->load(std::memory_order_acquire);
      best.length = static_cast<uint8_t>(8 * depth + match.length);
    }
    if (++depth == 2) break;
    ref = ChildOf(node, key.octet());
    key.Skip(1);
  }
  return best;
}

FLOWACCT_LPM_INLINE void FindEach(const NodeArena& arena, const LiveTable::Roots& roots, const uint8_t* addresses,
                                  size_t stride, size_t n, LiveTable::Match* found) {
  // So many look-ups at a time go down together, each asking for its next node before the others are looked at. What
  // matches is looked for on the way back, since most often the last node has it.
  constexpr size_t kLanes = 64;
  struct Lane {
    Key key;
    uint8_t depth;   // in octets
    uint8_t passed;  // nodes
    bool by_direct;  // not from the root: what is shorter than 17 bits was not seen
    uint8_t depths[16];
    uint8_t octets[16];
    const uint64_t* nodes[17];
  };
  Lane lanes[kLanes];
  const Ref direct_ref = roots.direct.load(std::memory_order_acquire);
  const Slot* const direct = direct_ref == 0 ? nullptr : reinterpret_cast<const Slot*>(arena.At(direct_ref));
  while (n != 0) {
    const size_t group = std::min(n, kLanes);
    uint8_t active[kLanes];
    size_t actives = 0;
    for (size_t i = 0; i < group; ++i) {
      const uint8_t* address = addresses + i * stride;
      const bool v6 = IsV6(address);
      Lane& lane = lanes[i];
      lane.key = KeyOf(address, v6);
      lane.depth = 0;
      lane.passed = 0;
      Ref first = 0;
      if (direct != nullptr && !v6) {
        first = direct[lane.key.high >> 48].load(std::memory_order_acquire);
        if (first != 0) {
          lane.key.Skip(2);
          lane.depth = 2;
        }
      }
      lane.by_direct = first != 0;
      if (first == 0) first = roots.family[v6].load(std::memory_order_acquire);
      if (first == 0) continue;
      lane.nodes[0] = arena.At(first);
      __builtin_prefetch(lane.nodes[0]);
      __builtin_prefetch(lane.nodes[0] + 8);
      active[actives++] = static_cast<uint8_t>(i);
    }
    while (actives != 0) {
      size_t left = 0;
      for (size_t i = 0; i < actives; ++i) {
        Lane& lane = lanes[active[i]];
        const Node node(lane.nodes[lane.passed]);
        if (!node.Skips(lane.key)) continue;
        lane.key.Skip(node.skip());
        const unsigned octet = lane.key.octet();
        lane.depth = static_cast<uint8_t>(lane.depth + node.skip());
        lane.depths[lane.passed] = lane.depth++;
        lane.octets[lane.passed] = static_cast<uint8_t>(octet);
        ++lane.passed;
        const Ref next = ChildOf(node, octet);
        if (next == 0) continue;
        lane.key.Skip(1);
        const uint64_t* const child = arena.At(next);
        __builtin_prefetch(child);
        __builtin_prefetch(child + 8);
        lane.nodes[lane.passed] = child;
        active[left++] = active[i];
      }
      actives = left;
    }
    const Slot* slots[kLanes];
    for (size_t i = 0; i < group; ++i) {
      const Lane& lane = lanes[i];
      slots[i] = nullptr;
      for (size_t k = lane.passed; k-- != 0;) {
        const Found match = LongestIn(Node(lane.nodes[k]), lane.octets[k]);
        if (match.slot == nullptr) continue;
        __builtin_prefetch(match.slot);
        slots[i] = match.slot;
        found[i].length = static_cast<uint8_t>(8 * lane.depths[k] + match.length);
        break;
      }
    }
    for (size_t i = 0; i < group; ++i) {
      if (slots[i] == nullptr) {
        found[i] = {};
        if (lanes[i].by_direct) {
          found[i] =
              FindShort(arena, roots.family[0].load(std::memory_order_acquire), KeyOf(addresses + i * stride, false));
        }
      } else {
        // Acquire: the value may name something that was made just before it.
        found[i].value = slots[i]->load(std::memory_order_acquire);
      }
    }
    addresses += group * stride;
    found += group;
    n -= group;
  }
}

void FindEachPlain(const NodeArena& arena, const LiveTable::Roots& roots, const uint8_t* addresses, size_t stride,
                   size_t n, LiveTable::Match* found) {
  FindEach(arena, roots, addresses, stride, n, found);
}
FLOWACCT_LPM_POPCNT void FindEachPopcnt(const NodeArena& arena, const LiveTable::Roots& roots, const uint8_t* addresses,
                                        size_t stride, size_t n, LiveTable::Match* found) {
  FindEach(arena, roots, addresses, stride, n, found);
}

// Of a prefix: the depth in octets of the node that has it, and its length there.
struct Target {
  unsigned depth;
  unsigned length;
};
inline Target TargetOf(unsigned prefix_length) {
  if (prefix_length == 0) return {0, 0};
  const unsigned depth = (prefix_length - 1) / 8;
  return {depth, prefix_length - 8 * depth};
}

// Makes, changes and gives back nodes, for the writer.
class Writer {
 public:
  explicit Writer(NodeArena* arena) : arena_(arena) {}

  Node At(Ref ref) const { return Node(arena_->At(ref)); }
  FLOWACCT_LPM_INLINE void Retire(Ref ref) { arena_->Retire(ref, At(ref).octets()); }

  // With one slot, or two.
  Ref NewNode(unsigned skip, uint64_t skipped, Place first, uint32_t first_slot) {
    return NewNode(skip, skipped, &first, &first_slot, 1);
  }
  Ref NewNode(unsigned skip, uint64_t skipped, Place first, uint32_t first_slot, Place second, uint32_t second_slot) {
    Place places[2] = {first, second};
    uint32_t slots[2] = {first_slot, second_slot};
    if (second.word < first.word || (second.word == first.word && second.bit < first.bit)) {
      std::swap(places[0], places[1]);
      std::swap(slots[0], slots[1]);
    }
    return NewNode(skip, skipped, places, slots, 2);
  }

  // A node for `value` alone, and those above it that are needed to skip `gap` octets of `key`.
  Ref NewChain(const Key& key, unsigned gap, unsigned length, uint32_t value) {
    Key rest = key;
    if (gap <= kMaxSkip) {
      rest.Skip(gap);
      return NewNode(gap, SkippedOf(key, gap), PrefixPlace(rest.octet(), length), value);
    }
    rest.Skip(kMaxSkip);
    const unsigned octet = rest.octet();
    rest.Skip(1);
    const Ref child = NewChain(rest, gap - kMaxSkip - 1, length, value);
    return NewNode(kMaxSkip, SkippedOf(key, kMaxSkip), ChildPlace(octet), child);
  }

  // A copy that has one slot more.
  FLOWACCT_LPM_INLINE Ref With(const Node& node, Place place, uint32_t slot) {
    const unsigned old_words = node.word_count();
    const unsigned position = node.PositionOf(place.word);
    const bool had = node.HasWord(place.word);
    const unsigned words = old_words + !had;
    const unsigned slots = node.slot_count();
    const Ref ref = arena_->Allocate(Node::OctetsOf(words, slots + 1));
    uint64_t* const to = arena_->At(ref);
    to[0] = Header(node.mask() | 1u << place.word, node.skip(), slots + 1, node.skipped());
    std::memcpy(to + 1, node.words(), 8 * position);
    const uint64_t word = had ? node.words()[position] : 0;
    to[1 + position] = word | uint64_t{1} << place.bit;
    std::memcpy(to + 2 + position, node.words() + position + had, 8 * (old_words - position - had));
    const uint16_t* from_bases = node.bases();
    uint16_t* to_bases = reinterpret_cast<uint16_t*>(to + 1 + words);
    const unsigned base = position == old_words ? slots : from_bases[position];
    for (unsigned i = 0; i < position; ++i) to_bases[i] = from_bases[i];
    to_bases[position] = static_cast<uint16_t>(base);
    for (unsigned i = position + had; i < old_words; ++i) to_bases[i + !had] = static_cast<uint16_t>(from_bases[i] + 1);
    const unsigned at = base + Popcount(word & Below(place.bit));
    uint32_t* const to_slots = reinterpret_cast<uint32_t*>(to + 1 + words) + (words + 1) / 2;
    const uint32_t* const from_slots = reinterpret_cast<const uint32_t*>(node.slots());
    std::memcpy(to_slots, from_slots, 4 * at);
    to_slots[at] = slot;
    std::memcpy(to_slots + at + 1, from_slots + at, 4 * (slots - at));
    return ref;
  }

  // A copy without a slot that it has; it has others.
  FLOWACCT_LPM_INLINE Ref Without(const Node& node, Place place) {
    const unsigned old_words = node.word_count();
    const unsigned position = node.PositionOf(place.word);
    const uint64_t word = node.words()[position] & ~(uint64_t{1} << place.bit);
    const bool keeps = word != 0;
    const unsigned words = old_words - !keeps;
    const unsigned slots = node.slot_count();
    const Ref ref = arena_->Allocate(Node::OctetsOf(words, slots - 1));
    uint64_t* const to = arena_->At(ref);
    to[0] = Header(keeps ? node.mask() : node.mask() & ~(1u << place.word), node.skip(), slots - 1, node.skipped());
    std::memcpy(to + 1, node.words(), 8 * position);
    if (keeps) to[1 + position] = word;
    std::memcpy(to + 1 + position + keeps, node.words() + position + 1, 8 * (old_words - position - 1));
    const uint16_t* from_bases = node.bases();
    uint16_t* to_bases = reinterpret_cast<uint16_t*>(to + 1 + words);
    for (unsigned i = 0; i < position; ++i) to_bases[i] = from_bases[i];
    if (keeps) to_bases[position] = from_bases[position];
    for (unsigned i = position + 1; i < old_words; ++i) {
      to_bases[i - !keeps] = static_cast<uint16_t>(from_bases[i] - 1);
    }
    const unsigned at = from_bases[position] + Popcount(word & Below(place.bit));
    uint32_t* const to_slots = reinterpret_cast<uint32_t*>(to + 1 + words) + (words + 1) / 2;
    const uint32_t* const from_slots = reinterpret_cast<const uint32_t*>(node.slots());
    std::memcpy(to_slots, from_slots, 4 * at);
    std::memcpy(to_slots + at, from_slots + at + 1, 4 * (slots - at - 1));
    return ref;
  }

  // A copy that skips other octets.
  FLOWACCT_LPM_INLINE Ref WithSkip(const Node& node, unsigned skip, uint64_t skipped) {
    const size_t octets = node.octets();
    const Ref ref = arena_->Allocate(octets);
    uint64_t* const to = arena_->At(ref);
    std::memcpy(to, node.at, octets);
    to[0] = Header(node.mask(), skip, node.slot_count(), skipped);
    return ref;
  }

 private:
  Ref NewNode(unsigned skip, uint64_t skipped, const Place* places, const uint32_t* values, unsigned n) {
    const bool shared = n == 2 && places[0].word == places[1].word;
    const unsigned words = shared ? 1 : n;
    const Ref ref = arena_->Allocate(Node::OctetsOf(words, n));
    uint64_t* const to = arena_->At(ref);
    unsigned mask = 0;
    uint16_t* const bases = reinterpret_cast<uint16_t*>(to + 1 + words);
    uint32_t* const slots = reinterpret_cast<uint32_t*>(to + 1 + words) + (words + 1) / 2;
    for (unsigned i = 0; i < n; ++i) {
      const unsigned position = shared ? 0 : i;
      if (!shared || i == 0) {
        to[1 + position] = 0;
        bases[position] = static_cast<uint16_t>(i);
      }
      to[1 + position] |= uint64_t{1} << places[i].bit;
      mask |= 1u << places[i].word;
      slots[i] = values[i];
    }
    to[0] = Header(mask, skip, n, skipped);
    return ref;
  }

  NodeArena* arena_;
};

inline bool V6Of(const base::IpPrefix& prefix) { return !prefix.address().IsV4(); }

constexpr size_t kDirectOctets = 4 * (size_t{1} << 16);

inline uint32_t First16(const base::IpPrefix& prefix) { return base::LoadBe16(prefix.address().data() + 12); }

}  // namespace

uint32_t LiveTable::NodeBelow(uint32_t first16) const {
  Key key{uint64_t{first16} << 48, 0};
  unsigned depth = 0;
  Ref ref = roots_.family[0].load(std::memory_order_relaxed);
  while (ref != 0 && depth < 2) {
    const Node node(arena_->At(ref));
    depth += node.skip();
    if (depth >= 2 || !node.Skips(key)) return 0;
    key.Skip(node.skip());
    ref = ChildOf(node, key.octet());
    key.Skip(1);
    ++depth;
  }
  return ref;
}

void LiveTable::SetDirect(uint32_t first16, uint32_t node) {
  reinterpret_cast<Slot*>(arena_->At(roots_.direct.load(std::memory_order_relaxed)))[first16].store(
      node, std::memory_order_release);
}

void LiveTable::GrowDirect() {
  if (arena_->full()) return;
  const Ref ref = arena_->Allocate(kDirectOctets);
  uint32_t* const nodes = reinterpret_cast<uint32_t*>(arena_->At(ref));
  for (uint32_t first16 = 0; first16 < 1 << 16; ++first16) nodes[first16] = NodeBelow(first16);
  roots_.direct.store(ref, std::memory_order_release);
}

void LiveTable::DropDirect() {
  const Ref ref = roots_.direct.load(std::memory_order_relaxed);
  if (ref == 0) return;
  roots_.direct.store(0, std::memory_order_release);
  arena_->Retire(ref, kDirectOctets);
}

FLOWACCT_LPM_INLINE uint32_t LiveTable::InsertBody(const base::IpPrefix& prefix, uint32_t value) {
  const bool v6 = V6Of(prefix);
  const Target target = TargetOf(prefix.length());
  Writer writer(arena_);
  Key key = KeyOf(prefix.address().data(), v6);
  unsigned depth = 0;  // in octets, of where `link` leads to, before what is skipped there
  Slot* link = &roots_.family[v6];
  const bool direct = !v6 && roots_.direct.load(std::memory_order_relaxed) != 0;
  const auto replace = [&](Ref ref, Ref with, unsigned link_depth) {
    link->store(with, std::memory_order_release);
    if (direct && link_depth == 2) {
      SetDirect(First16(prefix), with);
    } else if (direct && link_depth < 2) {
      SetDirect(First16(prefix), NodeBelow(First16(prefix)));
    }
    if (ref != 0) writer.Retire(ref);
  };
  while (true) {
    const Ref ref = link->load(std::memory_order_relaxed);
    const unsigned link_depth = depth;
    if (ref == 0) {
      replace(0, writer.NewChain(key, target.depth - depth, target.length, value), link_depth);
      break;
    }
    const Node node = writer.At(ref);
    const unsigned skip = node.skip();
    unsigned common = 0;
    const unsigned limit = std::min(skip, target.depth - depth);
    Key rest = key;
    while (common < limit && rest.octet() == node.skipped_octet(common)) {
      ++common;
      rest.Skip(1);
    }
    if (common < skip) {
      // The path ends or forks among the octets that the node skips: a new node there, and the old one below it.
      const Ref below = writer.WithSkip(node, skip - common - 1, (node.skipped() << (8 * (common + 1))) & 0xffffffff);
      const Place place = ChildPlace(node.skipped_octet(common));
      const uint64_t skipped = SkippedOf(key, common);
      Ref fork;
      if (target.depth == depth + common) {
        fork = writer.NewNode(common, skipped, PrefixPlace(rest.octet(), target.length), value, place, below);
      } else {
        Key after = rest;
        after.Skip(1);
        const Ref leaf = writer.NewChain(after, target.depth - depth - common - 1, target.length, value);
        fork = writer.NewNode(common, skipped, ChildPlace(rest.octet()), leaf, place, below);
      }
      link->store(fork, std::memory_order_release);
      if (direct && depth + common == 1) {
        const uint32_t octet = depth == 0 ? node.skipped_octet(0) : First16(prefix) >> 8;
        const uint32_t first16 = octet << 8 | node.skipped_octet(common);
        SetDirect(first16, NodeBelow(first16));
      }
      replace(ref, fork, link_depth);
      break;
    }
    key = rest;
    depth += skip;
    if (depth == target.depth) {
      const Place place = PrefixPlace(key.octet(), target.length);
      if (node.Has(place)) {
        Slot& slot = node.slots()[node.SlotOf(place)];
        const uint32_t old = slot.load(std::memory_order_relaxed);
        slot.store(value, std::memory_order_release);
        return old;
      }
      replace(ref, writer.With(node, place, value), link_depth);
      break;
    }
    const Place place = ChildPlace(key.octet());
    key.Skip(1);
    ++depth;
    if (node.Has(place)) {
      link = &node.slots()[node.SlotOf(place)];
      continue;
    }
    const Ref leaf = writer.NewChain(key, target.depth - depth, target.length, value);
    replace(ref, writer.With(node, place, leaf), link_depth);
    break;
  }
  ++sizes_[v6];
  if (!v6 && !direct && sizes_[0] >= direct_above_) GrowDirect();
  return kNone;
}

FLOWACCT_LPM_INLINE uint32_t LiveTable::EraseBody(const base::IpPrefix& prefix) {
  const bool v6 = V6Of(prefix);
  const Target target = TargetOf(prefix.length());
  Writer writer(arena_);
  Key key = KeyOf(prefix.address().data(), v6);
  struct Level {
    Slot* link;
    Place place;     // of what goes, in the node behind link
    unsigned depth;  // of that node
  };
  std::array<Level, 17> levels;
  size_t level = 0;
  unsigned depth = 0;
  uint32_t value;
  for (Slot* link = &roots_.family[v6];;) {
    const Ref ref = link->load(std::memory_order_relaxed);
    if (ref == 0) return kNone;
    const Node node = writer.At(ref);
    depth += node.skip();
    if (depth > target.depth || !node.Skips(key)) return kNone;
    key.Skip(node.skip());
    const bool last = depth == target.depth;
    const Place place = last ? PrefixPlace(key.octet(), target.length) : ChildPlace(key.octet());
    if (!node.Has(place)) return kNone;
    levels[level++] = {link, place, depth};
    Slot* const slot = &node.slots()[node.SlotOf(place)];
    if (last) {
      value = slot->load(std::memory_order_relaxed);
      break;
    }
    link = slot;
    key.Skip(1);
    ++depth;
  }
  --sizes_[v6];
  // A node that has nothing left goes from its parent, too. Nothing is retired before it is unlinked.
  std::array<Ref, 18> unlinked;
  size_t unlinked_count = 0;
  const bool direct = !v6 && roots_.direct.load(std::memory_order_relaxed) != 0;
  const auto replace = [&](Slot* link, Ref with) {
    link->store(with, std::memory_order_release);
    if (direct) {
      SetDirect(First16(prefix), NodeBelow(First16(prefix)));
      if (sizes_[0] < direct_above_ / 4) DropDirect();
    }
    for (size_t i = 0; i < unlinked_count; ++i) writer.Retire(unlinked[i]);
    return value;
  };
  while (true) {
    const Level at = levels[--level];
    const Ref ref = at.link->load(std::memory_order_relaxed);
    const Node node = writer.At(ref);
    if (node.slot_count() == 1) {
      unlinked[unlinked_count++] = ref;
      if (level == 0) return replace(at.link, 0);
      continue;
    }
    unlinked[unlinked_count++] = ref;
    const unsigned other = node.SlotOf(at.place) == 0 ? 1 : 0;
    if (node.slot_count() == 2 && other >= node.value_count()) {
      // One child alone: it skips what this node skips and the octet between, if it can.
      const Ref child_ref = node.slots()[other].load(std::memory_order_relaxed);
      const Node child = writer.At(child_ref);
      const unsigned skip = node.skip() + 1 + child.skip();
      if (skip <= kMaxSkip) {
        const unsigned position = node.word_count() - 1;
        unsigned word = 31 - static_cast<unsigned>(__builtin_clz(node.mask()));
        uint64_t bits = node.words()[position];
        if (at.place.word == word) {
          bits &= ~(uint64_t{1} << at.place.bit);
          if (bits == 0) {
            word = 31 - static_cast<unsigned>(__builtin_clz(node.mask() & ~(1u << word)));
            bits = node.words()[position - 1];
          }
        }
        const unsigned octet =
            64 * (word - static_cast<unsigned>(kPrefixWords)) + static_cast<unsigned>(__builtin_ctzll(bits));
        const uint64_t skipped =
            node.skipped() | uint64_t{octet} << (24 - 8 * node.skip()) | child.skipped() >> (8 * (node.skip() + 1));
        unlinked[unlinked_count++] = child_ref;
        const Ref merged = writer.WithSkip(child, skip, skipped);
        at.link->store(merged, std::memory_order_release);
        if (direct && at.depth == 1) {
          const uint32_t first16 = (First16(prefix) & 0xff00) | octet;
          SetDirect(first16, NodeBelow(first16));
        }
        return replace(at.link, merged);
      }
    }
    return replace(at.link, writer.Without(node, at.place));
  }
}

uint32_t LiveTable::Get(const base::IpPrefix& prefix) const {
  const bool v6 = V6Of(prefix);
  const Target target = TargetOf(prefix.length());
  Key key = KeyOf(prefix.address().data(), v6);
  unsigned depth = 0;
  Ref ref = roots_.family[v6].load(std::memory_order_acquire);
  while (ref != 0) {
    const Node node(arena_->At(ref));
    depth += node.skip();
    if (depth > target.depth || !node.Skips(key)) return kNone;
    key.Skip(node.skip());
    const bool last = depth == target.depth;
    const Place place = last ? PrefixPlace(key.octet(), target.length) : ChildPlace(key.octet());
    if (!node.Has(place)) return kNone;
    const uint32_t slot = node.slots()[node.SlotOf(place)].load(std::memory_order_acquire);
    if (last) return slot;
    ref = slot;
    key.Skip(1);
    ++depth;
  }
  return kNone;
}

FLOWACCT_LPM_INLINE void LiveTable::PrefetchBody(const base::IpPrefix& prefix) const {
  const bool v6 = V6Of(prefix);
  const Target target = TargetOf(prefix.length());
  Key key = KeyOf(prefix.address().data(), v6);
  unsigned depth = 0;
  Ref ref = roots_.family[v6].load(std::memory_order_relaxed);
  const Ref direct = v6 ? 0 : roots_.direct.load(std::memory_order_relaxed);
  if (direct != 0) {
    depth = 2;
    ref = reinterpret_cast<const Slot*>(arena_->At(direct))[First16(prefix)].load(std::memory_order_relaxed);
  }
  while (ref != 0) {
    const uint64_t* const words = arena_->At(ref);
    if (depth >= 2) {  // what is above is used all the time
      __builtin_prefetch(words);
      __builtin_prefetch(words + 8);
      __builtin_prefetch(words + 16);
      return;
    }
    const Node node(words);
    depth += node.skip();
    if (depth >= target.depth || !node.Skips(key)) return;
    key.Skip(node.skip());
    ref = ChildOf(node, key.octet());
    key.Skip(1);
    ++depth;
  }
}

FLOWACCT_LPM_POPCNT uint32_t LiveTable::InsertPopcnt(const base::IpPrefix& prefix, uint32_t value) {
  return InsertBody(prefix, value);
}
FLOWACCT_LPM_POPCNT uint32_t LiveTable::ErasePopcnt(const base::IpPrefix& prefix) { return EraseBody(prefix); }
FLOWACCT_LPM_POPCNT void LiveTable::PrefetchPopcnt(const base::IpPrefix& prefix) const { PrefetchBody(prefix); }

uint32_t LiveTable::Insert(const base::IpPrefix& prefix, uint32_t value) {
  return HasPopcnt() ? InsertPopcnt(prefix, value) : InsertBody(prefix, value);
}
uint32_t LiveTable::Erase(const base::IpPrefix& prefix) {
  return HasPopcnt() ? ErasePopcnt(prefix) : EraseBody(prefix);
}
void LiveTable::PrefetchForWrite(const base::IpPrefix& prefix) const {
  if (HasPopcnt()) {
    PrefetchPopcnt(prefix);
  } else {
    PrefetchBody(prefix);
  }
}

LiveTable::Match LiveTable::Find(const base::IpAddress& address) const {
  Match match;
  FindBatch(address.data(), 0, 1, &match);
  return match;
}

void LiveTable::FindBatch(const uint8_t* addresses, size_t stride, size_t n, Match* found) const {
  (HasPopcnt() ? FindEachPopcnt : FindEachPlain)(*arena_, roots_, addresses, stride, n, found);
}

}  // namespace flowacct::lpm
