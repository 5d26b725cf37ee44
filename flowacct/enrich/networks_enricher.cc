#include "flowacct/enrich/networks_enricher.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

}  // namespace

NetworksEnricher::NetworksEnricher(std::shared_ptr<const Networks> networks, NetworksPolicy policy)
    : networks_(std::move(networks)), policy_(policy) {
  sides_[0].address = F::kSrcAddr;
  sides_[0].net = F::kSrcNet;
  sides_[0].mask = F::kSrcMask;
  sides_[1].address = F::kDstAddr;
  sides_[1].net = F::kDstNet;
  sides_[1].mask = F::kDstMask;
  for (const Networks::Column& column : networks_->columns()) {
    sides_[0].fields.push_back(column.source);
    sides_[1].fields.push_back(column.destination);
  }
}

EnricherFactory NetworksEnricher::Factory(std::shared_ptr<const Networks> networks, NetworksPolicy policy) {
  return [networks = std::move(networks), policy] { return std::make_unique<NetworksEnricher>(networks, policy); };
}

std::vector<F> NetworksEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> fields;
  for (const Side& side : sides_) {
    const bool tells = wanted.Has(side.net) || wanted.Has(side.mask) ||
                       std::any_of(side.fields.begin(), side.fields.end(),
                                   [&wanted](F field) { return field != Networks::kNoField && wanted.Has(field); });
    if (!tells) continue;
    fields.push_back(side.address);
    if (policy_ == NetworksPolicy::kLongest) fields.push_back(side.mask);
  }
  return fields;
}

void NetworksEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  const auto place_of = [&layout](F field) { return PlaceOf(layout, field); };
  const auto wanted_place_of = [&](F field) { return wanted.Has(field) ? place_of(field) : FieldPlace{}; };
  for (Side& side : sides_) {
    side.address_place = place_of(side.address);
    side.net_place = wanted_place_of(side.net);
    side.mask_place = wanted_place_of(side.mask);
    side.told_mask = place_of(side.mask);
    side.assignments.clear();
    for (size_t i = 0; i < side.fields.size(); ++i) {
      if (side.fields[i] == Networks::kNoField) continue;
      const FieldPlace place = wanted_place_of(side.fields[i]);
      if (place.offset == record::Layout::kAbsent) continue;
      const record::FieldType type = record::Info(side.fields[i]).type;
      side.assignments.push_back(
          {i, record::IsInterned(type) ? uint8_t{0} : static_cast<uint8_t>(record::FieldTypeSize(type)), place});
    }
    side.wanted = side.address_place.offset != record::Layout::kAbsent &&
                  (side.net_place.offset != record::Layout::kAbsent ||
                   side.mask_place.offset != record::Layout::kAbsent || !side.assignments.empty());
  }
}

void NetworksEnricher::Apply(record::FlowBatch& batch) {
  texts_.Meet(batch.interner());
  for (const Side& side : sides_) {
    if (side.wanted) Apply(side, batch);
  }
}

void NetworksEnricher::Apply(const Side& side, record::FlowBatch& batch) {
  constexpr size_t kBlock = 64;
  const Network* found[kBlock];
  for (size_t first = 0; first < batch.size(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    uint8_t* row = batch.data() + first * batch.stride();
    networks_->FindBatch(row + side.address_place.offset, batch.stride(), n, found);
    for (size_t i = 0; i < n; ++i, row += batch.stride()) {
      if (!IsPresent(row, side.address_place.index)) continue;
      ++addresses_;
      if (found[i] == nullptr) {
        ++addresses_unknown_;
      } else {
        Tell(side, *found[i], row, batch.interner());
      }
    }
  }
}

void NetworksEnricher::Tell(const Side& side, const Network& network, uint8_t* row, base::Interner& interner) {
  bool replace = policy_ == NetworksPolicy::kReplace;
  if (policy_ == NetworksPolicy::kLongest) {
    const bool told = side.told_mask.offset != record::Layout::kAbsent && IsPresent(row, side.told_mask.index);
    replace = !told || network.length > row[side.told_mask.offset];
  }
  const auto wants = [&](const FieldPlace& place) {
    return place.offset != record::Layout::kAbsent && (replace || !IsPresent(row, place.index));
  };
  if (wants(side.net_place)) {
    const base::IpAddress net = base::Mask(base::IpAddress::FromV6(row + side.address_place.offset), network.length);
    std::memcpy(row + side.net_place.offset, net.data(), base::IpAddress::kSize);
    row[side.net_place.offset + base::IpAddress::kSize] = network.length;
    MarkPresent(row, side.net_place.index);
  }
  if (wants(side.mask_place)) {
    row[side.mask_place.offset] = network.length;
    MarkPresent(row, side.mask_place.index);
  }
  if (side.assignments.empty()) return;
  const uint32_t told = networks_->told(network.attributes);
  for (const Assignment& assignment : side.assignments) {
    if ((told >> assignment.column & 1) == 0 || !wants(assignment.place)) continue;
    const uint64_t value = networks_->value(network.attributes, assignment.column);
    uint8_t* const field = row + assignment.place.offset;
    if (assignment.size == 0) {
      base::StoreHost(field, texts_.Id(networks_->texts(), static_cast<uint32_t>(value), interner));
    } else if (assignment.size <= 8) {
      std::memcpy(field, &value, assignment.size);
    } else {
      std::memcpy(field, networks_->wide(value), assignment.size);
    }
    MarkPresent(row, assignment.place.index);
  }
}

std::vector<EnricherCounter> NetworksEnricher::counters() const {
  return {{"addresses", addresses_}, {"addresses_unknown", addresses_unknown_}};
}

}  // namespace flowacct::enrich
