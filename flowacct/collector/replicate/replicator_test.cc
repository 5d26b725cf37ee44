#include "flowacct/collector/replicate/replicator.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/record/datagram.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::collector {
namespace {

std::unique_ptr<UdpListener> NewListener(const std::string& address = "udp://127.0.0.1:0") {
  UdpListenerOptions options;
  options.address = address;
  auto group = UdpListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return group.ok() ? std::move(group->listeners[0]) : nullptr;
}

struct Received {
  std::string octets, source;
  uint16_t source_port;
};
std::vector<Received> TakeAll(UdpListener* listener) {
  std::vector<Received> received;
  for (;;) {
    const auto datagrams = listener->Receive();
    if (datagrams.empty()) return received;
    for (const record::Datagram& d : datagrams) {
      received.push_back({std::string(base::AsText(d.octets)), d.source.ToString(), d.source_port});
    }
  }
}

record::Datagram From(const char* source, absl::string_view octets) {
  record::Datagram datagram;
  datagram.octets = base::AsOctets(octets);
  datagram.source = *base::IpAddress::Parse(source);
  datagram.source_port = 50000;
  return datagram;
}

ReplicaPool Pool(const std::string& name, std::vector<std::string> receivers,
                 ReplicaBalance balance = ReplicaBalance::kAll) {
  ReplicaPool pool;
  pool.name = name;
  pool.receivers = std::move(receivers);
  pool.balance = balance;
  return pool;
}

ReplicatorOptions Options(std::vector<ReplicaPool> pools) {
  ReplicatorOptions options;
  options.pools = std::move(pools);
  return options;
}

std::unique_ptr<Replicator> NewReplicator(const ReplicatorOptions& options) {
  auto replicator = Replicator::New(options);
  EXPECT_TRUE(replicator.ok()) << replicator.status();
  return replicator.ok() ? *std::move(replicator) : nullptr;
}

TEST(ReplicatorTest, ACopyForEachReceiver) {
  const auto one = NewListener(), two = NewListener("udp://[::1]:0"), three = NewListener();
  const auto replicator = NewReplicator(Options({Pool("a", {one->endpoint().ToString(), two->endpoint().ToString()}),
                                                 Pool("b", {three->endpoint().ToString()})}));
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(absl::StrCat("datagram ", i));
  std::vector<record::Datagram> datagrams;
  for (const std::string& text : texts) datagrams.push_back(From("198.51.100.1", text));
  replicator->Replicate(datagrams);
  for (UdpListener* listener : {one.get(), two.get(), three.get()}) {
    const std::vector<Received> received = TakeAll(listener);
    ASSERT_EQ(received.size(), 100u);
    for (size_t i = 0; i < 100; ++i) EXPECT_EQ(received[i].octets, texts[i]);
  }
  EXPECT_EQ(replicator->counters().datagrams, 100u);
  EXPECT_EQ(replicator->counters().unmatched, 0u);
  const std::vector<ReplicaReport> report = replicator->Report();
  ASSERT_EQ(report.size(), 3u);
  EXPECT_EQ(report[1].pool, "a");
  EXPECT_EQ(report[1].receiver, two->endpoint().ToString());
  for (const ReplicaReport& receiver : report) {
    EXPECT_EQ(receiver.counters.sent, 100u);
    EXPECT_EQ(receiver.counters.octets, 10u * 10 + 90 * 11);
    EXPECT_EQ(receiver.counters.dropped + receiver.counters.errors, 0u);
  }
}

TEST(ReplicatorTest, ByTurns) {
  const auto one = NewListener(), two = NewListener(), three = NewListener();
  const auto replicator = NewReplicator(
      Options({Pool("a", {one->endpoint().ToString(), two->endpoint().ToString(), three->endpoint().ToString()},
                    ReplicaBalance::kRoundRobin)}));
  for (int i = 0; i < 10; ++i) replicator->Replicate({From("198.51.100.1", "x"), From("198.51.100.1", "y")});
  EXPECT_EQ(TakeAll(one.get()).size(), 7u);
  EXPECT_EQ(TakeAll(two.get()).size(), 7u);
  EXPECT_EQ(TakeAll(three.get()).size(), 6u);
}

TEST(ReplicatorTest, ByExporter) {
  std::vector<std::unique_ptr<UdpListener>> listeners;
  std::vector<std::string> addresses;
  for (int i = 0; i < 4; ++i) {
    listeners.push_back(NewListener());
    addresses.push_back(listeners.back()->endpoint().ToString());
  }
  const auto exporters_of = [&](Replicator* replicator) {
    std::map<std::string, std::string> receiver_of;  // by exporter, who is told in the payload
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 120; ++i) {
        const std::string exporter = absl::StrCat(i % 2 == 0 ? "198.51.100." : "2001:db8::", i);
        replicator->Replicate({From(exporter.c_str(), exporter)});
      }
    }
    for (const auto& listener : listeners) {
      for (const Received& received : TakeAll(listener.get())) {
        std::string& receiver = receiver_of[received.octets];
        if (receiver.empty()) receiver = listener->endpoint().ToString();
        EXPECT_EQ(receiver, listener->endpoint().ToString()) << received.octets;
      }
    }
    EXPECT_EQ(receiver_of.size(), 120u);
    return receiver_of;
  };
  const auto replicator = NewReplicator(Options({Pool("a", addresses, ReplicaBalance::kExporter)}));
  const auto before = exporters_of(replicator.get());
  std::map<std::string, int> counts;
  for (const auto& [exporter, receiver] : before) ++counts[receiver];
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [receiver, count] : counts) EXPECT_GT(count, 10) << receiver;
  // One leaves: only its exporters move.
  ASSERT_TRUE(
      replicator
          ->SetOptions(Options({Pool("a", {addresses[3], addresses[0], addresses[2]}, ReplicaBalance::kExporter)}))
          .ok());
  const auto after = exporters_of(replicator.get());
  for (const auto& [exporter, receiver] : before) {
    if (receiver != addresses[1]) {
      EXPECT_EQ(after.at(exporter), receiver) << exporter;
    }
  }
}

TEST(ReplicatorTest, Filters) {
  const auto one = NewListener(), two = NewListener();
  ReplicaPool of_some = Pool("some", {one->endpoint().ToString()});
  of_some.exporters = {*base::IpPrefix::Parse("198.51.100.0/24"), *base::IpPrefix::Parse("2001:db8::/32")};
  ReplicaPool v9 = Pool("v9", {two->endpoint().ToString()});
  v9.protocols = {ExportProtocol::kNetflow9, ExportProtocol::kSflow5};
  const auto replicator = NewReplicator(Options({of_some, v9}));
  const std::string netflow9("\0\x9 etc.", 7), ipfix("\0\xa etc.", 7), sflow5("\0\0\0\5\0\0\0\1 etc.", 13);
  record::Datagram stream = From("198.51.100.1", ipfix);
  stream.transport = record::Transport::kTcp;
  replicator->Replicate({From("198.51.100.1", netflow9), From("198.51.101.1", netflow9), From("2001:db8::1", ipfix),
                         From("192.0.2.1", ipfix), From("192.0.2.1", sflow5), stream});
  EXPECT_EQ(TakeAll(one.get()).size(), 2u);
  EXPECT_EQ(TakeAll(two.get()).size(), 3u);
  EXPECT_EQ(replicator->counters().datagrams, 6u);
  EXPECT_EQ(replicator->counters().unmatched, 1u);
  EXPECT_EQ(replicator->counters().not_udp, 1u);
}

TEST(ReplicatorTest, ReceiversThatStayKeepTheirCounters) {
  const auto one = NewListener(), two = NewListener(), three = NewListener();
  const std::string a = one->endpoint().ToString(), b = two->endpoint().ToString(), c = three->endpoint().ToString();
  const auto replicator = NewReplicator(Options({Pool("p", {a, b})}));
  replicator->Replicate({From("198.51.100.1", "x")});
  ASSERT_TRUE(replicator->SetOptions(Options({Pool("p", {b, c})})).ok());
  replicator->Replicate({From("198.51.100.1", "y")});
  std::vector<ReplicaReport> report = replicator->Report();
  ASSERT_EQ(report.size(), 2u);
  EXPECT_EQ(report[0].counters.sent, 2u);
  EXPECT_EQ(report[1].counters.sent, 1u);
  const std::vector<Received> received = TakeAll(two.get());
  ASSERT_EQ(received.size(), 2u);
  EXPECT_EQ(received[0].source_port, received[1].source_port);  // the same socket
  // What cannot be changes nothing.
  EXPECT_FALSE(replicator->SetOptions(Options({Pool("p", {b, "udp://nowhere:2055"})})).ok());
  replicator->Replicate({From("198.51.100.1", "z")});
  EXPECT_EQ(replicator->Report()[0].counters.sent, 3u);
  EXPECT_EQ(replicator->counters().datagrams, 3u);
}

TEST(ReplicatorTest, AReceiverThatIsNotThereHoldsUpNobody) {
  std::string gone;
  { gone = NewListener()->endpoint().ToString(); }
  const auto there = NewListener();
  const auto replicator = NewReplicator(Options({Pool("p", {gone, there->endpoint().ToString()})}));
  for (int i = 0; i < 10; ++i) replicator->Replicate({From("198.51.100.1", "x"), From("198.51.100.1", "y")});
  EXPECT_EQ(TakeAll(there.get()).size(), 20u);
  const ReplicaCounters counters = replicator->Report()[0].counters;
  EXPECT_EQ(counters.sent + counters.dropped + counters.errors, 20u);
  EXPECT_GE(counters.refused, 9u);
}

TEST(ReplicatorTest, RefusesWhatCannotBe) {
  const auto own = NewListener("udp://0.0.0.0:0");
  const std::string own_port = absl::StrCat(own->endpoint().port);
  ReplicaPool keeps = Pool("k", {"udp://192.0.2.9:1"});
  keeps.keep_source = true;
  keeps.from = "udp://192.0.2.1:0";
  struct {
    std::vector<ReplicaPool> pools;
    std::string says;
  } const cases[] = {
      {{Pool("p", {})}, "pool 'p': it has no receivers"},
      {{Pool("p", {"udp://192.0.2.9:1"}), Pool("p", {"udp://192.0.2.9:2"})}, "pool 'p': there are two of this name"},
      {{Pool("p", {"udp://192.0.2.9:1", "udp://192.0.2.9:1"})},
       "pool 'p': receivers: udp://192.0.2.9:1 is there twice"},
      {{Pool("p", {"tcp://192.0.2.9:1"})}, "pool 'p': receivers: 'tcp://192.0.2.9:1' has the transport 'tcp'"},
      {{Pool("p", {"udp://0.0.0.0:1"})}, "pool 'p': receivers: to: udp://0.0.0.0:1 is no address that can be sent to"},
      {{keeps}, "pool 'k': receivers: from: udp://192.0.2.1:0 is given, and the source is to be kept"},
      {{Pool("p", {absl::StrCat("udp://127.0.0.1:", own_port)})},
       absl::StrCat("pool 'p': receivers: udp://127.0.0.1:", own_port,
                    " is where this collector listens (udp://0.0.0.0:", own_port,
                    "): its datagrams would go round for ever")},
      {{Pool("p", {absl::StrCat("udp://127.8.9.10:", own_port)})}, "would go round for ever"},
  };
  for (const auto& c : cases) {
    ReplicatorOptions options = Options(c.pools);
    options.own_addresses = {own->endpoint().ToString()};
    const auto replicator = Replicator::New(options);
    ASSERT_FALSE(replicator.ok()) << c.says;
    EXPECT_TRUE(absl::StrContains(replicator.status().message(), c.says)) << replicator.status();
  }
  // The same port elsewhere, and another port here, are fine.
  ReplicatorOptions options = Options({Pool(
      "p", {absl::StrCat("udp://192.0.2.9:", own_port), "udp://127.0.0.1:1", absl::StrCat("udp://[::1]:", own_port)})});
  options.own_addresses = {own->endpoint().ToString()};
  const absl::Status status = Replicator::New(options).status();
  EXPECT_TRUE(status.ok()) << status;
  options.max_receivers = 2;
  EXPECT_TRUE(absl::StrContains(Replicator::New(options).status().message(), "more receivers than max_receivers (2)"));
}

TEST(ReplicatorTest, KeepsTheSource) {
  const std::string reason = InNetworkNamespace([] {
    ASSERT_TRUE(RunCommand("ip address add 192.0.2.9/32 dev lo && ip -6 address add 2001:db8:9::9/128 dev lo nodad"));
    struct {
      const char* listen;
      const char* exporter;
      const char* stranger;
    } const cases[] = {{"udp://192.0.2.9:0", "198.51.100.7", "2001:db8::7"},
                       {"udp://[2001:db8:9::9]:0", "2001:db8:5::7", "198.51.100.7"}};
    for (const auto& c : cases) {
      const auto listener = NewListener(c.listen);
      ASSERT_NE(listener, nullptr);
      ReplicaPool pool = Pool("p", {listener->endpoint().ToString()});
      pool.keep_source = true;
      const auto replicator = NewReplicator(Options({pool}));
      ASSERT_NE(replicator, nullptr);
      const std::string small(1400, 's'), large(65000, 'l');
      replicator->Replicate(
          {From(c.exporter, small), From(c.stranger, small), From(c.exporter, large), From(c.exporter, "")});
      const std::vector<Received> received = TakeAll(listener.get());
      ASSERT_EQ(received.size(), 3u) << c.listen;
      EXPECT_EQ(received[0].octets, small);
      EXPECT_TRUE(received[1].octets == large);
      EXPECT_EQ(received[2].octets, "");
      for (const Received& datagram : received) {
        EXPECT_EQ(datagram.source, c.exporter);
        EXPECT_EQ(datagram.source_port, 50000);
      }
      const ReplicaCounters counters = replicator->Report()[0].counters;
      EXPECT_EQ(counters.sent, 3u);
      EXPECT_EQ(counters.octets, 66400u);
      EXPECT_EQ(counters.errors, 1u);
      EXPECT_EQ(counters.last_error, "the exporter's address is of another family than the receiver's");
      // A narrower path: what was one packet is fragments now, and arrives all the same.
      ASSERT_TRUE(RunCommand("ip link set lo mtu 1300"));
      std::vector<record::Datagram> many(100, From(c.exporter, small));
      replicator->Replicate(many);
      EXPECT_EQ(TakeAll(listener.get()).size(), 100u);
      EXPECT_EQ(replicator->Report()[0].counters.sent, 103u);
      ASSERT_TRUE(RunCommand("ip link set lo mtu 65536"));
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST(ReplicatorTest, KeepingTheSourceNeedsARight) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become a user without rights";
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string text = "setuid failed";
    if (setgid(65534) == 0 && setuid(65534) == 0) {
      ReplicaPool pool = Pool("p", {"udp://127.0.0.1:2055"});
      pool.keep_source = true;
      text = Replicator::New(Options({pool})).status().ToString();
    }
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  char text[512] = {};
  ASSERT_GT(read(ends[0], text, sizeof(text) - 1), 0);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  EXPECT_STREQ(
      text,
      "PERMISSION_DENIED: pool 'p': receivers: udp://127.0.0.1:2055: keeping the source's address needs root or "
      "CAP_NET_RAW; without it, datagrams can be sent from our own");
}

TEST(ReplicatorTest, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const auto one = NewListener(), two = NewListener();
  const auto replicator = NewReplicator(Options({Pool("a", {one->endpoint().ToString(), two->endpoint().ToString()}),
                                                 Pool("b", {two->endpoint().ToString()}, ReplicaBalance::kExporter)}));
  const std::vector<record::Datagram> datagrams(64, From("198.51.100.1", "datagram"));
  replicator->Replicate(datagrams);
  testing::AllocationCounter counter;
  for (int i = 0; i < 10; ++i) replicator->Replicate(datagrams);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::collector
