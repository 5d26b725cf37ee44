#include "flowacct/record/exporter_counters.h"

#include <gtest/gtest.h>

#include <set>

namespace flowacct::record {
namespace {

TEST(ExporterCountersTest, AddAddsAll) {
  ExporterCounters sum, other;
  uint64_t n = 0;
  for (const ExporterCounter& counter : ExporterCounterTable()) other.*counter.value = ++n;
  other.pending_sets = 3;
  other.template_count = 4;
  other.sequence = {"records", 1, 2, 3, 4, 11};
  other.sample_sequence = {"samples", 5, 6, 7, 8, 12};
  other.errors.Count(base::DecodeCode::kFragment, 9);
  other.last_seen_nanos = 10;
  sum.domains = 0;
  sum.Add(other);
  other.last_seen_nanos = 5;
  sum.Add(other);
  n = 0;
  for (const ExporterCounter& counter : ExporterCounterTable()) EXPECT_EQ(sum.*counter.value, 2 * ++n) << counter.name;
  EXPECT_EQ(sum.domains, 2u);
  EXPECT_EQ(sum.pending_sets, 6u);
  EXPECT_EQ(sum.template_count, 8u);
  EXPECT_EQ(sum.sequence.unit, "records");
  EXPECT_EQ(sum.sequence.gaps, 2u);
  EXPECT_EQ(sum.sequence.lost, 4u);
  EXPECT_EQ(sum.sequence.reordered, 6u);
  EXPECT_EQ(sum.sequence.restarts, 8u);
  EXPECT_EQ(sum.sequence.lost_over_restart, 22u);
  EXPECT_EQ(sum.sample_sequence.lost, 12u);
  EXPECT_EQ(sum.errors[base::DecodeCode::kFragment], 18u);
  EXPECT_EQ(sum.last_seen_nanos, 10);
}

TEST(ExporterCountersTest, UnitsThatDifferAreBothTold) {
  SequenceCounters sum;
  sum.Add({});
  sum.Add({"datagrams"});
  EXPECT_EQ(sum.unit, "datagrams");
  sum.Add({});
  sum.Add({"records"});
  EXPECT_EQ(sum.unit, "records or datagrams");
}

TEST(ExporterCountersTest, NamesAreUnique) {
  std::set<absl::string_view> names;
  for (const ExporterCounter& counter : ExporterCounterTable()) EXPECT_TRUE(names.insert(counter.name).second);
  EXPECT_TRUE(names.count("flow_records"));
}

}  // namespace
}  // namespace flowacct::record
