#include "flowacct/isis/hello_content.h"

#include <cstring>
#include <utility>

#include "flowacct/base/octet_reader.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::LoadBe32;
using base::OctetReader;
using base::Octets;

namespace {

constexpr uint16_t kTopologyMask = 0x0fff;
constexpr size_t kBfdSize = 3;

DecodeResult BadLength(size_t at) { return DecodeResult::Error(DecodeCode::kBadLength, at); }
DecodeResult BadValue(size_t at) { return DecodeResult::Error(DecodeCode::kBadValue, at); }

SystemId LoadSystem(Octets octets) {
  SystemId system;
  std::memcpy(system.octets.data(), octets.data(), system.octets.size());
  return system;
}

DecodeResult ReadThreeWay(Octets value, size_t offset, HelloContent* content) {
  // RFC 5303, 3.1: the state alone, or with each of the others behind all that come before it.
  if (value.size() != 1 && value.size() != 5 && value.size() != 11 && value.size() != 15) return BadLength(offset);
  if (value[0] > static_cast<uint8_t>(ThreeWayState::State::kDown)) return BadValue(offset);
  ThreeWayState state;
  state.state = static_cast<ThreeWayState::State>(value[0]);
  if (value.size() >= 5) state.local_circuit = LoadBe32(value.data() + 1);
  if (value.size() >= 11) state.neighbor = LoadSystem(value.subspan(5));
  if (value.size() >= 15) state.neighbor_circuit = LoadBe32(value.data() + 11);
  content->three_way = state;
  return DecodeResult::Ok();
}

DecodeResult ReadRestart(Octets value, size_t offset, HelloContent* content) {
  if (value.empty()) return BadLength(offset);
  RestartState restart;
  restart.flags = value[0];
  if (value.size() >= 3) restart.remaining_seconds = LoadBe16(value.data() + 1);
  if (value.size() >= 9) restart.neighbor = LoadSystem(value.subspan(3));
  content->restart = restart;
  return DecodeResult::Ok();
}

DecodeResult ReadTlv(const Tlv& tlv, size_t offset, HelloContent* content) {
  const Octets value = tlv.value;
  switch (tlv.type) {
    case kTlvAreaAddresses:
      return ReadAreaAddresses(value, offset, &content->areas);
    case kTlvProtocolsSupported:
      content->protocols.insert(content->protocols.end(), value.begin(), value.end());
      return DecodeResult::Ok();
    case kTlvLanNeighbors:
      if (value.size() % 6 != 0) return BadLength(offset);
      for (size_t at = 0; at < value.size(); at += 6) {
        content->lan_neighbors.push_back(base::MacAddress::From(value.data() + at));
      }
      return DecodeResult::Ok();
    case kTlvIpInterfaceAddress:
    case kTlvIpv6InterfaceAddress:
      return ReadAddresses(value, tlv.type == kTlvIpInterfaceAddress, offset, &content->interface_addresses);
    case kTlvIpv6GlobalInterfaceAddress:
      return ReadAddresses(value, false, offset, &content->global_addresses_v6);
    case kTlvMultiTopology:
      return ReadTopologies(value, offset, &content->topologies);
    case kTlvThreeWayAdjacency:
      return ReadThreeWay(value, offset, content);
    case kTlvRestart:
      return ReadRestart(value, offset, content);
    case kTlvBfdEnabled:
      if (value.size() % kBfdSize != 0) return BadLength(offset);
      for (size_t at = 0; at < value.size(); at += kBfdSize) {
        content->bfd.push_back(
            {static_cast<TopologyNumber>(LoadBe16(value.data() + at) & kTopologyMask), value[at + 2]});
      }
      return DecodeResult::Ok();
    case kTlvInstanceIdentifier:
      if (value.size() < 2) return BadLength(offset);
      content->instance = LoadBe16(value.data());
      return DecodeResult::Ok();
    case kTlvMtPortCapability:
      return ReadTrillPort(value, offset, &content->trill_ports.emplace_back());
    case kTlvTrillNeighbor: {
      TrillNeighbors neighbors;
      const DecodeResult result = ReadTrillNeighbors(value, offset, &neighbors);
      if (result.ok()) content->trill_neighbors.push_back(std::move(neighbors));
      return result;
    }
    case kTlvPadding:
      content->padding_octets += value.size();
      return DecodeResult::Ok();
    default:
      content->others.push_back({tlv.type, {value.begin(), value.end()}});
      return DecodeResult::Ok();
  }
}

}  // namespace

void HelloContent::Clear() {
  areas.clear();
  protocols.clear();
  lan_neighbors.clear();
  interface_addresses.clear();
  global_addresses_v6.clear();
  topologies.clear();
  three_way.reset();
  restart.reset();
  bfd.clear();
  instance.reset();
  padding_octets = 0;
  trill_ports.clear();
  trill_neighbors.clear();
  others.clear();
}

DecodeResult ReadHelloContent(Octets tlvs, HelloContent* content) {
  content->Clear();
  DecodeResult first;
  TlvReader reader(tlvs);
  for (Tlv tlv; reader.Next(&tlv);) {
    const DecodeResult result = ReadTlv(tlv, reader.value_offset(), content);
    if (result.ok()) continue;
    content->others.push_back({tlv.type, {tlv.value.begin(), tlv.value.end()}});
    if (first.ok()) first = result;
  }
  return first.ok() ? reader.result() : first;
}

}  // namespace flowacct::isis
