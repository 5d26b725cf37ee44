// What the decoder remembers and counts of agents: sequences, rates, bounds, what is not known; saved and restored.

#include <string>
#include <vector>

#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"
#include "flowacct/flow/sflow/testing/sflow_decoder_fixture.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {
namespace {

using base::DecodeCode;
using base::IpAddress;
using record::FieldId;

TEST_F(SflowDecoderTest, SequencesAndEffectiveRates) {
  const BuiltRecord header = HeaderRecord(EthernetPacket(PacketFields()));
  // Datagrams 1, 2, 5, 4, 1000000000 (a restart). Samples of one source: the agent looks at one of 100 packets, but
  // loses every second sample.
  const uint32_t kSequences[] = {1, 2, 5, 4, 1000000000};
  uint32_t sample = 0;
  for (uint32_t sequence : kSequences) {
    SflowBuilder builder(5, IpAddress::V4(0x0a0a0a0a), sequence);
    for (int i = 0; i < 10; ++i) {
      FlowSampleFields fields;
      fields.sequence = ++sample;
      fields.source = {0, 12};
      fields.rate = 100;
      fields.pool = sample * 200;
      fields.drops = sample;
      builder.AddFlowSample(fields, {header});
    }
    ASSERT_TRUE(Decode(builder).ok());
  }
  const std::vector<record::ExporterReport> reports = decoder_.Report();
  ASSERT_EQ(reports.size(), 1);
  EXPECT_EQ(reports[0].protocol, "sflow5");
  EXPECT_EQ(reports[0].datagrams, 5);
  EXPECT_EQ(reports[0].flow_records, 50);
  EXPECT_EQ(reports[0].errors[DecodeCode::kOk], 5);
  EXPECT_EQ(reports[0].sequence.unit, "datagrams");
  EXPECT_EQ(reports[0].sequence.gaps, 1);
  EXPECT_EQ(reports[0].sequence.lost, 1);  // 3; 4 came late
  EXPECT_EQ(reports[0].sequence.reordered, 1);
  EXPECT_EQ(reports[0].sequence.restarts, 1);
  EXPECT_EQ(reports[0].sample_sequence.unit, "samples");
  EXPECT_EQ(reports[0].sample_sequence.gaps, 0);
  ASSERT_EQ(reports[0].sampling.size(), 2);
  EXPECT_EQ(reports[0].sampling[0].what, "source 0:12");
  EXPECT_EQ(reports[0].sampling[0].rate, 100);
  EXPECT_EQ(reports[0].sampling[1].what, "source 0:12 effective (49 samples dropped by the agent)");
  EXPECT_EQ(reports[0].sampling[1].rate, 200);
  EXPECT_EQ(Row(49).Get<FieldId::kSamplingRate>(), 100);  // as configured, unless asked
}

class EffectiveRateTest : public SflowDecoderTest {
 protected:
  static SflowDecoderOptions Options() {
    SflowDecoderOptions options;
    options.use_effective_rate = true;
    options.effective_rate_min_samples = 10;
    return options;
  }
  EffectiveRateTest() : SflowDecoderTest(Options()) {}
};

TEST_F(EffectiveRateTest, IsUsedOnceItIsKnown) {
  for (uint32_t i = 0; i < 20; ++i) {
    SflowBuilder builder(5, IpAddress::V4(1), i);
    FlowSampleFields fields;
    fields.sequence = 2 * i;  // every second sample is lost on the way
    fields.rate = 100;
    fields.pool = 0xffffff00u + 200 * i;  // and the pool wraps
    builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(PacketFields()))});
    ASSERT_TRUE(Decode(builder).ok());
  }
  EXPECT_EQ(Row(9).Get<FieldId::kSamplingRate>(), 100);
  EXPECT_EQ(Row(10).Get<FieldId::kSamplingRate>(), 200);
  EXPECT_EQ(Row(19).Get<FieldId::kSamplingRate>(), 200);
  EXPECT_EQ(decoder_.Report()[0].sample_sequence.lost, 19);
}

class LimitsTest : public SflowDecoderTest {
 protected:
  static SflowDecoderOptions Options() {
    SflowDecoderOptions options;
    options.max_samples = 3;
    options.max_records = 2;
    options.max_agents = 2;
    options.max_sources = 3;
    options.max_vendor_formats = 2;
    return options;
  }
  LimitsTest() : SflowDecoderTest(Options()) {}
};

TEST_F(LimitsTest, BiteAndAreCounted) {
  const BuiltRecord header = HeaderRecord(EthernetPacket(PacketFields()));
  SflowBuilder samples;
  for (int i = 0; i < 5; ++i) samples.AddFlowSample(FlowSampleFields(), {header});
  EXPECT_EQ(Decode(samples).code, DecodeCode::kLimitExceeded);
  EXPECT_EQ(flows_.size(), 3);
  EXPECT_EQ(decoder_.Report()[0].rejected_sets, 1);

  flows_.Clear();
  EXPECT_EQ(DecodeOne({header, SwitchRecord(1, 0, 2, 0), RouterRecord(IpAddress::V4(1), 8, 8)}).code,
            DecodeCode::kLimitExceeded);
  EXPECT_EQ(Row().Get<FieldId::kOutVlan>(), 2);
  EXPECT_FALSE(Row().Has(FieldId::kSrcMask));

  for (uint32_t agent = 10; agent < 15; ++agent) {
    flows_.Clear();
    SflowBuilder builder(5, IpAddress::V4(agent));
    FlowSampleFields fields;
    fields.source.index = agent;
    builder.AddFlowSample(fields, {header});
    EXPECT_TRUE(Decode(builder).ok());
    EXPECT_EQ(flows_.size(), 1);  // untracked, but decoded
  }
  const std::vector<record::ExporterReport> reports = decoder_.Report();
  ASSERT_EQ(reports.size(), 3);
  EXPECT_EQ(reports[0].exporter, IpAddress());
  EXPECT_EQ(reports[0].scope, record::ExporterScope::kBeyond);
  EXPECT_EQ(reports[0].datagrams, 4);
  EXPECT_EQ(reports[0].flow_records, 4);
  EXPECT_EQ(reports[0].untracked_samples, 4);

  SflowBuilder vendors;
  for (uint32_t format = 1; format <= 3; ++format) vendors.AddSample(DataFormat(7, format), {});
  EXPECT_TRUE(Decode(vendors).ok());
  const std::vector<FormatCount> formats = decoder_.Formats();
  EXPECT_EQ(formats.back().name, "other");
  EXPECT_EQ(formats.back().count, 1);
}

TEST_F(LimitsTest, SourcesBeyondTheBoundAreDecodedAndCounted) {
  SflowBuilder builder;
  for (uint32_t index = 1; index <= 3; ++index) {
    FlowSampleFields fields;
    fields.source.index = index;
    builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(PacketFields()))});
  }
  EXPECT_TRUE(Decode(builder).ok());
  SflowBuilder counters;
  counters.AddCountersSample(1, {0, 1}, {IfCountersRecord(1, 5)});
  EXPECT_TRUE(Decode(counters).ok());
  EXPECT_EQ(flows_.size(), 3);
  EXPECT_GT(counters_.size(), 0);
  EXPECT_EQ(decoder_.Report()[0].untracked_samples, 1);
}

class ForgetTest : public SflowDecoderTest {
 protected:
  static SflowDecoderOptions Options() {
    SflowDecoderOptions options;
    options.max_agents = 2;
    options.max_sources = 2;
    options.agent_idle_seconds = 10;
    return options;
  }
  ForgetTest() : SflowDecoderTest(Options()) {}
};

TEST_F(ForgetTest, WhatForgottenAgentsCountedLivesOn) {
  constexpr int64_t kSecond = 1000000000;
  for (uint32_t agent = 1; agent <= 6; ++agent) {
    SflowBuilder builder(5, IpAddress::V4(agent));
    builder.AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields()))});
    builder.AddSample(DataFormat(7, 1), {});
    record::Datagram datagram;
    datagram.octets = builder.octets();
    datagram.arrival_nanos = kArrival + agent * 100 * kSecond;
    EXPECT_TRUE(decoder_.Decode(datagram, {&flows_, &counters_, nullptr}).ok());
    record::ExporterCounters sum;
    for (const record::ExporterReport& report : decoder_.Report()) sum.Add(report);
    EXPECT_EQ(sum.datagrams, agent);
    EXPECT_EQ(sum.flow_records, agent);
    EXPECT_EQ(sum.unknown_samples, agent);
    EXPECT_EQ(sum.untracked_samples, 0) << "the sources of the forgotten leave room";
  }
  const std::vector<record::ExporterReport> reports = decoder_.Report();
  ASSERT_EQ(reports.size(), 3);
  EXPECT_EQ(reports[0].scope, record::ExporterScope::kForgotten);
  EXPECT_EQ(reports[0].protocol, "sflow");
  EXPECT_EQ(reports[0].domains, 4);
}

TEST_F(SflowDecoderTest, WhatIsNotKnownIsCounted) {
  const BuiltRecord header = HeaderRecord(EthernetPacket(PacketFields()));
  SflowBuilder builder;
  builder.AddSample(DataFormat(0, 99), {});                                                             // a kind
  builder.AddSample(DataFormat(4242, 1), {});                                                           // an enterprise
  builder.AddFlowSample(FlowSampleFields(), {header, {DataFormat(4242, 1), {0, 0, 0, 1}}});             // a record
  builder.AddCountersSample(1, {0, 1}, {{DataFormat(0, 4000), {0, 0, 0, 1}}, IfCountersRecord(1, 5)});  // counters
  EXPECT_TRUE(Decode(builder).ok());
  EXPECT_EQ(flows_.size(), 1);
  const record::ExporterReport report = decoder_.Report()[0];
  EXPECT_EQ(report.unknown_samples, 2);
  EXPECT_EQ(report.unknown_records, 2);
  EXPECT_EQ(report.flow_records, 1);
  EXPECT_EQ(report.counter_records, 2);
}

TEST_F(SflowDecoderTest, WhatIsNoDatagramIsCounted) {
  const std::vector<uint8_t> octets = {0, 0, 0, 9, 0, 0, 0, 1};
  EXPECT_EQ(Decode(octets).code, DecodeCode::kBadVersion);
  ASSERT_EQ(decoder_.Report().size(), 1);
  EXPECT_EQ(decoder_.Report()[0].scope, record::ExporterScope::kUnreadable);
  EXPECT_EQ(decoder_.Report()[0].errors[DecodeCode::kBadVersion], 1);
  EXPECT_EQ(decoder_.Report()[0].datagrams, 1);
  EXPECT_EQ(decoder_.Report()[0].octets, 8);
}

// The n-th datagram of an agent that looks at one packet in 200 and says one in 100.
SflowBuilder Nth(uint32_t n) {
  SflowBuilder builder(5, IpAddress::V4(0x0a0a0a0a), n);
  FlowSampleFields fields;
  fields.sequence = n;
  fields.source = {0, 12};
  fields.rate = 100;
  fields.pool = 200 * n;
  fields.drops = n / 2;
  builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(PacketFields()))});
  return builder;
}

TEST_F(EffectiveRateTest, IsKnownAgainAfterARestart) {
  SflowDecoder first(&layout_, Options());
  record::FlowBatch before(&layout_, &interner_);
  for (uint32_t n = 1; n <= 15; ++n) {
    const SflowBuilder builder = Nth(n);
    record::Datagram datagram;
    datagram.octets = builder.octets();
    datagram.arrival_nanos = kArrival;
    ASSERT_TRUE(first.Decode(datagram, {&before, nullptr, nullptr}).ok());
  }
  const std::string state = first.SaveState();
  const auto restored = decoder_.RestoreState(base::AsOctets(state));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->exporters, 1u);
  EXPECT_EQ(restored->left_out, 0u);
  EXPECT_EQ(decoder_.SaveState(), state);
  // 984 datagrams and samples passed while nobody looked: their packets say nothing of the rate.
  for (uint32_t n = 1000; n < 1010; ++n) ASSERT_TRUE(Decode(Nth(n)).ok());
  EXPECT_EQ(Row(0).Get<FieldId::kSamplingRate>(), 200u);
  EXPECT_EQ(Row(9).Get<FieldId::kSamplingRate>(), 200u);
  const record::ExporterReport report = decoder_.Report().at(0);
  EXPECT_EQ(report.sequence.lost_over_restart, 984u);
  EXPECT_EQ(report.sample_sequence.lost_over_restart, 984u);
  EXPECT_EQ(report.sequence.lost + report.sample_sequence.lost, 0u);
  EXPECT_EQ(decoder_.RestoreState(base::AsOctets(state)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LimitsTest, HoldForWhatIsRestored) {
  SflowDecoder first(&layout_);
  for (uint32_t agent = 1; agent <= 4; ++agent) {
    SflowBuilder builder(5, IpAddress::V4(agent));
    for (uint32_t index = 1; index <= 2; ++index) {
      FlowSampleFields fields;
      fields.source.index = index;
      builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(PacketFields()))});
    }
    record::Datagram datagram;
    datagram.octets = builder.octets();
    EXPECT_TRUE(first.Decode(datagram, {&flows_, nullptr, nullptr}).ok());
  }
  const std::string state = first.SaveState();
  const auto restored = decoder_.RestoreState(base::AsOctets(state));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->exporters, 2u);
  EXPECT_EQ(restored->left_out, 2u + 4u + 1u) << "two agents with two sources each, and one source of the others";
}

TEST_F(SflowDecoderTest, DamagedStatesAreRefused) {
  SflowDecoder first(&layout_);
  const SflowBuilder builder = Nth(1);
  record::Datagram datagram;
  datagram.octets = builder.octets();
  EXPECT_TRUE(first.Decode(datagram, {&flows_, nullptr, nullptr}).ok());
  const std::string state = first.SaveState(), nothing = decoder_.SaveState();
  for (size_t cut = 0; cut < state.size(); ++cut) {
    EXPECT_FALSE(decoder_.RestoreState(base::AsOctets(state.substr(0, cut))).ok()) << cut;
  }
  EXPECT_EQ(decoder_.SaveState(), nothing);
}

TEST_F(SflowDecoderTest, ARebindKeepsFragmentsAndAgents) {
  // The ports are in the first fragment; the second comes when rows have another layout and interner.
  PacketFields fields;
  std::vector<uint8_t> frame = EthernetPacket(fields), later = frame;
  frame[14 + 6] = 0x20;  // more fragments
  later[14 + 7] = 100;
  SflowBuilder one(5, IpAddress::V4(1), 1), two(5, IpAddress::V4(1), 2);
  one.AddFlowSample(FlowSampleFields(), {HeaderRecord(frame)});
  two.AddFlowSample(FlowSampleFields(), {HeaderRecord(later)});
  ASSERT_TRUE(Decode(one).ok());
  ASSERT_TRUE(Row().Has(FieldId::kDstPort));
  const uint16_t port = Row().Get<FieldId::kDstPort>();
  const record::Layout other({FieldId::kTunnelKind, FieldId::kDstPort});
  base::Interner interner;
  record::FlowBatch rows(&other, &interner);
  decoder_.Rebind(&other);
  record::Datagram datagram;
  datagram.octets = two.octets();
  datagram.arrival_nanos = kArrival;
  ASSERT_TRUE(decoder_.Decode(datagram, {&rows, nullptr, nullptr}).ok());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(rows.row(0).Has(FieldId::kDstPort));
  EXPECT_EQ(rows.row(0).Get<FieldId::kDstPort>(), port);
  EXPECT_EQ(decoder_.Report().at(0).datagrams, 2u);
  EXPECT_EQ(decoder_.Report().at(0).sequence.gaps, 0u);
}

TEST_F(SflowDecoderTest, SummariesAreTheCountersOfTheReports) {
  ASSERT_TRUE(Decode(Nth(1)).ok());
  ASSERT_FALSE(Decode(base::Octets()).ok());
  std::vector<record::ExporterCounters> counters;
  decoder_.Summarize(&counters);
  record::ExporterCounters sum;
  for (const record::ExporterCounters& c : counters) sum.Add(c);
  EXPECT_EQ(sum.datagrams, 2u);
  EXPECT_EQ(sum.flow_records, 1u);
}

}  // namespace
}  // namespace flowacct::sflow
