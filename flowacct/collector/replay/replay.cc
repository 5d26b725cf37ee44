#include "flowacct/collector/replay/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "flowacct/collector/count_text.h"

namespace flowacct::collector {
namespace {

// "3 records and 1 part of records too late for their time bin, not in any row: 7 packets, 1,000 bytes"
std::string Late(const pipeline::AggregationCounters& counters) {
  std::vector<std::string> what, sums;
  if (counters.aggregator.records_late > 0) what.push_back(Count(counters.aggregator.records_late, "record"));
  if (counters.aggregator.parts_late > 0) {
    what.push_back(absl::StrCat(Count(counters.aggregator.parts_late, "part"), " of records"));
  }
  for (const pipeline::NamedSum& sum : counters.late) sums.push_back(absl::StrCat(WithCommas(sum.sum), " ", sum.name));
  return absl::StrCat(absl::StrJoin(what, " and "), " too late for their time bin, not in any row",
                      sums.empty() ? "" : ": ", absl::StrJoin(sums, ", "));
}

}  // namespace

absl::StatusOr<ReplayOutcome> Replay(ReplayOptions options) {
  base::Interner interner;
  auto created = pipeline::Pipeline::New(std::move(options.pipeline), &interner);
  if (!created.ok()) return created.status();
  pipeline::Pipeline& pipeline = **created;

  ReplayOutcome outcome;
  record::FlowBatch batch(&pipeline.layout(), &interner);
  const record::DecodeOutput output{&batch, /*counters=*/nullptr, /*listener=*/nullptr};
  const auto interrupted = [&] { return options.interrupted && options.interrupted(); };
  // A sink that fails does so again with every bin; told once.
  const auto fail = [&outcome](const absl::Status& status) {
    if (!status.ok() && (outcome.failures.empty() || outcome.failures.back() != status)) {
      outcome.failures.push_back(status);
    }
  };
  options.input.reader.interrupted = options.interrupted;
  CaptureInput input(&pipeline.layout(), &interner, options.input);
  for (const std::string& file : options.files) {
    if (const absl::Status status = input.Open(file); !status.ok()) {
      outcome.interrupted = interrupted();
      if (outcome.interrupted) break;
      outcome.failures.push_back(status);
      continue;
    }
    while (!outcome.interrupted) {
      const absl::StatusOr<bool> more = input.Decode(output);
      if (!more.ok()) {
        outcome.interrupted = absl::IsCancelled(more.status());
        if (!outcome.interrupted) outcome.failures.push_back(more.status());
      }
      if (!more.ok() || !*more) break;
      outcome.records += batch.size();
      pipeline.Process(batch, absl::FromUnixNanos(input.last_time_nanos()));
      batch.Clear();
      // Without lateness bins stay open to the end; those that too many others pushed out are written at once, so that
      // they do not pile up.
      fail(pipeline.CloseBefore(options.close_bins ? absl::FromUnixNanos(input.last_time_nanos())
                                                   : absl::InfinitePast()));
      if (options.progress) options.progress(*input.reader());
      outcome.interrupted = interrupted();
    }
    if (outcome.interrupted) break;
  }
  outcome.input = input.counters();
  outcome.last_time_nanos = input.last_time_nanos();
  if (outcome.input.packets > 0 || outcome.failures.empty()) {
    fail(pipeline.Close(outcome.incomplete()));
  }
  outcome.records_dropped = pipeline.counters().records_dropped;
  outcome.records_scaled = pipeline.records_scaled();
  outcome.scaling_overflows = pipeline.scaling_overflows();
  for (size_t i = 0; i < pipeline.aggregation_count(); ++i) outcome.aggregations.push_back(pipeline.counters(i));
  outcome.exporters = input.Report();
  outcome.texts_refused = interner.overflows();
  return outcome;
}

std::vector<std::string> Summary(const ReplayOutcome& outcome) {
  std::vector<std::string> lines;
  const InputCounters& input = outcome.input;
  uint64_t accounted = outcome.records;
  for (const pipeline::AggregationCounters& a : outcome.aggregations) {
    accounted = std::min(accounted, a.aggregator.records_aggregated);
  }
  lines.push_back(absl::StrCat(
      Count(input.packets, "packet"), " from ", Count(input.files, "file"), ": ", Count(outcome.records, "record"),
      accounted == outcome.records ? " accounted" : absl::StrCat(", ", WithCommas(accounted), " of them accounted")));
  std::vector<std::string> rejected;
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    const uint64_t n = input.datagram_errors[code] + input.accounted.errors[code];
    if (n > 0) rejected.push_back(absl::StrCat(n, " ", base::DecodeCodeName(code)));
  }
  if (!rejected.empty()) {
    lines.push_back(absl::StrCat("rejected in whole or from the error on: ", absl::StrJoin(rejected, ", "),
                                 " (`flowacct inspect` tells of whom, `flowacct decode` where)"));
  }
  if (input.extracted.packets > input.extracted.datagrams) {
    const uint64_t aside = input.extracted.other + input.extracted.undecodable;
    if (aside > 0) lines.push_back(absl::StrCat(Count(aside, "packet"), " aside that carried no UDP datagram"));
  }
  if (input.accounted.not_ip > 0)
    lines.push_back(absl::StrCat(Count(input.accounted.not_ip, "packet"), " aside that held no IP"));
  if (input.fragmented_lost() > 0) {
    lines.push_back(
        absl::StrCat(Count(input.fragmented_lost(), "fragmented datagram"), " never became whole: not accounted"));
  }
  if (input.reassembly.malformed > 0)
    lines.push_back(absl::StrCat(Count(input.reassembly.malformed, "fragment"), " malformed or cut: not accounted"));
  record::ExporterCounters all;
  uint64_t beyond = 0;
  for (const record::ExporterReport& exporter : outcome.exporters) {
    all.Add(exporter);
    if (exporter.scope == record::ExporterScope::kBeyond) beyond += exporter.datagrams;
  }
  if (all.sequence.gaps > 0) {
    lines.push_back(absl::StrCat("sequence numbers show ", Count(all.sequence.gaps, "gap"), ": about ",
                                 all.sequence.lost, " records or datagrams were lost before the capture"));
  }
  if (beyond > 0)
    lines.push_back(absl::StrCat(Count(beyond, "datagram"), " of exporters beyond the bound (`flowacct inspect`)"));
  if (all.pending_sets > 0)
    lines.push_back(absl::StrCat(Count(all.pending_sets, "data set"), " whose template never came: not accounted"));
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    if (counter.kind != record::ExporterCounterKind::kIncident || all.*counter.value == 0) continue;
    lines.push_back(record::ExporterCounterText(counter, all.*counter.value));
  }
  if (outcome.records_dropped > 0)
    lines.push_back(absl::StrCat(Count(outcome.records_dropped, "record"), " dropped by rules"));
  if (outcome.records_scaled > 0) {
    lines.push_back(absl::StrCat(Count(outcome.records_scaled, "record"),
                                 " multiplied by their sampling rate (--no-scale leaves them)"));
  }
  if (outcome.scaling_overflows > 0)
    lines.push_back(absl::StrCat(Count(outcome.scaling_overflows, "counter"),
                                 " beyond 64 bits after scaling, held at the largest value"));
  if (outcome.texts_refused > 0)
    lines.push_back(absl::StrCat(Count(outcome.texts_refused, "text"), " beyond the bound, shown as \"(overflow)\""));
  for (const pipeline::AggregationCounters& a : outcome.aggregations) {
    if (a.records_filtered > 0)
      lines.push_back(absl::StrCat(Count(a.records_filtered, "record"), " filtered out by --where"));
    if (a.aggregator.records_late > 0 || a.aggregator.parts_late > 0) lines.push_back(Late(a));
    if (a.aggregator.records_without_time > 0) {
      lines.push_back(
          absl::StrCat(Count(a.aggregator.records_without_time, "record"), " without any time, in the bin of 1970"));
    }
    if (a.aggregator.records_not_split > 0) {
      lines.push_back(absl::StrCat(Count(a.aggregator.records_not_split, "record"),
                                   " too long to split, accounted whole to their first time bin"));
    }
    if (a.aggregator.records_overflowed > 0) {
      lines.push_back(absl::StrCat(Count(a.aggregator.records_overflowed, "record"),
                                   " in the overflow group: more groups than --max-groups"));
    }
    if (a.aggregator.bins_evicted > 0)
      lines.push_back(absl::StrCat(Count(a.aggregator.bins_evicted, "time bin"), " written early: too many were open"));
  }
  if (outcome.interrupted) lines.push_back("incomplete: interrupted");
  return lines;
}

}  // namespace flowacct::collector
