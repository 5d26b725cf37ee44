#include "flowacct/topology/topology_state.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace flowacct::topology {
namespace {

const TopologyFlags* FlagsOf(const Advertisement& zero, TopologyNumber topology) {
  for (const TopologyFlags& flags : zero.topologies) {
    if (flags.topology == topology) return &flags;
  }
  return nullptr;
}

using Kind = TopologyDifference::Kind;

// A node as differences see it.
struct NodeFacts {
  std::string name;
  std::map<TopologyNumber, uint32_t> flags;
  std::multiset<std::tuple<TopologyNumber, NodeKey, uint32_t>> links;
  std::multiset<std::tuple<TopologyNumber, base::IpPrefix, uint32_t>> prefixes;
};
using NodePlace = std::pair<uint8_t, NodeKey>;

NodeFacts FactsOf(const Advertisement& zero, const TopologyState::Pointer* fragments, size_t count) {
  NodeFacts facts;
  const auto bits = [](bool overload, bool attached) { return uint32_t{overload} | uint32_t{attached} << 1; };
  facts.flags[0] = bits(zero.overload, zero.attached);
  for (const TopologyFlags& flags : zero.topologies) facts.flags[flags.topology] = bits(flags.overload, flags.attached);
  for (size_t i = 0; i < count; ++i) {
    const Advertisement& a = *fragments[i];
    if (facts.name.empty()) facts.name = a.name;
    for (const AdvertisedLink& link : a.links) facts.links.insert({link.topology, link.to, link.metric});
    for (const AdvertisedPrefix& p : a.prefixes) facts.prefixes.insert({p.topology, p.prefix, p.metric});
  }
  return facts;
}

// The nodes of which `state` says something that the other does not: fragments that both share are the same.
std::map<NodePlace, NodeFacts> FactsOfDifferent(const TopologyState& state, const std::set<NodePlace>& different) {
  std::map<NodePlace, NodeFacts> facts;
  for (const uint8_t level : {uint8_t{1}, uint8_t{2}}) {
    state.ForEachNode(level, [&](const Advertisement& zero, const TopologyState::Pointer* fragments, size_t count) {
      const NodePlace place{level, zero.key.origin};
      if (different.count(place) != 0) facts.emplace(place, FactsOf(zero, fragments, count));
    });
  }
  return facts;
}

std::set<NodePlace> DifferentNodes(const TopologyState& before, const TopologyState& after) {
  std::set<NodePlace> different;
  const auto add = [&](const TopologyState::Pointer& a) { different.insert({a->key.level, a->key.origin}); };
  auto b = before.advertisements().begin();
  auto a = after.advertisements().begin();
  const auto b_end = before.advertisements().end(), a_end = after.advertisements().end();
  while (b != b_end || a != a_end) {
    if (a == a_end || (b != b_end && (*b)->key < (*a)->key)) {
      add(*b++);
    } else if (b == b_end || (*a)->key < (*b)->key) {
      add(*a++);
    } else {
      if (*a != *b) add(*a);
      ++a, ++b;
    }
  }
  return different;
}

// What is gone and new of multisets of (topology, what, metric): of the same thing one gone and one new are a metric
// that changed. `tell` gets topology, thing, metric before and after; null: none.
template <typename Thing, typename Tell>
void TellMetrics(const std::multiset<std::tuple<TopologyNumber, Thing, uint32_t>>& before,
                 const std::multiset<std::tuple<TopologyNumber, Thing, uint32_t>>& after, const Tell& tell) {
  std::vector<std::tuple<TopologyNumber, Thing, uint32_t>> gone, fresh;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(gone));
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(fresh));
  size_t g = 0, f = 0;
  const auto key = [](const auto& t) { return std::make_pair(std::get<0>(t), std::get<1>(t)); };
  while (g < gone.size() || f < fresh.size()) {
    if (f == fresh.size() || (g < gone.size() && key(gone[g]) < key(fresh[f]))) {
      tell(std::get<0>(gone[g]), std::get<1>(gone[g]), &std::get<2>(gone[g]), nullptr);
      ++g;
    } else if (g == gone.size() || key(fresh[f]) < key(gone[g])) {
      tell(std::get<0>(fresh[f]), std::get<1>(fresh[f]), nullptr, &std::get<2>(fresh[f]));
      ++f;
    } else {
      tell(std::get<0>(gone[g]), std::get<1>(gone[g]), &std::get<2>(gone[g]), &std::get<2>(fresh[f]));
      ++g, ++f;
    }
  }
}

}  // namespace

const Advertisement* TopologyState::Find(const AdvertisementKey& key) const {
  const auto it = std::lower_bound(advertisements_.begin(), advertisements_.end(), key,
                                   [](const Pointer& a, const AdvertisementKey& k) { return a->key < k; });
  return it != advertisements_.end() && (*it)->key == key ? it->get() : nullptr;
}

std::string TopologyState::NameOf(NodeKey node) const {
  for (const uint8_t level : {uint8_t{2}, uint8_t{1}}) {
    auto it = std::lower_bound(advertisements_.begin(), advertisements_.end(), AdvertisementKey{level, node, 0},
                               [](const Pointer& a, const AdvertisementKey& k) { return a->key < k; });
    for (; it != advertisements_.end() && (*it)->key.level == level && (*it)->key.origin == node; ++it) {
      if (!(*it)->name.empty()) return (*it)->name;
    }
  }
  return "";
}

void TopologyState::ForEachNode(
    uint8_t level, absl::FunctionRef<void(const Advertisement& zero, const Pointer* fragments, size_t count)> f) const {
  const size_t size = advertisements_.size();
  for (size_t begin = 0; begin < size;) {
    const AdvertisementKey& key = advertisements_[begin]->key;
    size_t end = begin + 1;
    while (end < size && advertisements_[end]->key.origin == key.origin &&
           advertisements_[end]->key.level == key.level) {
      ++end;
    }
    if (key.level == level && key.fragment == 0) f(*advertisements_[begin], &advertisements_[begin], end - begin);
    begin = end;
  }
}

Graph TopologyState::GraphOf(uint8_t level, TopologyNumber topology) const {
  Graph::Builder builder(style_, level, topology);
  size_t nodes = 0, directions = 0;
  ForEachNode(level, [&](const Advertisement&, const Pointer* fragments, size_t count) {
    ++nodes;
    for (size_t i = 0; i < count; ++i) directions += fragments[i]->links.size();
  });
  builder.Reserve(nodes, directions);
  ForEachNode(level, [&](const Advertisement& zero, const Pointer* fragments, size_t count) {
    const NodeKey key = zero.key.origin;
    const bool pseudonode = IsPseudonode(style_, key);
    if (topology == 0 || pseudonode) {
      builder.AddNode(key, zero.overload, zero.attached);
    } else if (const TopologyFlags* flags = FlagsOf(zero, topology)) {
      builder.AddNode(key, flags->overload, flags->attached);
    } else {
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      for (const AdvertisedLink& link : fragments[i]->links) {
        if (link.topology != topology && !(pseudonode && link.topology == 0)) continue;
        builder.AddLink(
            key, link.to, link.metric,
            {link.local_address, link.remote_address, link.local_id, link.remote_id, link.bandwidth.value_or(0)});
      }
    }
  });
  return builder.Build();
}

absl::string_view TopologyDifferenceName(TopologyDifference::Kind kind) {
  static constexpr absl::string_view kNames[] = {
#define X(kind, text) text,
      FLOWACCT_TOPOLOGY_DIFFERENCES(X)
#undef X
  };
  return kNames[static_cast<size_t>(kind)];
}

std::vector<TopologyDifference> Differences(const TopologyState& before, const TopologyState& after) {
  const std::set<NodePlace> different = DifferentNodes(before, after);
  const std::map<NodePlace, NodeFacts> was = FactsOfDifferent(before, different);
  const std::map<NodePlace, NodeFacts> is = FactsOfDifferent(after, different);
  static const NodeFacts kNothing;
  std::vector<TopologyDifference> differences;
  for (const NodePlace& place : different) {
    const auto b = was.find(place), a = is.find(place);
    if (b == was.end() && a == is.end()) continue;  // no fragment 0 then nor now
    const NodeFacts& from = b == was.end() ? kNothing : b->second;
    const NodeFacts& to = a == is.end() ? kNothing : a->second;
    TopologyDifference d;
    d.level = place.first;
    d.node = place.second;
    if (b == was.end() || a == is.end()) {
      d.kind = b == was.end() ? Kind::kNodeNew : Kind::kNodeGone;
      d.name_before = from.name;
      d.name_after = to.name;
      differences.push_back(d);
    } else {
      if (from.name != to.name) {
        TopologyDifference name = d;
        name.kind = Kind::kNodeName;
        name.name_before = from.name;
        name.name_after = to.name;
        differences.push_back(name);
      }
      std::set<TopologyNumber> topologies;
      for (const auto& [topology, bits] : from.flags) topologies.insert(topology);
      for (const auto& [topology, bits] : to.flags) topologies.insert(topology);
      for (const TopologyNumber topology : topologies) {
        const auto flags_before = from.flags.find(topology), flags_after = to.flags.find(topology);
        d.kind = Kind::kNodeFlags;
        d.topology = topology;
        d.before = flags_before == from.flags.end() ? 0 : flags_before->second;
        d.after = flags_after == to.flags.end() ? 0 : flags_after->second;
        if (d.before != d.after) differences.push_back(d);
      }
    }
    const auto tell = [&](Kind fresh, Kind gone, Kind metric) {
      return [&, fresh, gone, metric](TopologyNumber topology, const auto& thing, const uint32_t* metric_before,
                                      const uint32_t* metric_after) {
        TopologyDifference x;
        x.kind = metric_before == nullptr ? fresh : metric_after == nullptr ? gone : metric;
        x.level = place.first;
        x.node = place.second;
        x.topology = topology;
        if constexpr (std::is_same_v<std::decay_t<decltype(thing)>, NodeKey>) {
          x.to = thing;
        } else {
          x.prefix = thing;
        }
        if (metric_before != nullptr) x.before = *metric_before;
        if (metric_after != nullptr) x.after = *metric_after;
        differences.push_back(x);
      };
    };
    TellMetrics(from.links, to.links, tell(Kind::kLinkNew, Kind::kLinkGone, Kind::kLinkMetric));
    TellMetrics(from.prefixes, to.prefixes, tell(Kind::kPrefixNew, Kind::kPrefixGone, Kind::kPrefixMetric));
  }
  return differences;
}

}  // namespace flowacct::topology
