// Sessions over sockets tell a feed of networks, while another thread takes what changes; and Debian's gobgpd, which
// makes no link state of its own, reflects what it was told.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/igp/bgp_ls_feed.h"
#include "flowacct/collector/igp/testing/bgp_ls_writer.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/testing/router_lab.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/random_routing.h"

namespace flowacct::collector {
namespace {

using bgp::Family;
using bgp::FamilySet;
using topology::Advertisement;
using topology::AdvertisementKey;

constexpr char kGobgpd[] = "/usr/bin/gobgpd";
constexpr char kGobgp[] = "/usr/bin/gobgp";

// Keeps what a feed tells, on a thread of its own.
class Keeper {
 public:
  Keeper() : feed(BgpLsOptions(), [this] { Wake(); }), thread_([this] { Run(); }) {}
  ~Keeper() {
    {
      base::MutexLock lock(&mutex_);
      stops_ = true;
    }
    thread_.join();
  }
  std::string Text() {
    base::MutexLock lock(&mutex_);
    std::vector<Advertisement> all;
    for (const auto& [key, a] : routers_) all.push_back(a);
    return TextOf(all);
  }
  static std::string TextOf(const std::vector<Advertisement>& all) {
    std::string text;
    for (const Advertisement& a : AsBgpLsTells(all)) absl::StrAppend(&text, AdvertisementText(a), "\n");
    return text;
  }
  // Waits for it.
  void Expect(const std::vector<Advertisement>& network) {
    const std::string expected = TextOf(network);
    std::string text;
    EXPECT_TRUE(Eventually([&] { return (text = Text()) == expected; })) << text << "expected:\n" << expected;
  }

  BgpLsFeed feed;

 private:
  void Wake() {
    base::MutexLock lock(&mutex_);
    woken_ = true;
  }
  void Run() {
    for (;;) {
      {
        base::MutexLock lock(&mutex_);
        mutex_.Await([this] {
          mutex_.AssertHeld();
          return woken_ || stops_;
        });
        if (stops_) return;
        woken_ = false;
      }
      const auto changed = [&](const Advertisement& a) {
        base::MutexLock lock(&mutex_);
        routers_[a.key] = a;
      };
      const auto gone = [&](const AdvertisementKey& key) {
        base::MutexLock lock(&mutex_);
        routers_.erase(key);
      };
      while (feed.TakeChanges(5, changed, gone)) {
      }
    }
  }

  base::Mutex mutex_;
  std::map<AdvertisementKey, Advertisement> routers_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

RoutingOptions WithLinkState() {
  RoutingOptions options;
  options.families = options.families | FamilySet::LinkState();
  return options;
}
bgp::Open OpenOf(uint32_t identifier) {
  bgp::Open open = ScriptedOpen(identifier);
  open.families = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kLinkState);
  return open;
}
void Announce(ScriptedPeer& peer, const std::vector<Advertisement>& network, const BgpLsWriting& writing = {}) {
  for (const Advertisement& a : network) {
    for (const BgpLsObject& object : BgpLsObjectsOf(a, writing)) {
      ASSERT_TRUE(peer.Send(base::AsOctets(BgpLsAnnouncement(object))));
    }
  }
}

TEST(BgpLsPeer, TwoReflectorsAndAKeeperOnAnotherThread) {
  Keeper keeper;
  RoutingOptions options = WithLinkState();
  options.listen = {"tcp://127.0.0.1:0"};
  auto engine = RoutingEngine::New(options, {&keeper.feed});
  ASSERT_TRUE(engine.ok()) << engine.status();
  (*engine)->Start();
  const Endpoint to = (*engine)->endpoints()[0];
  ScriptedPeer one(to, "127.0.0.2"), two(to, "127.0.0.3");
  ASSERT_TRUE(one.Establish(OpenOf(0x0a000002)));
  ASSERT_TRUE(two.Establish(OpenOf(0x0a000003)));
  EXPECT_TRUE(one.engines_open().families.Has(Family::kLinkState));
  EXPECT_FALSE(one.engines_open().add_path_receive.Has(Family::kLinkState));
  const std::vector<Advertisement> first = AsBgpLsTells(topology::RandomRouting(3));
  const std::vector<Advertisement> second = AsBgpLsTells(topology::RandomRouting(4));
  std::thread beside([&] { Announce(two, first); });
  Announce(one, first);
  beside.join();
  one.SendEndOfRib(Family::kLinkState);
  keeper.Expect(first);
  EXPECT_TRUE(Eventually([&] {
    const BgpLsFeedStatus status = keeper.feed.Status();
    return status.sources.size() == 2 && status.sources[0].complete && status.tellings == 2 * status.objects;
  }));
  // What the engine tells of the session itself.
  EXPECT_EQ(PeerOf(**engine, "127.0.0.2").link_state(), keeper.feed.Status().objects);
  EXPECT_EQ(PeerOf(**engine, "127.0.0.2").not_joined(), 0u);

  one.Reset();  // what the other tells stays
  EXPECT_TRUE(Eventually([&] { return keeper.feed.Status().sources.size() == 1; }));
  keeper.Expect(first);
  // Another network in place of it.
  std::vector<BgpLsObject> gone;
  for (const Advertisement& a : first) {
    for (BgpLsObject& object : BgpLsObjectsOf(a)) gone.push_back(std::move(object));
  }
  for (const BgpLsObject& object : gone) two.Send(base::AsOctets(BgpLsWithdrawal({object})));
  Announce(two, second);
  keeper.Expect(second);
  two.Close();
  keeper.Expect({});
  (*engine)->Stop();
}

TEST(BgpLsPeer, WithoutTheOptionNothingIsOffered) {
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0"};
  auto engine = RoutingEngine::New(options);
  ASSERT_TRUE(engine.ok()) << engine.status();
  (*engine)->Start();
  ScriptedPeer peer((*engine)->endpoints()[0]);
  ASSERT_TRUE(peer.Establish(OpenOf(0x0a000002)));
  EXPECT_FALSE(peer.engines_open().families.Has(Family::kLinkState));
  (*engine)->Stop();
  options.families.Add(Family::kEvpn);
  EXPECT_FALSE(CheckRoutingOptions(options).ok());
}

std::string GobgpNeighbor(absl::string_view address, absl::string_view more) {
  return absl::StrCat("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"", address,
                      "\"\n    peer-as = 64500\n", more,
                      "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                      "    route-reflector-cluster-id = \"10.99.0.9\"\n"
                      "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"ls\"\n");
}

// Octets that another implementation has read and written. It passes on what it knows of the NLRI and the attribute:
// neither topologies of their own (the TLV 263 is lost) nor prefix metrics.
TEST(BgpLsPeer, GobgpReflectsANetwork) {
  Keeper keeper;
  const std::string reason = WithRouter(
      {kGobgpd, kGobgp},
      [&](RouterLab& lab) {
        const std::string config = lab.WriteFile(
            "gobgp.toml",
            absl::StrCat("[global.config]\n  as = 64500\n  router-id = \"10.99.0.9\"\n  port = 1790\n",
                         GobgpNeighbor(kCollectorV4, absl::StrCat("  [neighbors.transport.config]\n    local-address = "
                                                                  "\"",
                                                                  kRouterV4,
                                                                  "\"\n  [neighbors.timers.config]\n"
                                                                  "    connect-retry = 1\n")),
                         GobgpNeighbor(kCollectorV6, "  [neighbors.transport.config]\n    passive-mode = true\n")));
        lab.Start({kGobgpd, "-f", config, "--api-hosts", "127.0.0.1:50051"});
        lab.RunUntilDone({kGobgp, "neighbor"});
        constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp};
        const auto to = ParseEndpoint(absl::StrCat("tcp://[", kRouterV6, "]:1790"), kSchemes);
        ASSERT_TRUE(to.ok()) << to.status();
        bgp::Open open = OpenOf(0x0a000007);
        open.families = FamilySet().Add(Family::kLinkState);
        open.graceful_restart.reset();
        std::unique_ptr<ScriptedPeer> router;
        ASSERT_TRUE(Eventually([&] {
          router = std::make_unique<ScriptedPeer>(*to, kCollectorV6);
          return router->connected() && router->Establish(open);
        })) << lab.log();
        topology::RandomNetworkOptions network_options;
        network_options.prefixes = 3;
        std::vector<Advertisement> network = topology::RandomNetwork(network_options);
        for (Advertisement& a : network) {
          for (topology::AdvertisedPrefix& prefix : a.prefixes) prefix.metric = 0;
        }
        network = AsBgpLsTells(network);
        BgpLsWriting writing;
        writing.standard_topology = false;
        Announce(*router, network, writing);
        keeper.Expect(network);
        const BgpLsFeedStatus status = keeper.feed.Status();
        ASSERT_EQ(status.sources.size(), 1u) << lab.log();
        EXPECT_EQ(status.sources[0].malformed_objects + status.sources[0].malformed_attributes, 0u);
        EXPECT_EQ(PeerOf(lab.engine(), kRouterV4).counters.erroneous_updates, 0u);
        // A router less; then the session that gobgpd has it from.
        std::vector<Advertisement> less(network.begin() + 1, network.end());
        EXPECT_TRUE(router->Send(base::AsOctets(BgpLsWithdrawal(BgpLsObjectsOf(network[0], writing)))));
        keeper.Expect(less);
        router->Close();
        keeper.Expect({});
      },
      WithLinkState(), {&keeper.feed});
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
