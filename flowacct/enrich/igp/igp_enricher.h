// Joins records to the inside of the network: where the IGP takes them, from the router that they came in at.
//
// Reads exporter (and in_if, where the exporters' map asks for it): the ingress router is the one that the map names,
// else the one that advertises the exporter's address as its own: an interface's, a router identifier, or a /32 or /128
// that it alone advertises. Reads dst_addr, bgp_next_hop and dst_mask: where there is a BGP next hop, and the IGP has
// no longer prefix for the destination than BGP (dst_mask), the next hop is what is resolved; else the destination. By
// longest match in both cases, as topology/router_paths.h has it, and on to shorter prefixes where nobody of the longer
// one can be reached. Reads src_addr for igp_src_net.
//
// Tells igp_src_net to igp_alternate (record/fields.def). Several routers that advertise a prefix at equal cost are set
// apart by "|" in igp_egress; ways in igp_path, igp_links and igp_ecmp_shares too, in the same order, the first
// max_ways of them (igp_ecmp_ways tells how many there are). Way by way, routers divide evenly (topology/link_load.h).
// LANs are left out of igp_path; igp_links has both links, to the LAN and from it. With fill_networks, src_net,
// src_mask, dst_net, dst_mask and next_hop too, where the record has none or the IGP's prefix is longer.
// What cannot be told leaves a field as it is. A way is that of one level: from level 1 it ends at the router of both
// that traffic goes to.
//
// Standards: see topology/router_paths.h and protection.h; RFC 5286.
// Guarantees: the counters of outcomes add up to the records that were seen. Without `wanted`, what is told depends on
// the snapshot alone. With `wanted`, nothing here takes longer than one record's ways: paths of routers are made by
// whoever owns the topology, and until then records go on as they are (records_not_ready).
// Ownership: borrows epochs and reach; their owner outlives it, or is kept by it. Threads: one for each worker; never
// waits for the topology's writer. Errors: none. Cost: a look-up for each of source, destination and next hop,
// batch-wise, and a cache line or two for each; what changed in the topology is made anew when a record needs it, some
// microseconds a prefix. Memory: cache_entries of 136 octets (17 MiB), and texts in the interner of the batches.

#ifndef FLOWACCT_ENRICH_IGP_IGP_ENRICHER_H_
#define FLOWACCT_ENRICH_IGP_IGP_ENRICHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/igp/igp_exporters.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/wanted_routers.h"

namespace flowacct::enrich {

// What the control road publishes for all enrichers.
struct Igp {
  lpm::ReaderEpochs* epochs = nullptr;
  const topology::ReachTable* reach = nullptr;
  std::shared_ptr<const topology::PublishedTopology> published;
  // Null: paths of routers are made here, when a record needs them, as fits the replay of files.
  std::shared_ptr<topology::WantedRouters> wanted;
};

struct IgpOptions {
  // Before what the IGP tells of exporters' addresses.
  std::shared_ptr<const IgpExporters> exporters;
  bool fill_networks = true;
  // Of equal cost, that are told: more than people read.
  size_t max_ways = 8;
  // Prefixes as each ingress router has them, rounded up to a power of two: four exporters a worker, 30,000 prefixes.
  // 136 octets each; what does not fit is made again and again, at some microseconds.
  size_t cache_entries = size_t{1} << 17;
  // Exporters that are remembered; beyond, all are forgotten. Strangers may invent some.
  size_t max_exporters = 65536;
  // Whose paths are kept, if there is no `wanted`: some 0.4 MiB each in a network of 10,000.
  size_t max_routers = 4096;
};

// What became of a record. value, counter
#define FLOWACCT_IGP_OUTCOMES(X)                                                                                    \
  X(kJoined, "records_joined")                   /* leaves the network at another router */                         \
  X(kLocal, "records_local")                     /* at the router where it came in */                               \
  X(kNoRoute, "records_without_route")           /* nobody reachable advertises the destination */                  \
  X(kNoNextHopRoute, "records_without_next_hop") /* or the BGP next hop */                                          \
  X(kNoRouter, "records_without_router")         /* nobody knows which router the exporter is, or several are it */ \
  X(kNoAddress, "records_without_address")       /* the record has no destination */                                \
  X(kNotReady, "records_not_ready")              /* the router's paths are being made, or too many routers' are */  \
  X(kNotJoined, "records_not_joined")            /* more readers than lpm::ReaderEpochs::kMaxReaders */

enum class IgpOutcome : uint8_t {
#define X(value, counter) value,
  FLOWACCT_IGP_OUTCOMES(X)
#undef X
};
inline constexpr size_t kIgpOutcomes = 0
#define X(value, counter) +1
    FLOWACCT_IGP_OUTCOMES(X)
#undef X
    ;

// All fields that it tells, but for those that fill_networks fills.
inline constexpr record::FieldId kIgpTold[] = {
    record::FieldId::kIgpSrcNet,   record::FieldId::kIgpSrcMask,    record::FieldId::kIgpDstNet,
    record::FieldId::kIgpDstMask,  record::FieldId::kIgpLevel,      record::FieldId::kIgpRoute,
    record::FieldId::kIgpMetric,   record::FieldId::kIgpSrcRouter,  record::FieldId::kIgpSrcRouterId,
    record::FieldId::kIgpIngress,  record::FieldId::kIgpIngressId,  record::FieldId::kIgpEgress,
    record::FieldId::kIgpEgressId, record::FieldId::kIgpPath,       record::FieldId::kIgpLinks,
    record::FieldId::kIgpEcmpWays, record::FieldId::kIgpEcmpShares, record::FieldId::kIgpProtection,
    record::FieldId::kIgpAlternate};

class IgpEnricher : public Enricher {
 public:
  // `owner` of what `igp` borrows, if somebody is to keep it: it lives as long as this.
  IgpEnricher(const Igp& igp, const IgpOptions& options, std::shared_ptr<const void> owner = nullptr);
  ~IgpEnricher() override;
  static EnricherFactory Factory(std::shared_ptr<const void> owner, const Igp& igp, const IgpOptions& options);

  absl::string_view name() const override { return "igp"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  struct State;  // igp_enricher.cc: who only makes enrichers compiles none of it
  std::unique_ptr<State> state_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_IGP_IGP_ENRICHER_H_
