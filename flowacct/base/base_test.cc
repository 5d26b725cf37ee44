#include <gtest/gtest.h>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"

namespace flowacct::base {
namespace {

TEST(OctetReader, ReadsWhatTheWriterWrote) {
  OctetWriter w;
  w.U8(1).U16(0x0203).U24(0x040506).U32(0x0708090a).U64(0x0b0c0d0e0f101112).Text("ab");
  OctetReader r(w.octets());
  EXPECT_EQ(r.U8(), 1);
  EXPECT_EQ(r.U16(), 0x0203);
  EXPECT_EQ(r.U24(), 0x040506u);
  EXPECT_EQ(r.U32(), 0x0708090au);
  EXPECT_EQ(r.U64(), 0x0b0c0d0e0f101112u);
  EXPECT_EQ(AsText(r.Bytes(2)), "ab");
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.remaining(), 0u);
}

TEST(OctetReader, FailsAtTheEndAndStaysFailed) {
  const uint8_t octets[] = {1, 2, 3};
  OctetReader r(octets);
  r.U16();
  EXPECT_EQ(r.U16(), 0);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.offset(), 2u);
  EXPECT_EQ(r.U8(), 0) << "a failed reader reads nothing more";
}

TEST(IpAddress, TextIsThatOfRfc5952) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"FE80::ABCD", "fe80::abcd"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& [text, want] : cases) {
    const auto address = IpAddress::Parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->ToString(), want);
  }
  for (const char* text : {"", "192.0.2", "192.0.2.256", "::g", "1.2.3.4 ", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
}

TEST(IpPrefix, ClearsHostBitsAndKeepsFamiliesApart) {
  EXPECT_EQ(IpPrefix::Parse("192.0.2.77/24")->ToString(), "192.0.2.0/24");
  EXPECT_EQ(IpPrefix::Parse("192.0.2.77/31")->ToString(), "192.0.2.76/31");
  EXPECT_EQ(IpPrefix::Parse("192.0.2.77")->ToString(), "192.0.2.77/32");
  EXPECT_EQ(IpPrefix::Parse("0.0.0.0/0")->ToString(), "0.0.0.0/0");
  EXPECT_EQ(IpPrefix::Parse("2001:db8:ffff::/33")->ToString(), "2001:db8:8000::/33");
  for (const char* text : {"192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+4", "::/129", "/8"}) {
    EXPECT_FALSE(IpPrefix::Parse(text).has_value()) << text;
  }
  const IpPrefix all_v4 = *IpPrefix::Parse("0.0.0.0/0"), all_v6 = *IpPrefix::Parse("::/0");
  EXPECT_TRUE(all_v4.Contains(*IpAddress::Parse("192.0.2.1")));
  EXPECT_FALSE(all_v6.Contains(*IpAddress::Parse("192.0.2.1")));
  EXPECT_TRUE(all_v6.Contains(*IpAddress::Parse("2001:db8::1")));
  EXPECT_FALSE(all_v4.Contains(*IpAddress::Parse("2001:db8::1")));
}

TEST(MacAddress, RoundTrips) {
  EXPECT_EQ(MacAddress::Parse("02:0a:FF:00:00:01")->ToString(), "02:0a:ff:00:00:01");
  EXPECT_FALSE(MacAddress::Parse("02:0a:ff:00:00").has_value());
  EXPECT_FALSE(MacAddress::Parse("02:0a:ff:00:00:0g").has_value());
}

TEST(Interner, OneIdAValue) {
  Interner interner;
  const InternId a = interner.Intern("a"), b = interner.Intern("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(interner.Intern("a"), a);
  EXPECT_EQ(AsText(interner.Find(b)), "b");
  EXPECT_EQ(AsText(interner.Find(Interner::kNone)), "");
  EXPECT_EQ(AsText(interner.Find(999)), "");
}

TEST(Interner, ABoundIsKeptAndCounted) {
  Interner interner({/*max_octets=*/Interner::kValueCostOctets + 4, /*max_value_octets=*/2});
  EXPECT_GT(interner.Intern("ab"), Interner::kOverflowId);
  EXPECT_EQ(interner.Intern("abc"), Interner::kOverflowId);
  EXPECT_EQ(interner.Intern("cd"), Interner::kOverflowId);
  EXPECT_EQ(interner.overflows(), 2u);
  EXPECT_GT(interner.Intern("ab"), Interner::kOverflowId) << "known values stay known";
}

TEST(Interner, ShortValuesCountWithWhatTheyCost) {
  Interner interner({/*max_octets=*/10000, /*max_value_octets=*/100});
  for (int i = 0; i < 10000; ++i) interner.Intern(std::to_string(i));
  EXPECT_LT(interner.size(), 10000 / Interner::kValueCostOctets + 3) << "two are there from the beginning";
  EXPECT_LE(interner.octets(), 10000u);
  EXPECT_EQ(interner.size() - 2 + interner.overflows(), 10000u);
}

TEST(NearestWords, FindsWhatWasMeant) {
  const absl::string_view words[] = {"src_addr", "dst_addr", "src_as", "bytes"};
  EXPECT_EQ(NearestWords("src_adr", words), (std::vector<std::string>{"src_addr", "src_as"}));
  EXPECT_EQ(NearestWords("bytse", words), (std::vector<std::string>{"bytes"}));
  EXPECT_TRUE(NearestWords("zzzzzz", words).empty());
}

TEST(DecodeResult, CodesHaveNames) {
  EXPECT_EQ(DecodeCodeName(DecodeCode::kTruncated), "truncated");
  DecodeCounters counters;
  counters.Count(DecodeCode::kOk);
  counters.Count(DecodeCode::kBadLength, 2);
  EXPECT_EQ(counters.errors(), 2u);
}

}  // namespace
}  // namespace flowacct::base
