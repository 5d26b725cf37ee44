// One writer flaps links and prefixes and makes the paths that are wanted, while workers join; ThreadSanitizer watches.
//
// The metric of a prefix tells its number, and ways lead over B or C, so that a worker knows what may be told.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/igp/igp_enricher.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/testing/drawn_graph.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using topology::Advertisement;
using topology::LetterKey;

#ifdef FLOWACCT_SANITIZED
constexpr uint32_t kRounds = 200;
#else
constexpr uint32_t kRounds = 2000;
#endif
constexpr uint32_t kNets = 100;
constexpr size_t kWorkers = 3;

TEST(IgpEnricherThreads, WorkersJoinWhileTheNetworkFlaps) {
  lpm::ReaderEpochs epochs;
  topology::LiveTopologyOptions options;
  options.reach.arena.max_garbage_octets = 1 << 20;
  options.database.max_history = 100;
  topology::LiveTopology topology(&epochs, options);
  std::vector<Advertisement> drawn = topology::Drawn(R"(
      A--1--B
      |     |
      1     1
      |     |
      C--1--D )");
  for (Advertisement& a : drawn) {
    a.name = std::string(1, topology::LetterOf(a.key.origin));
    a.router_id = base::IpAddress::V4(static_cast<uint32_t>(a.key.origin.value >> 16));
  }
  const auto net = [](uint32_t number) {
    topology::AdvertisedPrefix prefix;
    prefix.prefix = {base::IpAddress::V4(0x0a000000 + (number << 8)), 24};
    prefix.metric = number * 100;
    return prefix;
  };
  Advertisement& a = drawn[0];
  Advertisement& d = drawn[3];
  ASSERT_EQ(d.name, "D");
  for (uint32_t n = 0; n < kNets; n += 2) d.prefixes.push_back(net(n));
  for (const Advertisement& each : drawn) topology.Apply(each, 0);
  topology.Compute(0);

  const Igp igp = {&epochs, &topology.reach(), topology.published(), std::make_shared<topology::WantedRouters>()};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> joined{0}, seen{0};
  const auto work = [&](uint32_t seed) {
    IgpEnricher enricher(igp, {});
    const std::vector<F> wanted = {F::kIgpDstNet, F::kIgpMetric, F::kIgpPath, F::kIgpEgress, F::kIgpProtection};
    std::vector<F> fields = wanted;
    for (const F field : enricher.RequiredFields(record::FieldSet(wanted))) fields.push_back(field);
    const record::Layout layout(fields);
    base::Interner interner;
    record::FlowBatch batch(&layout, &interner);
    enricher.Bind(layout, record::FieldSet(wanted));
    for (uint32_t i = seed; !stop.load(std::memory_order_relaxed); ++i) {
      batch.Clear();
      for (uint32_t r = 0; r < 30; ++r) {
        record::MutableRow row = batch.Append();
        row.Set<F::kExporter>(*a.router_id);
        row.Set<F::kDstAddr>(base::IpAddress::V4(0x0a000001 + ((i * 31 + r) % kNets << 8)));
      }
      enricher.Apply(batch);
      seen += batch.size();
      for (uint32_t r = 0; r < 30; ++r) {
        const record::RowView row = static_cast<const record::FlowBatch&>(batch).row(r);
        const uint32_t number = (i * 31 + r) % kNets;
        if (!row.Has(F::kIgpMetric)) continue;
        ++joined;
        ASSERT_EQ(row.Get<F::kIgpMetric>() / 100, number);
        ASSERT_EQ(base::AsText(interner.Find(row.Get<F::kIgpEgress>())), "D");
        const std::string path(base::AsText(interner.Find(row.Get<F::kIgpPath>())));
        ASSERT_TRUE(path == "A B D" || path == "A C D" || path == "A B D|A C D") << path;
        if (row.Has(F::kIgpProtection)) {
          const std::string protection(base::AsText(interner.Find(row.Get<F::kIgpProtection>())));
          ASSERT_TRUE(protection == "none" || protection.substr(0, 4) == "link") << protection;
        }
      }
    }
    uint64_t sum = 0;
    for (const EnricherCounter& c : enricher.counters()) {
      if (c.name.substr(0, 8) == "records_" && c.name != "records_by_next_hop") sum += c.value;
    }
    EXPECT_EQ(sum % 30, 0u);
  };
  std::vector<std::thread> workers;
  for (uint32_t t = 0; t < kWorkers; ++t) workers.emplace_back(work, t);
  Advertisement flapping = a;
  for (uint32_t round = 1; round <= kRounds; ++round) {
    d.prefixes.clear();
    for (uint32_t n = round % 2; n < kNets; n += 1 + round % 3) d.prefixes.push_back(net(n));
    flapping.links[round % 2].metric = 1 + round % 5;
    topology.Apply(d, round);
    topology.Apply(flapping, round);
    for (const topology::WantedRouter& w : igp.wanted->Take()) topology.Want(w.router, w.alternates);
    if (round % 4 == 0) topology.Compute(round);
    topology.Advance(round);
    if (round % 16 == 0) std::this_thread::yield();
  }
  // Workers may have come late.
  while (joined < 1000) {
    for (const topology::WantedRouter& w : igp.wanted->Take()) topology.Want(w.router, w.alternates);
    topology.Advance(kRounds);
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& t : workers) t.join();
  EXPECT_GT(seen, joined);
}

}  // namespace
}  // namespace flowacct::enrich
