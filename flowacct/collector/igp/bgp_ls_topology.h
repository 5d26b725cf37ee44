// The objects of BGP-LS, put together into what each router says: advertisements for a link-state database.
//
//     BgpLsTopology topology;
//     topology.Announce(nlri, attribute, source);  topology.Withdraw(nlri, source);  topology.WithdrawAll(source);
//     topology.TakeChanges([&](const topology::Advertisement& a) { ... }, [&](const topology::AdvertisementKey& gone) {
//     ... });
//
// Standard: RFC 9552. IS-IS keeps its levels. OSPF's backbone is level 2, all its other areas are level 1; OSPFv3 is
// the topology of IPv6 (number 2, as RFC 5120's). What a router says of one level is one advertisement, its areas too.
// Objects of other protocols (direct, static, BGP) are counted and
// left, as are those of VPNs but the one that is asked for. Several instances (the NLRI's Identifier) of one style of
// nodes are one topology, unless one is asked for; of the first style that comes, the objects of the other are counted
// and left.
// Sources: whoever tells objects, sessions with several route reflectors for example. An object is what its NLRI's
// octets say, whoever tells it. It is there as long as one source tells it, and is what was said last, where saying the
// same again is not news: a reflector that repeats what is outdated changes nothing. If the source whose word counts
// withdraws it, the word of the one before counts again.
// Nothing is made up: a router's link without an IGP metric, as after "attribute discard", is counted and left out.
// Ownership: values. Threads: one at a time. Errors: none; beyond the bounds an object is counted and left. Cost: an
// object takes its NLRI and, of each source, what was said; a change makes its router's advertisement anew.
// bgp_ls_benchmark measures.

#ifndef FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_
#define FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "flowacct/bgp/link_state.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::collector {

struct BgpLsOptions {
  // Each as often as sources tell it. 10,000 routers with 40,000 links in two topologies and as many prefixes are some
  // 300,000.
  size_t max_objects = 2'000'000;
  // None: that of the first object.
  std::optional<topology::NodeStyle> style;
  // Whose network it is: 0 of SAFI 71, else the VPN's of that route distinguisher (SAFI 72).
  uint64_t rd = 0;
  // Of the IGP, the NLRI's Identifier. None: all.
  std::optional<uint64_t> instance;
};

struct BgpLsCounters {
  uint64_t announced = 0, withdrawn = 0;
  // Left, as the options say or because a topology has no place for them.
  uint64_t other_protocol = 0, other_style = 0, other_vpn = 0, other_instance = 0, no_router = 0, no_metric = 0;
  uint64_t beyond_bound = 0;
};

// Who tells, by number.
using BgpLsSource = uint32_t;

class BgpLsTopology {
 public:
  explicit BgpLsTopology(BgpLsOptions options = {}) : options_(options), style_(options.style) {}

  void Announce(const bgp::LinkStateNlri& nlri, const bgp::LinkStateAttribute& attribute, BgpLsSource source = 0);
  void Withdraw(const bgp::LinkStateNlri& nlri, BgpLsSource source = 0);
  // All that the source tells. Goes through all objects, unless there are none of it.
  void WithdrawAll(BgpLsSource source);

  // Of routers that changed since the last time, in the order of their keys, at most `max` of them. True: more wait.
  bool TakeChanges(absl::FunctionRef<void(const topology::Advertisement& changed)> changed,
                   absl::FunctionRef<void(const topology::AdvertisementKey& gone)> gone, size_t max = SIZE_MAX);

  // None: nothing came yet.
  std::optional<topology::NodeStyle> style() const { return style_; }
  size_t objects() const { return objects_; }
  // Objects, each as often as it is told.
  size_t tellings() const { return tellings_; }
  size_t objects_of(BgpLsSource source) const {
    const auto found = of_source_.find(source);
    return found == of_source_.end() ? 0 : found->second;
  }
  size_t routers() const { return routers_.size(); }
  size_t waiting() const { return changed_.size(); }  // routers that TakeChanges would tell of
  const BgpLsCounters& counters() const { return counters_; }

 private:
  // What sources say of one object, the newest word at the end: that counts.
  template <typename T>
  using Words = absl::InlinedVector<std::pair<BgpLsSource, T>, 1>;
  // By their NLRI, so that one replaces itself and the order is always the same.
  template <typename T>
  using Objects = std::map<std::string, Words<T>>;

  // What one router says in one level.
  struct Router {
    Objects<topology::Advertisement> nodes;  // all but links and prefixes
    Objects<topology::AdvertisedLink> links;
    Objects<topology::AdvertisedPrefix> prefixes;
    bool empty() const { return nodes.empty() && links.empty() && prefixes.empty(); }
  };

  // Whose object it is; none if it is none of ours. `is_new`: it may be the first of its style.
  std::optional<topology::AdvertisementKey> KeyOf(const bgp::LinkStateNlri& nlri, bool is_new);
  template <typename T>
  void Put(const topology::AdvertisementKey& key, Objects<T> Router::*objects, std::string name, BgpLsSource source,
           T value);
  void Erase(const topology::AdvertisementKey& key, const bgp::LinkStateNlri& nlri, BgpLsSource source);
  // True: that was its last word.
  template <typename T>
  bool EraseWord(Words<T>* words, BgpLsSource source, const topology::AdvertisementKey& key);
  template <typename T>
  void EraseAll(Objects<T>* objects, BgpLsSource source, const topology::AdvertisementKey& key);
  void Counted(BgpLsSource source, bool more);

  const BgpLsOptions options_;
  std::optional<topology::NodeStyle> style_;
  std::map<topology::AdvertisementKey, Router> routers_;
  std::set<topology::AdvertisementKey> changed_;
  absl::flat_hash_map<BgpLsSource, size_t> of_source_;
  size_t objects_ = 0, tellings_ = 0;
  BgpLsCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_BGP_LS_TOPOLOGY_H_
