#include "flowacct/collector/server/bin_merger.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using aggregate::AggregateBatch;
using aggregate::Aggregator;
using record::FieldId;

constexpr int64_t kSecond = 1000000000;

aggregate::AggregatorOptions Options() {
  aggregate::AggregatorOptions options;
  options.by = {"vrf_name"};
  options.values = {"bytes"};
  options.every = absl::Seconds(60);
  options.lateness = absl::Seconds(10);
  return options;
}

// What a worker does.
struct FakeWorker {
  FakeWorker() : interner(std::make_shared<base::Interner>()) {
    aggregator = *Aggregator::New(Options(), interner);
    layout = std::make_unique<record::Layout>(aggregator->RequiredFields());
    aggregator->Bind(*layout);
    batch = std::make_unique<record::FlowBatch>(layout.get(), interner.get());
  }
  void Add(const std::string& vrf, int64_t at_seconds, uint64_t bytes) {
    auto row = batch->Append();
    row.Set<FieldId::kVrfName>(interner->Intern(vrf));
    row.Set<FieldId::kStartTime>(at_seconds * kSecond);
    row.Set<FieldId::kBytes>(bytes);
    aggregator->Add(*batch);
    batch->Clear();
  }
  std::unique_ptr<Aggregator> TakeClosed(int64_t now_seconds) {
    return aggregator->TakeClosed(absl::FromUnixSeconds(now_seconds));
  }

  std::shared_ptr<base::Interner> interner;
  std::unique_ptr<Aggregator> aggregator;
  std::unique_ptr<record::Layout> layout;
  std::unique_ptr<record::FlowBatch> batch;
};

struct Written {
  int64_t start_seconds;
  bool correction;
  std::map<std::string, uint64_t> bytes;
  friend bool operator==(const Written& a, const Written& b) {
    return a.start_seconds == b.start_seconds && a.correction == b.correction && a.bytes == b.bytes;
  }
};

struct Book {
  base::Mutex mutex;
  std::vector<Written> bins;
  std::vector<uint64_t> numbers;  // of their identities
};

class BookSink final : public sink::Sink {
 public:
  explicit BookSink(Book* book) : book_(book) {}
  absl::Status Write(const AggregateBatch& batch) override {
    Written written{batch.bin().start_nanos / kSecond, batch.correction(), {}};
    for (size_t i = 0; i < batch.size(); ++i) {
      written.bytes[std::string(base::AsText(batch.interner().Find(batch.key(i).Get<FieldId::kVrfName>())))] +=
          batch.value(i, 0);
    }
    base::MutexLock lock(&book_->mutex);
    book_->bins.push_back(std::move(written));
    book_->numbers.push_back(batch.identity().number);
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  Book* book_;
};

class BinMergerTest : public testing::Test {
 protected:
  std::unique_ptr<BinMerger> Make(size_t workers, size_t kept_bins = 0, bool closes_at_checkpoints = false) {
    std::vector<std::unique_ptr<SinkQueue>> sinks;
    sinks.push_back(std::make_unique<SinkQueue>(std::make_unique<BookSink>(&book_), SinkQueueOptions()));
    BinMergerOptions options;
    options.name = "p";
    options.aggregator = Options();
    options.workers = workers;
    options.kept_bins = kept_bins;
    options.closes_at_checkpoints = closes_at_checkpoints;
    return std::make_unique<BinMerger>(std::move(options), std::move(sinks));
  }
  std::vector<Written> Bins() {
    base::MutexLock lock(&book_.mutex);
    return book_.bins;
  }
  Book book_;
};

TEST_F(BinMergerTest, ABinIsWrittenWhenEveryWorkerHasPassedItsEnd) {
  FakeWorker a, b;
  auto merger = Make(2);
  a.Add("red", 5, 100);
  a.Add("blue", 30, 1);
  b.Add("red", 6, 10);
  b.Add("red", 61, 1000);
  merger->Deliver(0, a.TakeClosed(70), absl::FromUnixSeconds(70));
  merger->Ask([](BinMerger::Bins&, Aggregator*) {});
  EXPECT_EQ(merger->counters().bins_closed, 0u) << "worker 1 may still have records of it";
  merger->Deliver(1, b.TakeClosed(70), absl::FromUnixSeconds(70));
  merger->Ask([](BinMerger::Bins&, Aggregator*) {});
  EXPECT_EQ(merger->counters().bins_closed, 1u);
  merger->Deliver(1, b.aggregator->TakeAll(), absl::InfinitePast());
  EXPECT_TRUE(merger->Close(absl::Seconds(10)));
  EXPECT_EQ(Bins(), (std::vector<Written>{{0, false, {{"red", 110}, {"blue", 1}}}, {60, false, {{"red", 1000}}}}));
}

TEST_F(BinMergerTest, PartsThatWereHandedOverEarlyAreMergedIntoOneBin) {
  FakeWorker a;
  auto merger = Make(1);
  a.Add("red", 5, 100);
  merger->Deliver(0, a.aggregator->TakeAll(), absl::InfinitePast());
  a.Add("red", 6, 10);
  a.Add("green", 7, 7);
  merger->Deliver(0, a.aggregator->TakeAll(), absl::InfinitePast());
  a.Add("red", 8, 1);
  merger->Deliver(0, a.TakeClosed(70), absl::FromUnixSeconds(70));
  EXPECT_TRUE(merger->Close(absl::Seconds(10)));
  EXPECT_EQ(Bins(), (std::vector<Written>{{0, false, {{"red", 111}, {"green", 7}}}}));
}

TEST_F(BinMergerTest, LateRecordsBecomeACorrection) {
  FakeWorker a;
  auto merger = Make(1);
  a.Add("red", 5, 100);
  merger->Deliver(0, a.TakeClosed(70), absl::FromUnixSeconds(70));
  merger->Ask([](BinMerger::Bins&, Aggregator*) {});
  FakeWorker again;  // as after a reload: it knows nothing of closed bins
  again.Add("red", 6, 3);
  again.Add("red", 66, 4);
  merger->Deliver(0, again.TakeClosed(140), absl::FromUnixSeconds(140));
  EXPECT_TRUE(merger->Close(absl::Seconds(10)));
  EXPECT_EQ(Bins(),
            (std::vector<Written>{{0, false, {{"red", 100}}}, {0, true, {{"red", 3}}}, {60, false, {{"red", 4}}}}));
  EXPECT_EQ(merger->counters().corrections, 1u);
  EXPECT_EQ(merger->counters().bins_closed, 2u);
}

TEST_F(BinMergerTest, CloseWritesWhatIsOpen) {
  FakeWorker a, b;
  auto merger = Make(2);
  a.Add("red", 5, 100);
  b.Add("red", 5, 11);
  merger->Deliver(0, a.aggregator->TakeAll(), absl::InfinitePast());
  merger->Deliver(1, b.aggregator->TakeAll(), absl::InfinitePast());
  EXPECT_TRUE(merger->Close(absl::Seconds(10)));
  EXPECT_EQ(Bins(), (std::vector<Written>{{0, false, {{"red", 111}}}}));
}

TEST_F(BinMergerTest, WhatACheckpointClosedIsClosedAgainAsItWas) {
  FakeWorker a;
  auto merger = Make(1, 0, /*closes_at_checkpoints=*/true);
  const auto deliver = [&](std::initializer_list<int64_t> seconds, int64_t passed) {
    for (const int64_t at : seconds) a.Add("red", at, 1);
    merger->Deliver(0, a.aggregator->TakeAll(), absl::FromUnixSeconds(passed));
  };
  const auto checkpoint = [&] {
    auto made = merger->StartCheckpoint();
    made->done.Wait();
    EXPECT_TRUE(made->state.ok()) << made->state.status();
    return made;
  };
  deliver({5, 65}, 75);
  merger->Ask([](BinMerger::Bins&, Aggregator*) {});
  EXPECT_TRUE(merger->is_due());
  (void)checkpoint();
  EXPECT_FALSE(merger->is_due());
  EXPECT_FALSE(merger->is_written());
  EXPECT_EQ(Bins().size(), 0u);
  const auto await_written = [&] {
    merger->Release();
    for (int i = 0; i < 1000 && !merger->is_written(); ++i) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_TRUE(merger->is_written());
  };
  await_written();
  // A correction, a bin that is over, and one that is open.
  deliver({6, 66, 125}, 140);
  const auto last = checkpoint();
  deliver({7, 67, 126}, 140);  // in no bin of the checkpoint
  await_written();
  const std::vector<Written> written = {{0, false, {{"red", 1}}}, {0, true, {{"red", 1}}}, {60, false, {{"red", 2}}}};
  EXPECT_EQ(Bins(), written);
  EXPECT_TRUE(merger->Close(absl::Seconds(10), [](absl::string_view) { return true; }));
  const std::vector<uint64_t> numbers = book_.numbers;

  // After a crash: nothing of it was noted as written, or the first bin was.
  for (const int64_t through : {INT64_MIN, 60 * kSecond}) {
    const size_t again = through == INT64_MIN ? 1 : 2;
    book_.bins.clear();
    book_.numbers.clear();
    merger = Make(1, 0, true);
    const auto restored = merger->RestoreCheckpoint(*last->state, last->due_nanos, last->last_correction, through);
    ASSERT_TRUE(restored.ok()) << restored.status();
    await_written();
    EXPECT_EQ(Bins(), std::vector<Written>(written.begin() + static_cast<long>(again), written.end()));
    EXPECT_EQ(book_.numbers, std::vector<uint64_t>(numbers.begin() + static_cast<long>(again), numbers.end()));
    EXPECT_TRUE(merger->Close(absl::Seconds(10)));
    EXPECT_EQ(Bins().back(), (Written{120, false, {{"red", 1}}}));
  }
}

TEST_F(BinMergerTest, KeepsBinsAndShowsWhatIsOpen) {
  FakeWorker a;
  auto merger = Make(1, /*kept_bins=*/2);
  for (int64_t minute = 0; minute < 4; ++minute) a.Add("red", minute * 60, 1);
  merger->Deliver(0, a.TakeClosed(190), absl::FromUnixSeconds(190));  // three bins are over
  merger->Deliver(0, a.aggregator->TakeAll(), absl::InfinitePast());
  size_t kept = 0, open = 0;
  merger->Ask([&](BinMerger::Bins& bins, Aggregator* rest) {
    kept = bins.size();
    for (const AggregateBatch& bin : rest->Snapshot()) open += bin.size();
  });
  EXPECT_EQ(kept, 2u);
  EXPECT_EQ(open, 1u);
  EXPECT_TRUE(merger->Close(absl::Seconds(10)));
  EXPECT_EQ(Bins().size(), 4u) << "looking changed nothing";
}

}  // namespace
}  // namespace flowacct::collector
