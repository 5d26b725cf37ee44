#include "flowacct/collector/admin/identity.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "flowacct/base/decode_result.h"

namespace flowacct::collector {
namespace {

uint64_t Sum(const std::vector<Term>& terms) {
  uint64_t sum = 0;
  for (const Term& term : terms) sum += term.value;
  return sum;
}

uint64_t Seen(const record::ExporterCounters& exporter) {
  // RFC 7011, 3.1: IPFIX counts data records, those of options among them; NetFlow v5 counts flows.
  return exporter.sequence.unit == "records" ? exporter.flow_records + exporter.option_records : exporter.datagrams;
}

}  // namespace

uint64_t Equation::LeftSum() const { return Sum(left); }
uint64_t Equation::RightSum() const { return Sum(right); }

std::string Equation::ToString() const {
  std::string text;
  for (const Term& term : left) absl::StrAppend(&text, text.empty() ? "" : " + ", term.name, " ", term.value);
  const char* join = Holds() ? " = " : " != ";
  for (const Term& term : right) {
    if (term.value == 0 && &term != &right.front()) continue;
    absl::StrAppend(&text, join, term.name, " ", term.value);
    join = " + ";
  }
  return text;
}

std::vector<Term> Rejections(const InputStatus& input) {
  std::vector<Term> terms = {{"not_allowed", input.refused_not_allowed},
                             {"over_rate", input.refused_rate},
                             {"over_budget", input.refused_budget},
                             {"longer_than_buffer", input.truncated}};
  // Of packets alone.
  if (input.not_sampled != 0) terms.push_back({"not_sampled", input.not_sampled});
  if (input.aside != 0) terms.push_back({"aside", input.aside});
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    terms.push_back({std::string(base::DecodeCodeName(code)), input.decoded[code]});
  }
  return terms;
}

uint64_t RejectedBy(const InputStatus& input) { return Sum(Rejections(input)); }

std::vector<Equation> Identity(const CollectorStatus& status) {
  std::vector<Equation> equations;
  for (const InputStatus& input : status.inputs) {
    const std::string unit = input.kind == "interface" || input.kind == "nflog" ? "packets" : "datagrams";
    Equation arrived{absl::StrCat("kernel of input ", input.name), unit, {}, {}, /*by_definition=*/true};
    arrived.left = {{"arrived", input.received + input.kernel_dropped}};
    arrived.right = {{"received", input.received}, {"kernel_dropped", input.kernel_dropped}};
    equations.push_back(std::move(arrived));
    Equation received{absl::StrCat("input ", input.name), unit, {{"received", input.received}}, {}};
    received.right = Rejections(input);
    received.right.insert(received.right.begin(), {"decoded", input.decoded[base::DecodeCode::kOk]});
    equations.push_back(std::move(received));
  }
  for (const PipelineStatus& pipeline : status.pipelines) {
    equations.push_back({absl::StrCat("pipeline ", pipeline.name),
                         "records",
                         {{"records_in", pipeline.records_in}},
                         {{"aggregated", pipeline.records_aggregated},
                          {"filtered", pipeline.records_filtered},
                          {"dropped", pipeline.records_dropped},
                          {"held", pipeline.records_held},
                          {"late", pipeline.records_late}}});
    for (const SinkStatus& sink : pipeline.sinks) {
      equations.push_back(
          {absl::StrCat("sink ", pipeline.name, "/", sink.name),
           "batches",
           {{"batches", sink.batches}},
           {{"written", sink.written}, {"waiting", sink.waiting}, {"dropped", sink.dropped}, {"failed", sink.failed}}});
    }
  }
  return equations;
}

size_t BrokenEquations(const std::vector<Equation>& equations) {
  return static_cast<size_t>(
      std::count_if(equations.begin(), equations.end(), [](const Equation& e) { return !e.Holds(); }));
}

double Coverage(const record::ExporterCounters& exporter) {
  const double seen = static_cast<double>(Seen(exporter));
  const double lost = static_cast<double>(exporter.sequence.lost);
  return exporter.sequence.unit.empty() || lost == 0 ? 1 : seen / (seen + lost);
}

LossReport Losses(absl::Span<const record::ExporterReport> exporters) {
  LossReport report;
  std::vector<std::pair<double, const record::ExporterReport*>> losing;
  for (const record::ExporterReport& exporter : exporters) {
    report.exporters += exporter.scope == record::ExporterScope::kDomain;
    if (exporter.sequence.lost == 0) continue;
    ++report.exporters_with_loss;
    (exporter.sequence.unit == "records" ? report.lost_records : report.lost_datagrams) += exporter.sequence.lost;
    losing.emplace_back(Coverage(exporter), &exporter);
  }
  const size_t told = std::min(losing.size(), kWorst);
  std::partial_sort(losing.begin(), losing.begin() + static_cast<ptrdiff_t>(told), losing.end());
  for (size_t i = 0; i < told; ++i) {
    const record::ExporterReport& e = *losing[i].second;
    report.worst.push_back({e.exporter.ToString(), std::string(e.protocol), e.domain, std::string(e.sequence.unit),
                            e.sequence.lost, losing[i].first});
  }
  return report;
}

}  // namespace flowacct::collector
