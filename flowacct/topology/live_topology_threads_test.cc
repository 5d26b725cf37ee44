// One writer changes prefixes and links while readers look up and choose; ThreadSanitizer watches.
//
// The metric of a prefix tells its number, so that a reader knows whether what it found is what was ever advertised.

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/testing/drawn_graph.h"

namespace flowacct::topology {
namespace {

#ifdef FLOWACCT_SANITIZED
constexpr uint32_t kRounds = 300;
#else
constexpr uint32_t kRounds = 3000;
#endif
constexpr uint32_t kNets = 200;

AdvertisedPrefix Net(uint32_t net) {
  AdvertisedPrefix prefix;
  prefix.prefix = {base::IpAddress::V4(0x0a000000 + (net << 8)), 24};
  prefix.metric = net;
  return prefix;
}

TEST(LiveTopologyThreads, ReadersSeeOnlyWhatWasAdvertised) {
  lpm::ReaderEpochs epochs;
  LiveTopologyOptions options;
  options.reach.arena.max_garbage_octets = 1 << 20;
  options.database.max_history = 100;
  LiveTopology topology(&epochs, options);
  // B has half of the nets all the time, C all of them now and then.
  std::vector<Advertisement> drawn = Drawn(R"(
      A--1--B
      |     |
      5     1
      |     |
      C--1--D )");
  for (uint32_t net = 0; net < kNets; net += 2) drawn[1].prefixes.push_back(Net(net));
  for (const Advertisement& a : drawn) topology.Apply(a, 0);
  topology.Want(LetterKey('A'));
  topology.Compute(0);

  std::atomic<bool> stop{false};
  std::atomic<uint64_t> of_b{0}, of_c{0}, snapshots{0};
  const auto read = [&](uint32_t seed) {
    std::optional<lpm::ReaderEpochs::Reader> online = epochs.NewReader();
    TopologyReader reader(topology.published());
    const ReachReader reach(&topology.reach());
    uint64_t serial = 0;
    online->Online();
    for (uint32_t i = seed; !stop.load(std::memory_order_relaxed); ++i) {
      const TopologySnapshot* snapshot = reader.Meet();
      ASSERT_NE(snapshot, nullptr);
      ASSERT_GE(snapshot->serial, serial);
      snapshots += snapshot->serial != serial;
      serial = snapshot->serial;
      const RouterPaths* paths = snapshot->PathsOf(LetterKey('A'));
      ASSERT_NE(paths, nullptr);
      const uint32_t net = i * 7919 % kNets;
      const ReachView view = reach.Find(base::IpAddress::V4(0x0a000001 + (net << 8)));
      ASSERT_TRUE(view.found() || net % 2 == 1);
      for (const ReachCandidate& c : view.candidates) {
        ASSERT_EQ(c.metric, net);
        ASSERT_TRUE(c.node == LetterKey('B') || c.node == LetterKey('C'));
        (c.node == LetterKey('B') ? of_b : of_c) += 1;
      }
      const RouterRoute route = paths->Choose(view.candidates, false);
      ASSERT_EQ(route.found(), view.found());
      if (i % 16 == 0) online->Quiescent();
    }
    online->Offline();
  };
  std::vector<std::thread> readers;
  for (uint32_t t = 0; t < 3; ++t) readers.emplace_back(read, t);
  Advertisement b = drawn[1], c = drawn[2];
  for (uint32_t round = 1; round <= kRounds; ++round) {
    c.prefixes.clear();
    for (uint32_t net = round % 2; net < kNets; net += 1 + round % 3) c.prefixes.push_back(Net(net));
    c.links[0].metric = 1 + round % 9;
    topology.Apply(c, round);
    if (round % 4 == 0) topology.Compute(round);
    if (round % 16 == 0) std::this_thread::yield();
  }
  // Readers may have come late.
  while (of_b == 0 || of_c == 0 || snapshots < 3) std::this_thread::yield();
  stop = true;
  for (std::thread& t : readers) t.join();
  EXPECT_GT(of_b, 0u);
  EXPECT_EQ(topology.reach().refused(), 0u);
}

}  // namespace
}  // namespace flowacct::topology
