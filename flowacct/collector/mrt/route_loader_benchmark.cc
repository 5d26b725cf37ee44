// A full table (1.2 million routes, some 200,000 attribute sets, rib/testing/route_table.h) as an MRT file: how long it
// takes to be read, and to be written from a running engine.
//
//     route_loader_benchmark [peers]

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/route_dump.h"
#include "flowacct/mrt/writer.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::collector {
namespace {

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::string FileOf(uint32_t peers) {
  base::OctetWriter octets;
  mrt::Writer writer(&octets);
  std::vector<mrt::Peer> index;
  for (uint32_t i = 0; i < peers; ++i)
    index.push_back({base::IpAddress::V4(0xc0000201 + i), 64500 + i, 0x0a000001 + i});
  mrt::PeerIndexTable table;
  table.time = absl::FromUnixSeconds(1700000000);
  table.peers = index;
  writer.WritePeerIndexTable(table);
  for (uint32_t i = 0; i < peers; ++i) {
    const rib::RouteTable routes = rib::MakeRouteTable(1000000, 200000, 1, i + 1, 64500 + i);
    for (size_t run = 0; run < routes.sets.size(); ++run) {
      for (uint32_t at = routes.runs[run]; at < routes.runs[run + 1]; ++at) {
        bgp::Nlri route;
        route.address = routes.prefixes[at].address();
        route.length = routes.prefixes[at].length();
        mrt::RibRoute entry;
        entry.peer_index = static_cast<uint16_t>(i);
        entry.attributes = base::AsOctets(routes.sets[run]);
        writer.WriteRib(table.time, at < routes.v4_count ? bgp::Family::kIpv4Unicast : bgp::Family::kIpv6Unicast, route,
                        false, {&entry, 1});
      }
    }
  }
  const absl::string_view text = base::AsText(octets.octets());
  return std::string(text.data(), text.size());
}

int Run(uint32_t peers) {
  std::string file = FileOf(peers);
  const size_t octets = file.size();
  for (int i = 0; i < 3; ++i) {
    const double begun = CpuSeconds();
    auto routes = OfflineRoutes::LoadOctets(file, "generated");
    const double cpu = CpuSeconds() - begun;
    if (!routes.ok()) return 1;
    const auto paths = static_cast<double>((*routes)->book().rib().paths());
    std::printf("read: %.0f routes, %.1f MB, %.2f s CPU, %.2f million routes/s, table %.1f MiB\n", paths,
                static_cast<double>(octets) * 1e-6, cpu, paths * 1e-6 / cpu,
                static_cast<double>((*routes)->book().rib().octets()) / (1 << 20));
  }
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0"};
  auto engine = RoutingEngine::New(options);
  if (!engine.ok()) return 1;
  RouteLoader loader(&(*engine)->book_before_start());
  loader.Read(base::AsOctets(file), absl::Now());
  loader.EndFile();
  loader.Finish(absl::Now());
  (*engine)->Start();
  for (int i = 0; i < 3; ++i) {
    const double begun = CpuSeconds();
    const auto written = WriteRouteDump(**engine, {}, absl::Now(), [](base::Octets) { return absl::OkStatus(); });
    const double cpu = CpuSeconds() - begun;
    if (!written.ok()) return 1;
    std::printf("written: %llu routes, %.1f MB, %.2f s CPU, %.2f million routes/s\n",
                static_cast<unsigned long long>(written->routes), static_cast<double>(written->octets) * 1e-6, cpu,
                static_cast<double>(written->routes) * 1e-6 / cpu);
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) {
  return flowacct::collector::Run(argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 1);
}
