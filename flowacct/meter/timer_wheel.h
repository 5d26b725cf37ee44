// When to look at each of many things again: a wheel of slots, each a ring of the ids that come due in one tick.
//
// An id has one place. Deadlines are in nanoseconds; the wheel rounds them up to ticks, a power of two of nanoseconds
// such that `longest` lies within its slots. Within a tick ids come in the order in which they were scheduled.
// Guaranteed: an id comes with the first Expire whose time has reached the end of its tick; one scheduled for what is
// past comes with the next tick; one scheduled beyond `longest` comes too early (whoever asks checks and schedules
// again). Not checked: that ids are below the bound; that an id is scheduled once.
// Threads: one at a time. Cost: a handful of loads and stores an operation, whatever the number of ids; Expire costs
// the ids that are due and at most kSlots. Memory: 8 octets an id, as ids are first used.

#ifndef FLOWACCT_METER_TIMER_WHEEL_H_
#define FLOWACCT_METER_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "flowacct/base/chunk.h"

namespace flowacct::meter {

class TimerWheel {
 public:
  static constexpr size_t kSlots = 1024;
  static constexpr uint32_t kNone = 0xffffffff;

  TimerWheel(size_t ids, int64_t longest_nanos);

  int64_t tick_nanos() const { return int64_t{1} << shift_; }
  // The tick that `nanos` lies in, and the first that has not begun before it.
  int64_t Tick(int64_t nanos) const { return nanos >> shift_; }
  int64_t TickAfter(int64_t nanos) const { return (nanos + (tick_nanos() - 1)) >> shift_; }
  // All ticks up to this one have expired.
  int64_t now_tick() const { return now_tick_; }

  // Begins anew at `nanos`; nothing may be scheduled.
  void Restart(int64_t nanos) { now_tick_ = Tick(nanos); }

  // `id` is not scheduled, and then is.
  void Schedule(uint32_t id, int64_t deadline_nanos);
  // `id` is scheduled, and then is not.
  void Cancel(uint32_t id) {
    const Links links = nodes_[kFirstId + id];
    nodes_[links.previous].next = links.next;
    nodes_[links.next].previous = links.previous;
  }

  // Calls visit(id) for each id that is due at `now`; it is not scheduled any more, and `visit` may schedule it and
  // others but cancels none. `prefetch(id)` is called some ids ahead.
  template <typename Prefetch, typename Visit>
  void Expire(int64_t now_nanos, Prefetch prefetch, Visit visit) {
    const int64_t now = Tick(now_nanos);
    if (now <= now_tick_) return;
    const int64_t first = now - now_tick_ > int64_t{kSlots} ? now - int64_t{kSlots} + 1 : now_tick_ + 1;
    now_tick_ = now;  // before the visits, so that what they schedule lies ahead
    for (int64_t tick = first; tick <= now; ++tick) Collect(SlotOf(tick));
    VisitCollected(prefetch, visit);
  }
  // The same for all ids, whenever they are due.
  template <typename Prefetch, typename Visit>
  void ExpireAll(Prefetch prefetch, Visit visit) {
    for (int64_t i = 1; i <= int64_t{kSlots}; ++i) Collect(SlotOf(now_tick_ + i));
    VisitCollected(prefetch, visit);
  }

  // The id that comes first, which stays scheduled, and the tick it is scheduled for; kNone if there is none.
  uint32_t First(int64_t* tick);

 private:
  struct Links {
    uint32_t previous, next;
  };
  // The nodes: one a slot, whose ring it heads; one for the ring that is being visited; then the ids.
  static constexpr uint32_t kVisited = kSlots;
  static constexpr uint32_t kFirstId = kSlots + 1;
  static constexpr size_t kAhead = 8;

  static uint32_t SlotOf(int64_t tick) { return static_cast<uint32_t>(tick & (kSlots - 1)); }
  bool IsEmpty(uint32_t head) const { return nodes_[head].next == head; }
  // Moves the ring of a slot to the end of the one that is visited: all of it before any visit, as what visits schedule
  // may go to the same slots, for a later round of the wheel.
  void Collect(uint32_t slot);

  template <typename Prefetch, typename Visit>
  void VisitCollected(Prefetch prefetch, Visit visit) {
    uint32_t ahead = nodes_[kVisited].next;
    for (size_t i = 0; i < kAhead && ahead != kVisited; ++i, ahead = nodes_[ahead].next) prefetch(ahead - kFirstId);
    while (!IsEmpty(kVisited)) {
      if (ahead != kVisited) {
        prefetch(ahead - kFirstId);
        ahead = nodes_[ahead].next;
      }
      const uint32_t id = nodes_[kVisited].next - kFirstId;
      Cancel(id);
      visit(id);
    }
  }

  base::ZeroedMemory memory_;
  Links* nodes_;
  unsigned shift_;
  int64_t now_tick_ = 0;
  std::array<uint64_t, kSlots / 64> occupied_{};  // slots that may hold something
};

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_TIMER_WHEEL_H_
