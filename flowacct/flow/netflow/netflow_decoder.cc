#include "flowacct/flow/netflow/netflow_decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "flowacct/base/octets.h"
#include "flowacct/flow/netflow/fixed_format.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/record_teller.h"
#include "flowacct/flow/template/set_decoder.h"
#include "flowacct/flow/template/template_entry.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::LoadBe32;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr uint16_t kVersions[] = {1, 5, 7, 8, 9};

const char* ProtocolName(uint16_t version) {
  switch (version) {
    case 1:
      return "netflow1";
    case 5:
      return "netflow5";
    case 7:
      return "netflow7";
    case 8:
      return "netflow8";
    default:
      return "netflow9";
  }
}

}  // namespace

class NetflowDecoder::Impl {
 public:
  Impl(const record::Layout* layout, const NetflowOptions& options)
      : layout_(layout), options_(options.templates), domains_(options_), sets_(layout, &options_, &domains_, 9) {
    entries_.resize(FixedFormats().size());
  }

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
    const base::Octets octets = datagram.octets;
    if (octets.size() < 2) return Unowned(datagram, DecodeResult::Error(DecodeCode::kTruncated, 0));
    const uint16_t version = LoadBe16(octets.data());
    if (std::find(std::begin(kVersions), std::end(kVersions), version) == std::end(kVersions)) {
      return Unowned(datagram, DecodeResult::Error(DecodeCode::kBadVersion, 0));
    }
    return version == 9 ? DecodeV9(datagram, output) : DecodeFixed(version, datagram, output);
  }

  std::vector<record::ExporterReport> Report() const {
    std::vector<record::ExporterReport> reports;
    for (const flow::Domain* domain : domains_.Sorted()) {
      reports.push_back(
          domain->Report(ProtocolName(domain->key.version), domain->key.version == 9 ? "datagrams" : "records"));
    }
    return reports;
  }

 private:
  // Trouble before a datagram tells its domain is that of the exporter's domain 0 of version 0.
  DecodeResult Unowned(const record::Datagram& datagram, DecodeResult result) {
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, 0, 0}, datagram.arrival_nanos);
    if (domain != nullptr) Count(datagram, result, domain);
    return result;
  }

  static void Count(const record::Datagram& datagram, DecodeResult result, flow::Domain* domain) {
    ++domain->datagrams;
    domain->octets += datagram.octets.size();
    domain->errors.Count(result.code);
  }

  DecodeResult DecodeFixed(uint16_t version, const record::Datagram& datagram, const record::DecodeOutput& output) {
    const base::Octets octets = datagram.octets;
    const uint8_t* p = octets.data();
    if (octets.size() < (version == 8 ? 28u : (version == 1 ? 16u : 24u))) {
      return Unowned(datagram, DecodeResult::Error(DecodeCode::kTruncated, octets.size()));
    }
    // Engine type and id (v5, v8) tell the parts of a device apart, each with its own sequence.
    const uint32_t engine = version == 5 || version == 8 ? LoadBe16(p + 20) : 0;
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, engine, version}, datagram.arrival_nanos);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);

    const FixedFormat* format = FindFixedFormat(version, version == 8 ? p[22] : 0);
    if (format == nullptr) {
      const DecodeResult result = DecodeResult::Error(DecodeCode::kUnsupported, 22);
      ++domain->rejected_sets;
      Count(datagram, result, domain);
      return result;
    }

    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = engine;
    context.version = version;
    context.has_uptime = true;
    context.uptime_millis = LoadBe32(p + 4);
    // v1 has residual nanoseconds too; more than a second of them is nonsense and is not added.
    const uint32_t nanos = LoadBe32(p + 12);
    const int64_t export_nanos = LoadBe32(p + 8) * kNanosPerSecond + (nanos < kNanosPerSecond ? nanos : 0);
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    const uint16_t count = LoadBe16(p + 2);
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) domain->sequence.Restart();
    if (version != 1) {
      context.has_sequence = true;
      context.sequence = LoadBe32(p + 16);
      domain->sequence.Observe(context.sequence);
      domain->sequence.Advance(count);
    }
    if (version == 5) {
      // Two bits of mode, fourteen of interval. Some exporters leave the mode zero; the interval tells.
      context.header_sampling_rate = LoadBe16(p + 22) & 0x3fff;
      domain->header_sampling_rate = context.header_sampling_rate;
    }
    context.names = &domain->names;
    context.sampling = &domain->sampling;

    std::unique_ptr<flow::TemplateEntry>& slot = entries_[format - FixedFormats().data()];
    if (slot == nullptr) slot = std::make_unique<flow::TemplateEntry>(MakeFixedTemplate(*format), layout_, version);
    flow::TemplateEntry& entry = *slot;
    flow::RecordTeller teller(nullptr, 0);
    const size_t whole = std::min<size_t>((octets.size() - format->header_octets) / format->record_octets, count);
    const flow::TemplateEntry::Decoded decoded = entry.DecodeFlows(
        octets.subspan(format->header_octets, whole * format->record_octets), &context, output, &teller);
    domain->flow_records += decoded.records;
    domain->clock_repairs += context.clock_repairs;
    const size_t end = format->header_octets + decoded.octets;
    DecodeResult result;
    if (whole < count) {
      ++domain->rejected_sets;
      result = DecodeResult::Error(DecodeCode::kTruncated, end);
    } else if (end < octets.size()) {
      result = DecodeResult::Error(DecodeCode::kTrailingOctets, end);
    }
    Count(datagram, result, domain);
    return result;
  }

  DecodeResult DecodeV9(const record::Datagram& datagram, const record::DecodeOutput& output) {
    constexpr size_t kHeaderOctets = 20;  // RFC 3954, 5.1
    const uint8_t* p = datagram.octets.data();
    if (datagram.octets.size() < kHeaderOctets) {
      return Unowned(datagram, DecodeResult::Error(DecodeCode::kTruncated, datagram.octets.size()));
    }
    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = LoadBe32(p + 16);
    context.version = 9;
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, context.domain, 9}, datagram.arrival_nanos);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    ++domain->datagrams;
    domain->octets += datagram.octets.size();

    context.has_uptime = true;
    context.uptime_millis = LoadBe32(p + 4);
    context.has_sequence = true;
    context.sequence = LoadBe32(p + 12);
    const int64_t export_nanos = LoadBe32(p + 8) * kNanosPerSecond;
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) {
      // Two processes that share a source id have two uptimes, but then their numbers do not both begin anew.
      if (context.sequence < domain->sequence.expected()) sets_.ForgetTemplates(domain);
      domain->sequence.Restart();
    }
    domain->sequence.Observe(context.sequence);
    domain->sequence.Advance(1);
    const flow::SetDecoder::Decoded decoded =
        sets_.Decode(datagram, datagram.octets, kHeaderOctets, &context, output, domain);
    domain->clock_repairs += context.clock_repairs;
    if (decoded.result.ok()) domain->errors.Count(DecodeCode::kOk);
    return decoded.result;
  }

  const record::Layout* layout_;
  const flow::TemplateOptions options_;
  flow::DomainTable domains_;
  flow::SetDecoder sets_;
  std::vector<std::unique_ptr<flow::TemplateEntry>> entries_;  // as FixedFormats(); null until one comes
};

NetflowDecoder::NetflowDecoder(const record::Layout* layout, const NetflowOptions& options)
    : impl_(std::make_unique<Impl>(layout, options)) {}

NetflowDecoder::~NetflowDecoder() = default;

DecodeResult NetflowDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  return impl_->Decode(datagram, output);
}

std::vector<record::ExporterReport> NetflowDecoder::Report() const { return impl_->Report(); }

}  // namespace flowacct::netflow
