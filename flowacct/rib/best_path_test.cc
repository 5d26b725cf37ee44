#include "flowacct/rib/best_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"

namespace flowacct::rib {
namespace {

Path Some() {
  Path p;
  p.hops = 3;
  p.origin = 0;
  p.neighbour_as = 64500;
  p.identifier = 10;
  p.peer = base::IpAddress::V4(10);
  return p;
}

// Each step decides against all that come after it.
TEST(BestPath, EachStepDecidesBeforeTheNext) {
  struct Step {
    const char* name;
    std::function<void(Path*)> better;
  };
  const std::vector<Step> steps = {
      {"local_pref", [](Path* p) { p->local_pref = 101; }},
      {"aigp", [](Path* p) { p->aigp = 5; }},
      {"hops", [](Path* p) { p->hops = 2; }},
      {"origin", [](Path* p) { p->origin = 0; }},
      {"med", [](Path* p) { p->med = 5; }},
      {"external", [](Path* p) { p->external = true; }},
      {"cost", [](Path* p) { p->interior_cost = 5; }},
      {"identifier", [](Path* p) { p->identifier = 5; }},
      {"clusters", [](Path* p) { p->clusters = 0; }},
      {"peer", [](Path* p) { p->peer = base::IpAddress::V4(5); }},
      {"path_id", [](Path* p) { p->path_id = 0; }},
  };
  Path worst = Some();
  worst.origin = 1;
  worst.has_med = true;
  worst.med = 50;
  worst.external = false;
  worst.interior_cost = 50;
  worst.clusters = 1;
  worst.path_id = 1;
  for (size_t i = 0; i < steps.size(); ++i) {
    Path one = worst, other = worst;
    steps[i].better(&one);
    for (size_t k = i + 1; k < steps.size(); ++k) steps[k].better(&other);
    EXPECT_EQ(BestPath({one, other}), 0u) << steps[i].name;
    EXPECT_EQ(BestPath({other, one}), 1u) << steps[i].name;
  }
  EXPECT_EQ(BestPath({worst, worst}), 0u);
}

TEST(BestPath, MedIsOfOneNeighbourUnlessToldOtherwise) {
  Path a = Some(), b = Some();
  a.has_med = b.has_med = true;
  a.med = 100;
  b.med = 5;
  b.identifier = 20;
  EXPECT_EQ(BestPath({a, b}), 1u);
  b.neighbour_as = 64501;
  EXPECT_EQ(BestPath({a, b}), 0u);
  BestPathOptions always;
  always.always_compare_med = true;
  EXPECT_EQ(BestPath({a, b}, always), 1u);
  // Absent: the lowest, or the worst.
  a = b = Some();
  b.has_med = true;
  b.med = 1;
  b.identifier = 5;
  EXPECT_EQ(BestPath({a, b}), 0u);
  BestPathOptions worst;
  worst.missing_med_worst = true;
  EXPECT_EQ(BestPath({a, b}, worst), 1u);
}

// RFC 4271, 9.1.2.2.c: a path loses to one of its neighbour's that then loses to another one's. One after another the
// outcome depends on the order; from the whole set it does not.
TEST(BestPath, MedIsNoOrder) {
  Path a = Some(), b = Some(), c = Some();
  a.neighbour_as = b.neighbour_as = 1;
  c.neighbour_as = 2;
  a.has_med = b.has_med = c.has_med = true;
  a.med = 10;
  a.interior_cost = 1;
  b.med = 5;
  b.interior_cost = 9;
  c.med = 7;
  c.interior_cost = 5;
  std::vector<std::pair<char, Path>> all = {{'a', a}, {'b', b}, {'c', c}};
  std::sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  do {
    std::vector<Path> paths;
    for (const auto& [name, path] : all) paths.push_back(path);
    EXPECT_EQ(all[BestPath(paths)].first, 'c');
  } while (
      std::next_permutation(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.first < y.first; }));
}

TEST(BestPath, ACostThatIsNotKnownOfAllDoesNotCount) {
  Path a = Some(), b = Some();
  a.interior_cost = 100;
  b.identifier = 20;
  EXPECT_EQ(BestPath({a, b}), 0u);
  b.interior_cost = 5;
  EXPECT_EQ(BestPath({a, b}), 1u);
}

TEST(BestPath, AigpIsCountedWithTheCostAndCannotWrap) {
  Path a = Some(), b = Some();
  a.aigp = 10;
  a.interior_cost = 10;
  b.aigp = 15;
  b.interior_cost = 1;
  EXPECT_EQ(BestPath({a, b}), 1u);
  a.aigp = std::numeric_limits<uint64_t>::max() - 1;
  EXPECT_EQ(BestPath({a, b}), 1u);
  b.aigp = Path::kNoAigp;
  EXPECT_EQ(BestPath({b, a}), 1u);
  BestPathOptions off;
  off.use_aigp = false;
  EXPECT_EQ(BestPath({b, a}, off), 0u);
}

// The decision as the RFC has it: each step removes from the whole set what any other of it beats.
size_t SlowTwin(const std::vector<Path>& paths, const BestPathOptions& options) {
  const auto med = [&](const Path& p) -> int64_t {
    return p.has_med ? p.med : options.missing_med_worst ? int64_t{1} << 40 : 0;
  };
  const std::vector<std::function<bool(const Path& p, const Path& q, bool costs_known)>> beats = {
      [](const Path& p, const Path& q, bool) { return p.local_pref > q.local_pref; },
      [&](const Path& p, const Path& q, bool) {
        if (!options.use_aigp || p.aigp == Path::kNoAigp) return false;
        const auto cost = [](const Path& x) { return x.interior_cost == Path::kUnknownCost ? 0 : x.interior_cost; };
        return q.aigp == Path::kNoAigp || p.aigp + cost(p) < q.aigp + cost(q);
      },
      [](const Path& p, const Path& q, bool) { return p.hops < q.hops; },
      [](const Path& p, const Path& q, bool) { return p.origin < q.origin; },
      [&](const Path& p, const Path& q, bool) {
        return (options.always_compare_med || p.neighbour_as == q.neighbour_as) && med(p) < med(q);
      },
      [](const Path& p, const Path& q, bool) { return p.external && !q.external; },
      [](const Path& p, const Path& q, bool known) { return known && p.interior_cost < q.interior_cost; },
      [](const Path& p, const Path& q, bool) { return p.identifier < q.identifier; },
      [](const Path& p, const Path& q, bool) { return p.clusters < q.clusters; },
      [](const Path& p, const Path& q, bool) { return p.peer < q.peer; },
      [](const Path& p, const Path& q, bool) { return p.path_id < q.path_id; },
  };
  std::vector<size_t> left;
  for (size_t i = 0; i < paths.size(); ++i) left.push_back(i);
  for (const auto& step : beats) {
    bool known = true;
    for (const size_t i : left) known &= paths[i].interior_cost != Path::kUnknownCost;
    std::vector<size_t> next;
    for (const size_t q : left) {
      bool beaten = false;
      for (const size_t p : left) beaten |= step(paths[p], paths[q], known);
      if (!beaten) next.push_back(q);
    }
    left = next;
  }
  return left.front();
}

TEST(BestPath, EqualsTheSlowTwin) {
  std::mt19937 random(1);
  for (int i = 0; i < 40000; ++i) {
    BestPathOptions options;
    options.always_compare_med = random() % 4 == 0;
    options.missing_med_worst = random() % 4 == 0;
    options.use_aigp = random() % 2 == 0;
    std::vector<Path> paths(1 + random() % 9);
    // Few values, so that many steps are reached.
    const uint32_t few = 1 + random() % 3;
    for (Path& p : paths) {
      p.local_pref = random() % few;
      if (random() % 4 == 0) p.aigp = random() % 3;
      p.hops = random() % few;
      p.origin = static_cast<uint8_t>(random() % few);
      p.has_med = random() % 3 != 0;
      p.med = p.has_med ? random() % 3 : 0;
      p.neighbour_as = random() % 3;
      p.external = random() % 2 == 0;
      p.interior_cost = random() % 8 == 0 ? Path::kUnknownCost : random() % 3;
      p.identifier = random() % 2;
      p.clusters = random() % 2;
      p.peer = base::IpAddress::V4(random() % 2);
      p.path_id = random() % 4;
    }
    ASSERT_EQ(BestPath(paths, options), SlowTwin(paths, options)) << i;
  }
}

TEST(PathOf, TakesWhatTheAttributesAndTheSourceSay) {
  const std::vector<uint8_t> all = {
      1,  0, 1,  1,                                                                        // ORIGIN EGP
      2,  0, 20, 2,  2, 0, 0, 0xfb, 0xf4, 0, 0, 0xfb, 0xf5, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2,  // 64500 64501 {1,2}
      4,  0, 4,  0,  0, 0, 7,                                                              // MED
      5,  0, 4,  0,  0, 1, 0,                                                              // LOCAL_PREF
      9,  0, 4,  10, 0, 0, 9,                                                              // ORIGINATOR_ID
      10, 0, 8,  1,  1, 1, 1, 2,    2,    2, 2,                                            // CLUSTER_LIST
  };
  const PathSource source{false, 0x0a000001, base::IpAddress::V4(0x0a000002)};
  const Path p = PathOf(bgp::AttributeSetView(all), source, 3);
  EXPECT_EQ(p.origin, 1);
  EXPECT_EQ(p.hops, 3u);
  EXPECT_EQ(p.neighbour_as, 64500u);
  EXPECT_TRUE(p.has_med);
  EXPECT_EQ(p.med, 7u);
  EXPECT_EQ(p.local_pref, 256u);
  EXPECT_EQ(p.identifier, 0x0a000009u);
  EXPECT_EQ(p.clusters, 2u);
  EXPECT_FALSE(p.external);
  EXPECT_EQ(p.path_id, 3u);
  const Path bare = PathOf(bgp::AttributeSetView(), source, 0);
  EXPECT_EQ(bare.local_pref, 100u);
  EXPECT_EQ(bare.identifier, 0x0a000001u);
  EXPECT_EQ(bare.neighbour_as, 0u);
  EXPECT_EQ(bare.aigp, Path::kNoAigp);
}

}  // namespace
}  // namespace flowacct::rib
