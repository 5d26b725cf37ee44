#include "flowacct/collector/export/capture_kind.h"

#include "absl/strings/str_cat.h"
#include "flowacct/collector/export/export_extractor.h"

namespace flowacct::collector {

absl::string_view CaptureKindName(CaptureKind kind) { return kind == CaptureKind::kExports ? "exports" : "packets"; }

std::optional<CaptureKind> ParseCaptureKind(absl::string_view name) {
  for (const CaptureKind kind : {CaptureKind::kPackets, CaptureKind::kExports}) {
    if (name == CaptureKindName(kind)) return kind;
  }
  return std::nullopt;
}

std::string CaptureKindEvidence::ToString() const {
  std::string text = absl::StrCat(CaptureKindName(kind), ": ", exports, " of ", datagrams,
                                  " UDP datagrams and IPFIX messages in the first ", packets, " packets are exports");
  const char* separator = " (";
  for (size_t i = 0; i < by_protocol.size(); ++i) {
    if (by_protocol[i] == 0) continue;
    absl::StrAppend(&text, separator, ExportProtocolName(static_cast<ExportProtocol>(i)), " ", by_protocol[i]);
    separator = ", ";
  }
  if (exports > 0) text += ")";
  if (by_port > 0) absl::StrAppend(&text, ", ", by_port, " of them only by version number and port");
  return text;
}

CaptureKindEvidence DecideCaptureKind(absl::Span<const CapturedPacket> first_packets) {
  CaptureKindEvidence evidence;
  ExportExtractor extractor;
  record::Datagram datagram;
  for (const CapturedPacket& packet : first_packets) {
    ++evidence.packets;
    if (!extractor.Extract(packet, &datagram)) continue;
    ++evidence.datagrams;
    const ExportGuess guess = GuessExport(datagram.octets);
    const bool by_structure = guess.fit >= ExportFit::kHead || datagram.transport == record::Transport::kFile;
    const bool by_port = IsCustomaryPort(guess.protocol, datagram.destination_port) ||
                         IsCustomaryPort(guess.protocol, datagram.source_port);
    if (guess.protocol == ExportProtocol::kNone || !(by_structure || by_port)) continue;
    ++evidence.exports;
    if (!by_structure) ++evidence.by_port;
    ++evidence.by_protocol[static_cast<size_t>(guess.protocol)];
  }
  if (evidence.exports * 2 > evidence.datagrams) evidence.kind = CaptureKind::kExports;
  return evidence;
}

}  // namespace flowacct::collector
