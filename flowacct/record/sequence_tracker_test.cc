#include "flowacct/record/sequence_tracker.h"

#include <gtest/gtest.h>

#include <vector>

namespace flowacct::record {
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
    SequenceTracker tracker;
    SequenceCounters counters;
    for (const Message& message : c.messages) {
      EXPECT_EQ(tracker.Observe(message.sequence, {/*max_gap=*/100, /*max_reorder=*/10}, &counters), message.verdict)
          << c.what << " " << message.sequence;
      tracker.Advance(message.units, &counters);
    }
    EXPECT_EQ(counters.gaps, c.gaps) << c.what;
    EXPECT_EQ(counters.lost, c.lost) << c.what;
    EXPECT_EQ(counters.reordered, c.reordered) << c.what;
    EXPECT_EQ(counters.restarts, c.restarts) << c.what;
  }
}

TEST(SequenceTrackerTest, BelievesTheNextMessageAfterOneThatCouldNotBeCounted) {
  SequenceTracker tracker;
  SequenceCounters counters;
  EXPECT_EQ(tracker.Observe(10, {}, &counters), Verdict::kFirst);
  tracker.Lose();
  EXPECT_EQ(tracker.Observe(500, {}, &counters), Verdict::kFirst);
  tracker.Advance(3, &counters);
  EXPECT_EQ(tracker.expected(), 503u);
  EXPECT_EQ(counters.gaps, 0u);
  tracker.Restart(&counters);
  EXPECT_EQ(tracker.Observe(0, {}, &counters), Verdict::kFirst);
  EXPECT_EQ(counters.restarts, 1u);
}

TEST(SequenceTrackerTest, SequencesThatShareCountersKeepTheirOwnLosses) {
  SequenceTracker a, b;
  SequenceCounters counters;
  a.Follow(0, {}, &counters);
  b.Follow(0, {}, &counters);
  EXPECT_EQ(a.Follow(4, {}, &counters), Verdict::kGap);
  EXPECT_EQ(b.Follow(0, {}, &counters), Verdict::kReordered);  // a duplicate, which fills no gap of another sequence
  EXPECT_EQ(counters.lost, 3u);
  EXPECT_EQ(a.Follow(2, {}, &counters), Verdict::kReordered);
  EXPECT_EQ(counters.lost, 2u);
  EXPECT_EQ(counters.reordered, 2u);
}

TEST(SequenceTrackerTest, WhatIsMissingOverARestartIsToldApart) {
  struct {
    const char* what;
    uint32_t sequence;
    Verdict verdict;
    uint64_t over_restart, reordered, restarts;
  } const kCases[] = {
      {"nothing", 100, Verdict::kInOrder, 0, 0, 0},
      {"some", 150, Verdict::kResumed, 50, 0, 0},
      {"more than a gap may be", 50000100, Verdict::kResumed, 50000000, 0, 0},
      {"late", 95, Verdict::kReordered, 0, 1, 0},
      {"the exporter began anew, too", 0x90000000, Verdict::kRestart, 0, 0, 1},
  };
  for (const auto& c : kCases) {
    SequenceTracker tracker;
    SequenceCounters counters;
    tracker.Resume(100);
    EXPECT_EQ(tracker.Observe(c.sequence, {}, &counters), c.verdict) << c.what;
    tracker.Advance(2, &counters);
    EXPECT_EQ(counters.lost_over_restart, c.over_restart) << c.what;
    EXPECT_EQ(counters.reordered, c.reordered) << c.what;
    EXPECT_EQ(counters.restarts, c.restarts) << c.what;
    EXPECT_EQ(tracker.Observe(tracker.expected() + 7, {}, &counters), Verdict::kGap) << c.what;
    EXPECT_EQ(counters.lost, 7u) << c.what;
    EXPECT_EQ(counters.lost_over_restart, c.over_restart) << c.what;
  }
}

}  // namespace
}  // namespace flowacct::record
