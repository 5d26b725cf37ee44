#include "flowacct/collector/routelog/route_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "flowacct/collector/routelog/testing/monitor_feed.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::collector {
namespace {

using bgp::testing::UpdateBuilder;

// Under a sanitizer of threads all of this is twenty times slower.
#ifdef ABSL_HAVE_THREAD_SANITIZER
constexpr size_t kRoutes = 10000;
#else
constexpr size_t kRoutes = 200000;
#endif

std::string Read(const std::string& name) {
  std::ifstream in(name);
  std::stringstream text;
  text << in.rdbuf();
  return in.is_open() ? text.str() : "(none)";
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// The numbers of the lines in their order.
std::vector<uint64_t> Numbers(const std::string& text) {
  std::vector<uint64_t> numbers;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const size_t at = line.find("\"seq\": ");
    numbers.push_back(std::stoull(std::string(line.substr(at + 7))));
  }
  return numbers;
}

class RouteLogTest : public testing::Test {
 protected:
  RouteLogTest() : folder_(absl::StrCat(testing::TempDir(), "/routelog.XXXXXX")) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~RouteLogTest() override {
    if (engine_ != nullptr) engine_->Stop();
    log_.reset();
    (void)!system(absl::StrCat("rm -rf ", folder_).c_str());
  }

  void Start(RouteLogOptions options, absl::Duration stale_for = absl::Minutes(2)) {
    auto log = RouteLog::New(std::move(options));
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    RoutingOptions routing;
    routing.listen = {"tcp://127.0.0.1:0"};
    routing.bgp_identifier = 0x0a0a0a0a;
    routing.connections_per_minute = routing.connection_burst = 60000;
    routing.stale_for = stale_for;
    auto engine = RoutingEngine::New(routing, {log_.get()});
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    log_->Attach(engine_);
    engine_->Start();
  }
  std::unique_ptr<ScriptedPeer> Peer(absl::string_view from = "127.0.0.2") {
    auto peer = std::make_unique<ScriptedPeer>(engine_->endpoints()[0], from);
    EXPECT_TRUE(peer->Establish(ScriptedOpen(0xc0000201)));
    return peer;
  }
  static void Announce(ScriptedPeer& peer, const std::vector<std::string>& prefixes) {
    UpdateBuilder builder(peer.context());
    builder.Origin(0).AsPath({64501, 64502}).NextHop("192.0.2.1");
    for (const std::string& prefix : prefixes) builder.Announce(prefix);
    EXPECT_TRUE(peer.Send(builder.Message()));
  }
  std::string Path(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }
  bool Has(const std::string& file, const std::string& part) {
    return Eventually([&] { return absl::StrContains(Read(file), part); });
  }

  std::string folder_;
  std::unique_ptr<RouteLog> log_;
  std::shared_ptr<RoutingEngine> engine_;
};

TEST_F(RouteLogTest, WrongOptionsAreNamed) {
  RouteLogOptions options;
  options.message_log = "/tmp/";
  EXPECT_EQ(RouteLog::New(options).status().message(), "message_log: names a folder, not a file");
  options.message_log = "";
  options.dump = Path("d");
  options.dump_every = absl::Milliseconds(1500);
  EXPECT_EQ(RouteLog::New(options).status().message(), "dump_every: is whole seconds, such as 5m");
}

TEST_F(RouteLogTest, ASessionFromItsBeginToItsEnd) {
  RouteLogOptions options;
  options.message_log = Path("$peer_src_ip.json");
  Start(options);
  const std::string file = Path("127_0_0_2.json");
  auto peer = Peer();
  ASSERT_TRUE(Has(file, "log_init"));
  Announce(*peer, {"198.51.100.0/24", "203.0.113.0/24"});
  UpdateBuilder builder(peer->context());
  builder.Withdraw("203.0.113.0/24").Withdraw("192.0.2.0/24");
  peer->Send(builder.Message());
  ASSERT_TRUE(Has(file, "withdraw"));
  peer->Close();
  ASSERT_TRUE(Has(file, "log_close"));
  const std::string text = Read(file);
  // A withdrawal of what was not there is none.
  EXPECT_EQ(Count(text, "\"withdraw\""), 1u) << text;
  EXPECT_EQ(Count(text, R"("log_type": "delete", )"), 1u) << text;
  EXPECT_TRUE(absl::StrContains(text, R"("ip_prefix": "203.0.113.0/24", "bgp_nexthop": "192.0.2.1")"));
  EXPECT_EQ(Numbers(text), (std::vector<uint64_t>{0, 1, 2, 3, 4, 5}));
  // It comes back, and its routes are told again.
  peer = Peer();
  Announce(*peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] { return Count(Read(file), "\"update\"") == 3; })) << Read(file);
  EXPECT_EQ(Count(Read(file), "log_init"), 2u);
  EXPECT_EQ(log_->counters().dropped, 0u);
  EXPECT_EQ(log_->counters().lost, 0u);
}

TEST_F(RouteLogTest, ABurstIsWholeAndInOrder) {
  RouteLogOptions options;
  options.message_log = Path("log");
  Start(options);
  auto peer = Peer();
  for (int i = 0; i < 10000; ++i) {
    Announce(*peer, {absl::StrCat("10.", i / 250, ".", i % 250, ".0/24")});
  }
  ASSERT_TRUE(Eventually([&] { return log_->counters().lines == 10001; })) << log_->counters().lines;
  const std::string text = Read(Path("log"));
  const std::vector<uint64_t> numbers = Numbers(text);
  ASSERT_EQ(numbers.size(), 10001u);
  for (size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
  EXPECT_EQ(Count(text, "\"10.39.249.0/24\""), 1u);
}

TEST_F(RouteLogTest, ADiskThatStandsStillHoldsNobodyUp) {
  RouteLogOptions options;
  // A pipe that nobody reads.
  options.message_log = Path("pipe");
  options.max_queued_octets = 100000;
  ASSERT_EQ(mkfifo(options.message_log.c_str(), 0600), 0);
  const Descriptor reader(open(options.message_log.c_str(), O_RDONLY | O_NONBLOCK));
  std::vector<std::string> errors;
  base::Mutex mutex;
  options.on_error = [&](absl::string_view error) {
    base::MutexLock lock(&mutex);
    errors.emplace_back(error);
  };
  Start(options);
  auto peer = Peer();
  for (int i = 0; i < 5000; ++i) Announce(*peer, {absl::StrCat("10.", i / 250, ".", i % 250, ".0/24")});
  // The table has all of it, though the log has not.
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine_, "127.0.0.2").v4.paths == 5000; }));
  ASSERT_TRUE(Eventually([&] { return log_->counters().dropped != 0; }));
  EXPECT_LE(log_->counters().queued_octets, 100000u + (1u << 20));
  // It moves again: what comes then is told, and numbers are missing.
  std::string text;
  char buffer[65536];
  const auto drain = [&] {
    for (ssize_t n; (n = read(reader.get(), buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<size_t>(n));
  };
  ASSERT_TRUE(Eventually([&] {
    drain();
    return log_->counters().queued_octets == 0;
  }));
  Announce(*peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] {
    drain();
    return absl::StrContains(text, "198.51.100.0/24");
  }));
  const std::vector<uint64_t> numbers = Numbers(text);
  const RouteLogCounters counters = log_->counters();
  EXPECT_EQ(numbers.back(), 5001u);
  EXPECT_EQ(numbers.size() + counters.dropped, 5002u);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  ASSERT_TRUE(Eventually([&] {
    base::MutexLock lock(&mutex);
    return !errors.empty();
  }));
  base::MutexLock lock(&mutex);
  EXPECT_TRUE(absl::StrContains(errors[0], "lines were dropped")) << errors[0];
}

TEST_F(RouteLogTest, AThreadThatNeverComesBackIsLeft) {
  RouteLogOptions options;
  options.message_log = Path("pipe");
  ASSERT_EQ(mkfifo(options.message_log.c_str(), 0600), 0);
  Descriptor reader(open(options.message_log.c_str(), O_RDONLY | O_NONBLOCK));
  const auto told = std::make_shared<std::atomic<int>>(0);
  options.on_error = [told](absl::string_view) { ++*told; };
  Start(options);
  auto peer = Peer();
  for (int i = 0; i < 2000; ++i) Announce(*peer, {absl::StrCat("10.", i / 250, ".", i % 250, ".0/24")});
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine_, "127.0.0.2").v4.paths == 2000; }));
  absl::SleepFor(absl::Milliseconds(1000));  // an error is told once a second at most
  engine_->Stop();
  EXPECT_FALSE(log_->Close(absl::Milliseconds(100)));
  log_.reset();
  const int before = *told;
  // With a reader's end closed its write ends, and the thread with it.
  reader.Reset();
  const std::weak_ptr<RoutingEngine> engine = engine_;
  engine_.reset();
  EXPECT_TRUE(Eventually([&] { return engine.expired(); }));
  // The thread had an error at its end, and told nobody.
  options = RouteLogOptions();
  EXPECT_TRUE(Eventually([&] { return told.use_count() == 1; }));
  EXPECT_EQ(*told, before);
}

TEST_F(RouteLogTest, MovedFilesBeginAnew) {
  RouteLogOptions options;
  options.message_log = Path("log");
  Start(options);
  auto peer = Peer();
  Announce(*peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Has(Path("log"), "198.51.100.0/24"));
  ASSERT_EQ(rename(Path("log").c_str(), Path("log.1").c_str()), 0);
  log_->Reopen();
  ASSERT_TRUE(Eventually([&] { return log_->counters().open_files == 0; }));
  Announce(*peer, {"203.0.113.0/24"});
  ASSERT_TRUE(Has(Path("log"), "203.0.113.0/24"));
  EXPECT_FALSE(absl::StrContains(Read(Path("log.1")), "203.0.113.0/24"));
}

TEST_F(RouteLogTest, DumpsAreWholeAndOfEachPeer) {
  RouteLogOptions options;
  options.dump = Path("$peer_src_ip.json");
  options.dump_every = absl::Seconds(1);
  Start(options);
  auto one = Peer("127.0.0.2"), two = Peer("127.0.0.4");
  Announce(*one, {"198.51.100.0/24", "203.0.113.0/24"});
  UpdateBuilder builder(one->context());
  builder.Origin(0)
      .AsPath({64502})
      .MpReach(bgp::Family::kVpnIpv4, std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9})
      .MpAnnounce({bgp::testing::PrefixOf("10.2.0.0/16"), 0, 0x0000fbf400000007, {200}});
  one->Send(builder.Message());
  ASSERT_TRUE(Has(Path("127_0_0_2.json"), "10.2.0.0/16"));
  const std::string text = Read(Path("127_0_0_2.json"));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 5u) << text;
  const std::string time = text.substr(15, 19), seq = absl::StrCat(Numbers(text)[0]);
  const std::string head =
      absl::StrCat(R"("timestamp": ")", time, R"(", "peer_ip_src": "127.0.0.2", "peer_tcp_port": )",
                   PeerOf(*engine_, "127.0.0.2").port, ", ");
  // As pmbgpd 1.7.7 wrote them of these routes.
  EXPECT_EQ(lines[0], absl::StrCat("{", head, R"("event_type": "dump_init", "dump_period": 1, "seq": )", seq, "}"));
  EXPECT_EQ(lines[1], absl::StrCat(R"({"seq": )", seq, ", ", head,
                                   R"("event_type": "dump", "afi": 1, "safi": 1, "ip_prefix": "198.51.100.0/24", )",
                                   R"("bgp_nexthop": "192.0.2.1", "as_path": "64501 64502", "origin": "i"})"));
  EXPECT_EQ(lines[3], absl::StrCat(R"({"seq": )", seq, ", ", head,
                                   R"("event_type": "dump", "afi": 1, "safi": 128, "ip_prefix": "10.2.0.0/16", )",
                                   R"("bgp_nexthop": "192.0.2.9", "as_path": "64502", "origin": "i", )",
                                   R"("rd": "0:64500:7", "rd_origin": "bgp", "label": "200"})"));
  EXPECT_EQ(lines[4],
            absl::StrCat("{", head, R"("event_type": "dump_close", "entries": 3, "tables": 1, "seq": )", seq, "}"));
  EXPECT_TRUE(Has(Path("127_0_0_4.json"), "dump_close"));
  EXPECT_EQ(Read(Path("127_0_0_2.json.partial")), "(none)");
  EXPECT_EQ(log_->counters().last_error, "");
}

TEST_F(RouteLogTest, AFullTableIsDumpedBesideItsChanges) {
  RouteLogOptions options;
  options.message_log = Path("log");
  options.dump = Path("dump");
  options.dump_every = absl::Seconds(1);
  Start(options);
  const size_t routes = kRoutes;
  const rib::RouteTable table = rib::MakeRouteTable(routes - routes / 4, routes / 4, 1, 1, 64500);
  auto peer = Peer();
  ASSERT_TRUE(peer->Send(table.messages));
  ASSERT_TRUE(Eventually([&] { return log_->counters().lines == routes + 1; })) << log_->counters().lines;
  const uint64_t dumps = log_->counters().dumps;
  // It goes on changing meanwhile.
  uint64_t sent = 0;
  ASSERT_TRUE(Eventually([&] {
    Announce(*peer, {absl::StrCat("10.0.", ++sent % 250, ".0/24")});
    return log_->counters().dumps >= dumps + 2;
  }));
  const RouteLogCounters counters = log_->counters();
  EXPECT_GE(counters.dump_lines, routes);
  EXPECT_EQ(counters.failed_dumps, 0u) << counters.last_error;
  RecordProperty("dump_seconds", absl::StrCat(counters.dump_seconds));
  std::cout << counters.dump_lines << " routes dumped in " << counters.dump_seconds << " s\n";
  ASSERT_TRUE(Eventually([&] { return log_->counters().lines == routes + 1 + sent; }));
  EXPECT_EQ(log_->counters().dropped, 0u);
  const std::string text = Read(Path("dump"));
  EXPECT_TRUE(absl::StartsWith(text, "{\"timestamp\""));
  EXPECT_EQ(Count(text, "dump_init"), 1u);
  EXPECT_TRUE(absl::StrContains(text.substr(text.size() - 200), "dump_close"));
}

TEST_F(RouteLogTest, ARouterThatIsLostAndItsDump) {
  namespace b = bmp::testing;
  RouteLogOptions options;
  options.monitored = true;
  options.message_log = Path("$bmp_router.json");
  options.dump = Path("dump");
  options.dump_every = absl::Seconds(1);
  Start(options);
  b::BuiltPeer loc;
  loc.type = bmp::PeerType::kLocRibInstance;
  loc.address = base::IpAddress::V4(0);
  UpdateBuilder builder;
  builder.Origin(0).AsPath({64510}).NextHop("192.0.2.1").Announce("198.51.100.0/24").Announce("203.0.113.0/24");
  const b::Octets announced = b::RouteMonitoringMessage(loc, builder.Message());
  builder.Clear();
  builder.Withdraw("203.0.113.0/24");
  const b::Octets withdrawn = b::RouteMonitoringMessage(loc, builder.Message());
  std::unique_ptr<MonitorFeed> feed;
  std::unique_ptr<bmp::Station> station;
  const auto on_engine = [&](const std::function<void()>& step) {
    ASSERT_TRUE(engine_
                    ->Call([&](PeerBook& book) {
                      if (feed == nullptr) {
                        feed = std::make_unique<MonitorFeed>(bgp::testing::AddressOf("127.0.0.3"), &book, log_.get(),
                                                             absl::Now());
                        station = std::make_unique<bmp::Station>(bmp::StationOptions(), feed.get());
                      }
                      step();
                    })
                    .ok());
  };
  on_engine([&] {
    station->Receive(b::PeerUpMessage(loc, b::OpenMessage(64500), b::OpenMessage(64500)));
    station->Receive(announced);
    station->Receive(withdrawn);
    // More than are written at once.
    station->Receive(b::StatisticsMessage(loc, std::vector<b::BuiltStatistic>(600, {8, {0, 0, 0, 0, 0, 0, 0, 7}})));
  });
  // A withdrawal tells what the route had: the log knows the Loc-RIB's table.
  const std::string file = Path("127_0_0_3.json");
  ASSERT_TRUE(Has(file, "\"withdraw\""));
  EXPECT_TRUE(absl::StrContains(Read(file), R"("ip_prefix": "203.0.113.0/24", "bgp_nexthop": "192.0.2.1")"));
  EXPECT_EQ(Count(Read(file), "64510"), 3u) << Read(file);
  ASSERT_TRUE(Eventually([&] { return Count(Read(file), "\"counter_value\": 7}\n") == 600; }));
  ASSERT_TRUE(Eventually([&] { return log_->counters().lines == Numbers(Read(file)).size(); }));
  ASSERT_TRUE(Has(Path("dump"), "198.51.100.0/24"));
  EXPECT_TRUE(absl::StrContains(Read(Path("dump")), R"("is_loc": 1, "event_type": "dump")")) << Read(Path("dump"));
  on_engine([&] {
    station->End();
    feed->End();
  });
  ASSERT_TRUE(Has(file, "log_close"));
  EXPECT_EQ(Count(Read(file), R"("bmp_msg_type": "internal")"), 1u) << Read(file);
  EXPECT_EQ(log_->counters().dropped, 0u);
}

TEST_F(RouteLogTest, AFileThatCannotBeWrittenKeepsNoOtherFromBeingDumped) {
  // One that cannot take its place, one that cannot be opened, and one behind them.
  ASSERT_EQ(mkdir(Path("127_0_0_2.json").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(Path("127_0_0_4.json.partial").c_str(), 0700), 0);
  RouteLogOptions options;
  options.dump = Path("$peer_src_ip.json");
  options.dump_every = absl::Seconds(1);
  Start(options);
  const auto one = Peer("127.0.0.2"), two = Peer("127.0.0.4"), three = Peer("127.0.0.5");
  for (ScriptedPeer* peer : {one.get(), two.get(), three.get()}) Announce(*peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] {
    const std::string text = Read(Path("127_0_0_5.json"));
    return absl::StrContains(text, "198.51.100.0/24") && absl::StrContains(text, "dump_close");
  }));
  ASSERT_TRUE(Eventually([&] { return log_->counters().failed_dumps != 0; }));
  EXPECT_TRUE(absl::StrContains(log_->counters().last_error, "127_0_0_2.json")) << log_->counters().last_error;
}

TEST_F(RouteLogTest, TablesThatTheBookRefusedAreLogged) {
  namespace b = bmp::testing;
  struct Refused final : bmp::Listener {
    void OnPeerUp(const bmp::PeerUp& up) override { log->OnMonitoredUp(router, up, absl::Now()); }
    void OnPeerDown(const bmp::PeerDown& down) override { log->OnMonitoredDown(router, down, absl::Now()); }
    void OnUpdate(const bmp::RouteUpdate& update) override { log->OnMonitoredUpdate(router, update, absl::Now()); }
    const base::IpAddress router = bgp::testing::AddressOf("127.0.0.3");
    RouteLog* log = nullptr;
  };
  RouteLogOptions options;
  options.monitored = true;
  options.message_log = Path("log");
  options.dump = Path("$bmp_router_port");
  EXPECT_TRUE(absl::StartsWith(RouteLog::New(options).status().message(), "dump: the port of a BMP router"));
  options.dump = "";
  auto log = RouteLog::New(options);
  ASSERT_TRUE(log.ok()) << log.status();
  log_ = *std::move(log);
  Refused refused;
  refused.log = log_.get();
  bmp::Station station({}, &refused);
  b::BuiltPeer peer;
  peer.address = bgp::testing::AddressOf("10.0.0.7");
  UpdateBuilder builder;
  for (int i = 0; i < 2; ++i) {
    station.Receive(b::PeerUpMessage(peer, b::OpenMessage(64500), b::OpenMessage(64496)));
    builder.Clear();
    builder.Origin(0).AsPath({64510}).NextHop("192.0.2.1").Announce("198.51.100.0/24");
    station.Receive(b::RouteMonitoringMessage(peer, builder.Message()));
    builder.Clear();
    builder.Withdraw("198.51.100.0/24");
    station.Receive(b::RouteMonitoringMessage(peer, builder.Message()));
    station.Receive(b::PeerDownMessage(peer, 5, {}));
  }
  station.End();
  log_->OnRouterDown(refused.router, "closed", absl::Now());
  ASSERT_TRUE(Has(Path("log"), "log_close"));
  const std::string text = Read(Path("log"));
  for (const char* what : {"\"update\"", "\"withdraw\"", "\"peer_up\"", "\"peer_down\""})
    EXPECT_EQ(Count(text, what), 2u);
  EXPECT_EQ(Numbers(text).size(), 10u) << text;
}

TEST_F(RouteLogTest, ADumpThatCannotBeWrittenIsGivenUp) {
  std::ofstream(Path("file")) << "a file";
  RouteLogOptions options;
  options.dump = Path("file/below");
  options.dump_every = absl::Seconds(1);
  Start(options);
  auto peer = Peer();
  ASSERT_TRUE(Eventually([&] { return log_->counters().failed_dumps != 0; }));
  EXPECT_TRUE(absl::StrContains(log_->counters().last_error, "cannot open")) << log_->counters().last_error;
}

}  // namespace
}  // namespace flowacct::collector
