// Routes of routers, next to a slow twin that follows the rules one by one over what was advertised.

#include "flowacct/topology/router_paths.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/random_routing.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

#ifdef FLOWACCT_SANITIZED
constexpr uint64_t kNetworks = 200;
#else
constexpr uint64_t kNetworks = 1000;
#endif

// What a route is, in terms of nodes.
struct Answer {
  int rank = 0;  // 1 to 6; 0: no route
  uint64_t metric = 0, external = 0;
  int level = 0;
  std::set<NodeKey> egress;
  std::set<std::tuple<uint32_t, NodeKey>> hops;  // local address of the link, router

  friend bool operator==(const Answer& a, const Answer& b) {
    return a.rank == b.rank && a.metric == b.metric && a.external == b.external && a.level == b.level &&
           a.egress == b.egress && a.hops == b.hops;
  }
};

std::string TextOf(const Answer& a) {
  std::string text = "rank " + std::to_string(a.rank) + ", metric " + std::to_string(a.metric) + ", external " +
                     std::to_string(a.external) + ", level " + std::to_string(a.level) + ", egress";
  for (const NodeKey key : a.egress) text += " " + std::to_string(key.value >> 16);
  text += ", hops";
  for (const auto& [address, key] : a.hops)
    text += " " + std::to_string(address) + ">" + std::to_string(key.value >> 16);
  return text;
}

class SlowTwin {
 public:
  explicit SlowTwin(const std::vector<Advertisement>& all) : all_(all) {
    for (const Advertisement& a : all) {
      if (a.key.fragment == 0) zeros_[{a.key.level, a.key.origin}] = &a;
    }
  }

  bool In(int level, int topology, NodeKey node) const { return FlagsOf(level, topology, node).first; }

  struct Link {
    NodeKey from, to;
    uint64_t metric;
    uint32_t address;
  };
  std::vector<Link> Links(int level, int topology) const {
    std::vector<Link> halves, links;
    for (const Advertisement& a : all_) {
      if (a.key.level != level || !In(level, topology, a.key.origin)) continue;
      for (const AdvertisedLink& link : a.links) {
        const bool lan = IsPseudonode(NodeStyle::kIsis, a.key.origin);
        if (link.topology != topology && !lan) continue;
        halves.push_back({a.key.origin, link.to, link.metric, link.local_address.v4()});
      }
    }
    for (const Link& half : halves) {
      const bool told = std::any_of(halves.begin(), halves.end(),
                                    [&](const Link& other) { return other.from == half.to && other.to == half.from; });
      if (told) links.push_back(half);
    }
    return links;
  }

  const std::map<NodeKey, uint64_t>& Distances(int level, int topology, NodeKey root) const {
    const auto [known, first_time] = distances_.insert({{level, topology, root}, {}});
    std::map<NodeKey, uint64_t>& distances = known->second;
    if (!first_time || !In(level, topology, root)) return distances;
    distances[root] = 0;
    const std::vector<Link> links = Links(level, topology);
    for (bool changed = true; changed;) {
      changed = false;
      for (const Link& link : links) {
        const auto from = distances.find(link.from);
        if (from == distances.end() || (link.from != root && FlagsOf(level, topology, link.from).second)) continue;
        const uint64_t sum = from->second + link.metric;
        const auto [to, first] = distances.insert({link.to, sum});
        if (first || sum < to->second) {
          to->second = sum;
          changed = true;
        }
      }
    }
    return distances;
  }

  Answer RouteOf(NodeKey root, const base::IpPrefix& prefix) const {
    const bool v6 = !prefix.address().IsV4();
    bool level_2 = false;
    for (const int topology : {0, 2}) {
      for (const Link& link : Links(2, topology)) level_2 |= link.from == root;
    }
    Answer best;
    for (const int level : {1, 2}) {
      const int topology = v6 && In(level, 2, root) ? 2 : 0;
      const std::map<NodeKey, uint64_t>& distances = Distances(level, topology, root);
      const auto consider = [&](NodeKey node, uint64_t metric, bool down, bool external) {
        const auto to = distances.find(node);
        if (to == distances.end() || metric > 0xfe000000) return;
        int rank = level == 2 ? 2 : down ? 3 : 1;
        if (external) rank += 3;
        const uint64_t way = external ? to->second : to->second + metric;
        const uint64_t first = external ? metric : way, second = external ? way : 0;
        const auto key = std::make_tuple(rank, first, second);
        const auto best_key =
            std::make_tuple(best.rank, best.rank > 3 ? best.external : best.metric, best.rank > 3 ? best.metric : 0);
        if (best.rank != 0 && best_key < key) return;
        if (best.rank == 0 || key < best_key) best = Answer();
        best.rank = rank;
        best.metric = way;
        best.external = external ? metric : 0;
        best.level = level;
        best.egress.insert(node);
      };
      for (const Advertisement& a : all_) {
        if (a.key.level != level) continue;
        for (const AdvertisedPrefix& p : a.prefixes) {
          if (p.prefix == prefix && p.topology == topology) {
            consider(a.key.origin, p.metric, p.down, p.external_metric);
          }
        }
        if (level == 2 || level_2 || a.key.fragment != 0 || prefix.length() != 0 || a.key.origin == root) continue;
        bool attached = topology == 0 && a.attached;
        for (const TopologyFlags& flags : a.topologies) attached |= flags.topology == topology && flags.attached;
        if (attached) consider(a.key.origin, 0, false, false);
      }
    }
    if (best.rank == 0) return best;
    // Hops from first principles: over a neighbour from which the rest of the way is what is left of the distance.
    const int topology = v6 && In(best.level, 2, root) ? 2 : 0;
    const std::map<NodeKey, uint64_t>& from_root = Distances(best.level, topology, root);
    const std::vector<Link> links = Links(best.level, topology);
    for (const NodeKey egress : best.egress) {
      const auto consider = [&](uint32_t address, NodeKey router, uint64_t metric) {
        if (router == root || (router != egress && FlagsOf(best.level, topology, router).second)) return;
        const std::map<NodeKey, uint64_t>& rest = Distances(best.level, topology, router);
        const auto it = rest.find(egress);
        if (it != rest.end() && metric + it->second == from_root.at(egress)) best.hops.insert({address, router});
      };
      if (egress == root) continue;
      for (const Link& link : links) {
        if (link.from != root) continue;
        if (!IsPseudonode(NodeStyle::kIsis, link.to)) {
          consider(link.address, link.to, link.metric);
          continue;
        }
        for (const Link& behind : links) {
          if (behind.from == link.to) consider(link.address, behind.to, link.metric + behind.metric);
        }
      }
    }
    return best;
  }

 private:
  // Whether it takes part, and whether it forwards nothing.
  std::pair<bool, bool> FlagsOf(int level, int topology, NodeKey node) const {
    const auto it = zeros_.find({level, node});
    if (it == zeros_.end()) return {false, false};
    if (IsPseudonode(NodeStyle::kIsis, node)) return {true, false};
    if (topology == 0) return {true, it->second->overload};
    for (const TopologyFlags& flags : it->second->topologies) {
      if (flags.topology == topology) return {true, flags.overload};
    }
    return {false, false};
  }

  const std::vector<Advertisement>& all_;
  std::map<std::pair<int, NodeKey>, const Advertisement*> zeros_;
  mutable std::map<std::tuple<int, int, NodeKey>, std::map<NodeKey, uint64_t>> distances_;  // once computed
};

Answer AnswerOf(const RouterPaths& paths, const RouterRoute& route) {
  Answer answer;
  if (!route.found()) return answer;
  const Graph& graph = paths.graphs().of(route.level, route.topology);
  answer.rank = static_cast<int>(route.kind) + 1;
  answer.metric = route.metric;
  answer.external = route.external_metric;
  answer.level = route.level;
  for (const NodeIndex n : route.egress) answer.egress.insert(graph.node(n).key);
  for (const FirstHop& hop : paths.FirstHopsOf(route)) {
    answer.hops.insert({graph.detail(hop.link).local_address.v4(), graph.node(hop.router).key});
  }
  return answer;
}

std::set<base::IpPrefix> PrefixesOf(const std::vector<Advertisement>& all) {
  std::set<base::IpPrefix> prefixes = {base::IpPrefix(base::IpAddress::V4(0), 0), base::IpPrefix()};
  for (const Advertisement& a : all) {
    for (const AdvertisedPrefix& p : a.prefixes) prefixes.insert(p.prefix);
  }
  return prefixes;
}

TEST(RouterPaths, EqualTheSlowTwin) {
  std::map<int, size_t> ranks;
  size_t equal_ways = 0, behind_lans = 0;
  for (uint64_t seed = 1; seed <= kNetworks; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<Advertisement> all = RandomRouting(seed);
    lpm::ReaderEpochs epochs;
    LiveTopology topology(&epochs);
    for (const Advertisement& a : all) topology.Apply(a, 0);
    const SlowTwin twin(all);
    std::set<NodeKey> routers;
    for (const Advertisement& a : all) {
      if (!IsPseudonode(NodeStyle::kIsis, a.key.origin)) routers.insert(a.key.origin);
    }
    // One router of each network, by turns; more would be slow.
    const NodeKey root = *std::next(routers.begin(), static_cast<int>(seed / 12 % routers.size()));
    topology.Want(root);
    topology.Compute(0);
    const std::shared_ptr<const TopologySnapshot> snapshot = topology.published()->Get();
    const RouterPaths& paths = *snapshot->PathsOf(root);
    const ReachReader reader(&topology.reach());
    for (const base::IpPrefix& prefix : PrefixesOf(all)) {
      const bool v6 = !prefix.address().IsV4();
      const RouterRoute route = paths.Choose(reader.FindPrefix(prefix).candidates, v6);
      const Answer fast = AnswerOf(paths, route), slow = twin.RouteOf(root, prefix);
      ASSERT_TRUE(fast == slow) << prefix.ToString() << " of " << (root.value >> 16) << ":\n"
                                << TextOf(fast) << "\n"
                                << TextOf(slow);
      ++ranks[slow.rank];
      equal_ways += slow.hops.size() > 1;
      const Graph& graph = paths.graphs().of(route.found() ? route.level : 1, route.topology);
      for (const FirstHop& hop : paths.FirstHopsOf(route)) behind_lans += graph.link(hop.link).to != hop.router;
      // By address: the longest prefix that has a route.
      uint8_t length = 0;
      const RouterRoute found = paths.Find(reader, prefix.address(), &length);
      Answer expected;
      uint8_t expected_length = 0;
      for (const base::IpPrefix& other : PrefixesOf(all)) {
        if (!other.Contains(prefix.address()) || (expected.rank != 0 && other.length() < expected_length)) continue;
        const Answer answer = twin.RouteOf(root, other);
        if (answer.rank == 0) continue;
        expected = answer;
        expected_length = other.length();
      }
      ASSERT_TRUE(AnswerOf(paths, found) == expected) << prefix.ToString();
      if (found.found()) {
        ASSERT_EQ(length, expected_length);
      }
    }
  }
  for (int rank = 0; rank <= 6; ++rank) EXPECT_GT(ranks[rank], kNetworks / 20) << rank;
  EXPECT_GT(equal_ways, kNetworks / 4);
  EXPECT_GT(behind_lans, kNetworks / 10);
}

// Change by change, what lives is what would be made of the whole at once.
TEST(LiveTopology, IsWhatWouldBeMadeAnew) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::vector<Advertisement> one = RandomRouting(seed, true), two = RandomRouting(seed + 12 * 60, true);
    lpm::ReaderEpochs epochs;
    LiveTopology lives(&epochs);
    std::map<AdvertisementKey, Advertisement> there;
    for (uint64_t router = 1; router <= 4; ++router) lives.Want(RouterKey(router));
    for (int step = 0; step < 60; ++step) {
      const std::vector<Advertisement>& from = random() % 2 == 0 ? one : two;
      const Advertisement& a = from[random() % from.size()];
      if (random() % 4 == 0) {
        EXPECT_EQ(lives.Remove(a.key, step), there.erase(a.key) == 1);
      } else {
        lives.Apply(a, step);
        there[a.key] = a;
      }
      if (step % 5 != 4) continue;
      lives.Compute(step);
      LiveTopology anew(&epochs);
      for (const auto& [key, advertisement] : there) anew.Apply(advertisement, step);
      for (uint64_t router = 1; router <= 4; ++router) anew.Want(RouterKey(router));
      anew.Compute(step);
      ASSERT_EQ(lives.reach().prefixes(), anew.reach().prefixes());
      ASSERT_EQ(lives.reach().candidates(), anew.reach().candidates());
      const auto snapshot = lives.published()->Get(), snapshot_anew = anew.published()->Get();
      const ReachReader reader(&lives.reach()), reader_anew(&anew.reach());
      for (uint64_t router = 1; router <= 4; ++router) {
        const RouterPaths& paths = *snapshot->PathsOf(RouterKey(router));
        const RouterPaths& paths_anew = *snapshot_anew->PathsOf(RouterKey(router));
        for (const base::IpPrefix& prefix : PrefixesOf(one)) {
          const bool v6 = !prefix.address().IsV4();
          const Answer answer = AnswerOf(paths, paths.Choose(reader.FindPrefix(prefix).candidates, v6));
          const Answer answer_anew =
              AnswerOf(paths_anew, paths_anew.Choose(reader_anew.FindPrefix(prefix).candidates, v6));
          ASSERT_TRUE(answer == answer_anew) << TextOf(answer) << "\n" << TextOf(answer_anew);
        }
      }
    }
    // And over a restart.
    LiveTopology restored(&epochs);
    ASSERT_TRUE(restored.Restore(base::AsOctets(lives.Save()), 100).ok());
    EXPECT_EQ(restored.reach().candidates(), lives.reach().candidates());
    EXPECT_EQ(restored.published()->Get()->state.advertisements().size(), there.size());
  }
}

TEST(LiveTopology, ComputesWhenItIsTime) {
  constexpr int64_t kMs = 1'000'000;
  lpm::ReaderEpochs epochs;
  LiveTopology topology(&epochs);
  TopologyReader reader(topology.published());
  EXPECT_EQ(reader.Meet(), nullptr);
  std::vector<Advertisement> drawn = Drawn("A--10--B");
  for (const Advertisement& a : drawn) topology.Apply(a, 0);
  EXPECT_EQ(topology.NextTime(), 50 * kMs);
  EXPECT_FALSE(topology.Advance(49 * kMs));
  EXPECT_TRUE(topology.Advance(50 * kMs));
  ASSERT_NE(reader.Meet(), nullptr);
  EXPECT_EQ(reader.Meet()->graphs.of(2, 0).link_count(), 2u);
  EXPECT_EQ(reader.Meet()->PathsOf(LetterKey('A')), nullptr);

  // A prefix is there at once; no paths are computed for it.
  AdvertisedPrefix prefix;
  prefix.prefix = *base::IpPrefix::Parse("192.0.2.0/24");
  drawn[1].prefixes.push_back(prefix);
  topology.Apply(drawn[1], 60 * kMs);
  EXPECT_FALSE(topology.Advance(5'000 * kMs));
  const ReachReader reach(&topology.reach());
  EXPECT_EQ(reach.Find(*base::IpAddress::Parse("192.0.2.1")).length, 24);

  // A router that is wanted comes at once, with the graphs that are published.
  drawn[0].links[0].metric = 77;
  topology.Apply(drawn[0], 5'100 * kMs);
  EXPECT_TRUE(topology.Want(LetterKey('A')));
  EXPECT_EQ(topology.NextTime(), INT64_MIN);
  EXPECT_TRUE(topology.Advance(5'101 * kMs));
  const RouterPaths* paths = reader.Meet()->PathsOf(LetterKey('A'));
  ASSERT_NE(paths, nullptr);
  EXPECT_EQ(paths->paths(2, 0).distance(1), 10u);
  EXPECT_FALSE(topology.Advance(5'102 * kMs));
  EXPECT_TRUE(topology.Advance(10'100 * kMs));
  EXPECT_EQ(reader.Meet()->PathsOf(LetterKey('A'))->paths(2, 0).distance(1), 77u);
  EXPECT_EQ(topology.computations(), 3u);
  topology.Unwant(LetterKey('A'));
  EXPECT_TRUE(topology.Advance(10'101 * kMs));
  EXPECT_EQ(reader.Meet()->PathsOf(LetterKey('A')), nullptr);
}

TEST(LiveTopology, WantsNoMoreThanItsBound) {
  lpm::ReaderEpochs epochs;
  LiveTopologyOptions options;
  options.max_roots = 1;
  LiveTopology topology(&epochs, options);
  EXPECT_TRUE(topology.Want(RouterKey(1)));
  EXPECT_TRUE(topology.Want(RouterKey(1)));
  EXPECT_FALSE(topology.Want(RouterKey(2)));
}

TEST(PathsTo, AreAllOfLeastCost) {
  const Graph graph = DrawnGraph(R"(
      A--1--B--1--E
      |     |     |
      1     1     1
      |     |     |
      C--1--D--1--F )");
  ShortestPaths paths;
  paths.Compute(graph, At(graph, 'A'));
  const auto text = [&](char to, size_t max) {
    std::set<std::string> texts;
    for (const std::vector<LinkIndex>& way : PathsTo(graph, paths, At(graph, to), max)) {
      std::string nodes = "A";
      for (const LinkIndex l : way) nodes += LetterOf(graph.node(graph.link(l).to).key);
      texts.insert(nodes);
    }
    return texts;
  };
  EXPECT_EQ(text('F', 100), (std::set<std::string>{"ABEF", "ABDF", "ACDF"}));
  EXPECT_EQ(text('F', 2).size(), 2u);
  EXPECT_EQ(text('A', 9), (std::set<std::string>{"A"}));
  EXPECT_TRUE(PathsTo(graph, paths, kNoIndex, 9).empty());
}

}  // namespace
}  // namespace flowacct::topology
