// Going through all of a table, and taking one apart.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "flowacct/lpm/live_table.h"
#include "flowacct/lpm/table_node.h"

namespace flowacct::lpm {
namespace {

using internal::ChildPlace;
using internal::Node;
using internal::Place;
using internal::PrefixPlace;
using internal::Ref;

// The octets at which a prefix of a node begins, or for which there is a child, as 256 bits.
std::array<uint64_t, 4> StartsOf(const Node& node) {
  std::array<uint64_t, 4> starts{};
  unsigned position = 0;
  for (unsigned rest = node.mask(); rest != 0; rest &= rest - 1, ++position) {
    const unsigned word = static_cast<unsigned>(__builtin_ctz(rest));
    uint64_t bits = node.words()[position];
    if (word >= 4) {
      starts[word % 4] |= bits;
      continue;
    }
    for (; bits != 0; bits &= bits - 1) {
      const unsigned index = 64 * word + static_cast<unsigned>(__builtin_ctzll(bits));
      const unsigned length = 31 - static_cast<unsigned>(__builtin_clz(index));
      const unsigned octet = (index - (1u << length)) << (8 - length);
      starts[octet / 64] |= uint64_t{1} << (octet % 64);
    }
  }
  return starts;
}

// Calls `visit` in order; false once that did. `address` has the octets above `depth`. `from`: only what comes after
// it; null: all.
bool WalkNode(const NodeArena& arena, Ref ref, bool v6, base::IpAddress* address, unsigned depth,
              const base::IpPrefix* from, absl::FunctionRef<bool(const base::IpPrefix&, uint32_t)> visit) {
  const Node node(arena.At(ref));
  uint8_t* const octets = address->data() + (v6 ? 0 : 12);
  for (unsigned i = 0; i < node.skip(); ++i) octets[depth++] = static_cast<uint8_t>(node.skipped_octet(i));
  unsigned begin = 0;
  if (from != nullptr) {
    const uint8_t* const bound = from->address().data() + (v6 ? 0 : 12);
    const int order = std::memcmp(octets, bound, depth);
    if (order < 0) {
      std::memset(octets + depth - node.skip(), 0, node.skip());
      return true;
    }
    if (order > 0) from = nullptr;
    if (from != nullptr) begin = bound[depth];
  }
  const std::array<uint64_t, 4> starts = StartsOf(node);
  bool more = true;
  for (unsigned octet = begin; octet < 256 && more; ++octet) {
    // On to the next octet at which something is.
    const uint64_t word = starts[octet / 64] >> (octet % 64);
    if (word == 0) {
      octet |= 63;
      continue;
    }
    octet += static_cast<unsigned>(__builtin_ctzll(word));
    octets[depth] = static_cast<uint8_t>(octet);
    const base::IpPrefix* const here = octet == begin ? from : nullptr;
    const unsigned shortest = octet == 0 ? 0 : 8 - static_cast<unsigned>(__builtin_ctz(octet));
    for (unsigned length = shortest; length <= 8 && more; ++length) {
      const Place place = PrefixPlace(octet, length);
      if (!node.Has(place)) continue;
      const base::IpPrefix prefix(*address, static_cast<uint8_t>(8 * depth + length));
      if (here != nullptr && !(*here < prefix)) continue;
      more = visit(prefix, node.slots()[node.SlotOf(place)].load(std::memory_order_acquire));
    }
    const Place place = ChildPlace(octet);
    if (more && node.Has(place)) {
      more = WalkNode(arena, node.slots()[node.SlotOf(place)].load(std::memory_order_acquire), v6, address, depth + 1,
                      here, visit);
    }
  }
  octets[depth] = 0;
  std::memset(octets + depth - node.skip(), 0, node.skip());
  return more;
}

}  // namespace

void LiveTable::Walk(bool v6, const base::IpPrefix* from,
                     absl::FunctionRef<bool(const base::IpPrefix&, uint32_t)> visit) const {
  const Ref root = roots_.family[v6].load(std::memory_order_acquire);
  if (root == 0) return;
  base::IpAddress address = v6 ? base::IpAddress() : base::IpAddress::V4(0);
  WalkNode(*arena_, root, v6, &address, 0, from, visit);
}

LiveTable::Dismantler LiveTable::Detach() {
  Dismantler dismantler(arena_);
  for (size_t family = 0; family < 2; ++family) {
    const Ref root = roots_.family[family].exchange(0, std::memory_order_acq_rel);
    if (root != 0) dismantler.nodes_.push_back(root);
    sizes_[family] = 0;
  }
  DropDirect();
  dismantler.epoch_ = arena_->epochs()->now();
  return dismantler;
}

LiveTable::~LiveTable() { Detach(); }

LiveTable::Dismantler& LiveTable::Dismantler::operator=(Dismantler&& other) noexcept {
  std::swap(arena_, other.arena_);
  std::swap(epoch_, other.epoch_);
  std::swap(unseen_, other.unseen_);
  std::swap(nodes_, other.nodes_);
  return *this;
}

bool LiveTable::Dismantler::Step(size_t max_nodes, absl::FunctionRef<void(uint32_t value)> value) {
  if (nodes_.empty()) return false;
  if (!unseen_) {
    unseen_ = arena_->epochs()->Advance() > epoch_;
    if (!unseen_) return true;
  }
  for (; max_nodes != 0 && !nodes_.empty(); --max_nodes) {
    const Ref ref = nodes_.back();
    nodes_.pop_back();
    const Node node(arena_->At(ref));
    const unsigned values = node.value_count();
    const unsigned slots = node.slot_count();
    for (unsigned i = 0; i < values; ++i) value(node.slots()[i].load(std::memory_order_relaxed));
    for (unsigned i = values; i < slots; ++i) {
      const Ref child = node.slots()[i].load(std::memory_order_relaxed);
      __builtin_prefetch(arena_->At(child));
      nodes_.push_back(child);
    }
    arena_->Free(ref, node.octets());
  }
  return !nodes_.empty();
}

LiveTable::Dismantler::~Dismantler() {
  // Readers may still be there: each node waits for its epoch like any other garbage.
  while (!nodes_.empty()) {
    const Ref ref = nodes_.back();
    nodes_.pop_back();
    const Node node(arena_->At(ref));
    for (unsigned i = node.value_count(); i < node.slot_count(); ++i) {
      nodes_.push_back(node.slots()[i].load(std::memory_order_relaxed));
    }
    arena_->Retire(ref, node.octets());
  }
}

}  // namespace flowacct::lpm
