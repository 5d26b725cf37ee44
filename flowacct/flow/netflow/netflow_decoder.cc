#include "flowacct/flow/netflow/netflow_decoder.h"

#include <utility>

#include "flowacct/base/octets.h"
#include "flowacct/flow/netflow/fixed_format.h"
#include "flowacct/flow/netflow/fixed_template.h"
#include "flowacct/flow/netflow/fixed_view.h"
#include "flowacct/flow/netflow/v9_view.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/record_teller.h"
#include "flowacct/flow/template/set_decoder.h"
#include "flowacct/flow/template/template_entry.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr int64_t kNanosPerSecond = 1000000000;

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
    const bool v9 = octets.size() >= 2 && base::LoadBe16(octets.data()) == 9;
    return v9 ? DecodeV9(datagram, output) : DecodeFixed(datagram, output);
  }

  std::vector<record::ExporterReport> Report() const {
    std::vector<record::ExporterReport> reports;
    for (const flow::Domain* domain : domains_.Sorted()) {
      reports.push_back(
          domain->Report(ProtocolName(domain->key.version), domain->key.version == 9 ? "datagrams" : "records"));
    }
    domains_.ReportRefused("netflow", &reports);
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

  DecodeResult DecodeFixed(const record::Datagram& datagram, const record::DecodeOutput& output) {
    FixedView view;
    const DecodeResult parsed = FixedView::Parse(datagram.octets, &view);
    if (!parsed.ok() && parsed.code != DecodeCode::kUnsupported) return Unowned(datagram, parsed);
    const uint16_t version = view.version();
    // Engine type and id (v5, v8) tell the parts of a device apart, each with its own sequence.
    const uint32_t engine = uint32_t{view.engine_type()} << 8 | view.engine_id();
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, engine, version}, datagram.arrival_nanos);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);

    if (!parsed.ok()) {
      ++domain->rejected_sets;
      Count(datagram, parsed, domain);
      return parsed;
    }

    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = engine;
    context.version = version;
    context.has_uptime = true;
    context.uptime_millis = view.sys_uptime_milliseconds();
    // v1 has residual nanoseconds too; more than a second of them is nonsense and is not added.
    const uint32_t nanos = view.unix_nanoseconds();
    const int64_t export_nanos = view.unix_seconds() * kNanosPerSecond + (nanos < kNanosPerSecond ? nanos : 0);
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) domain->sequence.Restart();
    if (version != 1) {
      context.has_sequence = true;
      context.sequence = view.flow_sequence();
      domain->sequence.Observe(context.sequence);
      domain->sequence.Advance(view.count());
    }
    if (version == 5) {
      // Some exporters leave the mode zero; the interval tells.
      context.header_sampling_rate = view.sampling_interval();
      domain->header_sampling_rate = context.header_sampling_rate;
    }
    context.names = &domain->names;
    context.sampling = &domain->sampling;

    std::unique_ptr<flow::TemplateEntry>& slot = entries_[view.format() - FixedFormats().data()];
    if (slot == nullptr)
      slot = std::make_unique<flow::TemplateEntry>(MakeFixedTemplate(*view.format()), layout_, version);
    flow::TemplateEntry& entry = *slot;
    flow::RecordTeller teller(nullptr, 0);
    const flow::TemplateEntry::Decoded decoded = entry.DecodeFlows(view.records(), &context, output, &teller);
    domain->flow_records += decoded.records;
    domain->clock_repairs += context.clock_repairs;
    domain->misfits += context.misfits;
    const DecodeResult result = view.result();
    if (result.code == DecodeCode::kTruncated) ++domain->rejected_sets;
    Count(datagram, result, domain);
    return result;
  }

  DecodeResult DecodeV9(const record::Datagram& datagram, const record::DecodeOutput& output) {
    V9View packet;
    const DecodeResult parsed = V9View::Parse(datagram.octets, &packet);
    if (!parsed.ok()) return Unowned(datagram, parsed);
    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = packet.source_id();
    context.version = 9;
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, context.domain, 9}, datagram.arrival_nanos);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    ++domain->datagrams;
    domain->octets += datagram.octets.size();

    context.has_uptime = true;
    context.uptime_millis = packet.sys_uptime_milliseconds();
    context.has_sequence = true;
    context.sequence = packet.sequence_number();
    const int64_t export_nanos = packet.unix_seconds() * kNanosPerSecond;
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) {
      // Two processes that share a source id have two uptimes, but then their numbers do not both begin anew.
      if (context.sequence < domain->sequence.expected()) sets_.ForgetTemplates(domain);
      domain->sequence.Restart();
    }
    domain->sequence.Observe(context.sequence);
    domain->sequence.Advance(1);
    const flow::SetDecoder::Decoded decoded = sets_.Decode(datagram, packet.flow_sets(), &context, output, domain);
    domain->clock_repairs += context.clock_repairs;
    domain->misfits += context.misfits;
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
