#include "flowacct/collector/looking_glass/looking_glass.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/looking_glass/route_filter.h"
#include "flowacct/collector/routing/route_walk.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kListColumns[] = {FLOWACCT_ROUTE_COLUMNS, "rd"};

std::string Whole(JsonRows rows, uint64_t all) {
  const bool told = all > rows.rows();
  return absl::StrCat("{", std::move(rows).Finish(), told ? absl::StrCat(",\"groups\":", all) : "", "}\n");
}

void AppendDistinguisher(uint64_t rd, JsonRows* rows) {
  rd != 0 ? rows->Text(bgp::RouteDistinguisherText(rd)) : rows->Absent();
}

// Takes routes one by one, and keeps rows of those that are asked for.
class Lister {
 public:
  Lister(RouteFilter filter, size_t limit) : filter_(std::move(filter)), limit_(limit), rows_(kListColumns) {}

  const RouteFilter& filter() const { return filter_; }
  void Take(const rib::PeerKey& peer, uint64_t rd, const base::IpPrefix& prefix, const rib::RouteView& route) {
    if (!filter_.WantsPrefix(prefix) || !filter_.WantsAttributes(bgp::AttributeSetView(route.octets))) return;
    if (++all_ > limit_ && limit_ != 0) return;
    AppendRoute(peer, prefix, route, &rows_);
    AppendDistinguisher(rd, &rows_);
  }
  std::string Finish() && { return Whole(std::move(rows_), all_); }

 private:
  const RouteFilter filter_;
  const size_t limit_;
  JsonRows rows_;
  uint64_t all_ = 0;
};

std::vector<std::pair<uint64_t, rib::TableId>> TablesOf(const PeerBook::Peer& peer) {
  std::vector<std::pair<uint64_t, rib::TableId>> tables(peer.distinguished().begin(), peer.distinguished().end());
  std::sort(tables.begin(), tables.end());
  return tables;
}

// A route of a table at rest.
struct Placed {
  base::IpPrefix prefix;
  uint32_t path_id = 0;
  rib::RouteView route;

  std::tuple<const base::IpPrefix&, uint32_t> place() const { return {prefix, path_id}; }
};

using Vrf = std::pair<uint64_t, bool>;  // route distinguisher; IPv6

std::map<Vrf, std::vector<Placed>> RoutesOf(PeerBook& book, const PeerBook::Peer* peer, const RouteFilter& filter) {
  std::map<Vrf, std::vector<Placed>> routes;
  if (peer == nullptr) return routes;
  const rib::RibReader reader(&book.rib());
  for (const auto& [rd, table] : TablesOf(*peer)) {
    if (!filter.WantsDistinguisher(rd)) continue;
    for (const bool v6 : {false, true}) {
      std::vector<Placed>& placed = routes[{rd, v6}];
      reader.Walk(table, v6, nullptr, [&](const base::IpPrefix& prefix, const rib::RouteView& route, bool) {
        if (filter.WantsPrefix(prefix)) placed.push_back({prefix, route.path_id, route});
        return true;
      });
      std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.place() < b.place(); });
    }
  }
  return routes;
}

// The names of the attributes in which two sets differ.
std::string Differences(base::Octets before, base::Octets after) {
  std::map<uint8_t, std::pair<base::Octets, base::Octets>> values;
  bgp::AttributeSetView(before).ForEach([&](uint8_t code, base::Octets value) { values[code].first = value; });
  bgp::AttributeSetView(after).ForEach([&](uint8_t code, base::Octets value) { values[code].second = value; });
  std::vector<std::string> names;
  for (const auto& [code, value] : values) {
    // An attribute that is there without octets (ATOMIC_AGGREGATE) differs by its data pointer alone.
    if (value.first == value.second && (value.first.data() == nullptr) == (value.second.data() == nullptr)) continue;
    const bgp::AttributeRow* row = bgp::FindAttribute(code);
    names.push_back(row != nullptr ? std::string(row->name) : absl::StrCat("attribute ", int{code}));
  }
  return absl::StrJoin(names, ",");
}

}  // namespace

std::string ListPeers(PeerBook& book) {
  constexpr absl::string_view kColumns[] = {"peer", "as", "router_id", "ipv4", "ipv6", "tables", "refused"};
  JsonRows rows(kColumns);
  for (const PeerBook::Peer* peer : book.Peers()) {
    const RoutingPeer told = book.Tell(*peer);
    rows.Row();
    rows.Text(told.address.ToString());
    rows.Number(uint64_t{told.as});
    told.bgp_identifier != 0 ? rows.Text(base::IpAddress::V4(told.bgp_identifier).ToString()) : rows.Absent();
    rows.Number(told.v4.paths);
    rows.Number(told.v6.paths);
    rows.Number(uint64_t{told.tables});
    rows.Number(told.refused_routes + told.v4.refused + told.v6.refused);
  }
  return Whole(std::move(rows), 0);
}

absl::StatusOr<std::string> LookUpRoutes(PeerBook& book, const RoutesQuestion& question) {
  const auto address = base::IpAddress::Parse(question.address);
  if (!address) {
    return absl::InvalidArgumentError(
        absl::StrCat("address: \"", question.address, "\" is no address; such as 192.0.2.1 or 2001:db8::1"));
  }
  const auto exporter =
      question.exporter.empty() ? std::make_optional(base::IpAddress()) : base::IpAddress::Parse(question.exporter);
  if (!exporter) {
    return absl::InvalidArgumentError(
        absl::StrCat("exporter: \"", question.exporter, "\" is no address; such as 192.0.2.1"));
  }
  uint64_t rd = 0;
  if (!question.rd.empty()) {
    const auto parsed = ParseRouteDistinguisher(question.rd);
    if (!parsed.ok()) return parsed.status();
    rd = *parsed;
  }
  constexpr absl::string_view kColumns[] = {FLOWACCT_ROUTE_COLUMNS};
  JsonRows rows(kColumns);
  const rib::RibReader reader(&book.rib());
  for (const PeerBook::Peer* peer : book.Peers()) {
    if (!question.exporter.empty() && peer->router() != *exporter &&
        base::IpAddress::V4(peer->router_identifier()) != *exporter) {
      continue;
    }
    const auto found = book.rib().FindTable(peer->id, rd);
    if (!found) continue;
    const rib::RouteView route = reader.Find(*found, *address);
    if (route.found()) AppendRoute(peer->key, base::IpPrefix(*address, route.length), route, &rows);
  }
  return Whole(std::move(rows), 0);
}

absl::StatusOr<std::string> ListRoutes(PeerBook& book, const RouteListQuestion& question) {
  auto filter = RouteFilter::Of(question);
  if (!filter.ok()) return filter.status();
  Lister lister(*std::move(filter), question.limit);
  const std::optional<base::IpPrefix> from = lister.filter().from();
  const rib::RibReader reader(&book.rib());
  for (const PeerBook::Peer* peer : book.Peers()) {
    if (!lister.filter().WantsPeer(peer->key.address, peer->key.bgp_identifier)) continue;
    for (const auto& table : TablesOf(*peer)) {
      if (!lister.filter().WantsDistinguisher(table.first)) continue;
      for (const bool v6 : {false, true}) {
        if (!lister.filter().WantsFamily(v6)) continue;
        reader.Walk(table.second, v6, from ? &*from : nullptr,
                    [&](const base::IpPrefix& prefix, const rib::RouteView& route, bool) {
                      lister.Take(peer->key, table.first, prefix, route);
                      return lister.filter().MayFollow(prefix);
                    });
      }
    }
  }
  return std::move(lister).Finish();
}

absl::StatusOr<std::string> ListRoutes(RoutingEngine& engine, const RouteListQuestion& question) {
  auto filter = RouteFilter::Of(question);
  if (!filter.ok()) return filter.status();
  Lister lister(*std::move(filter), question.limit);
  const std::optional<base::IpPrefix> from = lister.filter().from();
  auto peers = ListTables(engine);
  if (!peers.ok()) return peers.status();
  for (const WalkedPeer& peer : *peers) {
    if (!lister.filter().WantsPeer(peer.key.address, peer.key.bgp_identifier)) continue;
    for (const auto& table : peer.tables) {
      if (!lister.filter().WantsDistinguisher(table.first)) continue;
      for (const bool v6 : {false, true}) {
        if (!lister.filter().WantsFamily(v6)) continue;
        const absl::Status status = WalkTable(
            engine, table.second, v6,
            [&](const base::IpPrefix& prefix, const rib::RouteView& route, bool) {
              lister.Take(peer.key, table.first, prefix, route);
              return lister.filter().MayFollow(prefix);
            },
            nullptr, from ? &*from : nullptr);
        if (!status.ok()) return status;
      }
    }
  }
  return std::move(lister).Finish();
}

absl::StatusOr<RouteDifferences> CompareRoutes(PeerBook& before, PeerBook& after, const RouteListQuestion& question) {
  const auto filter = RouteFilter::Of(question);
  if (!filter.ok()) return filter.status();
  // Pairs of peers, in the order of the first table, then what only the second one has.
  const std::vector<PeerBook::Peer*> first = before.Peers(), second = after.Peers();
  std::vector<std::pair<const PeerBook::Peer*, const PeerBook::Peer*>> pairs;
  std::vector<bool> paired(second.size());
  for (const PeerBook::Peer* peer : first) {
    size_t same = second.size();
    for (size_t i = 0; i < second.size(); ++i) {
      const rib::PeerKey &a = peer->key, &b = second[i]->key;
      if (paired[i] || a.address != b.address || a.as != b.as) continue;
      if (a.bgp_identifier == b.bgp_identifier) {
        same = i;
        break;
      }
      if ((a.bgp_identifier == 0 || b.bgp_identifier == 0) && same == second.size()) same = i;
    }
    if (same != second.size()) paired[same] = true;
    pairs.emplace_back(peer, same == second.size() ? nullptr : second[same]);
  }
  for (size_t i = 0; i < second.size(); ++i) {
    if (!paired[i]) pairs.emplace_back(nullptr, second[i]);
  }

  constexpr absl::string_view kColumns[] = {"change",  "prefix",          "peer",
                                            "rd",      "path_id",         FLOWACCT_ATTRIBUTE_COLUMNS,
                                            "differs", "before_next_hop", "before_as_path"};
  JsonRows rows(kColumns);
  RouteDifferences differences;
  uint64_t all = 0;
  for (const auto& [a, b] : pairs) {
    const rib::PeerKey& key = (a != nullptr ? a : b)->key;
    if (!filter->WantsPeer(key.address, key.bgp_identifier)) continue;
    const auto before_routes = RoutesOf(before, a, *filter), after_routes = RoutesOf(after, b, *filter);
    std::map<Vrf, std::pair<const std::vector<Placed>*, const std::vector<Placed>*>> vrfs;
    for (const auto& [vrf, placed] : before_routes) vrfs[vrf].first = &placed;
    for (const auto& [vrf, placed] : after_routes) vrfs[vrf].second = &placed;
    RouteDifferences of_peer;
    const std::vector<Placed> none;
    for (const auto& [vrf, lists] : vrfs) {
      const std::vector<Placed>& old_list = lists.first != nullptr ? *lists.first : none;
      const std::vector<Placed>& new_list = lists.second != nullptr ? *lists.second : none;
      size_t i = 0, j = 0;
      while (i < old_list.size() || j < new_list.size()) {
        const bool has_old =
            j == new_list.size() || (i < old_list.size() && old_list[i].place() <= new_list[j].place());
        const bool has_new =
            i == old_list.size() || (j < new_list.size() && new_list[j].place() <= old_list[i].place());
        const Placed* old_route = has_old ? &old_list[i++] : nullptr;
        const Placed* new_route = has_new ? &new_list[j++] : nullptr;
        const bgp::AttributeSetView old_set(has_old ? old_route->route.octets : base::Octets());
        const bgp::AttributeSetView new_set(has_new ? new_route->route.octets : base::Octets());
        if (!(has_old && filter->WantsAttributes(old_set)) && !(has_new && filter->WantsAttributes(new_set))) continue;
        if (has_old && has_new && old_set.octets() == new_set.octets() &&
            old_route->route.label == new_route->route.label) {
          ++of_peer.same;
          continue;
        }
        ++(has_old && has_new ? of_peer.changed : has_new ? of_peer.added : of_peer.withdrawn);
        if (++all > question.limit && question.limit != 0) continue;
        const Placed& told = has_new ? *new_route : *old_route;
        rows.Row();
        rows.Text(has_old && has_new ? "changed" : has_new ? "added" : "withdrawn");
        rows.Text(told.prefix.ToString());
        rows.Text(key.address.ToString());
        AppendDistinguisher(vrf.first, &rows);
        told.path_id != 0 ? rows.Number(uint64_t{told.path_id}) : rows.Absent();
        AppendAttributes(has_new ? new_set : old_set, &rows);
        if (!has_old || !has_new) {
          for (int absent = 0; absent < 3; ++absent) rows.Absent();
          continue;
        }
        std::string names = Differences(old_set.octets(), new_set.octets());
        if (old_route->route.label != new_route->route.label)
          absl::StrAppend(&names, names.empty() ? "" : ",", "label");
        rows.Text(names);
        const auto next_hop = old_set.next_hop();
        next_hop ? rows.Text(next_hop->ToString()) : rows.Absent();
        rows.Octets(record::FieldType::kAsPath, old_set.as_path().octets());
      }
    }
    differences.added += of_peer.added;
    differences.withdrawn += of_peer.withdrawn;
    differences.changed += of_peer.changed;
    differences.same += of_peer.same;
    if (of_peer.added + of_peer.withdrawn + of_peer.changed == 0) continue;
    differences.summary.push_back(absl::StrCat(key.address.ToString(), " AS ", key.as, ": ", WithCommas(of_peer.added),
                                               " added, ", WithCommas(of_peer.withdrawn), " withdrawn, ",
                                               WithCommas(of_peer.changed), " changed, ", WithCommas(of_peer.same),
                                               " the same",
                                               a == nullptr   ? "; the peer is new"
                                               : b == nullptr ? "; the peer is gone"
                                                              : ""));
  }
  differences.summary.push_back(absl::StrCat(
      "all: ", WithCommas(differences.added), " added, ", WithCommas(differences.withdrawn), " withdrawn, ",
      WithCommas(differences.changed), " changed, ", WithCommas(differences.same), " the same"));
  differences.json = Whole(std::move(rows), all);
  return differences;
}

}  // namespace flowacct::collector
