// What the flow path feels of many sessions that come, are lost and come back: the latency of each batch of records
// that a RoutesEnricher joins, in a thread of its own, beside the engine's.
//
//     flap_benchmark [--peers 500] [--routes 100000] [--flapping 50] [--batches 1000] [--records 512]
//                    [--quiet 5] [--rounds 5] [--seed 1]
//
// `peers` sessions over loopback announce `routes` each, the same table. Meanwhile `batches` a second of `records` are
// joined (0: one behind the other, which takes a core), in runs of 24 of one exporter, a peer, as its datagrams are;
// by source and destination, all BGP fields of both. Phases: set-up; quiet for `quiet` seconds with all tables there;
// then `rounds` times: `flapping` sessions are lost at once, and their routes become stale; they come back and announce
// all again; they are ended by a Hard Reset (RFC 8538), and their routes go at once; they come back. A loss lasts for
// 100 ms at least, so that what it leaves to be done is within.
//
// A batch's time is told twice: by the clock on the wall, which also holds what else the machine did (where it has
// fewer cores than there are busy threads: the engine's, this one and that which plays the peers), and as CPU time of
// the thread, which only holds what it cost: caches and memory that others use too, and anything that would wait by
// spinning. "Interrupted" are batches during which the system gave the core to somebody else. A Markdown table.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

constexpr size_t kRecordsOfDatagram = 24;
// Enough of them that their rows are none that the last batch left in a cache.
constexpr size_t kDistinctBatches = 128;

struct Arguments {
  uint64_t peers = 500, routes = 100000, flapping = 50, batches = 1000, records = 512, quiet = 5, rounds = 5, seed = 1;
};

enum Phase : int { kSetUp, kQuiet, kLost, kBack, kEnded, kBackAgain, kDone };
constexpr const char* kPhases[] = {"set-up", "quiet", "sessions lost, routes stale", "back", "ended, routes gone",
                                   "back"};

double ResidentMiB() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096 / (1 << 20);
}

int64_t Nanos(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

std::string AddressOfPeer(size_t i) { return absl::StrCat("127.0.", 1 + i / 250, ".", 1 + i % 250); }

struct Latencies {
  std::vector<uint32_t> wall, cpu;  // ns
  uint64_t interrupted = 0;
};

// The thread that joins.
class FlowPath {
 public:
  FlowPath(const Arguments& arguments, const enrich::RouteTables& tables, const rib::RouteTable& table)
      : arguments_(arguments), enricher_(tables, enrich::RoutesOptions()) {
    const std::vector<F> wanted = {F::kDstNet,     F::kDstMask,     F::kDstAs,      F::kAsPath,     F::kPeerDstAs,
                                   F::kStdComm,    F::kLrgComm,     F::kLocalPref,  F::kMed,        F::kBgpOrigin,
                                   F::kBgpNextHop, F::kRouteSource, F::kSrcNet,     F::kSrcMask,    F::kSrcAs,
                                   F::kSrcAsPath,  F::kPeerSrcAs,   F::kSrcStdComm, F::kSrcLrgComm, F::kSrcLocalPref,
                                   F::kSrcMed,     F::kSrcBgpOrigin};
    const record::FieldSet set(wanted);
    std::vector<F> fields = wanted;
    for (F field : enricher_.RequiredFields(set)) fields.push_back(field);
    layout_ = std::make_unique<record::Layout>(fields);
    enricher_.Bind(*layout_, set);
    Draw(table);
    for (Latencies& phase : phases_) {
      phase.wall.reserve(1 << 16);
      phase.cpu.reserve(1 << 16);
    }
  }
  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Enter(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }
  void Stop() {
    Enter(kDone);
    thread_.join();
  }
  void Tell() const {
    std::printf(
        "| | batches | p50 | p99 | p99.9 | max, µs | CPU: p50 | p99 | p99.9 | max, µs | interrupted |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int phase = 0; phase < kDone; ++phase) {
      const Latencies& told = phases_[static_cast<size_t>(phase)];
      if (told.wall.empty()) continue;
      std::printf("| %s | %zu | %s | %s | %.1f %% |\n", kPhases[phase], told.wall.size(),
                  Percentiles(told.wall).c_str(), Percentiles(told.cpu).c_str(),
                  100.0 * static_cast<double>(told.interrupted) / static_cast<double>(told.wall.size()));
    }
    for (const enrich::EnricherCounter& counter : enricher_.counters()) {
      if (counter.value != 0)
        std::fprintf(stderr, "joined: %s %llu\n", std::string(counter.name).c_str(),
                     static_cast<unsigned long long>(counter.value));
    }
  }

 private:
  static std::string Percentiles(std::vector<uint32_t> nanos) {
    std::sort(nanos.begin(), nanos.end());
    const auto at = [&nanos](double share) {
      const size_t place = static_cast<size_t>(share * static_cast<double>(nanos.size()));
      return std::lround(nanos[std::min(place, nanos.size() - 1)] / 1e3);
    };
    return absl::StrCat(at(0.5), " | ", at(0.99), " | ", at(0.999), " | ", at(1));
  }

  // Addresses within the table's prefixes, both by Zipf's law (s = 1).
  void Draw(const rib::RouteTable& table) {
    std::mt19937_64 random(arguments_.seed);
    std::vector<uint32_t> order(table.prefixes.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    const auto address = [&] {
      const double drawn =
          std::uniform_real_distribution<double>(0, std::log(static_cast<double>(order.size())))(random);
      const size_t rank = std::min(static_cast<size_t>(std::exp(drawn) - 1), order.size() - 1);
      return table.prefixes[order[rank]].address();
    };
    std::vector<base::IpAddress> exporters;
    for (size_t i = 0; i < arguments_.peers; ++i) {
      exporters.push_back(*base::IpAddress::Parse(AddressOfPeer(i)));
    }
    for (size_t i = 0; i < kDistinctBatches; ++i) {
      batches_.push_back(std::make_unique<record::FlowBatch>(layout_.get(), &interner_));
      base::IpAddress exporter;
      for (size_t row = 0; row < arguments_.records; ++row) {
        if (row % kRecordsOfDatagram == 0) exporter = exporters[random() % exporters.size()];
        record::MutableRow flow = batches_.back()->Append();
        flow.Set<F::kExporter>(exporter);
        flow.Set<F::kSrcAddr>(address());
        flow.Set<F::kDstAddr>(address());
      }
    }
  }

  void Run() {
    const int64_t period = arguments_.batches == 0 ? 0 : 1000000000 / static_cast<int64_t>(arguments_.batches);
    int64_t next = Nanos(CLOCK_MONOTONIC);
    record::FlowBatch batch(layout_.get(), &interner_);
    rusage before, after;
    for (size_t i = 0;; ++i) {
      if (period != 0) {
        next = std::max(next + period, Nanos(CLOCK_MONOTONIC));  // what was missed is not made up for
        const timespec until = {next / 1000000000, next % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
        }
      }
      const int phase = phase_.load(std::memory_order_relaxed);
      if (phase == kDone) return;
      batch.CopyFrom(*batches_[i % kDistinctBatches]);
      getrusage(RUSAGE_THREAD, &before);
      const int64_t wall = Nanos(CLOCK_MONOTONIC), cpu = Nanos(CLOCK_THREAD_CPUTIME_ID);
      enricher_.Apply(batch);
      const int64_t cpu_end = Nanos(CLOCK_THREAD_CPUTIME_ID), wall_end = Nanos(CLOCK_MONOTONIC);
      getrusage(RUSAGE_THREAD, &after);
      Latencies& told = phases_[static_cast<size_t>(phase)];
      told.wall.push_back(static_cast<uint32_t>(std::min<int64_t>(wall_end - wall, UINT32_MAX)));
      told.cpu.push_back(static_cast<uint32_t>(std::min<int64_t>(cpu_end - cpu, UINT32_MAX)));
      told.interrupted += after.ru_nivcsw + after.ru_nvcsw != before.ru_nivcsw + before.ru_nvcsw;
    }
  }

  const Arguments arguments_;
  base::Interner interner_;
  enrich::RoutesEnricher enricher_;
  std::unique_ptr<record::Layout> layout_;
  std::vector<std::unique_ptr<record::FlowBatch>> batches_;
  std::array<Latencies, kDone> phases_;
  std::atomic<int> phase_{kSetUp};
  std::thread thread_;
};

class Benchmark {
 public:
  explicit Benchmark(const Arguments& arguments)
      : arguments_(arguments),
        table_(rib::MakeRouteTable(arguments.routes - arguments.routes / 6, arguments.routes / 6, 1, 1, 65001)),
        connections_(arguments.peers) {}

  bool Run() {
    const rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    RoutingOptions options;
    options.listen = {"tcp://127.0.0.1:0"};
    options.bgp_identifier = 1;
    options.max_peers = arguments_.peers;
    // Peers here come and go at a benchmark's will.
    options.connections_per_minute = options.connection_burst = 60000;
    auto engine = RoutingEngine::New(options);
    if (!engine.ok()) {
      std::fprintf(stderr, "%s\n", engine.status().ToString().c_str());
      return false;
    }
    engine_ = *std::move(engine);
    engine_->Start();
    const double before = ResidentMiB();
    FlowPath flows(arguments_, engine_->tables(), table_);
    flows.Start();
    const bool done = Phases(flows, before);
    flows.Stop();
    engine_->Stop();
    if (done) flows.Tell();
    return done;
  }

 private:
  bool Phases(FlowPath& flows, double before) {
    const uint64_t all = arguments_.peers * arguments_.routes, flapping = arguments_.flapping * arguments_.routes;
    Begin(flows, kSetUp);
    for (size_t i = 0; i < arguments_.peers; ++i) {
      if (!Announce(i)) return false;
    }
    if (!Await(all, 0)) return false;
    End("set-up", all);
    std::fprintf(stderr, "table %.1f MiB, process %.1f MiB beyond the generator's\n",
                 static_cast<double>(Status()->octets) / (1 << 20), ResidentMiB() - before);
    Begin(flows, kQuiet);
    absl::SleepFor(absl::Seconds(arguments_.quiet));
    for (uint64_t round = 0; round < arguments_.rounds; ++round) {
      Begin(flows, kLost);
      for (size_t i = 0; i < arguments_.flapping; ++i) connections_[i]->Reset();
      if (!Await(all, flapping)) return false;
      End("lost", flapping);
      if (!Return(flows, kBack)) return false;
      Begin(flows, kEnded);
      base::OctetWriter out;
      bgp::WriteNotification(bgp::NotificationOf(bgp::NotificationCode::kHardReset), &out);
      for (size_t i = 0; i < arguments_.flapping; ++i) {
        connections_[i]->Send(out.octets());
        connections_[i]->Close();
      }
      if (!Await(all - flapping, 0)) return false;
      End("ended", flapping);
      if (!Return(flows, kBackAgain)) return false;
    }
    return true;
  }
  bool Return(FlowPath& flows, Phase phase) {
    absl::SleepFor(begun_ + absl::Milliseconds(100) - absl::Now());
    Begin(flows, phase);
    for (size_t i = 0; i < arguments_.flapping; ++i) {
      if (!Announce(i)) return false;
    }
    if (!Await(arguments_.peers * arguments_.routes, 0)) return false;
    End("back", arguments_.flapping * arguments_.routes);
    return true;
  }
  std::shared_ptr<const RoutingStatus> Status() { return engine_->Status(absl::InfiniteDuration()); }
  void Begin(FlowPath& flows, Phase phase) {
    cpu_ = Status()->cpu;
    begun_ = absl::Now();
    flows.Enter(phase);
  }
  void End(const char* what, uint64_t routes) {
    std::fprintf(stderr, "%s: %.2f million routes, %.3f s, %.3f s of the engine's CPU\n", what,
                 static_cast<double>(routes) / 1e6, absl::ToDoubleSeconds(absl::Now() - begun_),
                 absl::ToDoubleSeconds(Status()->cpu - cpu_));
  }
  bool Announce(size_t i) {
    connections_[i] = std::make_unique<ScriptedPeer>(engine_->endpoints()[0], AddressOfPeer(i));
    bgp::Open open = ScriptedOpen(static_cast<uint32_t>(i) + 2);
    open.as = 65001;
    open.hold_time_seconds = 0;  // nobody sends keepalives here
    if (connections_[i]->Establish(open) && connections_[i]->Send(base::Octets(table_.messages))) {
      for (const bgp::Family family : {bgp::Family::kIpv4Unicast, bgp::Family::kIpv6Unicast, bgp::Family::kVpnIpv4}) {
        connections_[i]->SendEndOfRib(family);
      }
      return true;
    }
    std::fprintf(stderr, "the session from %s failed\n", AddressOfPeer(i).c_str());
    return false;
  }
  bool Await(uint64_t paths, uint64_t stale) {
    const absl::Time end = absl::Now() + absl::Minutes(5);
    for (;;) {
      const auto status = Status();
      uint64_t now_stale = 0;
      for (const RoutingPeer& peer : status->peers) now_stale += peer.v4.stale + peer.v6.stale;
      if (status->paths == paths && now_stale == stale) return true;
      if (absl::Now() > end) {
        std::fprintf(stderr, "%llu routes, %llu of them stale, instead of %llu and %llu\n",
                     static_cast<unsigned long long>(status->paths), static_cast<unsigned long long>(now_stale),
                     static_cast<unsigned long long>(paths), static_cast<unsigned long long>(stale));
        return false;
      }
      absl::SleepFor(absl::Milliseconds(10));
    }
  }

  const Arguments arguments_;
  const rib::RouteTable table_;
  std::unique_ptr<RoutingEngine> engine_;
  std::vector<std::unique_ptr<ScriptedPeer>> connections_;
  absl::Duration cpu_;
  absl::Time begun_;
};

int Main(int argc, char** argv) {
  Arguments arguments;
  struct Flag {
    const char* name;
    uint64_t* value;
  };
  const Flag flags[] = {{"--peers", &arguments.peers},       {"--routes", &arguments.routes},
                        {"--flapping", &arguments.flapping}, {"--batches", &arguments.batches},
                        {"--records", &arguments.records},   {"--quiet", &arguments.quiet},
                        {"--rounds", &arguments.rounds},     {"--seed", &arguments.seed}};
  bool right = argc % 2 == 1;
  for (int i = 1; right && i < argc; i += 2) {
    const auto* flag = std::find_if(std::begin(flags), std::end(flags),
                                    [&](const Flag& one) { return std::string(argv[i]) == one.name; });
    right = flag != std::end(flags) && absl::SimpleAtoi(argv[i + 1], flag->value);
  }
  if (!right || arguments.peers == 0 || arguments.peers > 60000 || arguments.routes < 6 || arguments.records == 0) {
    std::fprintf(stderr, "usage: flap_benchmark [FLAG NUMBER]...; flags:");
    for (const Flag& flag : flags) {
      std::fprintf(stderr, " %s %llu", flag.name, static_cast<unsigned long long>(*flag.value));
    }
    std::fprintf(stderr, "\n");
    return 2;
  }
  arguments.flapping = std::min(arguments.flapping, arguments.peers);
  return Benchmark(arguments).Run() ? 0 : 1;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) { return flowacct::collector::Main(argc, argv); }
