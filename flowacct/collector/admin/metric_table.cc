// Where the values of the rows of metrics.def come from.

#include <string>

#include "flowacct/base/decode_result.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/admin/metrics.h"

namespace flowacct::collector {
namespace {

using record::ExporterCounters;
using record::SequenceCounters;

template <typename T>
double Value(T number) {
  return static_cast<double>(number);
}

// A column of values: a member of each input, pipeline, ... with its labels.
template <auto kMember>
void OfCollector(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.*kMember));
}
template <auto kMember>
void OfProcess(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.process.*kMember));
}
template <auto kMember>
void OfAdmin(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.admin.*kMember));
}
template <auto kMember>
void OfInputs(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) series->Add({input.name}, Value(input.*kMember));
}
// Only of inputs that can have such: connections, flows of a meter.
template <auto kMember>
void OfStreams(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) {
    if (input.kind == "stream") series->Add({input.name}, Value(input.*kMember));
  }
}
template <auto kMember>
void OfPacketInputs(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) {
    if (input.kind != "udp" && input.kind != "stream" && input.kind != "kafka") {
      series->Add({input.name}, Value(input.*kMember));
    }
  }
}
template <auto kMember>
void OfKafka(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) {
    if (input.kind == "kafka") series->Add({input.name}, Value(input.*kMember));
  }
}
template <auto kMember>
void OfPipelines(const Scrape& scrape, Series* series) {
  for (const PipelineStatus& pipeline : scrape.status.pipelines) {
    series->Add({pipeline.name}, Value(pipeline.*kMember));
  }
}
void OfEnrichment(const Scrape& scrape, Series* series) {
  for (const PipelineStatus& pipeline : scrape.status.pipelines) {
    for (const EnrichmentCounter& counter : pipeline.enrichment) {
      series->Add({pipeline.name, counter.enricher, counter.counter}, Value(counter.value));
    }
  }
}
template <auto kMember>
void OfSinks(const Scrape& scrape, Series* series) {
  for (const PipelineStatus& pipeline : scrape.status.pipelines) {
    for (const SinkStatus& sink : pipeline.sinks) series->Add({pipeline.name, sink.name}, Value(sink.*kMember));
  }
}
template <auto kMember>
void OfReceivers(const Scrape& scrape, Series* series) {
  for (const ReplicaStatus& replica : scrape.status.replicas) {
    for (const ReplicaReceiverStatus& to : replica.receivers) series->Add({replica.name, to.to}, Value(to.*kMember));
  }
}
template <auto kMember>
void OfGtp(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.gtp.*kMember));
}
void GtpRejected(const Scrape& scrape, Series* series) {
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    series->Add({std::string(base::DecodeCodeName(code))}, Value(scrape.status.gtp.decoded[code]));
  }
}
void GtpEvents(const Scrape& scrape, Series* series) {
  for (const GtpEvent& event : scrape.status.gtp.events) series->Add({event.event}, Value(event.value));
}
template <auto kMember>
void OfIgp(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.igp.*kMember));
}
template <auto kMember>
void OfIgpCircuits(const Scrape& scrape, Series* series) {
  for (const IgpCircuitStatus& circuit : scrape.status.igp.circuits) {
    series->Add({circuit.circuit}, Value(circuit.*kMember));
  }
}
template <auto kMember>
void IgpCounts(const Scrape& scrape, Series* series) {
  for (const IgpCircuitStatus& circuit : scrape.status.igp.circuits) {
    for (const IgpCount& count : circuit.*kMember) series->Add({circuit.circuit, count.name}, Value(count.value));
  }
}
void IgpAdjacencies(const Scrape& scrape, Series* series) {
  for (const IgpCircuitStatus& circuit : scrape.status.igp.circuits) {
    series->Add({circuit.circuit, "1"}, Value(circuit.adjacencies_1));
    series->Add({circuit.circuit, "2"}, Value(circuit.adjacencies_2));
  }
}
void IgpNodes(const Scrape& scrape, Series* series) {
  series->Add({"1"}, Value(scrape.status.igp.routers_1));
  series->Add({"2"}, Value(scrape.status.igp.routers_2));
}
void IgpLinks(const Scrape& scrape, Series* series) {
  series->Add({"1"}, Value(scrape.status.igp.links_1));
  series->Add({"2"}, Value(scrape.status.igp.links_2));
}
void IgpEvents(const Scrape& scrape, Series* series) {
  for (const IgpCount& event : scrape.status.igp.events) series->Add({event.name}, Value(event.value));
}
template <auto kMember>
void OfBgp(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.bgp.*kMember));
}
template <auto kMember>
void OfBmp(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.bmp.*kMember));
}
template <auto kMember>
void OfBmpRouters(const Scrape& scrape, Series* series) {
  for (const BmpRouterStatus& router : scrape.status.bmp.routers) {
    series->Add({router.router}, Value(router.*kMember));
  }
}
template <auto kMember>
void OfBgpPeers(const Scrape& scrape, Series* series) {
  for (const BgpPeerStatus& peer : scrape.status.bgp.peers) {
    series->Add({peer.peer, absl::StrCat(peer.as), peer.router_id}, Value(peer.*kMember));
  }
}
template <auto kMember>
void OfRpki(const Scrape& scrape, Series* series) {
  series->Add({}, Value(scrape.status.rpki.*kMember));
}
template <auto kMember>
void OfRpkiCaches(const Scrape& scrape, Series* series) {
  for (const RpkiCacheStatus& cache : scrape.status.rpki.caches) series->Add({cache.cache}, Value(cache.*kMember));
}
template <auto kMember>
void OfRpkiFiles(const Scrape& scrape, Series* series) {
  for (const RpkiFileStatus& file : scrape.status.rpki.files) series->Add({file.file}, Value(file.*kMember));
}
void RpkiCacheUp(const Scrape& scrape, Series* series) {
  for (const RpkiCacheStatus& cache : scrape.status.rpki.caches) {
    series->Add({cache.cache}, Value(cache.state == "synchronized"));
  }
}
void RpkiUpdated(const Scrape& scrape, Series* series) {
  const auto add = [series](const std::string& source, absl::Time time) {
    if (time != absl::InfinitePast()) series->Add({source}, absl::ToDoubleSeconds(time - absl::UnixEpoch()));
  };
  for (const RpkiCacheStatus& cache : scrape.status.rpki.caches) add(cache.cache, cache.updated);
  for (const RpkiFileStatus& file : scrape.status.rpki.files) add(file.file, file.updated);
}
template <auto kMember>
void OfRouteLogs(const Scrape& scrape, Series* series) {
  for (const RouteLogStatus& log : scrape.status.route_logs) series->Add({log.name}, Value(log.*kMember));
}
void RouteLogLastDump(const Scrape& scrape, Series* series) {
  for (const RouteLogStatus& log : scrape.status.route_logs) {
    if (log.last_dump > absl::UnixEpoch())
      series->Add({log.name}, absl::ToDoubleSeconds(log.last_dump - absl::UnixEpoch()));
  }
}
template <auto kMember>
void OfExporters(const Scrape& scrape, Series* series) {
  for (const ExporterSample& e : scrape.exporters.samples) {
    series->Add({e.exporter, e.protocol, e.domain}, Value(e.report.*kMember));
  }
}
template <auto kMember>
void OfSequences(const Scrape& scrape, Series* series) {
  for (const ExporterSample& e : scrape.exporters.samples) {
    for (const SequenceCounters* sequence : {&e.report.sequence, &e.report.sample_sequence}) {
      // The sum of others has none: what was lost can turn out to be late.
      if (!sequence->unit.empty()) {
        series->Add({e.exporter, e.protocol, e.domain, sequence->unit}, Value(sequence->*kMember));
      }
    }
  }
}

void BgpPeerPaths(const Scrape& scrape, Series* series) {
  for (const BgpPeerStatus& peer : scrape.status.bgp.peers) {
    const std::string as = absl::StrCat(peer.as);
    series->Add({peer.peer, as, peer.router_id, "ipv4"}, Value(peer.ipv4_paths));
    series->Add({peer.peer, as, peer.router_id, "ipv6"}, Value(peer.ipv6_paths));
  }
}

void BuildInfo(const Scrape& scrape, Series* series) { series->Add({scrape.status.version}, 1); }

void InputInfo(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) series->Add({input.name, input.kind, input.listen}, 1);
}

void InputDecoded(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) {
    series->Add({input.name}, Value(input.decoded[base::DecodeCode::kOk]));
  }
}

void InputRejected(const Scrape& scrape, Series* series) {
  for (const InputStatus& input : scrape.status.inputs) {
    for (const Term& reason : Rejections(input)) series->Add({input.name, reason.name}, Value(reason.value));
  }
}

void ExporterErrors(const Scrape& scrape, Series* series) {
  for (const ExporterSample& e : scrape.exporters.samples) {
    for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
      const auto code = static_cast<base::DecodeCode>(i);
      // Without those that never occurred: they would be most of all series.
      if (e.report.errors[code] == 0) continue;
      series->Add({e.exporter, e.protocol, e.domain, base::DecodeCodeName(code)}, Value(e.report.errors[code]));
    }
  }
}

void ExporterCoverage(const Scrape& scrape, Series* series) {
  for (const ExporterSample& e : scrape.exporters.samples) {
    if (!e.report.sequence.unit.empty()) series->Add({e.exporter, e.protocol, e.domain}, Coverage(e.report));
  }
}

void ExportersSummed(const Scrape& scrape, Series* series) { series->Add({}, Value(scrape.exporters.summed)); }

void Equations(const Scrape& scrape, Series* series) { series->Add({}, Value(Identity(scrape.status).size())); }
void Broken(const Scrape& scrape, Series* series) { series->Add({}, Value(BrokenEquations(Identity(scrape.status)))); }

void StartTime(const Scrape& scrape, Series* series) {
  series->Add({}, absl::ToDoubleSeconds(scrape.process.started - absl::UnixEpoch()));
}

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;
constexpr char kExporter[] = "exporter,protocol,domain";

using C = CollectorStatus;
using I = InputStatus;
using P = PipelineStatus;
using B = BgpStatus;
using M = BmpStatus;
using V = RpkiStatus;
using S = SinkStatus;
using R = ReplicaReceiverStatus;

constexpr Metric kMetrics[] = {
#define X(name, type, unit, labels, help, collect) {name, type, unit, labels, help, collect},
#include "flowacct/collector/admin/metrics.def"
#undef X
};

}  // namespace

absl::Span<const Metric> Metrics() { return kMetrics; }

}  // namespace flowacct::collector
