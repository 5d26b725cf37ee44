// A borrowed view of one captured packet: its headers in wire order, and the IP levels that they make.
//
//     PacketView view;
//     base::DecodeResult result = Parse(LinkType::kEthernet, captured, wire_length, &view);
//     for (const Layer& layer : view.layers()) ...
//     if (const IpLevel* ip = view.level(0)) view.As<Ipv4View>(view.layers()[ip->ip_layer]).total_length();
//
// Standards: those of the layers (layer.h). The views of the single headers are in link_headers.h, ip_headers.h,
// transport_headers.h and tunnel_headers.h.
// Guaranteed: each layer lies within the captured octets and begins where the one before ends or says. Not checked:
// checksums, and all that no length or next protocol depends on.
// Ownership: the view borrows the captured octets. A PacketView is 1 KB, reusable, and best kept from packet to packet.
// Threads: as the octets. Errors: the result tells why parsing ended early; what was parsed before stays.
// Cost: one dispatch a header; no allocation.

#ifndef FLOWACCT_PACKET_PACKET_VIEW_H_
#define FLOWACCT_PACKET_PACKET_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/packet/layer.h"
#include "flowacct/packet/link_type.h"

namespace flowacct::packet {

// One IP header with what belongs to it: the links and tags before it (after the tunnel that carries it), its
// extension headers and its transport header. Level 0 is the outermost; each tunnel adds one.
struct IpLevel {
  static constexpr uint8_t kNoLayer = 0xff;

  uint8_t first_layer;  // the tunnel header, link or tag that begins the level; the IP header itself for IP in IP
  uint8_t ip_layer;
  uint8_t transport_layer = kNoLayer;  // only if its fixed part was captured
  uint8_t version;                     // 4 or 6
  // IPv4: the header's; IPv6: the first that is no extension header (or the one at which the capture was cut).
  uint8_t protocol;
  bool fragment = false;  // more fragments follow, or the offset is not zero
  bool more_fragments = false;
  uint32_t fragment_offset = 0;  // in octets
  uint32_t fragment_id = 0;
  uint32_t ip_length;  // header and payload: total length, jumbo payload and segmentation offload resolved
  // What follows the IP and extension headers: where, how much of it was captured, how much the IP length says.
  // `payload_captured` is 0 where the extension headers were cut.
  uint32_t payload_offset = 0;
  uint32_t payload_captured = 0;
  uint32_t payload_length = 0;
};

class PacketView {
 public:
  // Deeper is hostile or a loop: the deepest legitimate stacks seen (QinQ, PPPoE, L2TP, VXLAN in ERSPAN) have 14.
  static constexpr size_t kMaxLayers = 32;
  static constexpr size_t kMaxLevels = 8;

  base::Octets octets() const { return octets_; }
  uint32_t wire_length() const { return wire_length_; }
  absl::Span<const Layer> layers() const { return absl::MakeConstSpan(layers_.data(), layer_count_); }
  absl::Span<const IpLevel> levels() const { return absl::MakeConstSpan(levels_.data(), level_count_); }
  // Null if there are not so many.
  const IpLevel* level(size_t i) const { return i < level_count_ ? &levels_[i] : nullptr; }
  const Layer* Find(LayerKind kind) const {  // the outermost of a kind; null if there is none
    for (const Layer& layer : layers()) {
      if (layer.kind == kind) return &layer;
    }
    return nullptr;
  }

  base::Octets header(const Layer& layer) const { return octets_.subspan(layer.offset, layer.length); }
  // The captured part of what the header carries.
  base::Octets payload(const Layer& layer) const;
  // The typed view of a layer whose kind is one that `View` reads.
  template <typename View>
  View As(const Layer& layer) const {
    return View(header(layer));
  }
  base::IpAddress source(const IpLevel& level) const;
  base::IpAddress destination(const IpLevel& level) const;

  // EtherType (or PPP, NLPID mapped to it) of what follows the last link or tag of level 0; 0 if none was told.
  uint16_t ether_type() const { return ether_type_; }
  // Why parsing ended: kOk when all was read that is parsed here.
  base::DecodeResult result() const { return result_; }
  // A header was cut because the capture is shorter than the wire (not an error for accounting).
  bool snapped() const { return snapped_; }

 private:
  friend class PacketParser;

  base::Octets octets_;
  uint32_t wire_length_ = 0;
  uint32_t layer_count_ = 0;
  uint32_t level_count_ = 0;
  uint16_t ether_type_ = 0;
  bool snapped_ = false;
  base::DecodeResult result_;
  std::array<Layer, kMaxLayers> layers_;
  std::array<IpLevel, kMaxLevels> levels_;
};

// Parses `captured`, of which the wire had `wire_length` octets (at least captured.size(); less counts as that).
//   kOk           all headers that are known here were read, down to a payload, a fragment or something encrypted
//   kTruncated    the octets end within a header: the capture was cut (snapped()), or a length promised more
//   kBadLength, kBadVersion, kBadValue   a header contradicts itself or what encloses it
//   kTooDeep      more than kMaxLayers headers or kMaxLevels IP headers
//   kUnsupported  a link type without a row
// In each case the layers and levels before the trouble are there.
// `gtp_u_ports`: UDP ports of GTP-U beside 2152.
base::DecodeResult Parse(LinkType link_type, base::Octets captured, uint32_t wire_length, PacketView* view,
                         absl::Span<const uint16_t> gtp_u_ports = {});

// A UDP datagram.
struct UdpDatagram {
  base::IpAddress source;
  base::IpAddress destination;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  base::Octets payload;    // borrowed from the packet
  bool truncated = false;  // the capture has less than the UDP length says
};

// False if the outermost IP packet is not UDP, is a fragment, or was cut before its ports and length.
bool FindUdp(const PacketView& view, UdpDatagram* datagram);
// The same of any level.
bool FindUdp(const PacketView& view, const IpLevel& level, UdpDatagram* datagram);

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_PACKET_VIEW_H_
