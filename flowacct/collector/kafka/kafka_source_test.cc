// Against librdkafka's mock of a cluster in a process of its own.

#include "flowacct/collector/kafka/kafka_source.h"

#include <poll.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/kafka/datagram_publisher.h"
#include "flowacct/collector/kafka/record_messages.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/kafka/kafka_sink.h"
#include "flowacct/sink/kafka/testing/mock_cluster.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::IpAddress;
using record::Datagram;
using record::FieldId;
using sink::queue::NumberedBatch;

class Kafka : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = sink::kafka::MockCluster::Start().release(); }
  static void TearDownTestSuite() { delete cluster_; }
  void SetUp() override {
    ASSERT_FALSE(cluster_->brokers().empty());
    topic_ = cluster_->NewTopic();
  }
  static void Order(const std::string& line) { cluster_->Order(line); }

  KafkaSourceOptions Options() const {
    KafkaSourceOptions options;
    options.connection.brokers = cluster_->brokers();
    options.connection.timeout = absl::Seconds(5);
    options.topics = {topic_};
    options.group = absl::StrCat("group-", topic_);
    // The mock lets the first member of a group wait for three seconds.
    options.session_timeout = absl::Seconds(6);
    return options;
  }
  static std::unique_ptr<KafkaSource> Open(KafkaSourceOptions options) {
    auto source = KafkaSource::New(std::move(options));
    EXPECT_TRUE(source.ok()) << source.status();
    return source.ok() ? *std::move(source) : nullptr;
  }

  // Datagrams [from, to) of ten exporters; their octets are their numbers.
  void Publish(int from, int to) {
    DatagramPublisherOptions options;
    options.connection.brokers = cluster_->brokers();
    options.topic = topic_;
    auto publisher = DatagramPublisher::New(options);
    ASSERT_TRUE(publisher.ok()) << publisher.status();
    for (int i = from; i < to; ++i) {
      const std::string octets = absl::StrCat(i);
      Datagram datagram;
      datagram.octets = base::AsOctets(octets);
      datagram.source = i % 2 == 0 ? IpAddress::V4(0xc0000200 + static_cast<uint32_t>(i % 10))
                                   : *IpAddress::Parse(absl::StrCat("2001:db8::", i % 10));
      datagram.source_port = static_cast<uint16_t>(2000 + i % 10);
      datagram.arrival_nanos = 1700000000123456789 + i;
      (*publisher)->Publish({&datagram, 1});
    }
    EXPECT_TRUE((*publisher)->Close(absl::Seconds(10)));
    EXPECT_EQ((*publisher)->counters().acknowledged, static_cast<uint64_t>(to - from));
  }

  // Polls until `enough` or nothing came for so long.
  template <typename Tell, typename Enough>
  static void PollUntil(KafkaSource* source, Tell tell, Enough enough, absl::Duration patience = absl::Seconds(15)) {
    for (const absl::Time end = absl::Now() + patience; !enough() && absl::Now() < end;) {
      pollfd wait = {source->descriptor(), POLLIN, 0};
      poll(&wait, 1, 100);
      tell(source->Poll());
    }
  }
  static std::vector<int> Numbers(KafkaSource* source, size_t least, absl::Duration patience = absl::Seconds(15)) {
    std::vector<int> numbers;
    PollUntil(
        source,
        [&](const KafkaReading& reading) {
          for (const Datagram& datagram : reading.datagrams) numbers.push_back(NumberOf(datagram));
        },
        [&] { return numbers.size() >= least; }, patience);
    return numbers;
  }
  static int NumberOf(const Datagram& datagram) {
    return atoi(std::string(reinterpret_cast<const char*>(datagram.octets.data()), datagram.octets.size()).c_str());
  }

  static sink::kafka::MockCluster* cluster_;
  std::string topic_;
};
sink::kafka::MockCluster* Kafka::cluster_ = nullptr;

TEST_F(Kafka, DatagramsComeAsTheyWere) {
  Publish(0, 1000);
  auto source = Open(Options());
  std::set<int> seen;
  std::map<std::string, int> last;
  PollUntil(
      source.get(),
      [&](const KafkaReading& reading) {
        EXPECT_LE(reading.datagrams.size(), 1024u);
        for (const Datagram& datagram : reading.datagrams) {
          const int number = NumberOf(datagram);
          EXPECT_TRUE(seen.insert(number).second);
          EXPECT_EQ(datagram.source_port, 2000 + number % 10);
          EXPECT_EQ(datagram.source.IsV4(), number % 2 == 0);
          EXPECT_EQ(datagram.arrival_nanos, 1700000000123456789 + number);
          // An exporter's in their order.
          const auto [before, is_new] = last.try_emplace(datagram.source.ToString(), number);
          EXPECT_TRUE(is_new || before->second < number);
          before->second = number;
        }
      },
      [&] { return seen.size() == 1000; });
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(last.size(), 10u);
  EXPECT_EQ(source->counters().told, 1000u);
  EXPECT_EQ(source->counters().partitions_taken, 4u);
  EXPECT_EQ(source->trouble(), "");
}

TEST_F(Kafka, GoesOnWhereItCommitted) {
  Publish(0, 100);
  {
    auto source = Open(Options());
    EXPECT_EQ(Numbers(source.get(), 100).size(), 100u);
    EXPECT_TRUE(source->CommitAndWait(source->position(), absl::Seconds(5)).ok());
    Publish(100, 200);
    // Read, and not committed.
    EXPECT_EQ(Numbers(source.get(), 100).size(), 100u);
  }
  auto source = Open(Options());
  const std::vector<int> again = Numbers(source.get(), 100);
  EXPECT_EQ(std::set<int>(again.begin(), again.end()).size(), 100u);
  for (const int number : again) EXPECT_GE(number, 100);
  source->Commit(source->position());
  for (int i = 0; i < 100 && source->counters().commits == 0; ++i)
    (void)Numbers(source.get(), 1, absl::Milliseconds(20));
  EXPECT_EQ(source->counters().commits, 1u);
}

// The checkpoint is further than what was committed, or not as far.
TEST_F(Kafka, GoesOnFromACheckpoint) {
  Publish(0, 100);
  KafkaPosition after_hundred, after_all;
  {
    auto source = Open(Options());
    EXPECT_EQ(Numbers(source.get(), 100).size(), 100u);
    after_hundred = source->position();
    EXPECT_TRUE(source->CommitAndWait(after_hundred, absl::Seconds(5)).ok());
    Publish(100, 200);
    EXPECT_EQ(Numbers(source.get(), 100).size(), 100u);
    after_all = source->position();
  }
  Publish(200, 300);
  KafkaSourceOptions options = Options();
  options.from = after_all;
  {
    auto source = Open(options);
    const std::vector<int> numbers = Numbers(source.get(), 100);
    EXPECT_EQ(numbers.size(), 100u);
    for (const int number : numbers) EXPECT_GE(number, 200);
    EXPECT_TRUE(source->CommitAndWait(source->position(), absl::Seconds(5)).ok());
  }
  Publish(300, 400);
  options.from = after_hundred;
  auto source = Open(options);
  const std::vector<int> numbers = Numbers(source.get(), 100);
  EXPECT_EQ(numbers.size(), 100u);
  for (const int number : numbers) EXPECT_GE(number, 300);
}

// Two members, the second of which comes later: nothing is lost, and nothing comes twice of what the first committed.
// It is asked before partitions go; a real cluster takes a commit then, the mock does not, so it commits before.
TEST_F(Kafka, MembersShareATopic) {
  Publish(0, 500);
  KafkaSourceOptions options = Options();
  std::vector<KafkaPosition> given;
  options.on_revoke = [&](KafkaSource*, const KafkaPosition& going) { given.push_back(going); };
  std::multiset<int> seen;
  auto first = Open(options);
  const std::vector<int> numbers = Numbers(first.get(), 500);
  seen.insert(numbers.begin(), numbers.end());
  const KafkaPosition read = first->position();
  EXPECT_TRUE(first->CommitAndWait(read, absl::Seconds(5)).ok());
  auto second = Open(options);
  size_t of_second = 0;
  const auto both = [&] {
    for (KafkaSource* source : {first.get(), second.get()}) {
      const std::vector<int> more = Numbers(source, 1, absl::Milliseconds(50));
      seen.insert(more.begin(), more.end());
      if (source == second.get()) of_second += more.size();
    }
  };
  for (const absl::Time end = absl::Now() + absl::Seconds(20);
       second->counters().partitions_taken == 0 && absl::Now() < end;)
    both();
  EXPECT_GT(second->counters().partitions_taken, 0u);
  // The group takes all that was held, and may then move partitions once more.
  ASSERT_FALSE(given.empty());
  EXPECT_EQ(given.front(), read);
  EXPECT_GE(first->counters().partitions_given, 4u);
  EXPECT_EQ(seen.size(), 500u);
  Publish(500, 1000);
  for (const absl::Time end = absl::Now() + absl::Seconds(20); seen.size() < 1000 && absl::Now() < end;) both();
  both();
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 1000u);
  EXPECT_GT(of_second, 0u);
  EXPECT_LT(of_second, 500u);
}

// Another collector's sink, which wrote a batch twice.
TEST_F(Kafka, RecordsCountOnce) {
  sink::kafka::KafkaOptions written;
  written.connection.brokers = cluster_->brokers();
  written.message.address = topic_;
  for (const size_t records : {1, 7}) {
    written.message.records_per_message = records;
    auto sink = sink::kafka::NewKafkaSink(written);
    ASSERT_TRUE(sink.ok()) << sink.status();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE((*sink)->Write(NumberedBatch(records, 100).batch()).ok());
  }
  KafkaSourceOptions options = Options();
  options.payload = KafkaSourceOptions::Payload::kRecords;
  auto source = Open(options);
  record::Layout layout({FieldId::kDstPort, FieldId::kBytes});
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner);
  RecordMessages decoder;
  PollUntil(
      source.get(),
      [&](const KafkaReading& reading) {
        for (const KafkaRecords& records : reading.records) {
          EXPECT_EQ(records.topic, topic_);
          EXPECT_TRUE(decoder.Decode(records.octets, &rows).ok());
        }
      },
      [&] { return source->counters().messages == 2 * (100 + 15); });
  EXPECT_EQ(source->counters().told, 100u + 15);
  EXPECT_EQ(source->counters().repeated, 100u + 15);
  std::multiset<uint64_t> bytes, expected;
  for (size_t i = 0; i < rows.size(); ++i) bytes.insert(rows.row(i).Get<FieldId::kBytes>());
  for (const uint64_t number : {1000, 7000}) {
    for (uint64_t i = 0; i < 100; ++i) expected.insert(number + i);
  }
  EXPECT_EQ(bytes, expected);
}

TEST_F(Kafka, CountsWhatItCannotUse) {
  sink::kafka::KafkaOptions written;
  written.connection.brokers = cluster_->brokers();
  written.message.address = topic_;
  auto sink = sink::kafka::NewKafkaSink(written);
  ASSERT_TRUE(sink.ok()) << sink.status();
  // Records where datagrams are expected: without an exporter, and here too large as well.
  ASSERT_TRUE((*sink)->Write(NumberedBatch(1, 10).batch()).ok());
  Publish(0, 10);
  KafkaSourceOptions options = Options();
  options.max_datagram_octets = 20;
  auto source = Open(options);
  EXPECT_EQ(Numbers(source.get(), 10).size(), 10u);
  PollUntil(
      source.get(), [](const KafkaReading&) {}, [&] { return source->counters().messages == 20; });
  const KafkaSourceCounters& counters = source->counters();
  EXPECT_EQ(counters.messages,
            counters.told + counters.repeated + counters.without_exporter + counters.too_large + counters.empty);
  EXPECT_EQ(counters.too_large, 10u);
}

TEST_F(Kafka, IsAwayAndComesBack) {
  Order("down");
  auto source = Open(Options());
  PollUntil(
      source.get(), [](const KafkaReading&) {}, [&] { return !source->trouble().empty(); });
  EXPECT_TRUE(absl::StartsWith(source->trouble(), "kafka: reading: ")) << source->trouble();
  Order("up");
  Publish(0, 100);
  EXPECT_EQ(Numbers(source.get(), 100).size(), 100u);
  EXPECT_EQ(source->trouble(), "");
}

TEST(KafkaSourceOptions, AreChecked) {
  KafkaSourceOptions good;
  good.connection.brokers = "127.0.0.1:1";
  good.topics = {"exports"};
  EXPECT_TRUE(KafkaSource::New(good).ok()) << KafkaSource::New(good).status();
  using Change = void (*)(KafkaSourceOptions*);
  const struct {
    const char* says;
    Change change;
  } cases[] = {
      {"topics", [](KafkaSourceOptions* o) { o->topics = {}; }},
      {"topics", [](KafkaSourceOptions* o) { o->topics = {""}; }},
      {"group", [](KafkaSourceOptions* o) { o->group = ""; }},
      {"max_poll_messages", [](KafkaSourceOptions* o) { o->max_poll_messages = 0; }},
      {"max_fetched", [](KafkaSourceOptions* o) { o->max_fetched_octets = 1; }},
      {"session_timeout", [](KafkaSourceOptions* o) { o->session_timeout = absl::ZeroDuration(); }},
      {"brokers", [](KafkaSourceOptions* o) { o->connection.brokers = ""; }},
      {"committed when",
       [](KafkaSourceOptions* o) {
         o->connection.properties = {{"enable.auto.commit", "true"}};
       }},
      {"use group",
       [](KafkaSourceOptions* o) {
         o->connection.properties = {{"group.id", "x"}};
       }},
  };
  for (const auto& test : cases) {
    KafkaSourceOptions options = good;
    test.change(&options);
    const absl::Status status = KafkaSource::New(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.says;
    EXPECT_TRUE(absl::StrContains(status.message(), test.says)) << status;
  }
}

}  // namespace
}  // namespace flowacct::collector
