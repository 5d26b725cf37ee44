#include "flowacct/collector/igp/igp_glass.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/topology/all_alternates.h"
#include "flowacct/topology/protection.h"
#include "flowacct/topology/rate_text.h"
#include "flowacct/topology/remote_lfa.h"
#include "flowacct/topology/ti_lfa.h"

namespace flowacct::collector {
namespace {

using topology::Advertisement;
using topology::Graph;
using topology::LinkIndex;
using topology::NodeIndex;
using topology::NodeKey;

constexpr NodeKey kSeveral = {~uint64_t{0}};  // of a name that several routers have
// Ways of equal cost that are listed; networks have some thousand between far ends.
constexpr size_t kMaxWays = 64;
// Of routers whose paths are kept: each takes some megabytes in a network of 10,000.
constexpr size_t kMaxKeptPaths = 256;
const base::IpAddress kUnspecified;

std::string Whole(JsonRows rows, uint64_t groups) {
  return absl::StrCat("{", std::move(rows).Finish(), ",\"groups\":", groups, "}\n");
}
void TextOrAbsent(absl::string_view text, JsonRows* rows) { text.empty() ? rows->Absent() : rows->Text(text); }
void AddressOrAbsent(const base::IpAddress& address, JsonRows* rows) {
  TextOrAbsent(address == kUnspecified ? "" : address.ToString(), rows);
}

// Parts by whichever thread is free, this one among them; `go_on` is asked between its parts. False: it said no.
bool DoSideBySide(size_t parts, size_t threads, absl::FunctionRef<void(size_t thread, size_t part)> part,
                  absl::FunctionRef<bool(size_t done)> go_on) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  const auto work = [&](size_t thread) {
    for (size_t i; !stop && (i = next++) < parts;) {
      part(thread, i);
      if (thread == 0 && !go_on(std::min(next.load(), parts))) stop = true;
    }
  };
  // Where no thread can be had, those that there are do it all: std::thread would end the process.
  struct Other {
    pthread_t thread;
    const decltype(work)* does;
    size_t number;
  };
  std::vector<Other> others;
  others.reserve(std::min(threads, parts));
  for (size_t t = 1; t < std::min(threads, parts); ++t) {
    others.push_back({{}, &work, t});
    const auto run = [](void* other) -> void* {
      (*static_cast<const Other*>(other)->does)(static_cast<const Other*>(other)->number);
      return nullptr;
    };
    if (pthread_create(&others.back().thread, nullptr, run, &others.back()) != 0) {
      others.pop_back();
      break;
    }
  }
  work(0);
  for (const Other& other : others) pthread_join(other.thread, nullptr);
  return !stop;
}

}  // namespace

IgpGlass::IgpGlass(topology::TopologyState state, std::vector<topology::GroupMember> groups)
    : state_(std::move(state)), groups_(std::move(groups)), graphs_(topology::GraphsOf(state_)), directory_(state_) {
  reach_ = std::make_unique<topology::ReachTable>(&epochs_);
  reach_->Reset(state_);
  const auto known_as = [this](absl::string_view text, NodeKey key) {
    if (text.empty()) return;
    const auto [place, is_new] = routers_.try_emplace(absl::AsciiStrToLower(text), key);
    if (!is_new && place->second != key) place->second = kSeveral;
  };
  for (const auto& a : state_.advertisements()) {
    const NodeKey key = a->key.origin;
    if (topology::IsPseudonode(state_.style(), key)) continue;
    known_as(a->name, key);
    known_as(topology::NodeText(state_.style(), key), key);
    if (a->router_id) known_as(a->router_id->ToString(), key);
    if (a->router_id_v6) known_as(a->router_id_v6->ToString(), key);
    for (const base::IpAddress& address : a->addresses) known_as(address.ToString(), key);
    for (const topology::AdvertisedLink& link : a->links) {
      if (link.local_address != kUnspecified) known_as(link.local_address.ToString(), key);
    }
  }
}

const Graph& IgpGlass::GraphOf(const IgpPlane& plane) const {
  const uint8_t level = plane.level != 0 ? plane.level : graphs_.of(2, 0).node_count() > 0 ? 2 : 1;
  return graphs_.of(level, plane.topology);
}

std::string IgpGlass::Name(NodeKey key) const { return directory_.Name(key); }

absl::StatusOr<NodeKey> IgpGlass::Router(absl::string_view text) const {
  const auto found = routers_.find(absl::AsciiStrToLower(text));
  if (found != routers_.end() && found->second != kSeveral) return found->second;
  if (found != routers_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("several routers are \"", text, "\"; give an identifier instead"));
  }
  std::vector<absl::string_view> words;
  for (const auto& [name, key] : routers_) words.push_back(name);
  std::sort(words.begin(), words.end());
  const std::vector<std::string> near = base::NearestWords(absl::AsciiStrToLower(text), words);
  return absl::InvalidArgumentError(
      absl::StrCat("no router \"", text, "\"",
                   near.empty() ? "; 'flowacct igp lsdb' lists them"
                                : absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?")));
}

absl::StatusOr<NodeIndex> IgpGlass::RouterIn(const Graph& graph, absl::string_view text) const {
  const auto key = Router(text);
  if (!key.ok()) return key.status();
  const NodeIndex node = graph.Find(*key);
  if (node != topology::kNoIndex) return node;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no router of level ", graph.level(),
                   graph.topology() == 0 ? "" : absl::StrCat(", topology ", graph.topology())));
}

std::string IgpGlass::LinkName(const Graph& graph, LinkIndex link) const { return directory_.LinkName(graph, link); }

std::string IgpGlass::HopsText(const Graph& graph, absl::Span<const topology::FirstHop> hops) const {
  return absl::StrJoin(hops, " ", [&](std::string* out, const topology::FirstHop& hop) {
    absl::StrAppend(out, Name(graph.node(hop.router).key));
    const base::IpAddress& address = graph.detail(hop.link).remote_address;
    if (address != kUnspecified) absl::StrAppend(out, "@", address.ToString());
  });
}

std::shared_ptr<const topology::RouterPaths> IgpGlass::PathsOf(NodeKey root) {
  const auto known = paths_.find(root);
  if (known != paths_.end()) return known->second;
  if (paths_.size() >= kMaxKeptPaths) paths_.clear();
  return paths_[root] = std::make_shared<const topology::RouterPaths>(graphs_, root);
}

absl::StatusOr<std::string> IgpGlass::Database(absl::string_view router, const IgpPlane& plane) {
  if (router.empty()) {
    JsonRows rows(
        {"level", "router", "identifier", "fragment", "sequence", "flags", "router_id", "areas", "links", "prefixes"});
    uint64_t all = 0;
    for (const auto& a : state_.advertisements()) {
      if (plane.level != 0 && a->key.level != plane.level) continue;
      ++all;
      rows.Row();
      rows.Number(uint64_t{a->key.level});
      rows.Text(Name(a->key.origin));
      rows.Text(topology::NodeText(state_.style(), a->key.origin));
      rows.Number(uint64_t{a->key.fragment});
      a->sequence == 0 ? rows.Absent() : rows.Number(uint64_t{a->sequence});
      TextOrAbsent(a->overload && a->attached ? "overload attached"
                   : a->overload              ? "overload"
                   : a->attached              ? "attached"
                                              : "",
                   &rows);
      AddressOrAbsent(a->router_id.value_or(a->router_id_v6.value_or(kUnspecified)), &rows);
      TextOrAbsent(absl::StrJoin(a->areas, " "), &rows);
      rows.Number(uint64_t{a->links.size()});
      rows.Number(uint64_t{a->prefixes.size()});
    }
    return Whole(std::move(rows), all);
  }
  const auto key = Router(router);
  if (!key.ok()) return key.status();
  JsonRows rows({"level", "fragment", "what", "to", "topology", "metric", "local_address", "remote_address", "capacity",
                 "flags"});
  uint64_t all = 0;
  for (const auto& a : state_.advertisements()) {
    if (a->key.origin != *key || (plane.level != 0 && a->key.level != plane.level)) continue;
    const auto begin = [&](absl::string_view what, absl::string_view to, uint16_t number, uint32_t metric) {
      ++all;
      rows.Row();
      rows.Number(uint64_t{a->key.level});
      rows.Number(uint64_t{a->key.fragment});
      rows.Text(what);
      rows.Text(to);
      rows.Number(uint64_t{number});
      rows.Number(uint64_t{metric});
    };
    for (const topology::AdvertisedLink& link : a->links) {
      begin("link", Name(link.to), link.topology, link.metric);
      AddressOrAbsent(link.local_address, &rows);
      AddressOrAbsent(link.remote_address, &rows);
      TextOrAbsent(link.bandwidth ? topology::RateText(double{*link.bandwidth}) : "", &rows);
      rows.Absent();
    }
    for (const topology::AdvertisedPrefix& prefix : a->prefixes) {
      begin("prefix", prefix.prefix.ToString(), prefix.topology, prefix.metric);
      for (int i = 0; i < 3; ++i) rows.Absent();
      std::vector<absl::string_view> flags;
      if (prefix.down) flags.push_back("down");
      if (prefix.external) flags.push_back("external");
      if (prefix.external_metric) flags.push_back("external_metric");
      TextOrAbsent(absl::StrJoin(flags, " "), &rows);
    }
    for (const topology::AdvertisedFact& fact : a->facts) {
      ++all;
      rows.Row();
      rows.Number(uint64_t{a->key.level});
      rows.Number(uint64_t{a->key.fragment});
      rows.Text(fact.what);
      rows.Text(fact.text);
      rows.Number(uint64_t{fact.topology});
      for (int i = 0; i < 5; ++i) rows.Absent();
    }
  }
  return Whole(std::move(rows), all);
}

absl::StatusOr<std::string> IgpGlass::Routes(absl::string_view router, absl::string_view prefix) {
  const auto root = Router(router);
  if (!root.ok()) return root.status();
  const auto kept = PathsOf(*root);
  const topology::RouterPaths& paths = *kept;
  const topology::ReachReader reader(reach_.get());
  JsonRows rows({"prefix", "kind", "metric", "external_metric", "topology", "egress", "next_hops"});
  uint64_t all = 0;
  const auto add = [&](const base::IpPrefix& p, const topology::RouterRoute& route) {
    if (!route.found()) return;
    const Graph& graph = graphs_.of(route.level, route.topology);
    ++all;
    rows.Row();
    rows.Text(p.ToString());
    rows.Text(absl::StrCat(topology::RouteKindName(route.kind), route.attached ? " attached" : ""));
    rows.Number(uint64_t{route.metric});
    route.external_metric == 0 ? rows.Absent() : rows.Number(uint64_t{route.external_metric});
    rows.Number(uint64_t{route.topology});
    rows.Text(
        absl::StrJoin(route.egress, " ", [&](std::string* out, NodeIndex n) { *out += Name(graph.node(n).key); }));
    const std::vector<topology::FirstHop> hops = paths.FirstHopsOf(route);
    TextOrAbsent(HopsText(graph, hops), &rows);
  };
  if (!prefix.empty()) {
    if (const auto address = base::IpAddress::Parse(prefix)) {
      uint8_t length = 0;
      const topology::RouterRoute route = paths.Find(reader, *address, &length);
      add(base::IpPrefix(*address, length), route);
      return Whole(std::move(rows), all);
    }
    const auto wanted = base::IpPrefix::Parse(prefix);
    if (!wanted) return absl::InvalidArgumentError(absl::StrCat("\"", prefix, "\" is neither a prefix nor an address"));
    add(*wanted, paths.Choose(reader.FindPrefix(*wanted).candidates, !wanted->address().IsV4()));
    return Whole(std::move(rows), all);
  }
  std::set<base::IpPrefix> prefixes;
  for (const auto& a : state_.advertisements()) {
    for (const topology::AdvertisedPrefix& p : a->prefixes) prefixes.insert(p.prefix);
    if (a->attached && a->key.level == 1) {
      prefixes.insert(*base::IpPrefix::Parse("0.0.0.0/0"));
      prefixes.insert(*base::IpPrefix::Parse("::/0"));
    }
  }
  for (const base::IpPrefix& p : prefixes) add(p, paths.Choose(reader.FindPrefix(p).candidates, !p.address().IsV4()));
  return Whole(std::move(rows), all);
}

absl::StatusOr<std::string> IgpGlass::Paths(absl::string_view from, absl::string_view to, const IgpPlane& plane) {
  const auto begin = Router(from);
  if (!begin.ok()) return begin.status();
  JsonRows rows({"level", "way", "hop", "from", "to", "local_address", "remote_address", "metric", "distance"});
  uint64_t ways = 0;
  // One level's part of the way; false: there is none.
  const auto add = [&](const Graph& graph, NodeIndex root, NodeIndex end) {
    topology::ShortestPaths paths;
    paths.Compute(graph, root);
    for (const std::vector<LinkIndex>& way : topology::PathsTo(graph, paths, end, kMaxWays)) {
      ++ways;
      uint32_t distance = 0;
      for (size_t hop = 0; hop < way.size(); ++hop) {
        const topology::GraphLink& link = graph.link(way[hop]);
        distance += link.metric;
        rows.Row();
        rows.Number(uint64_t{graph.level()});
        rows.Number(ways);
        rows.Number(uint64_t{hop + 1});
        rows.Text(Name(graph.node(link.from).key));
        rows.Text(Name(graph.node(link.to).key));
        AddressOrAbsent(graph.detail(way[hop]).local_address, &rows);
        AddressOrAbsent(graph.detail(way[hop]).remote_address, &rows);
        rows.Number(uint64_t{link.metric});
        rows.Number(uint64_t{distance});
      }
    }
  };
  if (const auto key = Router(to); key.ok()) {
    if (*key == *begin) return absl::InvalidArgumentError(absl::StrCat("a way from ", from, " to itself has no links"));
    const Graph& graph = GraphOf(plane);
    const auto root = RouterIn(graph, from), end = RouterIn(graph, to);
    if (!root.ok()) return root.status();
    if (!end.ok()) return end.status();
    add(graph, *root, *end);
    return Whole(std::move(rows), rows.rows());
  }
  const auto address = base::IpAddress::Parse(to);
  if (!address) return Router(to).status();
  const topology::ReachReader reader(reach_.get());
  // Level by level: what an attached or leaking router advertises goes on from there.
  std::vector<NodeKey> roots = {*begin};
  std::set<NodeKey> seen(roots.begin(), roots.end());
  for (size_t i = 0; i < roots.size(); ++i) {
    uint8_t length;
    const topology::RouterRoute route = PathsOf(roots[i])->Find(reader, *address, &length);
    if (!route.found()) continue;
    const Graph& graph = graphs_.of(route.level, route.topology);
    for (const NodeIndex egress : route.egress) {
      const NodeKey key = graph.node(egress).key;
      if (key == roots[i]) continue;
      add(graph, graph.Find(roots[i]), egress);
      if (seen.insert(key).second) roots.push_back(key);
    }
  }
  return Whole(std::move(rows), rows.rows());
}

absl::StatusOr<std::string> IgpGlass::Spf(absl::string_view router, const IgpPlane& plane) {
  const Graph& graph = GraphOf(plane);
  const auto root = RouterIn(graph, router);
  if (!root.ok()) return root.status();
  const auto kept = PathsOf(graph.node(*root).key);
  const topology::RouterPaths& paths = *kept;
  const topology::ShortestPaths& tree = paths.paths(graph.level(), graph.topology());
  JsonRows rows({"node", "identifier", "distance", "first_hops", "flags"});
  for (const NodeIndex n : tree.order()) {
    rows.Row();
    rows.Text(Name(graph.node(n).key));
    rows.Text(topology::NodeText(state_.style(), graph.node(n).key));
    rows.Number(uint64_t{tree.distance(n)});
    TextOrAbsent(HopsText(graph, paths.first_hops(graph.level(), graph.topology(), n)), &rows);
    TextOrAbsent(graph.node(n).pseudonode ? "lan" : graph.node(n).overload ? "overload" : "", &rows);
  }
  const size_t reached = rows.rows();
  return Whole(std::move(rows), reached);
}

absl::StatusOr<std::string> IgpGlass::Coverage(const Graph& graph, const Progress& progress) const {
  std::vector<topology::Target> targets;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (!graph.node(n).pseudonode) targets.push_back({n, 0});
  }
  std::vector<topology::Destination> destinations;
  for (const topology::Target& target : targets) destinations.push_back(absl::MakeConstSpan(&target, 1));
  topology::AllAlternates all(graph, destinations);
  const size_t before = all.preparations() + all.parts(), steps = before + all.tunnel_parts();
  const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kAlternatesThreads);
  std::vector<std::vector<topology::Coverage>> sums(threads);
  std::vector<topology::AllAlternates::Tunnels> tunnels(threads);
  if (!DoSideBySide(
          all.preparations(), threads, [&](size_t, size_t part) { all.Prepare(part); },
          [&](size_t done) { return progress == nullptr || progress(done, steps); }) ||
      !DoSideBySide(
          all.parts(), threads,
          [&](size_t thread, size_t part) {
            sums[thread].resize(graph.node_count());
            all.Cover(part, absl::MakeSpan(sums[thread]));
          },
          [&](size_t done) { return progress == nullptr || progress(all.preparations() + done, steps); }) ||
      !DoSideBySide(
          all.tunnel_parts(), threads,
          [&](size_t thread, size_t part) {
            tunnels[thread].resize(all.adjacency_count());
            all.FindTunnels(part, &tunnels[thread]);
          },
          [&](size_t done) { return progress == nullptr || progress(before + done, steps); })) {
    return absl::CancelledError("interrupted");
  }
  tunnels[0].resize(all.adjacency_count());
  for (size_t t = 1; t < threads; ++t) topology::AllAlternates::Merge(tunnels[t], &tunnels[0]);
  // Where LFAs are not enough, a tunnel may protect all that goes by a link.
  JsonRows rows({"router", "pairs", "link", "node", "link_and_node", "none", "protected_percent", "links",
                 "links_with_remote_lfa"});
  for (const topology::Target& target : targets) {
    topology::Coverage c;
    for (const auto& sum : sums) {
      if (!sum.empty()) c += sum[target.node];
    }
    rows.Row();
    rows.Text(Name(graph.node(target.node).key));
    for (const uint64_t count : {c.pairs, c.link, c.node, c.link_and_node, c.none}) rows.Number(count);
    c.pairs == 0 ? rows.Absent() : rows.Number(100 * (c.pairs - c.none) / c.pairs);
    const uint32_t first = all.first_adjacency(target.node), last = all.first_adjacency(target.node + 1);
    rows.Number(uint64_t{last - first});
    rows.Number(static_cast<uint64_t>(
        std::count_if(tunnels[0].begin() + first, tunnels[0].begin() + last,
                      [](const topology::RemoteAlternate& t) { return t.node != topology::kNoIndex; })));
  }
  return Whole(std::move(rows), targets.size());
}

absl::StatusOr<std::string> IgpGlass::Alternates(absl::string_view router, const IgpPlane& plane,
                                                 const Progress& progress) {
  const Graph& graph = GraphOf(plane);
  if (router.empty()) return Coverage(graph, progress);
  topology::LoopFreeAlternates alternates;
  const auto root = RouterIn(graph, router);
  if (!root.ok()) return root.status();
  alternates.Compute(graph, *root);
  topology::RemoteAlternates remote;
  remote.Compute(graph, alternates);
  JsonRows rows({"destination", "distance", "primary", "alternate", "protects", "by", "distance_then", "segments"});
  const std::vector<topology::Adjacency>& adjacencies = alternates.adjacencies();
  for (size_t primary = 0; primary < adjacencies.size(); ++primary) {
    if (progress != nullptr && !progress(primary, adjacencies.size())) return absl::CancelledError("interrupted");
    topology::Failure failure(graph);
    failure.AddLink(adjacencies[primary].link);
    topology::PostConvergence after;
    after.Compute(graph, *root, failure);
    const auto tunnel = remote.Best(primary);
    for (NodeIndex n = 0; n < graph.node_count(); ++n) {
      if (n == *root || graph.node(n).pseudonode || !alternates.IsPrimary(primary, n)) continue;
      const topology::Target target = {n, 0};
      const topology::Destination destination = absl::MakeConstSpan(&target, 1);
      rows.Row();
      rows.Text(Name(graph.node(n).key));
      rows.Number(uint64_t{alternates.paths().distance(n)});
      rows.Text(Name(graph.node(adjacencies[primary].neighbor).key));
      const auto best = alternates.Best(primary, destination);
      if (best) {
        rows.Text(Name(graph.node(adjacencies[best->adjacency].neighbor).key));
        rows.Text(best->link && best->node ? "link node" : best->link ? "link" : "node");
        rows.Text(best->primary ? "equal_cost" : "lfa");
        rows.Number(uint64_t{best->distance});
      } else if (tunnel) {
        rows.Text(Name(graph.node(adjacencies[tunnel->adjacency].neighbor).key));
        rows.Text("link");
        rows.Text(absl::StrCat("remote_lfa ", Name(graph.node(tunnel->node).key)));
        rows.Number(uint64_t{tunnel->distance});
      } else {
        for (int i = 0; i < 4; ++i) rows.Absent();
      }
      const auto repair = after.To(n);
      if (!repair) {
        rows.Text("unreachable");
        continue;
      }
      TextOrAbsent(absl::StrJoin(repair->segments, " ",
                                 [&](std::string* out, const topology::Segment& segment) {
                                   absl::StrAppend(out, segment.kind == topology::Segment::Kind::kNode
                                                            ? Name(graph.node(segment.node).key)
                                                            : absl::StrCat("(", LinkName(graph, segment.link), ")"));
                                 }),
                   &rows);
    }
  }
  const size_t pairs = rows.rows();
  return Whole(std::move(rows), pairs);
}

std::string IgpGlass::Differences(const topology::TopologyState& before) const {
  JsonRows rows({"level", "what", "router", "topology", "to", "before", "after"});
  using Kind = topology::TopologyDifference::Kind;
  for (const topology::TopologyDifference& d : topology::Differences(before, state_)) {
    const auto name = [&](NodeKey key) {
      const std::string text = Name(key);
      const std::string old = before.NameOf(key);
      return text == topology::NodeText(state_.style(), key) && !old.empty() ? old : text;
    };
    rows.Row();
    rows.Number(uint64_t{d.level});
    rows.Text(topology::TopologyDifferenceName(d.kind));
    rows.Text(name(d.node));
    rows.Number(uint64_t{d.topology});
    const bool link = d.kind == Kind::kLinkNew || d.kind == Kind::kLinkGone || d.kind == Kind::kLinkMetric;
    const bool prefix = d.kind == Kind::kPrefixNew || d.kind == Kind::kPrefixGone || d.kind == Kind::kPrefixMetric;
    TextOrAbsent(link ? name(d.to) : prefix ? d.prefix.ToString() : "", &rows);
    const bool has_before = d.kind != Kind::kNodeNew && d.kind != Kind::kLinkNew && d.kind != Kind::kPrefixNew;
    const bool has_after = d.kind != Kind::kNodeGone && d.kind != Kind::kLinkGone && d.kind != Kind::kPrefixGone;
    const auto put = [&](bool has, uint32_t value, const std::string& text) {
      if (d.kind == Kind::kNodeName) {
        TextOrAbsent(text, &rows);
      } else if (d.kind == Kind::kNodeFlags) {
        TextOrAbsent(value == 0   ? "none"
                     : value == 1 ? "overload"
                     : value == 2 ? "attached"
                                  : "overload attached",
                     &rows);
      } else if ((link || prefix) && has) {
        rows.Number(uint64_t{value});
      } else {
        rows.Absent();
      }
    };
    put(has_before, d.before, d.name_before);
    put(has_after, d.after, d.name_after);
  }
  const size_t all = rows.rows();
  return Whole(std::move(rows), all);
}

}  // namespace flowacct::collector
