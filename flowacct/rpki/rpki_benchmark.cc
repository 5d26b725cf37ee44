// Origin validation against as many VRPs as the RPKI of 2026 has (550,000 IPv4, 150,000 IPv6), of routes of which most
// are covered; and a cache that tells them all. Items are routes and VRPs.

#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/rpki/client.h"
#include "flowacct/rpki/pdu.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::rpki {
namespace {

std::vector<Vrp> MakeVrps() {
  std::mt19937 random(3);
  std::vector<Vrp> vrps;
  for (size_t i = 0; i < 550000; ++i) {
    const uint8_t length = static_cast<uint8_t>(24 - random() % 9 * (random() % 2));
    vrps.push_back({base::IpPrefix(base::IpAddress::V4(random() % 0xdf000000), length), length,
                    static_cast<uint32_t>(random() % 80000)});
  }
  for (size_t i = 0; i < 150000; ++i) {
    uint8_t octets[16] = {0x20, 0x01};
    for (size_t n = 1; n < 6; ++n) octets[n] = static_cast<uint8_t>(random());
    const uint8_t length = static_cast<uint8_t>(random() % 2 == 0 ? 48 : 32);
    vrps.push_back(
        {base::IpPrefix(base::IpAddress::FromV6(octets), length), 48, static_cast<uint32_t>(random() % 80000)});
  }
  return vrps;
}

std::vector<RouteOrigin> MakeRoutes(const std::vector<Vrp>& vrps, bool v6) {
  std::mt19937 random(4);
  std::vector<RouteOrigin> routes;
  while (routes.size() < 1 << 20) {
    const Vrp& vrp = vrps[random() % vrps.size()];
    if (vrp.prefix.address().IsV4() == v6) continue;
    routes.push_back({vrp.prefix, random() % 20 == 0 ? 1 : vrp.as});
  }
  return routes;
}

void BM_Validate(benchmark::State& state, bool v6) {
  const std::vector<Vrp> vrps = MakeVrps();
  const VrpTable table(vrps);
  const std::vector<RouteOrigin> routes = MakeRoutes(vrps, v6);
  std::vector<RovState> states(routes.size());
  const size_t batch = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    for (size_t at = 0; at < routes.size(); at += batch) {
      table.ValidateBatch(absl::MakeConstSpan(routes).subspan(at, batch), &states[at]);
    }
  }
  benchmark::DoNotOptimize(states.data());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(routes.size()));
  state.counters["MiB"] = static_cast<double>(table.octets()) / (1 << 20);
}
BENCHMARK_CAPTURE(BM_Validate, ipv4, false)->Arg(1)->Arg(256);
BENCHMARK_CAPTURE(BM_Validate, ipv6, true)->Arg(1)->Arg(256);

void BM_Build(benchmark::State& state) {
  const std::vector<Vrp> vrps = MakeVrps();
  for (auto _ : state) benchmark::DoNotOptimize(VrpTable(vrps).size());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(vrps.size()));
}
BENCHMARK(BM_Build)->Unit(benchmark::kMillisecond);

void BM_FullSet(benchmark::State& state) {
  std::vector<Vrp> vrps = MakeVrps();
  const VrpSet distinct(vrps.begin(), vrps.end());
  base::OctetWriter out;
  WriteCacheResponse(1, 7, &out);
  for (const Vrp& vrp : distinct) WritePrefix(1, {true, vrp}, &out);
  WriteEndOfData(1, 7, {1, true, 3600, 600, 7200}, &out);
  ClientListener silent;
  for (auto _ : state) {
    Client client({}, &silent);
    client.Connected(absl::UnixEpoch());
    (void)client.Receive(out.octets(), absl::UnixEpoch());
    if (client.vrps().size() != distinct.size()) state.SkipWithError("not all came");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(distinct.size()));
}
BENCHMARK(BM_FullSet)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::rpki

BENCHMARK_MAIN();
