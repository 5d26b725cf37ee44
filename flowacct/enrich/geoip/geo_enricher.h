// Puts into records what a GeoDatabase tells of their addresses: country, city, pocode, coords, as and as_name of the
// source and of the destination, those that are wanted.
//
// Threads, ownership: as every enricher (enricher.h); the database is shared. Cost: addresses that came lately are
// remembered (a look-up is a hash and a compare), others walk down the database's tree; a record of the database is
// read once and kept. Memory: address_slots times 24 octets and max_records times some 50, a worker.

#ifndef FLOWACCT_ENRICH_GEOIP_GEO_ENRICHER_H_
#define FLOWACCT_ENRICH_GEOIP_GEO_ENRICHER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/geoip/geo_database.h"

namespace flowacct::enrich {

struct GeoEnricherOptions {
  // The database wins over what a record has already; else it only fills gaps.
  bool replace = false;
  // Addresses that are remembered, a power of two: 16384 take 400 KB, and hold what a worker sees most.
  size_t address_slots = size_t{1} << 14;
  // Records of the database that are kept in the form of rows: more than any country or AS database has; of a city
  // database's some hundred thousand. When there are more, all are forgotten.
  size_t max_records = size_t{1} << 18;
};

class GeoEnricher : public Enricher {
 public:
  explicit GeoEnricher(std::shared_ptr<const GeoDatabase> database, const GeoEnricherOptions& options = {});
  static EnricherFactory Factory(std::shared_ptr<const GeoDatabase> database, const GeoEnricherOptions& options = {});

  absl::string_view name() const override { return "geoip"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  enum Attribute : size_t { kCountry, kCity, kPocode, kCoords, kAs, kAsName, kAttributes };
  static const record::FieldId kFields[2][kAttributes];

  struct Side {
    FieldPlace address;
    std::array<FieldPlace, kAttributes> places;
    bool wanted = false;
  };
  // A record of the database as rows have it.
  struct Kept {
    uint8_t told = 0;  // a bit an attribute
    uint32_t as = 0;
    base::InternId country = 0, city = 0, pocode = 0, as_name = 0;
    float latitude = 0, longitude = 0;
  };
  struct Slot {
    base::IpAddress address;
    uint32_t record = GeoDatabase::kNoRecord;
    bool used = false;
  };

  uint32_t Find(const base::IpAddress& address);
  const Kept& Keep(uint32_t record, base::Interner& interner);
  void Tell(const Side& side, const Kept& kept, uint8_t* row) const;

  std::shared_ptr<const GeoDatabase> database_;
  GeoEnricherOptions options_;
  Side sides_[2];
  std::vector<Slot> slots_;
  absl::flat_hash_map<uint32_t, Kept> kept_;
  std::shared_ptr<const void> interner_;  // whose ids are kept
  uint64_t addresses_ = 0, addresses_unknown_ = 0, tree_walks_ = 0, records_read_ = 0, damaged_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_GEOIP_GEO_ENRICHER_H_
