// Puts what an MRT file tells into a routing table: tables as they are, messages and states in their order, so that
// files of updates behind a table's bring it to a moment.
//
//     RouteLoader loader(&book, {});
//     loader.Read(block, now);  ...  loader.EndFile();     // of each file
//     loader.Finish(now);                                  // all is announced
//
// Standards: RFC 6396, RFC 8050. A peer is one of a PEER_INDEX_TABLE by address, AS and BGP identifier; TABLE_DUMP and
// BGP4MP tell no identifier, and mean the peer of that address and AS that is known. A change of state away from
// Established, and an OPEN, end what the peer had told before (RFC 4271, 8.2.2). What the collector sent itself
// (_LOCAL) is none of the peer's. Of two tables of one peer the later one adds to the earlier, and replaces equal
// prefixes. Guarantees: a damaged record costs itself (mrt/reader.h). Ownership: borrows the book, whose peers of this
// origin are the loader's as long as it lives. Threads: the book's. Errors: counted. Cost: some 530 ns a route of a
// table, the book's part included.

#ifndef FLOWACCT_COLLECTOR_MRT_ROUTE_LOADER_H_
#define FLOWACCT_COLLECTOR_MRT_ROUTE_LOADER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/update.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/mrt/reader.h"

namespace flowacct::collector {

struct RouteLoaderOptions {
  // Which peers these are: kDump, or kSession for those of an earlier run, which their sessions are to confirm.
  rib::RibView view = rib::RibView::kDump;
  // Only the routes of the peer with this address or BGP identifier.
  std::optional<base::IpAddress> peer;
  // For best paths: peers of another AS are external. 0: all are, of a dump; of sessions none (routing_options.h).
  uint32_t local_as = 0;
  // What is older is not taken: all records with an earlier time.
  absl::Time not_before = absl::InfinitePast();
  // Peers that are told of, with or without routes: as many as one PEER_INDEX_TABLE can have, some 300 octets each.
  size_t max_peers = 65536;
  mrt::ReaderOptions reader;
};

struct RouteLoadCounters {
  uint64_t entries = 0;         // of tables, handed to the routing table
  uint64_t updates = 0;         // BGP messages, so
  uint64_t refused = 0;         // routes beyond a bound of the routing table, and of peers beyond theirs
  uint64_t not_joined = 0;      // entries of families that are only counted
  uint64_t other_peers = 0;     // entries and messages of others than the one that was asked for
  uint64_t from_local = 0;      // messages that the collector sent
  uint64_t reset_updates = 0;   // UPDATEs with an error for which RFC 7606 ends the session: nothing of them is taken
  uint64_t sessions_ended = 0;  // routes dropped for a change of state or an OPEN
  uint64_t too_old = 0;         // entries and messages before not_before
};

class RouteLoader final : private mrt::Listener {
 public:
  explicit RouteLoader(PeerBook* book, const RouteLoaderOptions& options = {})
      : book_(book), options_(options), reader_(this, options.reader) {}

  // What `before` has loaded stays until this one's Finish, which drops what was not told anew. Before the first Read.
  void Replace(RouteLoader* before, absl::Time now);
  void Read(base::Octets block, absl::Time now) {
    now_ = now;
    reader_.Read(block);
    FlushAll();
  }
  void EndFile() { reader_.End(); }
  void Finish(absl::Time now);
  // The sessions of these peers are over (of view kSession): their routes are stale, and stay for `keep_for`.
  void EndSessions(absl::Duration keep_for, absl::Time now);

  const RouteLoadCounters& counters() const { return counters_; }
  const mrt::ReaderCounters& reader_counters() const { return reader_.counters(); }
  const bgp::UpdateCounters& update_counters() const { return updates_; }
  // Of the first record with a time; the past if there was none.
  absl::Time first_time() const { return first_time_; }
  size_t peers() const;

 private:
  struct Known {
    Announcer announcer;
    PeerBook::Peer* peer = nullptr;  // null: it is not up
    bool wanted = true;
    // Entries with the same attributes, one behind another, are handed on together; all of a block by its end.
    std::vector<rib::Announcement> run;
    uint64_t run_rd = 0;
    std::vector<uint8_t> run_attributes;
  };

  void OnPeerIndexTable(const mrt::PeerIndexTable& table) override;
  void OnRibEntry(const mrt::RibEntry& entry) override;
  void OnMessage(const mrt::BgpMessage& message) override;
  void OnStateChange(const mrt::StateChange& change) override;

  // Counted: whether a record of that time and peer counts.
  bool Takes(absl::Time time, const Known* known);
  // Null: beyond max_peers.
  Known* KnownOf(const mrt::Peer& peer, uint32_t local_as);
  // Null: there are too many.
  PeerBook::Peer* PeerOf(Known* known);
  void EndSession(Known* known);
  void Flush(Known* known);
  void FlushAll();

  PeerBook* const book_;
  const RouteLoaderOptions options_;
  mrt::Reader reader_;
  absl::Time now_;
  absl::Time first_time_ = absl::InfinitePast();
  std::deque<Known> known_;
  absl::flat_hash_map<rib::PeerKey, Known*> by_key_;
  absl::flat_hash_map<std::pair<base::IpAddress, uint32_t>, Known*> by_address_;  // and AS: the first
  std::vector<Known*> by_index_;                                                  // of the last PEER_INDEX_TABLE
  std::vector<Known*> running_;                                                   // those with a run
  std::vector<rib::PeerKey> replaced_;
  RouteLoadCounters counters_;
  bgp::Update update_;
  bgp::UpdateCounters updates_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_MRT_ROUTE_LOADER_H_
