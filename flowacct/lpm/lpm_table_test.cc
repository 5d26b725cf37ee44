#include "flowacct/lpm/lpm_table.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace flowacct::lpm {
namespace {

base::IpPrefix Prefix(absl::string_view text) { return *base::IpPrefix::Parse(text); }
base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

TEST(LpmTable, TheLongestPrefixOfTheSameFamilyCounts) {
  LpmBuilder<std::string> builder;
  for (const char* text : {"10.1.2.3/32", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "2001:db8::/32",
                           "2001:db8:1::/48", "2001:db8:1:2::3/128", "::/0"}) {
    ASSERT_TRUE(builder.Add(Prefix(text), std::string(text)));
  }
  const LpmTable<std::string> table = std::move(builder).Build();
  const auto find = [&](const char* text) {
    const std::string* found = table.Find(Address(text));
    return found == nullptr ? "none" : *found;
  };
  EXPECT_EQ(find("10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(find("10.1.2.4"), "10.1.2.0/24");
  EXPECT_EQ(find("10.1.2.200"), "10.1.2.128/25");
  EXPECT_EQ(find("10.1.3.1"), "10.1.0.0/16");
  EXPECT_EQ(find("10.2.0.1"), "10.0.0.0/8");
  EXPECT_EQ(find("11.0.0.1"), "none");
  EXPECT_EQ(find("2001:db8::1"), "2001:db8::/32");
  EXPECT_EQ(find("2001:db8:1:2::3"), "2001:db8:1:2::3/128");
  EXPECT_EQ(find("2001:db8:1:2::4"), "2001:db8:1::/48");
  EXPECT_EQ(find("::1"), "::/0");
}

TEST(LpmTable, TheLastOfEqualPrefixesCounts) {
  LpmBuilder<int> builder;
  builder.Add(Prefix("192.0.2.0/24"), 1);
  builder.Add(Prefix("192.0.2.0/24"), 2);
  EXPECT_EQ(*std::move(builder).Build().Find(Address("192.0.2.9")), 2);
  EXPECT_EQ(LpmTable<int>().Find(Address("192.0.2.9")), nullptr);
}

// All prefixes in a map; each length is tried, the longest first.
class SlowTwin {
 public:
  void Add(const base::IpPrefix& prefix, int value) { map_[prefix] = value; }
  std::optional<int> Find(const base::IpAddress& address) const {
    for (int length = address.IsV4() ? 32 : 128; length >= 0; --length) {
      const auto it = map_.find(base::IpPrefix(address, static_cast<uint8_t>(length)));
      if (it != map_.end()) return it->second;
    }
    return std::nullopt;
  }

 private:
  std::map<base::IpPrefix, int> map_;
};

TEST(LpmTable, EqualsTheSlowTwin) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    // Few distinct octets, so that prefixes nest.
    const auto address = [&] {
      base::IpAddress a = base::IpAddress::V4(0);
      if (random() % 2 == 0) {
        for (int i = 0; i < 16; ++i) a.data()[i] = static_cast<uint8_t>(0x20 + random() % 2 * 0x81);
      } else {
        for (int i = 12; i < 16; ++i) a.data()[i] = static_cast<uint8_t>(random() % (seed * 2));
      }
      return a;
    };
    LpmBuilder<int> builder;
    SlowTwin twin;
    for (int i = 0; i < 2000; ++i) {
      const base::IpAddress a = address();
      const base::IpPrefix prefix(a, static_cast<uint8_t>(random() % (a.IsV4() ? 33 : 129)));
      builder.Add(prefix, i);
      twin.Add(prefix, i);
    }
    const LpmTable<int> table = std::move(builder).Build();
    std::vector<base::IpAddress> addresses;
    for (int i = 0; i < 5000; ++i) addresses.push_back(address());
    std::vector<const int*> found(addresses.size());
    table.FindBatch(addresses[0].data(), sizeof(base::IpAddress), addresses.size(), found.data());
    for (size_t i = 0; i < addresses.size(); ++i) {
      const std::optional<int> expected = twin.Find(addresses[i]);
      ASSERT_EQ(found[i] != nullptr, expected.has_value()) << addresses[i].ToString();
      if (expected) {
        ASSERT_EQ(*found[i], *expected) << addresses[i].ToString();
      }
    }
  }
}

}  // namespace
}  // namespace flowacct::lpm
