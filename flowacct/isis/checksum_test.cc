#include "flowacct/isis/checksum.h"

#include <random>
#include <vector>

#include "flowacct/isis/testing/pdus.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

// The sums as ISO 8473 defines them, octet by octet.
std::pair<int, int> SumsOf(const std::vector<uint8_t>& octets) {
  int c0 = 0, c1 = 0;
  for (const uint8_t octet : octets) {
    c0 = (c0 + octet) % 255;
    c1 = (c1 + c0) % 255;
  }
  return {c0, c1};
}

TEST(Checksum, IsWhatMakesTheSumsZero) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> octets(2 + random() % (round % 10 == 0 ? 20'000 : 60));
    // Many octets of 0 and 255, which are the same modulo 255.
    for (uint8_t& octet : octets)
      octet = random() % 3 == 0 ? 255 : random() % 3 == 0 ? 0 : static_cast<uint8_t>(random());
    const size_t at = random() % (octets.size() - 1);
    const uint16_t checksum = FletcherOf(octets, at);
    EXPECT_NE(checksum >> 8, 0);
    EXPECT_NE(checksum & 0xff, 0);
    octets[at] = static_cast<uint8_t>(checksum >> 8);
    octets[at + 1] = static_cast<uint8_t>(checksum);
    ASSERT_EQ(SumsOf(octets), std::make_pair(0, 0)) << octets.size() << " " << at;
    EXPECT_TRUE(FletcherIsRight(octets));
    EXPECT_EQ(FletcherOf(octets, at), checksum);  // whatever stood there
    const size_t wrong = random() % octets.size();
    octets[wrong] ^= 1 << random() % 8;
    const bool same = SumsOf(octets) == std::make_pair(0, 0);  // 0 became 255, which no sum sees
    EXPECT_EQ(FletcherIsRight(octets), same);
  }
}

// The last of the largest LSP there can be: sums must not overflow between two reductions.
TEST(Checksum, DoesNotOverflow) {
  std::vector<uint8_t> octets(65'535, 0xfe);
  EXPECT_EQ(FletcherIsRight(octets), SumsOf(octets) == std::make_pair(0, 0));
  const uint16_t checksum = FletcherOf(octets, 12);
  octets[12] = static_cast<uint8_t>(checksum >> 8);
  octets[13] = static_cast<uint8_t>(checksum);
  EXPECT_EQ(SumsOf(octets), std::make_pair(0, 0));
  EXPECT_TRUE(FletcherIsRight(octets));
}

TEST(Checksum, OfAnLspDoesNotCoverItsLifetime) {
  for (const testing::NamedPdu& pdu : testing::Pdus()) {
    if (pdu.name.substr(0, 4) != "lsp_") continue;
    std::vector<uint8_t> octets = pdu.octets;
    EXPECT_TRUE(LspChecksumIsRight(octets)) << pdu.name;
    octets[10] ^= 0xff;
    octets[11] ^= 0xff;
    EXPECT_TRUE(LspChecksumIsRight(octets));
    for (size_t i = 12; i < octets.size(); ++i) {
      octets[i] ^= 0x10;
      EXPECT_FALSE(LspChecksumIsRight(octets)) << i;
      octets[i] ^= 0x10;
    }
  }
}

}  // namespace
}  // namespace flowacct::isis
