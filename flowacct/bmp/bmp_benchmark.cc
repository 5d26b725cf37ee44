// A router's Route Monitoring as a full table has it: UPDATEs with some attributes and as many routes as the argument
// says. Items are routes; in blocks of 64 KiB.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/station.h"
#include "flowacct/bmp/testing/message_builder.h"

namespace flowacct::bmp {
namespace {

class Sum : public Listener {
 public:
  void OnUpdate(const RouteUpdate& update) override {
    for (const bgp::NlriSection& section : update.update.announced()) {
      section.Visit([&](const bgp::Nlri& route) { sum += route.address.v4() + route.length; });
    }
  }
  uint64_t sum = 0;
};

void BM_RouteMonitoring(benchmark::State& state) {
  std::mt19937 random(7);
  testing::Octets stream;
  testing::BuiltPeer peer;
  peer.address = base::IpAddress::V4(0xc0000202);
  constexpr size_t kMessages = 4096;
  for (size_t m = 0; m < kMessages; ++m) {
    bgp::testing::UpdateBuilder b;
    b.Origin(0).AsPath({64496, static_cast<uint32_t>(random()), static_cast<uint32_t>(random())}).NextHop("192.0.2.1");
    b.Communities({static_cast<uint32_t>(random()), 2, 3});
    for (int64_t i = 0; i < state.range(0); ++i) {
      b.Announce({base::IpPrefix(base::IpAddress::V4(random()), 24), 0, 0, {}});
    }
    const testing::Octets message = testing::RouteMonitoringMessage(peer, b.Message());
    stream.insert(stream.end(), message.begin(), message.end());
  }
  Sum sum;
  Station station({}, &sum);
  for (auto _ : state) {
    for (size_t at = 0; at < stream.size(); at += 65536) {
      (void)station.Receive(base::Octets(stream).subspan(at, std::min<size_t>(65536, stream.size() - at)));
    }
  }
  benchmark::DoNotOptimize(sum.sum);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kMessages) * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(stream.size()));
}
BENCHMARK(BM_RouteMonitoring)->Arg(1)->Arg(5)->Arg(50);

}  // namespace
}  // namespace flowacct::bmp

BENCHMARK_MAIN();
