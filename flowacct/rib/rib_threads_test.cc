// One writer announces, withdraws, restarts and ends sessions while readers look up; ThreadSanitizer watches.
//
// The attributes of a route tell its prefix, so that a reader knows whether what it found is what was ever announced
// there.

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "flowacct/base/octet_hash.h"
#include "flowacct/base/octets.h"
#include "flowacct/rib/rib.h"

namespace flowacct::rib {
namespace {

#ifdef FLOWACCT_SANITIZED
constexpr int kRounds = 30;
#else
constexpr int kRounds = 300;
#endif
constexpr uint32_t kNets = 2000;

base::IpPrefix Net(uint32_t net) { return {base::IpAddress::V4(0x0a000000 + (net << 8)), 24}; }
// ORIGIN, NEXT_HOP 192.0.2.`hop`, and the net as MED; a version makes them many.
std::string Attributes(uint32_t net, uint8_t hop, uint32_t version) {
  uint8_t o[] = {1, 0, 1, 0, 3, 0, 4, 192, 0, 2, hop, 4, 0, 4, 0, 0, 0, 0, 5, 0, 4, 0, 0, 0, 0};
  base::StoreBe32(o + 14, net);
  base::StoreBe32(o + 21, version);
  return std::string(o, o + sizeof(o));
}

TEST(RibThreads, ReadersSeeOnlyWhatWasAnnounced) {
  lpm::ReaderEpochs epochs;
  RibOptions options;
  options.routes.max_garbage_octets = options.attributes.max_garbage_octets = 1 << 20;
  Rib rib(&epochs, options);
  const PeerId steady = *rib.AddPeer({base::IpAddress::V4(1), 1, 1, 0}),
               flapping = *rib.AddPeer({base::IpAddress::V4(2), 2, 2, 0});
  const TableId steady_table = *rib.AddTable(steady, 0), flapping_table = *rib.AddTable(flapping, 0);
  const auto announce = [&](TableId table, uint32_t net, uint8_t hop, uint32_t version, uint32_t path_id) {
    const AttributeSetId id = rib.Intern(base::AsOctets(Attributes(net, hop, version)));
    rib.Announce(table, {Net(net), path_id}, id);
    rib.Release(id);
  };
  // The steady peer's routes are there all the time.
  for (uint32_t net = 0; net < kNets; ++net) announce(steady_table, net, 1, 0, 0);

  std::atomic<bool> stop{false};
  std::atomic<uint64_t> found_steady{0}, found_flapping{0}, matched{0};
  const auto read = [&](uint64_t seed) {
    std::optional<lpm::ReaderEpochs::Reader> online = epochs.NewReader();
    const RibReader reader(&rib);
    constexpr size_t kBatch = 32;
    std::vector<base::IpAddress> addresses(kBatch), hops(kBatch);
    std::vector<RouteView> routes(kBatch);
    while (!stop.load(std::memory_order_relaxed)) {
      online->Online();
      for (int batch = 0; batch < 10; ++batch) {
        for (size_t i = 0; i < kBatch; ++i) {
          addresses[i] =
              base::IpAddress::V4(0x0a000007 + (static_cast<uint32_t>(base::NextSecret(&seed) % kNets) << 8));
          hops[i] = base::IpAddress::V4(0xc0000200 + static_cast<uint32_t>(base::NextSecret(&seed) % 4));
        }
        for (const TableId table : {steady_table, flapping_table}) {
          reader.FindBatch(table, addresses[0].data(), sizeof(base::IpAddress), kBatch, routes.data(), hops[0].data(),
                           sizeof(base::IpAddress));
          for (size_t i = 0; i < kBatch; ++i) {
            const RouteView& route = routes[i];
            if (!route.found()) {
              ASSERT_NE(table, steady_table);
              continue;
            }
            ASSERT_EQ(route.length, 24);
            const bgp::AttributeSetView attributes(route.octets);
            ASSERT_EQ(attributes.med(), (addresses[i].v4() - 0x0a000000) >> 8);
            if (route.next_hop_matched) {
              ASSERT_EQ(attributes.next_hop(), hops[i]);
              matched.fetch_add(1, std::memory_order_relaxed);
            }
            ASSERT_FALSE(table == steady_table && route.stale);
            (table == steady_table ? found_steady : found_flapping).fetch_add(1, std::memory_order_relaxed);
          }
        }
        online->Quiescent();
      }
      online->Offline();
    }
  };
  std::thread a(read, 1), b(read, 2);

  uint64_t seed = 3;
  for (int round = 0; round < kRounds; ++round) {
    for (uint32_t i = 0; i < kNets; ++i) {
      const uint32_t net = static_cast<uint32_t>(base::NextSecret(&seed) % kNets);
      const uint32_t path_id = round % 3 == 0 ? static_cast<uint32_t>(base::NextSecret(&seed) % 3) : 0;
      announce(flapping_table, net, static_cast<uint8_t>(1 + path_id), static_cast<uint32_t>(round), path_id);
      if (i % 3 == 0)
        rib.Withdraw(flapping_table, Net(static_cast<uint32_t>(base::NextSecret(&seed) % kNets)), path_id);
      if (i % 5 == 0) announce(steady_table, net, static_cast<uint8_t>(round), static_cast<uint32_t>(round), 0);
      while (rib.congested()) {
        rib.Reclaim(100);
        std::this_thread::yield();
      }
    }
    switch (round % 4) {
      case 0:
        rib.PeerDown(flapping, Rib::Stale::kDrop);
        break;
      case 1:
        rib.PeerDown(flapping, Rib::Stale::kKeep);
        break;
      default:
        rib.EndOfRib(flapping, false);
    }
    rib.Reclaim(200);
  }
  stop.store(true);
  a.join();
  b.join();
  EXPECT_GT(found_steady.load(), 1000u);
  EXPECT_GT(found_flapping.load(), 100u);
  EXPECT_GT(matched.load(), 10u);
  rib.RemovePeer(steady);
  rib.RemovePeer(flapping);
  for (int i = 0; rib.Reclaim(1000); ++i) ASSERT_LT(i, 100000);
  EXPECT_EQ(rib.store().size(), 0u);
  EXPECT_EQ(rib.route_arena().used_octets(), 0u);
  EXPECT_EQ(rib.attribute_arena().used_octets(), 0u);
}

}  // namespace
}  // namespace flowacct::rib
