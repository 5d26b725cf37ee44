#include "flowacct/record/from_stored.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "gtest/gtest.h"

namespace flowacct::record {
namespace {

// What a store gave, through a row and back; "none" if it is no such value.
std::string Through(FieldType type, const std::string& octets) {
  base::Interner interner;
  uint8_t row[32] = {};
  StoredValue value;
  value.present = true;
  value.octets = octets;
  if (!FromStored(type, value, &interner, row)) return "none";
  std::string scratch;
  return std::string(ToStored(type, row, interner, &scratch).octets);
}

TEST(FromStoredTest, TextsAndOctets) {
  const std::vector<std::pair<FieldType, std::vector<std::string>>> kSame = {
      {FieldType::kMac, {"02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"}},
      {FieldType::kCoordinates, {"52.37,4.9", "-90,180", "0,0", "-0.00001,179.99998"}},
      {FieldType::kDigits, {"0", "001011234567890", "9999999999999999", "x0123456789abcde"}},
      {FieldType::kString, {"", "Zürich", "x'; DROP TABLE flows; --", "(overflow)"}},
      {FieldType::kOctets, {"", std::string("\0\xff", 2), "(overflow)"}},
      {FieldType::kLabelStack, {"", "16", "16/1048575/0", "(overflow)"}},
      {FieldType::kAsPath,
       {"", "64496", "64496 4200000000 {1,2}", "{1} 2 (3 4) [5,6] 7", "{}", "64496 ?", "?", "(3 4)", "1  2", "1 ",
        "(overflow)"}},
      {FieldType::kCommunities, {"", "65000:1 65535:65535", "(overflow)"}},
      {FieldType::kExtCommunities,
       {"", "rt:64496:4200000000 soo:192.0.2.1:7 rt:4200000000:65535", "0x4300000000000001 rt:1:2", "(overflow)"}},
      {FieldType::kLargeCommunities, {"", "4200000000:1:2 0:0:0", "(overflow)"}},
      {FieldType::kAddress, {std::string(16, '\1')}},
      {FieldType::kPrefix, {std::string(16, '\1') + "\x80"}}};
  for (const auto& [type, texts] : kSame) {
    for (const std::string& text : texts) EXPECT_EQ(Through(type, text), text) << FieldTypeName(type);
  }
  std::string path = "1";
  for (int as = 2; as <= 600; ++as) path += " " + std::to_string(as);
  EXPECT_EQ(Through(FieldType::kAsPath, path), path);
}

TEST(FromStoredTest, WhatIsNoneOfTheType) {
  const std::vector<std::pair<FieldType, std::vector<std::string>>> kNone = {
      {FieldType::kMac, {"", "02:00", "x"}},
      {FieldType::kCoordinates, {"", "52", "a,b"}},
      {FieldType::kDigits, {"", "00101a", "12345678901234567", "x012", "(overflow)"}},
      {FieldType::kLabelStack, {"1048576", "1/", "-1"}},
      {FieldType::kAsPath, {"x", "{1", "4294967296", "1 {x}", "? 1", "1,2"}},
      {FieldType::kCommunities, {"65536:1", "1", "1:2:3", "1:2 ", "1: 2"}},
      {FieldType::kExtCommunities, {"0x43", "rt:1", "xx:1:2", "rt:4200000000:65536", "rt:2001:db8::1:2"}},
      {FieldType::kLargeCommunities, {"1:2", "1:2:4294967296"}},
      {FieldType::kAddress, {"", std::string(15, '1'), std::string(17, '1')}},
      {FieldType::kPrefix, {std::string(16, '1') + "\x81"}}};
  for (const auto& [type, texts] : kNone) {
    for (const std::string& text : texts) EXPECT_EQ(Through(type, text), "none") << FieldTypeName(type) << text;
  }
}

TEST(FromStoredTest, Numbers) {
  base::Interner interner;
  std::string scratch;
  for (const FieldType type : {FieldType::kU8, FieldType::kU16, FieldType::kU32, FieldType::kU64, FieldType::kProtocol,
                               FieldType::kEtherType, FieldType::kTcpFlags, FieldType::kTime}) {
    for (const int64_t number : {int64_t{0}, int64_t{200}, int64_t{-1}}) {
      if (number < 0 && FieldTypeSize(type) < 8) continue;
      uint8_t row[32] = {};
      StoredValue value;
      value.present = true;
      value.integer = number;
      ASSERT_TRUE(FromStored(type, value, &interner, row));
      EXPECT_EQ(ToStored(type, row, interner, &scratch).integer, number) << FieldTypeName(type);
    }
  }
}

// A float's text names it.
TEST(FromStoredTest, Places) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> degrees(-180, 180);
  base::Interner interner;
  std::string scratch;
  for (int i = 0; i < 10000; ++i) {
    uint8_t row[32] = {}, again[32] = {};
    base::StoreHost(row, degrees(random) / 2);
    base::StoreHost(row + 4, degrees(random));
    const std::string text(ToStored(FieldType::kCoordinates, row, interner, &scratch).octets);
    StoredValue value;
    value.present = true;
    value.octets = text;
    ASSERT_TRUE(FromStored(FieldType::kCoordinates, value, &interner, again));
    ASSERT_EQ(ToStored(FieldType::kCoordinates, again, interner, &scratch).octets, text);
  }
}

}  // namespace
}  // namespace flowacct::record
