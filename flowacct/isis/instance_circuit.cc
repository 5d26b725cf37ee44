#include "flowacct/isis/instance_circuit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_writer.h"

namespace flowacct::isis {
namespace {

constexpr uint8_t kIpv4Nlpid = 0xcc, kIpv6Nlpid = 0x8e;  // ISO/IEC TR 9577, RFC 1195, RFC 5308
// The longest password, an area, and the lines of sequence numbers must fit.
constexpr uint16_t kMinMtu = 512;

bool IsLinkLocal(const base::IpAddress& address) {
  return address.data()[0] == 0xfe && (address.data()[1] & 0xc0) == 0x80;  // RFC 4291, 2.5.6
}

uint8_t LevelsOf(const InstanceOptions& instance, const CircuitOptions& circuit) {
  return static_cast<uint8_t>((instance.level_1 && circuit.level_1 ? 1 : 0) |
                              (instance.level_2 && circuit.level_2 ? 2 : 0));
}

}  // namespace

absl::Status InstanceCircuit::Check(const InstanceOptions& instance, const CircuitOptions& circuit) {
  const auto refuse = [&](const auto&... text) {
    return absl::InvalidArgumentError(absl::StrCat("IS-IS circuit \"", circuit.name, "\": ", text...));
  };
  if (LevelsOf(instance, circuit) == 0) {
    return refuse("it has no level that the instance has; set level_1 or level_2 of both");
  }
  if (circuit.mtu < kMinMtu) return refuse("mtu ", circuit.mtu, " is less than ", kMinMtu);
  if (circuit.hello_seconds == 0) return refuse("hello_seconds must be at least 1");
  if (circuit.hold_multiplier < 2) {
    return refuse("hold_multiplier ", circuit.hold_multiplier, " lets one lost hello end an adjacency; 3 is usual");
  }
  if (uint32_t{circuit.hello_seconds} * circuit.hold_multiplier > UINT16_MAX) {
    return refuse("hello_seconds * hold_multiplier is more than ", UINT16_MAX);
  }
  if (circuit.kind == CircuitKind::kLan && (circuit.mac == base::MacAddress() || (circuit.mac.octets[0] & 1) != 0)) {
    return refuse("mac ", circuit.mac.ToString(), " is no address of an interface; a LAN needs one");
  }
  if (!HasSecret(circuit.hello_key)) return refuse("hello_key has no secret");
  if (circuit.level_2_hello_key) {
    if (!HasSecret(*circuit.level_2_hello_key)) return refuse("level_2_hello_key has no secret");
    if (circuit.kind == CircuitKind::kPointToPoint) {
      return refuse("level_2_hello_key is set, but hellos of a point-to-point circuit are of both levels");
    }
  }
  if (circuit.accepted_hello_keys.size() > kMaxAcceptedKeys) {
    return refuse(circuit.accepted_hello_keys.size(), " keys in accepted_hello_keys; at most ", kMaxAcceptedKeys);
  }
  for (const AuthenticationKey& key : circuit.accepted_hello_keys) {
    if (!HasSecret(key)) return refuse("a key of accepted_hello_keys has no secret");
  }
  return absl::OkStatus();
}

InstanceCircuit::InstanceCircuit(const InstanceOptions& instance, const CircuitOptions& circuit, CircuitIndex index,
                                 int64_t time_nanos)
    : options_(circuit),
      levels_(LevelsOf(instance, circuit)),
      local_circuit_(static_cast<uint8_t>(1 + index % 255)),
      adjacencies_(instance, circuit, index, levels_, index + 1),
      random_(base::HashOctets(instance.system.octets.data(), instance.system.octets.size()) + index) {
  if (options_.kind == CircuitKind::kPointToPoint) {
    next_hello_[0] = time_nanos;
  } else {
    for (const Level level : kLevels) {
      if ((levels_ & LevelBit(level)) != 0) next_hello_[LevelIndex(level)] = time_nanos;
    }
  }
}

const AuthenticationKey& InstanceCircuit::HelloKey(Level level) const {
  return level == Level::k2 && options_.level_2_hello_key ? *options_.level_2_hello_key : options_.hello_key;
}

void InstanceCircuit::WantHello() {
  for (size_t i = 0; i < next_hello_.size(); ++i) {
    if (next_hello_[i] != INT64_MAX) next_hello_[i] = std::min(next_hello_[i], last_hello_[i] + kMinHelloNanos);
  }
}

int64_t InstanceCircuit::next_time() const {
  return std::min({next_hello_[0], next_hello_[1], adjacencies_.next_expiry()});
}

std::vector<uint8_t> InstanceCircuit::MakeHello(const InstanceOptions& instance, Level level, int64_t time_nanos) {
  const size_t i = LevelIndex(level);
  const bool lan = options_.kind == CircuitKind::kLan;
  // ISO 10589, 10.1: less by up to a quarter.
  const int64_t interval = options_.hello_seconds * kNanosPerSecond;
  last_hello_[i] = time_nanos;
  next_hello_[i] = time_nanos + interval - static_cast<int64_t>(base::NextSecret(&random_) % (interval / 4));
  const uint16_t holding = static_cast<uint16_t>(options_.hello_seconds * options_.hold_multiplier);
  PduWriter writer =
      lan ? PduWriter(
                PduWriter::LanHello{level, levels_, instance.system, holding, 0,
                                    adjacencies_.Designated(level).value_or(NodeId{instance.system, local_circuit_})},
                options_.mtu)
          : PduWriter(PduWriter::PointToPointHello{levels_, instance.system, holding, local_circuit_}, options_.mtu);
  writer.AddAuthentication(HelloKey(level));
  writer.AddAreas(instance.areas);
  std::vector<uint8_t> protocols;
  std::vector<base::IpAddress> addresses;
  bool v4 = options_.addresses.empty(), v6 = v4;
  for (const base::IpAddress& address : options_.addresses) {
    (address.IsV4() ? v4 : v6) = true;
    if (address.IsV4() || IsLinkLocal(address)) addresses.push_back(address);  // RFC 5308, 3
  }
  if (v4) protocols.push_back(kIpv4Nlpid);
  if (v6) protocols.push_back(kIpv6Nlpid);
  writer.AddProtocols(protocols);
  writer.AddInterfaceAddresses(addresses);
  if (!options_.topologies.empty()) {
    std::vector<TopologyMembership> topologies = {{kStandardTopology, false, false}};
    for (const TopologyNumber topology : options_.topologies) {
      if (topology != kStandardTopology) topologies.push_back({topology, false, false});
    }
    writer.AddTopologies(topologies);
  }
  if (lan) {
    writer.AddLanNeighbors(adjacencies_.HeardOn(level));
  } else {
    writer.AddThreeWay(adjacencies_.ThreeWay());
  }
  if (options_.pad) writer.Pad();
  return writer.Finish();
}

}  // namespace flowacct::isis
