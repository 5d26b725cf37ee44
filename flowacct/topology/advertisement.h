// What one router says of itself, its links and its prefixes, whatever protocol it was said in.
//
// IS-IS LSPs, BGP-LS (RFC 9552) and topology files all become this value. One advertisement replaces the earlier one of
// its key. Values; any thread.

#ifndef FLOWACCT_TOPOLOGY_ADVERTISEMENT_H_
#define FLOWACCT_TOPOLOGY_ADVERTISEMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::topology {

// A router or a pseudonode, in eight octets. IS-IS: system identifier, pseudonode, 0. OSPF by BGP-LS: router
// identifier, then the address of the designated router's interface for a pseudonode, else 0.
struct NodeKey {
  uint64_t value = 0;

  friend bool operator==(NodeKey a, NodeKey b) { return a.value == b.value; }
  friend bool operator!=(NodeKey a, NodeKey b) { return a.value != b.value; }
  friend bool operator<(NodeKey a, NodeKey b) { return a.value < b.value; }
  template <typename H>
  friend H AbslHashValue(H h, NodeKey k) {
    return H::combine(std::move(h), k.value);
  }
};

enum class NodeStyle : uint8_t { kIsis, kOspf };  // how a key is read, and shown to people

bool IsPseudonode(NodeStyle style, NodeKey key);
// The router that speaks for a pseudonode; a router itself.
NodeKey RouterOf(NodeStyle style, NodeKey key);
// "1921.6800.1001", "1921.6800.1001.02"; "192.0.2.1", "192.0.2.1:10.0.0.1"
std::string NodeText(NodeStyle style, NodeKey key);
std::optional<NodeKey> ParseNode(NodeStyle style, absl::string_view text);

// RFC 5120's numbers: 0 standard, 2 IPv6.
using TopologyNumber = uint16_t;

struct AdvertisedLink {
  NodeKey to;
  TopologyNumber topology = 0;
  uint32_t metric = 0;
  base::IpAddress local_address, remote_address;  // unspecified if not said; IPv4 before IPv6
  uint32_t local_id = 0, remote_id = 0;
  std::optional<float> bandwidth;  // octets per second

  friend bool operator==(const AdvertisedLink& a, const AdvertisedLink& b) {
    return std::tie(a.to, a.topology, a.metric, a.local_address, a.remote_address, a.local_id, a.remote_id,
                    a.bandwidth) == std::tie(b.to, b.topology, b.metric, b.local_address, b.remote_address, b.local_id,
                                             b.remote_id, b.bandwidth);
  }
};

struct AdvertisedPrefix {
  base::IpPrefix prefix;
  TopologyNumber topology = 0;
  uint32_t metric = 0;
  bool down = false;  // leaked from above: a router never leaks it up again
  bool external = false;
  bool external_metric = false;  // counts after all internal metrics
  std::optional<uint32_t> segment_index;

  friend bool operator==(const AdvertisedPrefix& a, const AdvertisedPrefix& b) {
    return std::tie(a.prefix, a.topology, a.metric, a.down, a.external, a.external_metric, a.segment_index) ==
           std::tie(b.prefix, b.topology, b.metric, b.down, b.external, b.external_metric, b.segment_index);
  }
};

// What else it says, for people: nothing that ways are computed from.
struct AdvertisedFact {
  std::string what;  // "nickname", "interested_vlans", "segment_routing", ...
  std::string text;
  TopologyNumber topology = 0;

  friend bool operator==(const AdvertisedFact& a, const AdvertisedFact& b) {
    return a.what == b.what && a.text == b.text && a.topology == b.topology;
  }
};

struct AdvertisementKey {
  uint8_t level = 2;  // IS-IS: 1 or 2. OSPF: 1 for areas, 2 for the backbone
  NodeKey origin;
  uint8_t fragment = 0;

  friend bool operator==(const AdvertisementKey& a, const AdvertisementKey& b) {
    return a.level == b.level && a.origin == b.origin && a.fragment == b.fragment;
  }
  friend bool operator<(const AdvertisementKey& a, const AdvertisementKey& b) {
    return std::tie(a.level, a.origin, a.fragment) < std::tie(b.level, b.origin, b.fragment);
  }
  template <typename H>
  friend H AbslHashValue(H h, const AdvertisementKey& k) {
    return H::combine(std::move(h), k.level, k.origin, k.fragment);
  }
};

struct TopologyFlags {
  TopologyNumber topology = 0;
  bool overload = false, attached = false;

  friend bool operator==(const TopologyFlags& a, const TopologyFlags& b) {
    return a.topology == b.topology && a.overload == b.overload && a.attached == b.attached;
  }
};

struct Advertisement {
  AdvertisementKey key;
  uint32_t sequence = 0;                    // of the protocol, for people
  bool overload = false, attached = false;  // of the standard topology
  std::vector<TopologyFlags> topologies;    // of the others that the router takes part in
  std::string name;                         // host name; "" if not said
  std::optional<base::IpAddress> router_id, router_id_v6;
  std::vector<std::string> areas;
  std::vector<base::IpAddress> addresses;  // of its interfaces
  std::vector<AdvertisedLink> links;
  std::vector<AdvertisedPrefix> prefixes;
  std::vector<AdvertisedFact> facts;
};

// What says the same of the graph: nodes, links and their flags.
bool SameGraph(const Advertisement& a, const Advertisement& b);
// The same but for the sequence number.
bool SameContent(const Advertisement& a, const Advertisement& b);
// What it takes in memory, with what it owns.
size_t OctetsOf(const Advertisement& advertisement);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_ADVERTISEMENT_H_
