// Joins records to the routes of the router that exported them: each address' longest prefix in that router's own
// table, while the table changes.
//
// By dst_addr: dst_net, dst_mask, dst_as, as_path, peer_dst_as, std_comm, ext_comm, lrg_comm, local_pref, med,
// bgp_origin, bgp_next_hop, route_source. By src_addr, the reverse look-up: src_net, src_mask, src_as, src_as_path,
// peer_src_as and so on; dst_roa and src_roa: what RPKI says of these routes. Which table answers is
// rib/table_directory.h's: of an exporter's tables for the record's mpls_vpn_rd (absent: the global one) the first that
// has a route; those of a BMP speaker's neighbours, and those of the peers of MRT files, answer together. Of several
// paths of the longest prefix the one whose next hop is the record's bgp_next_hop counts, else the best one. Records
// that meet a selector ask its tables first.
//
// Standards: RFC 4271, 4364 (route distinguishers), 5065, 7911. The origin AS is the last of the path, the peer AS the
// first, confederations skipped; of a path that ends in a set, and of an empty one, there is none, and the field stays
// as it is. What is validated (RFC 6811) is the route's prefix with the last AS of its path, whatever `values` skips;
// the own AS of whose table it is for an empty path and one that ends in a confederation; else, and where that is not
// known, NONE, which no VRP makes valid. Fields stay as they are while there are no VRPs.
//
// Ownership: borrows RouteTables; who owns these outlives it, or is kept by it. Threads: one for each worker; look-ups
// never wait for the tables' writer. Errors: none. Cost: a look-up an address, batch-wise, or of tables that
// answer together one for each of them; what a route says is
// interned once an attribute set and worker, as long as it is in the cache. With selectors each exporter's are found
// once; of one that has some, each filter costs what it costs, and runs of records with equal selectors are joined
// together.

#ifndef FLOWACCT_ENRICH_ROUTES_ROUTES_ENRICHER_H_
#define FLOWACCT_ENRICH_ROUTES_ROUTES_ENRICHER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/routes/asked_table.h"
#include "flowacct/enrich/routes/route_values.h"
#include "flowacct/enrich/routes/rov_cache.h"
#include "flowacct/filter/filter.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/record/row.h"
#include "flowacct/rib/best_path.h"
#include "flowacct/rib/rib.h"
#include "flowacct/rib/table_directory.h"
#include "flowacct/rpki/published_vrps.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::enrich {

// What is done with a field that the record already has.
enum class RoutesPolicy : uint8_t {
  kReplace,  // the route wins
  kFill,     // what the exporter told stays
  // The exporter wins where the prefix that the record tells of the address (src_mask, dst_mask; none is shortest) is
  // longer than the route's, else the route.
  kLongest,
};

// Records that are of other tables than their exporter's: of selector N of the directory, if they are the Nth's.
struct RouteSelector {
  base::IpPrefix exporters;
  filter::Filter where;  // of what the record says before routes are joined to it
  // The route distinguisher that counts instead of the record's; nothing: the record's.
  std::optional<uint64_t> rd;
};

struct RoutesOptions {
  RoutesPolicy policy = RoutesPolicy::kReplace;
  RouteValuesOptions values;
  // A route of length 0 says little: how often the look-up goes on in the tables of the router that is its next hop.
  int follow_default = 0;
  // A destination's next hop within one of these is a router of one's own: the look-up goes on in its tables, so that
  // bgp_next_hop, peer_dst_as and the rest tell where traffic leaves the network.
  std::vector<base::IpPrefix> follow_next_hop;
  int max_followed = 20;
  // A record is of the first one whose exporters and filter it meets, or of none.
  std::vector<RouteSelector> selectors;
  // What routes are validated against; null: src_roa and dst_roa are told by nobody here.
  std::shared_ptr<const rpki::PublishedVrps> vrps;
};

// What the control road publishes for all enrichers.
struct RouteTables {
  lpm::ReaderEpochs* epochs = nullptr;
  const rib::Rib* rib = nullptr;
  const rib::PublishedDirectory* directory = nullptr;
};

class RoutesEnricher : public Enricher {
 public:
  // `owner` of the tables, if somebody is to keep it: it lives as long as this.
  RoutesEnricher(const RouteTables& tables, RoutesOptions options, std::shared_ptr<const void> owner = nullptr);
  static EnricherFactory Factory(std::shared_ptr<const void> owner, const RouteTables& tables, RoutesOptions options);

  absl::string_view name() const override { return "routes"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;
  // For people who ask why: what Apply would find for one address of a row of the bound layout, told table by table, up
  // to the one that answers, and next hop by next hop where these are followed. Empty: nobody answers for the exporter.
  // `row` is as before Apply. Selectors (RoutesOptions) are not asked. Cost: some look-ups and copies; never on the way
  // of records.
  std::vector<AskedTable> Explain(const record::RowView& row, bool destination);

 private:
  static constexpr size_t kBlock = 64;
  static constexpr size_t kOrigins = 7;
  static constexpr size_t kRovStates = 3;
  // As many exporters as a worker follows, some 100 octets each.
  static constexpr size_t kMaxSelectorsOf = 65536;

  // A field that is wanted of one side's routes.
  struct Assignment {
    RouteValue value;
    FieldPlace place;
  };
  struct Side {
    bool destination = false;
    FieldPlace address, told_mask, net, mask, source, roa;
    std::vector<Assignment> assignments;
    bool wanted = false;
  };
  // Of a row of a block.
  struct Found {
    rib::RouteView route;
    rib::RouteOrigin origin{};
    const rib::TableSource* source = nullptr;  // of a route that was found
  };
  // A next hop whose tables had a route, too.
  struct Followed {
    base::IpAddress router;
    Found found;
  };

  // Of the selectors those that an exporter can meet, in order. Valid until the next call.
  const std::vector<uint32_t>& SelectorsOf(const base::IpAddress& exporter);
  // Joins rows as Join does, those of each selector by themselves.
  void JoinSelected(absl::Span<const uint32_t> selectors, record::FlowBatch& batch, size_t first, size_t n,
                    const base::IpAddress& exporter, uint64_t rd);
  void JoinBoth(record::FlowBatch& batch, size_t first, size_t n, uint64_t rd, const rib::TableChoices& choices) {
    for (const Side& side : sides_) {
      if (side.wanted) Join(side, batch, first, n, rd, choices);
    }
  }
  // Rows [first, first + n), at most a block, have one exporter and VRF.
  void Join(const Side& side, record::FlowBatch& batch, size_t first, size_t n, uint64_t rd,
            const rib::TableChoices& choices);
  // `hops`: null, or for Explain.
  void Follow(const Side& side, const base::IpAddress& address, uint64_t rd, Found* found,
              std::vector<Followed>* hops = nullptr);
  // The route of `router`'s own tables, if they have one.
  bool FindAt(const base::IpAddress& router, const base::IpAddress& address, uint64_t rd, Found* found);
  // What the choices say of `n` addresses. `next_hops`: null, or the flows' own.
  void Answer(const rib::TableChoices& choices, const uint8_t* addresses, const uint8_t* next_hops, size_t stride,
              size_t n, Found* found);
  // Of the choices from the first one on that answered together in views_, whose is best for a row; if nobody has a
  // route, 0.
  size_t BestOf(const rib::TableChoices& choices, size_t first_choice, size_t together, size_t row, size_t rows,
                const base::IpAddress& next_hop);
  void Tell(const Side& side, const Found& found, uint8_t* row, base::Interner* interner);
  // Tells what is known of the route, or puts it beside those of the block that are to be validated.
  void Validate(const Side& side, const Found& found, const RouteValues& values, uint8_t* row);
  void ValidateAwaited(const Side& side);
  void TellState(const Side& side, rpki::RovState state, uint8_t* row);
  bool IsOwnRouter(const base::IpAddress& next_hop) const;
  AskedTable AskedOf(const base::IpAddress& address, const rib::RouteView& route, rib::RouteOrigin origin,
                     const rib::TableSource& source) const;

  const std::shared_ptr<const void> owner_;  // goes last
  RouteTables tables_;
  RoutesOptions options_;
  std::optional<lpm::ReaderEpochs::Reader> reader_;
  rib::RibReader routes_;
  RouteValueCache cache_;
  Side sides_[2];
  FieldPlace exporter_, distinguisher_, next_hop_;
  const rib::TableDirectory* directory_ = nullptr;  // of the batch that is applied
  std::vector<filter::BoundFilter> selector_filters_;
  absl::flat_hash_map<base::IpAddress, std::vector<uint32_t>> selectors_of_;  // forgotten when there are too many
  std::array<Found, kBlock> found_;
  std::vector<rib::RouteView> views_;  // of each table that answers, the rows of a block
  std::vector<size_t> candidates_;     // scratch
  std::vector<rib::Path> paths_;       // scratch
  std::optional<rpki::VrpReader> vrps_;
  const rpki::VrpTable* vrp_table_ = nullptr;  // of the batch; null: there is none
  RovCache rov_cache_;
  size_t awaited_ = 0;
  std::array<rpki::RouteOrigin, kBlock> awaited_routes_;
  std::array<uint8_t*, kBlock> awaited_rows_;
  std::array<rpki::RovState, kBlock> states_;

  uint64_t addresses_ = 0;
  uint64_t without_route_ = 0;
  uint64_t without_table_ = 0;  // of these: nobody answers for the exporter and VRF
  uint64_t stale_ = 0;
  uint64_t followed_ = 0;
  uint64_t records_not_joined_ = 0;  // there are more readers than epochs know of (lpm::ReaderEpochs::kMaxReaders)
  std::array<uint64_t, kOrigins> by_origin_{};
  std::array<uint64_t, kRovStates> by_rov_state_{};
  uint64_t not_validated_ = 0;  // there were no VRPs
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ROUTES_ROUTES_ENRICHER_H_
