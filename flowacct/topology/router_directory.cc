#include "flowacct/topology/router_directory.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace flowacct::topology {
namespace {

constexpr NodeKey kNobody = {~uint64_t{0}};
const base::IpAddress kUnspecified;

template <typename Map, typename Key>
void Put(Map* map, const Key& key, NodeKey node) {
  const auto [place, is_new] = map->try_emplace(key, node);
  if (!is_new && place->second != node) place->second = kNobody;
}

template <typename Map, typename Key>
std::optional<NodeKey> Get(const Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end() || found->second == kNobody) return std::nullopt;
  return found->second;
}

}  // namespace

RouterDirectory::RouterDirectory(const TopologyState& state) : style_(state.style()) {
  for (const TopologyState::Pointer& a : state.advertisements()) {
    const NodeKey key = a->key.origin;
    if (IsPseudonode(style_, key)) continue;
    nodes_.insert(key);
    if (!a->name.empty() && names_.try_emplace(key, a->name).second) {
      Put(&routers_, absl::AsciiStrToLower(a->name), key);
    }
    const auto put = [&](const base::IpAddress& address) {
      if (address != kUnspecified) Put(&addresses_, address, key);
    };
    if (a->router_id) put(*a->router_id);
    if (a->router_id_v6) put(*a->router_id_v6);
    for (const base::IpAddress& address : a->addresses) put(address);
    for (const AdvertisedLink& link : a->links) put(link.local_address);
  }
}

std::string RouterDirectory::Name(NodeKey node) const {
  const auto found = names_.find(node);
  if (found != names_.end()) return found->second;
  std::string text = NodeText(style_, node);
  if (style_ != NodeStyle::kIsis || !IsPseudonode(style_, node)) return text;
  // "ams1.02": the LAN that ams1 speaks for.
  const auto speaker = names_.find(RouterOf(style_, node));
  return speaker == names_.end() ? text : absl::StrCat(speaker->second, text.substr(text.rfind('.')));
}

std::string RouterDirectory::LinkName(const Graph& graph, LinkIndex link) const {
  const GraphLink& l = graph.link(link);
  return absl::StrCat(Name(graph.node(l.from).key), "-", Name(graph.node(l.to).key));
}

std::optional<NodeKey> RouterDirectory::FindAddress(const base::IpAddress& address) const {
  return Get(addresses_, address);
}

std::optional<NodeKey> RouterDirectory::Find(absl::string_view text) const {
  if (const auto found = Get(routers_, absl::AsciiStrToLower(text))) return found;
  if (const auto key = ParseNode(style_, text); key && nodes_.contains(*key)) return key;
  const auto address = base::IpAddress::Parse(text);
  return address ? FindAddress(*address) : std::nullopt;
}

bool RouterDirectory::Same(const Advertisement& a, const Advertisement& b) {
  if (a.name != b.name || a.router_id != b.router_id || a.router_id_v6 != b.router_id_v6 ||
      a.addresses != b.addresses || a.links.size() != b.links.size()) {
    return false;
  }
  for (size_t i = 0; i < a.links.size(); ++i) {
    if (a.links[i].local_address != b.links[i].local_address) return false;
  }
  return true;
}

}  // namespace flowacct::topology
