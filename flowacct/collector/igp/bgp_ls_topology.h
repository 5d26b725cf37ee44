// The objects of BGP-LS, put together into what each router says: advertisements for a link-state database.
//
//     BgpLsTopology topology;
//     topology.Announce(nlri, attribute);  topology.Withdraw(nlri);
//     topology.TakeChanges([&](const topology::Advertisement& a) { ... }, [&](const topology::AdvertisementKey& gone) {
//     ... });
//
// Standard: RFC 9552. IS-IS keeps its levels. OSPF's backbone is level 2, all its other areas are level 1, and each
// area of a router is a fragment of what it says. Objects of other protocols (direct, static, BGP) are counted and
// left. Several instances (the NLRI's Identifier) of one style of nodes are one topology; of the first style that
// comes, the objects of the other are counted and left. Ownership: values. Threads: one at a time. Errors: none; beyond
// the bounds an object is counted and left. Cost: an object takes some 300 octets; a change makes its router's
// advertisement anew.

#ifndef FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_
#define FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "flowacct/bgp/link_state.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::collector {

struct BgpLsOptions {
  // 10,000 routers with 40,000 links in two topologies and as many prefixes are some 300,000.
  size_t max_objects = 2'000'000;
  // None: that of the first object.
  std::optional<topology::NodeStyle> style;
};

struct BgpLsCounters {
  uint64_t announced = 0, withdrawn = 0;
  uint64_t other_protocol = 0, other_style = 0, no_router = 0, beyond_bound = 0;
};

class BgpLsTopology {
 public:
  explicit BgpLsTopology(BgpLsOptions options = {}) : options_(options), style_(options.style) {}

  void Announce(const bgp::LinkStateNlri& nlri, const bgp::LinkStateAttribute& attribute);
  void Withdraw(const bgp::LinkStateNlri& nlri);

  // Of routers that changed since the last time, in the order of their keys.
  void TakeChanges(absl::FunctionRef<void(const topology::Advertisement& changed)> changed,
                   absl::FunctionRef<void(const topology::AdvertisementKey& gone)> gone);

  // None: nothing came yet.
  std::optional<topology::NodeStyle> style() const { return style_; }
  size_t objects() const { return objects_; }
  const BgpLsCounters& counters() const { return counters_; }

 private:
  // What one router says in one area: objects by their NLRI, so that one replaces itself and the order is always the
  // same.
  struct Router {
    std::map<std::string, topology::Advertisement> nodes;  // all but links and prefixes
    std::map<std::string, topology::AdvertisedLink> links;
    std::map<std::string, topology::AdvertisedPrefix> prefixes;
    bool empty() const { return nodes.empty() && links.empty() && prefixes.empty(); }
  };

  // Whose object it is; none if it is none of ours.
  std::optional<topology::AdvertisementKey> KeyOf(const bgp::LinkStateNlri& nlri);
  std::optional<topology::NodeKey> NodeOf(const bgp::LinkStateNode& node) const;
  void Erase(const topology::AdvertisementKey& key, const std::string& name);

  const BgpLsOptions options_;
  std::optional<topology::NodeStyle> style_;
  std::map<uint32_t, uint8_t> areas_;  // of OSPF, to fragments
  std::map<topology::AdvertisementKey, Router> routers_;
  std::set<topology::AdvertisementKey> changed_;
  size_t objects_ = 0;
  BgpLsCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_
