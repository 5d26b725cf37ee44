// What a copy costs: bazel run --config=opt //flowacct/collector/replicate:replicate_benchmark
//
// To receivers on loopback that nobody empties, so that the system does all but the reading. An item is a copy.

#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/replicate/replicator.h"
#include "flowacct/collector/replicate/udp_packet.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {
namespace {

constexpr size_t kOctets = 1400;

void Copy(benchmark::State& state, bool keep_source) {
  UdpListenerOptions listen;
  listen.address = "udp://127.0.0.1:0";
  listen.receive_buffer_octets = 4096;  // soon full: what is measured is the sending
  auto group = UdpListener::NewGroup(listen, 1);
  if (!group.ok()) return state.SkipWithError(group.status().ToString().c_str());
  ReplicatorOptions options;
  options.pools.emplace_back();
  options.pools[0].name = "pool";
  options.pools[0].receivers = {group->listeners[0]->endpoint().ToString()};
  options.pools[0].keep_source = keep_source;
  auto replicator = Replicator::New(options);
  if (!replicator.ok()) return state.SkipWithError(replicator.status().ToString().c_str());
  const std::string payload(kOctets, 'x');
  record::Datagram datagram;
  datagram.octets = base::AsOctets(payload);
  datagram.source = base::IpAddress::V4(0x7f000007);
  datagram.source_port = 50000;
  const std::vector<record::Datagram> datagrams(64, datagram);
  for (auto _ : state) (*replicator)->Replicate(datagrams);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * datagrams.size()));
}
void BM_CopyFromUs(benchmark::State& state) { Copy(state, false); }
BENCHMARK(BM_CopyFromUs);
void BM_CopyKeepingTheSource(benchmark::State& state) { Copy(state, true); }
BENCHMARK(BM_CopyKeepingTheSource);

void BM_Packets(benchmark::State& state) {
  const std::string payload(kOctets, 'x');
  const UdpEnds ends = {base::IpAddress::V4(0x7f000007), base::IpAddress::V4(0x7f000001), 50000, 2055};
  std::vector<IpPacket> packets;
  for (auto _ : state) {
    packets.clear();
    benchmark::DoNotOptimize(AppendUdpPackets(ends, base::AsOctets(payload), {}, &packets));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_Packets);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
