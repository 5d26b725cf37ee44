// Who is who in IS-IS: systems, pseudonodes, LSPs, areas, levels.
//
// Standard: ISO/IEC 10589, 7.1 (addresses) and 9 (fields); RFC 1195. Only system identifiers of six octets, as
// everybody has them. Values; any thread; text as routers print it: "1921.6800.1001.00-00".

#ifndef FLOWACCT_ISIS_IDENTIFIERS_H_
#define FLOWACCT_ISIS_IDENTIFIERS_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/string_view.h"

namespace flowacct::isis {

enum class Level : uint8_t { k1 = 1, k2 = 2 };

// RFC 5120, 7.5: 0 is the standard topology; 2 is IPv6 routing.
using TopologyNumber = uint16_t;
inline constexpr TopologyNumber kStandardTopology = 0, kIpv6Topology = 2;

struct SystemId {
  std::array<uint8_t, 6> octets{};

  std::string ToString() const;  // "1921.6800.1001"
  static std::optional<SystemId> Parse(absl::string_view text);
  friend bool operator==(const SystemId& a, const SystemId& b) { return a.octets == b.octets; }
  friend bool operator!=(const SystemId& a, const SystemId& b) { return !(a == b); }
  friend bool operator<(const SystemId& a, const SystemId& b) { return a.octets < b.octets; }
  template <typename H>
  friend H AbslHashValue(H h, const SystemId& s) {
    return H::combine(std::move(h), s.octets);
  }
};

// A system, or a LAN for which a system speaks (then `pseudonode` is not 0).
struct NodeId {
  SystemId system;
  uint8_t pseudonode = 0;

  std::string ToString() const;  // "1921.6800.1001.02"
  static std::optional<NodeId> Parse(absl::string_view text);
  friend bool operator==(const NodeId& a, const NodeId& b) {
    return a.system == b.system && a.pseudonode == b.pseudonode;
  }
  friend bool operator!=(const NodeId& a, const NodeId& b) { return !(a == b); }
  friend bool operator<(const NodeId& a, const NodeId& b) {
    return std::tie(a.system, a.pseudonode) < std::tie(b.system, b.pseudonode);
  }
  template <typename H>
  friend H AbslHashValue(H h, const NodeId& n) {
    return H::combine(std::move(h), n.system, n.pseudonode);
  }
};

struct LspId {
  NodeId node;
  uint8_t fragment = 0;

  std::string ToString() const;  // "1921.6800.1001.02-00"
  static std::optional<LspId> Parse(absl::string_view text);
  friend bool operator==(const LspId& a, const LspId& b) { return a.node == b.node && a.fragment == b.fragment; }
  friend bool operator!=(const LspId& a, const LspId& b) { return !(a == b); }
  // The order in which CSNPs tell of LSPs.
  friend bool operator<(const LspId& a, const LspId& b) {
    return std::tie(a.node, a.fragment) < std::tie(b.node, b.fragment);
  }
  template <typename H>
  friend H AbslHashValue(H h, const LspId& l) {
    return H::combine(std::move(h), l.node, l.fragment);
  }
};

// ISO 10589, 7.1.1: one to thirteen octets ("49.0001"); 20 is the most that an NSAP has.
struct AreaAddress {
  std::array<uint8_t, 20> octets{};
  uint8_t size = 0;

  std::string ToString() const;
  static std::optional<AreaAddress> Parse(absl::string_view text);
  friend bool operator==(const AreaAddress& a, const AreaAddress& b) {
    return a.size == b.size && std::memcmp(a.octets.data(), b.octets.data(), a.size) == 0;
  }
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_IDENTIFIERS_H_
