#include "flowacct/enrich/networks_enricher.h"

#include <algorithm>
#include <utility>

#include "flowacct/record/row.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

constexpr F kOfSource[] = {F::kSrcNet, F::kSrcMask, F::kSrcAs};
constexpr F kOfDestination[] = {F::kDstNet, F::kDstMask, F::kDstAs, F::kBgpNextHop};

// Calls `tell(row, network)` for each row whose address is in a network; returns how many addresses are in none.
template <typename Tell>
uint64_t ForEachKnown(const Networks& networks, F address, record::FlowBatch* batch, uint64_t* addresses, Tell tell) {
  constexpr size_t kBlock = 64;
  const Network* found[kBlock];
  uint64_t unknown = 0;
  for (size_t first = 0; first < batch->size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch->size() - first);
    networks.FindBatch(batch->data() + first * batch->stride() + batch->layout().offset(address), batch->stride(), n,
                       found);
    for (size_t i = 0; i < n; ++i) {
      record::MutableRow row = batch->row(first + i);
      if (!row.Has(address)) continue;
      ++*addresses;
      if (found[i] == nullptr) {
        ++unknown;
      } else {
        tell(row, *found[i]);
      }
    }
  }
  return unknown;
}

}  // namespace

EnricherFactory NetworksEnricher::Factory(std::shared_ptr<const Networks> networks, NetworksPolicy policy) {
  return [networks = std::move(networks), policy] { return std::make_unique<NetworksEnricher>(networks, policy); };
}

std::vector<F> NetworksEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> fields;
  if (wanted.HasAny(kOfSource)) fields.push_back(F::kSrcAddr);
  if (wanted.HasAny(kOfDestination)) fields.push_back(F::kDstAddr);
  return fields;
}

void NetworksEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  wanted_ = record::FieldSet();
  for (F field : layout.fields()) {
    if (wanted.Has(field)) wanted_.Add(field);
  }
}

void NetworksEnricher::Apply(record::FlowBatch& batch) {
  const bool replace = policy_ == NetworksPolicy::kReplace;
  const auto tells = [&](const record::MutableRow& row, F field) {
    return wanted_.Has(field) && (replace || !row.Has(field));
  };
  const record::Layout& layout = batch.layout();
  if (layout.Has(F::kSrcAddr) && wanted_.HasAny(kOfSource)) {
    addresses_unknown_ += ForEachKnown(*networks_, F::kSrcAddr, &batch, &addresses_,
                                       [&](record::MutableRow& row, const Network& network) {
                                         if (tells(row, F::kSrcNet)) row.Set<F::kSrcNet>(network.prefix);
                                         if (tells(row, F::kSrcMask)) row.Set<F::kSrcMask>(network.prefix.length());
                                         if (network.as != 0 && tells(row, F::kSrcAs)) row.Set<F::kSrcAs>(network.as);
                                       });
  }
  if (layout.Has(F::kDstAddr) && wanted_.HasAny(kOfDestination)) {
    addresses_unknown_ += ForEachKnown(*networks_, F::kDstAddr, &batch, &addresses_,
                                       [&](record::MutableRow& row, const Network& network) {
                                         if (tells(row, F::kDstNet)) row.Set<F::kDstNet>(network.prefix);
                                         if (tells(row, F::kDstMask)) row.Set<F::kDstMask>(network.prefix.length());
                                         if (network.as != 0 && tells(row, F::kDstAs)) row.Set<F::kDstAs>(network.as);
                                         if (network.has_next_hop && tells(row, F::kBgpNextHop))
                                           row.Set<F::kBgpNextHop>(network.next_hop);
                                       });
  }
}

std::vector<EnricherCounter> NetworksEnricher::counters() const {
  return {{"addresses", addresses_}, {"addresses_unknown", addresses_unknown_}};
}

}  // namespace flowacct::enrich
