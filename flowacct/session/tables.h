// What the writer and the readers of correlation share: rows of peers, tunnels, bearers and facts, and their indexes.
//
//     (address, TEID) ──tunnels_by_key──▶ Tunnel ──older──▶ Tunnel ...     newest first, each from a time on
//                                           │ leg
//     UE address ──────legs_by_address──▶  Leg ──facts──▶ Facts ──previous──▶ Facts ...    newest first
//
// A tunnel that is over has a newest row without a leg. A leg is a bearer on one of two paths: in the core (Gn/Gp,
// S5/S8), or of access (S1-U, S4, S12).
// Threads: what is atomic, and what is written before its row is linked, is anyone's who is online in the epochs.
// Memory: beside each type.

#ifndef FLOWACCT_SESSION_TABLES_H_
#define FLOWACCT_SESSION_TABLES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/gtp/values.h"
#include "flowacct/session/facts.h"
#include "flowacct/session/key_index.h"
#include "flowacct/session/row_store.h"
#include "flowacct/session/session_options.h"
#include "flowacct/session/session_record.h"

namespace flowacct::session {

inline constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

// Which path of a bearer, or none of the two.
enum class PathKind : uint8_t { kCore, kAccess, kForwarding, kNone };
inline constexpr size_t kPaths = 2;
inline constexpr PathKind kPathKinds[kPaths] = {PathKind::kCore, PathKind::kAccess};

// An address that makes or has tunnels. 64 octets; never freed.
struct PeerRow {
  base::IpAddress address;
  // The writer's alone from here on.
  uint64_t messages_from = 0, messages_to = 0;
  uint32_t restarts = 0;
  uint32_t control_endpoints = 0;
  bool has_restart_counter = false;
  uint8_t restart_counter = 0;
  int64_t restarted_nanos = 0;
  uint64_t restart_walk_end = 0;  // so far sessions are looked at for its restart (SessionStore)
};
static_assert(sizeof(PeerRow) <= 64);

// A tunnel endpoint from a time on. 32 octets.
struct TunnelRow {
  uint32_t peer = 0;
  uint32_t teid = 0;
  uint32_t leg = 0;  // 0: from then on it is nobody's
  std::atomic<uint32_t> older{0};
  std::atomic<uint32_t> pair{0};  // the other direction's row; 0: none
  Direction direction = Direction::kUnknown;
  Interface interface = Interface::kUnknown;
  bool counts = false;  // its packets are of the bearer's volume
  bool last = false;    // the writer's: its bearer is over, and keeps it for the record
  int64_t from_nanos = 0;
};
static_assert(sizeof(TunnelRow) == 32);

// A bearer on one path. 64 octets, a cache line: what a packet is counted in.
struct alignas(64) LegRow {
  std::atomic<uint32_t> facts{0};
  uint32_t session = 0;
  std::atomic<int64_t> end_nanos{kForEver};
  // Packets up, down; octets up, down.
  std::array<std::atomic<uint64_t>, 4> counts{};
  // The writer's alone from here on.
  uint32_t next = 0;          // in its session
  uint32_t up = 0, down = 0;  // tunnels as they are now
  uint8_t ebi = 0;
  PathKind path = PathKind::kCore;
  Cause cause = Cause::kNone;  // when it is over
  uint8_t gtp_cause = 0;
};
static_assert(sizeof(LegRow) == 64);

// Packets by peer and what became of them, of one reader: a plain array would be of the bound's size.
class PeerCounts {
 public:
  explicit PeerCounts(size_t max_peers);
  ~PeerCounts();

  void Add(uint32_t peer, Match match, uint64_t packets);
  void KeepUnmatched(const base::IpAddress& address, uint32_t teid, Match match, int64_t time_nanos);
  uint64_t At(uint32_t peer, Match match) const;
  static constexpr size_t kUnmatched = 64;
  // False: it is being written, or was never.
  bool UnmatchedAt(size_t i, UnmatchedTunnel* unmatched) const;
  size_t octets() const { return octets_.load(std::memory_order_relaxed); }

  PeerCounts* next = nullptr;  // in the list of all, which only grows
  std::atomic<bool> taken{true};

 private:
  static constexpr size_t kChunkPeers = 1024;
  struct Chunk {
    std::array<std::atomic<uint64_t>, kChunkPeers * kMatches> counts{};
  };
  // `sequence` is odd while the rest is written.
  struct Entry {
    std::atomic<uint32_t> sequence{0};
    std::atomic<uint32_t> teid{0};
    std::atomic<uint64_t> address[2] = {};
    std::atomic<uint64_t> match{0};
    std::atomic<int64_t> time_nanos{0};
  };

  size_t chunks_;
  std::unique_ptr<std::atomic<Chunk*>[]> chunk_;
  std::atomic<size_t> octets_{0};
  std::array<Entry, kUnmatched> unmatched_;
  size_t next_unmatched_ = 0;
};

class Tables {
 public:
  explicit Tables(const SessionOptions& options);

  uint32_t HashOf(const base::IpAddress& address, uint32_t teid) const;
  uint32_t HashOfPeer(const base::IpAddress& address) const { return HashOf(address, 0); }
  uint32_t HashOfV4(uint32_t address) const;
  uint32_t HashOfV6(uint64_t bits, uint8_t length) const;

  uint32_t FindPeer(const base::IpAddress& address) const {
    return peer_index.Find(HashOfPeer(address), [&](uint32_t row) { return peers[row].address == address; });
  }
  bool IsTunnel(uint32_t row, const base::IpAddress& address, uint32_t teid) const {
    const TunnelRow& t = tunnels[row];
    return t.teid == teid && peers[t.peer].address == address;
  }
  uint32_t FindTunnel(uint32_t hash, const base::IpAddress& address, uint32_t teid) const {
    return tunnel_index.Find(hash, [&](uint32_t row) { return IsTunnel(row, address, teid); });
  }
  // The row of the chain that has the tunnel at this time; 0: none.
  uint32_t AtTime(uint32_t newest, int64_t time_nanos) const;
  const Facts* FactsAt(const LegRow& leg, int64_t time_nanos) const;

  const int64_t slack_nanos;
  RowStore<PeerRow> peers;
  RowStore<TunnelRow> tunnels;
  RowStore<LegRow> legs;
  RowStore<Facts> facts;
  RowStore<gtp::UserLocation> locations;
  KeyIndex peer_index, tunnel_index;
  KeyIndex lease_index;                 // default bearers' legs by the subscriber's addresses
  std::atomic<uint64_t> v6_lengths{0};  // bit length - 1 of the subscribers' prefixes that there ever were
  base::Interner texts;
  std::atomic<PeerCounts*> counts{nullptr};  // of all readers

 private:
  std::array<uint64_t, 6> secrets_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_TABLES_H_
