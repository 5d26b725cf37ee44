#include "flowacct/collector/admin/identity.h"

#include <unistd.h>

#include <algorithm>

#include "flowacct/base/decode_result.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "flowacct/collector/admin/process_status.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

const Equation* Find(const std::vector<Equation>& equations, const std::string& of) {
  const auto found =
      std::find_if(equations.begin(), equations.end(), [&of](const Equation& equation) { return equation.of == of; });
  return found == equations.end() ? nullptr : &*found;
}

TEST(IdentityTest, HoldsForInputsPipelinesAndSinks) {
  const std::vector<Equation> equations = Identity(SampleStatus());
  EXPECT_EQ(equations.size(), 2u * 2 + 2 + 2);
  EXPECT_EQ(BrokenEquations(equations), 0u);
  const Equation* const input = Find(equations, "input exports");
  ASSERT_NE(input, nullptr);
  EXPECT_EQ(input->unit, "datagrams");
  EXPECT_EQ(input->ToString(),
            "received 1000000 = decoded 999907 + not_allowed 11 + over_rate 12 + over_budget 13 + longer_than_buffer "
            "14 + truncated 21 + template_unknown 22");
  EXPECT_EQ(Find(equations, "kernel of input exports")->ToString(),
            "arrived 1000120 = received 1000000 + kernel_dropped 120");
  EXPECT_TRUE(Find(equations, "kernel of input exports")->by_definition);
  EXPECT_EQ(Find(equations, "sink as/print")->ToString(),
            "batches 4589 = written 4580 + waiting 2 + dropped 4 + failed 3");
  EXPECT_EQ(Find(equations, "pipeline as")->ToString(),
            "records_in 24090000 = aggregated 24085995 + filtered 1002 + dropped 1001 + held 999 + late 1003");
}

// Each counter of an equation breaks it when it is off by one.
TEST(IdentityTest, OneMissingBreaksIt) {
  const std::vector<void (*)(CollectorStatus*)> changes = {
      [](CollectorStatus* s) { ++s->inputs[0].received; },
      [](CollectorStatus* s) { ++s->inputs[0].refused_not_allowed; },
      [](CollectorStatus* s) { ++s->inputs[0].refused_rate; },
      [](CollectorStatus* s) { ++s->inputs[0].refused_budget; },
      [](CollectorStatus* s) { ++s->inputs[0].truncated; },
      [](CollectorStatus* s) { s->inputs[1].decoded.Count(base::DecodeCode::kOk); },
      [](CollectorStatus* s) { s->inputs[1].decoded.Count(base::DecodeCode::kFragment); },
      [](CollectorStatus* s) { ++s->pipelines[0].records_in; },
      [](CollectorStatus* s) { ++s->pipelines[0].records_dropped; },
      [](CollectorStatus* s) { ++s->pipelines[0].records_filtered; },
      [](CollectorStatus* s) { ++s->pipelines[0].records_late; },
      [](CollectorStatus* s) { ++s->pipelines[1].records_aggregated; },
      [](CollectorStatus* s) { ++s->pipelines[0].sinks[0].batches; },
      [](CollectorStatus* s) { ++s->pipelines[0].sinks[0].written; },
      [](CollectorStatus* s) { ++s->pipelines[0].sinks[0].waiting; },
      [](CollectorStatus* s) { ++s->pipelines[0].sinks[0].dropped; },
      [](CollectorStatus* s) { ++s->pipelines[0].sinks[1].failed; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    CollectorStatus status = SampleStatus();
    changes[i](&status);
    const std::vector<Equation> equations = Identity(status);
    EXPECT_EQ(BrokenEquations(equations), 1u) << i;
    const auto broken = std::find_if(equations.begin(), equations.end(), [](const Equation& e) { return !e.Holds(); });
    EXPECT_NE(broken->ToString().find(" != "), std::string::npos) << broken->ToString();
  }
}

TEST(IdentityTest, EveryReasonIsThere) {
  InputStatus input;
  uint64_t sum = 1 + 2 + 3 + 4;
  input.refused_not_allowed = 1;
  input.refused_rate = 2;
  input.refused_budget = 3;
  input.truncated = 4;
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    input.decoded.Count(static_cast<base::DecodeCode>(i), 100 + i);
    if (i > 0) sum += 100 + i;
  }
  EXPECT_EQ(Rejections(input).size(), 4 + base::kDecodeCodeCount - 1);
  EXPECT_EQ(RejectedBy(input), sum);
}

TEST(LossTest, CoverageBySequenceNumbers) {
  const std::vector<record::ExporterReport> exporters = SampleExporters();
  EXPECT_NEAR(Coverage(exporters[0]), 700000.0 / 700700, 1e-12);  // datagrams
  EXPECT_NEAR(Coverage(exporters[1]), 0.8, 1e-12);                // records
  EXPECT_EQ(Coverage(exporters[2]), 1);
  record::ExporterReport silent;
  silent.sequence.unit = "datagrams";
  EXPECT_EQ(Coverage(silent), 1);
  silent.sequence.lost = 5;
  EXPECT_EQ(Coverage(silent), 0);
}

TEST(LossTest, TheWorstFirst) {
  const LossReport report = Losses(SampleExporters());
  EXPECT_EQ(report.exporters, 3u);
  EXPECT_EQ(report.exporters_with_loss, 2u);
  EXPECT_EQ(report.lost_datagrams, 700u);
  EXPECT_EQ(report.lost_records, 1800000u);
  ASSERT_EQ(report.worst.size(), 2u);
  EXPECT_EQ(report.worst[0].exporter, "2001:db8::7");
  EXPECT_EQ(report.worst[0].lost, 1800000u);
  EXPECT_EQ(report.worst[1].exporter, "192.0.2.10");

  std::vector<record::ExporterReport> many = ManyExporters(100);
  for (size_t i = 0; i < many.size(); ++i) many[i].sequence.lost = i;
  const LossReport bounded = Losses(many);
  EXPECT_EQ(bounded.exporters_with_loss, 99u);
  ASSERT_EQ(bounded.worst.size(), kWorst);
  EXPECT_EQ(bounded.worst[0].exporter, "10.0.0.99");
}

TEST(ProcessStatusTest, TellsOfThisProcess) {
  const ProcessStatus before = ReadProcessStatus();
  EXPECT_GT(before.resident_octets, uint64_t{100000});
  EXPECT_GT(before.virtual_octets, before.resident_octets);
  EXPECT_GE(before.threads, 1u);
  EXPECT_GE(before.open_files, 3u);
  EXPECT_GT(before.max_files, before.open_files);
  EXPECT_GT(before.started, absl::FromUnixSeconds(1700000000));
  const int copy = dup(0);
  const ProcessStatus after = ReadProcessStatus();
  EXPECT_EQ(after.open_files, before.open_files + 1);
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
  EXPECT_EQ(after.started, before.started);
  close(copy);
}

}  // namespace
}  // namespace flowacct::collector
