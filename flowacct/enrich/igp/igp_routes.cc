#include "flowacct/enrich/igp/igp_routes.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/topology/protection.h"

namespace flowacct::enrich {
namespace {

using topology::Graph;
using topology::LinkIndex;
using topology::NodeIndex;
using topology::ReachCandidate;
using topology::RouterRoute;

constexpr IgpValueMask kTextsOfWays = MaskOf(IgpValue::kPath) | MaskOf(IgpValue::kLinks) | MaskOf(IgpValue::kWays) |
                                      MaskOf(IgpValue::kShares) | MaskOf(IgpValue::kEgress) |
                                      MaskOf(IgpValue::kEgressId);
constexpr IgpValueMask kProtections = MaskOf(IgpValue::kProtection) | MaskOf(IgpValue::kAlternate);

const base::IpAddress kUnspecified;

size_t SetsOf(size_t entries, size_t ways) {
  size_t sets = 2;
  while (sets * ways < entries && sets < size_t{1} << 24) sets *= 2;
  return sets;
}

void Tell(IgpValue value, uint32_t number, IgpRoutes::Entry* entry) {
  entry->values[static_cast<size_t>(value)] = number;
  entry->told = static_cast<IgpValueMask>(entry->told | MaskOf(value));
}

// The address of the router that a first hop leads to, on the link there.
base::IpAddress AddressOf(const Graph& graph, const topology::FirstHop& hop) {
  const topology::GraphLink& link = graph.link(hop.link);
  if (link.to == hop.router) {
    const base::IpAddress& remote = graph.detail(hop.link).remote_address;
    if (remote != kUnspecified) return remote;
    return link.reverse == topology::kNoIndex ? kUnspecified : graph.detail(link.reverse).local_address;
  }
  // Behind a LAN: what the router calls its own end of it.
  const LinkIndex first = graph.first_link(hop.router);
  const size_t count = graph.links_of(hop.router).size();
  for (LinkIndex l = first; l < first + count; ++l) {
    if (graph.link(l).to == link.to) return graph.detail(l).local_address;
  }
  return kUnspecified;
}

}  // namespace

IgpRoutes::IgpRoutes(const topology::ReachReader& reach, size_t entries, size_t max_ways)
    : reach_(reach), max_ways_(std::max<size_t>(max_ways, 1)) {
  const size_t sets = SetsOf(entries, kWays);
  shift_ = 64 - static_cast<unsigned>(__builtin_ctzll(sets));
  keys_.assign(sets * kWays, 0);
  entries_.resize(sets * kWays);
}

void IgpRoutes::Forget() {
  std::fill(keys_.begin(), keys_.end(), 0);
  std::fill(std::begin(last_), std::end(last_), kNowhere);
  texts_.clear();
}

base::InternId IgpRoutes::NameOf(topology::NodeKey router, base::Interner& interner) {
  return interner.Intern(directory_->Name(router));
}

const IgpRoutes::Entry& IgpRoutes::Make(size_t slot, uint64_t key, const IgpRoot& root, uint32_t root_number,
                                        const topology::ReachView& view, const uint8_t* address,
                                        base::Interner& interner) {
  ++made_;
  if (slot == kNowhere) {
    const size_t set = SetOf(key);
    const size_t end = set + kWays;
    slot = set;
    while (slot < end && keys_[slot] != 0) ++slot;
    while (slot == end) {
      const size_t victim = set + victim_++ % kWays;
      if (std::find(std::begin(last_), std::end(last_), victim) == std::end(last_)) slot = victim;
    }
    keys_[slot] = key;
  }
  last_[turn_ = (turn_ + 1) % kKept] = slot;
  Entry& entry = entries_[slot];
  entry = Entry();
  entry.generation = root.generation;
  const Side side = (key & 1) != 0 ? Side::kDestination : Side::kSource;
  Fill(root, root_number, view, base::IpAddress::FromV6(address), side, &entry, interner);
  return entry;
}

void IgpRoutes::Fill(const IgpRoot& root, uint32_t root_number, topology::ReachView view,
                     const base::IpAddress& address, Side side, Entry* entry, base::Interner& interner) {
  const bool v4 = address.IsV4();
  RouterRoute route = root.paths->Choose(view.candidates, !v4);
  while (!route.found() && view.length > 0) {
    entry->version = version_;
    view = reach_.FindShorter(address, view.length);
    if (!view.found()) return;
    route = root.paths->Choose(view.candidates, !v4);
  }
  if (!route.found()) return;
  entry->length = view.length;
  const Graph& graph = root.paths->graphs().of(route.level, route.topology);
  const NodeIndex here = root.paths->paths(route.level, route.topology).root();
  const bool local = std::find(route.egress.begin(), route.egress.end(), here) != route.egress.end();
  entry->found = local ? Found::kLocal : Found::kOther;
  if (side == Side::kSource) {
    const absl::Span<const NodeIndex> all(route.egress.data(), route.egress.size());
    Tell(IgpValue::kEgress, NamesOf(graph, all, false, interner), entry);
    Tell(IgpValue::kEgressId, NamesOf(graph, all, true, interner), entry);
    return;
  }
  Tell(IgpValue::kLevel, route.level, entry);
  if ((wanted_ & MaskOf(IgpValue::kRoute)) != 0) {
    Tell(IgpValue::kRoute, interner.Intern(topology::RouteKindName(route.kind)), entry);
  }
  Tell(IgpValue::kMetric, route.metric, entry);
  if ((wanted_ & kTextsOfWays) != 0) {
    const WaysTexts texts = TextsOf(root, root_number, route, interner);
    const auto tell = [&](IgpValue value, base::InternId id) {
      if (id != base::Interner::kNone) Tell(value, id, entry);
    };
    tell(IgpValue::kEgress, texts.egress);
    tell(IgpValue::kEgressId, texts.egress_id);
    tell(IgpValue::kPath, texts.path);
    tell(IgpValue::kLinks, texts.links);
    tell(IgpValue::kShares, texts.shares);
    Tell(IgpValue::kWays, texts.count, entry);
  }
  if ((wanted_ & kIgpNextHop) != 0 && !local) TellNextHop(root, route, v4, entry);
  if ((wanted_ & kProtections) != 0) {
    if (local) {
      Tell(IgpValue::kProtection, interner.Intern("local"), entry);
    } else {
      TellProtection(root, route, view, entry, interner);
    }
  }
}

base::InternId IgpRoutes::NamesOf(const Graph& graph, absl::Span<const NodeIndex> nodes, bool identifiers,
                                  base::Interner& interner) {
  text_.clear();
  for (const NodeIndex n : nodes) {
    const topology::NodeKey key = graph.node(n).key;
    absl::StrAppend(&text_, text_.empty() ? "" : "|",
                    identifiers ? directory_->Identifier(key) : directory_->Name(key));
  }
  return interner.Intern(text_);
}

IgpRoutes::WaysTexts IgpRoutes::TextsOf(const IgpRoot& root, uint32_t root_number, const RouterRoute& route,
                                        base::Interner& interner) {
  if (route.egress.size() != 1) return MakeTexts(root, route, interner);
  const std::tuple<uint32_t, uint8_t, NodeIndex> key(
      root_number, static_cast<uint8_t>(topology::TopologyGraphs::PlaceOf(route.level, route.topology)),
      route.egress[0]);
  if (texts_.size() >= kMaxWaysTexts && texts_.count(key) == 0) texts_.clear();
  WaysTexts& known = texts_[key];
  if (known.generation != root.generation) known = MakeTexts(root, route, interner);
  return known;
}

IgpRoutes::WaysTexts IgpRoutes::MakeTexts(const IgpRoot& root, const RouterRoute& route, base::Interner& interner) {
  WaysTexts texts;
  texts.generation = root.generation;
  const Graph& graph = root.paths->graphs().of(route.level, route.topology);
  ways_.Find(graph, root.paths->paths(route.level, route.topology),
             absl::MakeConstSpan(route.egress.data(), route.egress.size()), max_ways_);
  texts.local = ways_.local();
  texts.count = static_cast<uint32_t>(std::min<uint64_t>(ways_.count(), std::numeric_limits<uint32_t>::max()));
  const auto wants = [this](IgpValue value) { return (wanted_ & MaskOf(value)) != 0; };
  if (wants(IgpValue::kEgress)) texts.egress = NamesOf(graph, ways_.egress(), false, interner);
  if (wants(IgpValue::kEgressId)) texts.egress_id = NamesOf(graph, ways_.egress(), true, interner);
  if (ways_.local()) {
    if (wants(IgpValue::kPath)) texts.path = NameOf(root.key, interner);
    if (wants(IgpValue::kShares)) texts.shares = interner.Intern("100");
    return texts;
  }
  if (wants(IgpValue::kPath)) {
    text_.clear();
    for (const topology::EqualWays::Way& way : ways_.ways()) {
      absl::StrAppend(&text_, text_.empty() ? "" : "|", directory_->Name(root.key));
      for (const LinkIndex l : way.links) {
        const topology::GraphNode& to = graph.node(graph.link(l).to);
        if (!to.pseudonode) absl::StrAppend(&text_, " ", directory_->Name(to.key));
      }
    }
    texts.path = interner.Intern(text_);
  }
  if (wants(IgpValue::kLinks)) {
    text_.clear();
    for (const topology::EqualWays::Way& way : ways_.ways()) {
      const char* between = text_.empty() ? "" : "|";
      for (const LinkIndex l : way.links) {
        absl::StrAppend(&text_, between, directory_->LinkName(graph, l));
        between = " ";
      }
    }
    texts.links = interner.Intern(text_);
  }
  if (wants(IgpValue::kShares)) {
    text_.clear();
    for (const topology::EqualWays::Way& way : ways_.ways()) {
      absl::StrAppend(&text_, text_.empty() ? "" : "|", topology::PercentOfOne(way.parts));
    }
    texts.shares = interner.Intern(text_);
  }
  return texts;
}

void IgpRoutes::TellNextHop(const IgpRoot& root, const RouterRoute& route, bool v4, Entry* entry) {
  const Graph& graph = root.paths->graphs().of(route.level, route.topology);
  for (const topology::FirstHop& hop : root.paths->FirstHopsOf(route)) {
    const base::IpAddress address = AddressOf(graph, hop);
    if (address == kUnspecified || address.IsV4() != v4) continue;
    std::memcpy(entry->next_hop, address.data(), base::IpAddress::kSize);
    entry->told = static_cast<IgpValueMask>(entry->told | kIgpNextHop);
    return;
  }
}

void IgpRoutes::TellProtection(const IgpRoot& root, const RouterRoute& route, const topology::ReachView& view,
                               Entry* entry, base::Interner& interner) {
  if (root.alternates == nullptr) return;
  const size_t place = topology::TopologyGraphs::PlaceOf(route.level, route.topology);
  const topology::LoopFreeAlternates* alternates = root.alternates->of_graph[place].get();
  if (alternates == nullptr) return;
  const Graph& graph = root.paths->graphs().of(route.level, route.topology);
  // Those who may take the route's place are of its kind (RFC 5286, 6.1).
  std::vector<topology::Target> targets;
  const bool external = route.kind >= topology::RouteKind::kLevel1External;
  for (const ReachCandidate& c : view.candidates) {
    if (c.level != route.level || c.topology != route.topology || topology::KindOf(c) != route.kind) continue;
    if (external && c.metric != route.external_metric) continue;
    const NodeIndex node = graph.Find(c.node);
    // Attached and advertised default routes mix where both are as near.
    const bool taken = std::find(route.egress.begin(), route.egress.end(), node) != route.egress.end();
    if (!taken && ((c.flags & ReachCandidate::kAttached) != 0) != route.attached) continue;
    if (node != topology::kNoIndex) targets.push_back({node, external ? 0 : c.metric});
  }
  bool link = true, node = true, any = false;
  std::vector<NodeIndex> neighbors;
  for (size_t a = 0; a < alternates->adjacencies().size(); ++a) {
    if (!alternates->IsPrimary(a, targets)) continue;
    any = true;
    const std::optional<topology::Alternate> best = alternates->Best(a, targets);
    link = link && best && best->link;
    node = node && best && best->node;
    if (!best) continue;
    const NodeIndex neighbor = alternates->adjacencies()[best->adjacency].neighbor;
    if (std::find(neighbors.begin(), neighbors.end(), neighbor) == neighbors.end()) neighbors.push_back(neighbor);
  }
  if (!any) return;
  Tell(IgpValue::kProtection,
       interner.Intern(link && node ? "link_and_node"
                       : link       ? "link"
                       : node       ? "node"
                                    : "none"),
       entry);
  if (!neighbors.empty()) Tell(IgpValue::kAlternate, NamesOf(graph, neighbors, false, interner), entry);
}

}  // namespace flowacct::enrich
