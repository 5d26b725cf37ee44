// What the typed views of headers share: octets that are known to be the whole header.
//
// A view is made by PacketView::As<View>(layer) from a layer of its kind, which guarantees the length that it reads.

#ifndef FLOWACCT_PACKET_HEADER_VIEW_H_
#define FLOWACCT_PACKET_HEADER_VIEW_H_

#include <cstdint>

#include "flowacct/base/octets.h"

namespace flowacct::packet {

class HeaderView {
 public:
  explicit HeaderView(base::Octets header) : header_(header) {}
  // The whole header, options included.
  base::Octets octets() const { return header_; }

 protected:
  const uint8_t* p() const { return header_.data(); }
  uint8_t U8(size_t i) const { return header_.data()[i]; }
  uint16_t U16(size_t i) const { return base::LoadBe16(p() + i); }
  uint32_t U24(size_t i) const { return base::LoadBe24(p() + i); }
  uint32_t U32(size_t i) const { return base::LoadBe32(p() + i); }
  base::Octets Rest(size_t i) const { return header_.size() > i ? header_.subspan(i) : base::Octets(); }

  base::Octets header_;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_HEADER_VIEW_H_
