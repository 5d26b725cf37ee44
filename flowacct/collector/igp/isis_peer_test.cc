// FRR's isisd forms adjacencies with a listener, on LANs and links, of both levels, with and without authentication and
// over GRE: both databases become the same, through failures and restarts.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/igp/circuit_socket.h"
#include "flowacct/collector/igp/isis_listener.h"
#include "flowacct/collector/igp/testing/isis_lab.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/from_isis.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/router_paths.h"

namespace flowacct::collector {
namespace {

using isis::AdjacencyState;
using isis::CircuitKind;
using isis::Level;

constexpr char kOurName[] = "flowacct", kOurSystem[] = "0000.0000.0100";

// LSP to sequence number and checksum.
using Lsps = std::map<std::string, std::string>;

// Of `r1` and the like; FRR shows names where it knows them.
std::string SystemOf(absl::string_view name) {
  if (name == kOurName) return kOurSystem;
  uint32_t number = 0;
  return absl::ConsumePrefix(&name, "r") && absl::SimpleAtoi(name, &number) ? absl::StrFormat("0000.0000.%04u", number)
                                                                            : std::string(name);
}

Lsps FrrDatabase(const IsisLab& lab, const std::string& router, Level level) {
  Lsps lsps;
  bool here = false;
  for (const absl::string_view line : absl::StrSplit(lab.Ask(router, "show isis database"), '\n')) {
    if (absl::StartsWith(line, "IS-IS Level-")) {
      here = absl::StartsWith(line, absl::StrCat("IS-IS Level-", static_cast<int>(level), " "));
    }
    if (!here) continue;
    // "r1.00-00             *    197   0x00000004  0xd23b    1153    1/0/0"
    std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.size() == 7 && words[1] == "*") words.erase(words.begin() + 1);
    if (words.size() != 6 || !absl::StartsWith(words[2], "0x")) continue;
    if (absl::StartsWith(words[4], "(")) continue;                      // purged
    const size_t dash = words[0].size() < 6 ? 0 : words[0].size() - 6;  // ".00-00"
    lsps[SystemOf(words[0].substr(0, dash)) + words[0].substr(dash)] =
        absl::StrCat(words[1], " ", words[2], " ", words[3]);
  }
  return lsps;
}

Lsps OurDatabase(const IsisListener& listener, Level level) {
  Lsps lsps;
  listener.Look([&](const isis::Instance& instance, int64_t now) {
    for (const isis::LspSummary& lsp : instance.Database(level, now)) {
      if (lsp.remaining_seconds == 0) continue;  // purged: FRR shows these in brackets, for a minute
      lsps[lsp.id.ToString()] = absl::StrFormat("%u 0x%08x 0x%04x", lsp.size, lsp.sequence, lsp.checksum);
    }
  });
  return lsps;
}

std::map<std::string, int> UpNeighbors(const IsisListener& listener) {  // system and level(s)
  std::map<std::string, int> up;
  listener.Look([&](const isis::Instance& instance, int64_t) {
    for (const isis::Adjacency& a : instance.Adjacencies()) {
      if (a.state == AdjacencyState::kUp) ++up[absl::StrCat(a.system.ToString(), " ", a.levels)];
    }
  });
  return up;
}

// What the listener's database says, as a topology.
topology::TopologyState StateOf(const IsisListener& listener) {
  topology::LinkStateDatabase database;
  listener.Look([&](const isis::Instance& instance, int64_t now) {
    for (const Level level : {Level::k1, Level::k2}) {
      for (const isis::LspSummary& lsp : instance.Database(level, now)) {
        isis::PduView view;
        isis::LspContent content;
        if (lsp.remaining_seconds == 0 || !isis::PduView::Parse(instance.FindLsp(level, lsp.id), &view).ok()) continue;
        EXPECT_TRUE(isis::ReadLspContent(view.tlvs(), &content).ok()) << lsp.id.ToString();
        database.Apply(topology::AdvertisementOf(level, lsp.id, lsp.sequence, lsp.flags, content), now);
      }
    }
  });
  return database.State();
}

// Prefix to metric and the routers that are next: of IPv4 by their addresses, which end in their numbers; of IPv6,
// where FRR shows link-local ones, how many. What the router itself advertises is left out: FRR shows others' ways to
// it.
using Routes = std::map<std::string, std::string>;

Routes FrrRoutes(const IsisLab& lab, const std::string& router, Level level) {
  std::map<std::string, std::pair<std::string, std::set<std::string>>> found;
  std::string prefix;
  for (const absl::string_view line :
       absl::StrSplit(lab.Ask(router, absl::StrCat("show isis route level-", static_cast<int>(level))), '\n')) {
    // " 10.0.1.0/24   20      eth1       10.0.1.3  -"; of further ways the prefix and metric again, or nothing
    std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.size() < 4 || words[0].size() < 3) continue;
    const bool begins = base::IpPrefix::Parse(words[0]).has_value() && absl::StrContains(words[0], '/');
    if (begins) {
      prefix = words[0];
      found[prefix].first = words[1];
      words.erase(words.begin(), words.begin() + 2);
    } else if (!base::IpAddress::Parse(words[1])) {
      continue;
    }
    if (words.size() < 2 || words[1] == "-") {
      found.erase(prefix);  // its own
      continue;
    }
    found[prefix].second.insert(words[1]);
  }
  Routes routes;
  for (const auto& [name, route] : found) {
    std::set<std::string> next;
    for (const std::string& address : route.second) {
      next.insert(absl::StrContains(address, ':') ? address
                                                  : absl::StrCat("r", address.substr(address.rfind('.') + 1)));
    }
    routes[name] = absl::StrCat(route.first, " ",
                                absl::StrContains(name, ':') ? absl::StrCat(next.size()) : absl::StrJoin(next, " "));
  }
  return routes;
}

std::set<base::IpPrefix> OwnPrefixes(const topology::TopologyState& state, const std::string& router) {
  const topology::NodeKey root = topology::KeyOf(isis::NodeId{*isis::SystemId::Parse(SystemOf(router)), 0});
  std::set<base::IpPrefix> own;
  for (const auto& a : state.advertisements()) {
    if (a->key.origin != root) continue;
    for (const topology::AdvertisedPrefix& p : a->prefixes) own.insert(p.prefix);
  }
  return own;
}

Routes OurRoutes(const topology::TopologyState& state, const std::string& router, Level level) {
  lpm::ReaderEpochs epochs;
  topology::ReachTable table(&epochs);
  table.Reset(state);
  const topology::ReachReader reader(&table);
  const topology::NodeKey root = topology::KeyOf(isis::NodeId{*isis::SystemId::Parse(SystemOf(router)), 0});
  const topology::RouterPaths paths(topology::GraphsOf(state), root);
  const std::set<base::IpPrefix> own = OwnPrefixes(state, router);
  std::set<base::IpPrefix> prefixes;
  for (const auto& a : state.advertisements()) {
    for (const topology::AdvertisedPrefix& p : a->prefixes) {
      if (a->key.level == static_cast<uint8_t>(level)) prefixes.insert(p.prefix);
    }
  }
  Routes routes;
  for (const base::IpPrefix& prefix : prefixes) {
    const bool v6 = !prefix.address().IsV4();
    std::vector<topology::ReachCandidate> candidates;
    for (const topology::ReachCandidate& c : reader.FindPrefix(prefix).candidates) {
      if (c.level == static_cast<uint8_t>(level)) candidates.push_back(c);
    }
    const topology::RouterRoute route = paths.Choose(candidates, v6);
    if (own.count(prefix) != 0 || !route.found()) continue;
    std::set<std::string> next;
    const topology::Graph& graph = paths.graphs().of(route.level, route.topology);
    for (const topology::FirstHop& hop : paths.FirstHopsOf(route)) {
      next.insert(state.NameOf(graph.node(hop.router).key));
    }
    routes[prefix.ToString()] =
        absl::StrCat(route.metric, " ", v6 ? absl::StrCat(next.size()) : absl::StrJoin(next, " "));
  }
  return routes;
}

std::string CountersOf(const IsisListener& listener) {
  std::string text;
  listener.Look([&](const isis::Instance& instance, int64_t) {
    for (const auto& [name, value] : instance.Counters()) absl::StrAppend(&text, name, " ", value, "\n");
  });
  return text;
}

class IsisPeer : public testing::Test {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(40);

  // Until both are equal, with `least` LSPs.
  static bool AwaitEqual(const IsisLab& lab, const IsisListener& listener, const std::string& router, Level level,
                         size_t least) {
    const absl::Time deadline = absl::Now() + kPatience;
    Lsps theirs, ours;
    do {
      ours = OurDatabase(listener, level);
      theirs = FrrDatabase(lab, router, level);
      if (ours.size() >= least && ours == theirs) return true;
      absl::SleepFor(absl::Milliseconds(200));
    } while (absl::Now() < deadline);
    EXPECT_EQ(ours, theirs) << router << " level " << static_cast<int>(level) << "\n"
                            << CountersOf(listener) << lab.Ask(router, "show isis neighbor detail");
    EXPECT_GE(ours.size(), least);
    return false;
  }
  static bool AwaitRoutes(const IsisLab& lab, const IsisListener& listener, const std::string& router, Level level) {
    const absl::Time deadline = absl::Now() + kPatience;
    Routes theirs, ours;
    do {
      const topology::TopologyState state = StateOf(listener);
      theirs = FrrRoutes(lab, router, level);
      ours = OurRoutes(state, router, level);
      for (const base::IpPrefix& own : OwnPrefixes(state, router)) theirs.erase(own.ToString());
      if (!ours.empty() && ours == theirs) return true;
      absl::SleepFor(absl::Milliseconds(300));
    } while (absl::Now() < deadline);
    EXPECT_EQ(ours, theirs) << router << " level " << static_cast<int>(level) << "\n"
                            << lab.Ask(router, "show isis route");
    EXPECT_FALSE(ours.empty());
    return false;
  }
  static bool AwaitNeighbors(const IsisListener& listener, const std::map<std::string, int>& expected) {
    const absl::Time deadline = absl::Now() + kPatience;
    std::map<std::string, int> up;
    do {
      up = UpNeighbors(listener);
      if (up == expected) return true;
      absl::SleepFor(absl::Milliseconds(100));
    } while (absl::Now() < deadline);
    EXPECT_EQ(up, expected) << CountersOf(listener);
    return false;
  }

  static IsisListenerOptions Options() {
    IsisListenerOptions options;
    options.instance.system = *isis::SystemId::Parse(kOurSystem);
    options.instance.areas = {*isis::AreaAddress::Parse("49.0001")};
    options.instance.hostname = kOurName;
    options.instance.topologies = {isis::kIpv6Topology};
    return options;
  }
  static IsisCircuit Ethernet(const std::string& device, CircuitKind kind) {
    IsisCircuit circuit;
    circuit.device = device;
    circuit.options.kind = kind;
    circuit.options.topologies = {isis::kIpv6Topology};
    circuit.options.hello_seconds = 1;
    circuit.options.hold_multiplier = 10;
    circuit.options.mtu = 0;
    return circuit;
  }
  static std::unique_ptr<IsisListener> Listen(IsisListenerOptions options) {
    auto listener = IsisListener::New(std::move(options));
    EXPECT_TRUE(listener.ok()) << listener.status();
    if (!listener.ok()) return nullptr;
    (*listener)->Start();
    return *std::move(listener);
  }
};

// `more`: of the interface, a line each.
std::string Interface(const std::string& name, int network, int host, const std::string& more = "") {
  return absl::Substitute(R"(interface $0
 ip address 10.0.$1.$2/24
 ipv6 address 2001:db8:0:$1::$2/64
 ip router isis 1
 ipv6 router isis 1
 isis hello-interval 1
$3)",
                          name, network, host, more);
}

// `level`: "level-1", "level-2-only" or "level-1-2".
std::string RouterConfiguration(int number, const std::string& level = "level-1-2", const std::string& more = "",
                                const std::string& area = "49.0001") {
  return absl::Substitute(R"(interface lo
 ip address 192.0.2.$0/32
 ipv6 address 2001:db8::$0/128
 ip router isis 1
 ipv6 router isis 1
 isis passive
router isis 1
 lsp-gen-interval 1
 spf-interval 1
 metric-style wide
 topology ipv6-unicast
 is-type $2
$3 net $4.0000.0000.$1.00
)",
                          number, absl::StrFormat("%04d", number), level, more, area);
}

constexpr char kPointToPoint[] = " isis network point-to-point\n";

// Two routers and we on a LAN, a third behind one of them and with a link to us.
TEST_F(IsisPeer, LanAndLinksOfBothLevelsThroughFailuresAndRestarts) {
  const std::string reason = WithIsisLab([](IsisLab& lab) {
    for (const char* router : {"r1", "r2", "r3"}) lab.AddRouter(router);
    lab.AddLan("lan0", {{"r1", "eth0"}, {"r2", "eth0"}, {"", "us0"}});
    lab.AddLink({"r1", "eth1"}, {"r3", "eth0"});
    lab.AddLink({"r3", "eth1"}, {"", "us1"});
    lab.Ip("", "address add 10.0.0.100/24 dev us0");
    lab.Ip("", "address add 10.0.2.100/24 dev us1");
    const std::string r3 =
        Interface("eth0", 1, 3, kPointToPoint) + Interface("eth1", 2, 3, kPointToPoint) + RouterConfiguration(3);
    lab.Start("r1", Interface("eth0", 0, 1) + Interface("eth1", 1, 1, kPointToPoint) + RouterConfiguration(1));
    lab.Start("r2", Interface("eth0", 0, 2) + RouterConfiguration(2));
    lab.Start("r3", r3);

    IsisListenerOptions options = Options();
    options.circuits = {Ethernet("us0", CircuitKind::kLan), Ethernet("us1", CircuitKind::kPointToPoint)};
    auto listener = Listen(options);
    ASSERT_NE(listener, nullptr);
    const std::map<std::string, int> all = {{"0000.0000.0001 1", 1},
                                            {"0000.0000.0001 2", 1},
                                            {"0000.0000.0002 1", 1},
                                            {"0000.0000.0002 2", 1},
                                            {"0000.0000.0003 3", 1}};
    if (!AwaitNeighbors(*listener, all)) return;
    // Three routers, the LAN's pseudonode, and we.
    for (const Level level : {Level::k1, Level::k2}) {
      for (const char* router : {"r1", "r2", "r3"}) {
        if (!AwaitEqual(lab, *listener, router, level, 5)) return;
      }
    }

    for (const Level level : {Level::k1, Level::k2}) {
      for (const char* router : {"r1", "r2", "r3"}) {
        if (!AwaitRoutes(lab, *listener, router, level)) return;
      }
    }

    // A link fails, and comes back. r3 is reached through nobody then: we forward nothing.
    lab.Ip("r1", "link set eth1 down");
    for (const Level level : {Level::k1, Level::k2}) {
      if (!AwaitEqual(lab, *listener, "r3", level, 5) || !AwaitEqual(lab, *listener, "r1", level, 5)) return;
      if (!AwaitRoutes(lab, *listener, "r1", level)) return;
    }
    lab.Ip("r1", "link set eth1 up");
    // A router ends without a word, and comes back.
    lab.Stop("r3");
    std::map<std::string, int> without = all;
    without.erase("0000.0000.0003 3");
    if (!AwaitNeighbors(*listener, without)) return;
    lab.Start("r3", r3);
    if (!AwaitNeighbors(*listener, all)) return;
    for (const Level level : {Level::k1, Level::k2}) {
      for (const char* router : {"r1", "r3"}) {
        if (!AwaitEqual(lab, *listener, router, level, 5) || !AwaitRoutes(lab, *listener, router, level)) return;
      }
    }
    // We end and come back: our own LSP of before is still there.
    listener = nullptr;
    listener = Listen(options);
    ASSERT_NE(listener, nullptr);
    if (!AwaitNeighbors(*listener, all)) return;
    for (const Level level : {Level::k1, Level::k2}) {
      if (!AwaitEqual(lab, *listener, "r1", level, 5)) return;
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// A router of level 1, one of level 2 in another area, each on a link of its own, both with MD5.
TEST_F(IsisPeer, LevelsApartWithAuthentication) {
  const std::string reason = WithIsisLab([](IsisLab& lab) {
    for (const char* router : {"r1", "r2"}) lab.AddRouter(router);
    lab.AddLan("lan0", {{"r1", "eth0"}, {"", "us0"}});
    lab.AddLink({"r2", "eth0"}, {"", "us1"});
    lab.Ip("", "address add 10.0.0.100/24 dev us0");
    lab.Ip("", "address add 10.0.1.100/24 dev us1");
    lab.Start("r1", Interface("eth0", 0, 1, " isis password md5 hello1\n") +
                        RouterConfiguration(1, "level-1", " area-password md5 area1 authenticate snp validate\n"));
    lab.Start("r2", Interface("eth0", 1, 2, absl::StrCat(kPointToPoint, " isis password md5 hello2\n")) +
                        RouterConfiguration(2, "level-2-only",
                                            " domain-password md5 domain2 authenticate snp validate\n", "49.0002"));
    IsisListenerOptions options = Options();
    options.circuits = {Ethernet("us0", CircuitKind::kLan), Ethernet("us1", CircuitKind::kPointToPoint)};
    options.circuits[0].options.hello_key = {isis::AuthenticationKind::kHmacMd5, 0, "hello1"};
    options.circuits[1].options.hello_key = {isis::AuthenticationKind::kHmacMd5, 0, "wrong"};
    options.instance.lsp_keys[0] = {isis::AuthenticationKind::kHmacMd5, 0, "area1"};
    options.instance.lsp_keys[1] = {isis::AuthenticationKind::kHmacMd5, 0, "domain2"};
    auto listener = Listen(options);
    ASSERT_NE(listener, nullptr);
    if (!AwaitNeighbors(*listener, {{"0000.0000.0001 1", 1}})) return;
    if (!AwaitEqual(lab, *listener, "r1", Level::k1, 2)) return;
    EXPECT_TRUE(OurDatabase(*listener, Level::k2).count("0000.0000.0002.00-00") == 0);
    // The wrong key was counted, and the right one is taken.
    EXPECT_TRUE(absl::StrContains(CountersOf(*listener), "authentication")) << CountersOf(*listener);
    listener = nullptr;
    options.circuits[1].options.hello_key.secret = "hello2";
    listener = Listen(options);
    ASSERT_NE(listener, nullptr);
    if (!AwaitNeighbors(*listener, {{"0000.0000.0001 1", 1}, {"0000.0000.0002 2", 1}})) return;
    if (!AwaitEqual(lab, *listener, "r1", Level::k1, 2)) return;
    if (!AwaitEqual(lab, *listener, "r2", Level::k2, 2)) return;
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// Carries frames between FRR's link and GRE, as a router at the tunnel's end does.
class Bridge {
 public:
  Bridge(const std::string& device, const std::string& local, const std::string& remote) {
    auto ethernet = OpenDeviceCircuit(device, CircuitKind::kPointToPoint);
    auto gre = OpenGreCircuit(*base::IpAddress::Parse(local), *base::IpAddress::Parse(remote), {});
    auto poller = Poller::New();
    EXPECT_TRUE(ethernet.ok()) << ethernet.status();
    EXPECT_TRUE(gre.ok()) << gre.status();
    if (!ethernet.ok() || !gre.ok() || !poller.ok()) return;
    ethernet_ = *std::move(ethernet);
    gre_ = *std::move(gre);
    poller_ = *std::move(poller);
    EXPECT_TRUE(poller_->Add(ethernet_->descriptor(), 0).ok() && poller_->Add(gre_->descriptor(), 1).ok());
    thread_ = std::thread([this] {
      while (!ending_) {
        CircuitFrame frame;
        while (ethernet_->Receive(&frame)) gre_->Send(Level::k1, frame.pdu);
        while (gre_->Receive(&frame)) ethernet_->Send(Level::k1, frame.pdu);
        poller_->Wait(absl::Seconds(1));
      }
    });
  }
  ~Bridge() {
    ending_ = true;
    if (poller_ != nullptr) poller_->Wake();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::unique_ptr<CircuitSocket> ethernet_, gre_;
  std::unique_ptr<Poller> poller_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

TEST_F(IsisPeer, OverGre) {
  const std::string reason = WithIsisLab([](IsisLab& lab) {
    for (const char* router : {"r1", "r2"}) lab.AddRouter(router);
    lab.AddLink({"r1", "eth0"}, {"", "end1"});
    lab.AddLink({"r2", "eth0"}, {"", "end2"});
    for (const char* address : {"10.9.0.1/32", "10.9.0.2/32", "2001:db8:9::1/128", "2001:db8:9::2/128"}) {
      lab.Ip("", absl::StrCat("address add ", address, " dev lo", absl::StrContains(address, ":") ? " nodad" : ""));
    }
    lab.Start("r1", Interface("eth0", 0, 1, kPointToPoint) + RouterConfiguration(1));
    lab.Start("r2", Interface("eth0", 1, 2, kPointToPoint) + RouterConfiguration(2));
    const Bridge one("end1", "10.9.0.1", "10.9.0.2"), two("end2", "2001:db8:9::1", "2001:db8:9::2");
    IsisListenerOptions options = Options();
    const auto tunnel = [](const char* local, const char* remote, const char* v4) {
      IsisCircuit circuit = Ethernet("", CircuitKind::kPointToPoint);
      circuit.gre = {*base::IpAddress::Parse(local),
                     *base::IpAddress::Parse(remote),
                     {*base::IpAddress::Parse("fe80::100"), *base::IpAddress::Parse(v4)}};
      return circuit;
    };
    options.circuits = {tunnel("10.9.0.2", "10.9.0.1", "10.0.0.100"),
                        tunnel("2001:db8:9::2", "2001:db8:9::1", "10.0.1.100")};
    auto listener = Listen(options);
    ASSERT_NE(listener, nullptr);
    if (!AwaitNeighbors(*listener, {{"0000.0000.0001 3", 1}, {"0000.0000.0002 3", 1}})) return;
    for (const Level level : {Level::k1, Level::k2}) {
      for (const char* router : {"r1", "r2"}) {
        if (!AwaitEqual(lab, *listener, router, level, 3)) return;
      }
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
