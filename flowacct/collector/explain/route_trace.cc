#include "flowacct/collector/explain/route_trace.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/record/field.h"
#include "flowacct/rib/best_path.h"

namespace flowacct::collector {
namespace {

// Of tables that answer together: the longest prefix, then the flow's next hop, then the decision process.
size_t BestOf(const rib::TableDirectory& directory, absl::Span<const rib::TableChoice> choices,
              const std::vector<rib::RouteView>& views, const std::vector<TracedRoute>& told, size_t first) {
  std::vector<size_t> candidates;
  bool matched = false;
  uint8_t length = 0;
  for (size_t t = 0; t < choices.size(); ++t) {
    const rib::RouteView& view = views[t];
    if (!view.found() || (!candidates.empty() && view.length < length)) continue;
    const bool matches = told[first + t].next_hop_matched;
    if (candidates.empty() || view.length > length || (matches && !matched)) {
      candidates.clear();
      length = view.length;
      matched = matches;
    } else if (matched && !matches) {
      continue;
    }
    candidates.push_back(t);
  }
  if (candidates.empty()) return choices.size();
  const bool equal = std::all_of(candidates.begin(), candidates.end(),
                                 [&](size_t t) { return views[t].attributes == views[candidates[0]].attributes; });
  if (equal) return candidates[0];
  size_t best = candidates[0];
  for (size_t next = 1; next < candidates.size();) {
    // The best until now, and as many more as can be compared at once.
    std::vector<rib::Path> paths;
    const size_t last = std::min(candidates.size(), next + rib::kMaxPaths - 1);
    const auto add = [&](size_t t) {
      paths.push_back(
          rib::PathOf(bgp::AttributeSetView(views[t].octets), directory.source(choices[t]).path, views[t].path_id));
    };
    add(best);
    for (size_t i = next; i < last; ++i) add(candidates[i]);
    const size_t place = rib::BestPath(paths);
    if (place != 0) best = candidates[next + place - 1];
    next = last;
  }
  return best;
}

}  // namespace

std::vector<TracedRoute> TraceRoute(const enrich::RouteTables& tables, const base::IpAddress& exporter, uint64_t rd,
                                    const base::IpAddress& address, const base::IpAddress& next_hop) {
  std::vector<TracedRoute> told;
  std::optional<lpm::ReaderEpochs::Reader> online = tables.epochs->NewReader();
  if (!online) return told;
  online->Online();
  const rib::TableDirectory& directory = *tables.directory->Get();
  const rib::RibReader reader(tables.rib);
  const absl::Span<const rib::TableChoice> choices = directory.Find(exporter, rd);
  const bool has_next_hop = next_hop != base::IpAddress();
  std::vector<rib::RouteView> views;
  for (size_t c = 0; c < choices.size();) {
    size_t together = 1;
    while (rib::AnswersTogether(choices[c].origin) && c + together < choices.size() &&
           choices[c + together].origin == choices[c].origin && choices[c + together].for_all == choices[c].for_all) {
      ++together;
    }
    const size_t first = told.size();
    views.clear();
    for (const rib::TableChoice& choice : choices.subspan(c, together)) {
      const rib::RouteView view = reader.Find(choice.table, address, has_next_hop ? &next_hop : nullptr);
      views.push_back(view);
      TracedRoute& route = told.emplace_back();
      route.origin = choice.origin;
      route.peer = directory.source(choice).path.address;
      route.for_all = choice.for_all;
      route.found = view.found();
      if (!view.found()) continue;
      route.prefix = base::IpPrefix(base::Mask(address, view.length), view.length);
      route.path_id = view.path_id;
      route.next_hop = bgp::AttributeSetView(view.octets).next_hop().value_or(base::IpAddress());
      route.next_hop_matched = has_next_hop && (view.next_hop_matched || route.next_hop == next_hop);
      route.stale = view.stale;
    }
    const size_t best = BestOf(directory, choices.subspan(c, together), views, told, first);
    if (best < together) {
      told[first + best].answered = true;
      break;
    }
    c += together;
  }
  online->Offline();
  return told;
}

std::string RouteOriginText(rib::RouteOrigin origin) {
  // route_source has the same values behind "none".
  return std::string(record::EnumerationNames(record::FieldType::kRouteSource)[static_cast<size_t>(origin) + 1]);
}

std::string RouteText(const TracedRoute& route) {
  std::string text = absl::StrCat(RouteOriginText(route.origin), ": peer ", route.peer.ToString(),
                                  route.for_all ? ", who answers for all" : ", the exporter's own");
  if (!route.found) return absl::StrCat(text, ": no route");
  absl::StrAppend(&text, ": ", route.prefix.ToString());
  if (route.next_hop != base::IpAddress()) absl::StrAppend(&text, " by ", route.next_hop.ToString());
  absl::StrAppend(&text, route.next_hop_matched ? ", the flow's next hop" : ", best path");
  if (route.path_id != 0) absl::StrAppend(&text, ", path id ", route.path_id);
  if (route.stale) absl::StrAppend(&text, ", stale");
  return text;
}

}  // namespace flowacct::collector
