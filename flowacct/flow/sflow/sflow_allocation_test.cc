// No allocation a sample in steady state.

#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {
namespace {

TEST(SflowAllocationTest, NoneASampleInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner);
  record::FlowBatch counters(&layout, &interner);
  SflowDecoder decoder(&layout);
  SflowBuilder builder;
  for (uint32_t i = 0; i < 7; ++i) {
    FlowSampleFields fields;
    fields.source.index = i;
    builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(PacketFields())), SwitchRecord(1, 2, 3, 4),
                                   RouterRecord(base::IpAddress::V4(1), 8, 9), GatewayRecord(GatewayFields()),
                                   UserRecord("alice", "bob"), MplsRecord(base::IpAddress::V4(1), {1, 2}, {})});
  }
  builder.AddCountersSample(1, {0, 1}, {IfCountersRecord(1, 5)});
  record::Datagram datagram;
  datagram.octets = builder.octets();
  const auto decode = [&] {
    flows.Clear();
    counters.Clear();
    return decoder.Decode(datagram, {&flows, &counters, nullptr}).ok();
  };
  ASSERT_TRUE(decode());
  const testing::AllocationCounter counter;
  bool ok = true;
  for (int i = 0; i < 1000; ++i) ok = decode() && ok;
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_TRUE(ok);
  EXPECT_EQ(flows.size(), 7);
  EXPECT_EQ(counters.size(), 17);
}

}  // namespace
}  // namespace flowacct::sflow
