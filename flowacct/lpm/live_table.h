// Longest-prefix match that changes while it is read: one writer, any number of readers that never wait.
//
//     LiveTable table(&arena);                                    // writer
//     table.Insert(prefix, 7);  ...  table.Erase(prefix);
//
//     reader.Online();                                            // each reader; lpm/reader_epochs.h
//     table.FindBatch(addresses, stride, n, found);
//     reader.Quiescent();
//
// A compressed trie of 8 bits a step for each family, of bitmaps that hold only their words that are not zero
// (live_table.cc; docs/adr/0008 tells why). A node never changes but for its values and references to children, which
// are replaced in place; whatever else the writer wants different is a new node behind one pointer.
//
// Guarantees: a look-up that runs beside changes misses no prefix that was there all the while, and gives a value that
// its prefix had during it. Not promised: that two look-ups of a batch see the same state. Not checked: an IPv6 prefix
// within ::ffff:0:0/96 is an IPv4 one, as base::IpAddress has it.
// Ownership: nodes are the arena's, which outlives it and may be shared by many tables; what is left in a table when it
// ends is given back then. Threads: find functions and Walk by any reader that is online; all else by the writer.
// Errors: none; the writer asks arena->full() before what may grow. Cost, in a full table: a look-up of traffic,
// batched, some 25 ns of IPv4, 65 of IPv6; a change 150 to 200 ns. Memory: 10 octets an IPv4 route of a full table and
// 32 an IPv6 one in use, up to twice that taken; a route alone 24 to 72.

#ifndef FLOWACCT_LPM_LIVE_TABLE_H_
#define FLOWACCT_LPM_LIVE_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/node_arena.h"

namespace flowacct::lpm {

class LiveTable {
 public:
  static constexpr uint32_t kNone = 0;  // no value

  struct Match {
    uint32_t value = kNone;
    uint8_t length = 0;  // of the prefix, in the address' family; 0 if there is none
  };

  // A table of so many IPv4 routes is worth 256 KiB that save two nodes a look-up: 4 octets a route at most. One that
  // shrinks keeps them until it is a quarter of that.
  static constexpr size_t kDirectAbove = size_t{1} << 16;

  explicit LiveTable(NodeArena* arena, size_t direct_above = kDirectAbove)
      : arena_(arena), direct_above_(direct_above) {}
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;
  ~LiveTable();

  // --- The writer ---

  // `value` is not kNone. Returns the one that it replaces, or kNone.
  uint32_t Insert(const base::IpPrefix& prefix, uint32_t value);
  // Returns what it was; kNone if there was none.
  uint32_t Erase(const base::IpPrefix& prefix);
  // The value of just this prefix.
  uint32_t Get(const base::IpPrefix& prefix) const;
  // Asks for the memory that a change of this prefix will touch, as far as it is known without waiting for any.
  void PrefetchForWrite(const base::IpPrefix& prefix) const;

  // Nobody finds anything in it any more from one moment on. What it held is given back by a Dismantler.
  class Dismantler;
  Dismantler Detach();

  size_t size() const { return sizes_[0] + sizes_[1]; }
  size_t size_v4() const { return sizes_[0]; }
  size_t size_v6() const { return sizes_[1]; }

  // --- Readers ---

  Match Find(const base::IpAddress& address) const;
  // The same for each of `n` addresses (16 octets each, `stride` apart), to `found`.
  void FindBatch(const uint8_t* addresses, size_t stride, size_t n, Match* found) const;
  // Calls `visit` with each prefix of a family after `*from` (null: from the first one), in order of address, then
  // length, until it returns false. A long walk should stop now and then, be Quiescent, and go on after where it was.
  void Walk(bool v6, const base::IpPrefix* from,
            absl::FunctionRef<bool(const base::IpPrefix& prefix, uint32_t value)> visit) const;

  // What readers begin at: nodes of IPv4 and IPv6; and, in a large table, one node for each of the first 16 bits of an
  // IPv4 address, where there is a node at just that depth.
  struct Roots {
    std::atomic<uint32_t> family[2] = {};
    std::atomic<uint32_t> direct{0};
  };

 private:
  // The node just below the first 16 bits of IPv4; 0: none.
  uint32_t NodeBelow(uint32_t first16) const;
  void SetDirect(uint32_t first16, uint32_t node);

  uint32_t InsertBody(const base::IpPrefix& prefix, uint32_t value);
  uint32_t EraseBody(const base::IpPrefix& prefix);
  void PrefetchBody(const base::IpPrefix& prefix) const;
  uint32_t InsertPopcnt(const base::IpPrefix& prefix, uint32_t value);
  uint32_t ErasePopcnt(const base::IpPrefix& prefix);
  void PrefetchPopcnt(const base::IpPrefix& prefix) const;
  void GrowDirect();
  void DropDirect();

  NodeArena* arena_;
  size_t direct_above_;
  Roots roots_;
  size_t sizes_[2] = {};
};

// The nodes of a table that was detached, to be given back step by step. Those that are left when it ends are given
// back then, without a look at their values.
class LiveTable::Dismantler {
 public:
  Dismantler(Dismantler&&) = default;
  Dismantler& operator=(Dismantler&& other) noexcept;
  ~Dismantler();

  // Gives back up to `max_nodes`, if no reader can see them any more, and calls `value` with each value in them. True:
  // there may be more.
  bool Step(size_t max_nodes, absl::FunctionRef<void(uint32_t value)> value);
  bool done() const { return nodes_.empty(); }

 private:
  friend class LiveTable;
  explicit Dismantler(NodeArena* arena) : arena_(arena) {}

  NodeArena* arena_;
  uint64_t epoch_ = 0;
  bool unseen_ = false;
  std::vector<uint32_t> nodes_;
};

}  // namespace flowacct::lpm

#endif  // FLOWACCT_LPM_LIVE_TABLE_H_
