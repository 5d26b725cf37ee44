// Debian's RabbitMQ, started here, takes and gives back.

#include <signal.h>
#include <sys/wait.h>
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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/sink/amqp/amqp_sink.h"
#include "flowacct/sink/amqp/testing/rabbitmq.h"
#include "flowacct/sink/queue/batch_part.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"
#include "flowacct/sink/testing/fault_proxy.h"
#include "gtest/gtest.h"

namespace flowacct::sink::amqp {
namespace {

using absl::StatusCode;
using queue::NumberedBatch;

class Amqp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_ = new std::string();
    server_ = Rabbitmq::Start(why_).release();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete why_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr && absl::StrContains(*why_, "not installed")) GTEST_SKIP() << *why_;
    ASSERT_NE(server_, nullptr) << *why_;
    // Of its own: what another test gave up may still come to the other.
    static int number = 0;
    queue_ = absl::StrCat("queue", ++number);
    QueueReader reader(server_->port());
    ASSERT_TRUE(reader.Declare("", queue_, "")) << reader.error();
  }

  AmqpOptions Options(int port = 0) const {
    AmqpOptions options;
    options.connection.brokers = absl::StrCat("127.0.0.1:", port == 0 ? server_->port() : port);
    options.connection.timeout = absl::Seconds(10);
    options.message.address = queue_;
    options.message.format = message::RecordFormat::kJson;
    return options;
  }
  static std::unique_ptr<AmqpSink> Open(AmqpOptions options) {
    auto sink = NewAmqpSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }
  static std::vector<ReadMessage> Drain(const std::string& queue) {
    QueueReader reader(server_->port());
    std::vector<ReadMessage> messages = reader.Drain(queue);
    EXPECT_EQ(reader.error(), "");
    return messages;
  }

  // As a reader is told to do it: each part of a batch counts once. What is left, by its octets, and how often.
  static std::map<std::string, int> CountOnce(const std::vector<ReadMessage>& messages) {
    std::map<std::string, int> rows;
    std::set<std::string> seen;
    for (const ReadMessage& message : messages) {
      EXPECT_EQ(message.header, message.message_id);
      const std::optional<queue::BatchPart> part = queue::ParseBatchPart(message.header);
      EXPECT_TRUE(part.has_value()) << message.header;
      if (!part.has_value() || !seen.insert(absl::StrCat(queue::BatchText(part->batch), " ", part->part)).second)
        continue;
      for (const absl::string_view row : absl::StrSplit(message.octets, '\n', absl::SkipEmpty())) {
        ++rows[std::string(row)];
      }
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

  static Rabbitmq* server_;
  static std::string* why_;
  std::string queue_;
};
Rabbitmq* Amqp::server_ = nullptr;
std::string* Amqp::why_ = nullptr;

TEST_F(Amqp, IsReadAsItWasWritten) {
  QueueReader reader(server_->port());
  ASSERT_TRUE(reader.Declare("traffic", "seven", "flows.7")) << reader.error();
  ASSERT_TRUE(reader.Declare("traffic", "all", "flows.*")) << reader.error();
  AmqpOptions options = Options();
  options.exchange = "traffic";
  options.message.address = "{pipeline}.{dst_port}";
  auto sink = Open(options);
  for (uint64_t number = 1; number <= 2; ++number) {
    const absl::Status status = sink->Write(NumberedBatch(number, 100).batch());
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(sink->counters().messages, 200u);
  EXPECT_EQ(sink->counters().connections, 1u);
  EXPECT_EQ(Drain("seven").size(), 20u);
  const std::vector<ReadMessage> all = Drain("all");
  EXPECT_EQ(Difference(CountOnce(all), Expected(2, 100)), "");
  for (const ReadMessage& message : all) {
    EXPECT_EQ(message.delivery_mode, 2);
    EXPECT_EQ(message.content_type, "application/json");
    EXPECT_TRUE(absl::StrContains(message.octets, absl::StrCat("\"dst_port\":", message.routing_key.substr(6))))
        << message.routing_key << message.octets;
  }
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->Write(NumberedBatch(3, 1).batch()).code(), StatusCode::kFailedPrecondition);
}

TEST_F(Amqp, PacksAndWaitsForConfirms) {
  AmqpOptions options = Options();
  options.message.records_per_message = 7;
  options.max_unconfirmed = 3;
  auto sink = Open(options);
  const absl::Status status = sink->Write(NumberedBatch(1, 900).batch());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(sink->counters().messages, 129u);
  EXPECT_EQ(Difference(CountOnce(Drain(queue_)), Expected(1, 900)), "");
}

TEST_F(Amqp, TellsWhatIsWrong) {
  const auto write = [](AmqpOptions options) {
    auto sink = Open(std::move(options));
    const absl::Status status = sink->Write(NumberedBatch(1, 200).batch());
    // Said again, and not taken for written.
    EXPECT_EQ(sink->Write(NumberedBatch(1, 200).batch()).code(), status.code());
    EXPECT_EQ(sink->counters().batches, 0u);
    return status;
  };
  AmqpOptions options = Options();
  options.message.address = "nobody";
  absl::Status status = write(options);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "NO_ROUTE")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "\"nobody\"")) << status;

  options = Options();
  options.exchange = "nowhere";
  status = write(options);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no exchange 'nowhere'")) << status;

  QueueReader reader(server_->port());
  ASSERT_TRUE(reader.Declare("", "short", "", 50)) << reader.error();
  options = Options();
  options.message.address = "short";
  status = write(options);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "refused")) << status;

  const std::string secret = absl::StrCat(std::getenv("TEST_TMPDIR"), "/secret");
  std::ofstream(secret) << "open sesame 7\n";
  options = Options();
  options.connection.password.file = secret;
  status = write(options);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "sesame")) << status;

  options = Options();
  options.connection.vhost = "/nowhere";
  status = write(options);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status;
}

TEST_F(Amqp, ByTls) {
  AmqpOptions options = Options();
  options.connection.tls = true;
  options.connection.brokers = absl::StrCat("localhost:", server_->tls_port());
  options.connection.ca_file = server_->ca_file();
  auto sink = Open(options);
  absl::Status status = sink->Write(NumberedBatch(1, 100).batch());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Difference(CountOnce(Drain(queue_)), Expected(1, 100)), "");
  // An authority that we do not know.
  options.connection.ca_file = "";
  EXPECT_EQ(Open(options)->Write(NumberedBatch(1, 1).batch()).code(), StatusCode::kPermissionDenied);
  options.connection.ca_file = server_->ca_file() + ".not";
  EXPECT_EQ(Open(options)->Write(NumberedBatch(1, 1).batch()).code(), StatusCode::kFailedPrecondition);
}

TEST_F(Amqp, IsAwayAtFirst) {
  AmqpOptions options = Options(1);
  options.connection.timeout = absl::Seconds(1);
  EXPECT_EQ(Open(options)->Write(NumberedBatch(1, 10).batch()).code(), StatusCode::kUnavailable);
  // The second of two brokers is there.
  options.connection.brokers += absl::StrCat(",127.0.0.1:", server_->port());
  EXPECT_TRUE(Open(options)->Write(NumberedBatch(1, 10).batch()).ok());
}

// Whether connecting, waiting for a confirm, or with more to write than the kernel takes.
TEST_F(Amqp, IsGivenUpWhenItStandsStill) {
  AmqpOptions options = Options();
  options.connection.timeout = absl::Seconds(1);
  for (const int rows : {10, 300000}) {
    for (const bool connected : {false, true}) {
      SCOPED_TRACE(absl::StrCat(rows, connected));
      auto sink = Open(options);
      if (connected) {
        EXPECT_TRUE(sink->Write(NumberedBatch(1, 10).batch()).ok());
      }
      const NumberedBatch numbered(2, rows);
      const aggregate::AggregateBatch batch = numbered.batch();
      server_->Freeze();
      const absl::Time start = absl::Now();
      const absl::Status status = sink->Write(batch);
      EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
      EXPECT_LT(absl::Now() - start, absl::Seconds(8));
      server_->Thaw();
      EXPECT_TRUE(sink->Write(NumberedBatch(3, 10).batch()).ok());
    }
  }
}

// As a queue before the sink does: a broker that has just come back may be slow.
absl::Status WriteAtLast(sink::Sink& sink, uint64_t number) {
  absl::Status status;
  for (int tries = 0; tries < 5; ++tries) {
    if (status = sink.Write(NumberedBatch(number, 200).batch()); status.ok()) break;
  }
  return status;
}

TEST_F(Amqp, CutFiftyTimes) {
  const std::unique_ptr<FaultProxy> proxy = FaultProxy::Start("127.0.0.1", server_->port());
  ASSERT_NE(proxy, nullptr);
  auto sink = Open(Options(proxy->port()));
  std::mt19937 random(7);
  uint64_t number = 1;
  for (int cuts = 0; cuts < 50; cuts += proxy->WaitForFault(absl::ZeroDuration()) ? 1 : 0) {
    const bool answers = random() % 2 == 0;
    proxy->CutAfter(answers ? FaultProxy::kToClient : FaultProxy::kToServer, 500 + random() % (answers ? 700 : 60000));
    // As the spool does: the same batch, until it is taken.
    if (sink->Write(NumberedBatch(number, 200).batch()).ok()) ++number;
  }
  proxy->Clear();
  EXPECT_TRUE(WriteAtLast(*sink, number).ok());
  const std::vector<ReadMessage> all = Drain(queue_);
  EXPECT_EQ(Difference(CountOnce(all), Expected(number, 200)), "");
  EXPECT_GT(all.size(), number * 200);  // some are there twice
  RecordProperty("messages_twice", static_cast<int>(all.size() - number * 200));
}

// Fifty times: a start takes seconds, hence two brokers at once, as shards, each killed 25 times in a row.
class AmqpBrokerKilled : public Amqp, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Broker, AmqpBrokerKilled, testing::Range(0u, 2u));

// A durable queue has what was confirmed, whatever the moment.
TEST_P(AmqpBrokerKilled, TwentyFiveTimes) {
  constexpr int kKills = 25, kRows = 200;
  absl::SleepFor(kDeclared);
  auto sink = Open(Options());
  std::mt19937 random(GetParam());
  std::vector<ReadMessage> all;
  uint64_t number = 1;
  int in_a_write = 0;
  for (int killed = 1; killed <= kKills; ++killed) {
    const auto life = absl::Milliseconds(300 + random() % 2700);
    const absl::Time end = absl::Now() + life;
    const pid_t killer = fork();
    if (killer == 0) {
      absl::SleepFor(life);
      kill(server_->pid(), SIGKILL);
      _exit(0);
    }
    absl::Status status;
    while (status = sink->Write(NumberedBatch(number, kRows).batch()), status.ok()) {
      ++number;
      // Not at the end, so that confirms are outstanding when it is killed.
      if (absl::Now() < end - absl::Milliseconds(200)) absl::SleepFor(absl::Milliseconds(100));
    }
    // Nothing else: that a queue is not there would be FailedPrecondition.
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << killed << ": " << status;
    if (absl::StrContains(status.message(), ": writing: ")) ++in_a_write;
    waitpid(killer, nullptr, 0);
    server_->Kill();
    ASSERT_TRUE(server_->Restart()) << killed;
    if (killed % 5 != 0) continue;
    const absl::Status last = WriteAtLast(*sink, number);
    ASSERT_TRUE(last.ok()) << killed << ": " << last;
    for (ReadMessage& message : Drain(queue_)) all.push_back(std::move(message));
    ASSERT_EQ(Difference(CountOnce(all), Expected(number, kRows)), "") << killed;
    ++number;
  }
  EXPECT_GT(in_a_write, kKills / 2);
  RecordProperty("batches", static_cast<int>(number - 1));
  RecordProperty("in_a_write", in_a_write);
  RecordProperty("messages_twice", static_cast<int>(all.size() - (number - 1) * kRows));
}

TEST_F(Amqp, WriterKilledFiftyTimes) {
  const std::string notes = absl::StrCat(std::getenv("TEST_TMPDIR"), "/notes");
  constexpr uint64_t kBatches = 200;
  // Writes from where the notes end; `lives` above 0: it ends after so many, before it notes the last.
  const auto writer = [&](uint64_t lives) {
    auto sink = Open(Options());
    uint64_t number = 0;
    std::ifstream(notes) >> number;
    for (++number; number <= kBatches; ++number) {
      if (!sink->Write(NumberedBatch(number, 100).batch()).ok()) _exit(1);
      if (lives > 0 && --lives == 0) raise(SIGKILL);
      std::ofstream(notes + ".next") << number;
      if (rename((notes + ".next").c_str(), notes.c_str()) != 0) _exit(2);
    }
    _exit(0);
  };
  std::mt19937 random(7);
  int state = 0;
  for (int killed = 0; killed <= 50; ++killed) {
    const uint64_t lives = killed % 5 == 0 ? 1 + random() % 2 : 0;
    const pid_t pid = fork();
    if (pid == 0) writer(killed == 50 ? 0 : lives);
    if (lives == 0 && killed < 50) {
      absl::SleepFor(absl::Microseconds(5000 + random() % 50000));
      kill(pid, SIGKILL);
    }
    waitpid(pid, &state, 0);
    uint64_t reached = 0;
    std::ifstream(notes) >> reached;
    ASSERT_TRUE(killed == 50 || reached < kBatches) << "there is nothing left to kill it at";
  }
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
  const std::vector<ReadMessage> all = Drain(queue_);
  EXPECT_EQ(Difference(CountOnce(all), Expected(kBatches, 100)), "");
  EXPECT_GE(all.size(), kBatches * 100 + 1000);
  RecordProperty("messages_twice", static_cast<int>(all.size() - kBatches * 100));
}

}  // namespace
}  // namespace flowacct::sink::amqp
