#include "flowacct/enrich/routes/routes_enricher.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/attribute_set.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

// Which fields a value of the destination's and of the source's route fills.
struct ValueFields {
  RouteValue value;
  F destination, source;
};
constexpr F kNobody = F::kFieldCount;
constexpr ValueFields kValueFields[] = {
    {RouteValue::kOriginAs, F::kDstAs, F::kSrcAs},
    {RouteValue::kPeerAs, F::kPeerDstAs, F::kPeerSrcAs},
    {RouteValue::kLocalPref, F::kLocalPref, F::kSrcLocalPref},
    {RouteValue::kMed, F::kMed, F::kSrcMed},
    {RouteValue::kAsPath, F::kAsPath, F::kSrcAsPath},
    {RouteValue::kCommunities, F::kStdComm, F::kSrcStdComm},
    {RouteValue::kExtCommunities, F::kExtComm, F::kSrcExtComm},
    {RouteValue::kLargeCommunities, F::kLrgComm, F::kSrcLrgComm},
    {RouteValue::kOrigin, F::kBgpOrigin, F::kSrcBgpOrigin},
    {RouteValue::kNextHop, F::kBgpNextHop, kNobody},
};

// What a side reads and fills beside these.
struct SideFields {
  F address, mask, net, source, roa;
};
constexpr SideFields kSideFields[] = {
    {F::kSrcAddr, F::kSrcMask, F::kSrcNet, F::kSrcRouteSource, F::kSrcRoa},
    {F::kDstAddr, F::kDstMask, F::kDstNet, F::kRouteSource, F::kDstRoa},
};

// The numbers of RFC 8097, which records have.
record::RoaState RoaStateOf(rpki::RovState state) {
  constexpr record::RoaState kStates[] = {record::RoaState::kNotFound, record::RoaState::kValid,
                                          record::RoaState::kInvalid};
  return kStates[static_cast<size_t>(state)];
}

record::RouteSource SourceOf(rib::RouteOrigin origin) {
  // In the order of rib::RouteOrigin.
  constexpr record::RouteSource kSources[] = {record::RouteSource::kSession,  record::RouteSource::kLocRib,
                                              record::RouteSource::kAdjRibIn, record::RouteSource::kAdjRibOut,
                                              record::RouteSource::kMapped,   record::RouteSource::kReflector,
                                              record::RouteSource::kDump};
  return kSources[static_cast<size_t>(origin)];
}

// In the order of rpki::RovState.
constexpr absl::string_view kRovCounters[] = {"routes_rov_not_found", "routes_rov_valid", "routes_rov_invalid"};
constexpr absl::string_view kOriginCounters[] = {"routes_of_session",     "routes_of_loc_rib", "routes_of_adj_rib_in",
                                                 "routes_of_adj_rib_out", "routes_of_mapped",  "routes_of_reflector",
                                                 "routes_of_dump"};

}  // namespace

RoutesEnricher::RoutesEnricher(const RouteTables& tables, RoutesOptions options, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)),
      tables_(tables),
      options_(std::move(options)),
      reader_(tables.epochs->NewReader()),
      routes_(tables.rib),
      cache_(options_.values) {
  if (options_.vrps != nullptr) vrps_.emplace(options_.vrps);
}

EnricherFactory RoutesEnricher::Factory(std::shared_ptr<const void> owner, const RouteTables& tables,
                                        RoutesOptions options) {
  return [owner = std::move(owner), tables, options = std::move(options)] {
    return std::make_unique<RoutesEnricher>(tables, options, owner);
  };
}

std::vector<F> RoutesEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> fields;
  for (size_t s = 0; s < 2; ++s) {
    const SideFields& side = kSideFields[s];
    bool tells =
        wanted.Has(side.mask) || wanted.Has(side.net) || wanted.Has(side.source) || (vrps_ && wanted.Has(side.roa));
    for (const ValueFields& value : kValueFields) {
      const F field = s == 1 ? value.destination : value.source;
      tells |= field != kNobody && wanted.Has(field);
    }
    if (!tells) continue;
    fields.push_back(side.address);
    if (options_.policy == RoutesPolicy::kLongest) fields.push_back(side.mask);
  }
  if (fields.empty()) return fields;
  for (const F field : {F::kExporter, F::kMplsVpnRd, F::kBgpNextHop}) fields.push_back(field);
  for (const RouteSelector& selector : options_.selectors) {
    for (const F field : selector.where.fields()) fields.push_back(field);
  }
  return fields;
}

void RoutesEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  const auto place_of = [&layout](F field) { return PlaceOf(layout, field); };
  const auto wanted_place_of = [&](F field) {
    return field != kNobody && wanted.Has(field) ? place_of(field) : FieldPlace{};
  };
  exporter_ = place_of(F::kExporter);
  distinguisher_ = place_of(F::kMplsVpnRd);
  next_hop_ = place_of(F::kBgpNextHop);
  RouteValueMask told = 0;
  for (size_t s = 0; s < 2; ++s) {
    const SideFields& fields = kSideFields[s];
    Side& side = sides_[s];
    side = Side();
    side.destination = s == 1;
    side.address = place_of(fields.address);
    side.told_mask = place_of(fields.mask);
    side.mask = wanted_place_of(fields.mask);
    side.net = wanted_place_of(fields.net);
    side.source = wanted_place_of(fields.source);
    if (vrps_) side.roa = wanted_place_of(fields.roa);
    if (side.roa.there()) {
      told = static_cast<RouteValueMask>(told | MaskOf(RouteValue::kOriginAs) | MaskOf(RouteValue::kOwnOrigin));
    }
    for (const ValueFields& value : kValueFields) {
      const FieldPlace place = wanted_place_of(side.destination ? value.destination : value.source);
      if (!place.there()) continue;
      side.assignments.push_back({value.value, place});
      told = static_cast<RouteValueMask>(told | MaskOf(value.value));
    }
    side.wanted =
        side.address.there() && exporter_.there() &&
        (side.mask.there() || side.net.there() || side.source.there() || side.roa.there() || !side.assignments.empty());
  }
  cache_.Want(told);
  selector_filters_.clear();
  for (const RouteSelector& selector : options_.selectors) selector_filters_.push_back(selector.where.Bind(layout));
}

const std::vector<uint32_t>& RoutesEnricher::SelectorsOf(const base::IpAddress& exporter) {
  if (const auto known = selectors_of_.find(exporter); known != selectors_of_.end()) return known->second;
  if (selectors_of_.size() >= kMaxSelectorsOf) selectors_of_.clear();
  std::vector<uint32_t>& selectors = selectors_of_[exporter];
  for (size_t s = 0; s < options_.selectors.size(); ++s) {
    if (options_.selectors[s].exporters.Contains(exporter)) selectors.push_back(static_cast<uint32_t>(s));
  }
  return selectors;
}

void RoutesEnricher::JoinSelected(absl::Span<const uint32_t> selectors, record::FlowBatch& batch, size_t first,
                                  size_t n, const base::IpAddress& exporter, uint64_t rd) {
  constexpr uint32_t kNone = UINT32_MAX;
  // All are asked before the first route is joined, which changes what records say.
  std::array<uint32_t, kBlock> selected;
  std::fill_n(selected.begin(), n, kNone);
  uint64_t left = n == kBlock ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
  for (size_t s = 0; s < selectors.size() && left != 0; ++s) {
    uint64_t passed = selector_filters_[selectors[s]].PassesOf(batch, first, n) & left;
    left &= ~passed;
    for (; passed != 0; passed &= passed - 1) selected[static_cast<size_t>(__builtin_ctzll(passed))] = selectors[s];
  }
  for (size_t i = 0; i < n;) {
    const uint32_t selector = selected[i];
    size_t same = 1;
    while (i + same < n && selected[i + same] == selector) ++same;
    if (selector == kNone) {
      JoinBoth(batch, first + i, same, rd, directory_->Find(exporter, rd));
    } else {
      const uint64_t its_rd = options_.selectors[selector].rd.value_or(rd);
      JoinBoth(batch, first + i, same, its_rd, directory_->FindSelected(selector, exporter, its_rd));
    }
    i += same;
  }
}

void RoutesEnricher::Apply(record::FlowBatch& batch) {
  if (!sides_[0].wanted && !sides_[1].wanted) return;
  if (!reader_) {
    records_not_joined_ += batch.size();
    return;
  }
  cache_.Meet(batch.interner());
  reader_->Online();
  directory_ = tables_.directory->Get();
  if (vrps_) {
    vrp_table_ = vrps_->Meet();
    if (vrp_table_ != nullptr) rov_cache_.Meet(vrps_->serial());
  }
  const size_t stride = batch.stride();
  for (size_t first = 0; first < batch.size();) {
    const uint8_t* const head = batch.data() + first * stride;
    const base::IpAddress exporter = base::IpAddress::FromV6(head + exporter_.offset);
    const uint64_t rd = distinguisher_.there() ? base::LoadHost<uint64_t>(head + distinguisher_.offset) : 0;
    // As long as the exporter and VRF are the same.
    size_t n = 1;
    for (const uint8_t* row = head + stride; n < kBlock && first + n < batch.size(); ++n, row += stride) {
      if (std::memcmp(row + exporter_.offset, head + exporter_.offset, base::IpAddress::kSize) != 0) break;
      if (distinguisher_.there() && base::LoadHost<uint64_t>(row + distinguisher_.offset) != rd) break;
    }
    const std::vector<uint32_t>* const selectors = options_.selectors.empty() ? nullptr : &SelectorsOf(exporter);
    if (selectors != nullptr && !selectors->empty()) {
      JoinSelected(*selectors, batch, first, n, exporter, rd);
    } else {
      JoinBoth(batch, first, n, rd, directory_->Find(exporter, rd));
    }
    first += n;
  }
  directory_ = nullptr;
  reader_->Offline();
}

void RoutesEnricher::Join(const Side& side, record::FlowBatch& batch, size_t first, size_t n, uint64_t rd,
                          const rib::TableChoices& choices) {
  const size_t stride = batch.stride();
  uint8_t* const rows = batch.data() + first * stride;
  const uint8_t* const addresses = rows + side.address.offset;
  // The flow's next hop is of its destination.
  const uint8_t* const next_hops = side.destination && next_hop_.there() ? rows + next_hop_.offset : nullptr;
  Answer(choices, addresses, next_hops, stride, n, found_.data());
  for (size_t i = 0; i < n; ++i) {
    if (found_[i].route.found()) cache_.Prefetch(found_[i].route.attributes);
  }
  const bool follows = options_.follow_default > 0 || (side.destination && !options_.follow_next_hop.empty());
  for (size_t i = 0; i < n; ++i) {
    uint8_t* const row = rows + i * stride;
    if (!IsPresent(row, side.address.index)) continue;
    ++addresses_;
    Found& found = found_[i];
    if (!found.route.found()) {
      ++without_route_;
      if (choices.empty()) ++without_table_;
      continue;
    }
    if (follows) Follow(side, base::IpAddress::FromV6(row + side.address.offset), rd, &found);
    Tell(side, found, row, &batch.interner());
  }
  ValidateAwaited(side);
}

void RoutesEnricher::TellState(const Side& side, rpki::RovState state, uint8_t* row) {
  row[side.roa.offset] = static_cast<uint8_t>(RoaStateOf(state));
  MarkPresent(row, side.roa.index);
  ++by_rov_state_[static_cast<size_t>(state)];
}

void RoutesEnricher::Validate(const Side& side, const Found& found, const RouteValues& values, uint8_t* row) {
  uint32_t as = 0;
  if (values.Has(RouteValue::kOwnOrigin)) {
    as = found.source->own_as;
  } else if (options_.values.skip_private_as) {
    const bgp::AsPathView path = bgp::AttributeSetView(found.route.octets).as_path();
    if (!path.RouteOrigin(found.source->own_as, &as)) as = 0;
  } else if (values.Has(RouteValue::kOriginAs)) {
    as = values.numbers[static_cast<size_t>(RouteValue::kOriginAs)];
  }
  const rpki::RouteOrigin route = {
      base::IpPrefix(base::IpAddress::FromV6(row + side.address.offset), found.route.length), as};
  if (rpki::RovState state; rov_cache_.Find(route, &state)) return TellState(side, state, row);
  awaited_rows_[awaited_] = row;
  awaited_routes_[awaited_] = route;
  ++awaited_;
}

void RoutesEnricher::ValidateAwaited(const Side& side) {
  if (awaited_ == 0) return;
  vrp_table_->ValidateBatch(absl::MakeConstSpan(awaited_routes_.data(), awaited_), states_.data());
  for (size_t i = 0; i < awaited_; ++i) {
    rov_cache_.Put(awaited_routes_[i], states_[i]);
    TellState(side, states_[i], awaited_rows_[i]);
  }
  awaited_ = 0;
}

void RoutesEnricher::Answer(const rib::TableChoices& choices, const uint8_t* addresses, const uint8_t* next_hops,
                            size_t stride, size_t n, Found* found) {
  size_t missing = n;
  size_t together = 1;
  for (size_t c = 0; c < choices.size() && missing > 0; c += together) {
    const rib::TableChoice& choice = choices[c];
    const rib::RouteOrigin origin = choice.origin;
    const rib::TableSource* const source = &directory_->source(choice);
    together = 1;
    while (choice.group != 0 && c + together < choices.size() && choices[c + together].group == choice.group) {
      ++together;
    }
    // Where most have a route already, only the others are looked up.
    const bool batch = together > 1 || missing == n;
    if (batch) {
      if (views_.size() < together * n) views_.resize(together * n);
      for (size_t t = 0; t < together; ++t) {
        routes_.FindBatch(choices[c + t].table, addresses, stride, n, &views_[t * n], next_hops, stride);
      }
    }
    for (size_t i = 0; i < n; ++i) {
      if (c != 0 && found[i].route.found()) continue;
      const base::IpAddress next_hop =
          next_hops == nullptr ? base::IpAddress() : base::IpAddress::FromV6(next_hops + i * stride);
      found[i].origin = origin;
      found[i].source = source;
      if (together > 1) {
        const size_t best = BestOf(choices, c, together, i, n, next_hop);
        found[i].route = views_[best * n + i];
        found[i].source = &directory_->source(choices[c + best]);
      } else if (batch) {
        found[i].route = views_[i];
      } else {
        found[i].route = routes_.Find(choice.table, base::IpAddress::FromV6(addresses + i * stride),
                                      next_hops == nullptr ? nullptr : &next_hop);
      }
      if (found[i].route.found()) --missing;
    }
  }
  if (choices.empty()) std::fill_n(found, n, Found());
}

size_t RoutesEnricher::BestOf(const rib::TableChoices& choices, size_t first_choice, size_t together, size_t row,
                              size_t rows, const base::IpAddress& next_hop) {
  const auto next_hop_matches = [&next_hop](const rib::RouteView& view) {
    return next_hop != base::IpAddress() &&
           (view.next_hop_matched || bgp::AttributeSetView(view.octets).next_hop() == next_hop);
  };
  // The longest prefix, then those that have the flow's next hop, then the decision process.
  candidates_.clear();
  bool matched = false;
  uint8_t length = 0;
  for (size_t t = 0; t < together; ++t) {
    const rib::RouteView& view = views_[t * rows + row];
    if (!view.found() || (!candidates_.empty() && view.length < length)) continue;
    const bool matches = next_hop_matches(view);
    if (candidates_.empty() || view.length > length || (matches && !matched)) {
      candidates_.clear();
      length = view.length;
      matched = matches;
    } else if (matched && !matches) {
      continue;
    }
    candidates_.push_back(t);
  }
  if (candidates_.empty()) return 0;
  const auto view_of = [&](size_t t) -> const rib::RouteView& { return views_[t * rows + row]; };
  const bool equal = std::all_of(candidates_.begin(), candidates_.end(),
                                 [&](size_t t) { return view_of(t).attributes == view_of(candidates_[0]).attributes; });
  if (equal) return candidates_[0];
  size_t best = candidates_[0];
  for (size_t first = 1; first < candidates_.size();) {
    // The best until now, and as many more as can be compared at once.
    paths_.clear();
    const size_t last = std::min(candidates_.size(), first + rib::kMaxPaths - 1);
    const auto add = [&](size_t t) {
      paths_.push_back(rib::PathOf(bgp::AttributeSetView(view_of(t).octets),
                                   directory_->source(choices[first_choice + t]).path, view_of(t).path_id));
    };
    add(best);
    for (size_t i = first; i < last; ++i) add(candidates_[i]);
    const size_t place = rib::BestPath(paths_);
    if (place != 0) best = candidates_[first + place - 1];
    first = last;
  }
  return best;
}

bool RoutesEnricher::IsOwnRouter(const base::IpAddress& next_hop) const {
  return std::any_of(options_.follow_next_hop.begin(), options_.follow_next_hop.end(),
                     [&next_hop](const base::IpPrefix& prefix) { return prefix.Contains(next_hop); });
}

bool RoutesEnricher::FindAt(const base::IpAddress& router, const base::IpAddress& address, uint64_t rd, Found* found) {
  Found there;
  Answer(directory_->FindOwn(router, rd), address.data(), nullptr, 0, 1, &there);
  if (!there.route.found()) return false;
  *found = there;
  return true;
}

void RoutesEnricher::Follow(const Side& side, const base::IpAddress& address, uint64_t rd, Found* found,
                            std::vector<Followed>* hops) {
  int defaults = options_.follow_default;
  base::IpAddress last;
  for (int followed = 0; followed < options_.max_followed; ++followed) {
    const auto next_hop = bgp::AttributeSetView(found->route.octets).next_hop();
    if (!next_hop || *next_hop == last) return;
    const bool is_default = found->route.length == 0;
    if (is_default ? defaults-- <= 0 : !side.destination || !IsOwnRouter(*next_hop)) return;
    if (!FindAt(*next_hop, address, rd, found)) return;
    if (hops != nullptr) hops->push_back({*next_hop, *found});
    last = *next_hop;
    ++followed_;
  }
}

void RoutesEnricher::Tell(const Side& side, const Found& found, uint8_t* row, base::Interner* interner) {
  const rib::RouteView& route = found.route;
  ++by_origin_[static_cast<size_t>(found.origin)];
  stale_ += route.stale ? 1 : 0;
  bool replace = options_.policy == RoutesPolicy::kReplace;
  if (options_.policy == RoutesPolicy::kLongest) {
    const bool told = side.told_mask.there() && IsPresent(row, side.told_mask.index);
    replace = !told || route.length >= row[side.told_mask.offset];
  }
  const auto wants = [&](const FieldPlace& place) {
    return place.there() && (replace || !IsPresent(row, place.index));
  };
  if (wants(side.net)) {
    const base::IpAddress net = base::Mask(base::IpAddress::FromV6(row + side.address.offset), route.length);
    std::memcpy(row + side.net.offset, net.data(), base::IpAddress::kSize);
    row[side.net.offset + base::IpAddress::kSize] = route.length;
    MarkPresent(row, side.net.index);
  }
  if (wants(side.mask)) {
    row[side.mask.offset] = route.length;
    MarkPresent(row, side.mask.index);
  }
  if (side.source.there()) {
    row[side.source.offset] = static_cast<uint8_t>(SourceOf(found.origin));
    MarkPresent(row, side.source.index);
  }
  const bool validates = wants(side.roa) && vrp_table_ != nullptr;
  if (wants(side.roa) && vrp_table_ == nullptr) ++not_validated_;
  if (side.assignments.empty() && !validates) return;
  const rib::AttributeStore& store = tables_.rib->store();
  const RouteValueCache::Key key = {route.attributes, store.hash(route.attributes), store.serial(route.attributes)};
  const RouteValues& values = cache_.Find(key, route.octets, interner);
  for (const Assignment& assignment : side.assignments) {
    if (!values.Has(assignment.value) || !wants(assignment.place)) continue;
    uint8_t* const field = row + assignment.place.offset;
    if (assignment.value < RouteValue::kOrigin) {
      base::StoreHost(field, values.numbers[static_cast<size_t>(assignment.value)]);
    } else if (assignment.value == RouteValue::kOrigin) {
      *field = values.origin;
    } else {
      std::memcpy(field, values.next_hop, sizeof(values.next_hop));
    }
    MarkPresent(row, assignment.place.index);
  }
  if (validates) Validate(side, found, values, row);
}

std::vector<EnricherCounter> RoutesEnricher::counters() const {
  std::vector<EnricherCounter> counters = {{"addresses", addresses_},
                                           {"addresses_without_route", without_route_},
                                           {"addresses_without_table", without_table_},
                                           {"routes_stale", stale_},
                                           {"routes_followed", followed_},
                                           {"sets_interned", cache_.made()},
                                           {"records_not_joined", records_not_joined_}};
  for (size_t i = 0; i < kOrigins; ++i) counters.push_back({kOriginCounters[i], by_origin_[i]});
  if (!vrps_) return counters;
  for (size_t i = 0; i < kRovStates; ++i) counters.push_back({kRovCounters[i], by_rov_state_[i]});
  counters.push_back({"routes_not_validated", not_validated_});
  return counters;
}

}  // namespace flowacct::enrich
