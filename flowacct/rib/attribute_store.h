// Keeps each set of path attributes once, however many routes share it.
//
//     block:  references 32 | hash 32 | length 16 | serial 16 | octets        in an arena, lpm/node_arena.h
//     index:  hash 32 | id 32, a flat table in the order of hashes, probed linearly, 64 to 80 % full
//
// An id is where the block lies. When the last reference goes the set leaves the index at once, and its octets stay
// until every reader that may have found it has gone on; only then may the id come to mean another set. So an id is
// good for who holds a reference, and for a reader until it is quiescent. Who keeps what he derived from an id for
// longer holds a reference, or compares serial().
//
// Standard: none; the octets are those of bgp/attribute_set.h, but nothing here looks into them. Ownership: blocks are
// the arena's, which outlives it. Threads: Find and serial by any reader that is online; all else by the writer.
// Errors: Intern gives kNone where a bound forbids a new set, and counts it. The hash has a secret, so that a stranger
// cannot choose sets that collide. Cost: a hash of the octets (10-20 ns) and two cache lines; when the index grows it
// is merged over in one go, 2 ns a set. Memory: octets + 12 rounded up to the arena's classes, and 10 to 12.5 of index.

#ifndef FLOWACCT_RIB_ATTRIBUTE_STORE_H_
#define FLOWACCT_RIB_ATTRIBUTE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/lpm/node_arena.h"

namespace flowacct::rib {

enum class AttributeSetId : uint32_t { kNone = 0 };

struct AttributeStoreOptions {
  // A full table has some 200,000; this is room for as many peers as fit the arena that share nothing.
  size_t max_sets = size_t{32} << 20;
  uint64_t seed = 0;  // of the hash: a secret of the process
};

class AttributeStore {
 public:
  // Ids are below it, which leaves three bits beside an id; so an arena of at most 4 GiB.
  static constexpr uint32_t kIdLimit = uint32_t{1} << 29;
  static constexpr size_t kMaxSetOctets = 65535;

  AttributeStore(lpm::NodeArena* arena, AttributeStoreOptions options);
  AttributeStore(const AttributeStore&) = delete;
  AttributeStore& operator=(const AttributeStore&) = delete;

  // The id of equal octets, with one reference more, which is the caller's.
  AttributeSetId Intern(base::Octets octets);
  void Ref(AttributeSetId id) { ++Head(id)->references; }
  void Unref(AttributeSetId id) {
    if (--Head(id)->references == 0) Remove(id);
  }
  uint32_t references(AttributeSetId id) const { return Head(id)->references; }
  void Prefetch(AttributeSetId id) const { __builtin_prefetch(Head(id)); }

  base::Octets Find(AttributeSetId id) const {
    const Block* head = Head(id);
    return base::Octets(reinterpret_cast<const uint8_t*>(head) + sizeof(Block), head->length);
  }
  // Differs between sets that had the same id, but for one chance in 65536.
  uint16_t serial(AttributeSetId id) const { return Head(id)->serial; }
  // Of the octets, with the secret. With id and serial it tells sets apart for as long as one likes.
  uint32_t hash(AttributeSetId id) const { return Head(id)->hash; }

  size_t size() const { return size_; }
  size_t index_octets() const { return slots_.capacity() * sizeof(Slot); }
  // How often a new set was refused.
  uint64_t overflows() const { return overflows_; }

 private:
  struct Block {
    uint32_t references;  // the writer's
    uint32_t hash;        // as long as the block is this set's
    uint16_t length;
    uint16_t serial;
  };
  static_assert(sizeof(Block) == 12);
  struct Slot {
    uint32_t hash;
    uint32_t id;  // 0: empty
  };

  Block* Head(AttributeSetId id) { return reinterpret_cast<Block*>(arena_->At(static_cast<uint32_t>(id))); }
  const Block* Head(AttributeSetId id) const {
    return reinterpret_cast<const Block*>(arena_->At(static_cast<uint32_t>(id)));
  }
  size_t HomeOf(uint32_t hash) const { return static_cast<size_t>(uint64_t{hash} * slots_.size() >> 32); }
  uint32_t Hash(base::Octets octets) const;
  void Remove(AttributeSetId id);
  void Grow();

  lpm::NodeArena* arena_;
  AttributeStoreOptions options_;
  uint64_t secrets_[3];
  std::vector<Slot> slots_;
  size_t size_ = 0;
  uint16_t next_serial_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace flowacct::rib

#endif  // FLOWACCT_RIB_ATTRIBUTE_STORE_H_
