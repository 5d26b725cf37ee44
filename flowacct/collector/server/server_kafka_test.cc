// Collectors that read exports and records from topics: exact totals over restarts, kills, a cluster that is away, and
// members that come. Against librdkafka's mock of a cluster in another process.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/kafka/datagram_publisher.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/open_flows.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/query/group_store.h"
#include "flowacct/record/datagram.h"
#include "flowacct/sink/kafka/kafka_sink.h"
#include "flowacct/sink/kafka/testing/mock_cluster.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr int kKills = 4;
constexpr absl::Duration kPatience = absl::Seconds(30);

struct Sums {
  uint64_t bytes = 0, flows = 0;
  friend bool operator==(const Sums& a, const Sums& b) { return a.bytes == b.bytes && a.flows == b.flows; }
  friend std::ostream& operator<<(std::ostream& out, const Sums& sums) {
    return out << sums.bytes << " octets, " << sums.flows << " flows";
  }
};

class ServerKafkaTest : public ServerTest {
 protected:
  static void SetUpTestSuite() { cluster_ = sink::kafka::MockCluster::Start().release(); }
  static void TearDownTestSuite() { delete cluster_; }

  void SetUp() override {
    ASSERT_FALSE(cluster_->brokers().empty());
    topic_ = cluster_->NewTopic();
    folder_ = testing::TempDir() + "kafkaXXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    WorkloadOptions options;
    options.kind = WorkloadKind::kNetFlow5;
    options.records = 6000;
    auto made = DatagramsOfWorkload(options);
    ASSERT_TRUE(made.ok()) << made.status();
    datagrams_ = *std::move(made);
  }

  static void Order(const std::string& line) { cluster_->Order(line); }

  // The mock lets the first member of a group wait for three seconds.
  std::string Input(absl::string_view more = "") const {
    return absl::StrCat("input { name: \"in\" kafka { brokers: \"", cluster_->brokers(), "\" topic: \"", topic_,
                        "\" group: \"g-", topic_, "\" session_timeout: \"6s\" ", more, " } }\n");
  }
  std::string Config(absl::string_view state, absl::string_view more = "") const {
    return absl::StrCat("name: \"k\"\n", Input(more),
                        "pipeline { name: \"p\" by: \"src_addr\" every: \"1h\" time_field: \"arrival_time\" sink { "
                        "memory {} } }\nstate { directory: \"",
                        folder_, "/", state, "\" checkpoint: \"1h\" }\n");
  }

  // NetFlow v5 tells its sums at fixed places.
  Sums SumsOf(size_t from, size_t to) const {
    Sums sums;
    for (size_t i = from; i < to; ++i) {
      const std::string& datagram = datagrams_[i % datagrams_.size()];
      const auto* const octets = reinterpret_cast<const uint8_t*>(datagram.data());
      const uint16_t records = base::LoadBe16(octets + 2);
      sums.flows += records;
      for (uint16_t r = 0; r < records; ++r) sums.bytes += base::LoadBe32(octets + 24 + 48 * r + 20);
    }
    return sums;
  }

  // Datagrams [from, to), of ten exporters.
  bool PublishTo(DatagramPublisher* publisher, size_t from, size_t to) const {
    for (size_t i = from; i < to; ++i) {
      record::Datagram datagram;
      datagram.octets = base::AsOctets(datagrams_[i % datagrams_.size()]);
      datagram.source = base::IpAddress::V4(0xc0000201 + static_cast<uint32_t>(i % 10));
      datagram.source_port = 2055;
      datagram.arrival_nanos = absl::GetCurrentTimeNanos();
      // Their bins are closed by now: what is of them is a correction.
      if (i % 5 == 4) datagram.arrival_nanos -= 10000000000;
      publisher->Publish({&datagram, 1});
    }
    return publisher->counters().dropped + publisher->counters().lost == 0;
  }
  std::unique_ptr<DatagramPublisher> NewPublisher() const {
    DatagramPublisherOptions options;
    options.connection.brokers = cluster_->brokers();
    options.topic = topic_;
    auto publisher = DatagramPublisher::New(options);
    EXPECT_TRUE(publisher.ok()) << publisher.status();
    return *std::move(publisher);
  }
  void Publish(size_t from, size_t to) const {
    auto publisher = NewPublisher();
    EXPECT_TRUE(PublishTo(publisher.get(), from, to));
    EXPECT_TRUE(publisher->Close(absl::Seconds(10)));
    EXPECT_EQ(publisher->counters().acknowledged, to - from);
  }

  // And that it stays so.
  static void ExpectAccounted(Server& server, uint64_t flows) {
    for (const absl::Time end = absl::Now() + kPatience; OpenFlows(server) < flows && absl::Now() < end;) {
      absl::SleepFor(absl::Milliseconds(20));
    }
    absl::SleepFor(absl::Milliseconds(300));
    EXPECT_EQ(OpenFlows(server), flows);
  }
  template <typename Condition>
  static bool Await(Condition condition) {
    for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;) {
      if (condition()) return true;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return false;
  }
  bool HasLogged(absl::string_view text) {
    base::MutexLock lock(&mutex_);
    for (const std::string& line : log_) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

  static void Say(absl::string_view what) {
    const std::string line = absl::StrCat(what, "\n");
    (void)!write(STDERR_FILENO, line.data(), line.size());
  }
  std::string StoreConfig() const {
    return absl::StrCat(
        "name: \"k\" workers: 2\n", Input(), "state { directory: \"", folder_, "/state\" checkpoint: \"1s\" }\n",
        "pipeline { name: \"arrived\" by: \"src_addr/16\" every: \"1s\" lateness: \"1s\" time_field: "
        "\"arrival_time\"\n",
        "  sink { sqlite { path: \"", folder_, "/arrived.db\" } spool { folder: \"", folder_, "/spool\" } } }\n",
        "pipeline { name: \"slower\" by: \"src_addr/16\" every: \"2s\" lateness: \"1s\" time_field: \"arrival_time\"\n",
        "  sink { sqlite { path: \"", folder_, "/slower.db\" } } }\n");
  }
  pid_t StartCollector() {
    const pid_t child = fork();
    if (child != 0) return child;
    static volatile sig_atomic_t end = 0;
    signal(SIGTERM, [](int) { end = 1; });
    ServerOptions options;
    options.log = Say;
    options.note = Say;
    auto server = Server::New(Parse(StoreConfig()), std::move(options));
    const absl::Status started = server.ok() ? (*server)->Start() : server.status();
    if (!started.ok()) {
      Say(started.ToString());
      _exit(2);
    }
    while (end == 0) usleep(20000);
    const absl::Status stopped = (*server)->Stop(absl::Seconds(10));
    if (stopped.ok()) _exit(0);
    Say(stopped.ToString());
    _exit(3);
  }
  // Publishes until it is told to end; writes how many into the pipe then.
  pid_t StartPublisher(int out) {
    const pid_t child = fork();
    if (child != 0) return child;
    static volatile sig_atomic_t end = 0;
    signal(SIGTERM, [](int) { end = 1; });
    auto publisher = NewPublisher();
    uint64_t number = 0;
    bool ok = true;
    while (end == 0) {
      ok &= PublishTo(publisher.get(), number, number + 1);
      ++number;
      // The mock keeps 5 MiB of a partition: a collector that is being restarted must not be that far behind.
      usleep(10000);
    }
    ok &= publisher->Close(absl::Seconds(20)) && publisher->counters().acknowledged == number;
    if (write(out, &number, sizeof(number)) != sizeof(number)) ok = false;
    _exit(ok ? 0 : 4);
  }
  Sums Stored(const std::string& table) const {
    Sums sums;
    auto store = sink::sqlite::OpenSqliteStore(absl::StrCat(folder_, "/", table, ".db"));
    if (!store.ok()) return sums;
    query::GroupRequest request;
    request.table = table;
    request.values = {1, 2};  // of packets, bytes, flows
    (void)(*store)->Sum(request, [&](const query::GroupRow& row) {
      sums.bytes += static_cast<uint64_t>(row.values[0]);
      sums.flows += static_cast<uint64_t>(row.values[1]);
      return true;
    });
    return sums;
  }

  static sink::kafka::MockCluster* cluster_;
  std::string topic_;
  std::string folder_;
  std::vector<std::string> datagrams_;
};
sink::kafka::MockCluster* ServerKafkaTest::cluster_ = nullptr;

// The first test: whoever forks has no threads yet.
TEST_F(ServerKafkaTest, EachDatagramCountsOnceThoughTheCollectorIsKilled) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t publisher = StartPublisher(pipes[1]);
  ASSERT_GT(publisher, 0);
  pid_t collector = StartCollector();
  ASSERT_GT(collector, 0);
  std::mt19937 random(std::random_device{}());
  int status = 0;
  for (int i = 0; i < kKills; ++i) {
    const uint64_t before = Stored("arrived").flows;
    EXPECT_TRUE(Await([&] { return Stored("arrived").flows > before; }));
    // Soon, while it gives to the store again what the one before had closed; or when it has read on from there.
    absl::SleepFor(absl::Milliseconds((i % 2 == 0 ? 0 : 7000) + static_cast<int64_t>(random() % 2500)));
    ASSERT_EQ(kill(collector, SIGKILL), 0);
    ASSERT_EQ(waitpid(collector, &status, 0), collector);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
    collector = StartCollector();
  }
  ASSERT_EQ(kill(publisher, SIGTERM), 0);
  ASSERT_EQ(waitpid(publisher, &status, 0), publisher);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  uint64_t published = 0;
  ASSERT_EQ(read(pipes[0], &published, sizeof(published)), static_cast<ssize_t>(sizeof(published)));
  const Sums expected = SumsOf(0, published);
  EXPECT_TRUE(
      Await([&] { return Stored("arrived").flows >= expected.flows && Stored("slower").flows >= expected.flows; }));
  absl::SleepFor(absl::Seconds(3));
  ASSERT_EQ(kill(collector, SIGTERM), 0);
  ASSERT_EQ(waitpid(collector, &status, 0), collector);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(Stored("arrived"), expected);
  EXPECT_EQ(Stored("slower"), expected);
}

TEST_F(ServerKafkaTest, GoesOnWhereItStopped) {
  const Sums first = SumsOf(0, 100), all = SumsOf(0, 200);
  Publish(0, 100);
  {
    auto server = StartServer(Config("state"));
    ExpectAccounted(*server, first.flows);
    const CollectorStatus status = server->Status();
    ExpectIdentity(status);
    EXPECT_EQ(status.inputs[0].kind, "kafka");
    EXPECT_EQ(status.inputs[0].listen, absl::StrCat(topic_, "@", cluster_->brokers()));
    EXPECT_EQ(status.inputs[0].received, 100u);
    EXPECT_EQ(status.inputs[0].kafka_partitions_taken, 4u);
    EXPECT_TRUE(status.ready) << status.not_ready;
    // What is of Kafka stays as it is; the rest may change.
    const absl::Status refused = server->Reload(Parse(Config("state", "member: \"x\"")));
    EXPECT_TRUE(absl::StrContains(refused.message(), "those of kind kafka cannot change")) << refused;
    EXPECT_TRUE(server->Reload(Parse(Config("state"))).ok());
    ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
    EXPECT_GT(server->Status().inputs[0].kafka_commits, 0u);
  }
  Publish(100, 200);
  auto server = StartServer(Config("state"));
  EXPECT_TRUE(absl::StrContains(absl::StrJoin(server->Status().notes, "\n"), "groups of open bins restored"));
  EXPECT_FALSE(absl::StrContains(absl::StrJoin(server->Status().notes, "\n"), "did not end by itself"));
  ExpectAccounted(*server, all.flows);
  EXPECT_EQ(server->Status().inputs[0].received, 100u);
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

// What a group committed is of no use to a folder that knows better, and the other way round.
TEST_F(ServerKafkaTest, AFolderThatIsGoneLeavesTheGroupsOffsets) {
  Publish(0, 100);
  {
    auto server = StartServer(Config("state"));
    ExpectAccounted(*server, SumsOf(0, 100).flows);
    ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
  }
  Publish(100, 150);
  auto server = StartServer(Config("another"));
  ExpectAccounted(*server, SumsOf(100, 150).flows);
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

TEST_F(ServerKafkaTest, AClusterIsAwayAndComesBack) {
  Publish(0, 50);
  auto server = StartServer(Config("state"));
  ExpectAccounted(*server, SumsOf(0, 50).flows);
  Order("down");
  EXPECT_TRUE(Await([&] { return !server->Status().inputs[0].up; }));
  const CollectorStatus away = server->Status();
  EXPECT_FALSE(away.ready);
  EXPECT_TRUE(absl::StrContains(away.inputs[0].trouble, "kafka: reading: ")) << away.inputs[0].trouble;
  EXPECT_TRUE(Await([&] { return HasLogged("input in: kafka: reading: "); }));
  Order("up");
  Publish(50, 200);
  ExpectAccounted(*server, SumsOf(0, 200).flows);
  EXPECT_TRUE(Await([&] { return server->Status().inputs[0].up; })) << server->Status().inputs[0].trouble;
  EXPECT_TRUE(Await([&] { return HasLogged("input in: kafka: it is read again"); }));
  ExpectIdentity(server->Status());
  // An end without a cluster needs none.
  Order("down");
  EXPECT_TRUE(server->Stop(absl::Seconds(10)).ok());
  server.reset();
  Order("up");
  server = StartServer(Config("state"));
  Publish(200, 220);
  ExpectAccounted(*server, SumsOf(0, 220).flows);
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

// The mock takes no commits while a group changes, so all is committed before.
TEST_F(ServerKafkaTest, AnotherCollectorOfTheGroupHasItsShare) {
  Publish(0, 100);
  auto first = StartServer(Config("one"));
  ExpectAccounted(*first, SumsOf(0, 100).flows);
  ASSERT_TRUE(first->Reload(Parse(Config("one"))).ok());  // a checkpoint
  EXPECT_TRUE(Await([&] { return first->Status().inputs[0].kafka_commits > 0; }));
  auto second = StartServer(Config("two"));
  EXPECT_TRUE(Await([&] { return second->Status().inputs[0].kafka_partitions_taken > 0; }));
  EXPECT_GE(first->Status().inputs[0].kafka_partitions_given, 4u);
  EXPECT_EQ(first->Status().inputs[0].kafka_partitions_lost, 0u);
  Publish(100, 200);
  const uint64_t all = SumsOf(0, 200).flows;
  EXPECT_TRUE(Await([&] { return OpenFlows(*first) + OpenFlows(*second) >= all; }));
  absl::SleepFor(absl::Milliseconds(500));
  EXPECT_EQ(OpenFlows(*first) + OpenFlows(*second), all);
  EXPECT_GT(OpenFlows(*first), SumsOf(0, 100).flows);
  EXPECT_GT(OpenFlows(*second), 0u);
  ASSERT_TRUE(second->Stop(absl::Seconds(10)).ok());
  ASSERT_TRUE(first->Stop(absl::Seconds(10)).ok());
}

TEST_F(ServerKafkaTest, RecordsOfAnotherCollectorCountOnce) {
  sink::kafka::KafkaOptions written;
  written.connection.brokers = cluster_->brokers();
  written.message.address = topic_;
  written.message.records_per_message = 7;
  auto sink = sink::kafka::NewKafkaSink(written);
  ASSERT_TRUE(sink.ok()) << sink.status();
  const sink::queue::NumberedBatch batch(1, 100);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE((*sink)->Write(batch.batch()).ok());
  std::string config = Config("state", "payload: RECORDS");
  auto server = StartServer(config);
  EXPECT_TRUE(Await([&] { return server->Status().inputs[0].received == 2 * 15; }));
  const CollectorStatus status = server->Status();
  EXPECT_EQ(status.inputs[0].records, 100u);
  EXPECT_EQ(status.inputs[0].kafka_repeated, 15u);
  EXPECT_EQ(status.inputs[0].decoded[base::DecodeCode::kOk], 15u);
  EXPECT_EQ(status.inputs[0].decoded.errors(), 0u);
  EXPECT_EQ(status.pipelines[0].records_aggregated, 100u);
  // Bytes are their numbers.
  EXPECT_EQ(status.pipelines[0].bytes, 100u * 1000 + 99 * 100 / 2);
  ExpectIdentity(status);
  ASSERT_TRUE(server->Stop(absl::Seconds(10)).ok());
}

}  // namespace
}  // namespace flowacct::collector
