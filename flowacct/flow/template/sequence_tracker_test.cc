#include "flowacct/flow/template/sequence_tracker.h"

#include <gtest/gtest.h>

#include <vector>

namespace flowacct::flow {
namespace {

using Verdict = SequenceTracker::Verdict;

struct Message {
  uint32_t sequence;
  uint32_t units;
  Verdict verdict;
};

struct Case {
  const char* what;
  std::vector<Message> messages;
  uint64_t gaps, lost, reordered, restarts;
};

TEST(SequenceTrackerTest, TellsLossReorderingAndRestarts) {
  const Case kCases[] = {
      {"in order", {{5, 10, Verdict::kFirst}, {15, 1, Verdict::kInOrder}, {16, 1, Verdict::kInOrder}}, 0, 0, 0, 0},
      {"a gap", {{0, 10, Verdict::kFirst}, {17, 3, Verdict::kGap}, {20, 1, Verdict::kInOrder}}, 1, 7, 0, 0},
      {"a gap that is filled late",
       {{0, 10, Verdict::kFirst}, {17, 3, Verdict::kGap}, {10, 7, Verdict::kReordered}, {20, 1, Verdict::kInOrder}},
       1,
       0,
       1,
       0},
      {"a gap of which half comes late",
       {{0, 10, Verdict::kFirst}, {18, 2, Verdict::kGap}, {10, 4, Verdict::kReordered}},
       1,
       4,
       1,
       0},
      {"a duplicate was never lost", {{0, 10, Verdict::kFirst}, {0, 10, Verdict::kReordered}}, 0, 0, 1, 0},
      {"numbers wrap",
       {{0xfffffffe, 4, Verdict::kFirst}, {2, 1, Verdict::kInOrder}, {5, 1, Verdict::kGap}},
       1,
       2,
       0,
       0},
      {"late across the wrap",
       {{0xfffffffe, 1, Verdict::kFirst}, {3, 1, Verdict::kGap}, {0xffffffff, 4, Verdict::kReordered}},
       1,
       0,
       1,
       0},
      {"the largest gap", {{0, 0, Verdict::kFirst}, {100, 1, Verdict::kGap}}, 1, 100, 0, 0},
      {"a jump beyond it",
       {{0, 0, Verdict::kFirst}, {101, 1, Verdict::kRestart}, {102, 1, Verdict::kInOrder}},
       0,
       0,
       0,
       1},
      {"as late as can be", {{50, 0, Verdict::kFirst}, {40, 1, Verdict::kReordered}}, 0, 0, 1, 0},
      {"further back", {{50, 0, Verdict::kFirst}, {39, 1, Verdict::kRestart}, {40, 1, Verdict::kInOrder}}, 0, 0, 0, 1},
  };
  for (const Case& c : kCases) {
    SequenceTracker tracker({/*max_gap=*/100, /*max_reorder=*/10});
    for (const Message& message : c.messages) {
      EXPECT_EQ(tracker.Observe(message.sequence), message.verdict) << c.what << " " << message.sequence;
      tracker.Advance(message.units);
    }
    const record::SequenceReport report = tracker.Report("records");
    EXPECT_EQ(report.unit, "records");
    EXPECT_EQ(report.gaps, c.gaps) << c.what;
    EXPECT_EQ(report.lost, c.lost) << c.what;
    EXPECT_EQ(report.reordered, c.reordered) << c.what;
    EXPECT_EQ(report.restarts, c.restarts) << c.what;
  }
}

TEST(SequenceTrackerTest, BelievesTheNextMessageAfterOneThatCouldNotBeCounted) {
  SequenceTracker tracker;
  EXPECT_EQ(tracker.Observe(10), Verdict::kFirst);
  tracker.Lose();
  EXPECT_EQ(tracker.Observe(500), Verdict::kFirst);
  tracker.Advance(3);
  EXPECT_EQ(tracker.expected(), 503u);
  EXPECT_EQ(tracker.Report("records").gaps, 0u);
  tracker.Restart();
  EXPECT_EQ(tracker.Observe(0), Verdict::kFirst);
  EXPECT_EQ(tracker.Report("records").restarts, 1u);
}

}  // namespace
}  // namespace flowacct::flow
