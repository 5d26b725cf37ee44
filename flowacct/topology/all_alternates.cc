#include "flowacct/topology/all_alternates.h"

#include <algorithm>

#include "flowacct/topology/eight_cells.h"

namespace flowacct::topology {
namespace {

// Distances and metrics below this can be added twice, and stay below what is far.
constexpr uint32_t kSmall = 0x0fffffff;
// Parts of a network that do not reach each other, of which each is looked at if metrics are great.
constexpr size_t kMaxPieces = 64;

// Bits first..last - 1 of words.
void Drop(uint32_t first, uint32_t last, std::vector<uint64_t>* words) {
  for (uint32_t i = first; i < last; ++i) (*words)[i / 64] &= ~(uint64_t{1} << (i % 64));
}

template <typename F>
void ForBits(const std::vector<uint64_t>& words, const F& f) {
  for (size_t w = 0; w < words.size(); ++w) {
    for (uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      f(static_cast<uint32_t>(w * 64 + static_cast<size_t>(__builtin_ctzll(bits))));
    }
  }
}

}  // namespace

AllAlternates::AllAlternates(const Graph& graph, absl::Span<const Destination> destinations)
    : graph_(&graph), destinations_(destinations) {
  std::vector<std::vector<Adjacency>> adjacencies(graph.node_count());
  first_adjacency_.assign(graph.node_count() + 1, 0);
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (!graph.node(n).pseudonode) adjacencies[n] = AdjacenciesOf(graph, n);
    first_adjacency_[n + 1] = first_adjacency_[n] + static_cast<uint32_t>(adjacencies[n].size());
  }
  const bool quick = DistancesAreSmall() && LayOut(adjacencies);
  for (size_t d = 0; d < destinations.size(); ++d) {
    const bool small = std::all_of(destinations[d].begin(), destinations[d].end(), [&](const Target& target) {
      return target.metric < kSmall && !graph.node(target.node).pseudonode;
    });
    (quick && small ? quick_ : exact_).push_back(static_cast<uint32_t>(d));
  }
  // From a LAN to its routers all is near: what tunnels take for granted.
  tunnels_are_quick_ = quick;
  for (NodeIndex n = 0; n < graph.node_count() && tunnels_are_quick_; ++n) {
    if (!graph.node(n).pseudonode) continue;
    for (const GraphLink& link : graph.links_of(n)) tunnels_are_quick_ = tunnels_are_quick_ && link.metric == 0;
  }
  if (!quick) roots_.clear();
}

// Every step adds to the distance, those from a LAN to its routers excepted, and no distance comes near kFar. Then a
// link lies on a shortest path if metrics and distances add up, and the order of nodes has no say.
bool AllAlternates::DistancesAreSmall() const {
  const Graph& graph = *graph_;
  uint64_t sum = 0;  // a path leaves each node once
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    uint32_t greatest = 0;
    for (const GraphLink& link : graph.links_of(n)) {
      const bool from_lan = graph.node(n).pseudonode;
      if (from_lan ? graph.node(link.to).pseudonode : link.metric == 0) return false;
      greatest = std::max(greatest, link.metric);
    }
    if (greatest >= kSmall / 2) return false;
    sum += greatest;
  }
  if (sum < kSmall) return true;
  // Who reaches a node that forwards, and is reached by it, reaches others by way of it.
  std::vector<uint8_t> seen(graph.node_count(), 0);
  ShortestPaths from, to;
  size_t pieces = 0;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (seen[n] != 0 || graph.node(n).overload) continue;
    if (++pieces > kMaxPieces) return false;
    from.Compute(graph, n);
    to.Compute(graph, n, ShortestPaths::Direction::kTo);
    if (from.order().size() != to.order().size()) return false;
    for (const NodeIndex m : from.order()) {
      if (!to.reached(m)) return false;
      seen[m] = 1;
    }
    if (uint64_t{from.distance(from.order().back())} + to.distance(to.order().back()) >= kSmall) return false;
  }
  return true;
}

bool AllAlternates::LayOut(const std::vector<std::vector<Adjacency>>& adjacencies) {
  const Graph& graph = *graph_;
  const size_t nodes = graph.node_count();
  routers_.assign(nodes, {});
  useful_.assign(graph.link_count(), 1);
  first_use_.assign(nodes + 1, 0);
  size_t cells = 0;
  for (NodeIndex n = 0; n < nodes; ++n) {
    if (graph.node(n).overload) overloaded_.push_back(n);
    if (graph.node(n).pseudonode) continue;
    Router& router = routers_[n];
    router.adjacencies = static_cast<uint32_t>(adjacencies[n].size());
    router.stride = static_cast<uint32_t>((router.adjacencies + kLanes - 1) / kLanes * kLanes);
    router.cells = cells;
    uint32_t rows = 3;
    NodeIndex last_lan = kNoIndex;
    for (uint32_t p = 0; p < router.adjacencies; ++p) {
      const Adjacency& a = adjacencies[n][p];
      Primary primary;
      primary.neighbor = a.neighbor;
      primary.neighbor_row = rows++ * router.stride;
      primary.same_first = p;
      primary.same_last = p + 1;
      if (a.pseudonode != kNoIndex) {
        // Links are in the order of the nodes they go to: all that share a LAN stand together.
        primary.pseudonode = a.pseudonode;
        if (a.pseudonode != last_lan) {
          primary.lan_row = rows++ * router.stride;
        } else {
          primary.lan_row = primaries_.back().lan_row;
          primary.same_first = primaries_.back().same_first;
        }
        for (uint32_t q = primary.same_first; q < p; ++q) primaries_[first_adjacency_[n] + q].same_last = p + 1;
      } else {
        const LinkIndex back = graph.link(a.link).reverse;
        if (back != kNoIndex) primary.back = static_cast<Cell>(graph.link(back).metric);
      }
      last_lan = a.pseudonode;
      primaries_.push_back(primary);
      ++first_use_[a.neighbor];
    }
    cells += size_t{rows} * router.stride;
    if (cells * sizeof(Cell) > kMaxKeptOctets) return false;
  }
  cells_.assign(cells, 0);
  for (NodeIndex n = 0; n < nodes; ++n) {
    const Router& router = routers_[n];
    Cell* const row = cells_.data() + router.cells;
    for (uint32_t c = 0; c < router.stride; ++c) {
      const bool is = c < router.adjacencies;
      row[c] = static_cast<Cell>(is ? adjacencies[n][c].neighbor : nodes);
      row[router.stride + c] = static_cast<Cell>(is ? adjacencies[n][c].metric : 0);
    }
  }
  // Counts become ends, which go down to beginnings.
  uint32_t sum = 0;
  for (size_t n = 0; n < nodes; ++n) {
    if (first_use_[n] > 0) roots_.push_back(static_cast<NodeIndex>(n));
    first_use_[n] = sum += first_use_[n];
  }
  first_use_[nodes] = sum;
  uses_.resize(sum);
  for (NodeIndex n = static_cast<NodeIndex>(nodes); n-- > 0;) {
    for (uint32_t c = routers_[n].adjacencies; c-- > 0;) uses_[--first_use_[adjacencies[n][c].neighbor]] = {n, c};
  }
  return true;
}

void AllAlternates::Prepare(size_t preparation) {
  const Graph& graph = *graph_;
  std::vector<Cell> distance(graph.node_count());
  std::vector<NodeIndex> wanted_by(graph.node_count(), kNoIndex);
  DistanceQueue queue;
  const size_t end = std::min(roots_.size(), (preparation + 1) * kRootsOfPart);
  for (size_t i = preparation * kRootsOfPart; i < end; ++i) {
    const NodeIndex root = roots_[i];
    size_t wanted = 0;
    const auto want = [&](NodeIndex n) {
      wanted += wanted_by[n] != root;
      wanted_by[n] = root;
    };
    for (const GraphLink& link : graph.links_of(root)) want(link.to);
    for (uint32_t u = first_use_[root]; u < first_use_[root + 1]; ++u) {
      const Router& router = routers_[uses_[u].router];
      want(uses_[u].router);
      for (uint32_t p = 0; p < router.adjacencies; ++p) {
        const Primary& fails = primary(uses_[u].router, p);
        want(fails.neighbor);
        if (fails.pseudonode != kNoIndex) want(fails.pseudonode);
      }
    }
    std::fill(distance.begin(), distance.end(), kFar);
    queue.Clear();
    distance[root] = 0;
    queue.Push(0, root);
    for (DistanceQueue::Entry at; queue.Pop(distance.data(), &at);) {
      // All that is wanted lies near: the rest need not be settled.
      if (wanted_by[at.node] == root && --wanted == 0) break;
      if (at.node != root && graph.node(at.node).overload) continue;
      for (const GraphLink& link : graph.links_of(at.node)) {
        const Cell next = static_cast<Cell>(at.distance + link.metric);
        if (next >= distance[link.to]) continue;
        distance[link.to] = next;
        queue.Push(static_cast<uint32_t>(next), link.to);
      }
    }
    LinkIndex l = graph.first_link(root);
    for (const GraphLink& link : graph.links_of(root)) {
      useful_[l++] = static_cast<Cell>(link.metric) == distance[link.to];
    }
    for (uint32_t u = first_use_[root]; u < first_use_[root + 1]; ++u) {
      const Router& router = routers_[uses_[u].router];
      Cell* const cell = cells_.data() + router.cells + uses_[u].candidate;
      cell[size_t{2} * router.stride] = distance[uses_[u].router];
      for (uint32_t p = 0; p < router.adjacencies; ++p) {
        const Primary& fails = primary(uses_[u].router, p);
        cell[fails.neighbor_row] = distance[fails.neighbor];
        if (fails.pseudonode != kNoIndex) cell[fails.lan_row] = distance[fails.pseudonode];
      }
    }
  }
}

AllAlternates::Edges AllAlternates::Incoming() const {
  Edges incoming;
  incoming.first.reserve(graph_->node_count() + 1);
  incoming.first.push_back(0);
  for (NodeIndex n = 0; n < graph_->node_count(); ++n) {
    for (const LinkIndex l : graph_->incoming(n)) {
      const GraphLink& link = graph_->link(l);
      if (useful_[l] != 0) incoming.edges.push_back({link.from, static_cast<Cell>(link.metric)});
    }
    incoming.first.push_back(static_cast<uint32_t>(incoming.edges.size()));
  }
  return incoming;
}

void AllAlternates::Reach(const Edges& incoming, Destination destination, Distances* distances) const {
  const size_t nodes = graph_->node_count();
  std::vector<Cell>& distance = distances->of;
  DistanceQueue& queue = distances->queue;
  distance.assign(nodes + 1, kFar);
  queue.Clear();
  const auto reach = [&](NodeIndex n, Cell to) {
    if (to >= distance[n]) return;
    distance[n] = to;
    queue.Push(static_cast<uint32_t>(to), n);
  };
  const auto reach_from = [&](NodeIndex n, Cell to) {
    for (uint32_t e = incoming.first[n]; e < incoming.first[n + 1]; ++e) {
      reach(incoming.edges[e].other, to + incoming.edges[e].metric);
    }
  };
  for (const Target& target : destination) {
    reach(target.node, static_cast<Cell>(target.metric));
    // What is overloaded is a destination, but on the way to none: not even to another router of the same prefix.
    if (graph_->node(target.node).overload) reach_from(target.node, static_cast<Cell>(target.metric));
  }
  for (DistanceQueue::Entry at; queue.Pop(distance.data(), &at);) {
    if (!graph_->node(at.node).overload) reach_from(at.node, static_cast<Cell>(at.distance));
  }

  distances->through = distance;
  for (const NodeIndex n : overloaded_) distances->through[n] = kFar;
  for (const Target& target : destination) {
    if (!graph_->node(target.node).overload) continue;
    Cell& through = distances->through[target.node];
    through = std::min(through, static_cast<Cell>(target.metric));
  }
  distances->offered_differs = false;
  for (const Target& target : destination) {
    if (distances->through[target.node] == distance[target.node]) continue;
    if (!distances->offered_differs) distances->offered = distances->through;
    distances->offered_differs = true;
    distances->offered[target.node] = kFar;
  }
}

template <typename F>
void AllAlternates::JudgeAll(const Distances& distances, const F& f) const {
  const Cell* const of = distances.of.data();
  const Cell* const through = distances.through.data();
  const Cell* const offered = distances.offered_differs ? distances.offered.data() : through;
  std::vector<Cell> there;  // the candidates' distances
  Judged judged;
  for (NodeIndex n = 0; n < routers_.size(); ++n) {
    const Router& router = routers_[n];
    if (router.adjacencies == 0 || of[n] >= kFar) continue;
    const uint32_t stride = router.stride;
    const Cell* const rows = cells_.data() + router.cells;
    const size_t words = (stride + 63) / 64;
    if (there.size() < stride) there.resize(stride);
    if (judged.primaries.size() != words) {
      for (auto* bits : {&judged.primaries, &judged.loop_free, &judged.link, &judged.node}) bits->resize(words);
    }
    uint64_t any = 0;
    for (size_t w = 0; w < words; ++w) {
      uint64_t primaries = 0, loop_free = 0;
      for (uint32_t c = static_cast<uint32_t>(w * 64), bit = 0; c < stride && bit < 64; c += kLanes, bit += kLanes) {
        Collect(through, rows + c, there.data() + c);
        primaries |= uint64_t{SumsThatAre(there.data() + c, rows + stride + c, of[n])} << bit;
        if (offered != through) Collect(offered, rows + c, there.data() + c);
        // Of what is far a sum with what is far is no less.
        loop_free |= uint64_t{LessThan(there.data() + c, kFar) &
                              LessThanSums(there.data() + c, rows + 2 * size_t{stride} + c, through[n])}
                     << bit;
      }
      any |= judged.primaries[w] = primaries;
      judged.loop_free[w] = loop_free;
    }
    if (any == 0) continue;
    ForBits(judged.primaries, [&](uint32_t p) {
      const Primary& fails = primary(n, p);
      judged.primary = p;
      const auto less = [&](uint32_t row, Cell to, std::vector<uint64_t>* bits) {
        for (size_t w = 0; w < words; ++w) {
          uint64_t mask = 0;
          for (uint32_t c = static_cast<uint32_t>(w * 64), bit = 0; c < stride && bit < 64;
               c += kLanes, bit += kLanes) {
            mask |= uint64_t{LessThanSums(there.data() + c, rows + row + c, to)} << bit;
          }
          (*bits)[w] = judged.loop_free[w] & mask;
        }
        (*bits)[p / 64] &= ~(uint64_t{1} << (p % 64));
      };
      less(fails.neighbor_row, through[fails.neighbor], &judged.node);
      if (fails.pseudonode == kNoIndex) {
        judged.link = judged.loop_free;
      } else {
        less(fails.lan_row, through[fails.pseudonode], &judged.link);
      }
      Drop(fails.same_first, fails.same_last, &judged.link);
      f(router, n, judged);
    });
  }
}

Alternate AllAlternates::Choose(const Router& router, NodeIndex n, const Distances& distances,
                                const Judged& judged) const {
  const Cell* const rows = cells_.data() + router.cells;
  uint64_t both = 0, link = 0;
  for (size_t w = 0; w < judged.link.size(); ++w) {
    both |= judged.link[w] & judged.node[w];
    link |= judged.link[w];
  }
  // Another primary goes before the nearest, that before one downstream; of equal ones the first.
  Alternate best;
  bool found = false;
  const auto among = [&](size_t w) {
    return both != 0 ? judged.link[w] & judged.node[w] : link != 0 ? judged.link[w] : judged.node[w];
  };
  for (size_t w = 0; w < judged.link.size(); ++w) {
    for (uint64_t bits = among(w); bits != 0; bits &= bits - 1) {
      const size_t c = w * 64 + static_cast<size_t>(__builtin_ctzll(bits));
      const uint64_t bit = bits & (~bits + 1);
      const Cell there = distances.of[static_cast<size_t>(rows[c])];
      Alternate a;
      a.adjacency = static_cast<uint32_t>(c);
      a.distance = static_cast<Distance>(there + rows[router.stride + c]);
      a.primary = (judged.primaries[w] & bit) != 0;
      a.downstream = there < distances.of[n];
      if (found && (a.primary != best.primary     ? best.primary
                    : a.distance != best.distance ? best.distance < a.distance
                                                  : best.downstream || !a.downstream)) {
        continue;
      }
      a.loop_free = true;
      a.link = (judged.link[w] & bit) != 0;
      a.node = (judged.node[w] & bit) != 0;
      best = a;
      found = true;
    }
  }
  return best;
}

template <typename F>
void AllAlternates::Exact(size_t part, const F& f) const {
  const NodeIndex end = static_cast<NodeIndex>(std::min(graph_->node_count(), (part + 1) * kRoutersOfPart));
  LoopFreeAlternates alternates;
  for (NodeIndex n = static_cast<NodeIndex>(part * kRoutersOfPart); n < end; ++n) {
    if (graph_->node(n).pseudonode) continue;
    alternates.Compute(*graph_, n);
    for (const uint32_t d : exact_) f(n, d, alternates);
  }
}

void AllAlternates::Cover(size_t part, absl::Span<Coverage> coverage) const {
  if (part >= quick_parts()) {
    Exact(part - quick_parts(), [&](NodeIndex n, uint32_t d, const LoopFreeAlternates& alternates) {
      coverage[n] += CoverageOf(alternates, destinations_[d]);
    });
    return;
  }
  const Edges incoming = Incoming();
  Distances distances;
  const size_t end = std::min(quick_.size(), (part + 1) * kDestinationsOfPart);
  for (size_t i = part * kDestinationsOfPart; i < end; ++i) {
    Reach(incoming, destinations_[quick_[i]], &distances);
    JudgeAll(distances, [&](const Router&, NodeIndex n, const Judged& judged) {
      uint64_t link = 0, node = 0, both = 0;
      for (size_t w = 0; w < judged.link.size(); ++w) {
        link |= judged.link[w];
        node |= judged.node[w];
        both |= judged.link[w] & judged.node[w];
      }
      Coverage& c = coverage[n];
      ++c.pairs;
      c.link += link != 0;
      c.node += both != 0 || (link == 0 && node != 0);
      c.link_and_node += both != 0;
      c.none += (link | node) == 0;
    });
  }
}

void AllAlternates::Compute(size_t part, Sink sink) const {
  std::vector<ProtectedWay> ways;
  if (part >= quick_parts()) {
    Exact(part - quick_parts(), [&](NodeIndex n, uint32_t d, const LoopFreeAlternates& alternates) {
      ways.clear();
      for (uint32_t a = 0; a < alternates.adjacencies().size(); ++a) {
        if (!alternates.IsPrimary(a, destinations_[d])) continue;
        ways.push_back({n, a, alternates.Best(a, destinations_[d])});
      }
      if (!ways.empty()) sink(d, ways);
    });
    return;
  }
  const Edges incoming = Incoming();
  Distances distances;
  const size_t end = std::min(quick_.size(), (part + 1) * kDestinationsOfPart);
  for (size_t i = part * kDestinationsOfPart; i < end; ++i) {
    Reach(incoming, destinations_[quick_[i]], &distances);
    ways.clear();
    JudgeAll(distances, [&](const Router& router, NodeIndex n, const Judged& judged) {
      ways.push_back({n, judged.primary, {}});
      uint64_t any = 0;
      for (size_t w = 0; w < judged.link.size(); ++w) any |= judged.link[w] | judged.node[w];
      if (any != 0) ways.back().alternate = Choose(router, n, distances, judged);
    });
    if (!ways.empty()) sink(quick_[i], ways);
  }
}

size_t AllAlternates::octets() const {
  return (quick_.capacity() + exact_.capacity() + first_use_.capacity() + first_adjacency_.capacity()) *
             sizeof(uint32_t) +
         (roots_.capacity() + overloaded_.capacity()) * sizeof(NodeIndex) + routers_.capacity() * sizeof(Router) +
         primaries_.capacity() * sizeof(Primary) + cells_.capacity() * sizeof(Cell) + uses_.capacity() * sizeof(Use) +
         useful_.capacity();
}

}  // namespace flowacct::topology
