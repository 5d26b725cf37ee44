#include "flowacct/flow/template/telephone_number.h"

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "gtest/gtest.h"

namespace flowacct::flow {
namespace {

using Octets = std::vector<uint8_t>;

Octets Text(const std::string& text, size_t filling = 0) {
  Octets octets(text.begin(), text.end());
  octets.resize(octets.size() + filling);
  return octets;
}

TEST(TelephoneNumber, IsTextOrTbcd) {
  struct Case {
    Octets octets;
    std::string digits;  // empty: none
    bool empty = false;
  };
  const Case cases[] = {
      {Text("262011234567890"), "262011234567890"},
      {Text("262011234567890", 17), "262011234567890"},  // a field of a fixed length
      {Text("3530690123456789"), "3530690123456789"},
      {Text("+491701234567"), "491701234567"},
      {Text("7"), "7"},
      {Text("x0123456789abcde"), "x0123456789abcde"},  // what pseudonyms are written as
      {{0x62, 0x02, 0x11, 0x32, 0x54, 0x76, 0x98, 0xf0}, "262011234567890"},
      {{0x62, 0x02, 0x11, 0x32, 0x54, 0x76, 0x98, 0xf0, 0xff, 0xff}, "262011234567890"},
      {{0x94, 0x71, 0x10, 0x32, 0x54, 0x76}, "491701234567"},
      {{0x53, 0x03, 0x96, 0x10, 0x32, 0x54, 0x76, 0x98}, "3530690123456789"},
      {{0x00, 0xf1, 0x10}, ""},  // digits behind the filler
      // All octets are ASCII digits: text, though TBCD could read so.
      {{0x32, 0x36, 0x32, 0x30}, "2620"},
      {{0x32, 0x36, 0x32, 0xf0}, "2363230"},
      {{}, "", true},
      {Octets(16), "", true},
      {Octets(8, 0xff), "", true},
      {Text("26201 12345"), ""},
      {Text("anonymous"), ""},
      {Text("12345678901234567"), ""},  // seventeen digits
      {Octets(9, 0x21), ""},            // eighteen
      {Text("+"), ""},
  };
  for (const Case& c : cases) {
    const TelephoneNumber number = TelephoneNumberOf(c.octets);
    EXPECT_EQ(number.digits ? number.digits->ToString() : "", c.digits) << testing::PrintToString(c.octets);
    EXPECT_EQ(number.empty, c.empty) << testing::PrintToString(c.octets);
  }
}

// What GTP has of any IMSI of 15 digits is never taken for text: its last octet is filled.
TEST(TelephoneNumber, EveryImsiOf15DigitsIsReadInBothForms) {
  uint64_t number = 1;
  for (int i = 0; i < 1000; ++i) {
    number = (number * 6364136223846793005u + 1442695040888963407u);
    std::string text = std::to_string(number % 1000000000000000);
    text.insert(0, 15 - text.size(), '0');
    uint8_t tbcd[8];
    const size_t size = base::Digits::Parse(text)->FormatTbcd(tbcd);
    ASSERT_EQ(TelephoneNumberOf(base::Octets(tbcd, size)).digits->ToString(), text);
    ASSERT_EQ(TelephoneNumberOf(base::AsOctets(text)).digits->ToString(), text);
  }
}

}  // namespace
}  // namespace flowacct::flow
