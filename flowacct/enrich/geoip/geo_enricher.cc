#include "flowacct/enrich/geoip/geo_enricher.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/octet_hash.h"
#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

size_t PowerOfTwo(size_t n) {
  size_t power = 1;
  while (power < n && power < (size_t{1} << 30)) power *= 2;
  return power;
}

}  // namespace

const F GeoEnricher::kFields[2][kAttributes] = {
    {F::kSrcCountry, F::kSrcCity, F::kSrcPocode, F::kSrcCoords, F::kSrcAs, F::kSrcAsName},
    {F::kDstCountry, F::kDstCity, F::kDstPocode, F::kDstCoords, F::kDstAs, F::kDstAsName}};

GeoEnricher::GeoEnricher(std::shared_ptr<const GeoDatabase> database, const GeoEnricherOptions& options)
    : database_(std::move(database)), options_(options), slots_(PowerOfTwo(options.address_slots)) {}

EnricherFactory GeoEnricher::Factory(std::shared_ptr<const GeoDatabase> database, const GeoEnricherOptions& options) {
  return [database = std::move(database), options] { return std::make_unique<GeoEnricher>(database, options); };
}

std::vector<F> GeoEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> fields;
  if (wanted.HasAny(kFields[0])) fields.push_back(F::kSrcAddr);
  if (wanted.HasAny(kFields[1])) fields.push_back(F::kDstAddr);
  return fields;
}

void GeoEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  const auto place_of = [&layout](F field) { return PlaceOf(layout, field); };
  for (size_t s = 0; s < 2; ++s) {
    Side& side = sides_[s];
    side.address = place_of(s == 0 ? F::kSrcAddr : F::kDstAddr);
    side.wanted = false;
    for (size_t a = 0; a < kAttributes; ++a) {
      side.places[a] = wanted.Has(kFields[s][a]) ? place_of(kFields[s][a]) : FieldPlace{};
      side.wanted = side.wanted || side.places[a].offset != record::Layout::kAbsent;
    }
    side.wanted = side.wanted && side.address.offset != record::Layout::kAbsent;
  }
}

uint32_t GeoEnricher::Find(const base::IpAddress& address) {
  const uint64_t hash = base::FoldedMultiply(base::LoadHost<uint64_t>(address.data()) ^ 0x9e3779b97f4a7c15,
                                             base::LoadHost<uint64_t>(address.data() + 8) ^ 0xd1342543de82ef95);
  Slot& slot = slots_[hash & (slots_.size() - 1)];
  if (slot.used && slot.address == address) return slot.record;
  ++tree_walks_;
  slot.address = address;
  slot.used = true;
  slot.record = database_->Find(address);
  return slot.record;
}

const GeoEnricher::Kept& GeoEnricher::Keep(uint32_t record, base::Interner& interner) {
  if (const auto known = kept_.find(record); known != kept_.end()) return known->second;
  if (kept_.size() >= std::max<size_t>(options_.max_records, 1)) kept_.clear();
  ++records_read_;
  const GeoRecord told = database_->Read(record);
  Kept kept;
  const auto keep_text = [&](absl::string_view text, Attribute attribute, base::InternId* id) {
    if (text.empty()) return;
    *id = interner.Intern(text);
    kept.told |= static_cast<uint8_t>(1 << attribute);
  };
  keep_text(told.country, kCountry, &kept.country);
  keep_text(told.city, kCity, &kept.city);
  keep_text(told.pocode, kPocode, &kept.pocode);
  keep_text(told.as_name, kAsName, &kept.as_name);
  if (told.as != 0) {
    kept.as = told.as;
    kept.told |= 1 << kAs;
  }
  if (told.has_coords) {
    kept.latitude = told.latitude;
    kept.longitude = told.longitude;
    kept.told |= 1 << kCoords;
  }
  return kept_.emplace(record, kept).first->second;
}

void GeoEnricher::Tell(const Side& side, const Kept& kept, uint8_t* row) const {
  for (size_t a = 0; a < kAttributes; ++a) {
    const FieldPlace& place = side.places[a];
    if (place.offset == record::Layout::kAbsent || (kept.told >> a & 1) == 0) continue;
    if (!options_.replace && IsPresent(row, place.index)) continue;
    uint8_t* const field = row + place.offset;
    switch (static_cast<Attribute>(a)) {
      case kCountry:
        base::StoreHost(field, kept.country);
        break;
      case kCity:
        base::StoreHost(field, kept.city);
        break;
      case kPocode:
        base::StoreHost(field, kept.pocode);
        break;
      case kCoords:
        base::StoreHost(field, kept.latitude);
        base::StoreHost(field + 4, kept.longitude);
        break;
      case kAs:
        base::StoreHost(field, kept.as);
        break;
      case kAsName:
        base::StoreHost(field, kept.as_name);
        break;
      case kAttributes:
        break;
    }
    MarkPresent(row, place.index);
  }
}

void GeoEnricher::Apply(record::FlowBatch& batch) {
  if (interner_ != batch.interner().identity()) {
    interner_ = batch.interner().identity();
    kept_.clear();
  }
  for (const Side& side : sides_) {
    if (!side.wanted) continue;
    uint8_t* row = batch.data();
    for (size_t i = 0; i < batch.size(); ++i, row += batch.stride()) {
      if (!IsPresent(row, side.address.index)) continue;
      ++addresses_;
      const uint32_t record = Find(base::IpAddress::FromV6(row + side.address.offset));
      if (record == GeoDatabase::kNoRecord) {
        ++addresses_unknown_;
      } else if (record == GeoDatabase::kDamaged) {
        ++damaged_;
      } else {
        Tell(side, Keep(record, batch.interner()), row);
      }
    }
  }
}

std::vector<EnricherCounter> GeoEnricher::counters() const {
  return {{"addresses", addresses_},
          {"addresses_unknown", addresses_unknown_},
          {"tree_walks", tree_walks_},
          {"records_read", records_read_},
          {"damaged", damaged_}};
}

}  // namespace flowacct::enrich
