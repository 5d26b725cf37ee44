#include "flowacct/flow/ipfix/ipfix_decoder.h"

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/ipfix/packet_section.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/domain_state.h"
#include "flowacct/flow/template/set_decoder.h"
#include "flowacct/record/export_protocol.h"

namespace flowacct::ipfix {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr absl::string_view kStateKind = "ipfix decoder";
constexpr int64_t kNanosPerMilli = 1000000;

}  // namespace

class IpfixDecoder::Impl {
 public:
  Impl(const record::Layout* layout, const IpfixOptions& options)
      : options_(options.templates),
        domains_(layout, options_, record::ExportFamily::kIpfix, kVersion),
        sets_(&options_, &domains_),
        sections_(layout) {}

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
    const base::Octets octets = datagram.octets;
    MessageView message;
    const DecodeResult parsed = MessageView::Parse(octets, &message);
    if (!parsed.ok()) return domains_.ReceiveBroken(datagram, parsed);

    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = message.observation_domain_id();
    context.version = kVersion;
    flow::Domain* domain = domains_.Receive(context.domain, kVersion, datagram);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    record::ExporterCounters& counters = domain->counters;

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

    domain->sequence.Observe(context.sequence, options_.sequence, &counters.sequence);
    flow::SetDecoder::Decoded decoded = sets_.Decode(datagram, message.sets(), &context, output, domain);
    if (message.cut()) {
      decoded.uncounted = true;
      counters.errors.Count(DecodeCode::kTruncated);
      if (decoded.result.ok()) decoded.result = DecodeResult::Error(DecodeCode::kTruncated, octets.size());
    } else if (message.length() < octets.size()) {
      counters.errors.Count(DecodeCode::kTrailingOctets);
      if (decoded.result.ok()) decoded.result = DecodeResult::Error(DecodeCode::kTrailingOctets, message.length());
    }
    if (decoded.uncounted) {
      domain->sequence.Lose();
    } else {
      domain->sequence.Advance(static_cast<uint32_t>(decoded.records), &counters.sequence);
    }
    counters.clock_repairs += context.clock_repairs;
    counters.misfits += context.misfits;
    counters.unread_sections += context.unread_sections;
    if (decoded.result.ok()) counters.errors.Count(DecodeCode::kOk);
    return decoded.result;
  }

  void Rebind(const record::Layout* layout) {
    domains_.Rebind(layout);
    sections_.Rebind(layout);
  }
  void EndSession(uint64_t session) { domains_.EndSession(session); }
  std::string SaveState() const { return flow::DomainState::Save(kStateKind, domains_); }
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) {
    return flow::DomainState::Restore(kStateKind, state, &domains_);
  }
  void Summarize(std::vector<record::ExporterCounters>* counters) const { domains_.Summarize(counters); }
  std::vector<record::ExporterReport> Report() const { return domains_.Report(); }

 private:
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

void IpfixDecoder::Rebind(const record::Layout* layout) { impl_->Rebind(layout); }

void IpfixDecoder::EndSession(uint64_t session) { impl_->EndSession(session); }

std::string IpfixDecoder::SaveState() const { return impl_->SaveState(); }

absl::StatusOr<record::RestoredState> IpfixDecoder::RestoreState(base::Octets state) {
  return impl_->RestoreState(state);
}

void IpfixDecoder::Summarize(std::vector<record::ExporterCounters>* counters) const { impl_->Summarize(counters); }

std::vector<record::ExporterReport> IpfixDecoder::Report() const { return impl_->Report(); }

}  // namespace flowacct::ipfix
