// Typed views of link headers and of the tags between a link and the network layer.
//
// Each borrows the header's octets (header_view.h). Field names are those of the standards named in layer.h.

#ifndef FLOWACCT_PACKET_LINK_HEADERS_H_
#define FLOWACCT_PACKET_LINK_HEADERS_H_

#include <cstdint>

#include "flowacct/base/mac_address.h"
#include "flowacct/packet/header_view.h"

namespace flowacct::packet {

class EthernetView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  base::MacAddress destination() const { return base::MacAddress::From(p()); }
  base::MacAddress source() const { return base::MacAddress::From(p() + 6); }
  uint16_t type_or_length() const { return U16(12); }
};

// Addresses in the order of their octets as captured; some drivers have the bits of each octet reversed.
class FddiView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t frame_control() const { return U8(0); }
  base::MacAddress destination() const { return base::MacAddress::From(p() + 1); }
  base::MacAddress source() const { return base::MacAddress::From(p() + 7); }
};

class Ieee80211View : public HeaderView {
 public:
  using HeaderView::HeaderView;
  // Inside CAPWAP some access points swap the two octets of frame control; no data frame has its type elsewhere.
  bool swapped() const { return (U8(0) & 0x0f) != 0x08 && (U8(1) & 0x0f) == 0x08; }
  uint8_t type() const { return control() >> 2 & 3; }  // 2: data
  uint8_t subtype() const { return control() >> 4; }
  bool to_ds() const { return (flags() & 0x01) != 0; }
  bool from_ds() const { return (flags() & 0x02) != 0; }
  bool is_protected() const { return (flags() & 0x40) != 0; }
  // IEEE 802.11-2020, table 9-30. Data frames only.
  base::MacAddress destination() const { return base::MacAddress::From(p() + (to_ds() ? 16 : 4)); }
  base::MacAddress source() const { return base::MacAddress::From(p() + (!from_ds() ? 10 : to_ds() ? 24 : 16)); }

 private:
  uint8_t control() const { return U8(swapped() ? 1 : 0); }
  uint8_t flags() const { return U8(swapped() ? 0 : 1); }
};

class LinuxSllView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t packet_type() const { return U16(0); }
  uint16_t hardware_type() const { return U16(2); }  // ARPHRD_
  uint16_t address_length() const { return U16(4); }
  base::MacAddress source() const { return base::MacAddress::From(p() + 6); }  // if address_length() is 6
  uint16_t protocol() const { return U16(14); }
};

class LinuxSll2View : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t protocol() const { return U16(0); }
  uint32_t interface_index() const { return U32(4); }
  uint16_t hardware_type() const { return U16(8); }
  uint8_t packet_type() const { return U8(10); }
  uint8_t address_length() const { return U8(11); }
  base::MacAddress source() const { return base::MacAddress::From(p() + 12); }  // if address_length() is 6
};

class CiscoHdlcView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t address() const { return U8(0); }
  uint8_t control() const { return U8(1); }
  uint16_t protocol() const { return U16(2); }
};

class FrameRelayView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  // Q.922 with two octets of address: the usual form, and the upper ten bits of the longer ones.
  uint16_t dlci() const { return static_cast<uint16_t>((U8(0) >> 2) << 4 | U8(1) >> 4); }
};

class LlcView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t dsap() const { return U8(0); }
  uint8_t ssap() const { return U8(1); }
  uint8_t control() const { return U8(2); }
  bool has_snap() const { return header_.size() == 8; }
  uint32_t oui() const { return has_snap() ? U24(3) : 0; }
  uint16_t protocol_id() const { return has_snap() ? U16(6) : 0; }
};

class VlanView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t priority() const { return U8(0) >> 5; }  // PCP
  bool drop_eligible() const { return (U8(0) & 0x10) != 0; }
  uint16_t vlan() const { return U16(0) & 0x0fff; }
  uint16_t ether_type() const { return U16(2); }
};

// The whole label stack.
class MplsView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  size_t size() const { return header_.size() / 4; }  // at least 1
  // i = 0 is the top.
  uint32_t label(size_t i) const { return U32(4 * i) >> 12; }
  uint8_t traffic_class(size_t i) const { return U8(4 * i + 2) >> 1 & 7; }
  bool bottom_of_stack(size_t i) const { return (U8(4 * i + 2) & 1) != 0; }
  uint8_t ttl(size_t i) const { return U8(4 * i + 3); }
};

class PppoeView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t code() const { return U8(1); }
  uint16_t session_id() const { return U16(2); }
  uint16_t length() const { return U16(4); }
};

class PbbView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t priority() const { return U8(0) >> 5; }
  uint32_t service_id() const { return U24(1); }  // I-SID
};

class VnTagView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  bool direction() const { return (U8(0) & 0x80) != 0; }
  uint16_t destination_vif() const { return U16(0) & 0x3fff; }
  uint16_t source_vif() const { return U16(2) & 0x0fff; }
  uint16_t ether_type() const { return U16(4); }
};

class ETagView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t priority() const { return U8(0) >> 5; }
  uint16_t ingress_e_cid() const { return U16(0) & 0x0fff; }
  uint16_t e_cid() const { return U16(2) & 0x3fff; }  // GRP and base
  uint16_t ether_type() const { return U16(6); }
};

class FabricPathView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t forwarding_tag() const { return U16(0) >> 6; }
  uint8_t ttl() const { return U8(1) & 0x3f; }
};

class NshView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t md_type() const { return U8(2) & 0x0f; }
  uint8_t next_protocol() const { return U8(3); }
  uint32_t service_path_id() const { return U24(4); }
  uint8_t service_index() const { return U8(7); }
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_LINK_HEADERS_H_
