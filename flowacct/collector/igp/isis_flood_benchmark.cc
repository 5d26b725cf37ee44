// 10,000 LSPs flooded over a link in a network namespace: to our listener, and to FRR's isisd; then the time that each
// takes to compute the shortest paths of that database and its routes, which must be the same.
//
//     bazel run --config=opt //flowacct/collector/igp:isis_flood_benchmark [ROUTERS [LINKS [PACE]]]
//
// FRR's figure is the one it tells ("last run duration" of 'show isis summary'): tree and routes, not what zebra does
// with them; while it computes it reads nothing, so that LSPs come to it at PACE a second, and again if they are lost.
// Ours: the graphs of both topologies from the database, the tree with its first hops, and a route chosen for each
// prefix. Needs root, iproute2 and FRR; ends within a few minutes.

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/igp/circuit_socket.h"
#include "flowacct/collector/igp/isis_listener.h"
#include "flowacct/collector/igp/testing/isis_lab.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/lsp_content_writer.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/from_isis.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/router_paths.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::collector {
namespace {

using isis::Level;

constexpr uint64_t kPeer = 0xff00;  // the router that we look at: FRR, and in our own run we
constexpr uint32_t kPrefixMetric = 10, kLinkMetric = 10;

isis::NodeId Node(uint64_t number) { return topology::IsisNode(topology::RouterKey(number)); }
base::IpPrefix PrefixOf(uint64_t number) {
  return base::IpPrefix(base::IpAddress::V4(0xac100000 + static_cast<uint32_t>(number)), 32);
}

// An LSP for each router; router 1 has a link to the peer.
class Network {
 public:
  Network(size_t routers, size_t links) {
    topology::RandomNetworkOptions options;
    options.routers = routers;
    options.links = links;
    options.lans = 0;
    options.max_metric = 1000;
    options.parallel_share = 0;
    options.overload_share = 0;
    options.near_share = 80;
    advertisements_ = topology::RandomNetwork(options);
  }
  size_t size() const { return advertisements_.size(); }

  std::vector<uint8_t> Lsp(size_t i, uint32_t sequence, uint32_t more_metric = 0) const {
    const topology::Advertisement& a = advertisements_[i];
    const isis::NodeId node = topology::IsisNode(a.key.origin);
    isis::LspContent content;
    content.areas = {*isis::AreaAddress::Parse("49.0001")};
    content.protocols = {0xcc};
    content.hostname = a.name;
    const auto link = [&](const isis::NodeId& to, uint32_t metric) {
      isis::Neighbor neighbor;
      neighbor.node = to;
      neighbor.metric = metric;
      neighbor.wide = true;
      content.neighbors.push_back(neighbor);
    };
    if (i == 0) link(Node(kPeer), kLinkMetric);
    for (const topology::AdvertisedLink& l : a.links) link(topology::IsisNode(l.to), l.metric + more_metric);
    isis::Reachability prefix;
    prefix.prefix = PrefixOf(i + 1);
    prefix.metric = kPrefixMetric;
    prefix.wide = true;
    content.prefixes.push_back(prefix);
    isis::PduWriter writer(isis::PduWriter::Lsp{Level::k2, 1200, {node, 0}, sequence, isis::kLspLevel2}, 1490);
    if (!isis::AddLspContent(content, &writer)) std::abort();
    return writer.Finish();
  }

 private:
  std::vector<topology::Advertisement> advertisements_;
};

// Router 1, as far as a neighbour on a point-to-point link needs it: hellos, LSPs, acknowledgements.
class Speaker {
 public:
  explicit Speaker(std::unique_ptr<CircuitSocket> socket) : socket_(std::move(socket)) {}

  // Serves the link until `enough`, or for so long. True: enough.
  template <typename F>
  bool Serve(absl::Duration patience, const F& enough) {
    for (const absl::Time end = absl::Now() + patience; absl::Now() < end;) {
      Turn(absl::Milliseconds(1));
      if (enough()) return true;
    }
    return false;
  }
  bool AwaitUp() {
    return Serve(absl::Seconds(30), [this] { return up_; });
  }
  // `pace` a second, in bursts of a millisecond or two, and again what is not acknowledged, until all is or `enough`.
  template <typename F>
  bool Flood(const std::vector<std::vector<uint8_t>>& lsps, double pace, const F& enough) {
    std::map<isis::LspId, std::pair<uint32_t, size_t>> missing;
    for (size_t i = 0; i < lsps.size(); ++i) {
      isis::PduView view;
      if (!isis::PduView::Parse(lsps[i], &view).ok()) std::abort();
      missing[view.lsp_id()] = {view.sequence(), i};
    }
    const absl::Time end = absl::Now() + absl::Seconds(120);
    for (int round = 0; absl::Now() < end; ++round) {
      std::vector<size_t> order;
      for (const auto& [id, place] : missing) order.push_back(place.second);
      const absl::Time start = absl::Now();
      size_t sent = 0;
      while (sent < order.size()) {
        const double due = absl::ToDoubleSeconds(absl::Now() - start) * pace;
        for (; sent < order.size() && static_cast<double>(sent) < due; ++sent) {
          socket_->Send(Level::k2, lsps[order[sent]]);
          ++sent_;
        }
        Turn(absl::Milliseconds(1));
        if (enough()) return true;
      }
      // As long as acknowledgements may take (ISO 10589, partialSNPInterval).
      const bool all = Serve(absl::Seconds(3), [&] {
        for (const isis::LspEntry& entry : acknowledged_) {
          const auto found = missing.find(entry.id);
          if (found != missing.end() && entry.sequence >= found->second.first) missing.erase(found);
        }
        acknowledged_.clear();
        return missing.empty() || enough();
      });
      if (all) return true;
    }
    return false;
  }

  uint64_t sent() const { return sent_; }
  // LSPs of the neighbour.
  const std::map<isis::LspId, std::vector<uint8_t>>& heard() const { return heard_; }

 private:
  void Turn(absl::Duration wait) {
    if (absl::Now() >= next_hello_) SendHello();
    pollfd waits = {socket_->descriptor(), POLLIN, 0};
    if (poll(&waits, 1, static_cast<int>(absl::ToInt64Milliseconds(wait))) <= 0) return;
    CircuitFrame frame;
    while (socket_->Receive(&frame)) Take(frame.pdu);
  }
  void SendHello() {
    next_hello_ = absl::Now() + absl::Seconds(1);
    isis::PduWriter writer(isis::PduWriter::PointToPointHello{2, Node(1).system, 60, 1}, 1490);
    writer.AddAreas({*isis::AreaAddress::Parse("49.0001")});
    const uint8_t ip = 0xcc;
    writer.AddProtocols(base::Octets(&ip, 1));
    writer.AddInterfaceAddresses({base::IpAddress::V4(0x0a000064)});
    isis::ThreeWayState state;
    state.local_circuit = 1;
    if (neighbor_) {
      state.state = up_ ? isis::ThreeWayState::State::kUp : isis::ThreeWayState::State::kInitializing;
      state.neighbor = neighbor_;
      state.neighbor_circuit = neighbor_circuit_;
    }
    writer.AddThreeWay(state);
    socket_->Send(Level::k2, writer.Finish());
  }
  void Take(base::Octets pdu) {
    isis::PduView view;
    if (!isis::PduView::Parse(pdu, &view).ok()) return;
    if (view.kind() == isis::PduKind::kPointToPointHello) {
      isis::HelloContent hello;
      if (!isis::ReadHelloContent(view.tlvs(), &hello).ok() || !hello.three_way) return;
      const bool hears_us = hello.three_way->neighbor == Node(1).system;
      const bool is_new = !neighbor_ || hears_us != up_;
      neighbor_ = view.hello_source();
      neighbor_circuit_ = hello.three_way->local_circuit;
      up_ = hears_us;
      if (is_new) SendHello();
    } else if (view.kind() == isis::PduKind::kPsnp) {
      isis::LspEntryReader reader(view.tlvs());
      for (isis::LspEntry entry; reader.Next(&entry);) acknowledged_.push_back(entry);
    } else if (view.kind() == isis::PduKind::kLsp) {
      heard_[view.lsp_id()].assign(view.octets().begin(), view.octets().end());
      isis::PduWriter writer(isis::PduWriter::Psnp{Level::k2, Node(1)}, 1490);
      const isis::LspEntry entry = {view.remaining_seconds(), view.lsp_id(), view.sequence(), view.checksum()};
      writer.AddLspEntries({entry});
      socket_->Send(Level::k2, writer.Finish());
    }
  }

  const std::unique_ptr<CircuitSocket> socket_;
  bool up_ = false;
  std::optional<isis::SystemId> neighbor_;
  std::optional<uint32_t> neighbor_circuit_;
  absl::Time next_hello_ = absl::InfinitePast();
  std::vector<isis::LspEntry> acknowledged_;
  std::map<isis::LspId, std::vector<uint8_t>> heard_;
  uint64_t sent_ = 0;
};

double CpuSeconds(pid_t pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const std::vector<std::string> words = absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
  return words.size() < 13 ? 0 : (std::atof(words[11].c_str()) + std::atof(words[12].c_str())) / sysconf(_SC_CLK_TCK);
}

double ResidentMiB(pid_t pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/statm"));
  double whole = 0, resident = 0;
  in >> whole >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double Ms(absl::Duration d) { return absl::ToDoubleMilliseconds(d); }

// Prefix to metric, as router `root` has them; prints what each step takes.
std::map<std::string, uint32_t> OurRoutes(const std::vector<std::vector<uint8_t>>& lsps, uint64_t root) {
  topology::LinkStateDatabase database;
  const absl::Time start = absl::Now();
  for (const std::vector<uint8_t>& lsp : lsps) {
    isis::PduView view;
    isis::LspContent content;
    if (!isis::PduView::Parse(lsp, &view).ok() || !isis::ReadLspContent(view.tlvs(), &content).ok()) std::abort();
    database.Apply(topology::AdvertisementOf(Level::k2, view.lsp_id(), view.sequence(), view.lsp_flags(), content), 1);
  }
  const topology::TopologyState state = database.State();
  lpm::ReaderEpochs epochs;
  topology::ReachTable reach(&epochs);
  reach.Reset(state);
  const topology::ReachReader reader(&reach);
  const absl::Time stored = absl::Now();
  std::map<std::string, uint32_t> routes;
  std::vector<base::IpPrefix> prefixes;
  for (const auto& a : state.advertisements()) {
    if (a->key.origin == topology::RouterKey(root)) continue;
    for (const topology::AdvertisedPrefix& p : a->prefixes) prefixes.push_back(p.prefix);
  }
  std::vector<absl::Duration> graphs_take, tree_takes, routes_take;
  for (int run = 0; run < 9; ++run) {
    const absl::Time t0 = absl::Now();
    const topology::TopologyGraphs graphs = topology::GraphsOf(state);
    const absl::Time t1 = absl::Now();
    const topology::RouterPaths paths(graphs, topology::RouterKey(root));
    const absl::Time t2 = absl::Now();
    std::vector<uint32_t> metrics;
    metrics.reserve(prefixes.size());
    for (const base::IpPrefix& prefix : prefixes) {
      uint8_t length = 0;
      const topology::RouterRoute route = paths.Find(reader, prefix.address(), &length);
      metrics.push_back(route.found() && length == prefix.length() ? route.metric : ~uint32_t{0});
    }
    const absl::Time t3 = absl::Now();
    graphs_take.push_back(t1 - t0);
    tree_takes.push_back(t2 - t1);
    routes_take.push_back(t3 - t2);
    for (size_t i = 0; i < prefixes.size(); ++i) routes[prefixes[i].ToString()] = metrics[i];
  }
  for (auto* times : {&graphs_take, &tree_takes, &routes_take}) std::sort(times->begin(), times->end());
  std::printf(
      "ours: decoded, stored and made reachable in %.1f ms; of 9 runs the median: graphs %.2f ms, tree and "
      "first hops %.2f ms, routes %.2f ms; in all %.2f ms\n",
      Ms(stored - start), Ms(graphs_take[4]), Ms(tree_takes[4]), Ms(routes_take[4]),
      Ms(graphs_take[4] + tree_takes[4] + routes_take[4]));
  return routes;
}

void FloodOurListener(IsisLab& lab, const std::vector<std::vector<uint8_t>>& lsps) {
  lab.AddLink({"", "us0"}, {"", "them0"});
  lab.Ip("", "address add 10.0.0.100/24 dev us0");
  std::atomic<size_t> taken{0};
  IsisListenerOptions options;
  options.instance.system = Node(kPeer).system;
  options.instance.areas = {*isis::AreaAddress::Parse("49.0001")};
  options.instance.level_1 = false;
  IsisCircuit circuit;
  circuit.device = "them0";
  circuit.options.kind = isis::CircuitKind::kPointToPoint;
  circuit.options.level_1 = false;
  circuit.options.mtu = 0;
  options.circuits = {circuit};
  options.on_changes = [&taken](const isis::Instance&, const std::vector<isis::LspChange>& changes) {
    for (const isis::LspChange& change : changes) taken += change.kind == isis::LspChange::Kind::kNew;
  };
  auto listener = IsisListener::New(std::move(options));
  auto socket = OpenDeviceCircuit("us0", isis::CircuitKind::kPointToPoint);
  if (!listener.ok() || !socket.ok()) {
    std::printf("%s %s\n", listener.status().ToString().c_str(), socket.status().ToString().c_str());
    return;
  }
  (*listener)->Start();
  Speaker speaker(*std::move(socket));
  if (!speaker.AwaitUp()) {
    std::printf("no adjacency with our listener\n");
    return;
  }
  const size_t own = taken;
  const double cpu = CpuSeconds(getpid());
  const absl::Time start = absl::Now();
  const bool all = speaker.Flood(lsps, 10'000, [&] { return taken >= lsps.size() + own; });
  std::printf("our listener: %zu LSPs %s after %.2f s at 10,000 a second, %llu sent; CPU of both ends %.2f s\n",
              taken.load() - own, all ? "stored" : "stored, not all,", absl::ToDoubleSeconds(absl::Now() - start),
              static_cast<unsigned long long>(speaker.sent()), CpuSeconds(getpid()) - cpu);
  (*listener)->Stop();
  lab.Ip("", "link delete us0");
}

struct FrrRun {
  uint64_t count = 0;
  double duration_ms = 0;
};
// Of level 2 and IPv4.
FrrRun LastRun(const IsisLab& lab) {
  FrrRun run;
  bool v4 = true;
  for (absl::string_view line : absl::StrSplit(lab.Ask("r1", "show isis summary"), '\n')) {
    if (absl::StrContains(line, "route computation")) v4 = absl::StrContains(line, "IPv4");
    if (!v4) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.size() >= 5 && words[0] == "last" && words[2] == "duration") {
      run.duration_ms = std::atof(words[4].c_str()) / 1000;
    }
    if (words.size() >= 4 && words[0] == "run" && words[1] == "count") {
      run.count = std::strtoull(words[3].c_str(), nullptr, 10);
    }
  }
  return run;
}

void FloodFrr(IsisLab& lab, const Network& network, std::vector<std::vector<uint8_t>> lsps, double pace) {
  lab.AddRouter("r1");
  lab.AddLink({"", "us0"}, {"r1", "eth0"});
  lab.Ip("", "address add 10.0.0.100/24 dev us0");
  lab.Start("r1", absl::Substitute(R"(interface eth0
 ip address 10.0.0.1/24
 ip router isis 1
 isis hello-interval 1
 isis circuit-type level-2-only
 isis network point-to-point
router isis 1
 lsp-gen-interval 1
 spf-interval 1
 metric-style wide
 is-type level-2-only
 net 49.0001.$0.00
)",
                                   Node(kPeer).system.ToString()));
  auto socket = OpenDeviceCircuit("us0", isis::CircuitKind::kPointToPoint);
  if (!socket.ok()) return;
  Speaker speaker(*std::move(socket));
  if (!speaker.AwaitUp()) {
    std::printf("no adjacency with isisd\n%s\n", lab.Ask("r1", "show isis neighbor detail").c_str());
    return;
  }
  pid_t isisd = 0;
  if (FILE* const pipe = popen("ip netns pids r1", "r")) {
    for (int pid; std::fscanf(pipe, "%d", &pid) == 1;) {
      std::ifstream in(absl::StrCat("/proc/", pid, "/comm"));
      std::string name;
      in >> name;
      if (name == "isisd") isisd = pid;
    }
    pclose(pipe);
  }
  double cpu = CpuSeconds(isisd);
  const double before_mib = ResidentMiB(isisd);
  const absl::Time start = absl::Now();
  const bool all = speaker.Flood(lsps, pace, [] { return false; });
  std::printf("FRR's isisd: %zu LSPs %s after %.2f s at %.0f a second, %llu sent; CPU %.2f s with its SPFs, %.0f MiB\n",
              lsps.size(), all ? "acknowledged" : "not all acknowledged", absl::ToDoubleSeconds(absl::Now() - start),
              pace, static_cast<unsigned long long>(speaker.sent()), CpuSeconds(isisd) - cpu,
              ResidentMiB(isisd) - before_mib);
  // Until it computes no more.
  FrrRun last = LastRun(lab);
  for (int quiet = 0; quiet < 4;) {
    speaker.Serve(absl::Seconds(1), [] { return false; });
    const FrrRun now = LastRun(lab);
    quiet = now.count == last.count ? quiet + 1 : 0;
    last = now;
  }
  std::vector<double> durations;
  std::vector<double> cpus;
  for (uint32_t run = 1; run <= 7; ++run) {
    cpu = CpuSeconds(isisd);
    lsps[0] = network.Lsp(0, 1 + run, run % 2);  // other metrics of its links
    speaker.Flood({lsps[0]}, 1000, [] { return false; });
    const bool again = speaker.Serve(absl::Seconds(20), [&] {
      speaker.Serve(absl::Milliseconds(500), [] { return false; });
      const FrrRun now = LastRun(lab);
      if (now.count == last.count) return false;
      last = now;
      return true;
    });
    if (!again) break;
    durations.push_back(last.duration_ms);
    cpus.push_back(CpuSeconds(isisd) - cpu);
  }
  if (durations.empty()) {
    std::printf("isisd computes nothing:\n%s\n", lab.Ask("r1", "show isis summary").c_str());
    return;
  }
  std::sort(durations.begin(), durations.end());
  std::sort(cpus.begin(), cpus.end());
  std::printf(
      "FRR's isisd: of %zu runs the median %.2f ms, the least %.2f ms, as it says; CPU with all around it %.2f s\n",
      durations.size(), durations[durations.size() / 2], durations[0], cpus[cpus.size() / 2]);

  std::map<std::string, uint32_t> theirs;
  for (const absl::string_view line : absl::StrSplit(lab.Ask("r1", "show isis route level-2"), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    uint32_t metric = 0;
    if (words.size() >= 4 && base::IpPrefix::Parse(words[0]) && absl::StrContains(words[0], '/') && words[2] != "-" &&
        absl::SimpleAtoi(words[1], &metric) && words[3] != "-") {
      theirs[words[0]] = metric;
    }
  }
  for (const auto& [id, lsp] : speaker.heard()) {
    if (id.node == Node(kPeer)) lsps.push_back(lsp);
  }
  const std::map<std::string, uint32_t> ours = OurRoutes(lsps, kPeer);
  size_t same = 0;
  for (const auto& [prefix, metric] : ours) {
    const auto found = theirs.find(prefix);
    same += found != theirs.end() && found->second == metric;
  }
  std::printf("routes: %zu of ours, %zu of theirs, %zu the same\n", ours.size(), theirs.size(), same);
}

int Main(size_t routers, size_t links, double pace) {
  const Network network(routers, links);
  std::vector<std::vector<uint8_t>> lsps;
  size_t octets = 0;
  for (size_t i = 0; i < network.size(); ++i) {
    lsps.push_back(network.Lsp(i, 1));
    octets += lsps.back().size();
  }
  std::printf("%zu routers, %zu links, %zu octets of LSPs\n", routers, links, octets);
  const std::string reason = WithIsisLab([&](IsisLab& lab) {
    FloodOurListener(lab, lsps);
    std::fflush(stdout);
    FloodFrr(lab, network, lsps, pace);
  });
  if (!reason.empty()) std::printf("%s\n", reason.c_str());
  return reason.empty() ? 0 : 1;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const size_t routers = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  return flowacct::collector::Main(routers, argc > 2 ? std::strtoul(argv[2], nullptr, 10) : routers * 4,
                                   argc > 3 ? std::strtod(argv[3], nullptr) : 400);
}
