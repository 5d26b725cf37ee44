#include "flowacct/enrich/geoip/geo_database.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace flowacct::enrich {
namespace {

// The value at a path of keys, which end with a null pointer.
std::optional<MMDB_entry_data_s> ValueAt(MMDB_entry_s entry, std::initializer_list<const char*> path) {
  MMDB_entry_data_s value;
  if (MMDB_aget_value(&entry, &value, path.begin()) != MMDB_SUCCESS || !value.has_data) return std::nullopt;
  return value;
}

absl::string_view TextAt(MMDB_entry_s entry, std::initializer_list<const char*> path) {
  const std::optional<MMDB_entry_data_s> value = ValueAt(entry, path);
  if (!value || value->type != MMDB_DATA_TYPE_UTF8_STRING) return {};
  return absl::string_view(value->utf8_string, value->data_size);
}

std::optional<float> DegreeAt(MMDB_entry_s entry, std::initializer_list<const char*> path, double largest) {
  const std::optional<MMDB_entry_data_s> value = ValueAt(entry, path);
  if (!value) return std::nullopt;
  double degree = 0;
  if (value->type == MMDB_DATA_TYPE_DOUBLE) {
    degree = value->double_value;
  } else if (value->type == MMDB_DATA_TYPE_FLOAT) {
    degree = static_cast<double>(value->float_value);
  } else {
    return std::nullopt;
  }
  if (!(std::abs(degree) <= largest)) return std::nullopt;  // also what is no number
  return static_cast<float>(degree);
}

uint32_t NumberAt(MMDB_entry_s entry, std::initializer_list<const char*> path) {
  const std::optional<MMDB_entry_data_s> value = ValueAt(entry, path);
  if (!value) return 0;
  switch (value->type) {
    case MMDB_DATA_TYPE_UINT16:
      return value->uint16;
    case MMDB_DATA_TYPE_UINT32:
      return value->uint32;
    case MMDB_DATA_TYPE_UTF8_STRING: {
      absl::string_view text(value->utf8_string, value->data_size);
      absl::ConsumePrefix(&text, "AS");
      uint32_t number = 0;
      return !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
                     absl::SimpleAtoi(text, &number)
                 ? number
                 : 0;
    }
    default:
      return 0;
  }
}

}  // namespace

struct GeoDatabase::State {
  MMDB_s database{};
  std::string language;

  ~State() { MMDB_close(&database); }
};

GeoDatabase::GeoDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
GeoDatabase::~GeoDatabase() = default;

absl::StatusOr<std::shared_ptr<const GeoDatabase>> GeoDatabase::Open(const std::string& path,
                                                                     const GeoDatabaseOptions& options) {
  auto state = std::make_unique<State>();
  const int code = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &state->database);
  if (code != MMDB_SUCCESS) {
    state->database = MMDB_s();  // there is nothing to close
    if (code == MMDB_FILE_OPEN_ERROR) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
    return absl::InvalidArgumentError(absl::StrCat(path, ": no MaxMind database: ", MMDB_strerror(code)));
  }
  state->language = options.language;
  return std::shared_ptr<const GeoDatabase>(new GeoDatabase(std::move(state)));
}

std::string GeoDatabase::Describe() const {
  const MMDB_metadata_s& metadata = state_->database.metadata;
  return absl::StrCat(metadata.database_type == nullptr ? "" : metadata.database_type, " built ",
                      absl::FormatTime("%Y-%m-%d", absl::FromUnixSeconds(static_cast<int64_t>(metadata.build_epoch)),
                                       absl::UTCTimeZone()));
}

uint32_t GeoDatabase::Find(const base::IpAddress& address) const {
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s result;
  if (address.IsV4()) {
    sockaddr_in socket_address{};
    socket_address.sin_family = AF_INET;
    std::memcpy(&socket_address.sin_addr, address.data() + 12, 4);
    result = MMDB_lookup_sockaddr(&state_->database, reinterpret_cast<const sockaddr*>(&socket_address), &error);
  } else {
    sockaddr_in6 socket_address{};
    socket_address.sin6_family = AF_INET6;
    std::memcpy(&socket_address.sin6_addr, address.data(), 16);
    result = MMDB_lookup_sockaddr(&state_->database, reinterpret_cast<const sockaddr*>(&socket_address), &error);
  }
  if (error == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) return kNoRecord;
  if (error != MMDB_SUCCESS) return kDamaged;
  return result.found_entry ? result.entry.offset : kNoRecord;
}

GeoRecord GeoDatabase::Read(uint32_t record) const {
  GeoRecord told;
  if (record == kNoRecord || record == kDamaged) return told;
  const MMDB_entry_s entry{&state_->database, record};
  told.country = TextAt(entry, {"country", "iso_code", nullptr});
  if (told.country.empty()) told.country = TextAt(entry, {"registered_country", "iso_code", nullptr});
  if (told.country.empty()) told.country = TextAt(entry, {"country_code", nullptr});
  if (told.country.empty()) {
    told.country = TextAt(entry, {"country", nullptr});
    if (told.country.size() != 2) told.country = {};
  }
  told.city = TextAt(entry, {"city", "names", state_->language.c_str(), nullptr});
  if (told.city.empty()) told.city = TextAt(entry, {"city", nullptr});
  told.pocode = TextAt(entry, {"postal", "code", nullptr});
  if (told.pocode.empty()) told.pocode = TextAt(entry, {"postal_code", nullptr});
  const std::optional<float> latitude = DegreeAt(entry, {"location", "latitude", nullptr}, 90);
  const std::optional<float> longitude = DegreeAt(entry, {"location", "longitude", nullptr}, 180);
  if (latitude && longitude) {
    told.has_coords = true;
    told.latitude = *latitude;
    told.longitude = *longitude;
  }
  told.as = NumberAt(entry, {"autonomous_system_number", nullptr});
  if (told.as == 0) told.as = NumberAt(entry, {"asn", nullptr});
  told.as_name = TextAt(entry, {"autonomous_system_organization", nullptr});
  if (told.as_name.empty()) told.as_name = TextAt(entry, {"as_name", nullptr});
  return told;
}

}  // namespace flowacct::enrich
