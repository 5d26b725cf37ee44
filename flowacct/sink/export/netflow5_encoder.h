// The exporter of NetFlow v5: a fixed format of IPv4 flows, thirty a datagram at most.
//
// Standard: Cisco, "NetFlow Export Datagram Formats" (flow/netflow/fixed_record_view.h has the fields).
// Exact: a row whose counters need more than 32 bits becomes several records with the same sum. Rows of other families
// are refused. AS numbers above 65535 are AS_TRANS (RFC 6793, 9); of ICMP the destination port is type * 256 + code.
// Without room, and counted as values_unfit: interface indexes above 65535, TCP flags beyond the low eight, an IPv6
// next hop, sampling rates above 16383. A datagram has rows of one sampling rate. Sequence numbers count records.
// Export time and uptime are those of the same millisecond. Ownership, threads, errors: export_encoder.h. Cost: a
// look-up and a store a field.

#ifndef FLOWACCT_SINK_EXPORT_NETFLOW5_ENCODER_H_
#define FLOWACCT_SINK_EXPORT_NETFLOW5_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/record/row.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::sink {

class Netflow5Encoder final : public ExportEncoder {
 public:
  // InvalidArgument for an option that cannot be.
  static absl::StatusOr<std::unique_ptr<Netflow5Encoder>> New(ExportOptions options, ExportTransport* transport);

  void Bind(const record::Layout*) override {}  // rows know theirs
  void Add(const record::FlowBatch& flows, absl::Time now) override;
  void Flush(absl::Time now) override;
  void Restart() override { sequence_ = 0; }

 private:
  Netflow5Encoder(ExportOptions options, ExportTransport* transport);

  void AddRow(const record::RowView& row);
  void AddRecord(const record::RowView& row, uint32_t packets, uint32_t bytes);
  uint16_t RateOf(const record::RowView& row);
  void Finish();

  const ExportOptions options_;
  const size_t max_records_;
  int64_t boot_millis_ = INT64_MIN;
  int64_t now_millis_ = 0;
  std::vector<uint8_t> buffer_;
  size_t records_ = 0;
  uint16_t rate_ = 0;  // of the datagram at hand
  uint32_t sequence_ = 0;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_NETFLOW5_ENCODER_H_
