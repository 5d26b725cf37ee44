// UPDATEs as a full table has them: decode, write the canonical attributes, visit the routes. Items are routes;
// "messages" is their rate too. ByRoutes: IPv4 routes a message (a real feed has 5 to 10); Families: 8 routes in
// MP_REACH_NLRI.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/session.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bgp/update.h"

namespace flowacct::bgp {
namespace {

using testing::UpdateBuilder;

constexpr size_t kMessages = 4096;

// A set as a table's: path of some 4 hops, sometimes MED, mostly communities.
void PutAttributes(std::mt19937& random, UpdateBuilder* builder) {
  std::vector<uint32_t> path, communities;
  for (size_t i = 2 + random() % 5; i > 0; --i) path.push_back(1 + random() % 400000);
  builder->Origin(random() % 8 == 0 ? 2 : 0).AsPath(path);
  builder->NextHop("192.0.2.1");
  if (random() % 3 == 0) builder->Med(random() % 1000);
  builder->LocalPref(100);
  for (size_t i = random() % 8; i > 0; --i) communities.push_back(random());
  if (!communities.empty()) builder->Communities(communities);
  if (random() % 4 == 0) builder->LargeCommunities({static_cast<uint32_t>(random()), 1, 2});
}

struct Feed {
  std::vector<std::vector<uint8_t>> messages;
  size_t octets = 0, routes = 0;
};

Feed MakeFeed(Family family, size_t routes, const SessionContext& context) {
  std::mt19937 random(7);
  Feed feed;
  UpdateBuilder builder(context);
  const FamilyRow& row = RowOf(family);
  const size_t hop_octets = (row.shape == NlriShape::kVpn ? 8 : 0) + (row.v6 ? 16 : 4);
  for (size_t m = 0; m < kMessages; ++m) {
    builder.Clear();
    PutAttributes(random, &builder);
    if (family != Family::kIpv4Unicast) builder.MpReach(family, std::vector<uint8_t>(hop_octets, 0x20));
    for (size_t i = 0; i < routes; ++i) {
      uint8_t octets[16];
      for (uint8_t& octet : octets) octet = static_cast<uint8_t>(random());
      octets[0] = 0x20;
      testing::BuiltRoute route;
      route.prefix = row.v6 ? base::IpPrefix(base::IpAddress::FromV6(octets), random() % 2 == 0 ? 48 : 32)
                            : base::IpPrefix(base::IpAddress::FromV4(octets), 24 - random() % 9 / 2);
      route.path_id = 1;
      route.rd = 0x0000fde800000007;
      route.labels = {static_cast<uint32_t>(random() % 100000)};
      if (family == Family::kIpv4Unicast) {
        builder.Announce(route);
      } else {
        builder.MpAnnounce(route);
      }
    }
    const base::Octets message = builder.Message();
    feed.messages.emplace_back(message.begin(), message.end());
    feed.octets += message.size();
    feed.routes += routes;
  }
  return feed;
}

void Run(benchmark::State& state, const Feed& feed, const SessionContext& context) {
  Update update;
  UpdateCounters counters;
  std::vector<uint8_t> buffer;
  uint64_t sum = 0;
  for (auto _ : state) {
    for (const std::vector<uint8_t>& message : feed.messages) {
      DecodeUpdate(message, context, &update, &counters);
      for (const NlriSection& section : update.announced()) {
        sum += CanonicalizeAttributes(update, section, &buffer).size();
        section.Visit([&](const Nlri& route) { sum += route.address.v4() + route.length; });
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  const double rounds = static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<int64_t>(rounds * feed.routes));
  state.SetBytesProcessed(static_cast<int64_t>(rounds * feed.octets));
  state.counters["messages"] = benchmark::Counter(rounds * kMessages, benchmark::Counter::kIsRate);
}

void BM_ByRoutes(benchmark::State& state) {
  const SessionContext context;
  Run(state, MakeFeed(Family::kIpv4Unicast, static_cast<size_t>(state.range(0)), context), context);
}
BENCHMARK(BM_ByRoutes)->Arg(1)->Arg(5)->Arg(10)->Arg(200);

void BM_As2(benchmark::State& state) {
  SessionContext context;
  context.as4 = false;
  Run(state, MakeFeed(Family::kIpv4Unicast, 8, context), context);
}
BENCHMARK(BM_As2);

void BM_Families(benchmark::State& state, Family family, bool add_path) {
  SessionContext context;
  if (add_path) context.add_path.Add(family);
  Run(state, MakeFeed(family, 8, context), context);
}
BENCHMARK_CAPTURE(BM_Families, ipv4_add_path, Family::kIpv4Unicast, true);
BENCHMARK_CAPTURE(BM_Families, ipv6, Family::kIpv6Unicast, false);
BENCHMARK_CAPTURE(BM_Families, labelled_ipv4, Family::kLabelledIpv4, false);
BENCHMARK_CAPTURE(BM_Families, vpn_ipv4, Family::kVpnIpv4, false);
BENCHMARK_CAPTURE(BM_Families, vpn_ipv6_add_path, Family::kVpnIpv6, true);

// The same octets through a session, as 64 KiB reads of a socket have them, without the canonical attributes.
void BM_Session(benchmark::State& state) {
  class Sum : public SessionListener {
   public:
    void OnEstablished(const SessionContext&, const Open&) override {}
    void OnUpdate(const Update& update, base::Octets) override {
      for (const NlriSection& section : update.announced()) sum += section.count;
    }
    void OnEndOfRib(Family) override {}
    void OnRouteRefresh(Family, RouteRefreshSubtype) override {}
    void OnClosed(const SessionClosed&) override {}
    uint64_t sum = 0;
  } listener;
  const Feed feed = MakeFeed(Family::kIpv4Unicast, 8, SessionContext());
  base::OctetWriter hello, stream;
  Open open;
  open.as = 64496;
  open.bgp_identifier = 2;
  open.as4 = true;
  open.families.Add(Family::kIpv4Unicast);
  WriteOpen(open, &hello);
  WriteKeepalive(&hello);
  for (const std::vector<uint8_t>& message : feed.messages) stream.Bytes(message);
  const absl::Time now = absl::UnixEpoch();
  Session session({}, &listener);
  session.Start(now);
  session.Receive(hello.octets(), now);
  for (auto _ : state) {
    for (base::Octets rest = stream.octets(); !rest.empty(); rest.remove_prefix(std::min<size_t>(rest.size(), 65536))) {
      session.Receive(rest.subspan(0, 65536), now);
    }
  }
  if (listener.sum != state.iterations() * feed.routes) state.SkipWithError("routes are missing");
  state.SetItemsProcessed(static_cast<int64_t>(listener.sum));
}
BENCHMARK(BM_Session);

}  // namespace
}  // namespace flowacct::bgp

BENCHMARK_MAIN();
