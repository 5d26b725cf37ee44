#include "flowacct/rpki/roa_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::rpki {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

std::vector<std::string> Texts(const RoaFile& file) {
  std::vector<std::string> texts;
  for (const Vrp& vrp : file.vrps)
    texts.push_back(absl::StrCat(vrp.prefix.ToString(), "-", vrp.max_length, " AS", vrp.as));
  return texts;
}

TEST(RoaFile, ReadsWhatValidatorsWrite) {
  // rpki-client
  auto file = ParseRoaFile(R"({
    "metadata": {"buildmachine": "x", "roas": 2, "elapsedtime": "12", "nested": [{"roas": [{"asn": 1, "prefix": "10.0.0.0/8"}]}]},
    "roas": [
      {"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe", "expires": 1700000001},
      {"asn": 4200000000, "prefix": "2001:db8::/32", "maxLength": 48, "ta": "arin", "expires": 1700000000}
    ],
    "bgpsec_keys": [{"asn": 1, "ski": "00", "pubkey": "x"}],
    "aspas": [{"customer_asid": 1, "providers": [2, 3]}]
  })",
                           kNow);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Texts(*file), ElementsAre("192.0.2.0/24-24 AS64496"));
  EXPECT_EQ(file->expired, 1u);
  EXPECT_EQ(file->malformed, 0u);
  // Routinator and its jsonext, whose entries have more than numbers and texts
  file = ParseRoaFile(R"({"metadata": {"generated": 1685455841}, "roas": [
      {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "ripe",
       "source": [{"type": "roa", "asn": 7, "validity": {"notBefore": "x"}}]},
      {"asn": "64497", "prefix": "198.51.100.0/24"}]})",
                      kNow);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Texts(*file), ElementsAre("192.0.2.0/24-25 AS64496", "198.51.100.0/24-24 AS64497"));
  EXPECT_EQ(file->malformed, 0u);
  file = ParseRoaFile(R"({"roas": []})", kNow);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->vrps.empty());
}

TEST(RoaFile, LeavesOutWhatIsMalformed) {
  for (const char* entry : {
           R"({"prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": 1, "maxLength": 24})",
           R"({"asn": 1, "prefix": "192.0.2.0", "maxLength": 24})",
           R"({"asn": 1, "prefix": "192.0.2.0/33", "maxLength": 33})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 23})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 33})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 280})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": "24"})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": -1})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 24.5})",
           R"({"asn": 1, "prefix": "::ffff:192.0.2.0/120", "maxLength": 120})",
           R"({"asn": 4294967296, "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": -1, "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": "ASX", "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": null, "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": [1], "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": {"asn": 1}, "prefix": "192.0.2.0/24", "maxLength": 24})",
           R"({"asn": 1, "prefix": 192, "maxLength": 24})",
           R"({"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 24, "expires": "never"})",
           R"({})",
       }) {
    const auto file = ParseRoaFile(
        absl::StrCat(R"({"roas": [)", entry, R"(, {"asn": 1, "prefix": "203.0.113.0/24", "maxLength": 24}]})"), kNow);
    ASSERT_TRUE(file.ok()) << entry;
    EXPECT_THAT(Texts(*file), ElementsAre("203.0.113.0/24-24 AS1")) << entry;
    EXPECT_EQ(file->malformed, 1u) << entry;
  }
}

TEST(RoaFile, RefusesWhatIsNone) {
  for (const char* text : {"", "{", "[]", "{}", "7", R"({"roas": 7})", R"([{"roas": []}])", R"({"roas": [{"asn": 1])",
                           R"({"metadata": {"roas": []}})"}) {
    EXPECT_EQ(ParseRoaFile(text, kNow).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  // Every start of a file that is right is none.
  const std::string good = R"({"roas": [{"asn": 1, "prefix": "203.0.113.0/24", "maxLength": 24}]})";
  ASSERT_TRUE(ParseRoaFile(good, kNow).ok());
  for (size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(ParseRoaFile(good.substr(0, cut), kNow).ok()) << cut;
  EXPECT_FALSE(ParseRoaFile(std::string(1000000, '['), kNow).ok());
}

TEST(RoaFile, IsBounded) {
  RoaFileOptions options;
  options.max_vrps = 1;
  const std::string entry = R"({"asn": 1, "prefix": "203.0.113.0/24", "maxLength": 24})";
  EXPECT_TRUE(ParseRoaFile(absl::StrCat(R"({"roas": [)", entry, "]}"), kNow, options).ok());
  const auto file = ParseRoaFile(absl::StrCat(R"({"roas": [)", entry, ",", entry, "]}"), kNow, options);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("max_vrps"));
}

}  // namespace
}  // namespace flowacct::rpki
