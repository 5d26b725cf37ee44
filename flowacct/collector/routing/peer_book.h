// The peers of BGP sessions, BMP speakers and MRT files and what they announce, kept in the routing table: the writer
// behind the sessions, without sockets.
//
//     PeerBook book(options);
//     PeerBook::Peer* peer = book.Up(announcer, now);               // a session is established
//     book.Take(peer, update, now);  book.EndOfRib(peer, family, now);
//     book.TakeRoute(peer, family, route, attributes);              // one of a dump
//     book.Down(peer, /*keep_for=*/absl::Minutes(2), now);          // it ended; `peer` may be gone
//     book.Tick(now);  while (book.rib().Reclaim(1000)) ...         // not later than deadline()
//
// Standards: RFC 4724 (4.2: routes that outlive their session are stale until they are announced anew, until End-of-RIB
// or for a time), RFC 4364 (a table for each route distinguisher), RFC 8277 (labelled routes share the table of no
// route distinguisher with unlabelled ones: of equal prefixes and path identifiers the last one counts).
// Guarantees: the directory names each peer's tables under its address and under its BGP identifier (of what a BMP
// speaker tells: under the speaker's), those of sessions before those that are stale, soon after they are there. Of a
// speaker that tells its Adj-RIBs before and after policy, those after it. End-of-RIB sweeps IPv4 or IPv6 once all
// agreed families of it are complete. Not done: a neighbour's "forwarding state not preserved" (RFC 4724, 4.2) does not
// end its stale routes at once: its traffic may still come. Ownership: owns the table and all around it. Threads: one;
// readers as rib/rib.h says. Errors: counted. Cost: rib/rib.h's and 20 to 40 ns a route for its way there; a directory
// costs some 100 ns an entry and is rebuilt for at most a tenth of the time.

#ifndef FLOWACCT_COLLECTOR_ROUTING_PEER_BOOK_H_
#define FLOWACCT_COLLECTOR_ROUTING_PEER_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/bgp/update.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/routing/routing_status.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/rib/rib.h"
#include "flowacct/rib/table_directory.h"

namespace flowacct::collector {

class RoutingObserver;

// Who begins to announce.
struct Announcer {
  rib::PeerKey key;
  bool external = true;
  bgp::FamilySet families = bgp::FamilySet::Joined();  // whose End-of-RIB is to come
  uint64_t rd = 0;                                     // of routes that have none of their own: of a VRF's table
  uint32_t teller_identifier = 0;                      // of key.told_by; 0: not known
  bool restored = false;  // it announced in an earlier run of the collector: no observer hears of it
};

class PeerBook {
 public:
  struct Peer {
    rib::PeerKey key;
    rib::PeerId id{};
    uint64_t rd = 0;
    bool external = true;
    uint32_t teller_identifier = 0;
    bool up = false;
    bool waits = false;  // its tables are not complete yet, and not asked
    bool restored = false;

    // Whose traffic its routes are for: address and BGP identifier (0: none).
    const base::IpAddress& router() const { return key.told_by == base::IpAddress() ? key.address : key.told_by; }
    uint32_t router_identifier() const {
      return key.told_by == base::IpAddress() ? key.bgp_identifier : teller_identifier;
    }
    // Route distinguishers and their tables.
    const absl::flat_hash_map<uint64_t, rib::TableId>& distinguished() const { return tables; }

    // What a status tells of it; routes and counters of the running session are filled in when it is asked for.
    RoutingPeer told;

   private:
    friend class PeerBook;
    rib::SourceId source{};                              // in the directory that is made
    absl::Duration stale_for, wait_for_table;            // as its neighbour's options say
    bgp::FamilySet awaited;                              // agreed, and not complete
    absl::flat_hash_map<uint64_t, rib::TableId> tables;  // by route distinguisher
    uint64_t last_rd = 0;
    rib::TableId last_table{};
  };

  explicit PeerBook(const RoutingOptions& options);
  // Told from now on of whatever comes, in this order. They outlive the book.
  void Observe(std::vector<RoutingObserver*> observers) { observers_ = std::move(observers); }
  PeerBook(const PeerBook&) = delete;
  PeerBook& operator=(const PeerBook&) = delete;

  // Null: there are max_peers sessions, or max_told_peers others. A peer that is known keeps what is stale of it.
  Peer* Up(const Announcer& announcer, absl::Time now);
  void Take(Peer* peer, const bgp::Update& update, absl::Time now);
  // `attributes`: of bgp/attribute_set.h.
  void TakeRoute(Peer* peer, const bgp::Nlri& route, base::Octets attributes);
  // Several of one route distinguisher (0: none of their own) with the same attributes.
  void TakeRoutes(Peer* peer, uint64_t rd, absl::Span<const rib::Announcement> routes, base::Octets attributes);
  void EndOfRib(Peer* peer, bgp::Family family, absl::Time now);
  // Its routes stay as stale ones for `keep_for`; with 0, or without routes, the peer is gone.
  void Down(Peer* peer, absl::Duration keep_for, absl::Time now);

  // Ends what is over, and publishes the directory if it has changed.
  void Tick(absl::Time now);
  absl::Time deadline() const;

  size_t established() const { return established_; }  // sessions
  size_t told_peers() const { return told_peers_; }    // others that are up
  // In the order of the directory.
  std::vector<Peer*> Peers() const;
  // With what the table has of it.
  RoutingPeer Tell(const Peer& peer) const;
  uint64_t directories() const { return directories_; }
  uint64_t directory_overflows() const { return directory_overflows_; }
  uint64_t evicted_peers() const { return evicted_peers_; }
  // Peers whose tables were asked after wait_for_table, without an End-of-RIB.
  uint64_t incomplete_tables() const { return incomplete_tables_; }

  rib::Rib& rib() { return rib_; }
  const rib::Rib& rib() const { return rib_; }
  lpm::ReaderEpochs& epochs() { return epochs_; }
  const rib::PublishedDirectory& directory() const { return directory_; }

 private:
  // What stays the same of a neighbour that says another identifier or AS.
  using Name = std::tuple<base::IpAddress, rib::RibView, uint64_t, base::IpAddress>;
  static Name NameOf(const Peer& peer) {
    return {peer.key.told_by, peer.key.view, peer.key.distinguisher, peer.key.address};
  }
  // How long what was told before is kept while it is told anew.
  absl::Duration ConfirmTime(const Peer& peer) const;
  static rib::RibOptions RibOptionsOf(const RoutingOptions& options);
  bool IsSession(const Peer& peer) const { return peer.key.view == rib::RibView::kSession; }
  // Nothing: a bound forbids it, counted.
  std::optional<rib::TableId> TableOf(Peer* peer, uint64_t rd, bool make);
  void Announce(Peer* peer, uint64_t rd, rib::AttributeSetId attributes);
  void Remove(Peer* peer);
  void PublishDirectory(absl::Time now);

  const RoutingOptions options_;
  lpm::ReaderEpochs epochs_;
  rib::Rib rib_;
  rib::PublishedDirectory directory_;
  absl::flat_hash_map<rib::PeerKey, std::unique_ptr<Peer>> peers_;
  absl::flat_hash_map<Name, Peer*> stale_of_;  // the last of that name that is not up
  std::vector<RoutingObserver*> observers_;
  size_t established_ = 0;
  size_t told_peers_ = 0;
  size_t known_sessions_ = 0;  // with those that are stale
  absl::Time stale_deadline_ = absl::InfiniteFuture();
  absl::Time wait_deadline_ = absl::InfiniteFuture();
  bool directory_is_old_ = false;
  absl::Time next_directory_ = absl::InfinitePast();
  uint64_t directories_ = 0;
  uint64_t directory_overflows_ = 0;
  uint64_t evicted_peers_ = 0;
  uint64_t incomplete_tables_ = 0;
  std::vector<uint8_t> attributes_;           // scratch
  std::vector<rib::Announcement> announced_;  // scratch
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_PEER_BOOK_H_
