// One decoder for all flow exports: tells the protocol of each datagram and hands it to that protocol's decoder.
//
// A datagram belongs to the protocol of its version number if the header and the first set or sample fit too
// (export_protocol.h); and even if they do not, where one of its ports is customary for the protocol, or its source has
// sent whole datagrams of it before. So a damaged export is told as what it is, and a DNS answer whose identifier
// happens to be 9 is not taken for one. All else is rejected (kBadVersion), and reported under its source with the
// protocol "unknown". Messages of an IPFIX file (Transport::kFile) and of streams are taken at their version number's
// word.
//
// Guaranteed: every datagram is counted in exactly one ExporterReport of Report().
// Ownership: owns the decoders; borrows the layout, which must outlive it. Threads: one at a time.
// Cost: a few loads and one virtual call a datagram; a look-up of its source only where content and port leave doubt.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/export/export_protocol.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::collector {

struct ExportDecoderBounds {
  // Source addresses remembered to have sent whole datagrams, some 40 octets each. UDP's are easily forged; beyond the
  // bound a source is judged by content and port alone.
  size_t max_known_sources = 65536;
  // Source addresses of which rejected datagrams are reported one by one, some 400 octets each: people look at few.
  // Those beyond share a report of scope kBeyond.
  size_t max_unknown_sources = 1024;
};

// The decoders of the protocols' families. Where one is null its datagrams are rejected (kUnsupported).
struct ExportFamilyDecoders {
  std::unique_ptr<record::FlowDecoder> netflow;
  std::unique_ptr<record::FlowDecoder> ipfix;
  std::unique_ptr<record::FlowDecoder> sflow;
};

class ExportDecoder final : public record::FlowDecoder {
 public:
  explicit ExportDecoder(ExportFamilyDecoders decoders, ExportDecoderBounds bounds = {});

  base::DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) override;
  void Rebind(const record::Layout* layout) override;
  void EndSession(uint64_t session) override;
  // Of all families, and which sources have sent whole datagrams. If the state of a family is refused, those of the
  // families before it are restored.
  std::string SaveState() const override;
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) override;
  // The families' reports and those of the unknown.
  std::vector<record::ExporterReport> Report() const override;
  void Summarize(std::vector<record::ExporterCounters>* counters) const override;

  // Of which protocol the last datagram was; kNone: rejected.
  ExportProtocol last_protocol() const { return last_protocol_; }
  // How many datagrams were of each protocol; those rejected under kNone.
  uint64_t datagrams(ExportProtocol protocol) const { return datagrams_[static_cast<size_t>(protocol)]; }

 private:
  // Those that there are.
  std::vector<record::FlowDecoder*> Families() const;
  ExportProtocol Tell(const record::Datagram& datagram);
  bool IsKnown(const base::IpAddress& source, ExportProtocol protocol) const;
  void Know(const base::IpAddress& source, ExportProtocol protocol);
  base::DecodeResult Reject(const record::Datagram& datagram, base::DecodeCode code);

  const ExportDecoderBounds bounds_;
  const ExportFamilyDecoders decoders_;
  ExportProtocol last_protocol_ = ExportProtocol::kNone;
  std::array<uint64_t, kExportProtocolCount> datagrams_{};
  absl::flat_hash_map<base::IpAddress, uint32_t> known_;  // a bit for each protocol sent whole
  // The last one known, so that a source that sends on a port of its own costs no look-up each time.
  base::IpAddress last_known_;
  ExportProtocol last_known_protocol_ = ExportProtocol::kNone;
  absl::flat_hash_map<base::IpAddress, record::ExporterCounters> unknown_;
  record::ExporterCounters unknown_beyond_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_
