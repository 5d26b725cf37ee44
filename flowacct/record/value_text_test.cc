#include "flowacct/record/value_text.h"

#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/protocol_names.h"
#include "gtest/gtest.h"

namespace flowacct::record {
namespace {

using base::IpAddress;
using base::IpPrefix;
using base::Octets;
using base::OctetWriter;

class ValueTextTest : public testing::Test {
 protected:
  template <FieldId field>
  void Expect(const FieldCppType<field>& value, const std::string& text, const std::string& json) {
    const Layout layout({field});
    FlowBatch batch(&layout, &interner_);
    MutableRow row = batch.Append();
    std::string out;
    AppendText(row, field, interner_, &out);
    EXPECT_EQ(out, "");
    AppendJson(row, field, interner_, &out);
    EXPECT_EQ(out, "null");
    row.Set<field>(value);
    out = "x";
    AppendText(row, field, interner_, &out);
    EXPECT_EQ(out, "x" + text);
    out.clear();
    AppendJson(row, field, interner_, &out);
    EXPECT_EQ(out, json);
  }
  template <FieldId field>
  void ExpectInterned(Octets octets, const std::string& text, const std::string& json) {
    Expect<field>(interner_.Intern(octets), text, json);
  }

  base::Interner interner_;
};

TEST_F(ValueTextTest, Numbers) {
  Expect<FieldId::kSrcPort>(0, "0", "0");
  Expect<FieldId::kSrcPort>(65535, "65535", "65535");
  Expect<FieldId::kTos>(9, "9", "9");
  Expect<FieldId::kSrcAs>(4294967295u, "4294967295", "4294967295");
  Expect<FieldId::kBytes>(UINT64_MAX, "18446744073709551615", "18446744073709551615");
  char buffer[20];
  uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const uint64_t n : {power, power - 1, power + 1}) {
      EXPECT_EQ(std::string(buffer, WriteNumber(n, buffer) - buffer), std::to_string(n));
    }
  }
}

TEST_F(ValueTextTest, Enumerations) {
  Expect<FieldId::kProtocol>(6, "tcp", "\"tcp\"");
  Expect<FieldId::kProtocol>(58, "ipv6-icmp", "\"ipv6-icmp\"");
  Expect<FieldId::kProtocol>(253, "253", "\"253\"");
  Expect<FieldId::kEtype>(0x0800, "0x0800", "\"0x0800\"");
  Expect<FieldId::kTcpFlags>(0x12, "SA", "18");
  Expect<FieldId::kTcpFlags>(0x1ff, "FSRPAUECN", "511");
  Expect<FieldId::kTcpFlags>(0, ".", "0");
  Expect<FieldId::kTcpFlags>(0x5012, "0x5012", "20498");
  Expect<FieldId::kSamplingSource>(4, "sflow", "\"sflow\"");
  Expect<FieldId::kSamplingSource>(77, "77", "\"77\"");
}

TEST_F(ValueTextTest, Addresses) {
  Expect<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201), "192.0.2.1", "\"192.0.2.1\"");
  Expect<FieldId::kSrcAddr>(*IpAddress::Parse("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1", "\"2001:db8::1:0:0:1\"");
  Expect<FieldId::kSrcNet>(*IpPrefix::Parse("192.0.2.0/24"), "192.0.2.0/24", "\"192.0.2.0/24\"");
  Expect<FieldId::kSrcNet>(*IpPrefix::Parse("2001:db8::/32"), "2001:db8::/32", "\"2001:db8::/32\"");
  Expect<FieldId::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:0a:ff"), "02:00:00:00:0a:ff", "\"02:00:00:00:0a:ff\"");
}

TEST_F(ValueTextTest, Times) {
  Expect<FieldId::kStartTime>(0, "1970-01-01T00:00:00Z", "\"1970-01-01T00:00:00Z\"");
  Expect<FieldId::kStartTime>(1700000070250000000, "2023-11-14T22:14:30.25Z", "\"2023-11-14T22:14:30.25Z\"");
  Expect<FieldId::kStartTime>(1700000070000000001, "2023-11-14T22:14:30.000000001Z",
                              "\"2023-11-14T22:14:30.000000001Z\"");
  Expect<FieldId::kStartTime>(-1, "1969-12-31T23:59:59.999999999Z", "\"1969-12-31T23:59:59.999999999Z\"");
  Expect<FieldId::kStartTime>(951782400000000000, "2000-02-29T00:00:00Z", "\"2000-02-29T00:00:00Z\"");
  Expect<FieldId::kStartTime>(INT64_MAX, "2262-04-11T23:47:16.854775807Z", "\"2262-04-11T23:47:16.854775807Z\"");
  Expect<FieldId::kStartTime>(INT64_MIN, "1677-09-21T00:12:43.145224192Z", "\"1677-09-21T00:12:43.145224192Z\"");
}

// Every day of the four centuries that a leap rule spans, against the C library.
TEST_F(ValueTextTest, EveryDayIsAsTheCLibraryHasIt) {
  for (int64_t day = -100000; day < 106000; ++day) {
    const time_t seconds = static_cast<time_t>(day * 86400);
    struct tm fields = {};
    gmtime_r(&seconds, &fields);
    char expected[32], actual[32];
    std::strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &fields);
    *WriteTime(seconds * 1000000000, actual) = '\0';
    ASSERT_STREQ(actual, expected);
  }
}

TEST_F(ValueTextTest, RouteDistinguishers) {
  Expect<FieldId::kMplsVpnRd>(0x0000fde800000001, "65000:1", "\"65000:1\"");
  Expect<FieldId::kMplsVpnRd>(0x0001c00002010007, "192.0.2.1:7", "\"192.0.2.1:7\"");
  Expect<FieldId::kMplsVpnRd>(0x0002fbf0891a076d, "4226844954:1901", "\"4226844954:1901\"");
  Expect<FieldId::kMplsVpnRd>(0x00020000fde80001, "2:65000:1", "\"2:65000:1\"");
  Expect<FieldId::kMplsVpnRd>(0xff0a000000000001, "ff0a:000000000001", "\"ff0a:000000000001\"");
}

TEST_F(ValueTextTest, Coordinates) {
  const auto pair = [](float latitude, float longitude) {
    uint8_t octets[8];
    base::StoreHost(octets, latitude);
    base::StoreHost(octets + 4, longitude);
    return base::LoadHost<uint64_t>(octets);
  };
  Expect<FieldId::kSrcCoords>(pair(52.37f, 4.9f), "52.37,4.9", "[52.37,4.9]");
  Expect<FieldId::kSrcCoords>(pair(-0.00001f, -180), "-0.00001,-180", "[-0.00001,-180]");
  Expect<FieldId::kSrcCoords>(0x7fc00000ff800000, "0,0", "[0,0]");  // infinite, not a number
}

TEST_F(ValueTextTest, Digits) {
  Expect<FieldId::kImsi>(*base::Digits::Parse("001011234567890"), "001011234567890", "\"001011234567890\"");
  Expect<FieldId::kImei>(*base::Digits::Parse("3530690123456789"), "3530690123456789", "\"3530690123456789\"");
  Expect<FieldId::kHomePlmn>(*base::Digits::Parse("26201"), "26201", "\"26201\"");
  Expect<FieldId::kMsisdn>(base::Digits::Pseudonym(0x0123456789abcdef), "x0123456789abcde", "\"x0123456789abcde\"");
  Expect<FieldId::kImsi>(base::Digits(), "", "\"\"");
}

TEST_F(ValueTextTest, Interned) {
  ExpectInterned<FieldId::kApplicationId>(OctetWriter().U8(3).U24(0x0050ff).octets(), "030050ff", "\"030050ff\"");
  ExpectInterned<FieldId::kMplsLabelStack>(OctetWriter().U24(100 << 4).U24(200 << 4 | 1).octets(), "100/200",
                                           "[100,200]");
  ExpectInterned<FieldId::kStdComm>(OctetWriter().U32(0xfde80001).U32(0xffffff01).octets(), "65000:1 65535:65281",
                                    "[\"65000:1\",\"65535:65281\"]");
  ExpectInterned<FieldId::kLrgComm>(OctetWriter().U32(4294967295).U32(2).U32(3).octets(), "4294967295:2:3",
                                    "[\"4294967295:2:3\"]");
  ExpectInterned<FieldId::kExtComm>(
      OctetWriter()
          .U64(0x0002fde800000064)
          .U64(0x0103c00002010007)
          .U64(0x0202fbf0891a0001)
          .U64(0x030b000000000064)
          .U64(0x4002fde800000064)
          .octets(),
      "rt:65000:100 soo:192.0.2.1:7 rt:4226844954:1 0x030b000000000064 0x4002fde800000064",
      "[\"rt:65000:100\",\"soo:192.0.2.1:7\",\"rt:4226844954:1\",\"0x030b000000000064\",\"0x4002fde800000064\"]");
  ExpectInterned<FieldId::kStdComm>(Octets(), "", "[]");
}

TEST_F(ValueTextTest, AsPaths) {
  OctetWriter path;
  path.U8(2).U8(2).U32(64496).U32(4200000000).U8(1).U8(2).U32(64497).U32(64498);
  ExpectInterned<FieldId::kAsPath>(path.octets(), "64496 4200000000 {64497,64498}",
                                   "\"64496 4200000000 {64497,64498}\"");
  OctetWriter confederation;
  confederation.U8(3).U8(2).U32(1).U32(2).U8(4).U8(2).U32(3).U32(4);
  ExpectInterned<FieldId::kAsPath>(confederation.octets(), "(1 2) [3,4]", "\"(1 2) [3,4]\"");
  // Cut at every octet: never read beyond, and said to be broken unless a segment ends there.
  for (size_t cut = 0; cut < path.size(); ++cut) {
    const std::vector<uint8_t> copy(path.octets().begin(), path.octets().begin() + static_cast<ptrdiff_t>(cut));
    std::string text;
    AppendInternedText(FieldType::kAsPath, copy, &text);
    EXPECT_EQ(text, cut == 0 ? "" : cut < 10 ? "?" : cut == 10 ? "64496 4200000000" : "64496 4200000000 ?");
  }
}

TEST_F(ValueTextTest, WhatAnInternerRefusedSaysSo) {
  Expect<FieldId::kVrfName>(base::Interner::kOverflowId, "(overflow)", "\"(overflow)\"");
  Expect<FieldId::kAsPath>(base::Interner::kOverflowId, "(overflow)", "\"(overflow)\"");
  Expect<FieldId::kStdComm>(base::Interner::kOverflowId, "(overflow)", "[\"(overflow)\"]");
}

TEST_F(ValueTextTest, HostileStrings) {
  const std::string hostile =
      std::string("a\"b\\\n\r\t\x1b[31m\0\x7f", 14) + "\xc2\x9b" + "\xff\xc0\xaf" + "\xe2\x80\xae" + "é漢😀";
  ExpectInterned<FieldId::kUserName>(base::AsOctets(hostile),
                                     std::string("a\"b\\\n\r\t\x1b[31m\0\x7f", 14) + "\xc2\x9b���\xe2\x80\xaeé漢😀",
                                     "\"a\\\"b\\\\\\n\\r\\t\\u001b[31m\\u0000\\u007f\\u009b���\\u202eé漢😀\"");
  std::string printable;
  AppendPrintable(hostile, &printable);
  EXPECT_EQ(printable, "a\"b\\\\n\\r\\t\\x1b[31m\\x00\\x7f\\x9b���\\u202eé漢😀");
}

TEST_F(ValueTextTest, Utf8IsCheckedAsRfc3629Says) {
  struct Case {
    std::string in, out;
  };
  const Case kCases[] = {
      {"\xed\xa0\x80", "���"},       // a surrogate
      {"\xf4\x90\x80\x80", "����"},  // above U+10FFFF
      {"\xe0\x80\x80", "���"},       // overlong
      {"\xf0\x8f\xbf\xbf", "����"},  // overlong
      {"\xe2\x82", "��"},            // cut
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"\xef\xbf\xbf", "\xef\xbf\xbf"},
  };
  for (const Case& c : kCases) {
    std::string out;
    AppendUtf8(c.in, &out);
    EXPECT_EQ(out, c.out);
  }
}

// No octets may make the text of any interned type read beyond them (ASan) or hold what JSON forbids.
TEST_F(ValueTextTest, AnyOctetsGiveSomeText) {
  uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> octets(static_cast<size_t>(round % 67));
    for (uint8_t& octet : octets) octet = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    for (int type = static_cast<int>(FieldType::kString); type <= static_cast<int>(FieldType::kLargeCommunities);
         ++type) {
      std::string text, json;
      AppendInternedText(static_cast<FieldType>(type), octets, &text);
      AppendInternedJson(static_cast<FieldType>(type), octets, &json);
      for (const char c : json) EXPECT_GE(static_cast<uint8_t>(c), 0x20);
    }
  }
}

TEST(ProtocolNamesTest, NamesAndNumbersAreInverse) {
  int named = 0;
  for (int i = 0; i < 256; ++i) {
    const absl::string_view name = ProtocolName(static_cast<uint8_t>(i));
    if (name.empty()) continue;
    ++named;
    ASSERT_LE(name.size(), 20u);
    EXPECT_EQ(ProtocolFromName(name), static_cast<uint8_t>(i)) << name;
  }
  EXPECT_EQ(named, 142);  // 0 to 146 without 61, 63, 68, 99 and 114, which are "any ..."
  EXPECT_EQ(ProtocolFromName("TCP"), 6);
  EXPECT_EQ(ProtocolFromName("icmp6"), 58);
  EXPECT_EQ(ProtocolFromName("OSPFIGP"), 89);
  EXPECT_EQ(ProtocolFromName(""), std::nullopt);
  EXPECT_EQ(ProtocolFromName("6"), std::nullopt);
}

}  // namespace
}  // namespace flowacct::record
