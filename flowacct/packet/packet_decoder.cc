// The general path: parse everything, then fill the row from the levels. fast_path.cc has the short way.

#include "flowacct/packet/packet_decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "flowacct/packet/custom_places.h"
#include "flowacct/packet/ip_headers.h"
#include "flowacct/packet/ip_protocol.h"
#include "flowacct/packet/link_headers.h"
#include "flowacct/packet/next_protocol.h"
#include "flowacct/packet/tunnel_headers.h"

namespace flowacct::packet {

using base::DecodeCode;
using base::DecodeResult;
using record::FieldId;

namespace {

constexpr FieldId kTunnelFields[] = {FieldId::kVxlan,          FieldId::kNvgre,          FieldId::kTunnelKind,
                                     FieldId::kTunnelSrcMac,   FieldId::kTunnelDstMac,   FieldId::kTunnelSrcAddr,
                                     FieldId::kTunnelDstAddr,  FieldId::kTunnelProtocol, FieldId::kTunnelTos,
                                     FieldId::kTunnelSrcPort,  FieldId::kTunnelDstPort,  FieldId::kTunnelTcpFlags,
                                     FieldId::kTunnelFlowLabel};
constexpr FieldId kGtpFields[] = {FieldId::kTeid, FieldId::kGtpSrcAddr, FieldId::kGtpDstAddr, FieldId::kQfi};

// Nobody speaks GTP from a system port: that is a server's answer to a client who happened to get a port of GTP.
bool IsGtp(uint16_t source_port, uint16_t destination_port, absl::Span<const uint16_t> gtp_u_ports) {
  constexpr uint16_t kFirstUserPort = 1024;  // RFC 6335, 6
  if (std::min(source_port, destination_port) < kFirstUserPort) return false;
  return FromUdpPorts(source_port, destination_port, gtp_u_ports) == LayerKind::kGtpU ||
         IsGtpControlPort(source_port) || IsGtpControlPort(destination_port);
}

// 255 in GTP-U, and in GTPv0 (TS 09.60, 7.1): with protocol type GTP, not GTP'.
bool IsGPdu(base::Octets octets) {
  return octets.size() >= 2 && octets[1] == GtpUView::kGPdu && (octets[0] & 0x10) != 0 && octets[0] >> 5 <= 1;
}

void Show(const UdpDatagram& udp, int64_t time_nanos, GtpTap* tap) {
  tap->OnGtp(
      {udp.source, udp.destination, udp.source_port, udp.destination_port, udp.payload, udp.truncated, time_nanos});
}

}  // namespace

PacketDecoder::PacketDecoder(const record::Layout* layout, base::Interner* interner, PacketDecoderOptions options)
    : options_(std::move(options)), fragment_table_(options_.fragments) {
  if (options_.gtp_tap != nullptr) gtp_reassembler_ = std::make_unique<Reassembler>(options_.gtp_fragments);
  Rebind(layout, interner);
}

void PacketDecoder::Rebind(const record::Layout* layout, base::Interner* interner) {
  layout_ = layout;
  interner_ = interner;
  tunnel_kinds_ = {};
  fills_tunnel_ = fills_gtp_ = false;
  for (FieldId field : kTunnelFields) fills_tunnel_ |= layout->Has(field);
  for (FieldId field : kGtpFields) fills_gtp_ |= layout->Has(field);
  needs_inner_ = options_.depth != 0 || fills_tunnel_ || fills_gtp_ || options_.gtp_tap != nullptr;
  has_custom_places_ = HasCustomPlaces(*layout);
  PrepareFastPath();
}

DecodeResult PacketDecoder::Decode(LinkType link_type, base::Octets captured, uint32_t wire_length, int64_t time_nanos,
                                   record::MutableRow row) {
  return DecodeRequest({link_type, captured, wire_length, time_nanos, true}, row, nullptr);
}

DecodeResult PacketDecoder::DecodeHeaderSection(LinkType link_type, base::Octets captured, uint32_t frame_length,
                                                int64_t time_nanos, record::MutableRow row, PacketSummary* summary) {
  return DecodeRequest({link_type, captured, frame_length, time_nanos, false}, row, summary);
}

DecodeResult PacketDecoder::DecodeRequest(const Request& request, record::MutableRow row, PacketSummary* summary) {
  ++counters_.frames;
  if (options_.fast_path && !has_custom_places_ && DecodeFast(request, row, summary)) {
    ++counters_.accounted;
    return DecodeResult::Ok();
  }
  return DecodeSlow(request, row, summary);
}

DecodeResult PacketDecoder::DecodeSlow(const Request& request, record::MutableRow row, PacketSummary* summary) {
  // What was parsed before any trouble is what counts; FillNotIp looks at the result where nothing was.
  (void)Parse(request.link_type, request.captured, request.wire_length, &view_, options_.gtp_u_ports);
  const size_t levels = view_.levels().size();
  if (levels == 0) return FillNotIp(request, row, summary);

  const size_t wanted = options_.depth < 0 ? levels - 1 : static_cast<size_t>(options_.depth);
  const size_t accounted = std::min(wanted, levels - 1);
  if (options_.depth != 0 && (options_.depth < 0 || accounted < wanted) && TroubleInside()) {
    ++counters_.depth_not_reached;
  }
  const IpLevel& level = *view_.level(accounted);
  FillLink(level.first_layer, level.ip_layer, row);
  FillIp(level, request.time_nanos, row);
  if (fills_tunnel_) FillTunnel(accounted, row);
  if (fills_gtp_) FillGtp(level, row);
  if (options_.gtp_tap != nullptr) ShowGtp(request.time_nanos);
  if (has_custom_places_) FillCustomPlaces(view_, &level, interner_, row);
  if (request.counters) {
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(level.ip_length);
    row.Set<FieldId::kStartTime>(request.time_nanos);
    row.Set<FieldId::kEndTime>(request.time_nanos);
  }
  if (summary != nullptr) {
    *summary = PacketSummary{level.ip_length, view_.layers()[level.ip_layer].offset, level.version, level.protocol,
                             static_cast<uint8_t>(accounted)};
  }
  ++counters_.accounted;
  return DecodeResult::Ok();
}

// Whether parsing ended with an error in what the innermost IP packet carries, behind its own headers.
bool PacketDecoder::TroubleInside() const {
  const DecodeResult result = view_.result();
  if (result.ok()) return false;
  const IpLevel& innermost = view_.levels().back();
  if (innermost.transport_layer == IpLevel::kNoLayer) return TransportClassOf(innermost.protocol).may_tunnel;
  const Layer& transport = view_.layers()[innermost.transport_layer];
  return result.offset >= transport.offset + transport.length;
}

DecodeResult PacketDecoder::FillNotIp(const Request& request, record::MutableRow row, PacketSummary* summary) {
  const DecodeResult parsed = view_.result();
  if (!parsed.ok() && parsed.code != DecodeCode::kUnsupported) {
    counters_.errors.Count(parsed.code);
    return parsed;
  }
  if (!options_.keep_not_ip || view_.layers().empty()) {
    ++counters_.not_ip;
    return DecodeResult::Error(DecodeCode::kUnsupported, parsed.offset);
  }
  const auto layers = view_.layers();
  const size_t links = layers.back().kind == LayerKind::kArp ? layers.size() - 1 : layers.size();
  FillLink(0, links, row);
  if (view_.ether_type() != 0) row.Set<FieldId::kEtype>(view_.ether_type());
  if (has_custom_places_) FillCustomPlaces(view_, nullptr, interner_, row);
  if (request.counters) {
    const Layer& last = layers[links - 1];
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(last.extent - last.length);
    row.Set<FieldId::kStartTime>(request.time_nanos);
    row.Set<FieldId::kEndTime>(request.time_nanos);
  }
  if (summary != nullptr) {
    *summary = PacketSummary();
    summary->ip_offset = layers[links - 1].offset + layers[links - 1].length;
  }
  ++counters_.accounted;
  ++counters_.kept_not_ip;
  return DecodeResult::Ok();
}

// The outermost addresses, tags and label stack of a level.
void PacketDecoder::FillLink(size_t first_layer, size_t end_layer, record::MutableRow row) {
  bool has_mac = false;
  bool has_mpls = false;
  int vlans = 0;
  const auto set_mac = [&](const base::MacAddress& source, const base::MacAddress* destination) {
    if (has_mac) return;
    has_mac = true;
    row.Set<FieldId::kSrcMac>(source);
    if (destination != nullptr) row.Set<FieldId::kDstMac>(*destination);
  };
  for (size_t i = first_layer; i < end_layer; ++i) {
    const Layer& layer = view_.layers()[i];
    switch (layer.kind) {
      case LayerKind::kEthernet: {
        const auto ethernet = view_.As<EthernetView>(layer);
        const base::MacAddress destination = ethernet.destination();
        set_mac(ethernet.source(), &destination);
        break;
      }
      case LayerKind::kFddi: {
        const auto fddi = view_.As<FddiView>(layer);
        const base::MacAddress destination = fddi.destination();
        set_mac(fddi.source(), &destination);
        break;
      }
      case LayerKind::kIeee80211: {
        if (layer.length < 24) break;  // no data frame
        const auto wireless = view_.As<Ieee80211View>(layer);
        const base::MacAddress destination = wireless.destination();
        set_mac(wireless.source(), &destination);
        break;
      }
      case LayerKind::kLinuxSll:
        if (view_.As<LinuxSllView>(layer).address_length() == 6) {
          set_mac(view_.As<LinuxSllView>(layer).source(), nullptr);
        }
        break;
      case LayerKind::kLinuxSll2:
        if (view_.As<LinuxSll2View>(layer).address_length() == 6) {
          set_mac(view_.As<LinuxSll2View>(layer).source(), nullptr);
        }
        break;
      case LayerKind::kVlan: {
        const auto vlan = view_.As<VlanView>(layer);
        if (vlans == 0) {
          row.Set<FieldId::kVlan>(vlan.vlan());
          row.Set<FieldId::kInVlan>(vlan.vlan());
          row.Set<FieldId::kCos>(vlan.priority());
        } else if (vlans == 1) {
          row.Set<FieldId::kInCvlan>(vlan.vlan());
        }
        ++vlans;
        break;
      }
      case LayerKind::kMpls: {
        if (has_mpls) break;
        has_mpls = true;
        const auto mpls = view_.As<MplsView>(layer);
        row.Set<FieldId::kMplsLabelTop>(mpls.label(0));
        row.Set<FieldId::kMplsLabelBottom>(mpls.label(mpls.size() - 1));
        if (interner_ != nullptr && layout_->Has(FieldId::kMplsLabelStack)) {
          std::array<uint8_t, 3 * 32> stack;  // the parser takes no more than 32 labels
          for (size_t k = 0; k < mpls.size(); ++k) std::copy_n(mpls.octets().data() + 4 * k, 3, stack.data() + 3 * k);
          row.Set<FieldId::kMplsLabelStack>(interner_->Intern(base::Octets(stack).first(3 * mpls.size())));
        }
        break;
      }
      default:
        break;
    }
  }
}

FragmentTransport PacketDecoder::Transport(const IpLevel& level, int64_t time_nanos) {
  FragmentTransport transport;
  transport.protocol = level.protocol;
  const bool later_fragment = level.fragment && level.fragment_offset != 0;
  FragmentKey key;
  if (level.fragment) {
    ++counters_.fragments;
    key = FragmentKey{view_.source(level), view_.destination(level), level.fragment_id,
                      level.version == 4 ? level.protocol : uint8_t{0}};
  }
  if (later_fragment) {
    const FragmentTransport* first = fragment_table_.Find(key, time_nanos);
    if (first == nullptr) {
      ++counters_.fragments_without_first;
      return transport;
    }
    ++counters_.fragments_followed;
    return *first;
  }
  const base::Octets payload = view_.octets().subspan(level.payload_offset, level.payload_captured);
  const TransportClass transport_class = TransportClassOf(level.protocol);
  const size_t needed = TransportOctets(transport_class);
  if (payload.size() < needed && (payload.size() < level.payload_length)) ++counters_.snapped;
  if (transport_class.ports && payload.size() >= 4) {
    transport.has_ports = true;
    transport.source_port = base::LoadBe16(payload.data());
    transport.destination_port = base::LoadBe16(payload.data() + 2);
  }
  if (transport_class.tcp && payload.size() >= 14) {
    transport.has_tcp_flags = true;
    transport.tcp_flags = base::LoadBe16(payload.data() + 12) & 0x0fff;
  }
  if (transport_class.icmp && payload.size() >= 2) {
    transport.has_icmp = true;
    transport.icmp_type = payload[0];
    transport.icmp_code = payload[1];
  }
  if (level.fragment) fragment_table_.Remember(key, transport, time_nanos);
  return transport;
}

void PacketDecoder::FillIp(const IpLevel& level, int64_t time_nanos, record::MutableRow row) {
  const Layer& layer = view_.layers()[level.ip_layer];
  row.Set<FieldId::kIpVersion>(level.version);
  row.Set<FieldId::kSrcAddr>(view_.source(level));
  row.Set<FieldId::kDstAddr>(view_.destination(level));
  if (level.version == 4) {
    const auto ip = view_.As<Ipv4View>(layer);
    row.Set<FieldId::kEtype>(0x0800);
    row.Set<FieldId::kTos>(ip.tos());
    row.Set<FieldId::kTtl>(ip.ttl());
  } else {
    const auto ip = view_.As<Ipv6View>(layer);
    row.Set<FieldId::kEtype>(0x86dd);
    row.Set<FieldId::kTos>(ip.traffic_class());
    row.Set<FieldId::kTtl>(ip.hop_limit());
    row.Set<FieldId::kFlowLabel>(ip.flow_label());
  }
  if (level.fragment) {
    row.Set<FieldId::kFragmentId>(level.fragment_id);
    row.Set<FieldId::kFragmentOffset>(static_cast<uint16_t>(level.fragment_offset));
  }
  const FragmentTransport transport = Transport(level, time_nanos);
  row.Set<FieldId::kProtocol>(transport.protocol);
  if (transport.has_ports) {
    row.Set<FieldId::kSrcPort>(transport.source_port);
    row.Set<FieldId::kDstPort>(transport.destination_port);
  }
  if (transport.has_tcp_flags) row.Set<FieldId::kTcpFlags>(transport.tcp_flags);
  if (transport.has_icmp) {
    row.Set<FieldId::kIcmpType>(transport.icmp_type);
    row.Set<FieldId::kIcmpCode>(transport.icmp_code);
  }
}

base::InternId PacketDecoder::TunnelKindName(LayerKind kind) {
  base::InternId& id = tunnel_kinds_[static_cast<size_t>(kind)];
  if (id == base::Interner::kNone) {
    // kIp stands for IP directly in IP.
    id = interner_->Intern(kind == LayerKind::kIp ? absl::string_view("ipip") : LayerName(kind));
  }
  return id;
}

// The level inside the accounted one, and the header that carries it. Where nothing is inside, the identifiers are
// those of the tunnel that the accounted level itself came in.
void PacketDecoder::FillTunnel(size_t accounted, record::MutableRow row) {
  const auto layers = view_.layers();
  const IpLevel& level = *view_.level(accounted);
  const IpLevel* inner = view_.level(accounted + 1);
  size_t begin, end;
  if (inner != nullptr) {
    begin = inner->first_layer;
    end = inner->ip_layer;
  } else {
    // A tunnel without IP inside, such as ARP in VXLAN, comes after the accounted IP header.
    begin = level.ip_layer + 1u;
    while (begin < layers.size() && (CategoryOf(layers[begin].kind) == LayerCategory::kExtension ||
                                     CategoryOf(layers[begin].kind) == LayerCategory::kTransport)) {
      ++begin;
    }
    end = layers.size();
    if (begin == end) {
      if (accounted == 0) return;
      begin = level.first_layer;
      end = level.ip_layer;
    }
  }
  LayerKind kind = begin == end ? LayerKind::kIp : layers[begin].kind;
  bool has_mac = inner == nullptr;
  for (size_t i = begin; i < end; ++i) {
    const Layer& layer = layers[i];
    if (CategoryOf(layer.kind) == LayerCategory::kTunnel) kind = layer.kind;
    switch (layer.kind) {
      case LayerKind::kVxlan:
      case LayerKind::kVxlanGpe:
        row.Set<FieldId::kVxlan>(view_.As<VxlanView>(layer).vni());
        break;
      case LayerKind::kGeneve:
        row.Set<FieldId::kVxlan>(view_.As<GeneveView>(layer).vni());
        break;
      case LayerKind::kGre:
        if (view_.As<GreView>(layer).is_nvgre()) {
          row.Set<FieldId::kNvgre>(view_.As<GreView>(layer).virtual_subnet_id());
        }
        break;
      case LayerKind::kEthernet:
        if (!has_mac) {
          has_mac = true;
          row.Set<FieldId::kTunnelSrcMac>(view_.As<EthernetView>(layer).source());
          row.Set<FieldId::kTunnelDstMac>(view_.As<EthernetView>(layer).destination());
        }
        break;
      default:
        break;
    }
  }
  if (interner_ != nullptr && layout_->Has(FieldId::kTunnelKind)) row.Set<FieldId::kTunnelKind>(TunnelKindName(kind));
  if (inner == nullptr) return;

  const Layer& ip_layer = layers[inner->ip_layer];
  row.Set<FieldId::kTunnelSrcAddr>(view_.source(*inner));
  row.Set<FieldId::kTunnelDstAddr>(view_.destination(*inner));
  row.Set<FieldId::kTunnelProtocol>(inner->protocol);
  if (inner->version == 4) {
    row.Set<FieldId::kTunnelTos>(view_.As<Ipv4View>(ip_layer).tos());
  } else {
    row.Set<FieldId::kTunnelTos>(view_.As<Ipv6View>(ip_layer).traffic_class());
    row.Set<FieldId::kTunnelFlowLabel>(view_.As<Ipv6View>(ip_layer).flow_label());
  }
  if (inner->fragment && inner->fragment_offset != 0) return;
  const base::Octets payload = view_.octets().subspan(inner->payload_offset, inner->payload_captured);
  const TransportClass transport_class = TransportClassOf(inner->protocol);
  if (transport_class.ports && payload.size() >= 4) {
    row.Set<FieldId::kTunnelSrcPort>(base::LoadBe16(payload.data()));
    row.Set<FieldId::kTunnelDstPort>(base::LoadBe16(payload.data() + 2));
  }
  if (transport_class.tcp && payload.size() >= 14) {
    row.Set<FieldId::kTunnelTcpFlags>(base::LoadBe16(payload.data() + 12) & 0x0fff);
  }
}

// Of the tunnel whose packet the accounted level is, or is in: whoever is asked for the subscriber of what lies deeper
// (a VPN of his own, Teredo) finds him. At a level outside of all G-PDUs, that of the first one inside.
void PacketDecoder::FillGtp(const IpLevel& accounted, record::MutableRow row) {
  const auto layers = view_.layers();
  const Layer* found = nullptr;
  for (const Layer& layer : layers) {
    const bool v1 = layer.kind == LayerKind::kGtpU && view_.As<GtpUView>(layer).message_type() == GtpUView::kGPdu;
    if (!v1 && layer.kind != LayerKind::kGtpV0) continue;
    if (found != nullptr && layer.offset > layers[accounted.ip_layer].offset) break;
    found = &layer;
  }
  if (found == nullptr) return;
  const IpLevel* outer = nullptr;
  for (const IpLevel& level : view_.levels()) {
    if (layers[level.ip_layer].offset < found->offset) outer = &level;
  }
  if (found->kind == LayerKind::kGtpU) {  // GTPv0 has flow labels and TIDs
    const auto gtp = view_.As<GtpUView>(*found);
    row.Set<FieldId::kTeid>(gtp.teid());
    if (const std::optional<uint8_t> qfi = gtp.qfi()) row.Set<FieldId::kQfi>(*qfi);
  }
  if (outer == nullptr) return;
  row.Set<FieldId::kGtpSrcAddr>(view_.source(*outer));
  row.Set<FieldId::kGtpDstAddr>(view_.destination(*outer));
}

void PacketDecoder::ShowGtp(int64_t time_nanos) {
  if (view_.levels()[0].fragment) return ShowGtpFragment(view_.levels()[0], time_nanos);
  for (const IpLevel& level : view_.levels()) {
    constexpr uint8_t kUdp = 17;
    if (level.protocol != kUdp || level.fragment || level.payload_captured < 8) continue;
    const base::Octets octets = view_.octets().subspan(level.payload_offset, level.payload_captured);
    const uint16_t source = base::LoadBe16(octets.data()), destination = base::LoadBe16(octets.data() + 2);
    if (!IsGtp(source, destination, options_.gtp_u_ports)) continue;
    UdpDatagram udp;
    if (!IsGPdu(octets.subspan(8)) && FindUdp(view_, level, &udp)) Show(udp, time_nanos, options_.gtp_tap);
    return;
  }
}

// Of later fragments the table knows the ports, as long as the first one came first. Those of G-PDUs, which are many,
// are not put together; other messages of GTP-U are never so long.
void PacketDecoder::ShowGtpFragment(const IpLevel& level, int64_t time_nanos) {
  IpFragment fragment;
  if (!FindFragment(view_, &fragment)) return;
  FragmentTransport transport;
  if (level.fragment_offset == 0 && fragment.payload.size() >= 4) {
    transport.source_port = base::LoadBe16(fragment.payload.data());
    transport.destination_port = base::LoadBe16(fragment.payload.data() + 2);
  } else {
    const FragmentTransport* const first =
        fragment_table_.Find(FragmentKey{fragment.source, fragment.destination, level.fragment_id,
                                         level.version == 4 ? level.protocol : uint8_t{0}},
                             time_nanos);
    if (first == nullptr) return;
    transport = *first;
  }
  ReassembledPacket whole;
  UdpDatagram udp;
  if (IsGtp(transport.source_port, transport.destination_port, {}) &&
      (IsGtpControlPort(transport.source_port) || IsGtpControlPort(transport.destination_port)) &&
      gtp_reassembler_->Add(fragment, time_nanos, &whole) && FindUdp(whole, &udp) && !IsGPdu(udp.payload)) {
    Show(udp, time_nanos, options_.gtp_tap);
  }
}

}  // namespace flowacct::packet
