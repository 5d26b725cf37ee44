// Reads the packet sections of PSAMP records into rows, through packet/.
//
// Standards: RFC 5477, 8.5: ipHeaderPacketSection (313), dataLinkFrameSection (315, Ethernet), mplsLabelStackSection
// (316). Of a frame or packet: its headers' fields, and `bytes` as its IP length; of a frame without IP, `bytes` as
// what follows its link headers (as sFlow's), if the record tells how long the frame was. Ownership: borrows the
// layout. Threads: one at a time. Errors: a section that cannot be read says so, and leaves the fields absent. Cost:
// packet/'s.

#ifndef FLOWACCT_FLOW_IPFIX_PACKET_SECTION_H_
#define FLOWACCT_FLOW_IPFIX_PACKET_SECTION_H_

#include <cstdint>
#include <memory>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::ipfix {

class PacketSections final : public flow::PacketSectionDecoder {
 public:
  explicit PacketSections(const record::Layout* layout) : layout_(layout) {}

  // As FlowDecoder has it.
  void Rebind(const record::Layout* layout) {
    layout_ = layout;
    decoder_interner_ = nullptr;
  }
  // Of the batch that the rows of the next sections belong to, and the time of their message.
  void BeginMessage(base::Interner* interner, int64_t now_nanos);
  bool DecodeSection(uint16_t element, base::Octets section, uint64_t frame_octets, record::MutableRow row) override;

 private:
  const record::Layout* layout_;
  base::Interner* interner_ = nullptr;
  int64_t now_nanos_ = 0;
  std::unique_ptr<packet::PacketDecoder> decoder_;  // made when the first section comes
  base::Interner* decoder_interner_ = nullptr;      // null: it is not bound to the layout
};

}  // namespace flowacct::ipfix

#endif  // FLOWACCT_FLOW_IPFIX_PACKET_SECTION_H_
