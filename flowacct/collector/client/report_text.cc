#include "flowacct/collector/client/report_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/progress.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::collector {
namespace {

// Lines in one text, with or without colours.
class Report {
 public:
  explicit Report(bool color) : color_(color) {}

  void Put(const Line& line) { absl::StrAppend(&text_, line.Render(color_), "\n"); }
  void Put(absl::string_view text, Style style = Style::kPlain) { Put(Line().Add(text, style)); }
  void Gap() { text_.push_back('\n'); }
  void Put(const TextGrid& grid) {
    for (const Line& line : grid.Lines()) Put(line);
  }
  std::string Take() { return std::move(text_); }

 private:
  const bool color_;
  std::string text_;
};

void AddHeader(std::initializer_list<absl::string_view> titles, TextGrid* grid) {
  for (absl::string_view title : titles) grid->Add(title, Style::kBold);
}

std::vector<bool> LeftThenRight(size_t left, size_t right) {
  std::vector<bool> columns(left, false);
  columns.resize(left + right, true);
  return columns;
}

void AddNumbers(std::initializer_list<uint64_t> numbers, TextGrid* grid) {
  for (const uint64_t number : numbers) grid->Add(GroupDigits(number));
}
// Those that should be zero.
void AddLosses(std::initializer_list<uint64_t> numbers, TextGrid* grid) {
  for (const uint64_t number : numbers) {
    grid->Add(GroupDigits(number), number > 0 ? Style::kBad : Style::kPlain);
  }
}

// " a trouble" below the row that it is about.
void PutTrouble(absl::string_view name, absl::string_view text, Report* report) {
  if (!text.empty()) report->Put(Line().Add(absl::StrCat(name, ": ", Printable(text)), Style::kBad));
}

void PutInputs(const CollectorStatus& status, Report* report) {
  TextGrid grid(LeftThenRight(3, 5));
  AddHeader({"INPUT", "KIND", "FROM", "received", "octets", "records", "kernel dropped", "rejected"}, &grid);
  for (const InputStatus& input : status.inputs) {
    grid.Add(Printable(input.name), input.up ? Style::kPlain : Style::kBad);
    grid.Add(Printable(input.kind));
    grid.Add(Printable(input.listen));
    grid.Add(GroupDigits(input.received));
    grid.Add(ShortOctets(input.received_octets));
    grid.Add(GroupDigits(input.records));
    AddLosses({input.kernel_dropped, RejectedBy(input)}, &grid);
  }
  report->Put(grid);
  for (const InputStatus& input : status.inputs) {
    PutTrouble(absl::StrCat("input ", Printable(input.name), input.up ? "" : " is down"),
               input.up || !input.trouble.empty() ? absl::string_view(input.trouble) : "no reason is told", report);
    std::string reasons;
    for (const Term& reason : Rejections(input)) {
      if (reason.value > 0) {
        absl::StrAppend(&reasons, reasons.empty() ? "" : ", ", reason.name, " ", GroupDigits(reason.value));
      }
    }
    if (!reasons.empty()) report->Put(absl::StrCat("input ", Printable(input.name), " rejected: ", reasons));
    if (input.connections_accepted + input.connections_refused + input.connections_failed > 0) {
      report->Put(absl::StrCat("input ", Printable(input.name), " connections: ", GroupDigits(input.connections_open),
                               " open, ", GroupDigits(input.connections_accepted), " accepted, ",
                               GroupDigits(input.connections_refused), " refused, ",
                               GroupDigits(input.connections_failed), " failed"));
    }
    if (input.meter_flows + input.meter_evicted > 0) {
      report->Put(absl::StrCat("input ", Printable(input.name), " meter: ", GroupDigits(input.meter_flows), " flows, ",
                               GroupDigits(input.meter_evicted), " ended early for want of room"));
    }
    if (input.kafka_partitions_taken + input.kafka_errors > 0) {
      report->Put(absl::StrCat(
          "input ", Printable(input.name), " kafka: ", GroupDigits(input.kafka_partitions_taken), " partitions taken, ",
          GroupDigits(input.kafka_partitions_given), " given, ", GroupDigits(input.kafka_partitions_lost), " lost; ",
          GroupDigits(input.kafka_commits), " commits, ", GroupDigits(input.kafka_commits_failed), " failed; ",
          GroupDigits(input.kafka_errors), " errors; ", GroupDigits(input.kafka_repeated), " repeated, ",
          GroupDigits(input.kafka_without_exporter), " without exporter, ", GroupDigits(input.kafka_unfit), " unfit"));
    }
  }
}

void PutPipelines(const CollectorStatus& status, Report* report) {
  if (status.pipelines.empty()) return;
  report->Gap();
  TextGrid grid(LeftThenRight(1, 9));
  AddHeader({"PIPELINE", "records", "aggregated", "filtered", "dropped", "late", "overflowed", "groups", "memory",
             "bins closed"},
            &grid);
  for (const PipelineStatus& pipeline : status.pipelines) {
    grid.Add(Printable(pipeline.name));
    AddNumbers({pipeline.records_in, pipeline.records_aggregated, pipeline.records_filtered, pipeline.records_dropped},
               &grid);
    AddLosses({pipeline.records_late, pipeline.records_overflowed}, &grid);
    grid.Add(GroupDigits(pipeline.open_groups));
    grid.Add(ShortOctets(pipeline.open_octets));
    grid.Add(GroupDigits(pipeline.bins_closed));
  }
  report->Put(grid);

  if (!status.bgp.peers.empty()) {
    TextGrid peers(LeftThenRight(1, 6));
    AddHeader({"BGP PEER", "as", "up", "IPv4", "IPv6", "stale", "updates"}, &peers);
    for (const BgpPeerStatus& peer : status.bgp.peers) {
      peers.Add(Printable(peer.peer));
      peers.Add(absl::StrCat(peer.as));
      peers.Add(peer.up ? "yes" : "no", peer.up ? Style::kPlain : Style::kBad);
      AddNumbers({peer.ipv4_paths, peer.ipv6_paths, peer.stale_paths, peer.updates}, &peers);
    }
    report->Gap();
    report->Put(peers);
  }

  if (!status.bmp.routers.empty()) {
    TextGrid routers(LeftThenRight(2, 3));
    AddHeader({"BMP ROUTER", "name", "tables", "messages", "errors"}, &routers);
    for (const BmpRouterStatus& router : status.bmp.routers) {
      routers.Add(Printable(router.router));
      routers.Add(Printable(router.name));
      AddNumbers({router.tables, router.messages, router.errors}, &routers);
    }
    report->Gap();
    report->Put(routers);
  }

  TextGrid enrichment(LeftThenRight(1, 1));
  AddHeader({"ENRICHMENT", "count"}, &enrichment);
  bool enriched = false;
  for (const PipelineStatus& pipeline : status.pipelines) {
    for (const EnrichmentCounter& counter : pipeline.enrichment) {
      if (counter.value == 0) continue;
      enriched = true;
      enrichment.Add(Printable(absl::StrCat(pipeline.name, "/", counter.enricher, " ", counter.counter)));
      enrichment.Add(GroupDigits(counter.value));
    }
  }
  if (enriched) {
    report->Gap();
    report->Put(enrichment);
  }

  TextGrid sinks(LeftThenRight(1, 7));
  AddHeader({"SINK", "batches", "written", "waiting", "dropped", "failed", "rows written", "rows lost"}, &sinks);
  bool any = false;
  for (const PipelineStatus& pipeline : status.pipelines) {
    for (const SinkStatus& sink : pipeline.sinks) {
      any = true;
      sinks.Add(Printable(absl::StrCat(pipeline.name, "/", sink.name)));
      AddNumbers({sink.batches, sink.written, sink.waiting}, &sinks);
      AddLosses({sink.dropped, sink.failed}, &sinks);
      sinks.Add(GroupDigits(sink.rows_written));
      AddLosses({sink.rows_lost}, &sinks);
    }
  }
  if (!any) return;
  report->Gap();
  report->Put(sinks);
  for (const PipelineStatus& pipeline : status.pipelines) {
    for (const SinkStatus& sink : pipeline.sinks) {
      PutTrouble(absl::StrCat("sink ", Printable(pipeline.name), "/", Printable(sink.name)), sink.last_error, report);
    }
  }
}

void PutRpki(const RpkiStatus& rpki, Report* report) {
  if (rpki.caches.empty() && rpki.files.empty()) return;
  report->Gap();
  TextGrid grid(LeftThenRight(2, 3));
  AddHeader({"RPKI", "state", "VRPs", "updates", "failures"}, &grid);
  for (const RpkiCacheStatus& cache : rpki.caches) {
    grid.Add(Printable(cache.cache));
    grid.Add(Printable(cache.state), cache.state == "synchronized" ? Style::kPlain : Style::kBad);
    AddNumbers({cache.vrps, cache.updates}, &grid);
    AddLosses({cache.failures}, &grid);
  }
  for (const RpkiFileStatus& file : rpki.files) {
    grid.Add(Printable(file.file));
    grid.Add(file.last_error.empty() ? "read" : "failed", file.last_error.empty() ? Style::kPlain : Style::kBad);
    AddNumbers({file.vrps, file.reads}, &grid);
    AddLosses({file.failures}, &grid);
  }
  report->Put(grid);
  if (!rpki.validates) report->Put("nothing is validated: nobody has told VRPs that still hold", Style::kBad);
  for (const RpkiCacheStatus& cache : rpki.caches) {
    if (cache.state != "synchronized") PutTrouble(Printable(cache.cache), cache.last_error, report);
  }
  for (const RpkiFileStatus& file : rpki.files) PutTrouble(Printable(file.file), file.last_error, report);
}

void PutReplicas(const CollectorStatus& status, Report* report) {
  if (status.replicas.empty()) return;
  report->Gap();
  TextGrid grid(LeftThenRight(2, 3));
  AddHeader({"REPLICA", "TO", "sent", "dropped", "errors"}, &grid);
  for (const ReplicaStatus& replica : status.replicas) {
    for (const ReplicaReceiverStatus& to : replica.receivers) {
      grid.Add(Printable(replica.name));
      grid.Add(Printable(to.to));
      grid.Add(GroupDigits(to.sent));
      AddLosses({to.dropped, to.errors}, &grid);
    }
  }
  report->Put(grid);
}

void PutIdentity(const CollectorStatus& status, Report* report) {
  const std::vector<Equation> equations = Identity(status);
  const size_t broken = BrokenEquations(equations);
  if (broken == 0) {
    report->Put(Line()
                    .Add("the accounting identity holds", Style::kGood)
                    .Add(absl::StrCat(": ", equations.size(), " equations (GET /api/v1/identity)")));
    return;
  }
  report->Put("the accounting identity is broken, which is a bug; please tell:", Style::kBad);
  for (const Equation& equation : equations) {
    if (!equation.Holds()) {
      report->Put(absl::StrCat("  ", Printable(equation.of), ": ", equation.ToString()), Style::kBad);
    }
  }
}

std::string SequenceText(const record::SequenceCounters& sequence) {
  return absl::StrCat(GroupDigits(sequence.lost), sequence.unit.empty() ? "" : " ", sequence.unit);
}

}  // namespace

std::string Uptime(absl::Duration duration) {
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(duration));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) return absl::StrFormat("%d:%02d min", seconds / 60, seconds % 60);
  const std::string clock = absl::StrFormat("%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60);
  return seconds < 86400 ? absl::StrCat(clock, " h") : absl::StrCat(seconds / 86400, " d ", clock);
}

std::string CoverageText(double coverage) {
  if (coverage >= 1) return "100%";
  return absl::StrFormat("%.2f%%", std::floor(std::max(0.0, coverage) * 10000) / 100);
}

Line Headline(const CollectorStatus& status) {
  Line line;
  line.Add("flowacct-collector ", Style::kBold).Add(Printable(status.version), Style::kBold);
  if (!status.config.empty()) line.Add("  ").Add(Printable(status.config));
  line.Add("  up ").Add(Uptime(status.now - status.started)).Add("  ");
  if (status.ready) {
    line.Add("ready", Style::kGood);
  } else {
    line.Add("not ready", Style::kBad);
    if (!status.not_ready.empty()) line.Add(absl::StrCat(": ", Printable(status.not_ready)), Style::kBad);
  }
  return line.Add(absl::StrCat("  ", status.workers, status.workers == 1 ? " worker" : " workers"));
}

std::string StatusAsText(const CollectorStatus& status, const ProcessStatus& process, bool color) {
  Report report(color);
  report.Put(Headline(status));
  report.Put(absl::StrCat(GroupDigits(status.exporters), " exporters with ", GroupDigits(status.domains),
                          " domains; memory ", ShortOctets(process.resident_octets), ", CPU ",
                          absl::StrFormat("%.1f", process.cpu_seconds), " s, ", process.threads, " threads, ",
                          process.open_files, " of ", process.max_files, " files"));
  if (status.reloads + status.reloads_failed > 0) {
    report.Put(absl::StrCat(status.reloads, " reloads, ", status.reloads_failed, " refused"));
  }
  PutTrouble("the last reload was refused", status.last_reload_error, &report);
  for (const std::string& note : status.notes) report.Put(Printable(note));
  report.Gap();
  PutInputs(status, &report);
  PutPipelines(status, &report);
  PutRpki(status.rpki, &report);
  PutReplicas(status, &report);
  report.Gap();
  PutIdentity(status, &report);
  return report.Take();
}

std::string ExportersAsText(const std::vector<record::ExporterReport>& exporters, bool color) {
  Report report(color);
  if (exporters.empty()) {
    report.Put("no exporter was heard of");
    return report.Take();
  }
  TextGrid grid({false, false, true, true, true, true, true, true, true, true});
  AddHeader({"EXPORTER", "PROTOCOL", "domain", "datagrams", "octets", "flow records", "other records", "errors", "lost",
             "coverage"},
            &grid);
  for (const record::ExporterReport& e : exporters) {
    const bool of_one = e.scope == record::ExporterScope::kDomain;
    grid.Add(of_one ? e.exporter.ToString() : absl::StrCat("(", record::ExporterScopeName(e.scope), ")"));
    grid.Add(Printable(e.protocol));
    grid.Add(of_one ? absl::StrCat(e.domain) : "-");
    grid.Add(GroupDigits(e.datagrams));
    grid.Add(ShortOctets(e.octets));
    AddNumbers({e.flow_records + e.reverse_records, e.counter_records + e.option_records}, &grid);
    AddLosses({e.errors.errors()}, &grid);
    const bool lost = e.sequence.lost > 0;
    grid.Add(e.sequence.unit.empty() ? "-" : SequenceText(e.sequence), lost ? Style::kBad : Style::kPlain);
    grid.Add(e.sequence.unit.empty() ? "-" : CoverageText(Coverage(e)), lost ? Style::kBad : Style::kPlain);
  }
  report.Put(grid);
  const LossReport losses = Losses(exporters);
  Line summary;
  summary.Add(absl::StrCat(GroupDigits(losses.exporters), " exporters' domains, "));
  if (losses.exporters_with_loss == 0) {
    summary.Add("no loss by sequence numbers", Style::kGood);
  } else {
    summary.Add(
        absl::StrCat(GroupDigits(losses.exporters_with_loss), " with loss: about ", GroupDigits(losses.lost_datagrams),
                     " datagrams and ", GroupDigits(losses.lost_records), " records"),
        Style::kBad);
  }
  report.Put(summary);
  return report.Take();
}

std::string TemplatesAsText(const std::vector<record::ExporterReport>& exporters) {
  Report report(/*color=*/false);
  size_t count = 0;
  for (const record::ExporterReport& e : exporters) {
    for (const record::TemplateReport& t : e.templates) {
      ++count;
      report.Put(absl::StrCat(e.exporter.ToString(), " ", Printable(e.protocol), " domain ", e.domain, " template ",
                              t.id, " (", record::RecordKindName(t.kind), "): ", GroupDigits(t.records),
                              " records, defined ", GroupDigits(t.definitions), " times",
                              t.redefinitions > 0
                                  ? absl::StrCat(", ", GroupDigits(t.redefinitions), " with other fields")
                                  : std::string()));
      std::string line = "   ";
      for (const record::TemplateFieldReport& field : t.fields) {
        const std::string text =
            absl::StrCat(Printable(field.name), "(", field.length == 65535 ? "var" : absl::StrCat(field.length), ")",
                         field.scope ? "*" : "");
        if (line.size() + text.size() > 110) {
          report.Put(line);
          line = "   ";
        }
        absl::StrAppend(&line, " ", text);
      }
      report.Put(line);
    }
    for (const record::SamplingReport& s : e.sampling) {
      report.Put(absl::StrCat(e.exporter.ToString(), " ", Printable(e.protocol), " domain ", e.domain, " sampling ",
                              Printable(s.what), ": 1 in ", s.rate, " (told by ", record::SamplingSourceName(s.source),
                              ")"));
    }
  }
  if (count == 0) report.Put("no templates");
  return report.Take();
}

}  // namespace flowacct::collector
