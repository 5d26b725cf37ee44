// Which nodes advertise the prefix that an address lies in: longest match that changes while it is read.
//
//     ReachTable table(&epochs);                               // writer
//     table.Apply(*database.Apply(advertisement, now));
//
//     ReachReader reader(&table);                              // each reader, online in `epochs` (lpm/reader_epochs.h)
//     ReachView view = reader.Find(address);                   // then topology/router_paths.h chooses among candidates
//
// An attached node of level 1 advertises the default routes of both families, marked so (ISO 10589, 7.2.9.2; RFC 1195,
// 3.2). Guarantees: those of lpm/live_table.h; a view's candidates are those of one moment. Ownership: `epochs`
// outlives it, it outlives its readers; a view stays until the reader is quiescent. Threads: one writer; readers.
// Errors: what is beyond ReachTableOptions is left out and counted. Cost: a change that concerns k prefixes some k
// microseconds, and what it costs to copy the candidates of each; memory 8 octets and 16 a candidate, and the trie's 10
// to 72 a prefix.

#ifndef FLOWACCT_TOPOLOGY_REACH_TABLE_H_
#define FLOWACCT_TOPOLOGY_REACH_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/live_table.h"
#include "flowacct/lpm/node_arena.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/link_state_database.h"

namespace flowacct::topology {

struct ReachTableOptions {
  // Half a million prefixes of a candidate or two: ten times the largest IGPs.
  lpm::NodeArenaOptions arena = {size_t{256} << 20, size_t{64} << 20};
  // More than any anycast has; a default route that every router tells is no use.
  size_t max_candidates = 4096;
};

struct ReachCandidate {
  static constexpr uint8_t kDown = 1, kExternal = 2, kExternalMetric = 4, kAttached = 8;

  NodeKey node;
  uint32_t metric = 0;
  TopologyNumber topology = 0;
  uint8_t level = 2;
  uint8_t flags = 0;

  friend bool operator==(const ReachCandidate& a, const ReachCandidate& b) {
    return a.node == b.node && a.metric == b.metric && a.topology == b.topology && a.level == b.level &&
           a.flags == b.flags;
  }
};

struct ReachView {
  uint8_t length = 0;   // of the prefix, in the address' family
  uint64_t serial = 0;  // of these candidates of this prefix, and never of others in this table
  absl::Span<const ReachCandidate> candidates;

  bool found() const { return !candidates.empty(); }
};

class ReachTable {
 public:
  explicit ReachTable(lpm::ReaderEpochs* epochs, ReachTableOptions options = {});
  ReachTable(const ReachTable&) = delete;
  ReachTable& operator=(const ReachTable&) = delete;
  ~ReachTable();

  void Apply(const TopologyChange& change);
  // All that is there, instead of what was.
  void Reset(const TopologyState& state);

  size_t prefixes() const { return live_.size(); }
  size_t candidates() const { return candidates_; }
  uint64_t refused() const { return refused_; }
  size_t octets() const { return arena_.octets(); }
  // Another one once a change is there to be read, for any thread: who read it before a look-up knows what he found as
  // long as it is the same.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  lpm::ReaderEpochs* epochs() const { return arena_.epochs(); }

 private:
  friend class ReachReader;

  struct Entry {
    base::IpPrefix prefix;
    ReachCandidate candidate;
  };
  // At most that many octets are one block of the arena.
  static constexpr size_t kMaxCandidates = lpm::NodeArena::kMaxBlockOctets / sizeof(ReachCandidate) - 1;
  struct List {
    uint64_t count : 16;
    uint64_t serial : 48;  // a million changes a second for nine years
    ReachCandidate* entries() { return reinterpret_cast<ReachCandidate*>(this + 1); }
    const ReachCandidate* entries() const { return reinterpret_cast<const ReachCandidate*>(this + 1); }
    static size_t OctetsOf(size_t count) { return sizeof(List) + count * sizeof(ReachCandidate); }
  };
  static_assert(kMaxCandidates < 1 << 16);
  static_assert(sizeof(List) % alignof(ReachCandidate) == 0 && sizeof(ReachCandidate) == 16);

  static void EntriesOf(const Advertisement& advertisement, std::vector<Entry>* entries);
  // Gives a prefix those that are new instead of those that are gone.
  void Replace(const base::IpPrefix& prefix, absl::Span<const Entry> gone, absl::Span<const Entry> fresh);
  List* ListOf(uint32_t ref) { return reinterpret_cast<List*>(arena_.At(ref)); }
  const List* ListOf(uint32_t ref) const { return reinterpret_cast<const List*>(arena_.At(ref)); }
  void CountLength(const base::IpPrefix& prefix, bool more);
  ReachView ViewOf(uint32_t ref, uint8_t length) const {
    const List* list = ListOf(ref);
    return {length, list->serial, absl::MakeConstSpan(list->entries(), list->count)};
  }

  ReachTableOptions options_;
  lpm::NodeArena arena_;
  lpm::LiveTable live_;
  size_t candidates_ = 0;
  uint64_t refused_ = 0;
  uint64_t serial_ = 0;  // of the last list
  std::atomic<uint64_t> version_{1};
  // Prefixes of each length; of which lengths there are any, for readers.
  std::array<std::array<size_t, 129>, 2> of_length_{};
  std::array<std::array<std::atomic<uint64_t>, 3>, 2> lengths_{};
  std::vector<Entry> gone_, fresh_;      // scratch
  std::vector<ReachCandidate> changed_;  // scratch
};

class ReachReader {
 public:
  explicit ReachReader(const ReachTable* table) : table_(table) {}

  ReachView Find(const base::IpAddress& address) const;
  // For each of `n` addresses (16 octets each, `stride` apart), to `views`.
  void FindBatch(const uint8_t* addresses, size_t stride, size_t n, ReachView* views) const;
  // The longest match of less than `length` bits: where nobody of the longer one can be reached.
  ReachView FindShorter(const base::IpAddress& address, uint8_t length) const;
  ReachView FindPrefix(const base::IpPrefix& prefix) const;

 private:
  const ReachTable* table_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_REACH_TABLE_H_
