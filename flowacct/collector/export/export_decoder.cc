#include "flowacct/collector/export/export_decoder.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

namespace flowacct::collector {

ExportDecoder::ExportDecoder(ExportFamilyDecoders decoders, ExportDecoderBounds bounds)
    : bounds_(bounds), decoders_(std::move(decoders)) {}

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
  if (unknown == unknown_.end()) {
    const bool room = unknown_.size() < bounds_.max_unknown_sources;
    record::ExporterReport report;
    report.exporter = room ? datagram.source : base::IpAddress();
    report.protocol = "unknown";
    unknown = unknown_.emplace(report.exporter, std::move(report)).first;
  }
  record::ExporterReport& report = unknown->second;
  ++report.datagrams;
  report.octets += datagram.octets.size();
  report.errors.Count(code);
  return base::DecodeResult::Error(code, 0);
}

std::vector<record::ExporterReport> ExportDecoder::Report() const {
  std::vector<record::ExporterReport> reports;
  for (const record::FlowDecoder* decoder : {decoders_.netflow.get(), decoders_.ipfix.get(), decoders_.sflow.get()}) {
    if (decoder == nullptr) continue;
    std::vector<record::ExporterReport> family = decoder->Report();
    std::move(family.begin(), family.end(), std::back_inserter(reports));
  }
  for (const auto& [source, report] : unknown_) reports.push_back(report);
  std::stable_sort(reports.begin(), reports.end(),
                   [](const record::ExporterReport& a, const record::ExporterReport& b) {
                     return std::tie(a.exporter, a.protocol, a.domain) < std::tie(b.exporter, b.protocol, b.domain);
                   });
  return reports;
}

}  // namespace flowacct::collector
