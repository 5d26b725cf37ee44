// RoutesEnricher::Explain: the join of one address, by the functions that join, and what each table said beside it.

#include <algorithm>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/enrich/routes/routes_enricher.h"

namespace flowacct::enrich {

AskedTable RoutesEnricher::AskedOf(const base::IpAddress& address, const rib::RouteView& route, rib::RouteOrigin origin,
                                   const rib::TableSource& source) const {
  AskedTable asked;
  asked.origin = origin;
  asked.peer = source.path.address;
  asked.found = route.found();
  if (!asked.found) return asked;
  const bgp::AttributeSetView attributes(route.octets);
  asked.prefix = base::IpPrefix(base::Mask(address, route.length), route.length);
  asked.path_id = route.path_id;
  asked.as_path = attributes.as_path().ToString();
  asked.next_hop = attributes.next_hop().value_or(base::IpAddress());
  asked.stale = route.stale;
  return asked;
}

std::vector<AskedTable> RoutesEnricher::Explain(const record::RowView& row, bool destination) {
  std::vector<AskedTable> told;
  const Side& side = sides_[destination ? 1 : 0];
  if (!side.wanted || !reader_ || !IsPresent(row.octets(), side.address.index)) return told;
  const uint8_t* const octets = row.octets();
  const base::IpAddress exporter = base::IpAddress::FromV6(octets + exporter_.offset);
  const base::IpAddress address = base::IpAddress::FromV6(octets + side.address.offset);
  const uint64_t rd = distinguisher_.there() ? base::LoadHost<uint64_t>(octets + distinguisher_.offset) : 0;
  const uint8_t* const next_hop_octets = destination && next_hop_.there() ? octets + next_hop_.offset : nullptr;
  const base::IpAddress next_hop =
      next_hop_octets == nullptr ? base::IpAddress() : base::IpAddress::FromV6(next_hop_octets);
  reader_->Online();
  directory_ = tables_.directory->Get();
  const rib::TableChoices choices = directory_->Find(exporter, rd);
  const size_t own = directory_->FindOwn(exporter, rd).size();
  Found found;
  Answer(choices, address.data(), next_hop_octets, 0, 1, &found);
  for (size_t i = 0; i < choices.size(); ++i) {
    const rib::TableSource& source = directory_->source(choices[i]);
    const rib::RouteView route =
        routes_.Find(choices[i].table, address, next_hop_octets == nullptr ? nullptr : &next_hop);
    AskedTable asked = AskedOf(address, route, choices[i].origin, source);
    asked.router = exporter;
    asked.for_all = i >= own;
    asked.next_hop_matched = asked.found && next_hop != base::IpAddress() && asked.next_hop == next_hop;
    told.push_back(std::move(asked));
    // The end of those that answer together.
    if (i + 1 < choices.size() && choices[i].group != 0 && choices[i + 1].group == choices[i].group) continue;
    if (!found.route.found() || found.origin != choices[i].origin) continue;
    size_t first = i;
    while (first > 0 && choices[i].group != 0 && choices[first - 1].group == choices[i].group) --first;
    for (size_t t = first; t <= i; ++t) {
      const rib::RouteView same =
          routes_.Find(choices[t].table, address, next_hop_octets == nullptr ? nullptr : &next_hop);
      if (&directory_->source(choices[t]) != found.source || same.attributes != found.route.attributes ||
          same.length != found.route.length || same.path_id != found.route.path_id) {
        continue;
      }
      told[t].answered = true;
      break;
    }
    if (std::any_of(told.begin() + static_cast<ptrdiff_t>(first), told.end(),
                    [](const AskedTable& table) { return table.answered; })) {
      break;
    }
  }
  if (found.route.found()) {
    std::vector<Followed> hops;
    Follow(side, address, rd, &found, &hops);
    for (const Followed& hop : hops) {
      AskedTable asked = AskedOf(address, hop.found.route, hop.found.origin, *hop.found.source);
      asked.router = hop.router;
      asked.followed = true;
      asked.answered = true;
      told.push_back(std::move(asked));
    }
  }
  directory_ = nullptr;
  reader_->Offline();
  return told;
}

}  // namespace flowacct::enrich
