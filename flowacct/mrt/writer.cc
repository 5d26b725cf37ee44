#include "flowacct/mrt/writer.h"

#include <algorithm>

#include "flowacct/bgp/attribute.h"
#include "flowacct/bgp/attribute_set.h"

namespace flowacct::mrt {
namespace {

using bgp::AttributeCode;

constexpr size_t kMaxCount = 65535;
constexpr uint8_t kPeerIpv6 = 1, kPeerAs4 = 2;
constexpr uint8_t kBottomOfStack = 1;
constexpr size_t kRdOctets = 8;

void WriteAddress(const base::IpAddress& address, bool v6, base::OctetWriter* out) {
  out->Bytes(v6 ? address.octets() : address.octets().subspan(12));
}

void WriteAttribute(uint8_t flags, uint8_t code, base::Octets value, base::OctetWriter* out) {
  if (value.size() > 255) {
    out->U8(flags | bgp::kFlagExtendedLength).U8(code).U16(static_cast<uint16_t>(value.size()));
  } else {
    out->U8(flags).U8(code).U8(static_cast<uint8_t>(value.size()));
  }
  out->Bytes(value);
}

// MP_REACH_NLRI with its next hop alone (RFC 6396, 4.3.4).
void WriteNextHop(bgp::Family family, base::Octets hop, base::OctetWriter* out) {
  const bool vpn = bgp::RowOf(family).shape == bgp::NlriShape::kVpn;
  // Each address behind a route distinguisher of zero (RFC 4364, 4.3.2; RFC 4659, 3.2.1.1): at most two of them.
  uint8_t value[1 + 2 * (kRdOctets + 16)] = {};
  size_t size = 1;
  const size_t each = hop.size() == 32 ? 16 : std::min<size_t>(hop.size(), 16);
  for (size_t at = 0; at < hop.size() && size + kRdOctets + each <= sizeof(value); at += each) {
    if (vpn) size += kRdOctets;
    const size_t n = std::min(each, hop.size() - at);
    std::copy_n(hop.begin() + at, n, value + size);
    size += n;
  }
  value[0] = static_cast<uint8_t>(size - 1);
  WriteAttribute(bgp::kFlagOptional, static_cast<uint8_t>(AttributeCode::kMpReachNlri), base::Octets(value, size), out);
}

// Whether a next hop of so many octets is to be written as NEXT_HOP: IPv4 unicast's, and one that MP_REACH_NLRI of the
// family cannot have, as an entry without that attribute may tell it.
bool IsNextHopAttribute(bgp::Family family, size_t octets) {
  if (octets != 4) return false;
  const size_t rd_octets = bgp::RowOf(family).shape == bgp::NlriShape::kVpn ? kRdOctets : 0;
  return family == bgp::Family::kIpv4Unicast || !bgp::IsNextHopLength(family, rd_octets + octets);
}

void WriteAttributes(bgp::Family family, base::Octets canonical, base::OctetWriter* out) {
  base::Octets hop;
  bool hop_due = false;
  bgp::AttributeSetView(canonical).ForEach([&](uint8_t code, base::Octets value) {
    if (hop_due && code > static_cast<uint8_t>(AttributeCode::kMpReachNlri)) {
      WriteNextHop(family, hop, out);
      hop_due = false;
    }
    const bgp::AttributeRow* row = bgp::FindAttribute(code);
    if (code == static_cast<uint8_t>(AttributeCode::kNextHop) && !IsNextHopAttribute(family, value.size())) {
      hop = value;
      hop_due = true;
    } else if (row != nullptr) {
      WriteAttribute(static_cast<uint8_t>(row->kind), code, value, out);
    } else if (!value.empty()) {
      WriteAttribute(value[0], code, value.subspan(1), out);
    }
  });
  if (hop_due) WriteNextHop(family, hop, out);
}

void WriteNlri(bgp::Family family, const bgp::Nlri& route, base::OctetWriter* out) {
  const bgp::FamilyRow& row = bgp::RowOf(family);
  const bool vpn = row.shape == bgp::NlriShape::kVpn, labelled = vpn || row.shape == bgp::NlriShape::kLabelled;
  out->U8(static_cast<uint8_t>(route.length + (labelled ? 24 : 0) + (vpn ? 8 * kRdOctets : 0)));
  if (labelled) out->U24(route.label << 4 | kBottomOfStack);
  if (vpn) out->U64(route.rd);
  out->Bytes(route.address.octets().subspan(row.v6 ? 0 : 12, (size_t{route.length} + 7) / 8));
}

Subtype RibSubtype(bgp::Family family, bool add_path) {
  size_t i = 0;
  while (i < kSubtypeCount && !(kSubtypes[i].content == Content::kRib && kSubtypes[i].family == family &&
                                ((kSubtypes[i].flags & kAddPath) != 0) == add_path)) {
    ++i;
  }
  if (i < kSubtypeCount) return static_cast<Subtype>(i);
  return add_path ? Subtype::kRibGenericAddPath : Subtype::kRibGeneric;
}

}  // namespace

size_t Writer::BeginRecord(absl::Time time, Subtype subtype) {
  const SubtypeRow& row = RowOf(subtype);
  const int64_t seconds = absl::ToUnixSeconds(time);
  const int64_t micros = absl::ToInt64Microseconds(time - absl::FromUnixSeconds(seconds));
  const bool extended = row.type == kTypeBgp4mp && micros != 0;
  out_->U32(static_cast<uint32_t>(seconds)).U16(extended ? kTypeBgp4mpEt : row.type).U16(row.subtype).U32(0);
  const size_t length_at = out_->size() - 4;
  if (extended) out_->U32(static_cast<uint32_t>(micros));
  return length_at;
}

void Writer::EndRecord(size_t length_at) {
  out_->PatchU32(length_at, static_cast<uint32_t>(out_->size() - length_at - 4));
}

bool Writer::WritePeerIndexTable(const PeerIndexTable& table) {
  if (table.peers.size() > kMaxCount || table.view_name.size() > kMaxCount) return false;
  const size_t length_at = BeginRecord(table.time, Subtype::kPeerIndexTable);
  out_->U32(table.collector_bgp_identifier).U16(static_cast<uint16_t>(table.view_name.size())).Text(table.view_name);
  out_->U16(static_cast<uint16_t>(table.peers.size()));
  for (const Peer& peer : table.peers) {
    const bool v6 = !peer.address.IsV4();
    out_->U8(kPeerAs4 | (v6 ? kPeerIpv6 : 0)).U32(peer.bgp_identifier);
    WriteAddress(peer.address, v6, out_);
    out_->U32(peer.as);
  }
  EndRecord(length_at);
  sequence_ = 0;
  return true;
}

size_t Writer::WriteRib(absl::Time time, bgp::Family family, const bgp::Nlri& route, bool add_path,
                        absl::Span<const RibRoute> entries) {
  const bgp::FamilyRow& row = bgp::RowOf(family);
  if (row.shape > bgp::NlriShape::kVpn) return 0;
  const Subtype subtype = RibSubtype(family, add_path);
  size_t written = 0;
  while (!entries.empty()) {
    const size_t length_at = BeginRecord(time, subtype);
    out_->U32(sequence_++);
    if (RowOf(subtype).content == Content::kRibGeneric) out_->U16(row.afi).U8(row.safi);
    WriteNlri(family, route, out_);
    const size_t count_at = out_->size();
    out_->U16(0);
    size_t count = 0;
    for (; !entries.empty() && count < kMaxCount; entries.remove_prefix(1)) {
      const RibRoute& entry = entries.front();
      attributes_.Clear();
      WriteAttributes(family, entry.attributes, &attributes_);
      if (attributes_.size() > kMaxCount) continue;
      out_->U16(entry.peer_index).U32(static_cast<uint32_t>(absl::ToUnixSeconds(entry.originated)));
      if (add_path) out_->U32(entry.path_id);
      out_->U16(static_cast<uint16_t>(attributes_.size())).Bytes(attributes_.octets());
      ++count;
    }
    out_->PatchU16(count_at, static_cast<uint16_t>(count));
    EndRecord(length_at);
    written += count;
  }
  return written;
}

void Writer::WriteMessage(const Ends& ends, bool from_local, bool add_path, base::Octets message) {
  const size_t length_at =
      BeginRecord(ends.time, from_local ? (add_path ? Subtype::kMessageAs4LocalAddPath : Subtype::kMessageAs4Local)
                                        : (add_path ? Subtype::kMessageAs4AddPath : Subtype::kMessageAs4));
  const bool v6 = !ends.peer.address.IsV4();
  out_->U32(ends.peer.as).U32(ends.local.as).U16(ends.interface_index).U16(v6 ? 2 : 1);
  WriteAddress(ends.peer.address, v6, out_);
  WriteAddress(ends.local.address, v6, out_);
  out_->Bytes(message);
  EndRecord(length_at);
}

}  // namespace flowacct::mrt
