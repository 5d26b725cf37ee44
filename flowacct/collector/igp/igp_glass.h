// Answers what people ask of the inside of a network, as JSON rows for tables (collector/client/query_answer.h).
//
//     IgpGlass glass(state, groups);
//     auto json = glass.Routes("ams1");       // {"columns": [...], "rows": [[...], ...], "groups": 12}
//
// Routers are named by host name, identifier, router identifier or an address of theirs; links as A-B, or
// A-B@ADDRESS with A's address of one of several parallel links. Where a level is not said it is 2 if it has routers,
// else 1.
// Ownership: owns copies of what it needs. Threads: one at a time. Errors: InvalidArgument that names what there is
// not, and what is near. Cost: making one costs the graphs; a question some SPFs.

#ifndef FLOWACCT_COLLECTOR_IGP_IGP_GLASS_H_
#define FLOWACCT_COLLECTOR_IGP_IGP_GLASS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/failure.h"
#include "flowacct/topology/link_load.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/router_directory.h"
#include "flowacct/topology/router_paths.h"
#include "flowacct/topology/topology_file.h"
#include "flowacct/topology/topology_state.h"

namespace flowacct::collector {

struct IgpPlane {
  uint8_t level = 0;  // 0: 2 if it has routers, else 1
  topology::TopologyNumber topology = 0;
};

struct IgpLoadOptions {
  IgpPlane plane;
  double seconds = 300;  // in which the octets were counted
  double threshold = 1;  // above this part of its capacity a link is too full
  size_t limit = 0;      // rows; 0: all
  // Lines of A-B CAPACITY, in bits a second (such as 10G), instead of what the topology says; "": none.
  std::string capacities, capacities_name;
};

class IgpGlass {
 public:
  IgpGlass(topology::TopologyState state, std::vector<topology::GroupMember> groups);

  // Of one router, if one is named: what it says of links and prefixes, and the facts that it tells beside them.
  absl::StatusOr<std::string> Database(absl::string_view router, const IgpPlane& plane);
  absl::StatusOr<std::string> Routes(absl::string_view router, absl::string_view prefix);
  // `to`: a router or an address.
  absl::StatusOr<std::string> Paths(absl::string_view from, absl::string_view to, const IgpPlane& plane);
  absl::StatusOr<std::string> Spf(absl::string_view router, const IgpPlane& plane);
  // Called now and then, on the caller's thread; false: the answer is not wanted any more (Cancelled).
  using Progress = std::function<bool(uint64_t done, uint64_t of)>;
  // Alternates of one router, or of all how much they protect: that takes seconds in a network of 10,000, and
  // kAlternatesThreads threads at most.
  absl::StatusOr<std::string> Alternates(absl::string_view router, const IgpPlane& plane,
                                         const Progress& progress = nullptr);
  // What links carry; `report`: lines that say what became of all octets.
  absl::StatusOr<std::string> Traffic(const IgpDemands& demands, const IgpLoadOptions& options,
                                      std::vector<std::string>* report);
  // `failures`: links, routers, groups.
  absl::StatusOr<std::string> WhatIf(const IgpDemands& demands, const std::vector<std::string>& failures,
                                     const IgpLoadOptions& options, std::vector<std::string>* report);
  std::string Differences(const topology::TopologyState& before) const;
  // SVG; with demands links show their load.
  absl::StatusOr<std::string> Draw(const IgpDemands* demands, const std::vector<std::string>& failures,
                                   const IgpLoadOptions& options, const std::string& title);

 private:
  static constexpr size_t kAlternatesThreads = 8;

  struct Laid;  // demands, resolved: igp_glass_load.cc

  const topology::Graph& GraphOf(const IgpPlane& plane) const;
  absl::StatusOr<topology::NodeKey> Router(absl::string_view text) const;
  // A router, or a LAN as it is shown.
  std::optional<topology::NodeKey> Node(absl::string_view text) const;
  absl::StatusOr<topology::NodeIndex> RouterIn(const topology::Graph& graph, absl::string_view text) const;
  std::string Name(topology::NodeKey key) const;
  std::string LinkName(const topology::Graph& graph, topology::LinkIndex link) const;
  absl::StatusOr<std::string> Coverage(const topology::Graph& graph, const Progress& progress) const;
  std::string HopsText(const topology::Graph& graph, absl::Span<const topology::FirstHop> hops) const;
  std::shared_ptr<const topology::RouterPaths> PathsOf(topology::NodeKey root);
  absl::StatusOr<std::vector<topology::LinkIndex>> Links(const topology::Graph& graph, absl::string_view text) const;
  absl::StatusOr<topology::Failure> FailureOf(const topology::Graph& graph,
                                              const std::vector<std::string>& failures) const;
  absl::StatusOr<std::vector<double>> Capacities(const topology::Graph& graph, const IgpLoadOptions& options) const;
  Laid Lay(const IgpDemands& demands);

  const topology::TopologyState state_;
  const std::vector<topology::GroupMember> groups_;
  const topology::TopologyGraphs graphs_;
  lpm::ReaderEpochs epochs_;
  std::unique_ptr<topology::ReachTable> reach_;
  const topology::RouterDirectory directory_;
  // Lower-case names, identifiers and addresses; kNobody: several routers have it.
  absl::flat_hash_map<std::string, topology::NodeKey> routers_;
  std::map<topology::NodeKey, std::shared_ptr<const topology::RouterPaths>> paths_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_IGP_GLASS_H_
