// Whole tables over sessions: from octets on loopback sockets to visible for look-ups.
//
//     routing_benchmark [peers [routes]]
//
// `routes` of each peer, a sixth of them IPv6 (1,200,000: a full table of some 200,000 attribute sets,
// rib/testing/route_table.h). Up to 8 peers each have attributes of their own; more have the same. Told: routes a CPU
// second of the engine's thread; the time on the clock; what the table took from the system, and the process in all
// beyond the generator's own. Then up to 50 sessions are lost at once, come back and announce all again.

#include <sys/resource.h>

#include <algorithm>
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

double ResidentMiB() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096 / (1 << 20);
}

class Benchmark {
 public:
  Benchmark(size_t peers, size_t routes) : peers_(peers), v6_(routes / 6), v4_(routes - v6_) {}

  int Run() {
    const rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    RoutingOptions options;
    options.listen = {"tcp://127.0.0.1:0"};
    options.bgp_identifier = 1;
    options.max_peers = std::max<size_t>(peers_, 1);
    auto engine = RoutingEngine::New(options);
    if (!engine.ok()) {
      std::fprintf(stderr, "%s\n", engine.status().ToString().c_str());
      return 1;
    }
    engine_ = *std::move(engine);
    engine_->Start();
    connections_.resize(peers_);
    const double before = ResidentMiB();
    double generator = 0;
    auto begin = Status();
    absl::Time begun = absl::Now();
    for (size_t i = 0; i < peers_; ++i) {
      if (i == 0 || peers_ <= 8) {
        const double without = ResidentMiB();
        table_ = rib::RouteTable();
        table_ = rib::MakeRouteTable(v4_, v6_, 1, i + 1, 65001);
        if (i == 0) generator = ResidentMiB() - without;
        if (peers_ <= 8 || i == 0) {
          begin = Status();
          begun = absl::Now();
        }
      }
      if (!Announce(i)) return 1;
      if (peers_ <= 8) {
        Await((i + 1) * table_.prefixes.size(), 0);
        Tell(absl::StrCat("peer ", i + 1), *begin, begun, table_.prefixes.size(), before + generator);
      }
    }
    Await(peers_ * table_.prefixes.size(), 0);
    if (peers_ > 8) {
      Tell(absl::StrCat(peers_, " peers"), *begin, begun, peers_ * table_.prefixes.size(), before + generator);
    }

    const size_t flapping = std::min<size_t>(peers_, 50);
    begin = Status();
    begun = absl::Now();
    for (size_t i = 0; i < flapping; ++i) connections_[i]->Reset();
    while (Status()->established != peers_ - flapping) absl::SleepFor(absl::Milliseconds(1));
    std::printf("%zu lost at once, their routes stale: %.1f ms, %.1f ms of CPU\n", flapping,
                absl::ToDoubleMilliseconds(absl::Now() - begun),
                absl::ToDoubleMilliseconds(Status()->cpu - begin->cpu));
    begin = Status();
    begun = absl::Now();
    for (size_t i = 0; i < flapping; ++i) {
      if (!Announce(i)) return 1;
    }
    Await(peers_ * table_.prefixes.size(), 0);
    Tell(absl::StrCat(flapping, " back"), *begin, begun, flapping * table_.prefixes.size(), before + generator);
    engine_->Stop();
    return 0;
  }

 private:
  std::shared_ptr<const RoutingStatus> Status() { return engine_->Status(absl::InfiniteDuration()); }

  bool Announce(size_t i) {
    connections_[i] =
        std::make_unique<ScriptedPeer>(engine_->endpoints()[0], absl::StrCat("127.0.", 1 + i / 250, ".", 1 + i % 250));
    bgp::Open open = ScriptedOpen(static_cast<uint32_t>(i) + 2);
    open.as = 65001;
    return connections_[i]->Establish(open) && connections_[i]->Send(base::Octets(table_.messages));
  }
  void Await(uint64_t paths, uint64_t stale) {
    for (;;) {
      const auto status = Status();
      uint64_t now_stale = 0;
      for (const RoutingPeer& peer : status->peers) now_stale += peer.v4.stale + peer.v6.stale;
      if (status->paths == paths && now_stale == stale) return;
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  void Tell(const std::string& what, const RoutingStatus& begin, absl::Time begun, size_t routes, double resident) {
    const auto end = Status();
    const double cpu = absl::ToDoubleSeconds(end->cpu - begin.cpu);
    std::printf(
        "%s: %.2f million routes a CPU second, %.2f s of CPU, %.2f s; table %.1f MiB, %llu sets; process %.1f "
        "MiB beyond the generator's\n",
        what.c_str(), static_cast<double>(routes) / cpu / 1e6, cpu, absl::ToDoubleSeconds(absl::Now() - begun),
        static_cast<double>(end->octets) / (1 << 20), static_cast<unsigned long long>(end->attribute_sets),
        ResidentMiB() - resident);
    std::fflush(stdout);
  }

  const size_t peers_, v6_, v4_;
  std::unique_ptr<RoutingEngine> engine_;
  rib::RouteTable table_;
  std::vector<std::unique_ptr<ScriptedPeer>> connections_;
};

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) {
  const size_t peers = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 1;
  const size_t routes = argc > 2 ? static_cast<size_t>(std::atoi(argv[2])) : 1200000;
  return flowacct::collector::Benchmark(peers, routes).Run();
}
