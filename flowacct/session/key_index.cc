#include "flowacct/session/key_index.h"

#include <algorithm>

namespace flowacct::session {

KeyIndex::KeyIndex() {
  memory_ = base::ZeroedMemory(kFirstSlots * sizeof(Slot));
  shown_ = std::make_unique<View>();
  shown_->now = {reinterpret_cast<Slot*>(memory_.data()), kFirstSlots};
  view_.store(shown_.get(), std::memory_order_release);
}

void KeyIndex::Publish(Array now, Array before, base::ZeroedMemory unused, uint64_t epoch) {
  auto view = std::make_unique<View>();
  view->now = now;
  view->before = before;
  view_.store(view.get(), std::memory_order_release);
  std::swap(view, shown_);
  retired_.push_back({epoch, std::move(view), std::move(unused)});
}

KeyIndex::Slot* KeyIndex::SlotWith(const Array& array, uint64_t slot) {
  for (size_t i = PlaceOf(array, static_cast<uint32_t>(slot >> 32));; i = i + 1 == array.size ? 0 : i + 1) {
    const uint64_t s = array.slots[i].load(std::memory_order_relaxed);
    if (s == slot) return array.slots + i;
    if (s == 0) return nullptr;
  }
}

// Into the new array. The slot of an erased row takes it: readers see the one or the other.
void KeyIndex::Place(uint64_t slot) {
  const Array& array = shown_->now;
  size_t i = PlaceOf(array, static_cast<uint32_t>(slot >> 32));
  for (;; i = i + 1 == array.size ? 0 : i + 1) {
    const uint64_t s = array.slots[i].load(std::memory_order_relaxed);
    if (s == 0) {
      ++used_;
      break;
    }
    if (static_cast<uint32_t>(s) == kErased) break;
  }
  array.slots[i].store(slot, std::memory_order_release);
}

void KeyIndex::Move(size_t slots, uint64_t epoch) {
  const Array before = shown_->before;
  if (before.slots == nullptr) return;
  const size_t end = std::min(before.size, moved_ + slots);
  for (; moved_ < end; ++moved_) {
    const uint64_t slot = before.slots[moved_].load(std::memory_order_relaxed);
    if (slot != 0 && static_cast<uint32_t>(slot) != kErased) Place(slot);
  }
  if (moved_ == before.size) Publish(shown_->now, {}, std::move(memory_before_), epoch);
}

void KeyIndex::Grow(uint64_t epoch) {
  Move(shown_->before.size, epoch);
  // Not below half of what it was: a small array would fill up before all of a large one were moved.
  const size_t size = std::max({kFirstSlots, live_ * 4 / 3, shown_->now.size / 2});
  memory_before_ = std::move(memory_);
  memory_ = base::ZeroedMemory(size * sizeof(Slot));
  const Array now = {reinterpret_cast<Slot*>(memory_.data()), size};
  Publish(now, shown_->now, base::ZeroedMemory(), epoch);
  used_ = 0;
  moved_ = 0;
}

void KeyIndex::Insert(uint32_t hash, uint32_t row, uint64_t epoch) {
  Move(kMovedSlots, epoch);
  if ((used_ + 1) * 8 > shown_->now.size * 7) Grow(epoch);
  Place(SlotOf(hash, row));
  ++live_;
}

void KeyIndex::Erase(uint32_t hash, uint32_t row) {
  const uint64_t slot = SlotOf(hash, row);
  bool found = false;
  if (Slot* before = shown_->before.slots == nullptr ? nullptr : SlotWith(shown_->before, slot)) {
    before->store(kErased, std::memory_order_release);
    found = true;
  }
  const Array& array = shown_->now;
  if (Slot* s = SlotWith(array, slot)) {
    found = true;
    size_t i = static_cast<size_t>(s - array.slots);
    s->store(kErased, std::memory_order_release);
    // What ends a run of slots need not bridge it.
    const size_t next = i + 1 == array.size ? 0 : i + 1;
    if (array.slots[next].load(std::memory_order_relaxed) == 0) {
      while (static_cast<uint32_t>(array.slots[i].load(std::memory_order_relaxed)) == kErased) {
        array.slots[i].store(0, std::memory_order_release);
        --used_;
        i = i == 0 ? array.size - 1 : i - 1;
      }
    }
  }
  if (found) --live_;
}

void KeyIndex::Replace(uint32_t hash, uint32_t row, uint32_t with) {
  const uint64_t slot = SlotOf(hash, row);
  for (const Array& array : {shown_->before, shown_->now}) {
    if (array.slots == nullptr) continue;
    if (Slot* s = SlotWith(array, slot)) s->store(SlotOf(hash, with), std::memory_order_release);
  }
}

void KeyIndex::Reclaim(uint64_t safe) {
  while (!retired_.empty() && retired_.front().epoch < safe) retired_.pop_front();
}

size_t KeyIndex::octets() const { return (shown_->now.size + shown_->before.size) * sizeof(Slot); }

}  // namespace flowacct::session
