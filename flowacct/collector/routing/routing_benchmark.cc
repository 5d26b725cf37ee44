// A whole table over a session: 1,000,000 IPv4 and 200,000 IPv6 routes of some 200,000 attribute sets
// (rib/testing/route_table.h) over loopback into an engine.
//
//     routing_benchmark [peers]
//
// Told for each peer in turn: routes a CPU second of the engine's thread, from octets on the socket to visible for
// look-ups; the time on the clock; what the table took from the system, and the process in all beyond the generator's
// own.

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::collector {
namespace {

constexpr size_t kV4 = 1000000, kV6 = 200000;

double ResidentMiB() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096 / (1 << 20);
}

int Main(size_t peers) {
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0"};
  options.bgp_identifier = 1;
  auto engine = RoutingEngine::New(options);
  if (!engine.ok()) {
    std::fprintf(stderr, "%s\n", engine.status().ToString().c_str());
    return 1;
  }
  (*engine)->Start();
  std::vector<std::unique_ptr<ScriptedPeer>> connected;
  double generators_mib = 0;
  const double before = ResidentMiB();
  for (size_t i = 0; i < peers; ++i) {
    const double without = ResidentMiB();
    const rib::RouteTable table = rib::MakeRouteTable(kV4, kV6, 1, i + 1, 65001);
    generators_mib = ResidentMiB() - without;
    connected.push_back(std::make_unique<ScriptedPeer>((*engine)->endpoints()[0], absl::StrCat("127.0.0.", i + 2)));
    ScriptedPeer& peer = *connected.back();
    bgp::Open open = ScriptedOpen(static_cast<uint32_t>(i) + 2);
    open.as = 65001;
    if (!peer.Establish(open)) return 1;
    const auto begin = (*engine)->Status(absl::InfiniteDuration());
    const absl::Time begun = absl::Now();
    if (!peer.Send(base::Octets(table.messages))) return 1;
    const uint64_t wanted = (i + 1) * table.prefixes.size();
    while ((*engine)->Status(absl::InfiniteDuration())->paths < wanted) absl::SleepFor(absl::Milliseconds(5));
    const auto end = (*engine)->Status(absl::InfiniteDuration());
    const double cpu = absl::ToDoubleSeconds(end->cpu - begin->cpu);
    std::printf(
        "peer %zu: %.2f million routes a CPU second, %.2f s of CPU, %.2f s, %.1f MB of messages; table %.1f MiB, "
        "%llu sets; process %.1f MiB beyond the generator's\n",
        i + 1, static_cast<double>(table.prefixes.size()) / cpu / 1e6, cpu, absl::ToDoubleSeconds(absl::Now() - begun),
        static_cast<double>(table.messages.size()) / 1e6, static_cast<double>(end->octets) / (1 << 20),
        static_cast<unsigned long long>(end->attribute_sets), ResidentMiB() - before - generators_mib);
    std::fflush(stdout);
  }
  // All sessions are lost at once.
  const auto begin = (*engine)->Status(absl::InfiniteDuration());
  const absl::Time begun = absl::Now();
  for (auto& peer : connected) peer->Reset();
  while ((*engine)->Status(absl::InfiniteDuration())->established != 0) absl::SleepFor(absl::Milliseconds(1));
  std::printf("all lost, their routes stale: %.1f ms, %.1f ms of CPU\n",
              absl::ToDoubleMilliseconds(absl::Now() - begun),
              absl::ToDoubleMilliseconds((*engine)->Status(absl::InfiniteDuration())->cpu - begin->cpu));
  (*engine)->Stop();
  return 0;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) {
  return flowacct::collector::Main(argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 1);
}
