// Fills the row of one flow sample or discarded packet from its records.
//
// Which record becomes which fields: README.md. The sampled header is applied first, so that what the device tells of
// the packet's way (extended_switch, extended_router, ...) stands where both say something.
// Ownership: borrows the layout and the interner. Threads: one at a time.
// Errors: a record that cannot be read is told to the counters and costs its own fields.
// Cost: no allocation a sample; a look-up in the table of fillers a record.

#ifndef FLOWACCT_FLOW_SFLOW_FLOW_ROW_H_
#define FLOWACCT_FLOW_SFLOW_FLOW_ROW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/interner.h"
#include "flowacct/flow/sflow/flow_record_view.h"
#include "flowacct/flow/sflow/sflow_view.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::sflow {

class FlowRow {
 public:
  FlowRow(const record::Layout* layout, base::Interner* interner, const packet::PacketDecoderOptions& options,
          uint32_t max_as_path_length);

  // From now on rows have another layout or are of another interner; fragments that are followed stay so.
  void Rebind(const record::Layout* layout, base::Interner* interner);

  // `records` are the sample's; `row` has what is common to the datagram. Returns the first error, counts all, and
  // records of formats that are not known.
  base::DecodeResult Fill(const SampleView& sample, absl::Span<const RecordView> records, int64_t time_nanos,
                          record::MutableRow row, record::ExporterCounters* counters);

  const packet::PacketCounters& packet_counters() const { return packets_.counters(); }

 private:
  struct Filler;
  static const Filler kFillers[];
  static const Filler* FindFiller(uint32_t data_format);

  void FillInterfaces(const SampleView& sample);
  base::DecodeResult FillHeader(const RecordView& record);
  base::DecodeResult FillEthernet(const RecordView& record);
  base::DecodeResult FillIp(const RecordView& record);
  base::DecodeResult FillSwitch(const RecordView& record);
  base::DecodeResult FillRouter(const RecordView& record);
  base::DecodeResult FillGateway(const RecordView& record);
  base::DecodeResult FillUser(const RecordView& record);
  base::DecodeResult FillUrl(const RecordView& record);
  base::DecodeResult FillMpls(const RecordView& record);
  base::DecodeResult FillNat(const RecordView& record);
  base::DecodeResult FillNatPort(const RecordView& record);
  base::DecodeResult FillVlanTunnel(const RecordView& record);
  base::DecodeResult FillVlanIn(const RecordView& record);
  base::DecodeResult FillVlanOut(const RecordView& record);
  base::DecodeResult FillVni(const RecordView& record);
  base::DecodeResult FillSocket(const RecordView& record);
  base::DecodeResult FillHttp(const RecordView& record);
  // False if the path is longer than allowed.
  bool EncodeAsPath(const ExtendedGatewayView& gateway, uint32_t* first, uint32_t* last, uint32_t* count);
  void FillLabels(base::Octets stack);
  void SetTransport(uint32_t protocol, uint32_t source_port, uint32_t destination_port);

  const record::Layout* layout_;
  base::Interner* interner_;
  packet::PacketDecoder packets_;
  uint32_t max_as_path_length_;
  std::vector<uint8_t> octets_;  // an AS path or label stack in the making
  // Of the sample being filled.
  record::MutableRow row_;
  int64_t time_nanos_ = 0;
  bool has_packet_ = false;   // packet data of any form were told
  bool has_ip_ = false;       // the header gave the IP level: sampled_ipv4 and sampled_ipv6 say nothing new
  bool has_link_ = false;     // the header gave the link
  bool bytes_known_ = false;  // `bytes_` is the length of layer 3
  uint64_t bytes_ = 0;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_FLOW_ROW_H_
