#include "flowacct/base/sealed_octets.h"

#include <gtest/gtest.h>

#include <string>

namespace flowacct::base {
namespace {

TEST(SealedOctetsTest, ComesBackAsItWas) {
  for (const std::string& body : {std::string(), std::string("some state"), std::string(100000, '\xff')}) {
    const std::string sealed = Seal("thing", 3, AsOctets(body));
    const auto unsealed = Unseal("thing", 5, AsOctets(sealed));
    ASSERT_TRUE(unsealed.ok()) << unsealed.status();
    EXPECT_EQ(unsealed->version, 3);
    EXPECT_EQ(AsText(unsealed->body), body);
  }
}

TEST(SealedOctetsTest, EveryCutAndEveryChangedOctetIsRefused) {
  const std::string sealed = Seal("thing", 1, AsOctets("some state"));
  for (size_t i = 0; i < sealed.size(); ++i) {
    EXPECT_FALSE(Unseal("thing", 1, AsOctets(sealed.substr(0, i))).ok()) << i;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = sealed;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(Unseal("thing", 65535, AsOctets(changed)).ok()) << i;
    }
  }
  EXPECT_EQ(Unseal("thing", 1, AsOctets(sealed + "x")).status().code(), absl::StatusCode::kDataLoss);
}

TEST(SealedOctetsTest, OtherKindsAndNewerVersionsAreRefusedByName) {
  const std::string sealed = Seal("thing", 2, AsOctets("some state"));
  EXPECT_EQ(Unseal("other", 2, AsOctets(sealed)).status().message(), "this is state of kind \"thing\", not \"other\"");
  EXPECT_EQ(Unseal("thing", 1, AsOctets(sealed)).status().message(),
            "the state of kind \"thing\" has version 2; this program knows 1 to 1");
  EXPECT_EQ(Unseal("thing", 1, AsOctets("something else")).status().message(),
            "this is no state that flowacct has written");
}

}  // namespace
}  // namespace flowacct::base
