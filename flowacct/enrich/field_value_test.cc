#include "flowacct/enrich/field_value.h"

#include <gtest/gtest.h>

#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

TEST(FieldValue, ReadsEachType) {
  FieldValue value;
  EXPECT_EQ(ParseFieldValue(F::kTag, "0x10", &value), "");
  EXPECT_EQ(value.number(), 16u);
  EXPECT_EQ(ParseFieldValue(F::kProtocol, "udp", &value), "");
  EXPECT_EQ(value.number(), 17u);
  EXPECT_EQ(ParseFieldValue(F::kMplsVpnRd, "65000:7", &value), "");
  EXPECT_EQ(value.number(), uint64_t{65000} << 32 | 7);
  EXPECT_EQ(ParseFieldValue(F::kSamplingSource, "configured", &value), "");
  EXPECT_EQ(ParseFieldValue(F::kBgpNextHop, "2001:db8::1", &value), "");
  EXPECT_EQ(base::IpAddress::FromV6(value.octets.data()).ToString(), "2001:db8::1");
  EXPECT_EQ(ParseFieldValue(F::kSrcNet, "192.0.2.9/24", &value), "");
  EXPECT_EQ(base::IpAddress::FromV6(value.octets.data()).ToString(), "192.0.2.0");
  EXPECT_EQ(value.octets[16], 24);
  EXPECT_EQ(ParseFieldValue(F::kSrcMac, "02:00:00:00:00:01", &value), "");
  EXPECT_EQ(value.octets[0], 2);
  EXPECT_EQ(value.octets[5], 1);
  EXPECT_EQ(ParseFieldValue(F::kSrcCoords, "52.5,-4.25", &value), "");
  EXPECT_EQ(base::LoadHost<float>(value.octets.data()), 52.5f);
  EXPECT_EQ(base::LoadHost<float>(value.octets.data() + 4), -4.25f);
  EXPECT_FALSE(value.interned);
  EXPECT_EQ(ParseFieldValue(F::kLabel, "customer A", &value), "");
  EXPECT_TRUE(value.interned);
  EXPECT_EQ(value.text, "customer A");
  EXPECT_EQ(ParseFieldValue(F::kApplicationId, "0d00", &value), "");
  EXPECT_EQ(value.text, std::string("\x0d\0", 2));
}

TEST(FieldValue, TellsWhyNot) {
  FieldValue value;
  struct Case {
    F field;
    const char* text;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {F::kTag, "x", "\"x\" is no value that tag can have; it is of type u64"},
           {F::kSrcPort, "70000", "\"70000\" is no value that src_port can have; it is of type u16"},
           {F::kBgpNextHop, "192.0.2.0/24", "\"192.0.2.0/24\" is no address, such as 192.0.2.1, which bgp_next_hop is"},
           {F::kSrcNet, "x/8", "\"x/8\" is no prefix, such as 192.0.2.0/24, which src_net is"},
           {F::kSrcMac, "02", "\"02\" is no MAC address, such as 02:00:00:00:00:01, which src_mac is"},
           {F::kSrcCoords, "91,0", "\"91,0\" is no latitude and longitude, such as \"52.37,4.9\", which src_coords is"},
           {F::kSrcCoords, "nan,0",
            "\"nan,0\" is no latitude and longitude, such as \"52.37,4.9\", which src_coords is"},
           {F::kApplicationId, "abc", "\"abc\" is not an even number of hexadecimal digits"},
           {F::kAsPath, "1 2", "as_path cannot be set: it is what routes and packets tell"},
       }) {
    EXPECT_EQ(ParseFieldValue(c.field, c.text, &value), c.why);
  }
}

}  // namespace
}  // namespace flowacct::enrich
