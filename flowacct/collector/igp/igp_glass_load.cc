// What of IgpGlass lays traffic on links.

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/igp/igp_glass.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/topology/draw.h"
#include "flowacct/topology/rate_text.h"
#include "flowacct/topology/what_if.h"

namespace flowacct::collector {

using topology::Demand;
using topology::Graph;
using topology::LinkIndex;
using topology::NodeIndex;
using topology::NodeKey;
using topology::TopologyGraphs;

namespace {

// Levels that a packet passes: down, up, and once more each.
constexpr int kMaxParts = 4;
const base::IpAddress kUnspecified;

std::string Whole(JsonRows rows, uint64_t groups) {
  return absl::StrCat("{", std::move(rows).Finish(), ",\"groups\":", groups, "}\n");
}

// Those of one way and label together, for one egress after the other.
void Merge(std::vector<Demand>* demands) {
  const auto key = [](const Demand& d) { return std::make_tuple(d.tag, d.to, d.from); };
  std::sort(demands->begin(), demands->end(), [&](const Demand& a, const Demand& b) { return key(a) < key(b); });
  size_t kept = 0;
  for (const Demand& demand : *demands) {
    if (kept > 0 && key((*demands)[kept - 1]) == key(demand)) {
      (*demands)[kept - 1].octets += demand.octets;
    } else {
      (*demands)[kept++] = demand;
    }
  }
  demands->resize(kept);
}

}  // namespace

// Parts of ways by level and topology: those that begin where the traffic came in, and those behind them.
struct IgpGlass::Laid {
  std::array<std::vector<Demand>, TopologyGraphs::kCount> first, onward;
  uint64_t laid = 0;         // octets of `first`
  uint64_t local = 0;        // went out where they came in
  uint64_t no_router = 0;    // came in at nobody that is known
  uint64_t no_route = 0;     // nobody advertises where to they went, or it is not reached
  uint64_t lost_onward = 0;  // of `laid`: found no way from one level to the next

  std::vector<Demand> All(size_t place) const {
    std::vector<Demand> all = first[place];
    all.insert(all.end(), onward[place].begin(), onward[place].end());
    Merge(&all);
    return all;
  }
  void Report(uint64_t octets, std::vector<std::string>* lines) const {
    lines->push_back(absl::StrCat(octets, " octets: ", laid, " on links, ", local, " out where they came in, ",
                                  no_router, " from no router that is known, ", no_route, " to where no route leads"));
    if (lost_onward > 0) lines->push_back(absl::StrCat(lost_onward, " octets found no way from one level to the next"));
  }
};

IgpGlass::Laid IgpGlass::Lay(const IgpDemands& demands) {
  Laid laid;
  const topology::ReachReader reader(reach_.get());
  // What a text is, looked up once.
  std::vector<std::optional<NodeKey>> routers(demands.texts.size());
  std::vector<std::optional<base::IpAddress>> addresses(demands.texts.size());
  for (size_t i = 0; i < demands.texts.size(); ++i) {
    if (const auto router = Router(demands.texts[i]); router.ok()) routers[i] = *router;
    addresses[i] = base::IpAddress::Parse(demands.texts[i]);
    if (const auto prefix = base::IpPrefix::Parse(demands.texts[i]); prefix && !addresses[i]) {
      addresses[i] = prefix->address();
    }
  }
  struct Work {
    NodeKey at;
    uint32_t to;
    uint32_t label;
    uint64_t octets;
  };
  std::vector<Work> work, next;
  for (const IgpDemand& demand : demands.demands) {
    if (!routers[demand.from]) {
      laid.no_router += demand.octets;
    } else {
      work.push_back({*routers[demand.from], demand.to, demand.label, demand.octets});
    }
  }
  for (int part = 0; part < kMaxParts && !work.empty(); ++part, work.swap(next)) {
    const bool is_first = part == 0;
    // One router after the other, so that its paths are computed once.
    std::sort(work.begin(), work.end(), [](const Work& a, const Work& b) { return a.at < b.at; });
    next.clear();
    for (const Work& w : work) {
      // A router is where to it went: by the level that both are in. An address may be a router's, too, and is then
      // where that router advertises it.
      uint8_t length;
      topology::RouterRoute route;
      if (addresses[w.to]) route = PathsOf(w.at)->Find(reader, *addresses[w.to], &length);
      if (!route.found() && routers[w.to]) {
        for (const uint8_t level : {1, 2}) {
          const Graph& graph = graphs_.of(level, 0);
          const NodeIndex from = graph.Find(w.at), to = graph.Find(*routers[w.to]);
          if (from == topology::kNoIndex || to == topology::kNoIndex) continue;
          if (from != to && !PathsOf(w.at)->paths(level, 0).reached(to)) continue;
          route.level = level;
          route.egress = {to};
          break;
        }
      }
      if (!route.found()) {
        (is_first ? laid.no_route : laid.lost_onward) += w.octets;
        continue;
      }
      const size_t place = TopologyGraphs::PlaceOf(route.level, route.topology);
      const Graph& graph = graphs_.of(route.level, route.topology);
      const NodeIndex from = graph.Find(w.at);
      const uint64_t ways = route.egress.size();
      for (size_t i = 0; i < ways; ++i) {
        const uint64_t octets = w.octets / ways + (i < w.octets % ways ? 1 : 0);
        const NodeIndex to = route.egress[i];
        if (to == from) {
          if (is_first) laid.local += octets;
          continue;
        }
        if (is_first) laid.laid += octets;
        (is_first ? laid.first : laid.onward)[place].push_back({from, to, octets, w.label});
        // It may be at home in the other level, and send it on there.
        const NodeKey key = graph.node(to).key;
        if (graphs_.of(1, 0).Find(key) != topology::kNoIndex && graphs_.of(2, 0).Find(key) != topology::kNoIndex) {
          next.push_back({key, w.to, w.label, octets});
        }
      }
    }
  }
  for (size_t place = 0; place < TopologyGraphs::kCount; ++place) {
    Merge(&laid.first[place]);
    Merge(&laid.onward[place]);
  }
  return laid;
}

absl::StatusOr<std::vector<LinkIndex>> IgpGlass::Links(const Graph& graph, absl::string_view text) const {
  absl::string_view ends = text;
  std::optional<base::IpAddress> address;
  if (const size_t at = text.rfind('@'); at != absl::string_view::npos) {
    address = base::IpAddress::Parse(text.substr(at + 1));
    if (!address) return absl::InvalidArgumentError(absl::StrCat(text, ": behind '@' stands an address"));
    ends = text.substr(0, at);
  }
  // Names may have hyphens, too: the one that has routers on both sides.
  std::optional<absl::string_view> unknown;  // where only one side is a router
  for (size_t hyphen = ends.find('-'); hyphen != absl::string_view::npos; hyphen = ends.find('-', hyphen + 1)) {
    const auto a = Node(ends.substr(0, hyphen)), b = Node(ends.substr(hyphen + 1));
    if (a.has_value() != b.has_value()) unknown = a ? ends.substr(hyphen + 1) : ends.substr(0, hyphen);
    if (!a || !b) continue;
    const NodeIndex from = graph.Find(*a), to = graph.Find(*b);
    if (from == topology::kNoIndex || to == topology::kNoIndex) continue;
    std::vector<LinkIndex> links;
    for (size_t i = 0; i < graph.links_of(from).size(); ++i) {
      const LinkIndex l = graph.first_link(from) + static_cast<LinkIndex>(i);
      if (graph.link(l).to != to) continue;
      if (address && graph.detail(l).local_address != *address && graph.detail(l).remote_address != *address) continue;
      links.push_back(l);
    }
    if (links.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(text, ": no link of level ", graph.level(), " between these"));
    }
    return links;
  }
  if (unknown) return absl::InvalidArgumentError(absl::StrCat(text, ": ", Router(*unknown).status().message()));
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no link; write A-B, with the names of two routers"));
}

std::optional<NodeKey> IgpGlass::Node(absl::string_view text) const {
  if (const auto router = Router(text); router.ok()) return *router;
  // A LAN: "ams1.02".
  for (const auto& graph : graphs_.graphs) {
    for (NodeIndex n = 0; n < graph->node_count(); ++n) {
      if (graph->node(n).pseudonode && absl::EqualsIgnoreCase(Name(graph->node(n).key), text))
        return graph->node(n).key;
    }
  }
  return std::nullopt;
}

absl::StatusOr<topology::Failure> IgpGlass::FailureOf(const Graph& graph,
                                                      const std::vector<std::string>& failures) const {
  topology::Failure failure(graph);
  for (const std::string& text : failures) {
    if (const auto node = Node(text); node && graph.Find(*node) != topology::kNoIndex) {
      failure.AddNode(graph.Find(*node));
      continue;
    }
    bool is_group = false;
    for (const topology::GroupMember& member : groups_) {
      if (member.group != text) continue;
      is_group = true;
      const NodeIndex from = graph.Find(member.from), to = graph.Find(member.to);
      if (from == topology::kNoIndex || to == topology::kNoIndex) continue;
      for (size_t i = 0; i < graph.links_of(from).size(); ++i) {
        const LinkIndex l = graph.first_link(from) + static_cast<LinkIndex>(i);
        if (graph.link(l).to == to &&
            (member.local_address == kUnspecified || graph.detail(l).local_address == member.local_address)) {
          failure.AddLink(l);
        }
      }
    }
    if (is_group) continue;
    const auto links = Links(graph, text);
    if (!links.ok()) {
      return text.find('-') == std::string::npos
                 ? absl::InvalidArgumentError(
                       absl::StrCat("--fail ", text, ": neither a router, a link A-B nor a group"))
                 : absl::InvalidArgumentError(absl::StrCat("--fail ", links.status().message()));
    }
    for (const LinkIndex l : *links) failure.AddLink(l);
  }
  return failure;
}

absl::StatusOr<std::vector<double>> IgpGlass::Capacities(const Graph& graph, const IgpLoadOptions& options) const {
  std::vector<double> capacities(graph.link_count());
  for (LinkIndex l = 0; l < graph.link_count(); ++l) capacities[l] = double{graph.detail(l).bandwidth};
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(options.capacities, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const auto error = [&](const auto&... what) {
      return absl::InvalidArgumentError(absl::StrCat(options.capacities_name, ":", number, ": ", what...));
    };
    const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t,"), absl::SkipEmpty());
    if (words.size() != 2) return error("a line is a link and its capacity: ams1-fra1 100G");
    const auto rate = topology::ParseRate(words[1]);
    if (!rate) return error("\"", words[1], "\" is no capacity in bits a second, such as 100G");
    const auto links = Links(graph, words[0]);
    if (!links.ok()) return error(links.status().message());
    for (const LinkIndex l : *links) {
      capacities[l] = *rate;
      if (graph.link(l).reverse != topology::kNoIndex) capacities[graph.link(l).reverse] = *rate;
    }
  }
  return capacities;
}

namespace {

void PutLink(const Graph& graph, LinkIndex l, const std::string& from, const std::string& to, JsonRows* rows) {
  rows->Row();
  rows->Number(uint64_t{graph.level()});
  rows->Text(from);
  rows->Text(to);
  const base::IpAddress& address = graph.detail(l).local_address;
  address == kUnspecified ? rows->Absent() : rows->Text(address.ToString());
  rows->Number(uint64_t{graph.link(l).metric});
}
void PutPercent(uint64_t octets, double capacity, double seconds, JsonRows* rows) {
  capacity <= 0 ? rows->Absent()
                : rows->Number(static_cast<uint64_t>(100 * static_cast<double>(octets) / seconds / capacity + 0.5));
}
void PutRate(double rate, JsonRows* rows) { rate <= 0 ? rows->Absent() : rows->Text(topology::RateText(rate)); }

}  // namespace

absl::StatusOr<std::string> IgpGlass::Traffic(const IgpDemands& demands, const IgpLoadOptions& options,
                                              std::vector<std::string>* report) {
  const Laid laid = Lay(demands);
  std::vector<absl::string_view> columns = {"level", "from", "to", "local_address", "metric"};
  const bool by_label = !demands.label_name.empty();
  if (by_label) columns.push_back(demands.label_name);
  for (const absl::string_view column : {"bytes", "rate", "capacity", "percent"}) columns.push_back(column);
  JsonRows rows(columns);
  struct Row {
    size_t place;
    LinkIndex link;
    uint32_t label;
    uint64_t octets;
  };
  std::vector<Row> all;
  std::array<std::vector<double>, TopologyGraphs::kCount> capacities;
  uint64_t first_links = 0;
  for (size_t place = 0; place < TopologyGraphs::kCount; ++place) {
    const Graph& graph = *graphs_.graphs[place];
    if (laid.first[place].empty() && laid.onward[place].empty()) continue;
    auto known = Capacities(graph, options);
    if (!known.ok()) return known.status();
    capacities[place] = *std::move(known);
    for (const std::vector<Demand>* part : {&laid.first[place], &laid.onward[place]}) {
      // A run of one label after the other: they are in that order.
      for (size_t begin = 0; begin < part->size();) {
        size_t end = begin;
        while (end < part->size() && (*part)[end].tag == (*part)[begin].tag) ++end;
        topology::LinkLoad load(graph);
        load.Add(absl::MakeConstSpan(*part).subspan(begin, end - begin));
        if (part == &laid.first[place]) first_links += load.first_links();
        for (LinkIndex l = 0; l < graph.link_count(); ++l) {
          if (load.octets(l) > 0) all.push_back({place, l, (*part)[begin].tag, load.octets(l)});
        }
        begin = end;
      }
    }
  }
  // The two parts of a link and label in one row.
  const auto key = [](const Row& r) { return std::make_tuple(r.place, r.link, r.label); };
  std::sort(all.begin(), all.end(), [&](const Row& a, const Row& b) { return key(a) < key(b); });
  size_t kept = 0;
  for (const Row& row : all) {
    if (kept > 0 && key(all[kept - 1]) == key(row)) {
      all[kept - 1].octets += row.octets;
    } else {
      all[kept++] = row;
    }
  }
  all.resize(kept);
  std::stable_sort(all.begin(), all.end(), [](const Row& a, const Row& b) { return a.octets > b.octets; });
  for (const Row& row : all) {
    if (options.limit > 0 && rows.rows() >= options.limit) break;
    const Graph& graph = *graphs_.graphs[row.place];
    const topology::GraphLink& link = graph.link(row.link);
    PutLink(graph, row.link, Name(graph.node(link.from).key), Name(graph.node(link.to).key), &rows);
    if (by_label) demands.labels[row.label].empty() ? rows.Absent() : rows.Text(demands.labels[row.label]);
    rows.Number(row.octets);
    rows.Text(topology::RateText(static_cast<double>(row.octets) / options.seconds));
    PutRate(capacities[row.place][row.link], &rows);
    PutPercent(row.octets, capacities[row.place][row.link], options.seconds, &rows);
  }
  laid.Report(demands.octets, report);
  report->push_back(absl::StrCat(first_links, " octets on the first links of all ways"));
  return Whole(std::move(rows), all.size());
}

absl::StatusOr<std::string> IgpGlass::WhatIf(const IgpDemands& demands, const std::vector<std::string>& failures,
                                             const IgpLoadOptions& options, std::vector<std::string>* report) {
  const Graph& graph = GraphOf(options.plane);
  const auto failure = FailureOf(graph, failures);
  if (!failure.ok()) return failure.status();
  const auto capacities = Capacities(graph, options);
  if (!capacities.ok()) return capacities.status();
  const Laid laid = Lay(demands);
  topology::WhatIfOptions what_if;
  what_if.seconds = options.seconds;
  what_if.threshold = options.threshold;
  what_if.capacities = *capacities;
  const std::vector<Demand> all = laid.All(TopologyGraphs::PlaceOf(graph.level(), graph.topology()));
  const topology::WhatIfReport outcome = topology::WhatIf(graph, all, *failure, what_if);

  std::vector<topology::LinkChange> links = outcome.links;
  links.erase(std::remove_if(links.begin(), links.end(),
                             [](const topology::LinkChange& l) { return l.before == l.after && !l.failed; }),
              links.end());
  const auto fullness = [](const topology::LinkChange& l) { return l.capacity > 0 ? l.rate_after / l.capacity : 0; };
  std::stable_sort(links.begin(), links.end(), [&](const topology::LinkChange& a, const topology::LinkChange& b) {
    if (a.full_after != b.full_after) return a.full_after;
    if (a.full_after && fullness(a) != fullness(b)) return fullness(a) > fullness(b);
    return a.after > b.after;
  });
  JsonRows rows({"level", "from", "to", "local_address", "metric", "before", "after", "capacity", "percent_before",
                 "percent_after", "state"});
  for (const topology::LinkChange& change : links) {
    if (options.limit > 0 && rows.rows() >= options.limit) break;
    const topology::GraphLink& link = graph.link(change.link);
    PutLink(graph, change.link, Name(graph.node(link.from).key), Name(graph.node(link.to).key), &rows);
    rows.Number(change.before);
    rows.Number(change.after);
    PutRate(change.capacity, &rows);
    PutPercent(change.before, change.capacity, options.seconds, &rows);
    PutPercent(change.after, change.capacity, options.seconds, &rows);
    change.failed ? rows.Text("failed") : change.full_after ? rows.Text("too_full") : rows.Absent();
  }
  laid.Report(demands.octets, report);
  report->push_back(absl::StrCat("level ", graph.level(), ": ", outcome.octets, " octets had a way; then ",
                                 outcome.moved, " take another one, ", outcome.lost, " have none"));
  if (!demands.label_name.empty()) {
    for (const topology::TagChange& tag : outcome.tags) {
      report->push_back(absl::StrCat(demands.label_name, " ",
                                     demands.labels[tag.tag].empty() ? "-" : demands.labels[tag.tag], ": ", tag.lost,
                                     " of ", tag.octets, " octets lost, ", tag.moved, " moved"));
    }
  }
  return Whole(std::move(rows), links.size());
}

absl::StatusOr<std::string> IgpGlass::Draw(const IgpDemands* demands, const std::vector<std::string>& failures,
                                           const IgpLoadOptions& options, const std::string& title) {
  const Graph& graph = GraphOf(options.plane);
  const auto failure = FailureOf(graph, failures);
  if (!failure.ok()) return failure.status();
  const auto capacities = Capacities(graph, options);
  if (!capacities.ok()) return capacities.status();
  std::vector<std::string> names;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) names.push_back(Name(graph.node(n).key));
  topology::DrawOptions draw;
  draw.title = title;
  draw.names = names;
  draw.seconds = options.seconds;
  draw.capacities = *capacities;
  if (!failures.empty()) draw.failure = &*failure;
  std::vector<uint64_t> octets;
  if (demands != nullptr) {
    const std::vector<Demand> all = Lay(*demands).All(TopologyGraphs::PlaceOf(graph.level(), graph.topology()));
    // With a failure the picture shows what is left.
    std::vector<LinkIndex> original(graph.link_count());
    std::iota(original.begin(), original.end(), 0);
    const Graph left = failure->Apply(&original);
    topology::LinkLoad load(left);
    load.Add(all);
    octets.resize(graph.link_count());
    for (LinkIndex l = 0; l < left.link_count(); ++l) octets[original[l]] = load.octets(l);
    draw.octets = octets;
  }
  return topology::DrawSvg(graph, draw);
}

}  // namespace flowacct::collector
