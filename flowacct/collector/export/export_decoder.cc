#include "flowacct/collector/export/export_decoder.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kStateKind = "exports decoder";
constexpr uint16_t kStateVersion = 1;

}  // namespace

ExportDecoder::ExportDecoder(ExportFamilyDecoders decoders, ExportDecoderBounds bounds)
    : bounds_(bounds), decoders_(std::move(decoders)) {
  unknown_beyond_.scope = record::ExporterScope::kBeyond;
  unknown_beyond_.domains = 0;
  unknown_beyond_.protocol = ExportProtocolName(ExportProtocol::kNone);
}

base::DecodeResult ExportDecoder::Decode(const record::Datagram& datagram, const record::DecodeOutput& output) {
  const ExportProtocol protocol = Tell(datagram);
  record::FlowDecoder* decoder = nullptr;
  switch (FamilyOf(protocol)) {
    case ExportFamily::kNone:
      return Reject(datagram, base::DecodeCode::kBadVersion);
    case ExportFamily::kNetflow:
      decoder = decoders_.netflow.get();
      break;
    case ExportFamily::kIpfix:
      decoder = decoders_.ipfix.get();
      break;
    case ExportFamily::kSflow:
      decoder = decoders_.sflow.get();
      break;
  }
  if (decoder == nullptr) return Reject(datagram, base::DecodeCode::kUnsupported);
  last_protocol_ = protocol;
  ++datagrams_[static_cast<size_t>(protocol)];
  return decoder->Decode(datagram, output);
}

ExportProtocol ExportDecoder::Tell(const record::Datagram& datagram) {
  const ExportProtocol protocol = ProtocolOfVersion(datagram.octets);
  if (protocol == ExportProtocol::kNone || datagram.transport != record::Transport::kUdp) return protocol;
  // In the order of cost.
  if (IsCustomaryPort(protocol, datagram.destination_port) || IsCustomaryPort(protocol, datagram.source_port)) {
    return protocol;
  }
  const ExportFit fit = GuessExport(datagram.octets).fit;
  if (fit == ExportFit::kWhole) Know(datagram.source, protocol);
  if (fit >= ExportFit::kHead || IsKnown(datagram.source, protocol)) return protocol;
  return ExportProtocol::kNone;
}

bool ExportDecoder::IsKnown(const base::IpAddress& source, ExportProtocol protocol) const {
  const auto known = known_.find(source);
  return known != known_.end() && (known->second >> static_cast<int>(protocol) & 1) != 0;
}

void ExportDecoder::Know(const base::IpAddress& source, ExportProtocol protocol) {
  if (protocol == last_known_protocol_ && source == last_known_) return;
  last_known_ = source;
  last_known_protocol_ = protocol;
  const auto known = known_.find(source);
  if (known != known_.end()) {
    known->second |= 1u << static_cast<int>(protocol);
  } else if (known_.size() < bounds_.max_known_sources) {
    known_.emplace(source, 1u << static_cast<int>(protocol));
  }
}

base::DecodeResult ExportDecoder::Reject(const record::Datagram& datagram, base::DecodeCode code) {
  last_protocol_ = ExportProtocol::kNone;
  ++datagrams_[static_cast<size_t>(ExportProtocol::kNone)];
  auto unknown = unknown_.find(datagram.source);
  if (unknown == unknown_.end() && unknown_.size() < bounds_.max_unknown_sources) {
    unknown = unknown_.emplace(datagram.source, record::ExporterCounters()).first;
    unknown->second.exporter = datagram.source;
    unknown->second.protocol = ExportProtocolName(ExportProtocol::kNone);
  }
  record::ExporterCounters& counters = unknown == unknown_.end() ? unknown_beyond_ : unknown->second;
  ++counters.datagrams;
  counters.octets += datagram.octets.size();
  counters.last_seen_nanos = datagram.arrival_nanos;
  counters.errors.Count(code);
  return base::DecodeResult::Error(code, 0);
}

std::vector<record::FlowDecoder*> ExportDecoder::Families() const {
  std::vector<record::FlowDecoder*> families;
  for (record::FlowDecoder* decoder : {decoders_.netflow.get(), decoders_.ipfix.get(), decoders_.sflow.get()}) {
    if (decoder != nullptr) families.push_back(decoder);
  }
  return families;
}

void ExportDecoder::Rebind(const record::Layout* layout) {
  for (record::FlowDecoder* decoder : Families()) decoder->Rebind(layout);
}

void ExportDecoder::EndSession(uint64_t session) {
  for (record::FlowDecoder* decoder : Families()) decoder->EndSession(session);
}

std::string ExportDecoder::SaveState() const {
  base::OctetWriter out;
  const std::vector<record::FlowDecoder*> families = Families();
  out.U32(static_cast<uint32_t>(families.size()));
  for (const record::FlowDecoder* decoder : families) {
    const std::string state = decoder->SaveState();
    out.U64(state.size()).Text(state);
  }
  std::vector<std::pair<base::IpAddress, uint32_t>> known(known_.begin(), known_.end());
  std::sort(known.begin(), known.end());
  out.U32(static_cast<uint32_t>(known.size()));
  for (const auto& [source, protocols] : known) out.Bytes(source.octets()).U32(protocols);
  return base::Seal(kStateKind, kStateVersion, out.octets());
}

absl::StatusOr<record::RestoredState> ExportDecoder::RestoreState(base::Octets state) {
  const auto sealed = base::Unseal(kStateKind, kStateVersion, state);
  if (!sealed.ok()) return sealed.status();
  base::OctetReader in(sealed->body);
  const std::vector<record::FlowDecoder*> families = Families();
  if (in.U32() != families.size()) return absl::InvalidArgumentError("the state is of other families of exports");
  record::RestoredState restored;
  for (record::FlowDecoder* decoder : families) {
    const uint64_t size = in.U64();
    const base::Octets octets = in.Bytes(static_cast<size_t>(size));
    if (!in.ok()) return absl::DataLossError("the state of the exports decoder is cut");
    const auto family = decoder->RestoreState(octets);
    if (!family.ok()) return family.status();
    restored.exporters += family->exporters;
    restored.templates += family->templates;
    restored.held_sets += family->held_sets;
    restored.left_out += family->left_out;
  }
  for (uint32_t n = in.U32(); n > 0 && in.ok(); --n) {
    const base::Octets address = in.Bytes(base::IpAddress::kSize);
    const uint32_t protocols = in.U32();
    if (!in.ok()) break;
    if (known_.size() < bounds_.max_known_sources) {
      known_.emplace(base::IpAddress::FromV6(address.data()), protocols);
    } else {
      ++restored.left_out;
    }
  }
  if (!in.ok() || in.remaining() > 0) return absl::DataLossError("the sources of the exports decoder's state are cut");
  return restored;
}

void ExportDecoder::Summarize(std::vector<record::ExporterCounters>* counters) const {
  for (const record::FlowDecoder* decoder : Families()) decoder->Summarize(counters);
  for (const auto& [source, unknown] : unknown_) counters->push_back(unknown);
  if (unknown_beyond_.datagrams > 0) counters->push_back(unknown_beyond_);
}

std::vector<record::ExporterReport> ExportDecoder::Report() const {
  std::vector<record::ExporterReport> reports;
  for (const record::FlowDecoder* decoder : Families()) {
    std::vector<record::ExporterReport> family = decoder->Report();
    std::move(family.begin(), family.end(), std::back_inserter(reports));
  }
  for (const auto& [source, counters] : unknown_) reports.emplace_back(counters);
  if (unknown_beyond_.datagrams > 0) reports.emplace_back(unknown_beyond_);
  std::stable_sort(reports.begin(), reports.end());
  return reports;
}

}  // namespace flowacct::collector
