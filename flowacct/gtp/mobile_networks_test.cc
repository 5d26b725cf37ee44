#include "flowacct/gtp/mobile_networks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

base::Digits D(absl::string_view text) { return *base::Digits::Parse(text); }

TEST(MobileNetworksTest, CountriesAndNetworksOfSubscribers) {
  struct Case {
    const char* imsi;
    const char* country;
    const char* network;
  };
  constexpr Case kCases[] = {
      {"202011234567890", "GR", "20201"},   // the first row
      {"750001123456789", "FK", "750001"},  // the last
      {"262011234567890", "DE", "26201"},
      {"310410123456789", "US", "310410"},
      {"316010123456789", "US", "316010"},
      {"302720123456789", "CA", "302720"},
      {"334020123456789", "MX", "334020"},
      {"235911234567890", "GB", "23591"},
      {"405840123456789", "IN", "405840"},
      {"405661234567890", "IN", "40566"},
      {"404101234567890", "IN", "40410"},
      {"208500123456789", "FR", "208500"},
      {"208011234567890", "FR", "20801"},
      {"502121234567890", "MY", "50212"},
      {"502152123456789", "MY", "502152"},
      {"431021234567890", "AE", "43102"},
      {"221011234567890", "XK", "22101"},
      {"901401234567890", "", "90140"},  // shared
      {"999701234567890", "", "99970"},  // a private network
      {"001011234567890", "", "00101"},  // for tests
      {"26201", "DE", "26201"},          // a network's own code
      {"310410", "US", "310410"},
      {"262", "DE", ""},
      {"31041", "US", "31041"},  // too short for the country's codes: what there is
      {"20", "", ""},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(CountryOf(D(c.imsi)), c.country) << c.imsi;
    const base::Digits network = HomeNetworkOf(D(c.imsi));
    EXPECT_EQ(network.empty() ? "" : network.ToString(), c.network) << c.imsi;
  }
}

TEST(MobileNetworksTest, NothingOfWhatIsNotKnown) {
  EXPECT_EQ(CountryOf(base::Digits()), "");
  EXPECT_TRUE(HomeNetworkOf(base::Digits()).empty());
  const base::Digits pseudonym = base::Digits::Pseudonym(0x2620112345678901);
  EXPECT_EQ(CountryOf(pseudonym), "");
  EXPECT_TRUE(HomeNetworkOf(pseudonym).empty());
}

// The rows ascend, else some would not be found.
TEST(MobileNetworksTest, EachAssignedCodeIsFound) {
  size_t found = 0;
  for (int code = 0; code < 1000; ++code) {
    const std::string text = absl::StrCat(absl::Dec(code, absl::kZeroPad3), "01");
    if (!CountryOf(D(text)).empty()) ++found;
  }
  EXPECT_EQ(found, 237u);
}

}  // namespace
}  // namespace flowacct::gtp
