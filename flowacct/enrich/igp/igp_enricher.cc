#include "flowacct/enrich/igp/igp_enricher.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/igp/igp_routes.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using topology::NodeKey;
using topology::ReachView;

constexpr size_t kBlock = 64;
constexpr F kSourceFields[] = {F::kIgpSrcNet, F::kIgpSrcMask, F::kIgpSrcRouter, F::kIgpSrcRouterId};
constexpr F kDestinationFields[] = {F::kIgpDstNet, F::kIgpDstMask, F::kIgpIngress, F::kIgpIngressId};
constexpr F kSourceNetworks[] = {F::kSrcNet, F::kSrcMask};
constexpr F kDestinationNetworks[] = {F::kDstNet, F::kDstMask};

constexpr absl::string_view kOutcomeCounters[] = {
#define X(value, counter) counter,
    FLOWACCT_IGP_OUTCOMES(X)
#undef X
};

bool Has(const uint8_t* row, const FieldPlace& place) { return place.there() && IsPresent(row, place.index); }

void Put(const FieldPlace& place, uint32_t value, uint8_t* row) {
  if (!place.there()) return;
  base::StoreHost(row + place.offset, value);
  MarkPresent(row, place.index);
}

void PutOctet(const FieldPlace& place, uint8_t value, uint8_t* row) {
  if (!place.there()) return;
  row[place.offset] = value;
  MarkPresent(row, place.index);
}

void PutNet(const FieldPlace& place, const uint8_t* address, uint8_t length, uint8_t* row) {
  if (!place.there()) return;
  const base::IpAddress net = base::Mask(base::IpAddress::FromV6(address), length);
  std::memcpy(row + place.offset, net.data(), base::IpAddress::kSize);
  row[place.offset + base::IpAddress::kSize] = length;
  MarkPresent(row, place.index);
}

// Whether both are of one object, or of none; `weak` keeps its address from becoming another one's.
template <typename T>
bool Same(const std::weak_ptr<T>& weak, const std::shared_ptr<T>& shared) {
  return !weak.owner_before(shared) && !shared.owner_before(weak);
}

// One of source and destination: where its fields lie.
struct SidePlaces {
  FieldPlace address, told_mask, told_net;  // read
  FieldPlace igp_net, igp_mask;             // told, if wanted
  FieldPlace net, mask;                     // filled, if wanted

  void Tell(uint8_t length, uint8_t* row) const {
    PutNet(igp_net, row + address.offset, length, row);
    PutOctet(igp_mask, length, row);
  }
  // Whether the record's own network is shorter, or missing.
  bool IsShorter(const uint8_t* row, uint8_t length) const {
    if (Has(row, told_mask)) return row[told_mask.offset] < length;
    return !Has(row, told_net) || row[told_net.offset + base::IpAddress::kSize] < length;
  }
  void Fill(uint8_t length, uint8_t* row) const {
    PutNet(net, row + address.offset, length, row);
    PutOctet(mask, length, row);
  }
};

// A value of a destination that is wanted.
struct Assignment {
  IgpValue value;
  bool is_octet;
  FieldPlace place;
};

}  // namespace

struct IgpEnricher::State {
  // A router that records came in at.
  struct Root {
    IgpRoot igp;
    bool ready = false;
    uint64_t serial = 0;  // of the snapshot that this is of; 0: look again
    uint64_t directory = 0;
    std::weak_ptr<const topology::RouterPaths> paths;
    std::weak_ptr<const topology::RouterAlternates> alternates;
    // Those that were made here.
    std::shared_ptr<const topology::RouterPaths> own_paths;
    std::shared_ptr<const topology::RouterAlternates> own_alternates;
    base::InternId name = 0, identifier = 0;
  };
  struct Exporter {
    int32_t root = kNoRouter;
    uint64_t version = 0;  // of the reach table that this is of; 0: whatever it is
  };
  static constexpr int32_t kNoRouter = -1;
  static constexpr int32_t kNotReady = -2;
  using ExporterKey = std::pair<base::IpAddress, uint64_t>;  // 0, or the interface and 1

  State(const Igp& its_igp, const IgpOptions& its_options, std::shared_ptr<const void> its_owner)
      : owner(std::move(its_owner)),
        igp(its_igp),
        options(its_options),
        reader(igp.epochs->NewReader()),
        topology(igp.published),
        reach(igp.reach),
        routes(reach, options.cache_entries, options.max_ways) {}

  void Bind(const record::Layout& layout, const record::FieldSet& wanted);
  void Apply(record::FlowBatch& batch);
  void Forget();
  void MeetSnapshot();
  bool Refresh(Root* root, base::Interner& interner);
  int32_t RootOf(const uint8_t* row, base::Interner& interner);
  std::optional<NodeKey> RouterOf(const base::IpAddress& exporter, std::optional<uint32_t> in_if, bool* by_table) const;
  int32_t RootNumber(NodeKey router);
  void FindRoots(const uint8_t* rows, size_t stride, size_t n, base::Interner& interner);
  void Block(uint8_t* rows, size_t stride, size_t n, base::Interner& interner);
  IgpOutcome Join(size_t i, uint8_t* row, base::Interner& interner);
  void TellSource(size_t i, const Root& root, uint8_t* row, base::Interner& interner);

  const std::shared_ptr<const void> owner;  // goes last
  const Igp igp;
  const IgpOptions options;
  std::optional<lpm::ReaderEpochs::Reader> reader;
  topology::TopologyReader topology;
  const topology::ReachReader reach;
  IgpRoutes routes;

  // Of the bound layout.
  bool is_wanted = false, wants_source = false, wants_alternates = false, by_interface = false;
  FieldPlace exporter, in_if, bgp_next_hop;
  FieldPlace ingress, ingress_id, src_router, src_router_id, next_hop;  // told
  SidePlaces source, destination;
  std::vector<Assignment> assignments;
  std::shared_ptr<const void> interner;  // its identity

  const topology::TopologySnapshot* snapshot = nullptr;  // of the batch
  uint64_t version = 0;                                  // of the reach table, as the batch began
  std::shared_ptr<const topology::RouterDirectory> directory;
  uint64_t directories = 0;
  uint64_t generations = 0;
  std::vector<Root> roots;
  absl::flat_hash_map<NodeKey, uint32_t> root_numbers;
  size_t own_routers = 0;
  absl::flat_hash_map<ExporterKey, Exporter> exporters;

  // Of the block.
  std::array<int32_t, kBlock> root_of;
  std::array<ReachView, kBlock> dst_views, src_views, hop_views;
  std::array<uint64_t, kBlock> dst_keys, src_keys, hop_keys;
  std::array<size_t, kBlock> dst_slots, src_slots, hop_slots;
  std::array<uint8_t, kBlock> hop_of;  // place in hops; kNoHop
  std::array<uint8_t, kBlock * base::IpAddress::kSize> hops;
  static constexpr uint8_t kNoHop = 0xff;

  std::array<uint64_t, kIgpOutcomes> outcomes{};
  uint64_t by_next_hop = 0;
};

IgpEnricher::IgpEnricher(const Igp& igp, const IgpOptions& options, std::shared_ptr<const void> owner)
    : state_(std::make_unique<State>(igp, options, std::move(owner))) {}

IgpEnricher::~IgpEnricher() = default;

EnricherFactory IgpEnricher::Factory(std::shared_ptr<const void> owner, const Igp& igp, const IgpOptions& options) {
  return [owner = std::move(owner), igp, options] { return std::make_unique<IgpEnricher>(igp, options, owner); };
}

std::vector<F> IgpEnricher::RequiredFields(const record::FieldSet& wanted) const {
  const bool fills = state_->options.fill_networks;
  const bool source = wanted.HasAny(kSourceFields) || (fills && wanted.HasAny(kSourceNetworks));
  const bool destination = wanted.HasAny(kIgpValueFields) || wanted.HasAny(kDestinationFields) ||
                           (fills && (wanted.HasAny(kDestinationNetworks) || wanted.Has(F::kNextHop)));
  if (!source && !destination) return {};
  // Outcomes are the destination's, whatever is told.
  std::vector<F> fields = {F::kExporter, F::kDstAddr, F::kBgpNextHop, F::kDstMask};
  if (source) fields.push_back(F::kSrcAddr);
  if (source && fills) fields.push_back(F::kSrcMask);
  if (state_->options.exporters != nullptr && state_->options.exporters->has_interfaces()) fields.push_back(F::kInIf);
  return fields;
}

void IgpEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) { state_->Bind(layout, wanted); }
void IgpEnricher::Apply(record::FlowBatch& batch) { state_->Apply(batch); }

std::vector<EnricherCounter> IgpEnricher::counters() const {
  std::vector<EnricherCounter> counters;
  for (size_t i = 0; i < kIgpOutcomes; ++i) counters.push_back({kOutcomeCounters[i], state_->outcomes[i]});
  counters.push_back({"records_by_next_hop", state_->by_next_hop});
  counters.push_back({"routes_made", state_->routes.made()});
  return counters;
}

void IgpEnricher::State::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  const auto place_of = [&](F field) { return PlaceOf(layout, field); };
  const auto told = [&](F field) { return wanted.Has(field) ? place_of(field) : FieldPlace(); };
  const auto filled = [&](F field) { return options.fill_networks ? told(field) : FieldPlace(); };
  exporter = place_of(F::kExporter);
  in_if = place_of(F::kInIf);
  bgp_next_hop = place_of(F::kBgpNextHop);
  by_interface = in_if.there() && options.exporters != nullptr && options.exporters->has_interfaces();
  ingress = told(F::kIgpIngress);
  ingress_id = told(F::kIgpIngressId);
  src_router = told(F::kIgpSrcRouter);
  src_router_id = told(F::kIgpSrcRouterId);
  next_hop = filled(F::kNextHop);
  source = {place_of(F::kSrcAddr), place_of(F::kSrcMask), place_of(F::kSrcNet), told(F::kIgpSrcNet),
            told(F::kIgpSrcMask),  filled(F::kSrcNet),    filled(F::kSrcMask)};
  destination = {place_of(F::kDstAddr), place_of(F::kDstMask), place_of(F::kDstNet), told(F::kIgpDstNet),
                 told(F::kIgpDstMask),  filled(F::kDstNet),    filled(F::kDstMask)};
  const auto any = [](std::initializer_list<FieldPlace> places) {
    return std::any_of(places.begin(), places.end(), [](const FieldPlace& place) { return place.there(); });
  };
  wants_source = source.address.there() &&
                 any({source.igp_net, source.igp_mask, source.net, source.mask, src_router, src_router_id});
  IgpValueMask mask = 0;
  assignments.clear();
  for (size_t value = 0; value < kIgpValues; ++value) {
    const F field = kIgpValueFields[value];
    const FieldPlace place = told(field);
    if (!place.there()) continue;
    assignments.push_back({static_cast<IgpValue>(value), record::FieldTypeSize(record::Info(field).type) == 1, place});
    mask = static_cast<IgpValueMask>(mask | MaskOf(static_cast<IgpValue>(value)));
  }
  wants_alternates = (mask & (MaskOf(IgpValue::kProtection) | MaskOf(IgpValue::kAlternate))) != 0;
  if (next_hop.there()) mask = static_cast<IgpValueMask>(mask | kIgpNextHop);
  routes.Want(mask);
  is_wanted = wants_source || !assignments.empty() ||
              any({ingress, ingress_id, next_hop, destination.igp_net, destination.igp_mask, destination.net,
                   destination.mask});
  Forget();
}

void IgpEnricher::State::Forget() {
  routes.Forget();
  roots.clear();
  root_numbers.clear();
  own_routers = 0;
  exporters.clear();
  interner.reset();
}

void IgpEnricher::State::MeetSnapshot() {
  version = igp.reach->version();
  snapshot = topology.Meet();
  if (snapshot == nullptr) return;
  if (snapshot->directory != directory) {
    directory = snapshot->directory;
    ++directories;
    exporters.clear();
  }
  routes.Meet(directory.get(), version);
}

std::optional<NodeKey> IgpEnricher::State::RouterOf(const base::IpAddress& address, std::optional<uint32_t> interface,
                                                    bool* by_table) const {
  if (options.exporters != nullptr) {
    const std::string* router = options.exporters->Find(address, interface);
    if (router != nullptr) return directory->Find(*router);
  }
  if (const auto router = directory->FindAddress(address)) return router;
  *by_table = true;
  const ReachView view = reach.FindPrefix({address, static_cast<uint8_t>(address.IsV4() ? 32 : 128)});
  // What level 1 says of its own, then level 2, which others may have leaked to level 1.
  const auto rank = [](const topology::ReachCandidate& c) {
    return c.level != 1 ? 1 : (c.flags & topology::ReachCandidate::kDown) != 0 ? 2 : 0;
  };
  for (const int wanted : {0, 1, 2}) {
    std::optional<NodeKey> only;
    bool several = false;
    for (const topology::ReachCandidate& c : view.candidates) {
      if (rank(c) != wanted) continue;
      several |= only && *only != c.node;
      only = c.node;
    }
    if (only) return several ? std::nullopt : only;
  }
  return std::nullopt;
}

int32_t IgpEnricher::State::RootNumber(NodeKey router) {
  const auto known = root_numbers.find(router);
  if (known != root_numbers.end()) return static_cast<int32_t>(known->second);
  if (roots.size() >= IgpRoutes::kMaxRoots) return kNotReady;
  const auto number = static_cast<uint32_t>(roots.size());
  root_numbers.emplace(router, number);
  roots.emplace_back();
  roots.back().igp.key = router;
  return static_cast<int32_t>(number);
}

int32_t IgpEnricher::State::RootOf(const uint8_t* row, base::Interner& texts) {
  if (!Has(row, exporter)) return kNoRouter;
  std::optional<uint32_t> interface;
  if (by_interface && Has(row, in_if)) interface = base::LoadHost<uint32_t>(row + in_if.offset);
  const ExporterKey key(base::IpAddress::FromV6(row + exporter.offset), interface ? uint64_t{*interface} + 1 : 0);
  auto known = exporters.find(key);
  if (known == exporters.end() || (known->second.version != 0 && known->second.version != version)) {
    if (known == exporters.end() && exporters.size() >= options.max_exporters) exporters.clear();
    bool by_table = false;
    const std::optional<NodeKey> router = RouterOf(key.first, interface, &by_table);
    Exporter& exporter_now = exporters[key];
    exporter_now.root = router ? RootNumber(*router) : kNoRouter;
    exporter_now.version = by_table ? version : 0;
    known = exporters.find(key);
  }
  const int32_t number = known->second.root;
  if (number < 0) return number;
  Root& root = roots[static_cast<size_t>(number)];
  if (root.serial != snapshot->serial) root.ready = Refresh(&root, texts);
  return root.ready ? number : kNotReady;
}

bool IgpEnricher::State::Refresh(Root* root, base::Interner& texts) {
  std::shared_ptr<const topology::RouterPaths> paths;
  std::shared_ptr<const topology::RouterAlternates> alternates;
  const NodeKey key = root->igp.key;
  root->serial = snapshot->serial;
  if (igp.wanted != nullptr) {
    const auto found = snapshot->roots.find(key);
    if (found != snapshot->roots.end()) paths = found->second;
    if (wants_alternates) {
      const auto its = snapshot->alternates.find(key);
      if (its != snapshot->alternates.end()) alternates = its->second;
    }
    const bool misses = paths == nullptr || (wants_alternates && alternates == nullptr);
    if (misses && !igp.wanted->Note(key, wants_alternates)) root->serial = 0;
    if (paths == nullptr) return false;
  } else {
    if (root->own_paths == nullptr) {
      if (own_routers >= options.max_routers) return false;
      ++own_routers;
    }
    if (root->own_paths == nullptr || root->own_paths->graphs().graphs != snapshot->graphs.graphs) {
      root->own_paths = std::make_shared<const topology::RouterPaths>(snapshot->graphs, key, root->own_paths.get());
      if (wants_alternates) {
        root->own_alternates = std::make_shared<const topology::RouterAlternates>(snapshot->graphs, key);
      }
    }
    paths = root->own_paths;
    alternates = root->own_alternates;
  }
  if (root->igp.generation == 0 || root->directory != directories || !Same(root->paths, paths) ||
      !Same(root->alternates, alternates)) {
    root->igp.generation = ++generations;
    root->directory = directories;
    root->name = ingress.there() ? routes.NameOf(key, texts) : 0;
    root->identifier = ingress_id.there() ? texts.Intern(directory->Identifier(key)) : 0;
    root->paths = paths;
    root->alternates = alternates;
  }
  // The snapshot keeps them until the next one.
  root->igp.paths = paths.get();
  root->igp.alternates = alternates.get();
  return true;
}

void IgpEnricher::State::FindRoots(const uint8_t* rows, size_t stride, size_t n, base::Interner& texts) {
  const uint8_t* row = rows;
  for (size_t i = 0; i < n; ++i, row += stride) {
    const bool same =
        i > 0 && IsPresent(row, exporter.index) == IsPresent(row - stride, exporter.index) &&
        std::memcmp(row + exporter.offset, row - stride + exporter.offset, base::IpAddress::kSize) == 0 &&
        (!by_interface || (IsPresent(row, in_if.index) == IsPresent(row - stride, in_if.index) &&
                           std::memcmp(row + in_if.offset, row - stride + in_if.offset, sizeof(uint32_t)) == 0));
    root_of[i] = same ? root_of[i - 1] : RootOf(row, texts);
  }
}

void IgpEnricher::State::Block(uint8_t* rows, size_t stride, size_t n, base::Interner& texts) {
  FindRoots(rows, stride, n, texts);
  reach.FindBatch(rows + destination.address.offset, stride, n, dst_views.data());
  if (wants_source) reach.FindBatch(rows + source.address.offset, stride, n, src_views.data());
  size_t hop_count = 0;
  if (bgp_next_hop.there()) {
    const uint8_t* row = rows;
    for (size_t i = 0; i < n; ++i, row += stride) {
      hop_of[i] = kNoHop;
      if (!IsPresent(row, bgp_next_hop.index)) continue;
      const base::IpAddress hop = base::IpAddress::FromV6(row + bgp_next_hop.offset);
      if (hop == base::IpAddress() || hop == base::IpAddress::V4(0)) continue;
      hop_of[i] = static_cast<uint8_t>(hop_count);
      std::memcpy(hops.data() + hop_count++ * base::IpAddress::kSize, hop.data(), base::IpAddress::kSize);
    }
    reach.FindBatch(hops.data(), base::IpAddress::kSize, hop_count, hop_views.data());
  } else {
    std::fill_n(hop_of.begin(), n, kNoHop);
  }

  using Side = IgpRoutes::Side;
  const auto key_of = [this](const ReachView& view, size_t i, Side side) {
    const uint64_t key = IgpRoutes::KeyOf(view, static_cast<uint32_t>(root_of[i]), side);
    routes.PrefetchSet(key);
    return key;
  };
  const uint8_t* row = rows;
  for (size_t i = 0; i < n; ++i, row += stride) {
    dst_keys[i] = src_keys[i] = hop_keys[i] = 0;
    if (root_of[i] < 0) continue;
    if (IsPresent(row, destination.address.index)) dst_keys[i] = key_of(dst_views[i], i, Side::kDestination);
    if (hop_of[i] != kNoHop) hop_keys[i] = key_of(hop_views[hop_of[i]], i, Side::kDestination);
    if (wants_source && IsPresent(row, source.address.index)) src_keys[i] = key_of(src_views[i], i, Side::kSource);
  }
  const auto slot_of = [this](uint64_t key) {
    const size_t slot = key == 0 ? IgpRoutes::kNowhere : routes.SlotOf(key);
    if (slot != IgpRoutes::kNowhere) routes.PrefetchEntry(slot);
    return slot;
  };
  for (size_t i = 0; i < n; ++i) {
    dst_slots[i] = slot_of(dst_keys[i]);
    hop_slots[i] = slot_of(hop_keys[i]);
    src_slots[i] = slot_of(src_keys[i]);
  }
  for (size_t i = 0; i < n; ++i) ++outcomes[static_cast<size_t>(Join(i, rows + i * stride, texts))];
}

void IgpEnricher::State::TellSource(size_t i, const Root& root, uint8_t* row, base::Interner& texts) {
  const IgpRoutes::Entry& from = routes.Get(src_keys[i], src_slots[i], root.igp, static_cast<uint32_t>(root_of[i]),
                                            src_views[i], row + source.address.offset, texts);
  if (from.found == IgpRoutes::Found::kNothing) return;
  const bool fills = options.fill_networks && source.IsShorter(row, from.length);
  source.Tell(from.length, row);
  if (fills) source.Fill(from.length, row);
  Put(src_router, from.values[static_cast<size_t>(IgpValue::kEgress)], row);
  Put(src_router_id, from.values[static_cast<size_t>(IgpValue::kEgressId)], row);
}

IgpOutcome IgpEnricher::State::Join(size_t i, uint8_t* row, base::Interner& texts) {
  using Entry = IgpRoutes::Entry;
  using Found = IgpRoutes::Found;
  const bool has_hop = hop_of[i] != kNoHop;
  const bool has_address = IsPresent(row, destination.address.index);
  if (root_of[i] < 0) return root_of[i] == kNotReady ? IgpOutcome::kNotReady : IgpOutcome::kNoRouter;
  const auto number = static_cast<uint32_t>(root_of[i]);
  const Root& root = roots[number];
  Put(ingress, root.name, row);
  Put(ingress_id, root.identifier, row);
  if (src_keys[i] != 0) TellSource(i, root, row, texts);
  if (!has_hop && !has_address) return IgpOutcome::kNoAddress;

  const Entry* to = nullptr;
  bool longer = true;  // than BGP's
  bool fills = false;  // longer than what the record said, or the record said nothing
  if (dst_keys[i] != 0) {
    const Entry& entry =
        routes.Get(dst_keys[i], dst_slots[i], root.igp, number, dst_views[i], row + destination.address.offset, texts);
    if (entry.found != Found::kNothing) {
      to = &entry;
      const uint8_t bgp_length = Has(row, destination.told_mask) ? row[destination.told_mask.offset] : 0;
      longer = !has_hop || entry.length > bgp_length;
      fills = options.fill_networks && longer && destination.IsShorter(row, entry.length);
      destination.Tell(entry.length, row);
      if (fills) destination.Fill(entry.length, row);
    }
  }
  if (has_hop && (to == nullptr || !longer)) {
    ++by_next_hop;
    to = nullptr;
    if (hop_keys[i] != 0) {
      const Entry& entry = routes.Get(hop_keys[i], hop_slots[i], root.igp, number, hop_views[hop_of[i]],
                                      hops.data() + hop_of[i] * base::IpAddress::kSize, texts);
      if (entry.found != Found::kNothing) to = &entry;
    }
    if (to == nullptr) return IgpOutcome::kNoNextHopRoute;
  }
  if (to == nullptr) return IgpOutcome::kNoRoute;
  for (const Assignment& assignment : assignments) {
    if ((to->told & MaskOf(assignment.value)) == 0) continue;
    const uint32_t value = to->values[static_cast<size_t>(assignment.value)];
    uint8_t* const field = row + assignment.place.offset;
    if (assignment.is_octet) {
      *field = static_cast<uint8_t>(value);
    } else {
      base::StoreHost(field, value);
    }
    MarkPresent(row, assignment.place.index);
  }
  if (next_hop.there() && (to->told & kIgpNextHop) != 0 && (fills || !IsPresent(row, next_hop.index))) {
    std::memcpy(row + next_hop.offset, to->next_hop, base::IpAddress::kSize);
    MarkPresent(row, next_hop.index);
  }
  return to->found == Found::kLocal ? IgpOutcome::kLocal : IgpOutcome::kJoined;
}

void IgpEnricher::State::Apply(record::FlowBatch& batch) {
  if (!is_wanted || batch.empty()) return;
  if (!reader || !exporter.there() || !destination.address.there()) {
    outcomes[static_cast<size_t>(IgpOutcome::kNotJoined)] += batch.size();
    return;
  }
  base::Interner& texts = batch.interner();
  if (interner != texts.identity() || roots.size() > IgpRoutes::kMaxRoots / 2) {
    Forget();
    interner = texts.identity();
  }
  reader->Online();
  MeetSnapshot();
  if (snapshot == nullptr) {
    outcomes[static_cast<size_t>(IgpOutcome::kNotReady)] += batch.size();
  } else {
    const size_t stride = batch.stride();
    for (size_t first = 0; first < batch.size(); first += kBlock) {
      Block(batch.data() + first * stride, stride, std::min(kBlock, batch.size() - first), texts);
    }
  }
  reader->Offline();
}

}  // namespace flowacct::enrich
