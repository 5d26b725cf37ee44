#include "flowacct/collector/spool/spool.h"

#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using aggregate::AggregateBatch;
using record::FieldId;

const absl::Time kNow = absl::FromUnixSeconds(1767225600);

AggregateBatch Batch(uint32_t rows, uint64_t number) {
  static base::Interner interner;
  aggregate::AggregatorOptions options;
  options.by = {"src_as"};
  auto aggregator = aggregate::Aggregator::New(options, &interner);
  const record::Layout layout((*aggregator)->RequiredFields());
  (*aggregator)->Bind(layout);
  record::FlowBatch records(&layout, &interner);
  for (uint32_t i = 0; i < rows; ++i) records.Append().Set<FieldId::kSrcAs>(i);
  (*aggregator)->Add(records);
  AggregateBatch batch = std::move((*aggregator)->Close()[0]);
  batch.set_identity({"edge", "flows", 1, number});
  return batch;
}

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "spoolXXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.folder = folder;
    Open();
  }
  void Open() {
    spool_ = nullptr;
    auto spool = Spool::Open(options_);
    ASSERT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
  }
  void Append(uint32_t rows, absl::Time now = kNow) {
    const std::string octets = Spool::Encode(Batch(rows, ++number_));
    const uint64_t number = spool_->Reserve(octets.size(), rows, now, &losses_);
    if (number == 0) return;
    EXPECT_TRUE(spool_->Write(number, octets).ok());
    spool_->Publish(number);
  }
  // Rows of the next batch; 0: there is none.
  size_t Take(absl::Time now = kNow) {
    while ((taken_ = spool_->Take(now, &losses_)) != 0) {
      const absl::StatusOr<AggregateBatch> batch = spool_->Read(taken_);
      if (!batch.ok()) {
        EXPECT_EQ(batch.status().code(), absl::StatusCode::kDataLoss);
        damaged_rows_ += spool_->rows(taken_);
        spool_->SetAside(taken_);
        continue;
      }
      EXPECT_EQ(batch->size(), spool_->rows(taken_));
      identity_ = batch->identity();
      return batch->size();
    }
    return 0;
  }
  size_t TakeAndRemove(absl::Time now = kNow) {
    const size_t rows = Take(now);
    if (rows > 0) {
      EXPECT_TRUE(spool_->Remove(taken_).ok());
    }
    return rows;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    const std::string command = "ls " + options_.folder;
    FILE* pipe = popen(command.c_str(), "r");
    char line[256];
    while (fgets(line, sizeof(line), pipe) != nullptr) files.emplace_back(line, strlen(line) - 1);
    pclose(pipe);
    return files;
  }

  SpoolOptions options_;
  std::shared_ptr<Spool> spool_;
  Spool::Losses losses_;
  uint64_t number_ = 0, taken_ = 0, damaged_rows_ = 0;
  aggregate::BatchIdentity identity_;
};

TEST_F(SpoolTest, GivesTheOldestFirstAndOnce) {
  for (const uint32_t rows : {3, 1, 2}) Append(rows);
  EXPECT_EQ(spool_->contents().batches, 3u);
  EXPECT_EQ(Take(), 3u);
  EXPECT_EQ(identity_, (aggregate::BatchIdentity{"edge", "flows", 1, 1}));
  const uint64_t first = taken_;
  EXPECT_EQ(TakeAndRemove(), 1u);  // the first is taken
  spool_->GiveBack(first);
  EXPECT_EQ(TakeAndRemove(), 3u);
  EXPECT_EQ(TakeAndRemove(), 2u);
  EXPECT_EQ(Take(), 0u);
  EXPECT_EQ(spool_->contents().octets, 0u);
  EXPECT_EQ(losses_.rows, 0u);
  EXPECT_TRUE(Files().empty());
}

TEST_F(SpoolTest, SurvivesARestartInItsOrder) {
  for (uint32_t rows = 1; rows <= 12; ++rows) Append(rows);
  EXPECT_EQ(TakeAndRemove(), 1u);
  EXPECT_EQ(Take(), 2u);  // and is lost to us, as if killed
  const uint64_t octets = spool_->contents().octets;
  Open();
  EXPECT_EQ(spool_->contents().batches, 11u);
  EXPECT_EQ(spool_->contents().octets, octets);
  Append(13);
  for (size_t rows = 2; rows <= 13; ++rows) {
    EXPECT_EQ(TakeAndRemove(), rows);
    EXPECT_EQ(identity_.number, rows);
  }
}

TEST_F(SpoolTest, ASecondProcessIsRefused) {
  EXPECT_EQ(Spool::Open(options_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SpoolTest, WhatIsDamagedIsSetAsideAndTheRestIsUsed) {
  for (const uint32_t rows : {3, 5, 7}) Append(rows);
  const std::string victim = Files()[1];
  {
    std::fstream file(options_.folder + "/" + victim, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(40);
    const char octet = static_cast<char>(file.get() ^ 4);
    file.seekp(40);
    file.put(octet);
  }
  Open();
  EXPECT_EQ(TakeAndRemove(), 3u);
  EXPECT_EQ(TakeAndRemove(), 7u);
  EXPECT_EQ(TakeAndRemove(), 0u);
  EXPECT_EQ(damaged_rows_, 5u);
  const std::vector<std::string> files = Files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].substr(0, victim.size() + 1), victim + "+");
  // It is not taken again, and its number is not given again.
  Open();
  EXPECT_EQ(spool_->contents().batches, 0u);
  EXPECT_GT(spool_->contents().octets, 0u);
  Append(1);
  EXPECT_GT(Files()[1], victim);
}

TEST_F(SpoolTest, WhatIsGoneOrHalfWrittenIsNoticed) {
  for (const uint32_t rows : {3, 5}) Append(rows);
  ASSERT_EQ(remove((options_.folder + "/" + Files()[0]).c_str()), 0);
  std::ofstream(options_.folder + "/00000000000000000009.1.1767225600~") << "half";
  std::ofstream(options_.folder + "/notes.txt") << "somebody's";
  EXPECT_EQ(TakeAndRemove(), 5u);
  EXPECT_EQ(damaged_rows_, 3u);
  Open();
  EXPECT_EQ(spool_->contents().batches, 0u);
  EXPECT_EQ(Files(), std::vector<std::string>{"notes.txt"});
}

TEST_F(SpoolTest, TheOldestMakeRoomOrTheNewestIsRefused) {
  Append(1000);
  const uint64_t one = spool_->contents().octets;
  options_.max_octets = 3 * one + one / 2;
  Open();
  Append(1000);
  Append(1000);
  EXPECT_EQ(Take(), 1000u);  // in somebody's hands, it stays
  Append(1000);
  EXPECT_EQ(losses_.dropped, 1u);
  EXPECT_EQ(losses_.rows, 1000u);
  EXPECT_LE(spool_->contents().octets, options_.max_octets);
  spool_->GiveBack(taken_);
  EXPECT_EQ(TakeAndRemove(), 1000u);
  EXPECT_EQ(identity_.number, 1u);
  EXPECT_EQ(TakeAndRemove(), 1000u);
  EXPECT_EQ(identity_.number, 3u);
  Append(20000);  // more than there is room for at all
  EXPECT_EQ(losses_.dropped, 2u);
  EXPECT_EQ(losses_.rows, 21000u);
  EXPECT_EQ(TakeAndRemove(), 1000u);
  EXPECT_EQ(identity_.number, 4u);

  options_.drop_oldest = false;
  Open();
  for (int i = 0; i < 5; ++i) Append(1000);
  EXPECT_EQ(losses_.dropped, 4u);
  EXPECT_EQ(TakeAndRemove(), 1000u);
  EXPECT_EQ(identity_.number, 6u);
}

TEST_F(SpoolTest, WhatIsTooOldGoes) {
  options_.max_age = absl::Hours(1);
  Open();
  Append(3, kNow);
  Append(5, kNow + absl::Minutes(50));
  EXPECT_EQ(TakeAndRemove(kNow + absl::Minutes(61)), 5u);
  EXPECT_EQ(losses_.dropped, 1u);
  EXPECT_EQ(losses_.rows, 3u);
}

}  // namespace
}  // namespace flowacct::collector
