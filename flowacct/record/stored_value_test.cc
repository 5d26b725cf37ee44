#include "flowacct/record/stored_value.h"

#include <string>

#include "flowacct/base/octet_writer.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"
#include "gtest/gtest.h"

namespace flowacct::record {
namespace {

// What a store gives back reads as the record did.
class StoredValueTest : public testing::Test {
 protected:
  template <FieldId field>
  std::string RoundTrip(const FieldCppType<field>& value) {
    const Layout layout({field});
    FlowBatch batch(&layout, &interner_);
    MutableRow row = batch.Append();
    row.Set<field>(value);
    const FieldType type = Info(field).type;
    std::string scratch, text, json, stored_text, stored_json;
    const StoredValue stored = ToStored(type, row.octets() + layout.offset(field), interner_, &scratch);
    AppendText(row, field, interner_, &text);
    AppendJson(row, field, interner_, &json);
    AppendStoredText(type, stored, &stored_text);
    AppendStoredJson(type, stored, &stored_json);
    EXPECT_EQ(stored_text, text);
    EXPECT_EQ(stored_json, json);
    return stored_text;
  }
  template <FieldId field>
  std::string RoundTripInterned(base::Octets octets) {
    return RoundTrip<field>(interner_.Intern(octets));
  }

  base::Interner interner_;
};

TEST_F(StoredValueTest, Integers) {
  EXPECT_EQ(RoundTrip<FieldId::kTos>(9), "9");
  EXPECT_EQ(RoundTrip<FieldId::kSrcPort>(65535), "65535");
  EXPECT_EQ(RoundTrip<FieldId::kSrcAs>(4294967295u), "4294967295");
  EXPECT_EQ(RoundTrip<FieldId::kBytes>(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(RoundTrip<FieldId::kProtocol>(6), "tcp");
  EXPECT_EQ(RoundTrip<FieldId::kTcpFlags>(0x12), "SA");
  EXPECT_EQ(RoundTrip<FieldId::kEtype>(0x800), "0x0800");
  EXPECT_EQ(RoundTrip<FieldId::kRouteSource>(1), "bgp");
  EXPECT_EQ(RoundTrip<FieldId::kStartTime>(-1500000000), "1969-12-31T23:59:58.5Z");
}

TEST_F(StoredValueTest, OctetsAndText) {
  EXPECT_EQ(RoundTrip<FieldId::kSrcAddr>(*base::IpAddress::Parse("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(RoundTrip<FieldId::kDstAddr>(*base::IpAddress::Parse("2001:db8::1")), "2001:db8::1");
  EXPECT_EQ(RoundTrip<FieldId::kSrcNet>(*base::IpPrefix::Parse("192.0.2.0/24")), "192.0.2.0/24");
  EXPECT_EQ(RoundTrip<FieldId::kSrcMac>(base::MacAddress{{2, 0, 0, 0, 0, 1}}), "02:00:00:00:00:01");
  base::OctetWriter communities;
  communities.U16(65000).U16(1).U16(65000).U16(2);
  EXPECT_EQ(RoundTripInterned<FieldId::kStdComm>(communities.octets()), "65000:1 65000:2");
  base::OctetWriter path;
  path.U8(2).U8(2).U32(64496).U32(4200000000).U8(1).U8(2).U32(1).U32(2);
  EXPECT_EQ(RoundTripInterned<FieldId::kAsPath>(path.octets()), "64496 4200000000 {1,2}");
  EXPECT_EQ(RoundTripInterned<FieldId::kStdComm>({}), "");
}

TEST_F(StoredValueTest, TextIsUtf8WithoutNul) {
  std::string scratch;
  const base::InternId id = interner_.Intern(absl::string_view("a\0b\xff", 4));
  const StoredValue stored = ToStored(FieldType::kString, reinterpret_cast<const uint8_t*>(&id), interner_, &scratch);
  EXPECT_EQ(stored.octets,
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST_F(StoredValueTest, WhatIsNoneOfTheTypeIsNothing) {
  StoredValue stored;
  stored.present = true;
  stored.octets = "abc";
  std::string text, json;
  AppendStoredText(FieldType::kAddress, stored, &text);
  AppendStoredJson(FieldType::kAddress, stored, &json);
  EXPECT_EQ(text, "");
  EXPECT_EQ(json, "null");
  json.clear();
  AppendStoredJson(FieldType::kU32, StoredValue(), &json);
  EXPECT_EQ(json, "null");
}

}  // namespace
}  // namespace flowacct::record
