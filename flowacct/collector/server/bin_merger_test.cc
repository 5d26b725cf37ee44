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
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  Book* book_;
};

class BinMergerTest : public testing::Test {
 protected:
  std::unique_ptr<BinMerger> Make(size_t workers, size_t kept_bins = 0) {
    std::vector<std::unique_ptr<SinkQueue>> sinks;
    sinks.push_back(std::make_unique<SinkQueue>(std::make_unique<BookSink>(&book_), SinkQueueOptions()));
    BinMergerOptions options;
    options.name = "p";
    options.aggregator = Options();
    options.workers = workers;
    options.kept_bins = kept_bins;
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
