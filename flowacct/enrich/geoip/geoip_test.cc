#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/geoip/geo_database.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/geoip/testing/database_builder.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/testing/allocation_counter.h"

// Of LeakSanitizer, where there is one.
extern "C" void __lsan_disable() __attribute__((weak));
extern "C" void __lsan_enable() __attribute__((weak));

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using record::FieldSet;
using testing::DatabaseBuilder;
using testing::Double;
using testing::Map;
using testing::Text;
using testing::Uint32;

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

std::string WriteFile(absl::string_view name, const std::string& octets) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  EXPECT_EQ(std::fwrite(octets.data(), 1, octets.size(), file), octets.size());
  std::fclose(file);
  return path;
}

std::string City(absl::string_view country, absl::string_view city, absl::string_view code, double latitude,
                 double longitude) {
  return Map({{"city", Map({{"names", Map({{"de", Text("anders")}, {"en", Text(city)}})}})},
              {"country", Map({{"iso_code", Text(country)}, {"names", Map({{"en", Text("The Land")}})}})},
              {"location", Map({{"latitude", Double(latitude)}, {"longitude", Double(longitude)}})},
              {"postal", Map({{"code", Text(code)}})}});
}

std::shared_ptr<const GeoDatabase> CityDatabase(unsigned record_bits = 28) {
  DatabaseBuilder builder(record_bits);
  builder.Add("192.0.2.0/24", City("NL", "Amsterdam", "1012", 52.375, 4.875));
  builder.Add("192.0.2.128/25", City("BE", "Gent", "9000", 51.0, 3.75));
  builder.Add("2001:db8::/32", Map({{"registered_country", Map({{"iso_code", Text("DE")}})}}));
  const std::string path = WriteFile(absl::StrCat("city", record_bits, ".mmdb"), builder.Build("Test-City"));
  auto database = GeoDatabase::Open(path);
  EXPECT_TRUE(database.ok()) << database.status();
  return *database;
}

TEST(GeoDatabase, FindsAndReadsInEachRecordSize) {
  for (const unsigned bits : {24u, 28u, 32u}) {
    const auto database = CityDatabase(bits);
    EXPECT_EQ(database->Describe(), "Test-City built 2026-01-31");
    const GeoRecord amsterdam = database->Read(database->Find(Address("192.0.2.1")));
    EXPECT_EQ(amsterdam.country, "NL");
    EXPECT_EQ(amsterdam.city, "Amsterdam");
    EXPECT_EQ(amsterdam.pocode, "1012");
    EXPECT_TRUE(amsterdam.has_coords);
    EXPECT_EQ(amsterdam.latitude, 52.375f);
    EXPECT_EQ(amsterdam.longitude, 4.875f);
    EXPECT_EQ(amsterdam.as, 0u);
    EXPECT_EQ(database->Read(database->Find(Address("192.0.2.200"))).city, "Gent");
    EXPECT_EQ(database->Read(database->Find(Address("2001:db8::1"))).country, "DE");
    EXPECT_EQ(database->Find(Address("198.51.100.1")), GeoDatabase::kNoRecord);
    EXPECT_EQ(database->Find(Address("192.0.2.1")), database->Find(Address("192.0.2.2")));
  }
}

TEST(GeoDatabase, ReadsFlatRecordsAndMistrustsTypes) {
  DatabaseBuilder builder(24);
  builder.Add("10.0.0.0/8", Map({{"country", Text("NL")},
                                 {"city", Text("Delft")},
                                 {"asn", Text("AS64496")},
                                 {"as_name", Text("Example")},
                                 {"postal_code", Text("2600")}}));
  builder.Add("11.0.0.0/8", Map({{"country", Text("Netherlands")},
                                 {"country_code", Text("NL")},
                                 {"asn", Text("ASX")},
                                 {"location", Map({{"latitude", Text("1")}, {"longitude", Double(1)}})}}));
  builder.Add("12.0.0.0/8", Map({{"country", Uint32(7)},
                                 {"asn", Uint32(7)},
                                 {"location", Map({{"latitude", Double(91)}, {"longitude", Double(1)}})}}));
  builder.Add("13.0.0.0/8", Text("no map"));
  const auto database = *GeoDatabase::Open(WriteFile("flat.mmdb", builder.Build("Flat")));
  const auto read = [&](absl::string_view address) { return database->Read(database->Find(Address(address))); };
  EXPECT_EQ(read("10.0.0.1").country, "NL");
  EXPECT_EQ(read("10.0.0.1").city, "Delft");
  EXPECT_EQ(read("10.0.0.1").as, 64496u);
  EXPECT_EQ(read("10.0.0.1").as_name, "Example");
  EXPECT_EQ(read("10.0.0.1").pocode, "2600");
  EXPECT_EQ(read("11.0.0.1").country, "NL");
  EXPECT_EQ(read("11.0.0.1").as, 0u);
  EXPECT_FALSE(read("11.0.0.1").has_coords);
  EXPECT_EQ(read("12.0.0.1").country, "");
  EXPECT_EQ(read("12.0.0.1").as, 7u);
  EXPECT_FALSE(read("12.0.0.1").has_coords);
  EXPECT_EQ(read("13.0.0.1").country, "");
}

TEST(GeoDatabase, FilesThatAreNone) {
  EXPECT_TRUE(
      absl::StrContains(GeoDatabase::Open("/no/such.mmdb").status().message(), "/no/such.mmdb: cannot be opened"));
  const std::string path = WriteFile("text.mmdb", "no database at all");
  EXPECT_TRUE(absl::StrContains(GeoDatabase::Open(path).status().message(), "no MaxMind database"));
}

TEST(GeoDatabase, ADamagedFileIsRefusedOrTellsNothingWrong) {
  DatabaseBuilder builder(24);
  builder.Add("192.0.2.0/24", City("NL", "Amsterdam", "1012", 52.375, 4.875));
  const std::string whole = builder.Build("Test-City");
  // Before its version 1.12 the library loses what it has read of metadata that is damaged (its pull request 356).
  if (__lsan_disable != nullptr) __lsan_disable();
  for (size_t i = 0; i < whole.size(); i += 3) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    const auto database = GeoDatabase::Open(WriteFile("damaged.mmdb", damaged));
    if (!database.ok()) continue;
    (*database)->Read((*database)->Find(Address("192.0.2.1")));  // under the sanitizers: it reads nothing foreign
  }
  if (__lsan_enable != nullptr) __lsan_enable();
}

TEST(GeoEnricher, FillsWhatIsWanted) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  const auto fill = [&] {
    batch.Clear();
    for (int i = 0; i < 100; ++i) {
      auto row = batch.Append();
      row.Set<F::kSrcAddr>(Address(i % 2 == 0 ? "192.0.2.1" : "192.0.2.200"));
      if (i != 7) row.Set<F::kDstAddr>(Address("198.51.100.1"));
    }
    batch.row(3).Set<F::kSrcCountry>(interner.Intern("XX"));
  };
  GeoEnricher enricher(CityDatabase());
  EXPECT_EQ(enricher.RequiredFields(FieldSet({F::kSrcCity})), (std::vector<F>{F::kSrcAddr}));
  EXPECT_TRUE(enricher.RequiredFields(FieldSet({F::kSrcNet})).empty());
  enricher.Bind(layout, FieldSet({F::kSrcCountry, F::kSrcCity, F::kSrcCoords, F::kSrcPocode, F::kDstCountry}));
  fill();
  enricher.Apply(batch);
  const auto text = [&](base::InternId id) { return std::string(base::AsText(interner.Find(id))); };
  EXPECT_EQ(text(batch.row(0).Get<F::kSrcCountry>()), "NL");
  EXPECT_EQ(text(batch.row(1).Get<F::kSrcCity>()), "Gent");
  EXPECT_EQ(text(batch.row(1).Get<F::kSrcPocode>()), "9000");
  EXPECT_EQ(text(batch.row(3).Get<F::kSrcCountry>()), "XX") << "told before";
  const uint64_t coords = batch.row(0).Get<F::kSrcCoords>();
  EXPECT_EQ(base::LoadHost<float>(reinterpret_cast<const uint8_t*>(&coords)), 52.375f);
  EXPECT_FALSE(batch.row(0).Has(F::kDstCountry) || batch.row(0).Has(F::kSrcAs));
  const std::vector<EnricherCounter> counters = enricher.counters();
  EXPECT_EQ(counters[0].value, 199u);
  EXPECT_EQ(counters[1].value, 99u);
  EXPECT_EQ(counters[2].value, 3u) << "each address is looked up once";
  EXPECT_EQ(counters[3].value, 2u);
  GeoEnricherOptions options;
  options.replace = true;
  options.address_slots = 1;
  options.max_records = 1;
  GeoEnricher forgetful(CityDatabase(), options);
  forgetful.Bind(layout, FieldSet({F::kSrcCountry}));
  fill();
  forgetful.Apply(batch);
  EXPECT_EQ(text(batch.row(3).Get<F::kSrcCountry>()), "BE");
  EXPECT_EQ(text(batch.row(98).Get<F::kSrcCountry>()), "NL");
  EXPECT_EQ(forgetful.counters()[3].value, 100u);
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  fill();
  const ::flowacct::testing::AllocationCounter counter;
  enricher.Apply(batch);
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(GeoEnricher, AnotherInternerIsNoticed) {
  const record::Layout layout({F::kSrcAddr, F::kSrcCountry});
  GeoEnricher enricher(CityDatabase());
  enricher.Bind(layout, FieldSet(layout.fields()));
  for (int round = 0; round < 3; ++round) {
    base::Interner interner;
    for (int i = 0; i < round; ++i) interner.Intern(absl::StrCat("before ", i));
    record::FlowBatch batch(&layout, &interner);
    batch.Append().Set<F::kSrcAddr>(Address("192.0.2.1"));
    enricher.Apply(batch);
    EXPECT_EQ(base::AsText(interner.Find(batch.row(0).Get<F::kSrcCountry>())), "NL");
  }
}

}  // namespace
}  // namespace flowacct::enrich
