// From what an input brings to rows: exports through the flow decoders, messages of records, packets through the packet
// decoder and, if the input has one, the meter. Keeps what is known of the input's exporters when pipelines change.
//
// Exact: each datagram and packet is decoded, with its result counted, or counted as not sampled or as aside; what a
// meter holds comes out by Drain at the latest.
// Threads: one at a time. Ownership: borrows the layout and the interner.

#ifndef FLOWACCT_COLLECTOR_SERVER_INPUT_DECODER_H_
#define FLOWACCT_COLLECTOR_SERVER_INPUT_DECODER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/export/export_decoder.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/export/new_export_decoder.h"
#include "flowacct/collector/kafka/record_messages.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/sessions/record_rows.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/collector/sessions/session_tap.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/meter/packet_sampler.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/projection.h"

namespace flowacct::collector {

struct InputDecoderOptions {
  ExportDecoderOptions exports;
  packet::PacketDecoderOptions packets;
  // Packets become flows by this; `fields` is filled in by what pipelines need.
  std::optional<meter::MeterOptions> meter;
  RecordMessagesOptions messages;
  uint32_t sampling_rate = 1;  // of packets: one in so many is accounted
  // Takes the messages of GTP in packets. Null: nobody follows sessions.
  std::shared_ptr<const SessionHolder> sessions;
  // There are no packets: rows are the records of sessions.
  bool session_records = false;
};

class InputDecoder {
 public:
  // `options` are such that a meter can be made of them.
  InputDecoder(const record::Layout* layout, base::Interner* interner, InputDecoderOptions options);
  ~InputDecoder();

  // Rows have this layout and interner from now on. Drain comes before. What is known of exporters stays.
  void Rebind(const record::Layout* layout, base::Interner* interner);

  // Appends rows. What a decoder tells of exporters stays over Rebind.
  base::DecodeResult DecodeDatagram(const record::Datagram& datagram, record::FlowBatch* rows);
  // `tell_interfaces`: in_if and out_if are those that the packet knows. Its mark, if it has one, is the tag.
  void DecodePacket(const CapturedPacket& packet, CaptureKind kind, bool tell_interfaces, record::FlowBatch* rows);
  // A message of records. Appends rows.
  base::DecodeResult DecodeMessage(base::Octets message, record::FlowBatch* rows);
  // The packets since the last call are metered.
  void EndPackets(record::FlowBatch* rows);
  // So late is it, though no packet says so: appends flows that have ended, and records of sessions.
  void Advance(absl::Time now, record::FlowBatch* rows);
  // Ends all flows of the meter, and appends the records of sessions that there are.
  void Drain(record::FlowBatch* rows);
  // Of a session that is to be closed: counts a message as rejected for the reason of an earlier one.
  void Reject(base::DecodeCode code) { decoded_.Count(code); }
  void EndSession(uint64_t session) { exports_->EndSession(session); }

  ExportDecoder& exports() { return *exports_; }
  const ExportDecoder& exports() const { return *exports_; }
  void AddTo(InputStatus* status) const;

 private:
  struct Metering;

  void MakePacketDecoder();

  const InputDecoderOptions options_;
  const record::Layout* layout_;
  base::Interner* interner_;
  std::unique_ptr<ExportDecoder> exports_;
  std::unique_ptr<packet::PacketDecoder> packets_;  // null until a packet comes
  std::unique_ptr<Metering> metering_;              // null: packets are rows themselves
  std::unique_ptr<SessionTap> tap_;                 // null: nobody follows sessions
  std::unique_ptr<RecordRows> records_;             // of sessions; null: not this input's
  meter::PacketSampler sampler_;
  ExportExtractor extractor_;
  RecordMessages messages_;
  base::DecodeCounters decoded_;
  uint64_t evicted_before_ = 0;  // by meters that were replaced
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_INPUT_DECODER_H_
