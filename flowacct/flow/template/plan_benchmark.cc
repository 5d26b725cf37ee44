// What a plan costs a record: 24 records of a template of 19 fields a set (as NetFlow v9 has them), cut to the 5-tuple
// with counters, and with all of the template's fields.

#include <benchmark/benchmark.h>

#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/flow/template/compiled_template.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow {
namespace {

using record::FieldId;

constexpr size_t kRecords = 24;

Template Nineteen() {
  std::vector<TemplateField> fields;
  constexpr std::pair<uint16_t, uint16_t> kFields[] = {
      {8, 4},  {12, 4}, {15, 4}, {10, 2}, {14, 2}, {2, 4},  {1, 4}, {22, 4}, {21, 4}, {7, 2},
      {11, 2}, {6, 1},  {4, 1},  {5, 1},  {16, 4}, {17, 4}, {9, 1}, {13, 1}, {61, 1},
  };
  for (const auto& [id, length] : kFields) fields.push_back(MakeTemplateField(kIanaPen, id, length));
  Template format;
  if (MakeTemplate(record::RecordKind::kFlow, std::move(fields), TemplateOptions(), &format) != base::DecodeCode::kOk) {
    std::abort();
  }
  return format;
}

void Run(benchmark::State& state, const record::Layout& layout) {
  CompiledTemplates table(&layout, 9);
  const CompiledTemplateRef entry = table.Intern(Nineteen());
  std::vector<uint8_t> octets(kRecords * entry->format().record_octets);
  for (size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<uint8_t>(i * 7);
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner);
  record::DecodeOutput output;
  output.flows = &rows;
  NameTable names(10);
  SamplingTable sampling(10);
  MessageContext context;
  context.has_uptime = true;
  context.names = &names;
  context.sampling = &sampling;
  for (auto _ : state) {
    rows.Clear();
    entry->DecodeFlows(256, octets, &context, output, nullptr);
    benchmark::DoNotOptimize(rows.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  state.counters["row_octets"] = static_cast<double>(layout.row_size());
}

constexpr FieldId kFiveTuple[] = {FieldId::kSrcAddr,  FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort,
                                  FieldId::kProtocol, FieldId::kPackets, FieldId::kBytes};

void BM_FiveTuple(benchmark::State& state) { Run(state, record::Layout(kFiveTuple)); }
BENCHMARK(BM_FiveTuple);

void BM_TemplateFields(benchmark::State& state) {
  const record::Layout layout({FieldId::kSrcAddr,  FieldId::kDstAddr, FieldId::kNextHop,   FieldId::kInIf,
                               FieldId::kOutIf,    FieldId::kPackets, FieldId::kBytes,     FieldId::kStartTime,
                               FieldId::kEndTime,  FieldId::kSrcPort, FieldId::kDstPort,   FieldId::kTcpFlags,
                               FieldId::kProtocol, FieldId::kTos,     FieldId::kSrcAs,     FieldId::kDstAs,
                               FieldId::kSrcMask,  FieldId::kDstMask, FieldId::kDirection, FieldId::kSamplingRate});
  Run(state, layout);
}
BENCHMARK(BM_TemplateFields);

// Every field of the registry, so that rows are as long as they can be.
void BM_AllFields(benchmark::State& state) { Run(state, record::Layout::All()); }
BENCHMARK(BM_AllFields);

}  // namespace
}  // namespace flowacct::flow

BENCHMARK_MAIN();
