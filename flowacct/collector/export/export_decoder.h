// One decoder for all flow exports: tells the protocol of each datagram and hands it to that protocol's decoder.
//
// A datagram belongs to a protocol if its structure is whole (export_protocol.h); or if its version number fits and
// either one of its ports is customary for that protocol or the same exporter has sent whole datagrams of it before. So
// a damaged export is told as what it is, and a DNS answer whose identifier happens to be 9 is not. All else is
// rejected (kBadVersion) and reported under its source with the protocol "unknown".
//
// Guaranteed: every datagram is in exactly one ExporterReport of Report(), or counted there as rejected.
// Ownership: owns the decoders; borrows the layout, which must outlive it. Threads: one at a time.
// Cost: one look at the head of a datagram, one virtual call.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/export/export_protocol.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {

struct ExportDecoderOptions {
  // Sources that are remembered to have sent whole datagrams, or to have sent what nobody knows; a source is an address
  // and a port, so that a stranger can make many. Those beyond share one report of the unspecified address.
  size_t max_sources = 65536;
};

// The protocols' own decoders. A null one: its datagrams are rejected (kUnsupported).
struct ExportProtocolDecoders {
  std::unique_ptr<record::FlowDecoder> netflow;
  std::unique_ptr<record::FlowDecoder> ipfix;
  std::unique_ptr<record::FlowDecoder> sflow;
};

class ExportDecoder : public record::FlowDecoder {
 public:
  explicit ExportDecoder(ExportProtocolDecoders decoders, ExportDecoderOptions options = {});

  base::DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) override;
  std::vector<record::ExporterReport> Report() const override;

  // Of which protocol the last datagram was; kNone: rejected.
  ExportProtocol last_protocol() const { return last_protocol_; }
  // By protocol; those rejected under kNone.
  const std::array<uint64_t, kExportProtocolCount>& datagrams() const { return datagrams_; }

 private:
  struct Unknown {
    uint64_t datagrams = 0;
    uint64_t octets = 0;
  };
  ExportProtocol Tell(const record::Datagram& datagram);
  base::DecodeResult Reject(const record::Datagram& datagram, base::DecodeCode code);

  ExportDecoderOptions options_;
  ExportProtocolDecoders decoders_;
  ExportProtocol last_protocol_ = ExportProtocol::kNone;
  std::array<uint64_t, kExportProtocolCount> datagrams_{};
  absl::flat_hash_map<base::IpAddress, uint32_t> known_;  // a bit for each protocol sent whole
  absl::flat_hash_map<base::IpAddress, record::ExporterReport> unknown_;
};

// With NetFlow, IPFIX and sFlow, each with its default options.
std::unique_ptr<ExportDecoder> NewExportDecoder(const record::Layout* layout, ExportDecoderOptions options = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_DECODER_H_
