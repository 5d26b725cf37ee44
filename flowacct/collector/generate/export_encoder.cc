#include "flowacct/collector/generate/export_encoder.h"

#include <algorithm>

namespace flowacct::collector {
namespace {

using base::Octets;
using base::OctetWriter;

constexpr uint8_t kNextHop4[4] = {203, 0, 113, 1};
constexpr uint8_t kNextHop6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

Octets AddressOctets(const uint8_t* address, bool v6) { return Octets(address, v6 ? 16 : 4); }

// The columns of a template are listed once and visited twice: to describe them, and to write their values.
struct Describe {
  OctetWriter* out;
  uint16_t count = 0;
  void Number(uint16_t element, uint16_t octets, uint64_t) {
    out->U16(element).U16(octets);
    ++count;
  }
  void Address(uint16_t element, const uint8_t*, bool v6) { Number(element, v6 ? 16 : 4, 0); }
};

struct WriteValues {
  OctetWriter* out;
  void Number(uint16_t, uint16_t octets, uint64_t value) { out->Number(value, octets); }
  void Address(uint16_t, const uint8_t* address, bool v6) { out->Bytes(AddressOctets(address, v6)); }
};

// What both protocols tell first.
template <typename Visitor>
void VisitKey(const GeneratedFlow& flow, Visitor& visit) {
  const FlowKey& key = flow.key;
  const bool v6 = key.v6;
  visit.Address(v6 ? 27 : 8, key.src.data(), v6);
  visit.Address(v6 ? 28 : 12, key.dst.data(), v6);
  visit.Number(7, 2, key.src_port);
  visit.Number(11, 2, key.dst_port);
  visit.Number(4, 1, key.protocol);
  visit.Number(5, 1, flow.tos);
  visit.Number(6, 1, flow.tcp_flags);
  visit.Number(10, 4, flow.in_if);
  visit.Number(14, 4, flow.out_if);
  visit.Address(v6 ? 62 : 15, v6 ? kNextHop6 : kNextHop4, v6);
  visit.Number(16, 4, key.src_as);
  visit.Number(17, 4, key.dst_as);
  visit.Number(v6 ? 29 : 9, 1, key.src_mask);
  visit.Number(v6 ? 30 : 13, 1, key.dst_mask);
}

struct NetFlow9Columns {
  template <typename Visitor>
  static void Visit(const GeneratedFlow& flow, const ExportHeader&, Visitor& visit) {
    VisitKey(flow, visit);
    visit.Number(1, 4, flow.bytes);
    visit.Number(2, 4, flow.packets);
    visit.Number(22, 4, flow.start_ms);
    visit.Number(21, 4, flow.end_ms);
    visit.Number(61, 1, 0);
  }
};

struct IpfixColumns {
  template <typename Visitor>
  static void Visit(const GeneratedFlow& flow, const ExportHeader& header, Visitor& visit) {
    VisitKey(flow, visit);
    visit.Number(1, 8, flow.bytes);
    visit.Number(2, 8, flow.packets);
    visit.Number(152, 8, uint64_t{header.boot_seconds} * 1000 + flow.start_ms);
    visit.Number(153, 8, uint64_t{header.boot_seconds} * 1000 + flow.end_ms);
  }
};

// A set of both families' templates, or of IPv4's alone; returns how many.
template <typename Columns>
int EncodeTemplates(uint16_t set_id, bool ipv4_only, OctetWriter* out) {
  const size_t set = out->size();
  out->U16(set_id).U16(0);
  const int templates = ipv4_only ? 1 : 2;
  for (int v6 = 0; v6 < templates; ++v6) {
    const size_t at = out->size();
    out->U16(v6 != 0 ? kTemplateV6 : kTemplateV4).U16(0);
    GeneratedFlow flow;
    flow.key.v6 = v6 != 0;
    Describe describe{out};
    Columns::Visit(flow, ExportHeader(), describe);
    out->PatchU16(at + 2, describe.count);
  }
  out->PatchU16(set + 2, static_cast<uint16_t>(out->size() - set));
  return templates;
}

// A data set for each family that occurs.
template <typename Columns>
void EncodeData(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, bool pad, OctetWriter* out) {
  for (const bool v6 : {false, true}) {
    const size_t set = out->size();
    for (const GeneratedFlow& flow : flows) {
      if (flow.key.v6 != v6) continue;
      if (out->size() == set) out->U16(v6 ? kTemplateV6 : kTemplateV4).U16(0);
      WriteValues values{out};
      Columns::Visit(flow, header, values);
    }
    if (out->size() == set) continue;
    // RFC 3954, 5.3: to a multiple of four octets.
    while (pad && (out->size() - set) % 4 != 0) out->U8(0);
    out->PatchU16(set + 2, static_cast<uint16_t>(out->size() - set));
  }
}

uint16_t TwoOctetAs(uint32_t as) { return as > 65535 ? 23456 : static_cast<uint16_t>(as); }

uint32_t Seconds(const ExportHeader& header) { return header.boot_seconds + header.uptime_ms / 1000; }

uint16_t Ipv4Checksum(const uint8_t* header) {
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += base::LoadBe16(header + i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void EncodeIpv4Header(uint8_t protocol, uint32_t ip_length, uint16_t identification, Octets src, Octets dst,
                      OctetWriter* out) {
  const size_t at = out->size();
  out->U8(0x45).U8(0).U16(static_cast<uint16_t>(ip_length)).U16(identification).U16(0x4000);  // do not fragment
  out->U8(64).U8(protocol).U16(0).Bytes(src).Bytes(dst);
  out->PatchU16(at + 10, Ipv4Checksum(out->octets().data() + at));
}

void EncodeEthernetHeader(uint16_t ether_type, OctetWriter* out) {
  constexpr uint8_t kAddresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};  // locally administered
  out->Bytes(kAddresses).U16(ether_type);
}

}  // namespace

void EncodeNetFlow5(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, OctetWriter* out) {
  out->U16(5).U16(static_cast<uint16_t>(flows.size())).U32(header.uptime_ms).U32(Seconds(header));
  out->U32(header.uptime_ms % 1000 * 1000000).U32(header.sequence);
  out->U8(0).U8(static_cast<uint8_t>(header.domain)).U16(0);  // engine type and id, sampling
  for (const GeneratedFlow& flow : flows) {
    const FlowKey& key = flow.key;
    out->Bytes(AddressOctets(key.src.data(), false)).Bytes(AddressOctets(key.dst.data(), false)).Bytes(kNextHop4);
    out->U16(flow.in_if).U16(flow.out_if).U32(flow.packets).U32(flow.bytes).U32(flow.start_ms).U32(flow.end_ms);
    out->U16(key.src_port).U16(key.dst_port).U8(0).U8(flow.tcp_flags).U8(key.protocol).U8(flow.tos);
    out->U16(TwoOctetAs(key.src_as)).U16(TwoOctetAs(key.dst_as)).U8(key.src_mask).U8(key.dst_mask).U16(0);
  }
}

void EncodeNetFlow9(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, bool templates, bool ipv4_only,
                    OctetWriter* out) {
  const size_t start = out->size();
  out->U16(9).U16(0).U32(header.uptime_ms).U32(Seconds(header)).U32(header.sequence).U32(header.domain);
  size_t records = flows.size();
  if (templates) records += static_cast<size_t>(EncodeTemplates<NetFlow9Columns>(0, ipv4_only, out));
  EncodeData<NetFlow9Columns>(header, flows, true, out);
  out->PatchU16(start + 2, static_cast<uint16_t>(records));
}

void EncodeIpfix(const ExportHeader& header, absl::Span<const GeneratedFlow> flows, bool templates, OctetWriter* out) {
  const size_t start = out->size();
  out->U16(10).U16(0).U32(Seconds(header)).U32(header.sequence).U32(header.domain);
  if (templates) EncodeTemplates<IpfixColumns>(2, false, out);
  EncodeData<IpfixColumns>(header, flows, false, out);
  out->PatchU16(start + 2, static_cast<uint16_t>(out->size() - start));
}

void EncodeFrame(const FlowKey& key, uint32_t ip_length, uint32_t number, size_t max_octets, OctetWriter* out) {
  const size_t start = out->size();
  EncodeEthernetHeader(key.v6 ? 0x86dd : 0x0800, out);
  const Octets src = AddressOctets(key.src.data(), key.v6), dst = AddressOctets(key.dst.data(), key.v6);
  const uint32_t transport_length = ip_length - (key.v6 ? 40 : 20);
  if (key.v6) {
    out->U32(6u << 28).U16(static_cast<uint16_t>(transport_length)).U8(key.protocol).U8(64).Bytes(src).Bytes(dst);
  } else {
    EncodeIpv4Header(key.protocol, ip_length, static_cast<uint16_t>(number), src, dst, out);
  }
  if (key.protocol == 6) {
    out->U16(key.src_port).U16(key.dst_port).U32(number).U32(1).U8(0x50).U8(0x10).U16(1000).U32(0);
  } else if (key.protocol == 17) {
    out->U16(key.src_port).U16(key.dst_port).U16(static_cast<uint16_t>(transport_length)).U16(0);
  } else {
    out->U8(key.v6 ? 128 : 8).U8(0).U16(0).U32(number);  // echo request
  }
  const size_t octets = std::min<size_t>(max_octets, 14 + ip_length);
  out->Fill(octets - std::min(octets, out->size() - start), 0xaa);
}

void EncodeSflowHeader(Octets agent_v4, uint32_t sequence, uint32_t uptime_ms, uint32_t samples, OctetWriter* out) {
  out->U32(5).U32(1).Bytes(agent_v4).U32(0).U32(sequence).U32(uptime_ms).U32(samples);
}

void EncodeSflowSample(const SflowSample& sample, OctetWriter* out) {
  const auto header = static_cast<uint32_t>(sample.header.size());
  const uint32_t padded = (header + 3) & ~3u;  // XDR opaque, RFC 4506, 4.10
  out->U32(1).U32(32 + 24 + padded);           // flow_sample
  out->U32(sample.sequence).U32(sample.in_if).U32(sample.sampling_rate).U32(sample.sample_pool).U32(0);
  out->U32(sample.in_if).U32(sample.out_if).U32(1);
  out->U32(1).U32(16 + padded);                                 // sampled_header
  out->U32(1).U32(sample.frame_length + 4).U32(4).U32(header);  // Ethernet; the check sequence counts and is stripped
  out->Bytes(sample.header).Fill(padded - header);
}

void EncodeUdpEnvelope(const UdpEnvelope& envelope, size_t payload_octets, OctetWriter* out) {
  EncodeEthernetHeader(0x0800, out);
  uint8_t addresses[8];
  base::StoreBe32(addresses, envelope.source_v4);
  base::StoreBe32(addresses + 4, envelope.destination_v4);
  EncodeIpv4Header(17, static_cast<uint32_t>(28 + payload_octets), envelope.identification, Octets(addresses, 4),
                   Octets(addresses + 4, 4), out);
  out->U16(envelope.source_port).U16(envelope.destination_port);
  out->U16(static_cast<uint16_t>(8 + payload_octets)).U16(0);
}

}  // namespace flowacct::collector
