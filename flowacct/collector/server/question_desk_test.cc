#include "flowacct/collector/server/question_desk.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

const query::AnswerFormat& Csv() { return **query::FindAnswerFormat("csv"); }

// A store of the rows of a test, that may be slow.
class SlowStore : public query::GroupStore {
 public:
  enum class How { kQuick, kUntilStopped, kUntilLetGo };
  SlowStore(How how, std::atomic<bool>* let_go) : how_(how), let_go_(let_go) {
    for (const auto& [table, batch] : data_.batches()) twin_.Add(table, batch);
  }
  absl::string_view name() const override { return "slow"; }
  absl::StatusOr<std::vector<query::TableInfo>> Tables() override { return twin_.Tables(); }
  absl::Status Sum(const query::GroupRequest& request,
                   const std::function<bool(const query::GroupRow&)>& tell) override {
    while (how_ == How::kUntilStopped && !request.stopped()) absl::SleepFor(absl::Milliseconds(1));
    while (how_ == How::kUntilLetGo && !*let_go_) absl::SleepFor(absl::Milliseconds(1));
    return twin_.Sum(request, tell);
  }

 private:
  const How how_;
  std::atomic<bool>* const let_go_;
  query::ConformanceData data_;
  query::MemoryStore twin_;
};

class QuestionDeskTest : public testing::Test {
 protected:
  std::function<absl::StatusOr<OpenedStore>()> Open(SlowStore::How how) {
    return [this, how]() -> absl::StatusOr<OpenedStore> {
      return OpenedStore{std::make_unique<SlowStore>(how, &let_go_), {{"flows", query::kConformanceStart + 300}}};
    };
  }

  std::atomic<bool> let_go_{false};
};

TEST_F(QuestionDeskTest, AnswersAndSaysWhatStillFills) {
  QuestionDesk desk;
  const auto csv = desk.Ask("by flows table flows", Csv(), Open(SlowStore::How::kQuick));
  ASSERT_TRUE(csv.ok()) << csv.status();
  EXPECT_TRUE(absl::StartsWith(*csv, "flows\r\n"));
  const auto table = desk.Ask("by flows table flows", **query::FindAnswerFormat("table"), Open(SlowStore::How::kQuick));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(absl::StrContains(*table, "bins from 2026-03-29T00:05:00+00:00 on are still filling")) << *table;
  const auto before = desk.Ask("by flows to 2026-03-29T00:05 table flows", **query::FindAnswerFormat("table"),
                               Open(SlowStore::How::kQuick));
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_FALSE(absl::StrContains(*before, "still filling")) << *before;
  EXPECT_TRUE(absl::IsInvalidArgument(desk.Ask("by flwos", Csv(), Open(SlowStore::How::kQuick)).status()));
  EXPECT_EQ(
      desk.Ask("dst_as", Csv(), [] { return absl::StatusOr<OpenedStore>(absl::UnavailableError("away")); }).status(),
      absl::UnavailableError("away"));
}

TEST_F(QuestionDeskTest, NobodyWaitsForEver) {
  QuestionDeskOptions options;
  options.patience = absl::Milliseconds(100);
  QuestionDesk desk(options);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        desk.Ask("by flows table flows", Csv(), Open(SlowStore::How::kUntilStopped)).status()));
    absl::SleepFor(absl::Milliseconds(30));  // until it has heard it
  }
  EXPECT_TRUE(desk.Ask("by flows table flows", Csv(), Open(SlowStore::How::kQuick)).ok());
}

TEST_F(QuestionDeskTest, FewAtOnceAlsoOfThoseThatNobodyWaitsFor) {
  QuestionDeskOptions options;
  options.patience = absl::Milliseconds(100);
  options.max_at_once = 2;
  QuestionDesk desk(options);
  std::vector<std::thread> askers;
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&] {
      EXPECT_TRUE(absl::IsDeadlineExceeded(
          desk.Ask("by flows table flows", Csv(), Open(SlowStore::How::kUntilLetGo)).status()));
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_TRUE(absl::IsUnavailable(desk.Ask("by flows", Csv(), Open(SlowStore::How::kQuick)).status()));
  let_go_ = true;
  absl::Status status;
  for (int i = 0; i < 1000; ++i) {
    status = desk.Ask("by flows table flows", Csv(), Open(SlowStore::How::kQuick)).status();
    if (status.ok()) break;
    absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(QuestionDeskTest, AnAnswerIsBounded) {
  QuestionDeskOptions options;
  options.limits.max_groups = 3;
  QuestionDesk desk(options);
  EXPECT_TRUE(absl::IsResourceExhausted(
      desk.Ask("src_addr by flows table flows", Csv(), Open(SlowStore::How::kQuick)).status()));
}

}  // namespace
}  // namespace flowacct::collector
