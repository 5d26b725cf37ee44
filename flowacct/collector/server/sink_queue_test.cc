#include "flowacct/collector/server/sink_queue.h"

#include <memory>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace flowacct::collector
