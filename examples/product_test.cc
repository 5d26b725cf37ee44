// A unit test of an imagined product, "Topsy", which shows an operator who sends most. It replays a capture instead of
// waiting for a network, and so it always sees the same traffic.

#include <gtest/gtest.h>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/sink/sink.h"

namespace topsy {

// What the product would show: the AS that sent most octets. A sink is all that it takes to get the rows.
class BusiestAs : public flowacct::sink::Sink {
 public:
  absl::Status Write(const flowacct::aggregate::AggregateBatch& batch) override {
    const auto rows = flowacct::aggregate::TopRows(batch, /*by=*/0, /*limit=*/1);
    if (rows.empty()) return absl::OkStatus();
    as = batch.key(rows[0]).Get<flowacct::record::FieldId::kSrcAs>();
    bytes = batch.value(rows[0], 0);
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

  uint32_t as = 0;
  uint64_t bytes = 0;
};

TEST(Topsy, ShowsTheAsThatSendsMost) {
  BusiestAs busiest;
  flowacct::collector::ReplayOptions options;
  options.files = {"testdata/quickstart.pcap"};
  options.pipeline.aggregations.resize(1);
  options.pipeline.aggregations[0].aggregator.by = {"src_as"};
  options.pipeline.aggregations[0].aggregator.values = {"bytes"};
  options.pipeline.aggregations[0].sink = &busiest;

  const auto outcome = flowacct::collector::Replay(options);

  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->incomplete());
  EXPECT_GT(outcome->records, 0u);
  EXPECT_GE(busiest.as, 64496u) << "documentation numbers (RFC 5398): 64496 to 64511";
  EXPECT_LE(busiest.as, 64511u);
  EXPECT_GT(busiest.bytes, 0u);
}

}  // namespace topsy
