// The same neighbour, and the same router by BMP, tell Debian's pmbgpd and pmbmpd and this collector: the lines that
// come of it are the same, key by key, but for what the tables below name.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "flowacct/collector/routelog/route_log.h"
#include "flowacct/collector/routelog/testing/monitor_feed.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"

extern char** environ;

namespace flowacct::collector {
namespace {

using bgp::Family;
using bgp::testing::AddressOf;
using bgp::testing::PrefixOf;
using bgp::testing::UpdateBuilder;
using Octets = std::vector<uint8_t>;

constexpr char kPmbgpd[] = "/usr/sbin/pmbgpd";
constexpr char kPmbmpd[] = "/usr/sbin/pmbmpd";

std::string ReadAll(const std::string& name) {
  std::ifstream in(name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class Folder {
 public:
  Folder() : path_(absl::StrCat(testing::TempDir(), "/pmacct.XXXXXX")) { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Folder() { (void)!system(absl::StrCat("rm -rf ", path_).c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

uint16_t FreePort() {
  Descriptor socket_(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

// Runs until this goes.
class Daemon {
 public:
  Daemon(const std::string& program, const Folder& folder, const std::string& configuration) {
    const std::string config = folder.path() + "/pmacct.conf", log = folder.path() + "/pmacct.log";
    std::ofstream(config) << configuration;
    std::vector<std::string> command = {"/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/env",
                                        "TZ=UTC",           program,       "-f",   config};
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &files, &attributes, argv.data(), environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  ~Daemon() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

std::unique_ptr<ScriptedPeer> Connect(uint16_t port, const char* from) {
  Endpoint to;
  to.address = AddressOf("127.0.0.1");
  to.port = port;
  std::unique_ptr<ScriptedPeer> peer;
  EXPECT_TRUE(Eventually([&] {
    peer = std::make_unique<ScriptedPeer>(to, from);
    return peer->connected();
  }));
  return peer;
}

// What differs on purpose: a pattern in pmacct's lines, and what stands here. Each must have been there.
struct Difference {
  const char* pmacct;
  const char* ours;
  const char* why;
};

// Lines without what two runs cannot share: their numbers, the collector's times, ports. Deletions in a row, whose
// order is that of a table, are sorted.
std::vector<std::string> Comparable(const std::string& text) {
  std::vector<std::string> lines;
  static const std::regex kSeq("\"seq\": [0-9]+"),
      kTime("(\"timestamp[a-z_]*\"): \"(?!2023-|0000-)[-0-9]{10} [0-9:.]{15}\""),
      kPort("(\"peer_tcp_port\"): [1-9][0-9]*");
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::string plain = std::regex_replace(std::string(line), kSeq, "\"seq\": N");
    plain = std::regex_replace(plain, kTime, "$1: T");
    lines.push_back(std::regex_replace(plain, kPort, "$1: P"));
  }
  const auto is_delete = [](const std::string& line) { return absl::StrContains(line, "\"log_type\": \"delete\""); };
  for (auto at = lines.begin(); at != lines.end();) {
    const auto end = std::find_if_not(at, lines.end(), is_delete);
    std::sort(at, end);
    at = end == lines.end() ? end : std::next(end);
  }
  return lines;
}

void Compare(const std::string& pmacct_text, const std::string& our_text, const std::vector<Difference>& differences) {
  std::vector<std::string> pmacct = Comparable(pmacct_text);
  for (const Difference& difference : differences) {
    const std::regex pattern(difference.pmacct);
    size_t met = 0;
    for (std::string& line : pmacct) {
      const std::string changed = std::regex_replace(line, pattern, difference.ours);
      met += changed != line;
      line = changed;
    }
    EXPECT_NE(met, 0u) << difference.pmacct << " is no difference any more: " << difference.why;
    pmacct.erase(std::remove(pmacct.begin(), pmacct.end(), ""), pmacct.end());
  }
  const std::vector<std::string> ours = Comparable(our_text);
  for (size_t i = 0; i < std::max(pmacct.size(), ours.size()); ++i) {
    EXPECT_EQ(i < ours.size() ? ours[i] : "(nothing)", i < pmacct.size() ? pmacct[i] : "(nothing)") << "line " << i + 1;
  }
}

Octets Copy(base::Octets octets) { return Octets(octets.begin(), octets.end()); }

UpdateBuilder& WithEverything(UpdateBuilder& builder) {
  const auto hex = [](absl::string_view digits) {
    const std::string octets = absl::HexStringToBytes(digits);
    return Octets(octets.begin(), octets.end());
  };
  return builder.Origin(1)
      .AsPathSegments({{2, {64501, 4200000002}}, {1, {64503, 64504}}})
      .NextHop("192.0.2.1")
      .Med(77)
      .LocalPref(250)
      .Communities({0xffffff02, 0xfbf40007, 0xffffff01, 0xffffff03, 0, 0xffff029a, 0xfbf40007})
      .Attribute(0xc0, 16,
                 hex("0002fbf4000000630003fbf4000000630102c000020100070202fa56ea000007030000000000006402030001000200030"
                     "0020000000000000002000000000000"))
      .Attribute(0x80, 26, hex("01000b00000000075bcd15"))
      .LargeCommunities({4200000001, 3, 4, 4200000001, 1, 2})
      .Attribute(0xc0, 40, hex("01000700000000000384"));
}

std::vector<Octets> Updates(bool add_path) {
  bgp::SessionContext context;
  if (add_path) context.add_path = bgp::FamilySet().Add(Family::kIpv4Unicast);
  std::vector<Octets> messages;
  UpdateBuilder builder(context);
  const auto send = [&] {
    messages.push_back(Copy(builder.Message()));
    builder.Clear();
  };
  const auto route = [](absl::string_view prefix, uint32_t path_id = 1, uint64_t rd = 0,
                        std::vector<uint32_t> labels = {}) {
    return bgp::testing::BuiltRoute{PrefixOf(prefix), path_id, rd, std::move(labels)};
  };
  WithEverything(builder).Announce(route("198.51.100.0/24")).Announce(route("203.0.113.128/25", 2));
  send();
  builder.Origin(0)
      .AsPathSegments({{3, {65001, 65002}}, {4, {65003, 65004}}, {2, {64501}}})
      .NextHop("192.0.2.1")
      .Announce(route("10.0.0.0/8"));
  send();
  builder.Origin(2).AsPath({}).NextHop("192.0.2.1").Announce(route("0.0.0.0/0"));
  send();
  builder.Origin(0)
      .AsPath({64502})
      .MpReach(Family::kIpv6Unicast, Copy(AddressOf("2001:db8::9").octets()))
      .MpAnnounce(route("2001:db8:1::/48"))
      .MpAnnounce(route("2001:db8:2::1/128"));
  send();
  builder.Origin(0)
      .AsPath({64502})
      .MpReach(Family::kLabelledIpv4, Octets{192, 0, 2, 9})
      .MpAnnounce(route("10.1.0.0/16", 0, 0, {100}));
  send();
  for (const uint64_t rd : {0x0000fbf400000007u, 0x0001c00002010007u, 0x0002fa56ea000007u}) {
    builder.Origin(0)
        .AsPath({64502})
        .MpReach(Family::kVpnIpv4, Octets{0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9})
        .MpAnnounce(route("10.2.0.0/16", 0, rd, {200}));
    send();
  }
  builder.Withdraw(route("10.0.0.0/8")).Withdraw(route("10.77.0.0/16"));
  send();
  builder.MpUnreach(Family::kIpv6Unicast).MpWithdraw(route("2001:db8:1::/48"));
  send();
  builder.MpUnreach(Family::kVpnIpv4).MpWithdraw(route("10.2.0.0/16", 0, 0x0001c00002010007u));
  send();
  WithEverything(builder).Announce(route("198.51.100.0/24"));
  send();
  builder.Origin(0).AsPath({64999}).NextHop("192.0.2.1").Announce(route("198.51.100.0/24"));
  send();
  return messages;
}

void CompareSessions(bool add_path, const std::vector<Difference>& differences) {
  if (access(kPmbgpd, X_OK) != 0) GTEST_SKIP() << "no " << kPmbgpd;
  const Folder folder;
  const std::string ours = folder.path() + "/ours.json", theirs = folder.path() + "/theirs.json";
  RouteLogOptions options;
  options.message_log = ours;
  auto log = RouteLog::New(options);
  ASSERT_TRUE(log.ok()) << log.status();
  RoutingOptions routing;
  routing.listen = {"tcp://127.0.0.1:0"};
  routing.bgp_identifier = 0x0a0a0a0a;
  auto made = RoutingEngine::New(routing, {log->get()});
  ASSERT_TRUE(made.ok()) << made.status();
  const std::shared_ptr<RoutingEngine> engine = *std::move(made);
  (*log)->Attach(engine);
  engine->Start();
  const uint16_t port = FreePort();
  const Daemon daemon(kPmbgpd, folder,
                      absl::StrCat("daemonize: false\nbgp_daemon_ip: 127.0.0.1\nbgp_daemon_port: ", port,
                                   "\nbgp_daemon_max_peers: 10\nbgp_daemon_msglog_file: ", theirs,
                                   // Without a table withdrawals tell nothing of what they withdraw.
                                   "\nbgp_daemon_msglog_output: json\nbgp_table_dump_file: ", folder.path(),
                                   "/dump.json\nbgp_table_dump_output: json\nbgp_table_dump_refresh_time: 3600\n"));
  bgp::Open open = ScriptedOpen(0x0a000002);
  open.families.Add(Family::kLabelledIpv4);
  if (add_path) open.add_path_send = bgp::FamilySet().Add(Family::kIpv4Unicast);
  for (const uint16_t to : {engine->endpoints()[0].port, port}) {
    const auto peer = Connect(to, "127.0.0.2");
    ASSERT_TRUE(peer->Establish(open));
    for (const Octets& message : Updates(add_path)) ASSERT_TRUE(peer->Send(message));
    const std::string& file = to == port ? theirs : ours;
    // pmacct says nothing of what it did not see.
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(ReadAll(file), "\"64999\""); })) << ReadAll(file);
    peer->Close();
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(ReadAll(file), "\"log_close\""); })) << ReadAll(file);
  }
  engine->Stop();
  EXPECT_TRUE((*log)->Close(absl::Seconds(5)));
  Compare(ReadAll(theirs), ReadAll(ours), differences);
}

constexpr Difference kUnknownCommunity = {R"((SoO:65538:3) \?)", "$1 EC:0x0300000000000064",
                                          "what pmacct 1.7.7 has no word for is \"?\"; later versions write this"};

TEST(PmacctPeer, SessionsAreLoggedAlike) {
  CompareSessions(false, {kUnknownCommunity,
                          {R"re(("as_path": "64999", "origin": "i"), "aigp": 123456789, "psid_li": 900)re", "$1",
                           "attributes of the route before stay in pmacct's, though the new one has none"}});
}

TEST(PmacctPeer, SeveralPathsAreLoggedAlike) {
  CompareSessions(true, {kUnknownCommunity,
                         {R"re(("as_path": "64999", "origin": "i"), "psid_li": 900)re", "$1",
                          "attributes of the route before stay in pmacct's, though the new one has none"}});
}

TEST(PmacctPeer, MonitoredRoutersAreLoggedAlike) {
  if (access(kPmbmpd, X_OK) != 0) GTEST_SKIP() << "no " << kPmbmpd;
  namespace b = bmp::testing;
  b::BuiltPeer pre, post, vrf, loc, out, v6;
  pre.address = AddressOf("10.0.0.7");
  post.address = AddressOf("10.0.0.8");
  post.flags = 0x40;
  vrf.address = AddressOf("10.0.0.9");
  vrf.type = bmp::PeerType::kRdInstance;
  vrf.distinguisher = 0x0000fbf400000007;
  loc.address = base::IpAddress::V4(0);
  loc.type = bmp::PeerType::kLocRibInstance;
  loc.flags = 0x80;  // filtered
  out.address = AddressOf("10.0.0.10");
  out.flags = 0x10;
  v6.address = AddressOf("2001:db8::7");
  const std::vector<b::BuiltPeer> peers = {pre, post, vrf, loc, out, v6};
  std::vector<Octets> messages = {
      b::Message(bmp::MessageType::kInitiation,
                 b::Join({b::Tlv16(1, "Some \"OS\"\t1.0"), b::Tlv16(2, "router\\one"), b::Tlv16(0, "free text")}))};
  for (const b::BuiltPeer& peer : peers) {
    messages.push_back(b::PeerUpMessage(peer, b::OpenMessage(64500), b::OpenMessage(64496),
                                        b::Join({b::Tlv16(0, "up \"text\""), b::Tlv16(3, "vrf-a")})));
  }
  for (const b::BuiltPeer& peer : peers) {
    UpdateBuilder builder;
    WithEverything(builder).Announce("198.51.100.0/24");
    messages.push_back(b::RouteMonitoringMessage(peer, builder.Message()));
    builder.Clear();
    builder.Origin(2).AsPath({64510}).NextHop("192.0.2.1").Announce("198.51.101.0/24");
    messages.push_back(b::RouteMonitoringMessage(peer, builder.Message()));
    builder.Clear();
    builder.Withdraw("198.51.101.0/24");
    messages.push_back(b::RouteMonitoringMessage(peer, builder.Message()));
  }
  std::vector<b::BuiltStatistic> statistics;
  for (uint16_t type = 0; type < 22; ++type) {
    const bool family = type == 9 || type == 10 || type == 16 || type == 17 || type == 19 || type == 21;
    const bool gauge = type == 7 || type == 8 || type == 14 || type == 15 || type == 18 || type == 20;
    Octets value(family ? 11 : gauge ? 8 : 4, 0);
    if (family) value[1] = value[2] = 1;
    value.back() = static_cast<uint8_t>(100 + type);
    statistics.push_back({type, value});
  }
  messages.push_back(b::StatisticsMessage(pre, statistics));
  messages.push_back(b::StatisticsMessage(loc, {{8, {0, 0, 0, 0, 0, 0, 0, 5}}}));
  const Octets notification = b::BgpMessage(3, Octets{6, 2});
  messages.push_back(b::PeerDownMessage(pre, 1, notification));
  messages.push_back(b::PeerDownMessage(post, 2, Octets{0, 18}));
  messages.push_back(b::PeerDownMessage(vrf, 3, notification));
  messages.push_back(b::PeerDownMessage(out, 4, Octets{}));
  messages.push_back(b::PeerDownMessage(v6, 5, Octets{}));
  messages.push_back(b::PeerDownMessage(loc, 6, b::Tlv16(3, "vrf-a")));
  messages.push_back(b::Message(bmp::MessageType::kTermination, b::Tlv16(1, Octets{0, 1})));

  const Folder folder;
  const std::string ours = folder.path() + "/ours.json", theirs = folder.path() + "/theirs.json";
  RouteLogOptions options;
  options.monitored = true;
  options.message_log = ours;
  auto log = RouteLog::New(options);
  ASSERT_TRUE(log.ok()) << log.status();
  RoutingOptions routing;
  routing.listen = {"tcp://127.0.0.1:0"};
  routing.bgp_identifier = 0x0a0a0a0a;
  auto made = RoutingEngine::New(routing, {log->get()});
  ASSERT_TRUE(made.ok()) << made.status();
  const std::shared_ptr<RoutingEngine> engine = *std::move(made);
  (*log)->Attach(engine);
  engine->Start();
  std::unique_ptr<MonitorFeed> feed;
  std::unique_ptr<bmp::Station> station;
  for (const Octets& message : messages) {
    ASSERT_TRUE(engine
                    ->Call([&](PeerBook& book) {
                      if (feed == nullptr) {
                        feed = std::make_unique<MonitorFeed>(AddressOf("127.0.0.3"), &book, log->get(), absl::Now());
                        station = std::make_unique<bmp::Station>(bmp::StationOptions(), feed.get());
                      }
                      EXPECT_TRUE(station->Receive(message));
                    })
                    .ok());
  }
  ASSERT_TRUE(engine
                  ->Call([&](PeerBook&) {
                    station->End();
                    feed->End();
                  })
                  .ok());
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(ReadAll(ours), "\"log_close\""); })) << ReadAll(ours);
  engine->Stop();
  EXPECT_TRUE((*log)->Close(absl::Seconds(5)));

  const uint16_t port = FreePort();
  const Daemon daemon(kPmbmpd, folder,
                      absl::StrCat("daemonize: false\nbmp_daemon_ip: 127.0.0.1\nbmp_daemon_port: ", port,
                                   "\nbmp_daemon_max_peers: 10\nbmp_daemon_msglog_file: ", theirs,
                                   "\nbmp_daemon_msglog_output: json\nbmp_dump_file: ", folder.path(),
                                   "/dump.json\nbmp_dump_output: json\nbmp_dump_refresh_time: 3600\n"));
  {
    const auto router = Connect(port, "127.0.0.3");
    for (const Octets& message : messages) ASSERT_TRUE(router->Send(message));
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(ReadAll(theirs), "\"term\""); })) << ReadAll(theirs);
  }
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(ReadAll(theirs), "\"log_close\""); })) << ReadAll(theirs);

  Compare(ReadAll(theirs), ReadAll(ours),
          {kUnknownCommunity,
           {R"(, "bmp_router_port": [0-9]+)", "", "the observer is told of a router's address alone"},
           {R"re(.*"log_type": "delete".*)re", "", "a Peer Down withdraws all that was told: it is one line"},
           {R"re(, "bmp_init_info_string": "free text")re", "", "the observer is told of the name and the description"},
           {R"re(.*"bmp_msg_type": "term".*)re", "", "the observer is told that the router is gone: log_close"},
           {R"re(("bmp_msg_type": "peer_up".*), "is_post": [01], "is_(in|out)": 1)re", "$1",
            "a Peer Up is of all Adj-RIBs of a neighbour (RFC 7854, 4.2; RFC 8671, 4)"},
           {R"re(("counter_type": 1[67], "counter_type_str": "[^"]*"))re", R"($1, "afi": 1, "safi": 1)",
            "pmacct drops the family of RFC 8671's counters"},
           {R"re(("counter_type": 18, "counter_type_str": )"Unknown", "counter_value": "[-0-9A-F]*")re",
            R"($1"Number of routes in Adj-RIBs-In Pre-Policy", "counter_value": 118)", "RFC 9972"},
           {R"re(("counter_type": 19, "counter_type_str": )"Unknown", "counter_value": "[-0-9A-F]*")re",
            R"($1"Number of routes in per-AFI/SAFI Adj-RIB-In Pre-Policy", "afi": 1, "safi": 1, "counter_value": 119)",
            "RFC 9972"},
           {R"re(("counter_type": 20, "counter_type_str": )"Unknown", "counter_value": "[-0-9A-F]*")re",
            R"($1"Number of routes in Adj-RIBs-In Post-Policy", "counter_value": 120)", "RFC 9972"},
           {R"re(("counter_type": 21, "counter_type_str": )"Unknown", "counter_value": "[-0-9A-F]*")re",
            R"($1"Number of routes in per-AFI/SAFI Adj-RIB-In Post-Policy", "afi": 1, "safi": 1, "counter_value": 121)",
            "RFC 9972"}});
}

}  // namespace
}  // namespace flowacct::collector
