// Against librdkafka's mock of a cluster in a process of its own, read by another one. The mock keeps no transactions
// apart: what readers of committed messages see is tested against a real cluster, if $FLOWACCT_KAFKA names its brokers.

#include "flowacct/sink/kafka/kafka_sink.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/sink/kafka/testing/child.h"
#include "flowacct/sink/kafka/testing/mock_cluster.h"
#include "flowacct/sink/queue/batch_part.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"
#include "gtest/gtest.h"

namespace flowacct::sink::kafka {
namespace {

using absl::StatusCode;
using queue::NumberedBatch;

// Kafka's protocol guide: API keys and error codes; -195 is librdkafka's for a connection that is cut.
constexpr int kProduce = 0, kInitProducerId = 22;
constexpr int kCut = -195;

struct Read {
  int partition = -1;
  std::string key;
  std::string header;
  std::optional<queue::BatchPart> part;
  std::string value;
};

class Kafka : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = MockCluster::Start().release(); }
  static void TearDownTestSuite() { delete cluster_; }
  void SetUp() override {
    ASSERT_FALSE(cluster_->brokers().empty());
    Order("up");
    Order("rtt 0");
    topic_ = cluster_->NewTopic();
  }

  static void Order(const std::string& line) { cluster_->Order(line); }
  static void Errors(int api, int count, int code) { Order(absl::StrCat("errors ", api, " ", count, " ", code)); }

  KafkaOptions Options() const {
    KafkaOptions options;
    options.connection.brokers = cluster_->brokers();
    options.connection.timeout = absl::Seconds(5);
    options.message.address = topic_;
    options.message.format = message::RecordFormat::kJson;
    return options;
  }

  static std::unique_ptr<KafkaSink> Open(KafkaOptions options) {
    auto sink = NewKafkaSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }

  static std::vector<Read> ReadAll(const std::string& brokers, const std::string& topic, size_t least,
                                   const std::string& isolation = "committed") {
    std::unique_ptr<Child> reader =
        Child::Start({MockCluster::Program(), "read", brokers, topic, absl::StrCat(least), isolation});
    std::vector<Read> all;
    for (const std::string& line : reader->Rest()) {
      const std::vector<std::string> cells = absl::StrSplit(line, '\t');
      Read read;
      if (cells.size() != 4 || !absl::SimpleAtoi(cells[0], &read.partition) || !absl::CUnescape(cells[1], &read.key) ||
          !absl::CUnescape(cells[2], &read.header) || !absl::CUnescape(cells[3], &read.value)) {
        ADD_FAILURE() << line;
        continue;
      }
      read.part = queue::ParseBatchPart(read.header);
      all.push_back(read);
    }
    EXPECT_EQ(reader->Wait(), 0);
    return all;
  }
  std::vector<Read> ReadAll(size_t least) const { return ReadAll(cluster_->brokers(), topic_, least); }

  // As a reader is told to do it: each part of a batch counts once. What is left, by its octets, and how often.
  static std::map<std::string, int> CountOnce(const std::vector<Read>& all, std::set<uint64_t>* whole = nullptr) {
    std::map<std::string, int> rows;
    std::set<std::string> seen;
    std::map<uint64_t, uint64_t> missing;
    for (const Read& read : all) {
      EXPECT_TRUE(read.part.has_value()) << read.header;
      if (!read.part.has_value()) continue;
      if (!seen.insert(absl::StrCat(queue::BatchText(read.part->batch), " ", read.part->part)).second) continue;
      for (const absl::string_view row : absl::StrSplit(read.value, '\n', absl::SkipEmpty())) ++rows[std::string(row)];
      const auto [left, is_new] = missing.try_emplace(read.part->batch.number, read.part->batch_rows);
      left->second -= read.part->rows;
      if (left->second == 0 && whole != nullptr) whole->insert(read.part->batch.number);
    }
    return rows;
  }
  // Empty if it is so, else a few of what is not.
  static std::string Difference(const std::map<std::string, int>& seen, const std::map<std::string, int>& expected) {
    std::string text;
    size_t missing = 0, wrong = 0;
    for (const auto& [row, count] : expected) {
      if (seen.find(row) == seen.end() && ++missing <= 3) absl::StrAppend(&text, "not there: ", row, "\n");
    }
    for (const auto& [row, count] : seen) {
      const auto found = expected.find(row);
      if ((found == expected.end() || found->second != count) && ++wrong <= 3) {
        absl::StrAppend(&text, count, " times: ", row, "\n");
      }
    }
    return text.empty() ? text : absl::StrCat(missing, " are not there, ", wrong, " are wrong\n", text);
  }
  static std::map<std::string, int> Expected(uint64_t batches, int rows) {
    std::map<std::string, int> expected;
    for (uint64_t number = 1; number <= batches; ++number) {
      const NumberedBatch numbered(number, rows);
      const aggregate::AggregateBatch batch = numbered.batch();
      const auto encoder = message::NewRecordEncoder(message::RecordFormat::kJson, &batch.schema());
      for (size_t row = 0; row < batch.size(); ++row) {
        std::string text;
        encoder->Append(batch, row, &text);
        expected[text] = 1;
      }
    }
    return expected;
  }

  // Writes `batches` with a writer that is killed `kills` times, at any moment; each fifth time after a batch was
  // acknowledged and before that is noted.
  void WriteKilled(const std::string& brokers, int kills, uint64_t batches, const std::string& how) {
    const std::string notes = absl::StrCat(std::getenv("TEST_TMPDIR"), "/", topic_, ".", how);
    std::mt19937 random(7);
    uint64_t reached = 0;
    for (int killed = 0; killed < kills; ++killed) {
      const uint64_t lives = killed % 5 == 0 ? 1 + random() % 3 : 0;
      std::unique_ptr<Child> writer = Child::Start(
          {MockCluster::Program(), "write", brokers, topic_, absl::StrCat(batches), notes, how, absl::StrCat(lives)});
      if (lives > 0) {
        (void)writer->Rest();
      } else {
        std::string line = random() % 5 == 0 ? "" : writer->Line();
        for (int more = static_cast<int>(random() % 3); more > 0 && !line.empty(); --more) line = writer->Line();
        absl::SleepFor(absl::Microseconds(random() % 10000));
      }
      writer->Kill();
      std::ifstream(notes) >> reached;
      ASSERT_LT(reached, batches) << "there is nothing left to kill it at";
    }
    std::unique_ptr<Child> writer =
        Child::Start({MockCluster::Program(), "write", brokers, topic_, absl::StrCat(batches), notes, how, "0"});
    (void)writer->Rest();
    EXPECT_EQ(writer->Wait(), 0);
  }

  static MockCluster* cluster_;
  std::string topic_;
};
MockCluster* Kafka::cluster_ = nullptr;

TEST_F(Kafka, IsReadAsItWasWritten) {
  KafkaOptions options = Options();
  options.message.key = "{dst_port}";
  auto sink = Open(options);
  ASSERT_TRUE(sink->Write(NumberedBatch(1, 100).batch()).ok());
  EXPECT_EQ(sink->counters().rows, 100u);
  EXPECT_EQ(sink->counters().messages, 100u);
  const std::vector<Read> all = ReadAll(100);
  ASSERT_EQ(all.size(), 100u);
  std::map<std::string, std::set<int>> partitions;
  std::set<int> used;
  for (const Read& read : all) {
    EXPECT_TRUE(absl::StrContains(read.value, absl::StrCat("\"dst_port\":", read.key, ",")) ||
                absl::StrContains(read.value, absl::StrCat("\"dst_port\":", read.key, "}")))
        << read.value;
    partitions[read.key].insert(read.partition);
    used.insert(read.partition);
  }
  EXPECT_EQ(partitions.size(), 10u);
  for (const auto& [key, where] : partitions) EXPECT_EQ(where.size(), 1u) << key;
  EXPECT_GT(used.size(), 1u);
  std::set<uint64_t> whole;
  EXPECT_EQ(Difference(CountOnce(all, &whole), Expected(1, 100)), "");
  EXPECT_EQ(whole, std::set<uint64_t>{1});
  EXPECT_EQ(sink->trouble(), "");
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->Write(NumberedBatch(2, 1).batch()).code(), StatusCode::kFailedPrecondition);
}

TEST_F(Kafka, PacksAndWaitsWhileTheQueueIsFull) {
  KafkaOptions options = Options();
  options.message.records_per_message = 30;
  options.message.max_message_octets = 2000;
  options.max_queued_octets = 4000;
  auto sink = Open(options);
  ASSERT_TRUE(sink->Write(NumberedBatch(1, 900).batch()).ok());
  EXPECT_EQ(sink->counters().rows, 900u);
  EXPECT_GE(sink->counters().messages, 30u);
  EXPECT_EQ(Difference(CountOnce(ReadAll(sink->counters().messages)), Expected(1, 900)), "");
}

TEST_F(Kafka, TopicsByFieldAreBounded) {
  KafkaOptions options = Options();
  options.message.address = absl::StrCat(topic_, "/{dst_port}");  // a name that Kafka would refuse
  options.max_topics = 3;
  options.other_topic = absl::StrCat(topic_, ".other");
  auto sink = Open(options);
  for (uint64_t number = 1; number <= 2; ++number) {
    ASSERT_TRUE(sink->Write(NumberedBatch(number, 100).batch()).ok());
    EXPECT_EQ(sink->counters().other_rows, 70 * number);
  }
  EXPECT_TRUE(absl::StrContains(sink->trouble(), "max_topics = 3")) << sink->trouble();
  EXPECT_EQ(ReadAll(cluster_->brokers(), absl::StrCat(topic_, "_1"), 20).size(), 20u);
  EXPECT_EQ(ReadAll(cluster_->brokers(), absl::StrCat(topic_, ".other"), 140).size(), 140u);
}

TEST_F(Kafka, IsAwayAndComesBack) {
  for (const bool transactions : {false, true}) {
    SCOPED_TRACE(transactions);
    Order("down");
    KafkaOptions options = Options();
    options.connection.timeout = absl::Seconds(1);
    options.transactions = transactions;
    auto sink = Open(options);
    const uint64_t first = transactions ? 3 : 1;
    const auto fails = [&](uint64_t number) {
      const absl::Time start = absl::Now();
      const absl::Status status = sink->Write(NumberedBatch(number, 100).batch());
      EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
      EXPECT_LT(absl::Now() - start, absl::Seconds(8));
    };
    fails(first);
    Order("up");
    absl::Status status = sink->Write(NumberedBatch(first, 100).batch());
    EXPECT_TRUE(status.ok()) << status;
    Order("down");
    fails(first + 1);
    Order("up");
    status = sink->Write(NumberedBatch(first + 1, 100).batch());
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(sink->counters().failed_batches, 2u);
    EXPECT_EQ(sink->counters().batches, 2u);
  }
  EXPECT_EQ(Difference(CountOnce(ReadAll(400)), Expected(4, 100)), "");
}

TEST_F(Kafka, IsSlow) {
  Order("rtt 100");
  KafkaOptions options = Options();
  auto sink = Open(options);
  EXPECT_TRUE(sink->Write(NumberedBatch(1, 100).batch()).ok());
  options.connection.timeout = absl::Seconds(1);
  sink = Open(options);
  Order("rtt 3000");
  const absl::Time start = absl::Now();
  EXPECT_EQ(sink->Write(NumberedBatch(2, 100).batch()).code(), StatusCode::kUnavailable);
  EXPECT_LT(absl::Now() - start, absl::Seconds(8));
  Order("rtt 0");
  EXPECT_TRUE(sink->Write(NumberedBatch(2, 100).batch()).ok());
  EXPECT_EQ(Difference(CountOnce(ReadAll(200)), Expected(2, 100)), "");
}

TEST_F(Kafka, Errors) {
  const struct {
    int api;
    int code;
    int count;
    StatusCode status;
  } cases[] = {
      // What librdkafka tries again:
      {kProduce, 6, 2, StatusCode::kOk},   // NOT_LEADER_OR_FOLLOWER
      {kProduce, 7, 2, StatusCode::kOk},   // REQUEST_TIMED_OUT
      {kProduce, 19, 2, StatusCode::kOk},  // NOT_ENOUGH_REPLICAS
      {kProduce, 20, 2, StatusCode::kOk},  // NOT_ENOUGH_REPLICAS_AFTER_APPEND
      {kProduce, kCut, 2, StatusCode::kOk},
      {kInitProducerId, 15, 2, StatusCode::kOk},  // COORDINATOR_NOT_AVAILABLE
      // What it does not:
      {kProduce, 29, 1, StatusCode::kPermissionDenied},         // TOPIC_AUTHORIZATION_FAILED
      {kProduce, 10, 1, StatusCode::kFailedPrecondition},       // MESSAGE_TOO_LARGE
      {kProduce, 87, 1, StatusCode::kFailedPrecondition},       // INVALID_RECORD
      {kInitProducerId, 31, 1, StatusCode::kPermissionDenied},  // CLUSTER_AUTHORIZATION_FAILED
  };
  uint64_t number = 0;
  for (const auto& test : cases) {
    SCOPED_TRACE(absl::StrCat(test.api, " ", test.code));
    ++number;
    Errors(test.api, test.count, test.code);  // first: a producer that connects asks for its number at once
    auto sink = Open(Options());
    absl::Status status = sink->Write(NumberedBatch(number, 100).batch());
    EXPECT_EQ(status.code(), test.status) << status;
    Errors(test.api, 0, 0);
    if (status.ok()) continue;
    status = sink->Write(NumberedBatch(number, 100).batch());
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(Difference(CountOnce(ReadAll(100 * number)), Expected(number, 100)), "");
}

TEST_F(Kafka, KilledFiftyTimes) {
  WriteKilled(cluster_->brokers(), 50, 250, "plain");
  std::set<uint64_t> whole;
  const std::vector<Read> all = ReadAll(25000);
  EXPECT_EQ(Difference(CountOnce(all, &whole), Expected(250, 100)), "");
  EXPECT_EQ(whole.size(), 250u);
  EXPECT_GE(all.size(), 26000u);  // those ten that were acknowledged and not noted are there twice
  RecordProperty("messages_twice", static_cast<int>(all.size() - 25000));
}

TEST_F(Kafka, KilledFiftyTimesInTransactions) {
  WriteKilled(cluster_->brokers(), 50, 250, "transactions");
  EXPECT_EQ(Difference(CountOnce(ReadAll(25000)), Expected(250, 100)), "");
}

TEST_F(Kafka, TransactionsOfARealCluster) {
  const char* const brokers = std::getenv("FLOWACCT_KAFKA");
  if (brokers == nullptr) GTEST_SKIP() << "FLOWACCT_KAFKA names no brokers; Debian has no Kafka";
  topic_ = absl::StrCat("flowacct-test-", absl::ToUnixNanos(absl::Now()));
  WriteKilled(brokers, 50, 250, "transactions");
  std::map<uint64_t, uint64_t> rows;
  const std::vector<Read> all = ReadAll(brokers, topic_, 25000);
  for (const Read& read : all) rows[read.part->batch.number] += read.part->rows;
  // Each write whole.
  for (const auto& [number, count] : rows) EXPECT_EQ(count % 100, 0u) << number;
  EXPECT_EQ(Difference(CountOnce(all), Expected(250, 100)), "");
  RecordProperty("committed_twice", static_cast<int>(all.size() - 25000));
  RecordProperty("aborted", static_cast<int>(ReadAll(brokers, topic_, 25000, "uncommitted").size() - all.size()));
}

TEST_F(Kafka, TransactionsNeedAName) {
  KafkaOptions options = Options();
  options.transactions = true;
  auto sink = Open(options);
  const NumberedBatch numbered(1, 1);
  aggregate::AggregateBatch batch = numbered.batch();
  batch.set_identity({});
  EXPECT_EQ(sink->Write(batch).code(), StatusCode::kInvalidArgument);
}

TEST(KafkaOptions, AreChecked) {
  KafkaOptions good;
  good.connection.brokers = "127.0.0.1:1";
  ASSERT_TRUE(NewKafkaSink(good).ok()) << NewKafkaSink(good).status();
  const std::string password = absl::StrCat(std::getenv("TEST_TMPDIR"), "/password");
  std::ofstream(password) << "open sesame 7\n";

  using Change = void (*)(KafkaOptions*);
  const struct {
    const char* says;
    Change change;
  } cases[] = {
      {"brokers", [](KafkaOptions* o) { o->connection.brokers = ""; }},
      {"timeout", [](KafkaOptions* o) { o->connection.timeout = absl::Milliseconds(1); }},
      {"topic", [](KafkaOptions* o) { o->message.address = ""; }},
      {"records_per_message", [](KafkaOptions* o) { o->message.records_per_message = 0; }},
      {"max_message_size", [](KafkaOptions* o) { o->message.max_message_octets = 1; }},
      {"max_queued", [](KafkaOptions* o) { o->max_queued_octets = 1; }},
      {"max_topics", [](KafkaOptions* o) { o->max_topics = 0; }},
      {"other_topic", [](KafkaOptions* o) { o->other_topic = "a/b"; }},
      {"need tls", [](KafkaOptions* o) { o->connection.ca_file = "/ca"; }},
      {"go together",
       [](KafkaOptions* o) {
         o->connection.tls = true;
         o->connection.key_file = "/key";
       }},
      {"ssl.ca.location",
       [](KafkaOptions* o) {
         o->connection.tls = true;
         o->connection.ca_file = "/not/there";
       }},
      {"sasl_mechanism = GSSAPI", [](KafkaOptions* o) { o->connection.sasl_mechanism = "GSSAPI"; }},
      {"as it is", [](KafkaOptions* o) { o->connection.sasl_mechanism = "PLAIN"; }},
      {"needs user", [](KafkaOptions* o) { o->connection.sasl_mechanism = "SCRAM-SHA-256"; }},
      {"need sasl_mechanism", [](KafkaOptions* o) { o->connection.user = "flowacct"; }},
      {"no property",
       [](KafkaOptions* o) {
         o->connection.properties = {{"lingering", "5"}};
       }},
      {"linger.ms",
       [](KafkaOptions* o) {
         o->connection.properties = {{"linger.ms", "soon"}};
       }},
      {"acks",
       [](KafkaOptions* o) {
         o->connection.properties = {{"acks", "1"}};
       }},
      {"enable.idempotence",
       [](KafkaOptions* o) {
         o->connection.properties = {{"enable.idempotence", "false"}};
       }},
      {"retries",
       [](KafkaOptions* o) {
         o->connection.properties = {{"retries", "0"}};
       }},
      {"password_file",
       [](KafkaOptions* o) {
         o->connection.properties = {{"sasl.password", "open sesame 7"}};
       }},
      {"key_file",
       [](KafkaOptions* o) {
         o->connection.properties = {{"ssl.key.password", "open sesame 7"}};
       }},
      {"load code",
       [](KafkaOptions* o) {
         o->connection.properties = {{"plugin.library.paths", "x"}};
       }},
      {"run a command",
       [](KafkaOptions* o) {
         o->connection.properties = {{"sasl.kerberos.kinit.cmd", "x"}};
       }},
  };
  for (const auto& test : cases) {
    KafkaOptions options = good;
    test.change(&options);
    const absl::Status status = NewKafkaSink(options).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << test.says << ": " << status;
    EXPECT_TRUE(absl::StrContains(status.message(), test.says)) << test.says << ": " << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "sesame")) << status;
  }
  KafkaOptions options = good;
  options.connection.properties = {{"linger.ms", "20"}, {"compression.type", "zstd"}};
  EXPECT_TRUE(NewKafkaSink(options).ok());
  options.connection.sasl_mechanism = "SCRAM-SHA-256";
  options.connection.user = "flowacct";
  options.connection.password = {password, ""};
  EXPECT_TRUE(NewKafkaSink(options).ok()) << NewKafkaSink(options).status();
  options.connection.tls = true;
  options.connection.sasl_mechanism = "PLAIN";
  EXPECT_TRUE(NewKafkaSink(options).ok()) << NewKafkaSink(options).status();
  options.connection.password = {password + ".not", ""};
  EXPECT_EQ(NewKafkaSink(options).status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace flowacct::sink::kafka
