#include "flowacct/base/digits.h"

#include <vector>

#include "gtest/gtest.h"

namespace flowacct::base {
namespace {

std::optional<Digits> Tbcd(std::vector<uint8_t> octets) { return Digits::FromTbcd(Octets(octets)); }

TEST(Digits, TextsComeBack) {
  for (const char* text : {"0", "001", "00101", "001011234567890", "1234567890123456", "x0123456789abcde"}) {
    const auto digits = Digits::Parse(text);
    ASSERT_TRUE(digits.has_value()) << text;
    EXPECT_EQ(digits->ToString(), text);
    EXPECT_FALSE(digits->empty());
  }
  for (const char* text : {"", "12a", "12345678901234567", "x0123", "x0123456789ABCDE", "+49"}) {
    EXPECT_FALSE(Digits::Parse(text).has_value()) << text;
  }
  EXPECT_TRUE(Digits().empty());
  EXPECT_EQ(Digits().ToString(), "");
}

TEST(Digits, TbcdIsOfNibblesLowFirst) {
  EXPECT_EQ(Tbcd({0x00, 0x11, 0x32, 0x54, 0x76, 0x98, 0x10, 0xf2})->ToString(), "001123456789012");
  EXPECT_EQ(Tbcd({0x21, 0x43})->ToString(), "1234");
  EXPECT_EQ(Tbcd({0x21, 0xf3, 0xff})->ToString(), "123");
  EXPECT_EQ(Tbcd({0x21, 0x43, 0x65, 0x87, 0x09, 0x21, 0x43, 0x65})->ToString(), "1234567890123456");
  EXPECT_FALSE(Tbcd({}).has_value());
  EXPECT_FALSE(Tbcd({0xff}).has_value());
  EXPECT_FALSE(Tbcd({0x2f}).has_value());
  EXPECT_FALSE(Tbcd({0x21, 0xf3, 0x41}).has_value());
  EXPECT_FALSE(Tbcd({0x21, 0xa3}).has_value());
  EXPECT_FALSE(Tbcd({1, 1, 1, 1, 1, 1, 1, 1, 1}).has_value());
}

TEST(Digits, TbcdComesBack) {
  for (const char* text : {"1", "12", "001011234567890", "1234567890123456"}) {
    uint8_t octets[8];
    const size_t n = Digits::Parse(text)->FormatTbcd(octets);
    EXPECT_EQ(Digits::FromTbcd(Octets(octets, n))->ToString(), text);
  }
}

TEST(Digits, PrefixesAndOrder) {
  const Digits imsi = *Digits::Parse("262011234567890");
  EXPECT_EQ(imsi.Prefix(5).ToString(), "26201");
  EXPECT_EQ(imsi.Prefix(16), imsi);
  EXPECT_TRUE(imsi.Prefix(0).empty());
  EXPECT_LT(*Digits::Parse("001"), *Digits::Parse("01"));
  const Digits pseudonym = Digits::Pseudonym(0xfedcba9876543210);
  EXPECT_TRUE(pseudonym.is_pseudonym());
  EXPECT_EQ(pseudonym.ToString(), "xfedcba987654321");
  EXPECT_EQ(pseudonym.Prefix(5), pseudonym);
}

}  // namespace
}  // namespace flowacct::base
