#include "flowacct/collector/admin/fake_collector.h"

#include <utility>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"

namespace flowacct::collector {
namespace {

using base::DecodeCode;
using record::ExporterReport;

// Of `rate` a second, what came in `seconds` beside what was there.
uint64_t At(uint64_t before, double rate, double seconds) { return before + static_cast<uint64_t>(rate * seconds); }

ExporterReport Exporter(const char* address, const char* protocol, uint32_t domain) {
  ExporterReport report;
  report.exporter = *base::IpAddress::Parse(address);
  report.protocol = protocol;
  report.domain = domain;
  return report;
}

}  // namespace

const char FakeCollector::kAnswer[] =
    R"({"columns":["src_as","dst_as","packets","bytes"],)"
    R"("rows":[[64496,64497,120,151200],[64498,null,7,18446744073709551615],["a \"b\", c",64499,1,40]],)"
    R"("groups":1234,"incomplete":true})"
    "\n";

CollectorStatus SampleStatus() { return SampleStatusAfter(absl::ZeroDuration()); }

CollectorStatus SampleStatusAfter(absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  CollectorStatus status;
  status.version = "0.1.0";
  status.config = "/etc/flowacct/collector.conf";
  status.started = absl::FromUnixSeconds(1767225600);  // 2026-01-01
  status.now = status.started + absl::Hours(76) + absl::Minutes(12) + elapsed;
  status.last_round = status.now;
  status.ready = true;
  status.reloads = 3;
  status.reloads_failed = 1;
  status.last_reload_error = "collector.conf:12:7: by: no field is called \"src_adr\"; did you mean src_addr?";
  status.workers = 2;
  status.exporters = 3;
  status.domains = 4;
  status.log_lines = 41;
  status.log_suppressed = 7;
  status.notes = {"3 templates of 1 exporters were restored"};

  // Room for all, so that references stay.
  status.inputs.reserve(2);
  status.pipelines.reserve(2);
  InputStatus& udp = status.inputs.emplace_back();
  udp.name = "exports";
  udp.kind = "udp";
  udp.listen = "0.0.0.0:2055,[::]:4739";
  udp.trouble = "receive buffer of 4 MiB instead of 64 MiB; raise net.core.rmem_max";
  udp.received = At(1000000, 4200, seconds);
  udp.received_octets = At(1400000000, 4200 * 1400, seconds);
  udp.kernel_dropped = At(120, 25, seconds);
  udp.refused_not_allowed = 11;
  udp.refused_rate = At(12, 3, seconds);
  udp.refused_budget = 13;
  udp.truncated = 14;
  udp.decoded.Count(DecodeCode::kTruncated, 21);
  udp.decoded.Count(DecodeCode::kTemplateUnknown, 22);
  udp.decoded.Count(DecodeCode::kOk, udp.received - udp.refused_rate - 11 - 13 - 14 - 21 - 22);
  udp.records = At(24000000, 100000, seconds);
  InputStatus& tls = status.inputs.emplace_back();
  tls.name = "tls";
  tls.kind = "stream";
  tls.listen = "192.0.2.1:4740";
  tls.received = At(5000, 10, seconds);
  tls.received_octets = At(6000000, 12000, seconds);
  tls.decoded.Count(DecodeCode::kOk, tls.received);
  tls.records = At(90000, 200, seconds);
  tls.connections_open = 2;
  tls.connections_accepted = 31;
  tls.connections_refused = 32;
  tls.connections_failed = 33;

  status.bgp.established = 61;
  status.bgp.paths = 62;
  status.bgp.attribute_sets = 63;
  status.bgp.octets = 64;
  status.bgp.dumps_written = 651;
  status.bgp.dumps_failed = 652;
  status.bgp.dump_files_loaded = 653;
  status.bgp.dump_files_failed = 654;
  BgpPeerStatus& neighbour = status.bgp.peers.emplace_back();
  neighbour.peer = "192.0.2.1";
  neighbour.as = 64500;
  neighbour.router_id = "192.0.2.7";
  neighbour.up = true;
  neighbour.ipv4_paths = 65;
  neighbour.updates = 66;
  status.bmp.connected = 71;
  status.bmp.tables = 72;
  status.bmp.messages = 73;
  BmpRouterStatus& router = status.bmp.routers.emplace_back();
  router.router = "192.0.2.9";
  router.name = "edge-1";
  router.tables = 74;
  router.messages = 75;

  status.rpki.validates = true;
  status.rpki.vrps = 71;
  status.rpki.tables = 72;
  status.rpki.octets = 73;
  RpkiCacheStatus& cache = status.rpki.caches.emplace_back();
  cache.cache = "tcp://192.0.2.8:323";
  cache.state = "synchronized";
  cache.version = 1;
  cache.session = 74;
  cache.serial = 75;
  cache.vrps = 76;
  cache.updated = status.started;
  cache.expires = status.started + absl::Hours(200);
  RpkiFileStatus& file = status.rpki.files.emplace_back();
  file.file = "/var/lib/rpki-client/json";
  file.vrps = 77;
  file.reads = 78;
  file.failures = 79;
  file.updated = status.started;
  file.last_error = "No such file or directory; is the path right?";
  IgpCircuitStatus circuit;
  circuit.circuit = "gre 192.0.2.9 192.0.2.1";
  circuit.adjacencies_2 = 1;
  circuit.sent = 61;
  circuit.frames = {{"ok", 62}, {"gre_version", 63}};
  circuit.pdus = {{"hello", 64}, {"bad_checksum", 65}};
  status.igp.circuits = {circuit};
  status.igp.events = {{"adjacencies_up", 66}};
  status.igp.advertisements = 67;
  status.igp.routers_2 = 68;
  status.igp.links_2 = 69;
  status.igp.prefixes = 70;
  status.igp.computations = 71;
  status.igp.computation_seconds = 1.5;
  status.gtp.contexts = 81;
  status.gtp.transactions = 82;
  status.gtp.octets = 83;
  status.gtp.decoded.Count(base::DecodeCode::kOk, 84);
  status.gtp.decoded.Count(base::DecodeCode::kTruncated, 85);
  status.gtp.elements_unreadable = 86;
  status.gtp.events = {{"messages", 87}, {"path_changes", 88}};
  RouteLogStatus& route_log = status.route_logs.emplace_back();
  route_log.name = "bgp";
  route_log.lines = 71;
  route_log.dropped = 72;
  route_log.dump_seconds = 0.5;
  route_log.last_dump = absl::FromUnixSeconds(1767225600);

  PipelineStatus& as = status.pipelines.emplace_back();
  as.name = "as";
  as.records_in = udp.records + tls.records;
  as.records_dropped = 1001;
  as.records_held = 999;
  as.records_filtered = At(1002, 100, seconds);
  as.records_late = 1003;
  as.records_aggregated = as.records_in - as.records_filtered - 1001 - 1003 - 999;
  as.records_overflowed = 1004;
  as.open_groups = 12345;
  as.open_octets = 1728300;
  as.bins_closed = 4572;
  as.corrections = 17;
  as.packets = At(900000000, 4000000, seconds);
  as.bytes = At(700000000000, 2.5e9, seconds);
  as.enrichment = {{"rules", "rules_met", 90001}};
  as.sinks.reserve(2);
  SinkStatus& print = as.sinks.emplace_back();
  print.name = "print";
  print.batches = 4589;
  print.written = 4580;
  print.waiting = 2;
  print.dropped = 4;
  print.failed = 3;
  print.rows_written = 9000000;
  print.rows_lost = 8000;
  print.last_error = "/var/lib/flowacct/as.csv: No space left on device; free some";
  SinkStatus& memory = as.sinks.emplace_back();
  memory.name = "memory";
  memory.batches = memory.written = 4589;
  memory.rows_written = 9008000;
  PipelineStatus& all = status.pipelines.emplace_back();
  all.name = "all";
  all.records_in = all.records_aggregated = as.records_in;
  all.packets = as.packets;
  all.bytes = as.bytes;

  ReplicaStatus& replica = status.replicas.emplace_back();
  replica.name = "tee";
  replica.receivers.push_back({"198.51.100.1:2055", At(999990, 4200, seconds), 6, 4});
  return status;
}

std::vector<ExporterReport> SampleExporters() {
  std::vector<ExporterReport> exporters;
  ExporterReport v9 = Exporter("192.0.2.10", "netflow9", 256);
  v9.datagrams = 700000;
  v9.octets = 980000000;
  v9.flow_records = 16800000;
  v9.option_records = 300;
  v9.rejected_sets = 2;
  v9.pending_sets = 1;
  v9.template_count = 2;
  v9.clock_repairs = 5;
  v9.misfits = 6;
  v9.sequence = {"datagrams", 3, 700, 2, 1, 11};
  v9.errors.Count(DecodeCode::kOk, 699998);
  v9.errors.Count(DecodeCode::kTemplateUnknown, 2);
  record::TemplateReport format;
  format.id = 256;
  format.kind = record::RecordKind::kFlow;
  format.records = 16800000;
  format.definitions = 4572;
  format.redefinitions = 1;
  format.fields = {{"sourceIPv4Address", 4, false}, {"octetDeltaCount", 8, false}, {"interfaceName", 65535, false}};
  v9.templates.push_back(format);
  format.id = 257;
  format.kind = record::RecordKind::kOption;
  format.fields = {{"selectorId", 2, true}};
  v9.templates.push_back(format);
  v9.sampling = {{"all", 1000, record::SamplingSource::kOptions}};
  v9.interfaces = {{1, "eth0"}, {17, "xe-0/0/1 \x1b[31m"}};
  exporters.push_back(std::move(v9));

  ExporterReport ipfix = Exporter("2001:db8::7", "ipfix", 0);
  ipfix.datagrams = 300000;
  ipfix.octets = 420000000;
  ipfix.flow_records = 7200000;
  ipfix.reverse_records = 31;
  ipfix.unread_sections = 32;
  ipfix.sequence = {"records", 9, 1800000, 0, 0, 0};
  ipfix.errors.Count(DecodeCode::kOk, 300000);
  exporters.push_back(std::move(ipfix));

  ExporterReport sflow = Exporter("192.0.2.30", "sflow5", 3);
  sflow.datagrams = 4000;
  sflow.octets = 4000000;
  sflow.flow_records = 20000;
  sflow.counter_records = 4444;
  sflow.unknown_samples = 33;
  sflow.unknown_records = 34;
  sflow.untracked_samples = 35;
  sflow.sequence = {"datagrams", 0, 0, 0, 0, 0};
  sflow.sample_sequence = {"samples", 1, 8, 0, 0, 0};
  sflow.errors.Count(DecodeCode::kOk, 4000);
  exporters.push_back(std::move(sflow));
  return exporters;
}

std::vector<ExporterReport> ManyExporters(size_t count) {
  std::vector<ExporterReport> exporters;
  for (size_t i = 0; i < count; ++i) {
    ExporterReport& report = exporters.emplace_back();
    report.exporter = base::IpAddress::V4(0x0a000000 + static_cast<uint32_t>(i));
    report.protocol = "netflow9";
    report.datagrams = 100 + i;
    report.octets = 1000 * report.datagrams;
    report.flow_records = 24 * report.datagrams;
    report.sequence.unit = "datagrams";
    report.errors.Count(DecodeCode::kOk, report.datagrams);
  }
  return exporters;
}

std::vector<ExporterReport> FakeCollector::Exporters(bool templates) {
  base::MutexLock lock(&mutex_);
  std::vector<ExporterReport> exporters = exporters_;
  if (!templates) {
    for (ExporterReport& exporter : exporters) {
      exporter.templates.clear();
      exporter.sampling.clear();
      exporter.interfaces.clear();
    }
  }
  return exporters;
}

}  // namespace flowacct::collector
