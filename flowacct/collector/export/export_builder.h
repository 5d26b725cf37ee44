// Builds export datagrams that are right in their outer structure, and the frames that carry them: for tests, corpora
// and benchmarks. What sets and samples hold is zeros.

#ifndef FLOWACCT_COLLECTOR_EXPORT_EXPORT_BUILDER_H_
#define FLOWACCT_COLLECTOR_EXPORT_EXPORT_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

// v1, v5, v6 or v7 with `count` records.
std::string BuildFixedNetflow(uint16_t version, uint16_t count);
std::string BuildNetflow8(uint8_t scheme, uint16_t count, size_t record_octets);
// Sets of (id, octets of content).
using BuiltSets = std::vector<std::pair<uint16_t, size_t>>;
std::string BuildNetflow9(const BuiltSets& sets);
std::string BuildIpfix(const BuiltSets& sets);
// Samples of so many octets; version 2, 4 or 5 (2 and 4: flow samples).
std::string BuildSflow(uint32_t version, bool ipv6_agent, const std::vector<size_t>& samples);

struct UdpPorts {
  uint16_t source = 40000;
  uint16_t destination = 2055;
};

// 192.0.2.1 to 192.0.2.2, or 2001:db8::1 to 2001:db8::2.
std::string BuildUdpIpv4(absl::string_view payload, UdpPorts ports = {}, size_t option_octets = 0);
std::string BuildUdpIpv6(absl::string_view payload, UdpPorts ports = {});
// The same IPv4 packet in fragments whose payloads have `octets` (a multiple of 8), in order.
std::vector<std::string> FragmentIpv4(absl::string_view packet, size_t octets);
// An Ethernet frame with VLAN tags (TPID, VLAN id) around `payload`.
std::string BuildEthernet(uint16_t ether_type, absl::string_view payload,
                          const std::vector<std::pair<uint16_t, uint16_t>>& tags = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_EXPORT_BUILDER_H_
