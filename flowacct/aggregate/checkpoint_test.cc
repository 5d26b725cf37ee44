#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/record/value_text.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

std::vector<std::string> PiecesOf(const Aggregator& aggregator) {
  std::vector<std::string> pieces;
  const absl::Status status = aggregator.SaveState([&pieces](base::Octets piece) {
    pieces.emplace_back(base::AsText(piece));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return pieces;
}

std::string StateOf(const Aggregator& aggregator) {
  std::string state;
  for (const std::string& piece : PiecesOf(aggregator)) state += piece;
  return state;
}

// Every row as text: bin, key, values.
std::multiset<std::string> Rows(const std::vector<AggregateBatch>& batches) {
  std::multiset<std::string> rows;
  for (const AggregateBatch& batch : batches) {
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string text = absl::StrCat(batch.bin().start_nanos, batch.correction() ? " correction" : "",
                                      batch.is_overflow(i) ? " overflow" : "");
      for (const F field : batch.schema().key.fields()) {
        absl::StrAppend(&text, "|");
        record::AppendText(batch.key(i), field, batch.interner(), &text);
      }
      for (size_t column = 0; column < batch.schema().values.size(); ++column) {
        const absl::uint128 number = batch.wide_value(i, column);
        absl::StrAppend(&text, "|", batch.has_value(i, column) ? "" : "none", absl::Uint128High64(number), ":",
                        absl::Uint128Low64(number), batch.text(i, column));
      }
      rows.insert(text);
    }
  }
  return rows;
}

void ExpectSameCounters(const AggregatorCounters& a, const AggregatorCounters& b) {
  EXPECT_EQ(a.records_in, b.records_in);
  EXPECT_EQ(a.records_aggregated, b.records_aggregated);
  EXPECT_EQ(a.records_late, b.records_late);
  EXPECT_EQ(a.records_overflowed, b.records_overflowed);
  EXPECT_EQ(a.groups, b.groups);
}

TEST(Checkpoint, WhatIsRestoredGoesOnAsIfNothingHadBeen) {
  for (const size_t max_groups : {size_t{100000}, size_t{150}}) {  // without and with an overflow group
    AggregatorOptions options = OfEveryKind();
    options.max_groups = max_groups;
    Bench whole(options), first(options), second(options);
    for (int i = 0; i < 50; ++i) second.interner.Intern(absl::StrCat("so that ids differ ", i));
    InternHosts(&second);
    AddOfEveryKind(&whole, 1, 3000);
    AddOfEveryKind(&first, 1, 3000);
    EXPECT_FALSE(whole.aggregator->CloseBefore(absl::FromUnixSeconds(90)).empty());
    EXPECT_FALSE(first.aggregator->CloseBefore(absl::FromUnixSeconds(90)).empty());
    const absl::StatusOr<Aggregator::Restored> restored =
        second.aggregator->RestoreState(base::AsOctets(StateOf(*first.aggregator)));
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(restored->bins, 3u);
    EXPECT_EQ(restored->groups, first.aggregator->open_groups());
    EXPECT_EQ(second.aggregator->open_groups(), first.aggregator->open_groups());
    AddOfEveryKind(&whole, 2, 3000);
    AddOfEveryKind(&second, 2, 3000);
    ExpectSameCounters(second.aggregator->counters(), whole.aggregator->counters());
    EXPECT_GT(whole.aggregator->counters().records_late, 0u);
    EXPECT_EQ(second.aggregator->late().rows, whole.aggregator->late().rows);
    EXPECT_EQ(second.aggregator->late().sums, whole.aggregator->late().sums);
    const auto rows = Rows(whole.aggregator->Close());
    EXPECT_GT(rows.size(), max_groups > 1000 ? 300u : 150u);
    EXPECT_EQ(Rows(second.aggregator->Close()), rows);
  }
}

TEST(Checkpoint, WithoutBinsAndWithoutKeys) {
  Bench first(By({}, {"packets"})), second(By({}, {"packets"}));
  first.Row().Set<F::kPackets>(7);
  first.Flush();
  ASSERT_TRUE(second.aggregator->RestoreState(base::AsOctets(StateOf(*first.aggregator))).ok());
  second.Row().Set<F::kPackets>(3);
  second.Flush();
  const auto batches = second.aggregator->Close();
  ASSERT_EQ(batches[0].size(), 1u);
  EXPECT_EQ(batches[0].value(0, 0), 10u);
  // Nothing is a state, too.
  const auto nothing = second.aggregator->RestoreState(base::AsOctets(StateOf(*second.aggregator)));
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->groups, 0u);
}

TEST(Checkpoint, AWorkerHandsItsBinsOverAndTheyAreKeptElsewhere) {
  Bench whole(OfEveryKind()), worker(OfEveryKind()), kept(OfEveryKind());
  AddOfEveryKind(&whole, 1, 2000);
  AddOfEveryKind(&worker, 1, 2000);
  std::unique_ptr<Aggregator> partial = worker.aggregator->TakeAll();
  AddOfEveryKind(&whole, 2, 2000);
  AddOfEveryKind(&worker, 2, 2000);
  const std::string state = StateOf(*partial);
  ASSERT_TRUE(worker.aggregator->Merge(std::move(*partial)).ok());
  const auto rows = Rows(whole.aggregator->Close());
  EXPECT_EQ(Rows(worker.aggregator->Close()), rows);
  InternHosts(&kept);
  ASSERT_TRUE(kept.aggregator->RestoreState(base::AsOctets(state)).ok());
  AddOfEveryKind(&kept, 2, 2000);
  EXPECT_EQ(Rows(kept.aggregator->Close()), rows);
}

TEST(Checkpoint, OtherOptionsAreRefusedWithAReason) {
  AggregatorOptions options = By({"src_as", "src_addr/24"}, {"bytes", "top(dst_port)"});
  options.every = absl::Minutes(5);
  Bench saved(options);
  saved.Row().Set<F::kSrcAs>(1);
  saved.Flush();
  const std::string state = StateOf(*saved.aggregator);
  const auto error = [&state](const AggregatorOptions& other) {
    Bench bench(other);
    const absl::Status status = bench.aggregator->RestoreState(base::AsOctets(state)).status();
    EXPECT_EQ(bench.aggregator->counters().records_in, 0u);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  AggregatorOptions other = options;
  other.by = {"src_as", "src_addr/25"};
  EXPECT_EQ(error(other),
            "open time bins: what was kept is accounted \"by src_as:u32,src_net:prefix/24/64 sum "
            "bytes:u64,top(dst_port):u16#3 every 5m in UTC\", and here it is \"by src_as:u32,src_net:prefix/25/64 sum "
            "bytes:u64,top(dst_port):u16#3 every 5m in UTC\"; keep the options, or give up what was kept");
  other = options;
  other.values = {"bytes"};
  EXPECT_TRUE(absl::StrContains(error(other), "sum bytes:u64 every 5m"));
  other = options;
  other.every = absl::Minutes(1);
  EXPECT_TRUE(absl::StrContains(error(other), "every 1m"));
  other = options;
  other.max_groups = 1000;  // bounds may differ
  Bench bench(other);
  EXPECT_TRUE(bench.aggregator->RestoreState(base::AsOctets(state)).ok());
  EXPECT_FALSE(bench.aggregator->RestoreState(base::AsOctets(base::Seal("another", 1, {}))).ok());
}

TEST(Checkpoint, MoreBinsThanMayBeOpenAreRefused) {
  Bench saved(OfEveryKind());
  AddOfEveryKind(&saved, 1, 500);
  AggregatorOptions options = OfEveryKind();
  options.max_open_bins = 2;
  Bench bench(options);
  EXPECT_EQ(bench.aggregator->RestoreState(base::AsOctets(StateOf(*saved.aggregator))).status().message(),
            "open time bins: more were kept than max_open_bins = 2 lets in; raise it");
}

TEST(Checkpoint, WhatWasCutOrChangedIsRefusedWholly) {
  Bench saved(OfEveryKind());
  AddOfEveryKind(&saved, 1, 20);
  const std::string state = StateOf(*saved.aggregator);
  for (size_t i = 0; i < state.size(); ++i) {
    std::string changed = state;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    for (const absl::string_view octets : {absl::string_view(state).substr(0, i), absl::string_view(changed)}) {
      Bench bench(OfEveryKind());
      ASSERT_FALSE(bench.aggregator->RestoreState(base::AsOctets(octets)).ok()) << i;
      ASSERT_EQ(bench.aggregator->open_groups(), 0u);
      ASSERT_EQ(bench.aggregator->counters().records_in, 0u);
    }
  }
  // A whole piece more or less shows, too.
  std::vector<std::string> pieces = PiecesOf(*saved.aggregator);
  Bench bench(OfEveryKind());
  EXPECT_FALSE(bench.aggregator->RestoreState(base::AsOctets(state + pieces.back())).ok());
  std::string without;
  for (size_t i = 0; i < pieces.size(); ++i) without += i == 2 ? "" : pieces[i];
  EXPECT_EQ(bench.aggregator->RestoreState(base::AsOctets(without)).status().code(), absl::StatusCode::kDataLoss);
}

TEST(Checkpoint, ComesInPiecesAndStopsWhereItCannotBeWritten) {
  Bench bench(By({"src_addr", "dst_port"}, {"packets", "bytes"}));
  for (uint32_t i = 0; i < 60000; ++i) {
    auto row = bench.Row();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(i));
    row.Set<F::kDstPort>(443);
    row.Set<F::kPackets>(i);
    row.Set<F::kBytes>(i);
  }
  bench.Flush();
  const std::vector<std::string> pieces = PiecesOf(*bench.aggregator);
  EXPECT_GE(pieces.size(), 5u);
  size_t octets = 0;
  for (const std::string& piece : pieces) {
    EXPECT_LT(piece.size(), size_t{300} << 10);
    octets += piece.size();
  }
  EXPECT_LT(octets, 60000u * 20);  // a group is written as what it holds, not as it lies
  int left = 3;
  const absl::Status status = bench.aggregator->SaveState([&left](base::Octets) {
    return --left > 0 ? absl::OkStatus() : absl::ResourceExhaustedError("the disk is full");
  });
  EXPECT_EQ(status.message(), "the disk is full");
  EXPECT_EQ(left, 0);
}

TEST(Checkpoint, BinsThatWerePushedOutAreTakenFirst) {
  AggregatorOptions options = OfEveryKind();
  options.max_open_bins = 1;
  Bench bench(options);
  AddOfEveryKind(&bench, 1, 500);
  const auto write = [](base::Octets) { return absl::OkStatus(); };
  EXPECT_EQ(bench.aggregator->SaveState(write).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(bench.aggregator->CloseBefore(absl::InfinitePast()).empty());
  EXPECT_TRUE(bench.aggregator->SaveState(write).ok());
}

}  // namespace
}  // namespace flowacct::aggregate
