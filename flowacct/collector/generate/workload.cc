#include "flowacct/collector/generate/workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/collector/generate/flow_population.h"

namespace flowacct::collector {
namespace {

using base::OctetWriter;

struct KindInfo {
  absl::string_view name;
  uint64_t records;
  uint32_t distinct_keys;
  int ipv6_percent;
  uint16_t port;  // registered: 2055 by custom, 4739 and 6343 with IANA
};

// In the order of WorkloadKind.
constexpr KindInfo kKinds[] = {
    {"v5", 3000000, 1000000, 0, 2055},     {"v9", 3000000, 1000000, 0, 2055},   {"ipfix", 3000000, 1000000, 30, 4739},
    {"sflow", 2000000, 1000000, 10, 6343}, {"packets", 5000000, 550000, 10, 0},
};

const KindInfo& Info(WorkloadKind kind) { return kKinds[static_cast<size_t>(kind)]; }

constexpr uint32_t kFirstExporter = 0xc0000201;  // 192.0.2.1
constexpr uint32_t kCollector = 0xc63364fe;      // 198.51.100.254
constexpr uint32_t kMaxExporters = 200;
constexpr size_t kNetFlow9MaxRecords = 24;
constexpr size_t kSflowSamples = 7;
constexpr size_t kSflowHeaderOctets = 128;
constexpr size_t kPacketOctets = 96;
constexpr uint32_t kSflowSamplingRate = 1000;
// Datagrams of an exporter between templates (RFC 3954, 9; RFC 7011, 8.4: they are sent again and again over UDP).
constexpr uint32_t kTemplateInterval = 1000;
// NetFlow v9 fills an Ethernet frame; an IPFIX message fits the smallest MTU of IPv6 (RFC 8200, 5) with its headers.
constexpr size_t kNetFlow9PayloadOctets = 1472;
constexpr size_t kIpfixPayloadOctets = 1232;
// Flows are told up to 69 s after they began, so the capture begins when an exporter has run for 70 s.
constexpr uint32_t kUptimeMs = 70000;

class Generator : public WorkloadGenerator {
 public:
  explicit Generator(const WorkloadOptions& options)
      : options_(options),
        population_(options.seed, options.prefix_pairs, options.ipv6_percent, options.documentation_space),
        ranks_(options.distinct_keys, options.zipf_exponent),
        random_(~options.seed),
        used_(options.distinct_keys),
        exporters_(options.exporters) {
    truth_.kind = options.kind;
  }

  bool Next(CapturedPacket* packet) override {
    if (truth_.records >= options_.records) return false;
    payload_.Clear();
    if (options_.kind == WorkloadKind::kPackets) {
      const uint32_t ip_length = DrawLength();
      const int64_t at = NowNanos();
      const auto number = static_cast<uint32_t>(truth_.records);
      EncodeFrame(DrawPacket(ip_length), ip_length, number, kPacketOctets, &payload_);
      Tell(payload_.octets(), 14 + ip_length, at, packet);
      return true;
    }
    Exporter& exporter = exporters_[truth_.datagrams % exporters_.size()];
    switch (options_.kind) {
      case WorkloadKind::kNetFlow5:
        FillNetFlow5(&exporter);
        break;
      case WorkloadKind::kNetFlow9:
      case WorkloadKind::kIpfix:
        FillTemplated(&exporter);
        break;
      default:
        FillSflow(&exporter);
        break;
    }
    frame_.Clear();
    UdpEnvelope envelope;
    envelope.source_v4 = kFirstExporter + static_cast<uint32_t>(truth_.datagrams % exporters_.size());
    envelope.destination_v4 = kCollector;
    envelope.source_port = 50000;
    envelope.destination_port = Info(options_.kind).port;
    envelope.identification = static_cast<uint16_t>(truth_.datagrams);
    EncodeUdpEnvelope(envelope, payload_.size(), &frame_);
    frame_.Bytes(payload_.octets());
    Tell(frame_.octets(), static_cast<uint32_t>(frame_.size()), NowNanos(), packet);
    return true;
  }

  WorkloadTruth Truth() const override {
    WorkloadTruth truth = truth_;
    absl::flat_hash_set<std::array<uint8_t, 38>> tuples;
    absl::flat_hash_set<uint64_t> as_pairs;
    const bool tells_as = options_.kind != WorkloadKind::kSflow && options_.kind != WorkloadKind::kPackets;
    for (uint32_t i = 0; i < used_.size(); ++i) {
      if (!used_[i]) continue;
      const FlowKey key = population_.Key(i);
      std::array<uint8_t, 38> tuple;
      std::copy(key.src.begin(), key.src.end(), tuple.begin());
      std::copy(key.dst.begin(), key.dst.end(), tuple.begin() + 16);
      base::StoreBe16(&tuple[32], key.src_port);
      base::StoreBe16(&tuple[34], key.dst_port);
      tuple[36] = key.protocol;
      tuple[37] = key.v6 ? 6 : 4;
      tuples.insert(tuple);
      if (tells_as) as_pairs.insert(uint64_t{AsOnWire(key.src_as)} << 32 | AsOnWire(key.dst_as));
    }
    truth.distinct_five_tuples = tuples.size();
    truth.distinct_as_pairs = as_pairs.size();
    return truth;
  }

  uint32_t snap_length() const override { return options_.kind == WorkloadKind::kPackets ? kPacketOctets : 65535; }

 private:
  struct Exporter {
    uint32_t sequence = 0;  // in the unit of the protocol
    uint32_t datagrams = 0;
    uint32_t samples = 0;
  };

  // Time since the capture began, in milliseconds; follows the records.
  uint64_t NowMs() const { return truth_.records * 1000 / options_.records_per_second; }
  int64_t NowNanos() const {
    return int64_t{options_.start_seconds} * 1000000000 +
           static_cast<int64_t>(truth_.records * 1000000000 / options_.records_per_second);
  }
  uint32_t AsOnWire(uint32_t as) const { return options_.kind == WorkloadKind::kNetFlow5 && as > 65535 ? 23456 : as; }

  FlowKey Draw(uint32_t* index) {
    *index = ranks_.Draw(random_);
    used_[*index] = true;
    return population_.Key(*index);
  }

  GeneratedFlow DrawFlow() {
    uint32_t index;
    GeneratedFlow flow;
    flow.key = Draw(&index);
    // Heavy-tailed: most flows are a packet or two, a few are thousands. x^(7/8) by square roots, which round exactly.
    const double x = 1 / (1 - random_.Unit());
    const double root = std::sqrt(x), fourth = std::sqrt(root);
    flow.packets = static_cast<uint32_t>(std::min(20000.0, root * fourth * std::sqrt(fourth)));
    constexpr uint16_t kSizes[] = {52, 64, 120, 576, 1300, 1420, 1500};
    flow.bytes = flow.packets * kSizes[random_.Below(7)];
    flow.start_ms = static_cast<uint32_t>(NowMs() + 1000);
    flow.end_ms = flow.start_ms + random_.Below(60000);
    const uint64_t bits = random_.Next();
    flow.tcp_flags = flow.key.protocol == 6 ? ((bits & 3) != 0 ? 0x1b : 0x02) : 0;
    flow.tos = (bits >> 2 & 7) != 0 ? 0 : 0xb8;
    flow.in_if = static_cast<uint16_t>(1 + MixBits(index) % 32);
    flow.out_if = static_cast<uint16_t>(1 + MixBits(~uint64_t{index}) % 32);
    ++truth_.records;
    truth_.packets += flow.packets;
    truth_.bytes += flow.bytes;
    return flow;
  }

  // Acknowledgements, something of any size, and full segments. Not below what TCP in IPv6 takes.
  uint32_t DrawLength() {
    const uint32_t x = random_.Below(100);
    if (x < 45) return 60 + random_.Below(12);
    if (x < 60) return 100 + random_.Below(500);
    if (x < 65) return 576;
    return 1400 + random_.Below(101);
  }

  FlowKey DrawPacket(uint32_t ip_length) {
    uint32_t index;
    FlowKey key = Draw(&index);
    ++truth_.records;
    ++truth_.packets;
    truth_.bytes += ip_length;
    return key;
  }

  ExportHeader Header(const Exporter& exporter) const {
    ExportHeader header;
    header.boot_seconds = options_.start_seconds - kUptimeMs / 1000;
    header.uptime_ms = static_cast<uint32_t>(NowMs() + kUptimeMs);
    header.sequence = exporter.sequence;
    header.domain = 1;
    return header;
  }

  void FillNetFlow5(Exporter* exporter) {
    flows_.clear();
    while (flows_.size() < kNetFlow5MaxRecords && truth_.records < options_.records) flows_.push_back(DrawFlow());
    EncodeNetFlow5(Header(*exporter), flows_, &payload_);
    exporter->sequence += static_cast<uint32_t>(flows_.size());
  }

  void FillTemplated(Exporter* exporter) {
    const bool ipfix = options_.kind == WorkloadKind::kIpfix;
    const bool templates = exporter->datagrams++ % kTemplateInterval == 0;
    const bool ipv4_only = !ipfix && options_.ipv6_percent == 0;
    const size_t* record_octets = ipfix ? kIpfixRecordOctets : kNetFlow9RecordOctets;
    // Message header, two set headers, padding; a template takes 4 octets and 4 a field.
    size_t octets = 20 + 2 * (4 + 3) + (templates ? (ipv4_only ? 1 : 2) * size_t{84} : 0);
    const size_t limit = ipfix ? kIpfixPayloadOctets : kNetFlow9PayloadOctets;
    const size_t max_records = ipfix ? limit : kNetFlow9MaxRecords - (templates ? 2 : 0);
    flows_.clear();
    while (flows_.size() < max_records && truth_.records < options_.records && octets + record_octets[1] <= limit) {
      flows_.push_back(DrawFlow());
      octets += record_octets[flows_.back().key.v6 ? 1 : 0];
    }
    if (ipfix) {
      EncodeIpfix(Header(*exporter), flows_, templates, &payload_);
      exporter->sequence += static_cast<uint32_t>(flows_.size());  // RFC 7011, 3.1: data records
    } else {
      EncodeNetFlow9(Header(*exporter), flows_, templates, ipv4_only, &payload_);
      ++exporter->sequence;  // RFC 3954, 5.1: datagrams
    }
  }

  void FillSflow(Exporter* exporter) {
    const auto samples = static_cast<uint32_t>(std::min<uint64_t>(kSflowSamples, options_.records - truth_.records));
    uint8_t agent[4];
    base::StoreBe32(agent, kFirstExporter + static_cast<uint32_t>(exporter - exporters_.data()));
    EncodeSflowHeader(agent, ++exporter->datagrams, static_cast<uint32_t>(NowMs() + kUptimeMs), samples, &payload_);
    for (uint32_t i = 0; i < samples; ++i) {
      const uint32_t ip_length = DrawLength();
      const FlowKey key = DrawPacket(ip_length);
      header_.Clear();
      EncodeFrame(key, ip_length, static_cast<uint32_t>(truth_.records), kSflowHeaderOctets, &header_);
      SflowSample sample;
      sample.sequence = ++exporter->samples;
      sample.sampling_rate = kSflowSamplingRate;
      sample.sample_pool = exporter->samples * kSflowSamplingRate;
      sample.in_if = 1 + key.src[3] % 32;
      sample.out_if = 1 + key.dst[3] % 32;
      sample.frame_length = 14 + ip_length;
      sample.header = header_.octets();
      EncodeSflowSample(sample, &payload_);
    }
  }

  void Tell(base::Octets octets, uint32_t wire_length, int64_t time_nanos, CapturedPacket* packet) {
    ++truth_.datagrams;
    packet->octets = octets;
    packet->time_nanos = time_nanos;
    packet->number = truth_.datagrams;
    packet->wire_length = wire_length;
    packet->interface = 0;
    packet->link_type = 1;  // Ethernet
  }

  const WorkloadOptions options_;
  const FlowPopulation population_;
  const ZipfRanks ranks_;
  RandomStream random_;
  WorkloadTruth truth_;
  std::vector<bool> used_;
  std::vector<Exporter> exporters_;
  std::vector<GeneratedFlow> flows_;
  OctetWriter header_, payload_, frame_;
};

}  // namespace

absl::string_view WorkloadKindName(WorkloadKind kind) { return Info(kind).name; }

std::optional<WorkloadKind> FindWorkloadKind(absl::string_view name) {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    if (kKinds[i].name == name) return static_cast<WorkloadKind>(i);
  }
  return std::nullopt;
}

std::string WorkloadTruthJson(const WorkloadTruth& truth) {
  return absl::StrCat("{\"workload\":\"", WorkloadKindName(truth.kind), "\",\"datagrams\":", truth.datagrams,
                      ",\"records\":", truth.records, ",\"packets\":", truth.packets, ",\"bytes\":", truth.bytes,
                      ",\"distinct_five_tuples\":", truth.distinct_five_tuples,
                      ",\"distinct_as_pairs\":", truth.distinct_as_pairs, "}");
}

absl::StatusOr<std::unique_ptr<WorkloadGenerator>> NewWorkloadGenerator(const WorkloadOptions& given) {
  WorkloadOptions options = given;
  const KindInfo& kind = Info(options.kind);
  if (options.records == 0) options.records = kind.records;
  if (options.distinct_keys == 0) options.distinct_keys = kind.distinct_keys;
  if (options.ipv6_percent < 0) options.ipv6_percent = kind.ipv6_percent;
  if (options.ipv6_percent > 100) {
    return absl::InvalidArgumentError(absl::StrCat("ipv6_percent is ", options.ipv6_percent, "; give 0 to 100"));
  }
  if (options.kind == WorkloadKind::kNetFlow5 && options.ipv6_percent > 0) {
    return absl::InvalidArgumentError(absl::StrCat("ipv6_percent is ", options.ipv6_percent,
                                                   ", but NetFlow v5 has no IPv6; leave it out, or take v9 or ipfix"));
  }
  if (options.distinct_keys > 100000000) {
    return absl::InvalidArgumentError(
        absl::StrCat("distinct_keys is ", options.distinct_keys, "; give at most 100000000 (8 octets each)"));
  }
  if (options.prefix_pairs == 0) return absl::InvalidArgumentError("prefix_pairs is 0; give at least 1");
  if (!(options.zipf_exponent >= 0 && options.zipf_exponent <= 10)) {
    return absl::InvalidArgumentError(absl::StrCat("zipf_exponent is ", options.zipf_exponent, "; give 0 to 10"));
  }
  if (options.exporters == 0 || options.exporters > kMaxExporters) {
    return absl::InvalidArgumentError(absl::StrCat("exporters is ", options.exporters, "; give 1 to ", kMaxExporters));
  }
  if (options.records_per_second == 0) {
    return absl::InvalidArgumentError("records_per_second is 0; give at least 1");
  }
  return std::unique_ptr<WorkloadGenerator>(new Generator(options));
}

}  // namespace flowacct::collector
