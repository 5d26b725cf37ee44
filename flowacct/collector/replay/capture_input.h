// Captures in, records out: reads capture files one after another, tells packets from exports, and decodes.
//
//     input.Open(path);
//     while (*input.Decode(output)) { ...rows are in output.flows...; output.flows->Clear(); }
//
// Template state, sampling rates and fragments live over all files, as they would in a collector.
// Exact: every packet of every file is in exactly one counter of InputCounters; every datagram in one report.
// Ownership: borrows the layout and the interner. Threads: one at a time.
// Errors: a file that cannot be opened; a file that is cut or damaged, after all its whole packets were decoded.

#ifndef FLOWACCT_COLLECTOR_REPLAY_CAPTURE_INPUT_H_
#define FLOWACCT_COLLECTOR_REPLAY_CAPTURE_INPUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/export/export_decoder.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/packet_view.h"
#include "flowacct/packet/reassembler.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {

struct CaptureInputOptions {
  // Nothing: each capture is asked (export/capture_kind.h).
  std::optional<CaptureKind> as;
  packet::PacketDecoderOptions packets;
  CaptureReaderOptions reader;
};

struct InputCounters {
  uint64_t files = 0;
  uint64_t packets = 0;  // decoded, of both kinds: extracted.packets + accounted.frames
  uint64_t octets = 0;   // captured, of these
  // Captures of exports: what became of their packets.
  ExtractCounters extracted;
  packet::ReassemblerCounters reassembly;
  uint64_t waiting_fragmented = 0;  // fragmented datagrams that are not whole
  // Fragmented datagrams that were not handed on, some of them not yet.
  uint64_t fragmented_lost() const {
    return reassembly.timeouts + reassembly.limit_exceeded + reassembly.dropped_overlapping + waiting_fragmented;
  }
  base::DecodeCounters datagram_errors;  // of each datagram the first error; records before it are accounted
  // Captures of packets.
  packet::PacketCounters accounted;
};

// Hears of every datagram or packet around its records. For `decode`.
class InputObserver {
 public:
  virtual ~InputObserver() = default;
  virtual void OnCapture(absl::string_view name, const CaptureKindEvidence& evidence) = 0;
  virtual void OnDatagram(const record::Datagram& datagram) = 0;
  // `protocol` is "unknown" for what is no export. May change and clear the batches.
  virtual void OnDatagramEnd(const record::Datagram& datagram, base::DecodeResult result,
                             absl::string_view protocol) = 0;
  virtual void OnPacket(const CapturedPacket& packet) = 0;
  virtual void OnPacketEnd(const CapturedPacket& packet, base::DecodeResult result) = 0;
};

class CaptureInput {
 public:
  CaptureInput(const record::Layout* layout, base::Interner* interner, CaptureInputOptions options);

  // The next file; "-" is standard input. The one before is closed.
  absl::Status Open(absl::string_view path);
  // Decodes the next packets of the open file, until about kBatchRows rows are in the output (so that they are still
  // in the second-level cache when they are accounted) or a block is done; false at the file's end. `observer` may be
  // null.
  static constexpr size_t kBatchRows = 1024;
  absl::StatusOr<bool> Decode(const record::DecodeOutput& output, InputObserver* observer = nullptr);

  InputCounters counters() const;
  // Of the open file; null before the first.
  const CaptureReader* reader() const { return reader_.get(); }
  const CaptureKindEvidence& evidence() const { return evidence_; }
  // Of the first packet of the open file, and of the last one decoded; nanoseconds since 1970.
  int64_t first_time_nanos() const { return first_time_nanos_; }
  int64_t last_time_nanos() const { return last_time_nanos_; }
  std::vector<record::ExporterReport> Report() const { return exports_->Report(); }

 private:
  void DecodeExport(const CapturedPacket& packet, const record::DecodeOutput& output, InputObserver* observer);
  void DecodePacket(const CapturedPacket& packet, const record::DecodeOutput& output, InputObserver* observer);

  CaptureInputOptions options_;
  InputCounters counters_;
  std::unique_ptr<CaptureReader> reader_;
  absl::Span<const CapturedPacket> packets_;  // of the block, those not yet decoded
  bool decided_ = false;
  CaptureKindEvidence evidence_;
  int64_t first_time_nanos_ = 0;
  int64_t last_time_nanos_ = 0;
  ExportExtractor extractor_;
  std::unique_ptr<ExportDecoder> exports_;
  packet::PacketDecoder packet_decoder_;
  packet::PacketView view_;  // for listeners only
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_REPLAY_CAPTURE_INPUT_H_
