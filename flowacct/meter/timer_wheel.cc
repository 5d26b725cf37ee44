#include "flowacct/meter/timer_wheel.h"

#include <algorithm>

namespace flowacct::meter {

TimerWheel::TimerWheel(size_t ids, int64_t longest_nanos)
    : memory_((kFirstId + ids) * sizeof(Links)), nodes_(reinterpret_cast<Links*>(memory_.data())), shift_(0) {
  // Two ticks are lost to rounding, at either end.
  while ((longest_nanos >> shift_) + 2 > int64_t{kSlots}) ++shift_;
  for (uint32_t head = 0; head <= kVisited; ++head) nodes_[head] = {head, head};
}

void TimerWheel::Schedule(uint32_t id, int64_t deadline_nanos) {
  const int64_t tick =
      std::min(std::max(TickAfter(deadline_nanos), now_tick_ + 1), now_tick_ + static_cast<int64_t>(kSlots));
  const uint32_t slot = SlotOf(tick);
  const uint32_t node = kFirstId + id, last = nodes_[slot].previous;
  nodes_[node] = {last, slot};
  nodes_[last].next = node;
  nodes_[slot].previous = node;
  occupied_[slot / 64] |= uint64_t{1} << slot % 64;
}

void TimerWheel::Collect(uint32_t slot) {
  occupied_[slot / 64] &= ~(uint64_t{1} << slot % 64);
  if (IsEmpty(slot)) return;
  const Links ring = nodes_[slot];
  const uint32_t last = nodes_[kVisited].previous;
  nodes_[last].next = ring.next;
  nodes_[ring.next].previous = last;
  nodes_[ring.previous].next = kVisited;
  nodes_[kVisited].previous = ring.previous;
  nodes_[slot] = {slot, slot};
}

uint32_t TimerWheel::First(int64_t* tick) {
  const uint32_t begin = SlotOf(now_tick_ + 1);
  // The word of `begin` is looked at twice: its bits from there on, and at last those before.
  for (size_t i = 0; i <= occupied_.size(); ++i) {
    const uint32_t word = static_cast<uint32_t>((begin / 64 + i) % occupied_.size());
    uint64_t bits = occupied_[word];
    if (i == 0) bits &= ~uint64_t{0} << begin % 64;
    for (; bits != 0; bits &= bits - 1) {
      const uint32_t slot = word * 64 + static_cast<uint32_t>(__builtin_ctzll(bits));
      if (IsEmpty(slot)) {
        occupied_[word] &= ~(uint64_t{1} << slot % 64);
        continue;
      }
      *tick = now_tick_ + 1 + ((slot - begin) & (kSlots - 1));
      return nodes_[slot].next - kFirstId;
    }
  }
  return kNone;
}

}  // namespace flowacct::meter
