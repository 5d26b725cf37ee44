// The routes of a running engine as a file, and what comes of files: dumps that are read back, kept routes, files that
// change.

#include "flowacct/collector/mrt/route_keeper.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "flowacct/collector/looking_glass/looking_glass.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/route_dump.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/rib/testing/route_table.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

std::string Path(absl::string_view name) {
  return absl::StrCat(::testing::TempDir(), "/", ::testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
                      name);
}

std::unique_ptr<RoutingEngine> NewEngine() {
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0"};
  options.bgp_identifier = 0x0a000001;
  options.stale_for = absl::Minutes(1);
  auto engine = RoutingEngine::New(options);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

uint64_t PathsOf(RoutingEngine& engine) { return engine.Status()->paths; }

TEST(RouteDumpTest, WhatIsReadBackIsWhatWasThere) {
  auto engine = NewEngine();
  PeerBook& book = engine->book_before_start();
  const absl::Time now = absl::FromUnixSeconds(1700000000);
  uint64_t expected = 0;
  for (uint32_t i = 0; i < 3; ++i) {
    Announcer announcer;
    announcer.key = {base::IpAddress::V4(0xc0000201 + i), 0x0a000002 + i, 64500 + i};
    PeerBook::Peer* peer = book.Up(announcer, now);
    const rib::RouteTable table = rib::MakeRouteTable(20000, 4000, 1, i + 1, 64500 + i);
    for (size_t run = 0; run < table.sets.size(); ++run) {
      for (uint32_t at = table.runs[run]; at < table.runs[run + 1]; ++at) {
        bgp::Nlri route;
        route.address = table.prefixes[at].address();
        route.length = table.prefixes[at].length();
        // Some are a VPN's, some labelled, some have two paths.
        const bool vpn = at % 11 == 0, labelled = vpn || at % 7 == 0;
        route.rd = vpn ? 0x0000fde800000007 : 0;
        route.label_count = labelled ? 1 : 0;
        route.label = labelled ? at % 1000 : 0;
        for (uint32_t path = 0; path <= (at % 5 == 0 ? 1u : 0u); ++path) {
          route.path_id = path + (at % 5 == 0 ? 1 : 0);
          book.TakeRoute(peer, route, base::AsOctets(table.sets[run]));
          ++expected;
        }
      }
    }
  }
  engine->Start();
  const std::string path = Path("dump.mrt");
  const auto written = WriteRouteDump(*engine, {}, now, path);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->routes, expected);
  EXPECT_EQ(written->left_out, 0u);
  EXPECT_EQ(written->peers, 3u);
  OfflineRoutesOptions options;
  options.files = {path};
  auto read = OfflineRoutes::Load(options);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->book().rib().paths(), expected);
  EXPECT_EQ((*read)->loader().reader_counters().errors.errors(), 0u);
  absl::StatusOr<RouteDifferences> differences;
  ASSERT_TRUE(engine->Call([&](PeerBook& live) { differences = CompareRoutes(live, (*read)->book(), {}); }).ok());
  ASSERT_TRUE(differences.ok());
  EXPECT_EQ(differences->added + differences->withdrawn + differences->changed, 0u)
      << absl::StrJoin(differences->summary, "\n");
  EXPECT_EQ(differences->same, expected);
  // The same in one piece, and of one peer.
  const auto whole = RouteDumpOf(*engine, {}, now);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->size(), written->octets);
  RouteDumpOptions one;
  one.peer = base::IpAddress::Parse("10.0.0.3");
  EXPECT_EQ(WriteRouteDump(*engine, one, now, path)->peers, 1u);
  EXPECT_FALSE(std::ifstream(path + kUnfinishedSuffix).good());
}

// A reader knows peers by address, AS and BGP identifier.
TEST(RouteDumpTest, OneViewOfANeighbourIsWritten) {
  auto engine = NewEngine();
  PeerBook& book = engine->book_before_start();
  const absl::Time now = absl::FromUnixSeconds(1700000000);
  const std::string attributes = rib::MakeRouteTable(1, 1, 1, 1, 64501).sets[0];
  const auto tell = [&](const char* address, rib::RibView view, const char* told_by, uint64_t distinguisher,
                        std::initializer_list<const char*> prefixes) {
    Announcer announcer;
    announcer.key = {*base::IpAddress::Parse(address), 0x0a000002, 64501, distinguisher, view};
    announcer.key.told_by = *base::IpAddress::Parse(told_by);
    announcer.rd = distinguisher;
    PeerBook::Peer* peer = book.Up(announcer, now);
    ASSERT_NE(peer, nullptr);
    for (const char* text : prefixes) {
      const auto prefix = *base::IpPrefix::Parse(text);
      bgp::Nlri route;
      route.address = prefix.address();
      route.length = prefix.length();
      route.rd = distinguisher;
      book.TakeRoute(peer, route, base::AsOctets(attributes));
    }
  };
  using View = rib::RibView;
  // By two routers before and after policy, and by a session; the same address in a VRF of one of them.
  tell("192.0.2.1", View::kAdjRibInPre, "203.0.113.1", 0, {"10.1.0.0/16", "10.2.0.0/16"});
  tell("192.0.2.1", View::kAdjRibInPost, "203.0.113.2", 0, {"10.3.0.0/16"});
  tell("192.0.2.1", View::kSession, "::", 0, {"10.4.0.0/16"});
  tell("192.0.2.1", View::kAdjRibInPost, "203.0.113.2", 7, {"10.5.0.0/16"});
  // Without a session, and by one router whose table is empty.
  tell("192.0.2.2", View::kAdjRibInPre, "203.0.113.1", 0, {"10.6.0.0/16"});
  tell("192.0.2.2", View::kAdjRibInPost, "203.0.113.1", 0, {"10.7.0.0/16"});
  tell("192.0.2.2", View::kLocRib, "203.0.113.2", 0, {});
  tell("192.0.2.2", View::kAdjRibOutPost, "203.0.113.1", 0, {"10.8.0.0/16"});
  tell("192.0.2.3", View::kAdjRibOutPre, "203.0.113.1", 0, {"10.9.0.0/16"});
  engine->Start();
  const std::string path = Path("dump.mrt");
  const auto written = WriteRouteDump(*engine, {}, now, path);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->peers, 2u);
  EXPECT_EQ(written->routes, 3u);
  EXPECT_EQ(written->left_out, 6u);
  OfflineRoutesOptions options;
  options.files = {path};
  auto read = OfflineRoutes::Load(options);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->loader().peers(), 2u);
  const std::string routes = *ListRoutes((*read)->book(), {});
  for (const char* expected : {"10.4.0.0/16\",\"192.0.2.1", "10.5.0.0/16\",\"192.0.2.1", "10.7.0.0/16\",\"192.0.2.2"}) {
    EXPECT_TRUE(absl::StrContains(routes, expected)) << expected << " in " << routes;
  }
}

TEST(RouteDumpTest, WhatCannotBeWrittenLeavesNothing) {
  auto engine = NewEngine();
  engine->Start();
  const auto written = WriteRouteDump(*engine, {}, absl::Now(), "/nowhere/at/all.mrt");
  EXPECT_TRUE(absl::StrContains(written.status().message(), "/nowhere/at/all.mrt")) << written.status();
  RouteDumpOptions interrupted;
  interrupted.interrupted = [] { return true; };
  EXPECT_TRUE(absl::IsCancelled(WriteRouteDump(*engine, interrupted, absl::Now(), Path("dump.mrt")).status()));
  EXPECT_FALSE(std::ifstream(Path("dump.mrt")).good());
  EXPECT_FALSE(std::ifstream(Path("dump.mrt") + kUnfinishedSuffix).good());
}

// A restart: routes are there before the session is, are confirmed by it, and what it does not announce goes.
TEST(RouteKeeperTest, RoutesOfSessionsOutliveARestart) {
  RouteKeeperOptions options;
  options.state_path = Path("routes.mrt");
  options.stale_for = absl::Minutes(1);
  const auto announce = [](ScriptedPeer& peer, const std::vector<std::string>& prefixes) {
    bgp::testing::UpdateBuilder update(peer.context());
    update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7");
    for (const std::string& prefix : prefixes) update.Announce(prefix);
    ASSERT_TRUE(peer.Send(update.Message()));
  };
  {
    auto engine = NewEngine();
    RouteKeeper keeper(engine.get(), options);
    EXPECT_EQ(keeper.LoadBeforeStart(absl::Now()), std::vector<std::string>());
    engine->Start();
    keeper.Start();
    ScriptedPeer peer(engine->endpoints()[0], "127.0.0.2");
    ASSERT_TRUE(peer.Establish(ScriptedOpen(0x7f000002)));
    announce(peer, {"198.51.100.0/24", "203.0.113.0/24"});
    ASSERT_TRUE(Eventually([&] { return PathsOf(*engine) == 2; }));
    keeper.Stop();
    EXPECT_EQ(keeper.status().dumps_written, 1u);
    engine->Stop();
  }
  auto engine = NewEngine();
  RouteKeeper keeper(engine.get(), options);
  EXPECT_EQ(absl::StrJoin(keeper.LoadBeforeStart(absl::Now()), "\n"),
            "routes: 2 routes of 1 peer restored, stale until their sessions confirm them");
  engine->Start();
  keeper.Start();
  RoutingPeer told = PeerOf(*engine, "127.0.0.2");
  EXPECT_EQ(told.v4.paths, 2u);
  EXPECT_EQ(told.v4.stale, 2u);
  ScriptedPeer peer(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(peer.Establish(ScriptedOpen(0x7f000002)));
  announce(peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.2").v4.stale == 1; }));
  EXPECT_EQ(PeerOf(*engine, "127.0.0.2").v4.paths, 2u);
  peer.context().families.ForEach([&](bgp::Family family) { peer.SendEndOfRib(family); });
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.2").v4.paths == 1; }));
  keeper.Stop();
  engine->Stop();
}

TEST(RouteKeeperTest, OldAndDamagedKeptRoutesAreNotes) {
  RouteKeeperOptions options;
  options.state_path = Path("routes.mrt");
  options.stale_for = absl::Minutes(2);
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  file.Entry(0, "198.51.100.0/24", {64501}, "192.0.2.1");
  file.Entry(0, "198.51.101.0/24", {64501}, "192.0.2.1");
  ASSERT_TRUE(file.WriteTo(options.state_path));
  const auto notes = [&](absl::Time now) {
    auto engine = NewEngine();
    RouteKeeper keeper(engine.get(), options);
    std::string text = absl::StrJoin(keeper.LoadBeforeStart(now), "\n");
    return absl::StrCat(text, " | ", engine->book_before_start().rib().paths());
  };
  EXPECT_EQ(notes(file.time + absl::Minutes(2)),
            "routes: 2 routes of 1 peer restored, stale until their sessions confirm them | 2");
  EXPECT_EQ(notes(file.time + absl::Minutes(3)),
            "routes: those that were kept are from 2023-11-14T22:13:20Z, longer ago than stale_for: not taken | 0");
  std::string cut = file.text();
  cut.resize(cut.size() - 3);
  std::ofstream(options.state_path, std::ios::binary | std::ios::trunc) << cut;
  EXPECT_EQ(notes(file.time),
            absl::StrCat("routes: 1 route of 1 peer restored, stale until their sessions confirm them; "
                         "1 record of ",
                         options.state_path, " damaged and not taken | 1"));
  std::ofstream(options.state_path, std::ios::binary | std::ios::trunc) << "no such thing as MRT";
  EXPECT_TRUE(absl::StrContains(notes(file.time), "is no MRT file")) << notes(file.time);
}

TEST(RouteKeeperTest, FilesAreReadAgainWhenTheyChange) {
  RouteKeeperOptions options;
  options.files = {Path("routes.mrt")};
  options.look_every = absl::Milliseconds(50);
  options.try_again_every = absl::Milliseconds(100);
  std::vector<std::string> log, notes;
  options.log = [&log](absl::string_view line) { log.emplace_back(line); };
  options.note = [&notes](absl::string_view line) { notes.emplace_back(line); };
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}, {"192.0.2.2", 64502, "10.0.0.2"}});
  file.Entry(0, "198.51.100.0/24", {64501}, "192.0.2.1");
  file.Entry(1, "198.51.100.0/24", {64502}, "192.0.2.2");
  ASSERT_TRUE(file.WriteTo(options.files[0]));
  auto engine = NewEngine();
  RouteKeeper keeper(engine.get(), options);
  EXPECT_EQ(absl::StrJoin(keeper.LoadBeforeStart(absl::Now()), "\n"),
            absl::StrCat("routes: 2 routes and 0 updates of 2 peers from ", options.files[0]));
  engine->Start();
  keeper.Start();
  EXPECT_EQ(PathsOf(*engine), 2u);

  MrtText next;
  next.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  next.Entry(0, "198.51.100.0/24", {64501, 64777}, "192.0.2.1");
  next.Entry(0, "203.0.113.0/24", {64501}, "192.0.2.1");
  next.Entry(0, "203.0.112.0/24", {64501}, "192.0.2.1");
  ASSERT_TRUE(next.WriteTo(options.files[0]));
  ASSERT_TRUE(Eventually([&] { return PathsOf(*engine) == 3; }));
  ASSERT_TRUE(Eventually([&] { return keeper.status().files_loaded == 2; }));
  const RouteTexts routes = RoutesOf(*engine, "192.0.2.1");
  EXPECT_EQ(routes.size(), 3u);
  EXPECT_TRUE(absl::StrContains(routes.at("198.51.100.0/24"), "64501 64777"));

  // What cannot be read changes nothing, is told once, and tried again.
  std::ofstream(options.files[0], std::ios::binary | std::ios::trunc) << "nothing of the kind";
  ASSERT_TRUE(Eventually([&] { return keeper.status().files_failed >= 2; }));
  EXPECT_EQ(PathsOf(*engine), 3u);
  keeper.Stop();
  ASSERT_EQ(log.size(), 1u) << absl::StrJoin(log, "\n");
  EXPECT_TRUE(absl::StrContains(log[0], "is no MRT file")) << log[0];
  EXPECT_TRUE(absl::StrContains(log[0], "; what was there before stays")) << log[0];
  EXPECT_EQ(notes,
            std::vector<std::string>{absl::StrCat("routes: 3 routes and 0 updates of 1 peer from ", options.files[0])});
}

// What could not be read at the start is, once it can be, with the file the same.
TEST(RouteKeeperTest, FilesAreTriedAgain) {
  RouteKeeperOptions options;
  options.files = {Path("unreadable.mrt")};
  options.look_every = absl::Milliseconds(20);
  options.try_again_every = absl::Milliseconds(50);
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  file.Entry(0, "198.51.100.0/24", {64501}, "192.0.2.1");
  ASSERT_TRUE(file.WriteTo(options.files[0]));
  auto engine = NewEngine();
  RouteKeeper keeper(engine.get(), options);
  rlimit many;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &many), 0);
  const rlimit none = {0, many.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string notes = absl::StrJoin(keeper.LoadBeforeStart(absl::Now()), "\n");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &many), 0);
  EXPECT_TRUE(absl::StrContains(notes, "cannot be opened")) << notes;
  EXPECT_EQ(keeper.status().files_failed, 1u);
  engine->Start();
  keeper.Start();
  EXPECT_TRUE(Eventually([&] { return PathsOf(*engine) == 1; }));
  keeper.Stop();
}

// As a session would: what is read does not pile up in front of a reader that stalls.
TEST(RouteKeeperTest, FilesWaitForReadersThatStall) {
  RouteKeeperOptions options;
  options.files = {Path("routes.mrt")};
  options.look_every = absl::Milliseconds(20);
  const auto write = [&](uint32_t as) {
    MrtText file;
    file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
    // Several blocks.
    for (uint32_t i = 0; i < 20000; ++i) {
      file.Entry(0, absl::StrCat("10.", i >> 8, ".", i & 255, ".0/24"), {as, i + 1}, "192.0.2.1");
    }
    ASSERT_TRUE(file.WriteTo(options.files[0]));
  };
  write(64601);
  RoutingOptions routing;
  routing.listen = {"tcp://127.0.0.1:0"};
  routing.rib.attributes.max_garbage_octets = 16 << 10;
  routing.rib.routes.max_garbage_octets = 16 << 10;
  auto engine = *RoutingEngine::New(routing);
  RouteKeeper keeper(engine.get(), options);
  keeper.LoadBeforeStart(absl::Now());
  EXPECT_EQ(keeper.status().files_loaded, 1u);
  engine->Start();
  auto reader = engine->tables().epochs->NewReader();
  ASSERT_TRUE(reader.has_value());
  reader->Online();
  keeper.Start();
  write(64602);
  ASSERT_TRUE(Eventually([&] { return engine->Status()->congested; }));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(keeper.status().files_loaded, 1u);
  reader->Offline();
  ASSERT_TRUE(Eventually([&] { return keeper.status().files_loaded == 2; }));
  EXPECT_EQ(PathsOf(*engine), 20000u);
  // And the stop does not wait for such a reader.
  reader->Online();
  write(64603);
  ASSERT_TRUE(Eventually([&] { return engine->Status()->congested; }));
  keeper.Stop();
  EXPECT_EQ(keeper.status().files_loaded, 2u);
  EXPECT_EQ(keeper.status().files_failed, 0u);
  reader->Offline();
}

// Neither at the start nor at the stop does anybody wait for its writer.
TEST(RouteKeeperTest, AFifoIsNoFile) {
  RouteKeeperOptions options;
  options.files = {Path("fifo.mrt")};
  options.look_every = absl::Milliseconds(50);
  std::remove(options.files[0].c_str());
  ASSERT_EQ(mkfifo(options.files[0].c_str(), 0600), 0);
  auto engine = NewEngine();
  RouteKeeper keeper(engine.get(), options);
  const std::string notes = absl::StrJoin(keeper.LoadBeforeStart(absl::Now()), "\n");
  EXPECT_TRUE(absl::StrContains(notes, "fifo.mrt' is no regular file")) << notes;
  EXPECT_EQ(keeper.status().files_failed, 1u);
  engine->Start();
  keeper.Start();
  keeper.Stop();
}

TEST(RouteKeeperTest, DumpsAreWrittenEverySoOften) {
  RouteKeeperOptions options;
  options.dump_path = Path("%Y%m%d-%H%M%S.mrt");
  options.dump_every = absl::Seconds(1);
  auto engine = NewEngine();
  RouteKeeper keeper(engine.get(), options);
  engine->Start();
  const absl::Time begun = absl::Now();
  keeper.Start();
  ASSERT_TRUE(Eventually([&] { return keeper.status().dumps_written >= 1; }));
  keeper.Stop();
  bool found = false;
  for (int second = 0; second < 30 && !found; ++second) {
    found =
        std::ifstream(absl::FormatTime(options.dump_path, begun + absl::Seconds(second), absl::UTCTimeZone())).good();
  }
  EXPECT_TRUE(found);

  std::string log;
  options.dump_path = "/nowhere/at/all.mrt";
  options.log = [&log](absl::string_view line) { log = std::string(line); };
  RouteKeeper failing(engine.get(), options);
  failing.Start();
  ASSERT_TRUE(Eventually([&] { return failing.status().dumps_failed >= 1; }));
  failing.Stop();
  EXPECT_TRUE(absl::StrContains(log, "the dump of routes is not written: /nowhere/at/all.mrt")) << log;
}

}  // namespace
}  // namespace flowacct::collector
