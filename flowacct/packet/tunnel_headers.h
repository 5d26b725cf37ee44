// Typed views of tunnel headers.
//
// Each borrows the header's octets (header_view.h). Field names are those of the standards named in layer.h. A field
// that a flag announces is zero where the flag is clear.

#ifndef FLOWACCT_PACKET_TUNNEL_HEADERS_H_
#define FLOWACCT_PACKET_TUNNEL_HEADERS_H_

#include <cstdint>
#include <optional>

#include "flowacct/packet/header_view.h"

namespace flowacct::packet {

// Version 0 (RFC 2784, 2890) and version 1 (PPTP, RFC 2637).
class GreView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t version() const { return U8(1) & 7; }
  bool has_checksum() const { return (U8(0) & 0x80) != 0; }
  bool has_routing() const { return (U8(0) & 0x40) != 0; }
  bool has_key() const { return (U8(0) & 0x20) != 0; }
  bool has_sequence() const { return (U8(0) & 0x10) != 0; }
  bool has_acknowledgement() const { return version() == 1 && (U8(1) & 0x80) != 0; }
  uint16_t protocol() const { return U16(2); }
  uint16_t checksum() const { return has_checksum() ? U16(4) : 0; }
  uint32_t key() const { return has_key() ? U32(key_at()) : 0; }
  uint32_t sequence() const { return has_sequence() ? U32(key_at() + (has_key() ? 4 : 0)) : 0; }
  // RFC 7637, 3.2: a virtual subnet identifier if the payload is Ethernet and there is a key.
  bool is_nvgre() const { return version() == 0 && has_key() && protocol() == 0x6558; }
  uint32_t virtual_subnet_id() const { return key() >> 8; }
  // Version 1.
  uint16_t call_id() const { return static_cast<uint16_t>(key()); }

 private:
  size_t key_at() const { return (U8(0) & 0xc0) != 0 && version() == 0 ? 8 : 4; }
};

// Type I has no octets at all.
class ErspanView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t type() const { return header_.empty() ? 1 : static_cast<uint8_t>((U8(0) >> 4) + 1); }  // 1, 2, 3
  uint16_t vlan() const { return header_.empty() ? 0 : U16(0) & 0x0fff; }
  uint16_t session_id() const { return header_.empty() ? 0 : U16(2) & 0x03ff; }
};

// VXLAN and VXLAN-GPE.
class VxlanView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t flags() const { return U8(0); }
  uint8_t next_protocol() const { return U8(3); }  // VXLAN-GPE
  uint32_t vni() const { return U24(4); }
};

class GeneveView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  bool control() const { return (U8(1) & 0x80) != 0; }
  bool critical_options() const { return (U8(1) & 0x40) != 0; }
  uint16_t protocol() const { return U16(2); }
  uint32_t vni() const { return U24(4); }
  base::Octets options() const { return Rest(8); }

  struct Option {
    uint16_t option_class;
    uint8_t type;  // with the critical bit
    base::Octets data;
  };
  // Steps over one option at the front of `options`; false at the end.
  static bool NextOption(base::Octets* options, Option* option) {
    if (options->size() < 4) return false;
    const size_t length = 4u * ((*options)[3] & 0x1f);
    if (options->size() < 4 + length) return false;
    *option = {base::LoadBe16(options->data()), (*options)[2], options->subspan(4, length)};
    options->remove_prefix(4 + length);
    return true;
  }
};

class GtpUView : public HeaderView {
 public:
  static constexpr uint8_t kGPdu = 255;  // the message that carries a packet

  using HeaderView::HeaderView;
  uint8_t message_type() const { return U8(1); }
  uint16_t length() const { return U16(2); }
  uint32_t teid() const { return U32(4); }
  bool has_sequence() const { return (U8(0) & 0x02) != 0; }
  uint16_t sequence() const { return has_sequence() ? U16(8) : 0; }
  bool has_extensions() const { return (U8(0) & 0x04) != 0; }
  // The type of the first extension header, and the octets of all of them.
  uint8_t first_extension() const { return has_extensions() ? U8(11) : 0; }
  base::Octets extensions() const { return has_extensions() ? Rest(12) : base::Octets(); }
  // The QoS flow identifier of the PDU session container (TS 29.281, 5.2.2.7; TS 38.415, 5.5.2), in both directions the
  // low six bits of its second octet.
  std::optional<uint8_t> qfi() const {
    constexpr uint8_t kPduSessionContainer = 0x85;
    uint8_t type = first_extension();
    // Each: length in units of four octets, content, type of the next.
    for (base::Octets rest = extensions(); type != 0 && rest.size() >= 4;) {
      const size_t length = 4u * rest[0];
      if (length < 4 || length > rest.size()) break;
      if (type == kPduSessionContainer) return static_cast<uint8_t>(rest[2] & 0x3f);
      type = rest[length - 1];
      rest.remove_prefix(length);
    }
    return std::nullopt;
  }
};

class L2tpView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  bool control() const { return (U8(0) & 0x80) != 0; }
  bool has_length() const { return (U8(0) & 0x40) != 0; }
  uint16_t tunnel_id() const { return U16(has_length() ? 4 : 2); }
  uint16_t session_id() const { return U16(has_length() ? 6 : 4); }
};

class CapwapView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t radio_id() const { return static_cast<uint8_t>(U32(0) >> 14 & 0x1f); }
  uint8_t wireless_binding() const { return static_cast<uint8_t>(U32(0) >> 9 & 0x1f); }
  bool native() const { return (U32(0) & 0x100) != 0; }
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_TUNNEL_HEADERS_H_
