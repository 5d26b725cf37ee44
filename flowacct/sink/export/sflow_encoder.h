// The exporter of sFlow version 5: samples of single packets, with the octets that the packet begins with where there
// are any.
//
//     encoder.AddPacket(packet, row, now);   // from a capture: sampled_header
//     encoder.Add(rows, now);                // rows of one packet each: sampled_ipv4, sampled_ipv6
//
// Standard: sflow_version_5.txt. A sample is a flow_sample, or an expanded one where a number of an interface needs it.
// With it go, if the row has their fields: extended_switch (in_vlan, out_vlan, cos), extended_router (next_hop, masks)
// and extended_gateway (AS numbers, as_path, std_comm, local_pref, bgp_next_hop). Each interface that packets came in
// by is a data source with sequence numbers and a pool of its own; the pool grows by what the sampler says that it
// passed over, or by the sampling rate. Flows of several packets are refused: sFlow has no word for them. Counter
// samples are not sent. Ownership, threads, errors: export_encoder.h. Cost: two copies of a packet's octets, no
// allocation.

#ifndef FLOWACCT_SINK_EXPORT_SFLOW_ENCODER_H_
#define FLOWACCT_SINK_EXPORT_SFLOW_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/record/row.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::sink {

struct SampledPacket {
  uint32_t header_protocol = 1;  // of sflow_version_5.txt: 1 Ethernet, 11 IPv4, 12 IPv6
  base::Octets octets;           // as captured, from the link header on; cut at max_header_octets
  uint32_t length = 0;           // of the whole frame, without frame check sequence
  // Packets that this sample stands for among those that could have been taken: passed over, and itself. 0: as many as
  // the sampling rate says.
  uint32_t pool = 0;
};

class SflowEncoder final : public ExportEncoder {
 public:
  // InvalidArgument for an option that cannot be.
  static absl::StatusOr<std::unique_ptr<SflowEncoder>> New(ExportOptions options, ExportTransport* transport);

  void Bind(const record::Layout*) override {}  // rows know theirs
  void Add(const record::FlowBatch& flows, absl::Time now) override;
  // `row` tells what is known of the packet; its interned fields are of `interner`.
  void AddPacket(const SampledPacket& packet, const record::RowView& row, const base::Interner& interner,
                 absl::Time now);
  void Flush(absl::Time now) override;
  void Restart() override;

 private:
  struct Source {
    uint32_t sequence = 0;
    uint32_t pool = 0;
  };

  SflowEncoder(ExportOptions options, ExportTransport* transport);

  void SetTime(absl::Time now);
  // Writes the records around the packet's own, which is in sample_ already, and puts the sample into a datagram.
  void AddSample(const record::RowView& row, const base::Interner& interner, uint32_t pool);
  void PutSwitch(const record::RowView& row);
  void PutRouter(const record::RowView& row);
  void PutGateway(const record::RowView& row, const base::Interner& interner);
  void PutAddress(const record::RowView& row, record::FieldId field, const base::IpAddress& address);
  size_t BeginRecord(uint32_t format);
  void EndRecord(size_t begin);
  void Finish();

  const ExportOptions options_;
  bool has_boot_ = false;
  int64_t boot_millis_ = 0;
  int64_t now_millis_ = 0;
  absl::flat_hash_map<uint32_t, Source> sources_;
  base::OctetWriter records_;  // of the sample at hand
  uint32_t record_count_ = 0;
  base::OctetWriter datagram_;
  uint32_t samples_ = 0;
  uint32_t sequence_ = 0;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_SFLOW_ENCODER_H_
