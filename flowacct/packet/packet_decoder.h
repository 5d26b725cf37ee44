// Turns one captured packet into one row: what pmacctd accounts, at the IP level that the user chose.
//
// Fills: src_mac, dst_mac, etype, vlan and in_vlan (outer tag), in_cvlan (inner tag), cos, ip_version, src_addr,
// dst_addr, protocol, tos, ttl, flow_label, src_port, dst_port, tcp_flags, icmp_type, icmp_code, fragment_id,
// fragment_offset, mpls_label_top, mpls_label_bottom, mpls_label_stack, vxlan, nvgre, tunnel_kind, tunnel_* (the level
// inside the accounted one), teid, gtp_src_addr, gtp_dst_addr and qfi (of the innermost G-PDU that the accounted level
// is inside of, else of the first one inside it), packets (1), bytes (the IP packet's length), start_time and end_time.
// Standards: those of packet_view.h.
// Guaranteed: a row is filled if and only if the result is ok; each frame is counted exactly once:
// frames = accounted + not_ip + errors.errors(). Not checked: checksums.
// Ownership: borrows the layout and the interner (of the batch that the rows belong to; null leaves the interned
// fields mpls_label_stack and tunnel_kind absent). Threads: one at a time.
// Errors: kUnsupported means not IP (ARP, LLDP, an unknown link type ...), all others a malformed or cut packet whose
// outermost IP header could not be read. Trouble further inside does not stop the accounting of what is whole.
// Cost (packet_benchmark, a 5-tuple): about 40 ns for Ethernet, IPv4 or IPv6, TCP or UDP; 120 ns by the general path;
// 250 ns for the inside of VXLAN. No allocation.

#ifndef FLOWACCT_PACKET_PACKET_DECODER_H_
#define FLOWACCT_PACKET_PACKET_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/packet/fragment_table.h"
#include "flowacct/packet/gtp_tap.h"
#include "flowacct/packet/link_type.h"
#include "flowacct/packet/packet_view.h"
#include "flowacct/packet/reassembler.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::packet {

struct PacketDecoderOptions {
  // At which IP header one accounts: 0 the outermost (as pmacctd does), 1 one tunnel inside, -1 the innermost. A packet
  // with fewer levels is accounted at its innermost.
  int depth = 0;
  // Rows for frames without IP as well: MAC addresses, VLAN and etype, and `bytes` = what follows the link headers.
  // By default they are refused and counted, so that the sums are those of IP traffic.
  bool keep_not_ip = false;
  // Off: every packet takes the general parser. For tests, which hold the two against each other.
  bool fast_path = true;
  FragmentTableOptions fragments;
  // UDP ports of GTP-U beside 2152, on either side; what does not look like it is payload.
  std::vector<uint16_t> gtp_u_ports;
  // Is shown the messages of GTP that are no packets of subscribers. Borrowed; may be null.
  GtpTap* gtp_tap = nullptr;
  ReassemblerOptions gtp_fragments;  // of such messages
};

struct PacketCounters {
  uint64_t frames = 0;          // handed in
  uint64_t accounted = 0;       // rows filled, those of keep_not_ip included
  uint64_t not_ip = 0;          // refused because there is no IP header in them
  base::DecodeCounters errors;  // refused, by reason (kOk and kUnsupported stay zero)
  // Of those accounted:
  uint64_t kept_not_ip = 0;
  uint64_t snapped = 0;  // the capture was cut within the headers, so that the ports or more may be absent
  // The depth asked was not reached because of what lies inside (malformed, cut, too deep): accounted at the innermost
  // whole IP header.
  uint64_t depth_not_reached = 0;
  uint64_t fragments = 0;                // fragments of any kind
  uint64_t fragments_followed = 0;       // later fragments that got their ports from the first
  uint64_t fragments_without_first = 0;  // later fragments that stayed without
};

// What a caller who sets packets and bytes himself needs (a sampled header of sFlow or IPFIX).
struct PacketSummary {
  uint32_t ip_length = 0;  // octets of the accounted IP packet; 0 if not IP
  // Where its header begins, which is the length of what lies around it; if not IP, where the link headers end.
  uint32_t ip_offset = 0;
  uint8_t ip_version = 0;  // 4, 6; 0: not IP
  uint8_t protocol = 0;
  uint8_t depth = 0;  // the level accounted
};

class PacketDecoder {
 public:
  PacketDecoder(const record::Layout* layout, base::Interner* interner, PacketDecoderOptions options = {});
  PacketDecoder(const PacketDecoder&) = delete;
  PacketDecoder& operator=(const PacketDecoder&) = delete;

  // From now on rows have another layout or are of another interner. What is known of fragments stays, and the
  // counters.
  void Rebind(const record::Layout* layout, base::Interner* interner);

  // Fills `row`, which has the layout given at construction; fields set before by the caller stay. Unless the result
  // is ok the row is left as it was.
  base::DecodeResult Decode(LinkType link_type, base::Octets captured, uint32_t wire_length, int64_t time_nanos,
                            record::MutableRow row);
  // As Decode for a header that an agent sampled: packets, bytes, start_time and end_time are left to the caller.
  // `time_nanos` only ages the fragments. `summary` may be null.
  base::DecodeResult DecodeHeaderSection(LinkType link_type, base::Octets captured, uint32_t frame_length,
                                         int64_t time_nanos, record::MutableRow row, PacketSummary* summary);

  const PacketCounters& counters() const { return counters_; }
  const FragmentTable& fragment_table() const { return fragment_table_; }
  // Of the messages that the tap is shown; null: there is none.
  const Reassembler* gtp_reassembler() const { return gtp_reassembler_.get(); }

 private:
  struct Request {  // what one call was asked
    LinkType link_type;
    base::Octets captured;
    uint32_t wire_length;
    int64_t time_nanos;
    bool counters;  // fill packets, bytes and times
  };
  // Where in a row the fields lie that the fast path writes; 0: not asked (presence bits lie in front of all fields).
  struct Slots {
    uint16_t src_mac, dst_mac, etype, vlan, in_vlan, in_cvlan, cos, ip_version, src_addr, dst_addr, protocol, tos, ttl,
        flow_label, src_port, dst_port, tcp_flags, icmp_type, icmp_code, packets, bytes, start_time, end_time;
  };
  // The presence bits that the fast path sets, one mask for each kind of packet it knows.
  static constexpr size_t kShapes = 64;
  static constexpr size_t kMaxPresenceOctets = (record::kFieldCount + 7) / 8;

  void PrepareFastPath();
  base::DecodeResult DecodeRequest(const Request& request, record::MutableRow row, PacketSummary* summary);
  // False if the packet is not one of the simple kinds; then nothing was written.
  bool DecodeFast(const Request& request, record::MutableRow row, PacketSummary* summary);
  base::DecodeResult DecodeSlow(const Request& request, record::MutableRow row, PacketSummary* summary);
  bool TroubleInside() const;
  base::DecodeResult FillNotIp(const Request& request, record::MutableRow row, PacketSummary* summary);
  void FillLink(size_t first_layer, size_t end_layer, record::MutableRow row);
  void FillIp(const IpLevel& level, int64_t time_nanos, record::MutableRow row);
  // What the transport header tells, from it or, for a later fragment, from the first fragment's.
  FragmentTransport Transport(const IpLevel& level, int64_t time_nanos);
  void FillTunnel(size_t accounted, record::MutableRow row);
  void FillGtp(const IpLevel& accounted, record::MutableRow row);
  void ShowGtp(int64_t time_nanos);
  void ShowGtpFragment(const IpLevel& level, int64_t time_nanos);
  base::InternId TunnelKindName(LayerKind kind);

  const record::Layout* layout_;
  base::Interner* interner_;
  PacketDecoderOptions options_;
  PacketCounters counters_;
  FragmentTable fragment_table_;
  PacketView view_;
  Slots slots_{};
  bool has_custom_places_ = false;
  bool needs_inner_ = false;  // a depth, a field or a message is asked that lies inside a tunnel
  bool fills_tunnel_ = false;
  bool fills_gtp_ = false;
  std::unique_ptr<Reassembler> gtp_reassembler_;  // null: no tap
  std::array<std::array<uint8_t, kMaxPresenceOctets>, kShapes> presence_{};
  std::array<base::InternId, kLayerKindCount> tunnel_kinds_{};
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_PACKET_DECODER_H_
