// A MaxMind DB file: where an address is, and whose it is.
//
// Read are the keys of MaxMind's own databases (GeoLite2 and GeoIP2 Country, City and ASN; DB-IP has the same) and
// those of flat ones (IPinfo):
//
//     country    country.iso_code, else registered_country.iso_code, country_code, country (two letters)
//     city       city.names.LANGUAGE, city
//     pocode     postal.code, postal_code
//     coords     location.latitude and location.longitude
//     as         autonomous_system_number, asn ("AS64496" or a number)
//     as_name    autonomous_system_organization, as_name
//
// The format is that of https://maxmind.github.io/MaxMind-DB/ (2.0), read by libmaxminddb from a mapped file: who
// replaces the file by renaming another over it may do so at any time, and open it anew.
//
// Ownership: owns the mapping. Threads: immutable, for any. Errors: InvalidArgument or NotFound that names the file.
// Cost: a walk down the tree, a node a bit (some 100 ns if it is in the cache); to read a record some microseconds.

#ifndef FLOWACCT_ENRICH_GEOIP_GEO_DATABASE_H_
#define FLOWACCT_ENRICH_GEOIP_GEO_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::enrich {

// What a record tells. Views are good as long as the database.
struct GeoRecord {
  absl::string_view country, city, pocode, as_name;  // empty: not told
  uint32_t as = 0;                                   // 0: not told
  bool has_coords = false;
  float latitude = 0, longitude = 0;
};

struct GeoDatabaseOptions {
  // Of names that come in several languages.
  std::string language = "en";
};

class GeoDatabase {
 public:
  // Of an address of which nothing is told.
  static constexpr uint32_t kNoRecord = 0xffffffff;
  // Of a file that is damaged at that place.
  static constexpr uint32_t kDamaged = 0xfffffffe;

  static absl::StatusOr<std::shared_ptr<const GeoDatabase>> Open(const std::string& path,
                                                                 const GeoDatabaseOptions& options = {});
  ~GeoDatabase();
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;

  // "GeoLite2-City", built 2026-01-31: for people.
  std::string Describe() const;
  // Which record tells of an address: many addresses have the same.
  uint32_t Find(const base::IpAddress& address) const;
  // What a record that Find gave tells; nothing of the others.
  GeoRecord Read(uint32_t record) const;

 private:
  struct State;
  explicit GeoDatabase(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_GEOIP_GEO_DATABASE_H_
