#include "flowacct/rib/attribute_store.h"

#include <cstring>
#include <utility>

#include "flowacct/base/octet_hash.h"

namespace flowacct::rib {

AttributeStore::AttributeStore(lpm::NodeArena* arena, AttributeStoreOptions options)
    : arena_(arena), options_(options), slots_(16) {
  uint64_t state = options_.seed;
  for (uint64_t& secret : secrets_) secret = base::NextSecret(&state) | 1;
}

uint32_t AttributeStore::Hash(base::Octets octets) const {
  const uint8_t* p = octets.data();
  size_t n = octets.size();
  uint64_t a = secrets_[0] ^ n, b = secrets_[1];
  for (; n >= 16; p += 16, n -= 16) {
    a = base::FoldedMultiply(a ^ base::LoadHost<uint64_t>(p), secrets_[1]);
    b = base::FoldedMultiply(b ^ base::LoadHost<uint64_t>(p + 8), secrets_[2]);
  }
  if (n >= 8) {
    a = base::FoldedMultiply(a ^ base::LoadHost<uint64_t>(p), secrets_[1]);
    p += 8;
    n -= 8;
  }
  uint64_t tail = 0;
  if (n != 0) std::memcpy(&tail, p, n);
  b = base::FoldedMultiply(b ^ tail, secrets_[2]);
  return static_cast<uint32_t>(base::FoldedMultiply(a ^ secrets_[2], b ^ secrets_[0]) >> 32);
}

AttributeSetId AttributeStore::Intern(base::Octets octets) {
  const uint32_t hash = Hash(octets);
  size_t at = HomeOf(hash);
  while (slots_[at].id != 0) {
    if (slots_[at].hash == hash) {
      const AttributeSetId id{slots_[at].id};
      Block* const head = Head(id);
      if (head->length == octets.size() &&
          std::memcmp(reinterpret_cast<const uint8_t*>(head) + sizeof(Block), octets.data(), octets.size()) == 0) {
        ++head->references;
        return id;
      }
    }
    if (++at == slots_.size()) at = 0;
  }
  if (size_ >= options_.max_sets || octets.empty() || octets.size() > kMaxSetOctets || arena_->full()) {
    ++overflows_;
    return AttributeSetId::kNone;
  }
  const lpm::NodeArena::Ref ref = arena_->Allocate(sizeof(Block) + octets.size());
  if (ref >= kIdLimit) {
    arena_->Free(ref, sizeof(Block) + octets.size());
    ++overflows_;
    return AttributeSetId::kNone;
  }
  const AttributeSetId id{ref};
  Block* const head = Head(id);
  *head = {1, hash, static_cast<uint16_t>(octets.size()), ++next_serial_};
  std::memcpy(reinterpret_cast<uint8_t*>(head) + sizeof(Block), octets.data(), octets.size());
  slots_[at] = {hash, ref};
  if (++size_ * 5 > slots_.size() * 4) Grow();
  return id;
}

void AttributeStore::Remove(AttributeSetId id) {
  const Block* const head = Head(id);
  size_t hole = HomeOf(head->hash);
  while (slots_[hole].id != static_cast<uint32_t>(id)) {
    if (++hole == slots_.size()) hole = 0;
  }
  // What was pushed beyond the hole moves back.
  const size_t n = slots_.size();
  for (size_t at = hole;;) {
    if (++at == n) at = 0;
    if (slots_[at].id == 0) break;
    const size_t home = HomeOf(slots_[at].hash);
    // Its home is not between the hole and it, in the circle.
    if ((at + n - home) % n >= (at + n - hole) % n) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {0, 0};
  --size_;
  arena_->Retire(static_cast<uint32_t>(id), sizeof(Block) + head->length);
}

void AttributeStore::Grow() {
  std::vector<Slot> old(slots_.size() * 5 / 4);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.id == 0) continue;
    size_t at = HomeOf(slot.hash);
    while (slots_[at].id != 0) {
      if (++at == slots_.size()) at = 0;
    }
    slots_[at] = slot;
  }
}

}  // namespace flowacct::rib
