#include "flowacct/flow/ipfix/ipfix_decoder.h"

#include "flowacct/base/octets.h"
#include "flowacct/flow/ipfix/packet_section.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/set_decoder.h"

namespace flowacct::ipfix {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr int64_t kNanosPerMilli = 1000000;

}  // namespace

class IpfixDecoder::Impl {
 public:
  Impl(const record::Layout* layout, const IpfixOptions& options)
      : options_(options.templates),
        domains_(options_),
        sets_(layout, &options_, &domains_, kVersion),
        sections_(layout) {}

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
    const base::Octets octets = datagram.octets;
    MessageView message;
    const DecodeResult parsed = MessageView::Parse(octets, &message);
    if (!parsed.ok()) return Unowned(datagram, parsed);

    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = message.observation_domain_id();
    context.version = kVersion;
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, context.domain, kVersion}, datagram.arrival_nanos);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    ++domain->datagrams;
    domain->octets += octets.size();

    context.has_sequence = true;
    context.sequence = message.sequence_number();
    const int64_t export_nanos = message.export_time_seconds() * kNanosPerSecond;
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    if (domain->system_init_nanos > 0) {
      // No uptime in the header: it follows from when options data said that the device was started.
      context.has_uptime = true;
      context.uptime_millis = static_cast<uint32_t>((export_nanos - domain->system_init_nanos) / kNanosPerMilli);
      context.uptime_remainder_nanos = (export_nanos - domain->system_init_nanos) % kNanosPerMilli;
    }
    sections_.BeginMessage(&output.flows->interner(), datagram.arrival_nanos);
    context.sections = &sections_;

    domain->sequence.Observe(context.sequence);
    flow::SetDecoder::Decoded decoded = sets_.Decode(datagram, message.sets(), &context, output, domain);
    if (message.cut()) {
      decoded.uncounted = true;
      domain->errors.Count(DecodeCode::kTruncated);
      if (decoded.result.ok()) decoded.result = DecodeResult::Error(DecodeCode::kTruncated, octets.size());
    } else if (message.length() < octets.size()) {
      domain->errors.Count(DecodeCode::kTrailingOctets);
      if (decoded.result.ok()) decoded.result = DecodeResult::Error(DecodeCode::kTrailingOctets, message.length());
    }
    if (decoded.uncounted) {
      domain->sequence.Lose();
    } else {
      domain->sequence.Advance(static_cast<uint32_t>(decoded.records));
    }
    domain->clock_repairs += context.clock_repairs;
    domain->misfits += context.misfits;
    if (decoded.result.ok()) domain->errors.Count(DecodeCode::kOk);
    return decoded.result;
  }

  std::vector<record::ExporterReport> Report() const {
    std::vector<record::ExporterReport> reports;
    for (const flow::Domain* domain : domains_.Sorted()) reports.push_back(domain->Report("ipfix", "records"));
    domains_.ReportRefused("ipfix", &reports);
    return reports;
  }

 private:
  // Trouble before a message tells its domain is that of the exporter's domain 0 of version 0.
  DecodeResult Unowned(const record::Datagram& datagram, DecodeResult result) {
    flow::Domain* domain = domains_.FindOrAdd({datagram.source, 0, 0}, datagram.arrival_nanos);
    if (domain != nullptr) {
      ++domain->datagrams;
      domain->octets += datagram.octets.size();
      domain->errors.Count(result.code);
    }
    return result;
  }

  const flow::TemplateOptions options_;
  flow::DomainTable domains_;
  flow::SetDecoder sets_;
  PacketSections sections_;
};

IpfixDecoder::IpfixDecoder(const record::Layout* layout, const IpfixOptions& options)
    : impl_(std::make_unique<Impl>(layout, options)) {}

IpfixDecoder::~IpfixDecoder() = default;

DecodeResult IpfixDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  return impl_->Decode(datagram, output);
}

std::vector<record::ExporterReport> IpfixDecoder::Report() const { return impl_->Report(); }

}  // namespace flowacct::ipfix
