// Records joined to a full routing table, from the octets of NetFlow v9 to groups: every BGP field of source and
// destination in the key, as nfacctd does it with its BGP daemon. Beside it the same without the join, and the join
// with a writer that changes the table meanwhile, and with origins validated.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/collector/export/new_export_decoder.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/rib/rib.h"
#include "flowacct/rib/table_directory.h"
#include "flowacct/rib/testing/route_table.h"
#include "flowacct/rpki/published_vrps.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct {
namespace {

constexpr size_t kV4Routes = 1000000, kV6Routes = 200000;
constexpr size_t kFlows = 500000, kFlowsPerDatagram = 24;
constexpr size_t kBatchRows = 512;
constexpr uint32_t kExporter = 0xc0000201;

// A peer's full table, and who answers: the exporter's own session.
struct Routing {
  Routing() : table(rib::MakeRouteTable(kV4Routes, kV6Routes, 1, 1, 64500)), rib(&epochs), directory(&epochs) {
    rib::PeerKey key;
    key.address = base::IpAddress::V4(kExporter);
    id = *rib.AddTable(*rib.AddPeer(key), 0);
    for (size_t run = 0; run < table.sets.size(); ++run) Announce(run);
    rib::TableDirectoryBuilder builder;
    builder.Add(key.address, 0, id, rib::RouteOrigin::kSession);
    directory.Publish(std::move(builder).Build());
  }
  void Announce(size_t run) {
    const rib::AttributeSetId set = rib.Intern(base::AsOctets(table.sets[run]));
    std::vector<rib::Announcement> routes;
    for (uint32_t i = table.runs[run]; i < table.runs[run + 1]; ++i) {
      routes.emplace_back();
      routes.back().prefix = table.prefixes[i];
    }
    rib.Announce(id, routes, set);
    rib.Release(set);
  }

  rib::RouteTable table;
  lpm::ReaderEpochs epochs;
  rib::Rib rib;
  rib::PublishedDirectory directory;
  rib::TableId id{};
};

Routing& FullTable() {
  static auto* routing = new Routing;
  return *routing;
}

// Flows between addresses within the table's IPv4 prefixes. `pairs` pairs of prefixes, by Zipf's law (s = 1): 65,536,
// as in the workload that collectors are compared with; 0: both prefixes of each flow by that law over all of them, so
// that most flows are of a pair of their own.
std::vector<std::string> MakeDatagrams(const rib::RouteTable& table, size_t pairs) {
  std::mt19937_64 random(3);
  const size_t prefixes = table.v4_count;
  std::vector<uint32_t> order(prefixes);
  for (uint32_t i = 0; i < prefixes; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  const auto rank = [&random](size_t n) {
    const double drawn = std::uniform_real_distribution<double>(0, std::log(static_cast<double>(n)))(random);
    return std::min(static_cast<size_t>(std::exp(drawn) - 1), n - 1);
  };
  const auto set = [&](size_t place, std::array<uint8_t, 16>* address) {
    const base::IpPrefix& prefix = table.prefixes[order[place]];
    const uint64_t hosts = ~uint64_t{0} << (32 - prefix.length());
    base::StoreBe32(address->data(), prefix.address().v4() | static_cast<uint32_t>(random() & ~hosts));
  };
  std::vector<std::string> datagrams;
  collector::ExportHeader header;
  header.boot_seconds = 1700000000;
  header.uptime_ms = 100000;
  for (size_t made = 0; made < kFlows; made += kFlowsPerDatagram) {
    std::vector<collector::GeneratedFlow> flows(kFlowsPerDatagram);
    for (collector::GeneratedFlow& flow : flows) {
      const size_t pair = rank(pairs == 0 ? prefixes : pairs);
      set(pair, &flow.key.src);
      set(pairs == 0 ? rank(prefixes) : prefixes - 1 - pair, &flow.key.dst);
      flow.key.protocol = 6;
      flow.packets = 1;
      flow.bytes = 100;
      flow.start_ms = flow.end_ms = 1000;
    }
    base::OctetWriter out;
    collector::EncodeNetFlow9(header, flows, made == 0, /*ipv4_only=*/true, &out);
    datagrams.emplace_back(base::AsText(out.octets()));
    ++header.sequence;
  }
  return datagrams;
}

constexpr size_t kPairs = 65536;

const std::vector<std::string>& Datagrams(size_t pairs) {
  static auto* const local = new std::vector<std::string>(MakeDatagrams(FullTable().table, kPairs));
  static auto* const spread = new std::vector<std::string>(MakeDatagrams(FullTable().table, 0));
  return pairs == 0 ? *spread : *local;
}

// VRPs of half of the routes, of which one in ten names another AS.
std::shared_ptr<const rpki::PublishedVrps> Vrps() {
  static const auto* const published = [] {
    const rib::RouteTable& table = FullTable().table;
    std::vector<rpki::Vrp> vrps;
    for (size_t run = 0; run < table.sets.size(); ++run) {
      uint32_t as = 0;
      if (!bgp::AttributeSetView(base::AsOctets(table.sets[run])).as_path().RouteOrigin(0, &as) || as == 0) continue;
      for (uint32_t i = table.runs[run]; i < table.runs[run + 1]; ++i) {
        const base::IpPrefix& prefix = table.prefixes[i];
        if (i % 2 == 0) vrps.push_back({prefix, prefix.length(), i % 20 == 0 ? as + 1 : as});
      }
    }
    auto made = std::make_shared<rpki::PublishedVrps>();
    made->Publish(std::make_shared<const rpki::VrpTable>(std::move(vrps)));
    return new std::shared_ptr<const rpki::PublishedVrps>(std::move(made));
  }();
  return *published;
}

void Account(benchmark::State& state, const std::vector<std::string>& by, bool join, bool all_have_routes = true,
             std::shared_ptr<const rpki::PublishedVrps> vrps = nullptr) {
  Routing& routing = FullTable();
  base::Interner interner;
  pipeline::PipelineOptions options;
  options.scale_sampled = false;
  options.aggregations.emplace_back();
  options.aggregations.back().aggregator.by = by;
  if (join) {
    enrich::RoutesOptions routes;
    routes.vrps = std::move(vrps);
    options.enrichers = {
        enrich::RoutesEnricher::Factory(nullptr, {&routing.epochs, &routing.rib, &routing.directory}, routes)};
  }
  auto made = pipeline::Pipeline::New(options, &interner);
  if (!made.ok()) return state.SkipWithError(made.status().ToString().c_str());
  pipeline::Pipeline& pipeline = **made;
  record::FlowBatch batch(&pipeline.layout(), &interner);
  auto decoder = collector::NewExportDecoder(&pipeline.layout());
  const std::vector<std::string>& datagrams = Datagrams(static_cast<size_t>(state.range(0)));
  uint64_t rows = 0;
  for (auto _ : state) {
    for (const std::string& octets : datagrams) {
      record::Datagram datagram;
      datagram.source = base::IpAddress::V4(kExporter);
      datagram.octets = base::AsOctets(octets);
      datagram.arrival_nanos = 1700000100 * int64_t{1000000000};
      (void)decoder->Decode(datagram, {&batch});
      if (batch.size() < kBatchRows) continue;
      rows += batch.size();
      pipeline.Process(batch);
      batch.Clear();
    }
    rows += batch.size();
    pipeline.Process(batch);
    batch.Clear();
  }
  for (const pipeline::EnricherCounters& counter : pipeline.enricher_counters()) {
    if (counter.counter == "addresses_without_route" && counter.value != 0 && all_have_routes) {
      state.SkipWithError("no route");
    }
    // How often what a set says was read anew.
    if (counter.counter == "sets_interned") {
      state.counters["read_a_flow"] = static_cast<double>(counter.value) / static_cast<double>(rows);
    }
  }
  state.counters["groups"] = static_cast<double>(pipeline.aggregator(0).open_groups());
  state.SetItemsProcessed(static_cast<int64_t>(rows));
}

const std::vector<std::string> kAll = {"src_as",      "dst_as",   "peer_src_as",  "peer_dst_as",    "as_path",
                                       "src_as_path", "std_comm", "src_std_comm", "lrg_comm",       "src_lrg_comm",
                                       "med",         "src_med",  "local_pref",   "src_local_pref", "bgp_next_hop",
                                       "dst_net",     "src_net"};
// What nfacctd was measured with: src_as,dst_as,as_path,std_comm,peer_dst_ip,local_pref,med.
const std::vector<std::string> kAsNfacctd = {"src_as",       "dst_as",     "as_path", "std_comm",
                                             "bgp_next_hop", "local_pref", "med"};

void BM_WithoutJoin(benchmark::State& state) { Account(state, {"src_as", "dst_as"}, false); }
void BM_AsNfacctd(benchmark::State& state) { Account(state, kAsNfacctd, true); }
void BM_EveryField(benchmark::State& state) { Account(state, kAll, true); }
// The origins of both routes validated besides.
const std::vector<std::string> kValidated = {"src_as",     "dst_as", "as_path", "std_comm", "bgp_next_hop",
                                             "local_pref", "med",    "src_roa", "dst_roa"};
void BM_AsNfacctdValidated(benchmark::State& state) { Account(state, kValidated, true, true, Vrps()); }
void BM_AsNfacctdWithAWriter(benchmark::State& state) {
  Routing& routing = FullTable();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> changed{0};
  std::thread writer([&] {
    for (size_t run = 0; !stop.load(std::memory_order_relaxed); run = (run + 1) % routing.table.sets.size()) {
      for (uint32_t i = routing.table.runs[run]; i < routing.table.runs[run + 1]; ++i) {
        routing.rib.Withdraw(routing.id, routing.table.prefixes[i], 0);
      }
      routing.Announce(run);
      changed += routing.table.runs[run + 1] - routing.table.runs[run];
      while (routing.rib.Reclaim(256)) {
      }
    }
  });
  // A flow may meet a prefix that is withdrawn just now.
  Account(state, kAsNfacctd, true, /*all_have_routes=*/false);
  stop = true;
  writer.join();
  state.counters["changed"] = benchmark::Counter(static_cast<double>(changed), benchmark::Counter::kIsRate);
}

BENCHMARK(BM_WithoutJoin)->Arg(kPairs)->ArgName("pairs")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AsNfacctd)->Arg(kPairs)->Arg(0)->ArgName("pairs")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AsNfacctdValidated)->Arg(kPairs)->Arg(0)->ArgName("pairs")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EveryField)->Arg(kPairs)->Arg(0)->ArgName("pairs")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AsNfacctdWithAWriter)->Arg(kPairs)->Arg(0)->ArgName("pairs")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace flowacct

BENCHMARK_MAIN();
