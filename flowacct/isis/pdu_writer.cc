#include "flowacct/isis/pdu_writer.h"

#include <algorithm>
#include <utility>

#include "flowacct/isis/checksum.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::Octets;

namespace {

constexpr size_t kMaxValue = 255;
constexpr size_t kHelloLengthAt = 17, kLengthAt = 8, kChecksumAt = 24;
constexpr uint16_t kTopologyOverload = 0x8000, kTopologyAttached = 0x4000, kTopologyMask = 0x0fff;  // RFC 5120, 7.1

}  // namespace

PduWriter::PduWriter(PduType type, size_t max_size) : max_size_(std::min<size_t>(max_size, 0xffff)) {
  const PduTypeInfo& info = *FindPduType(static_cast<uint8_t>(type));
  kind_ = info.kind;
  octets_.reserve(max_size_);
  octets_ = {kDiscriminator, info.header_size, 1, 0, static_cast<uint8_t>(type), 1, 0, 0};
}

PduWriter::PduWriter(const LanHello& header, size_t max_size)
    : PduWriter(PduTypeOf(PduKind::kLanHello, header.level), max_size) {
  octets_.push_back(header.circuit_levels & 3);
  Put(header.source.octets);
  PutU16(header.holding_seconds);
  PutU16(0);
  octets_.push_back(header.priority & 0x7f);
  PutNode(header.lan);
}

PduWriter::PduWriter(const PointToPointHello& header, size_t max_size)
    : PduWriter(PduType::kPointToPointHello, max_size) {
  octets_.push_back(header.circuit_levels & 3);
  Put(header.source.octets);
  PutU16(header.holding_seconds);
  PutU16(0);
  octets_.push_back(header.local_circuit);
}

PduWriter::PduWriter(const Lsp& header, size_t max_size) : PduWriter(PduTypeOf(PduKind::kLsp, header.level), max_size) {
  PutU16(0);
  PutU16(header.remaining_seconds);
  PutLsp(header.id);
  PutU16(static_cast<uint16_t>(header.sequence >> 16));
  PutU16(static_cast<uint16_t>(header.sequence));
  PutU16(0);
  octets_.push_back(header.flags);
}

PduWriter::PduWriter(const Csnp& header, size_t max_size)
    : PduWriter(PduTypeOf(PduKind::kCsnp, header.level), max_size) {
  PutU16(0);
  PutNode(header.source);
  PutLsp(header.first);
  PutLsp(header.last);
}

PduWriter::PduWriter(const Psnp& header, size_t max_size)
    : PduWriter(PduTypeOf(PduKind::kPsnp, header.level), max_size) {
  PutU16(0);
  PutNode(header.source);
}

void PduWriter::PutU16(uint16_t v) {
  octets_.push_back(static_cast<uint8_t>(v >> 8));
  octets_.push_back(static_cast<uint8_t>(v));
}

void PduWriter::PutNode(const NodeId& node) {
  Put(node.system.octets);
  octets_.push_back(node.pseudonode);
}

void PduWriter::PutLsp(const LspId& id) {
  PutNode(id.node);
  octets_.push_back(id.fragment);
}

bool PduWriter::Add(uint8_t type, Octets value) {
  if (value.size() > kMaxValue || value.size() + 2 > room()) return false;
  last_tlv_ = octets_.size();
  octets_.push_back(type);
  octets_.push_back(static_cast<uint8_t>(value.size()));
  Put(value);
  return true;
}

bool PduWriter::AddItem(uint8_t type, Octets item, Octets head) {
  if (last_tlv_ != 0 && octets_[last_tlv_] == type && octets_[last_tlv_ + 1] + item.size() <= kMaxValue &&
      octets_[last_tlv_ + 1] >= head.size() &&
      std::equal(head.begin(), head.end(), octets_.begin() + static_cast<ptrdiff_t>(last_tlv_) + 2)) {
    if (item.size() > room()) return false;
    octets_[last_tlv_ + 1] = static_cast<uint8_t>(octets_[last_tlv_ + 1] + item.size());
    Put(item);
    return true;
  }
  if (head.size() + item.size() > kMaxValue || head.size() + item.size() + 2 > room()) return false;
  Add(type, head);
  octets_[last_tlv_ + 1] = static_cast<uint8_t>(head.size() + item.size());
  Put(item);
  return true;
}

bool PduWriter::AddAuthentication(const AuthenticationKey& key) {
  if (key.kind == AuthenticationKind::kNone) return true;
  if (!Add(kTlvAuthentication, AuthenticationPlaceholder(key))) return false;
  key_ = key;
  return true;
}

bool PduWriter::AddAreas(absl::Span<const AreaAddress> areas) {
  for (const AreaAddress& area : areas) {
    uint8_t item[1 + sizeof(area.octets)] = {area.size};
    std::copy_n(area.octets.begin(), area.size, item + 1);
    if (!AddItem(kTlvAreaAddresses, Octets(item, 1 + size_t{area.size}))) return false;
  }
  return true;
}

bool PduWriter::AddProtocols(Octets nlpids) { return Add(kTlvProtocolsSupported, nlpids); }

bool PduWriter::AddHostname(absl::string_view name) {
  return Add(kTlvDynamicHostname, base::AsOctets(name.substr(0, kMaxValue)));
}

bool PduWriter::AddInterfaceAddresses(absl::Span<const base::IpAddress> addresses) {
  for (const bool v4 : {true, false}) {
    for (const base::IpAddress& address : addresses) {
      if (address.IsV4() != v4) continue;
      if (!AddItem(v4 ? kTlvIpInterfaceAddress : kTlvIpv6InterfaceAddress, address.octets().subspan(v4 ? 12 : 0))) {
        return false;
      }
    }
  }
  return true;
}

bool PduWriter::AddTopologies(absl::Span<const TopologyMembership> topologies) {
  for (const TopologyMembership& topology : topologies) {
    uint8_t item[2];
    base::StoreBe16(
        item, static_cast<uint16_t>((topology.topology & kTopologyMask) | (topology.overload ? kTopologyOverload : 0) |
                                    (topology.attached ? kTopologyAttached : 0)));
    if (!AddItem(kTlvMultiTopology, item)) return false;
  }
  return true;
}

bool PduWriter::AddLanNeighbors(absl::Span<const base::MacAddress> neighbors) {
  for (const base::MacAddress& neighbor : neighbors) {
    if (!AddItem(kTlvLanNeighbors, neighbor.octets)) return false;
  }
  return true;
}

bool PduWriter::AddThreeWay(const ThreeWayState& state) {
  std::vector<uint8_t> value = {static_cast<uint8_t>(state.state)};
  const auto put = [&value](uint32_t v) {
    value.resize(value.size() + 4);
    base::StoreBe32(&value[value.size() - 4], v);
  };
  // Each field is there only behind all that come before it.
  if (state.local_circuit) {
    put(*state.local_circuit);
    if (state.neighbor) {
      value.insert(value.end(), state.neighbor->octets.begin(), state.neighbor->octets.end());
      if (state.neighbor_circuit) put(*state.neighbor_circuit);
    }
  }
  return Add(kTlvThreeWayAdjacency, value);
}

size_t PduWriter::AddLspEntries(absl::Span<const LspEntry> entries) {
  size_t added = 0;
  for (const LspEntry& entry : entries) {
    uint8_t item[kLspEntrySize];
    base::StoreBe16(item, entry.remaining_seconds);
    std::copy(entry.id.node.system.octets.begin(), entry.id.node.system.octets.end(), item + 2);
    item[8] = entry.id.node.pseudonode;
    item[9] = entry.id.fragment;
    base::StoreBe32(item + 10, entry.sequence);
    base::StoreBe16(item + 14, entry.checksum);
    if (!AddItem(kTlvLspEntries, item)) break;
    ++added;
  }
  return added;
}

void PduWriter::Pad() {
  const std::vector<uint8_t> zeros(kMaxValue);
  while (room() >= 2) {
    // Never leaves a single octet, in which no TLV has room.
    size_t size = std::min(kMaxValue, room() - 2);
    if (room() - 2 - size == 1) --size;
    Add(kTlvPadding, Octets(zeros).first(size));
  }
}

std::vector<uint8_t> PduWriter::Finish() {
  const bool hello = kind_ == PduKind::kLanHello || kind_ == PduKind::kPointToPointHello;
  base::StoreBe16(&octets_[hello ? kHelloLengthAt : kLengthAt], static_cast<uint16_t>(octets_.size()));
  if (!SignPdu(key_, &octets_)) return {};
  if (kind_ == PduKind::kLsp) base::StoreBe16(&octets_[kChecksumAt], LspChecksumOf(octets_));
  return std::move(octets_);
}

}  // namespace flowacct::isis
