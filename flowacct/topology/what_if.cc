#include "flowacct/topology/what_if.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/container/flat_hash_map.h"

namespace flowacct::topology {
namespace {

// Demands by egress, so that each egress' paths are found once.
std::vector<uint32_t> ByEgress(absl::Span<const Demand> demands) {
  std::vector<uint32_t> order(demands.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return demands[a].to < demands[b].to; });
  return order;
}

}  // namespace

WhatIfReport WhatIf(const Graph& graph, absl::Span<const Demand> demands, const Failure& failure,
                    const WhatIfOptions& options) {
  WhatIfReport report;
  std::vector<LinkIndex> original;
  const Graph left = failure.Apply(&original);
  std::vector<LinkChange>& links = report.links;
  links.resize(graph.link_count());
  absl::flat_hash_map<uint32_t, TagChange> tags;
  EgressPaths before, after;
  uint64_t all = 0;
  const size_t nodes = graph.node_count();
  for (const uint32_t i : ByEgress(demands)) {
    const Demand& demand = demands[i];
    if (demand.octets > std::numeric_limits<uint64_t>::max() - all) {
      ++report.refused;
      continue;
    }
    all += demand.octets;
    if (demand.from >= nodes || demand.to >= nodes) {
      report.lost_before += demand.octets;
      continue;
    }
    if (before.egress() != demand.to) before.Compute(graph, demand.to);
    // A router that fails takes with it what begins and what ends there.
    bool met = failure.node(demand.from) || failure.node(demand.to);
    const bool had_way = before.Lay(demand.from, demand.octets, [&](LinkIndex l, uint64_t octets, bool) {
      links[l].before += octets;
      met = met || failure.link(l);
    });
    if (!had_way) {
      report.lost_before += demand.octets;
      continue;
    }
    report.octets += demand.octets;
    TagChange& tag = tags[demand.tag];
    tag.octets += demand.octets;
    bool has_way = !failure.node(demand.from) && !failure.node(demand.to);
    if (has_way) {
      if (after.egress() != demand.to) after.Compute(left, demand.to);
      has_way = after.Lay(demand.from, demand.octets,
                          [&](LinkIndex l, uint64_t octets, bool) { links[original[l]].after += octets; });
    }
    if (!met) continue;
    (has_way ? tag.moved : tag.lost) += demand.octets;
    (has_way ? report.moved : report.lost) += demand.octets;
  }
  for (LinkIndex l = 0; l < links.size(); ++l) {
    LinkChange& link = links[l];
    link.link = l;
    link.failed = failure.link(l);
    link.capacity =
        l < options.capacities.size() ? options.capacities[l] : static_cast<double>(graph.detail(l).bandwidth);
    link.rate_before = static_cast<double>(link.before) / options.seconds;
    link.rate_after = static_cast<double>(link.after) / options.seconds;
    link.full_before = link.capacity > 0 && link.rate_before > link.capacity * options.threshold;
    link.full_after = link.capacity > 0 && link.rate_after > link.capacity * options.threshold;
  }
  for (auto& [number, tag] : tags) {
    tag.tag = number;
    if (tag.lost > 0 || tag.moved > 0) report.tags.push_back(tag);
  }
  std::sort(report.tags.begin(), report.tags.end(), [](const TagChange& a, const TagChange& b) {
    return a.lost != b.lost ? a.lost > b.lost : a.moved != b.moved ? a.moved > b.moved : a.tag < b.tag;
  });
  return report;
}

std::vector<WorstCase> WorstCases(const Graph& graph, absl::Span<const Demand> demands,
                                  absl::Span<const Failure> failures) {
  LinkLoad usual(graph);
  usual.Add(demands);
  std::vector<uint64_t> most = usual.all();
  std::vector<WorstCase> worst(graph.link_count());
  std::vector<Demand> alive;
  for (size_t f = 0; f < failures.size(); ++f) {
    std::vector<LinkIndex> original;
    const Graph left = failures[f].Apply(&original);
    alive.clear();
    for (const Demand& demand : demands) {
      const bool gone = demand.from >= graph.node_count() || demand.to >= graph.node_count() ||
                        failures[f].node(demand.from) || failures[f].node(demand.to);
      if (!gone) alive.push_back(demand);
    }
    LinkLoad load(left);
    load.Add(alive);
    for (LinkIndex l = 0; l < left.link_count(); ++l) {
      const LinkIndex link = original[l];
      if (load.octets(l) <= most[link]) continue;
      most[link] = load.octets(l);
      worst[link] = {link, static_cast<uint32_t>(f), load.octets(l)};
    }
  }
  worst.erase(std::remove_if(worst.begin(), worst.end(), [](const WorstCase& w) { return w.link == kNoIndex; }),
              worst.end());
  return worst;
}

}  // namespace flowacct::topology
