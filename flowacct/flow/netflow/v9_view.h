// A NetFlow v9 packet as it lies on the wire: its header, and all that is in it, read without state.
//
//     V9View packet;
//     if (!V9View::Parse(octets, &packet).ok()) return;
//     SetReader flow_sets = packet.flow_sets();
//     for (SetView set; flow_sets.Next(&set);) ...   // TemplateReader, RecordReader, ValueReader: set_view.h
//
// Standard: RFC 3954 (5.1 header, 5.2 template FlowSets, 5.3 data FlowSets, 6.1 options templates).
// Checked: the version and that the header is there; of what is within, every length. Not checked: count(), which
// exporters count by different rules; whether a template is the one that an exporter means (the caller keeps them by
// exporter, source id and template id; NetflowDecoder does so by itself).
// Ownership: views borrow the octets. Threads: plain values. Errors: DecodeResult with the offset in the packet.
// Cost: no allocation.

#ifndef FLOWACCT_FLOW_NETFLOW_V9_VIEW_H_
#define FLOWACCT_FLOW_NETFLOW_V9_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/set_view.h"

namespace flowacct::netflow {

using flow::FieldSpecifier;
using flow::FieldView;
using flow::RecordReader;
using flow::RecordView;
using flow::SetReader;
using flow::SetView;
using flow::SpecifierReader;
using flow::TemplateReader;
using flow::TemplateView;
using flow::ValueReader;

inline constexpr size_t kV9HeaderOctets = 20;  // RFC 3954, 5.1

class V9View {
 public:
  // kTruncated: the header is not all there. kBadVersion: not 9.
  static base::DecodeResult Parse(base::Octets octets, V9View* view) {
    if (octets.size() < kV9HeaderOctets) return Error(base::DecodeCode::kTruncated, octets.size());
    if (base::LoadBe16(octets.data()) != 9) return Error(base::DecodeCode::kBadVersion, 0);
    view->octets_ = octets;
    return base::DecodeResult::Ok();
  }

  base::Octets octets() const { return octets_; }
  uint16_t count() const { return base::LoadBe16(octets_.data() + 2); }
  uint32_t sys_uptime_milliseconds() const { return base::LoadBe32(octets_.data() + 4); }
  uint32_t unix_seconds() const { return base::LoadBe32(octets_.data() + 8); }
  // Packets of the source id before this one; 32 bits that wrap.
  uint32_t sequence_number() const { return base::LoadBe32(octets_.data() + 12); }
  uint32_t source_id() const { return base::LoadBe32(octets_.data() + 16); }
  SetReader flow_sets() const { return SetReader(flow::Dialect::kNetflow9, octets_, kV9HeaderOctets); }

 private:
  static base::DecodeResult Error(base::DecodeCode code, size_t offset) {
    return base::DecodeResult::Error(code, offset);
  }
  static constexpr uint8_t kNoHeader[kV9HeaderOctets] = {};
  base::Octets octets_ = kNoHeader;
};

// A template that was kept: a copy of TemplateView::octets().
inline base::DecodeResult ParseTemplate(bool options, base::Octets octets, TemplateView* view) {
  return TemplateView::Parse(flow::Dialect::kNetflow9, options, octets, view);
}

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_V9_VIEW_H_
