#include "flowacct/flow/template/information_element.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "flowacct/record/field.h"
#include "gtest/gtest.h"

namespace flowacct::flow {
namespace {

using record::FieldId;
using record::FieldType;

TEST(InformationElement, IsFoundByNumber) {
  const InformationElement* e = FindInformationElement(0, 1);
  ASSERT_NE(e, nullptr);
  EXPECT_EQ(e->name, "octetDeltaCount");
  EXPECT_EQ(e->type, AbstractType::kUnsigned64);
  EXPECT_EQ(e->semantics, Semantics::kDeltaCounter);
  EXPECT_EQ(e->unit, "octets");
  EXPECT_EQ(e->field, FieldId::kBytes);

  ASSERT_NE(FindInformationElement(6876, 881), nullptr);
  EXPECT_EQ(FindInformationElement(6876, 881)->name, "tenantSourceIPv4");
  EXPECT_EQ(FindInformationElement(0, 0), nullptr);
  EXPECT_EQ(FindInformationElement(0, 65), nullptr);  // a gap
  EXPECT_EQ(FindInformationElement(0, 65535), nullptr);
  EXPECT_EQ(FindInformationElement(6876, 1), nullptr);
  EXPECT_EQ(FindInformationElement(1, 1), nullptr);
}

TEST(InformationElement, IsFoundByName) {
  ASSERT_NE(FindInformationElement("sourceIPv4Address"), nullptr);
  EXPECT_EQ(FindInformationElement("sourceIPv4Address")->id, 8);
  EXPECT_EQ(FindInformationElement("SOURCEIPV4ADDRESS")->id, 8);
  EXPECT_EQ(FindInformationElement("sourceIPv4"), nullptr);
  EXPECT_EQ(FindInformationElement(""), nullptr);
  EXPECT_EQ(FindInformationElement("zzz"), nullptr);
}

TEST(InformationElement, EveryOneIsFoundAgain) {
  std::set<std::pair<uint32_t, uint16_t>> seen;
  for (const InformationElement& e : InformationElements()) {
    EXPECT_TRUE(seen.insert({e.pen, e.id}).second) << e.pen << ":" << e.id;
    EXPECT_EQ(FindInformationElement(e.pen, e.id), &e) << e.name;
    const InformationElement* by_name = FindInformationElement(e.name);
    ASSERT_NE(by_name, nullptr) << e.name;
    EXPECT_EQ(absl::AsciiStrToLower(by_name->name), absl::AsciiStrToLower(e.name));
    EXPECT_LE(by_name->pen, e.pen) << e.name;
    EXPECT_GE(e.rank, 1);
    EXPECT_EQ(FindAbstractType(AbstractTypeName(e.type)), e.type);
    EXPECT_FALSE(SemanticsName(e.semantics).empty());
  }
}

TEST(InformationElement, AgreesWithTheFields) {
  for (size_t i = 0; i < record::kFieldCount; ++i) {
    const record::FieldInfo& field = record::Info(static_cast<FieldId>(i));
    if (field.element == 0) continue;
    const InformationElement* e = FindInformationElement(field.pen, field.element);
    ASSERT_NE(e, nullptr) << field.name;
    EXPECT_EQ(e->name, field.ipfix_name) << field.name;
    EXPECT_EQ(e->field.value_or(field.id), field.id) << field.name;
  }
}

// Which abstract types a field's value can be made of, value by value. The elements of which the header says that
// they hold more than their field are told apart there.
bool Fits(AbstractType type, FieldType field) {
  const bool unsigned_number = type >= AbstractType::kUnsigned8 && type <= AbstractType::kUnsigned64;
  const bool time = type >= AbstractType::kDateTimeSeconds && type <= AbstractType::kDateTimeNanoseconds;
  const bool address = type == AbstractType::kIpv4Address || type == AbstractType::kIpv6Address;
  switch (field) {
    case FieldType::kU8:
    case FieldType::kU16:
    case FieldType::kU32:
    case FieldType::kU64:
    case FieldType::kProtocol:
    case FieldType::kEtherType:
    case FieldType::kTcpFlags:
      return unsigned_number;
    case FieldType::kTime:
      return time;
    case FieldType::kAddress:
    case FieldType::kPrefix:
      return address;
    case FieldType::kMac:
      return type == AbstractType::kMacAddress;
    case FieldType::kString:
    case FieldType::kDigits:
      return type == AbstractType::kString;
    case FieldType::kRouteDistinguisher:
    case FieldType::kOctets:
    case FieldType::kLabelStack:
      return type == AbstractType::kOctetArray;
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return type == AbstractType::kBasicList;
    default:
      return false;
  }
}

TEST(InformationElement, TypesFitTheFields) {
  // mplsTopLabelStackSection is read as a label; relative times are made absolute.
  const std::set<uint16_t> converted = {21, 22, 70, 158, 159};
  for (const InformationElement& e : InformationElements()) {
    if (!e.field.has_value() || (e.pen == 0 && converted.count(e.id) != 0)) continue;
    EXPECT_TRUE(Fits(e.type, record::Info(*e.field).type)) << e.pen << ":" << e.id << " " << e.name;
  }
}

TEST(InformationElement, DeltaCountersWinOverTotals) {
  EXPECT_LT(FindInformationElement("octetDeltaCount")->rank, FindInformationElement("octetTotalCount")->rank);
  EXPECT_LT(FindInformationElement("packetDeltaCount")->rank, FindInformationElement("packetTotalCount")->rank);
  EXPECT_LT(FindInformationElement("sourceMacAddress")->rank, FindInformationElement("postSourceMacAddress")->rank);
  EXPECT_LT(FindInformationElement("flowStartMilliseconds")->rank, FindInformationElement("flowStartSeconds")->rank);
}

TEST(InformationElement, NumbersOfTypesAreRfc5610s) {
  EXPECT_EQ(static_cast<int>(*FindAbstractType("ipv6Address")), 19);
  EXPECT_EQ(static_cast<int>(*FindAbstractType("subTemplateMultiList")), 22);
  EXPECT_EQ(AbstractTypeSize(AbstractType::kDateTimeSeconds), 4);
  EXPECT_EQ(AbstractTypeSize(AbstractType::kString), 0);
  EXPECT_EQ(FindAbstractType("float128"), std::nullopt);
}

// Exporters send a number, not the NTP format (Wireshark's dissector reads microseconds).
TEST(InformationElement, NetscalersHttpTimesAreNumbers) {
  for (const char* name : {"httpReqRcvFB", "httpReqForwFB", "httpResRcvFB", "httpResForwFB", "httpReqRcvLB",
                           "httpReqForwLB", "httpResRcvLB", "httpResForwLB"}) {
    const InformationElement* element = FindInformationElement(name);
    ASSERT_NE(element, nullptr) << name;
    EXPECT_EQ(element->type, AbstractType::kUnsigned64) << name;
    EXPECT_EQ(element->unit, "microseconds") << name;
  }
}

TEST(NetFlow9FieldType, BelowIsIanaAndAboveIsVendors) {
  ASSERT_NE(FindNetFlow9FieldType(8), nullptr);
  EXPECT_EQ(FindNetFlow9FieldType(8)->name, "sourceIPv4Address");
  // Cisco's elements in NetFlow v9: the element plus 32768.
  ASSERT_NE(FindNetFlow9FieldType(45010), nullptr);
  EXPECT_EQ(FindNetFlow9FieldType(45010)->name, "connectionId");
  // ntop's: the element plus 57472.
  ASSERT_NE(FindNetFlow9FieldType(57590), nullptr);
  EXPECT_EQ(FindNetFlow9FieldType(57590)->name, "L7_PROTO");
  EXPECT_EQ(FindNetFlow9FieldType(57590)->pen, kNtopPen);
  // Numbers that vendors chose themselves: Cisco ASA, Palo Alto Networks, Ericsson.
  EXPECT_EQ(FindNetFlow9FieldType(40000)->field, FieldId::kUserName);
  EXPECT_EQ(FindNetFlow9FieldType(56701)->name, "APPID");
  EXPECT_EQ(FindNetFlow9FieldType(24632)->type, AbstractType::kIpv4Address);
  EXPECT_EQ(FindNetFlow9FieldType(0), nullptr);
  EXPECT_EQ(FindNetFlow9FieldType(32767), nullptr);
  EXPECT_EQ(FindNetFlow9FieldType(65535), nullptr);
}

}  // namespace
}  // namespace flowacct::flow
