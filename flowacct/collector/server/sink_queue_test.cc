#include "flowacct/collector/server/sink_queue.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/mutex.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using aggregate::AggregateBatch;
using record::FieldId;

// A batch of `rows` groups.
std::shared_ptr<const AggregateBatch> Batch(uint32_t rows) {
  static base::Interner interner;
  aggregate::AggregatorOptions options;
  options.by = {"src_as"};
  auto aggregator = aggregate::Aggregator::New(options, &interner);
  const record::Layout layout((*aggregator)->RequiredFields());
  (*aggregator)->Bind(layout);
  record::FlowBatch records(&layout, &interner);
  for (uint32_t i = 0; i < rows; ++i) records.Append().Set<FieldId::kSrcAs>(i);
  (*aggregator)->Add(records);
  return std::make_shared<const AggregateBatch>(std::move((*aggregator)->Close()[0]));
}

// Counts what it gets; waits at a gate, fails when told to.
struct Door {
  base::Mutex mutex;
  bool open = true;
  std::string error;
  size_t rows = 0;
  size_t closes = 0;
};

class DoorSink final : public sink::Sink {
 public:
  explicit DoorSink(std::shared_ptr<Door> door) : door_(std::move(door)) {}
  absl::Status Write(const AggregateBatch& batch) override {
    base::MutexLock lock(&door_->mutex);
    door_->mutex.Await([this] { return door_->open; });
    if (!door_->error.empty()) return absl::UnavailableError(door_->error);
    door_->rows += batch.size();
    return absl::OkStatus();
  }
  absl::Status Close() override {
    base::MutexLock lock(&door_->mutex);
    ++door_->closes;
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<Door> door_;
};

// Takes all, and loses some of it later.
class LeakingSink final : public sink::Sink {
 public:
  absl::Status Write(const AggregateBatch& batch) override {
    lost_ += batch.size() / 2;
    return absl::OkStatus();
  }
  absl::Status Close() override {
    ++lost_;
    return absl::OkStatus();
  }
  uint64_t rows_lost() const override { return lost_; }
  std::string trouble() const override { return "half of it is gone"; }

 private:
  uint64_t lost_ = 0;
};

SinkQueueOptions Named(const char* name) {
  SinkQueueOptions options;
  options.name = name;
  return options;
}

void ExpectIdentity(const SinkStatus& status) {
  EXPECT_EQ(status.batches, status.written + status.failed + status.dropped + status.waiting);
}

TEST(SinkQueue, WhatASinkLosesOfWhatItTookIsCounted) {
  std::vector<std::string> errors;
  SinkQueueOptions options = Named("export");
  options.on_error = [&](const absl::Status& error) { errors.emplace_back(error.message()); };
  SinkQueue queue(std::make_unique<LeakingSink>(), options);
  for (uint32_t rows = 1; rows <= 10; ++rows) queue.Push(Batch(rows));
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  const SinkStatus status = queue.status();
  ExpectIdentity(status);
  EXPECT_EQ(status.written, 10u);
  EXPECT_EQ(status.rows_lost, 26u);
  EXPECT_EQ(status.rows_written, 55u - 26u);
  EXPECT_EQ(status.last_error, "half of it is gone");
  EXPECT_EQ(errors, std::vector<std::string>{"half of it is gone"});  // when it began
}

TEST(SinkQueue, WritesAllInTheEnd) {
  auto door = std::make_shared<Door>();
  SinkQueue queue(std::make_unique<DoorSink>(door), Named("print"));
  for (uint32_t rows = 1; rows <= 10; ++rows) queue.Push(Batch(rows));
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  EXPECT_EQ(door->rows, 55u);
  EXPECT_EQ(door->closes, 1u);
  const SinkStatus status = queue.status();
  EXPECT_EQ(status.written, 10u);
  EXPECT_EQ(status.rows_written, 55u);
  ExpectIdentity(status);
}

TEST(SinkQueue, ABlockedSinkHoldsNobodyUpAndLosesTheOldestByCount) {
  auto door = std::make_shared<Door>();
  door->open = false;
  SinkQueueOptions options;
  options.max_waiting = 3;
  SinkQueue queue(std::make_unique<DoorSink>(door), options);
  queue.Push(Batch(100));  // into the sink's hands, sooner or later
  while (queue.status().waiting != 1 || queue.status().batches != 1) {
  }
  for (uint32_t rows = 1; rows <= 10; ++rows) {
    queue.Push(Batch(rows));
    ExpectIdentity(queue.status());
  }
  EXPECT_GE(queue.status().dropped, 6u);
  {
    base::MutexLock lock(&door->mutex);
    door->open = true;
  }
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  const SinkStatus status = queue.status();
  EXPECT_EQ(status.waiting, 0u);
  EXPECT_EQ(status.rows_written + status.rows_lost, 155u);
  EXPECT_EQ(door->rows, status.rows_written);
  ExpectIdentity(status);
}

TEST(SinkQueue, AFailingSinkIsToldOnceAndCounted) {
  auto door = std::make_shared<Door>();
  door->error = "disk full";
  std::vector<std::string> told;
  SinkQueueOptions options;
  options.on_error = [&told](const absl::Status& status) { told.emplace_back(status.message()); };
  SinkQueue queue(std::make_unique<DoorSink>(door), options);
  for (int i = 0; i < 5; ++i) queue.Push(Batch(2));
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  EXPECT_EQ(told, std::vector<std::string>{"disk full"});
  EXPECT_EQ(queue.status().failed, 5u);
  EXPECT_EQ(queue.status().rows_lost, 10u);
  EXPECT_EQ(queue.status().last_error, "disk full");
  ExpectIdentity(queue.status());
}

TEST(SinkQueue, ASinkThatNeverReturnsIsLeftBehind) {
  auto door = std::make_shared<Door>();
  door->open = false;
  {
    SinkQueue queue(std::make_unique<DoorSink>(door), Named("stuck"));
    queue.Push(Batch(1));
    queue.Push(Batch(2));
    EXPECT_FALSE(queue.Close(absl::Milliseconds(10)));
    EXPECT_GE(queue.status().dropped, 1u);
    ExpectIdentity(queue.status());
  }
  base::MutexLock lock(&door->mutex);
  door->open = true;
  // The thread ends by itself.
  door->mutex.Await([&door] { return door->closes == 1; });
}

// Eventually, since the queue's threads do it.
template <typename Condition>
void Expect(const SinkQueue& queue, Condition condition) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (!condition(queue.status()) && absl::Now() < end) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(condition(queue.status())) << queue.status().last_error;
  ExpectIdentity(queue.status());
}

void Set(Door* door, bool open, const char* error) {
  base::MutexLock lock(&door->mutex);
  door->open = open;
  door->error = error;
}

TEST(SinkQueue, ASinkThatIsAwayIsAskedAgain) {
  auto door = std::make_shared<Door>();
  Set(door.get(), true, "nobody is there");
  SinkQueueOptions options = Named("db");
  options.retry_after = absl::Milliseconds(1);
  std::vector<std::string> errors;
  options.on_error = [&](const absl::Status& error) { errors.emplace_back(error.message()); };
  SinkQueue queue(std::make_unique<DoorSink>(door), options);
  for (uint32_t rows = 1; rows <= 10; ++rows) queue.Push(Batch(rows));
  Expect(queue, [](const SinkStatus& status) { return status.last_error == "nobody is there"; });
  Set(door.get(), true, "");
  Expect(queue, [](const SinkStatus& status) { return status.written == 10; });
  EXPECT_EQ(queue.status().last_error, "");
  EXPECT_EQ(queue.status().failed, 0u);
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  EXPECT_EQ(door->rows, 55u);
  EXPECT_EQ(errors.size(), 1u);
}

TEST(SinkQueue, PatienceEndsWithASinkThatIsAway) {
  auto door = std::make_shared<Door>();
  Set(door.get(), true, "nobody is there");
  SinkQueueOptions options = Named("db");
  options.retry_after = absl::Milliseconds(1);
  SinkQueue queue(std::make_unique<DoorSink>(door), options);
  for (uint32_t rows = 1; rows <= 3; ++rows) queue.Push(Batch(rows));
  EXPECT_TRUE(queue.Close(absl::Milliseconds(20)));
  ExpectIdentity(queue.status());
  EXPECT_EQ(queue.status().rows_lost, 6u);
}

class SinkQueueWithSpool : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "queueXXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    spool_options_.folder = folder;
  }
  std::unique_ptr<SinkQueue> NewQueue() {
    SinkQueueOptions options = Named("db");
    options.retry_after = absl::Milliseconds(1);
    options.max_waiting = 4;
    if (spool_ == nullptr) {
      auto spool = Spool::Open(spool_options_);
      EXPECT_TRUE(spool.ok()) << spool.status();
      spool_ = *std::move(spool);
    }
    options.spool = spool_;
    options.on_done = [this](const AggregateBatch&) { ++done_; };
    return std::make_unique<SinkQueue>(std::make_unique<DoorSink>(door_), options);
  }

  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  SpoolOptions spool_options_;
  std::shared_ptr<Spool> spool_;
  std::atomic<int> done_{0};
};

TEST_F(SinkQueueWithSpool, ABlockedSinkLosesNothing) {
  Set(door_.get(), false, "");
  auto queue = NewQueue();
  for (uint32_t rows = 1; rows <= 30; ++rows) {
    queue->Push(Batch(rows));
    Expect(*queue, [rows](const SinkStatus& status) { return status.spooled == rows; });
  }
  EXPECT_EQ(done_, 30);  // kept is done: their bins need no other place
  EXPECT_EQ(queue->status().waiting, 30u);
  EXPECT_GT(queue->status().spool_octets, 0u);
  Set(door_.get(), true, "");
  Expect(*queue, [](const SinkStatus& status) { return status.written == 30; });
  EXPECT_TRUE(queue->Close(absl::Seconds(10)));
  EXPECT_EQ(door_->rows, 465u);
  EXPECT_EQ(queue->status().rows_written, 465u);
  EXPECT_EQ(spool_->contents().octets, 0u);
}

TEST_F(SinkQueueWithSpool, WhatIsLeftIsWrittenAfterARestart) {
  Set(door_.get(), true, "nobody is there");
  auto queue = NewQueue();
  for (uint32_t rows = 1; rows <= 3; ++rows) queue->Push(Batch(rows));
  EXPECT_TRUE(queue->Close(absl::ZeroDuration()));
  EXPECT_EQ(queue->status().waiting, 3u);
  EXPECT_EQ(queue->status().rows_lost, 0u);
  ExpectIdentity(queue->status());
  queue = nullptr;
  spool_ = nullptr;
  EXPECT_EQ(door_->rows, 0u);

  Set(door_.get(), true, "");
  queue = NewQueue();
  queue->Push(Batch(4));
  Expect(*queue, [](const SinkStatus& status) { return status.written == 4; });
  EXPECT_EQ(queue->status().batches, 4u);
  EXPECT_EQ(door_->rows, 10u);
}

TEST_F(SinkQueueWithSpool, TwoQueuesOfOneSpoolWriteEachBatchOnce) {
  Set(door_.get(), true, "nobody is there");
  auto old = NewQueue();
  for (uint32_t rows = 1; rows <= 4; ++rows) old->Push(Batch(rows));
  Expect(*old, [](const SinkStatus& status) { return status.spooled == 4; });
  auto queue = NewQueue();
  for (uint32_t rows = 5; rows <= 8; ++rows) queue->Push(Batch(rows));
  Set(door_.get(), true, "");
  EXPECT_TRUE(old->Close(absl::Seconds(10)));
  EXPECT_TRUE(queue->Close(absl::Seconds(10)));
  EXPECT_EQ(door_->rows, 36u);
  EXPECT_EQ(old->status().written + queue->status().written, 8u);
}

TEST_F(SinkQueueWithSpool, ABatchThatTheStoreRefusesIsSetAside) {
  class Refusing final : public sink::Sink {
   public:
    absl::Status Write(const AggregateBatch& batch) override {
      return batch.size() == 2 ? absl::InvalidArgumentError("no such column") : absl::OkStatus();
    }
    absl::Status Close() override { return absl::OkStatus(); }
  };
  auto spool = Spool::Open(spool_options_);
  ASSERT_TRUE(spool.ok());
  SinkQueueOptions options = Named("db");
  options.retry_after = absl::Milliseconds(1);
  options.spool = *spool;
  SinkQueue queue(std::make_unique<Refusing>(), options);
  for (uint32_t rows = 1; rows <= 3; ++rows) queue.Push(Batch(rows));
  Expect(queue, [](const SinkStatus& status) { return status.written == 2 && status.failed == 1; });
  EXPECT_TRUE(queue.Close(absl::Seconds(10)));
  EXPECT_EQ(queue.status().rows_lost, 2u);
  EXPECT_EQ((*spool)->contents().batches, 0u);
  EXPECT_GT((*spool)->contents().octets, 0u);
}

TEST_F(SinkQueueWithSpool, AFullSpoolDropsByCount) {
  spool_options_.max_octets = 2000;
  Set(door_.get(), false, "");
  auto queue = NewQueue();
  for (int i = 0; i < 20; ++i) {
    queue->Push(Batch(50));
    Expect(*queue, [i](const SinkStatus& status) { return status.spooled + status.dropped == size_t(i) + 1; });
  }
  const SinkStatus status = queue->status();
  EXPECT_GT(status.dropped, 0u);
  EXPECT_EQ(status.rows_lost, 50 * status.dropped);
  EXPECT_LE(status.spool_octets, 2000u);
  Set(door_.get(), true, "");
  EXPECT_TRUE(queue->Close(absl::Seconds(10)));
  ExpectIdentity(queue->status());
  EXPECT_EQ(door_->rows, 50 * (20 - queue->status().dropped));
}

TEST_F(SinkQueueWithSpool, ADiskThatRefusesLosesWhatMemoryCannotHold) {
  auto queue = NewQueue();
  // Nothing can be made in a folder that is gone.
  ASSERT_EQ(system(("rm -r " + spool_options_.folder).c_str()), 0);
  for (uint32_t rows = 1; rows <= 10; ++rows) queue->Push(Batch(rows));
  Expect(*queue, [](const SinkStatus& status) { return !status.last_error.empty(); });
  EXPECT_LE(queue->status().waiting, 5u);
  ASSERT_EQ(mkdir(spool_options_.folder.c_str(), 0700), 0);
  Expect(*queue, [](const SinkStatus& status) { return status.waiting == 0; });
  EXPECT_TRUE(queue->Close(absl::Seconds(10)));
  const SinkStatus status = queue->status();
  ExpectIdentity(status);
  EXPECT_EQ(status.rows_written + status.rows_lost, 55u);
  EXPECT_EQ(door_->rows, status.rows_written);
  EXPECT_GT(status.rows_written, 0u);
}

}  // namespace
}  // namespace flowacct::collector
