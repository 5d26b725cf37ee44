#include "flowacct/flow/netflow/netflow_decoder.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/netflow/fixed_format.h"
#include "flowacct/flow/netflow/fixed_template.h"
#include "flowacct/flow/netflow/fixed_view.h"
#include "flowacct/flow/netflow/v9_view.h"
#include "flowacct/flow/template/compiled_template.h"
#include "flowacct/flow/template/domain.h"
#include "flowacct/flow/template/domain_state.h"
#include "flowacct/flow/template/information_element.h"
#include "flowacct/flow/template/record_teller.h"
#include "flowacct/flow/template/set_decoder.h"
#include "flowacct/record/export_protocol.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using base::DecodeResult;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr absl::string_view kStateKind = "netflow decoder";

// What v5's header tells of sampling, under the name of the information element with the same meaning.
record::Element SamplingElement(uint16_t id, base::Octets octets) {
  return {flow::FindInformationElement(flow::kIanaPen, id)->name, record::ElementType::kUnsigned, octets};
}

}  // namespace

class NetflowDecoder::Impl {
 public:
  Impl(const record::Layout* layout, const NetflowOptions& options)
      : options_(options.templates),
        domains_(layout, options_, record::ExportFamily::kNetflow, 9),
        sets_(&options_, &domains_),
        fixed_(FixedFormats().size()) {}

  DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
    const base::Octets octets = datagram.octets;
    const bool v9 = octets.size() >= 2 && base::LoadBe16(octets.data()) == 9;
    return v9 ? DecodeV9(datagram, output) : DecodeFixed(datagram, output);
  }

  void Rebind(const record::Layout* layout) { domains_.Rebind(layout); }
  void EndSession(uint64_t session) { domains_.EndSession(session); }
  std::string SaveState() const { return flow::DomainState::Save(kStateKind, domains_); }
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) {
    return flow::DomainState::Restore(kStateKind, state, &domains_);
  }
  void Summarize(std::vector<record::ExporterCounters>* counters) const { domains_.Summarize(counters); }
  std::vector<record::ExporterReport> Report() const { return domains_.Report(); }

 private:
  DecodeResult DecodeFixed(const record::Datagram& datagram, const record::DecodeOutput& output) {
    FixedView view;
    const DecodeResult parsed = FixedView::Parse(datagram.octets, &view);
    if (!parsed.ok() && parsed.code != DecodeCode::kUnsupported) return domains_.ReceiveBroken(datagram, parsed);
    const uint16_t version = view.version();
    // Engine type and id (v5, v8) tell the parts of a device apart, each with its own sequence.
    const uint32_t engine = uint32_t{view.engine_type()} << 8 | view.engine_id();
    flow::Domain* domain = domains_.Receive(engine, version, datagram);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    record::ExporterCounters& counters = domain->counters;
    if (!parsed.ok()) {
      ++counters.rejected_sets;
      counters.errors.Count(parsed.code);
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
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) domain->sequence.Restart(&counters.sequence);
    if (version != 1) {
      context.has_sequence = true;
      context.sequence = view.flow_sequence();
      domain->sequence.Observe(context.sequence, options_.sequence, &counters.sequence);
      domain->sequence.Advance(view.count(), &counters.sequence);
    }
    if (version == 5) {
      // Some exporters leave the mode zero; the interval tells.
      context.header_sampling_rate = view.sampling_interval();
      domain->header_sampling_rate = context.header_sampling_rate;
    }
    context.names = &domain->names;
    context.interner_epoch = domains_.interner_epochs.Of(output.flows->interner());
    context.sampling = &domain->sampling;

    flow::CompiledTemplateRef& format = fixed_[view.format() - FixedFormats().data()];
    if (format.get() == nullptr) format = domains_.compiled().Intern(MakeFixedTemplate(*view.format()));
    flow::RecordTeller teller(nullptr, 0);
    const uint8_t sampling[] = {view.sampling_mode(), static_cast<uint8_t>(view.sampling_interval() >> 8),
                                static_cast<uint8_t>(view.sampling_interval())};
    record::Element header[2];
    if (version == 5 && output.listener != nullptr) {
      header[0] = SamplingElement(35, base::Octets(sampling).first(1));    // samplingAlgorithm
      header[1] = SamplingElement(34, base::Octets(sampling).subspan(1));  // samplingInterval
      teller.set_header(header);
    }
    const flow::CompiledTemplate::Decoded decoded =
        format->DecodeFlows(/*id=*/0, view.records(), &context, output, &teller);
    counters.flow_records += decoded.records;
    counters.clock_repairs += context.clock_repairs;
    counters.misfits += context.misfits;
    counters.unread_sections += context.unread_sections;
    const DecodeResult result = view.result();
    if (result.code == DecodeCode::kTruncated) ++counters.rejected_sets;
    counters.errors.Count(result.code);
    return result;
  }

  DecodeResult DecodeV9(const record::Datagram& datagram, const record::DecodeOutput& output) {
    V9View packet;
    const DecodeResult parsed = V9View::Parse(datagram.octets, &packet);
    if (!parsed.ok()) return domains_.ReceiveBroken(datagram, parsed);
    flow::MessageContext context;
    context.exporter = datagram.source;
    context.domain = packet.source_id();
    context.version = 9;
    flow::Domain* domain = domains_.Receive(context.domain, 9, datagram);
    if (domain == nullptr) return DecodeResult::Error(DecodeCode::kLimitExceeded, 0);
    record::ExporterCounters& counters = domain->counters;

    context.has_uptime = true;
    context.uptime_millis = packet.sys_uptime_milliseconds();
    context.has_sequence = true;
    context.sequence = packet.sequence_number();
    const int64_t export_nanos = packet.unix_seconds() * kNanosPerSecond;
    domain->clock.Apply(export_nanos, datagram, options_, &context);
    if (domain->clock.Restarted(export_nanos, context.uptime_millis)) {
      // Two processes that share a source id have two uptimes, but then their numbers do not both begin anew.
      if (context.sequence < domain->sequence.expected()) domains_.RemoveTemplates(domain);  // RFC 3954, 9
      domain->sequence.Restart(&counters.sequence);
    }
    domain->sequence.Follow(context.sequence, options_.sequence, &counters.sequence);
    const flow::SetDecoder::Decoded decoded = sets_.Decode(datagram, packet.flow_sets(), &context, output, domain);
    counters.clock_repairs += context.clock_repairs;
    counters.misfits += context.misfits;
    counters.unread_sections += context.unread_sections;
    if (decoded.result.ok()) counters.errors.Count(DecodeCode::kOk);
    return decoded.result;
  }

  const flow::TemplateOptions options_;
  flow::DomainTable domains_;
  flow::SetDecoder sets_;
  std::vector<flow::CompiledTemplateRef> fixed_;  // as FixedFormats(); null until one comes
};

NetflowDecoder::NetflowDecoder(const record::Layout* layout, const NetflowOptions& options)
    : impl_(std::make_unique<Impl>(layout, options)) {}

NetflowDecoder::~NetflowDecoder() = default;

DecodeResult NetflowDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  return impl_->Decode(datagram, output);
}

void NetflowDecoder::Rebind(const record::Layout* layout) { impl_->Rebind(layout); }

void NetflowDecoder::EndSession(uint64_t session) { impl_->EndSession(session); }

std::string NetflowDecoder::SaveState() const { return impl_->SaveState(); }

absl::StatusOr<record::RestoredState> NetflowDecoder::RestoreState(base::Octets state) {
  return impl_->RestoreState(state);
}

void NetflowDecoder::Summarize(std::vector<record::ExporterCounters>* counters) const { impl_->Summarize(counters); }

std::vector<record::ExporterReport> NetflowDecoder::Report() const { return impl_->Report(); }

}  // namespace flowacct::netflow
