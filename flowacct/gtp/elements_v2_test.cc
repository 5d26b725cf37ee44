#include "flowacct/gtp/elements_v2.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/testing/gtp2_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp::v2 {
namespace {

using testing::AddressOctets;
using testing::FteidOctets;
using testing::Labels;
using testing::PlmnOctets;
using testing::QosOctets;
using testing::Tbcd;

using Bytes = std::vector<uint8_t>;

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Type, length, instance and value.
Bytes Tliv(uint8_t type, uint8_t instance, const Bytes& value) {
  return Join({{type, static_cast<uint8_t>(value.size() >> 8), static_cast<uint8_t>(value.size()), instance}, value});
}

// Reads what it was read from with any octets behind, and nothing of less.
template <typename Read, typename Equal>
void ExpectNeedsAll(const Bytes& octets, Read read, Equal equal) {
  for (size_t size = 0; size < octets.size(); ++size) {
    EXPECT_FALSE(read(base::Octets(octets.data(), size)).has_value()) << size;
  }
  const auto value = read(octets);
  ASSERT_TRUE(value.has_value());
  equal(*value);
  const Bytes longer = Join({octets, {0x5a, 0xff, 0x00}});
  const auto again = read(longer);
  ASSERT_TRUE(again.has_value());
  equal(*again);
}

TEST(ElementTable, HasEachTypeOnceWithItsName) {
  std::set<std::string> names;
  size_t known = 0;
  for (unsigned type = 0; type < 256; ++type) {
    const ElementInfo* info = FindElement(static_cast<uint8_t>(type));
    if (info == nullptr) continue;
    ++known;
    EXPECT_EQ(info->type, type);
    EXPECT_TRUE(names.insert(std::string(info->name)).second) << info->name;
    EXPECT_EQ(info->grouped(), info->size == 0) << info->name;
  }
  EXPECT_EQ(known, 160u);
  for (const uint8_t spare : {0, 4, 50, 63, 70, 98, 101, 102, 122, 130, 161, 220, 253}) {
    EXPECT_EQ(FindElement(spare), nullptr) << int{spare};
  }
  EXPECT_EQ(FindElement(87)->name, "F-TEID");
  EXPECT_EQ(FindElement(93)->rule, LengthRule::kGrouped);
}

TEST(ElementReader, GoesThroughElements) {
  const Bytes octets = Join({Tliv(3, 0, {9}), Tliv(200, 0xf3, {}), Tliv(1, 2, Bytes(300, 7))});
  ElementReader reader(octets, 100);
  Element element;
  ASSERT_TRUE(reader.Next(&element));
  EXPECT_EQ(element.type, 3);
  EXPECT_EQ(element.instance, 0);
  EXPECT_EQ(element.offset, 100u);
  EXPECT_EQ(element.value, base::Octets({9}));
  ASSERT_TRUE(reader.Next(&element));
  EXPECT_EQ(element.type, 200);
  EXPECT_EQ(element.instance, 3);
  EXPECT_EQ(element.spare, 0xf);
  EXPECT_TRUE(element.value.empty());
  ASSERT_TRUE(reader.Next(&element));
  EXPECT_EQ(element.value.size(), 300u);
  EXPECT_EQ(element.offset, 109u);
  EXPECT_FALSE(reader.Next(&element));
  EXPECT_TRUE(reader.result().ok());
}

TEST(ElementReader, TellsWhereALengthLies) {
  const Bytes octets = Join({Tliv(3, 0, {9}), Tliv(1, 0, Bytes(8, 1))});
  for (size_t size = 0; size < octets.size(); ++size) {
    ElementReader reader(base::Octets(octets.data(), size));
    Element element;
    size_t read = 0;
    while (reader.Next(&element)) ++read;
    EXPECT_EQ(read, size >= 5 ? 1u : 0u) << size;
    const bool whole = size == 0 || size == 5;
    EXPECT_EQ(reader.result().code, whole ? base::DecodeCode::kOk : base::DecodeCode::kTruncated) << size;
    EXPECT_EQ(reader.result().offset, whole || size < 5 ? 0u : 5u) << size;
    EXPECT_FALSE(reader.Next(&element));
  }
  Bytes lies = octets;
  lies[6] = 0xff;
  ElementReader reader(lies);
  Element element;
  EXPECT_TRUE(reader.Next(&element));
  EXPECT_FALSE(reader.Next(&element));
  EXPECT_EQ(reader.result().offset, 5u);
}

TEST(WalkElements, EntersGroupsToABoundedDepth) {
  // A thousand groups within each other, an element in the innermost.
  Bytes octets = Tliv(kEbi, 0, {5});
  for (int i = 0; i < 1000; ++i) octets = Tliv(kBearerContext, 0, octets);
  base::DecodeCounters counters;
  size_t deepest = 0, visited = 0;
  WalkElements(
      octets, {},
      [&](const Element& element, size_t depth) {
        EXPECT_EQ(element.type, kBearerContext);
        EXPECT_EQ(element.offset, 4 * depth);
        deepest = depth;
        ++visited;
      },
      &counters);
  EXPECT_EQ(deepest, 8u);
  EXPECT_EQ(visited, 9u);
  EXPECT_EQ(counters[base::DecodeCode::kTooDeep], 1u);
  EXPECT_EQ(counters[base::DecodeCode::kOk], 9u);

  base::DecodeCounters all;
  WalkOptions deep;
  deep.max_depth = 1000;
  WalkElements(
      octets, deep, [](const Element&, size_t) {}, &all);
  EXPECT_EQ(all[base::DecodeCode::kOk], 1001u);
  EXPECT_EQ(all.errors(), 0u);
}

TEST(WalkElements, CountsListsThatEndEarlyAndShortElements) {
  const Bytes group = Join({Tliv(kEbi, 0, {}), Tliv(kFteid, 0, {1, 2, 3, 4}), {0xff}});
  const Bytes octets = Join({Tliv(kBearerContext, 0, group), Tliv(220, 0, {}), Tliv(kAmbr, 0, Bytes(8))});
  base::DecodeCounters counters;
  std::string seen;
  WalkElements(
      octets, {},
      [&](const Element& element, size_t depth) {
        absl::StrAppend(&seen, depth, ":", element.type, "@", element.offset, " ");
      },
      &counters);
  EXPECT_EQ(seen, "0:93@0 1:73@4 1:87@8 0:220@17 0:72@21 ");
  EXPECT_EQ(counters[base::DecodeCode::kBadLength], 2u);
  EXPECT_EQ(counters[base::DecodeCode::kTruncated], 1u);
}

TEST(Elements, Identities) {
  struct Case {
    std::optional<base::Digits> (*read)(base::Octets);
    Bytes octets;
    const char* text;  // empty: nothing
  };
  const std::vector<Case> cases = {
      {&ReadImsi, Tbcd("262011234567890"), "262011234567890"},
      {&ReadImsi, Tbcd("00101123456789"), "00101123456789"},
      {&ReadImsi, Tbcd("001"), "001"},
      {&ReadImsi, Tbcd("1"), "1"},
      {&ReadImsi, Tbcd("1234567890123456"), ""},  // 16 digits
      {&ReadImsi, Tbcd("12345678901234567890"), ""},
      {&ReadImsi, {}, ""},
      {&ReadImsi, {0xff}, ""},
      {&ReadImsi, {0x1a}, ""},
      {&ReadImsi, {0xf1, 0x32}, ""},  // digits behind the filler
      {&ReadImsi, {0x21, 0xff, 0xff}, "12"},
      {&ReadMei, Tbcd("3536271234567890"), "3536271234567890"},
      {&ReadMei, Tbcd("353627123456789"), "353627123456789"},
      {&ReadMei, Bytes(9, 0x11), ""},
      {&ReadMsisdn, Tbcd("491721234567"), "491721234567"},
  };
  for (const Case& c : cases) {
    const std::optional<base::Digits> digits = c.read(c.octets);
    EXPECT_EQ(digits ? digits->ToString() : "", c.text);
  }
}

TEST(Elements, Numbers) {
  EXPECT_EQ(ReadU8(Bytes{}), std::nullopt);
  EXPECT_EQ(ReadU8(Bytes{7, 8}), 7);
  EXPECT_EQ(ReadU16(Bytes{7}), std::nullopt);
  EXPECT_EQ(ReadU16(Bytes{7, 8, 9}), 0x0708);
  EXPECT_EQ(ReadU32(Bytes{7, 8, 9}), std::nullopt);
  EXPECT_EQ(ReadU32(Bytes{7, 8, 9, 10}), 0x0708090au);
  EXPECT_EQ(ReadEbi(Bytes{}), std::nullopt);
  EXPECT_EQ(ReadEbi(Bytes{0xf5}), 5);
  EXPECT_EQ(ReadPdnType(Bytes{0xfb}), 3);
  EXPECT_EQ(ReadPdnType(Bytes{}), std::nullopt);
  EXPECT_EQ(PdnTypeName(5), "Ethernet");
  EXPECT_EQ(PdnTypeName(0), "");
  EXPECT_EQ(PdnTypeName(6), "");
  EXPECT_EQ(ReadIntegerNumber(Bytes{}), std::nullopt);
  EXPECT_EQ(ReadIntegerNumber(Bytes(9, 1)), std::nullopt);
  EXPECT_EQ(ReadIntegerNumber(Bytes{1, 2}), 258u);
  EXPECT_EQ(ReadMillisecondTimestamp(Bytes(5, 1)), std::nullopt);
  EXPECT_EQ(ReadMillisecondTimestamp(Bytes{0, 0, 0, 0, 1, 0}), 256u);
  // 2016-07-26 00:00:00 and, of the next era, 2036-02-07 06:28:16.
  EXPECT_EQ(ReadTimestamp(Bytes{0xdb, 0x42, 0x00, 0x00}), 3678535680 - 2208988800);
  EXPECT_EQ(ReadTimestamp(Bytes{0, 0, 0, 0}), 2085978496);
  EXPECT_EQ(ReadTimestamp(Bytes{0, 0, 0}), std::nullopt);
  EXPECT_EQ(EpcTimerSeconds(0x00), 0u);
  EXPECT_EQ(EpcTimerSeconds(0x05), 10u);
  EXPECT_EQ(EpcTimerSeconds(0x25), 300u);
  EXPECT_EQ(EpcTimerSeconds(0x43), 1800u);
  EXPECT_EQ(EpcTimerSeconds(0x62), 7200u);
  EXPECT_EQ(EpcTimerSeconds(0x9f), 31u * 36000);
  EXPECT_EQ(EpcTimerSeconds(0xa1), 60u);
  EXPECT_EQ(EpcTimerSeconds(0xe0), std::nullopt);
  EXPECT_EQ(EpcTimerSeconds(0xff), std::nullopt);
}

TEST(Elements, Addresses) {
  EXPECT_EQ(ReadIpAddress(AddressOctets("192.0.2.1"))->ToString(), "192.0.2.1");
  EXPECT_EQ(ReadIpAddress(AddressOctets("2001:db8::1"))->ToString(), "2001:db8::1");
  for (const size_t size : {0, 3, 5, 15, 17}) EXPECT_FALSE(ReadIpAddress(Bytes(size, 1)).has_value()) << size;
}

TEST(Elements, Networks) {
  EXPECT_EQ(ReadPlmn(PlmnOctets("26201"))->ToString(), "26201");
  EXPECT_EQ(ReadPlmn(Join({PlmnOctets("310410"), {1, 2}}))->ToString(), "310410");
  EXPECT_FALSE(ReadPlmn(Bytes{0x62, 0xf2}).has_value());
  EXPECT_FALSE(ReadPlmn(Bytes{0xff, 0xff, 0xff}).has_value());
  ExpectNeedsAll(Join({PlmnOctets("310410"), {0x12, 0x34}}), &ReadGlobalCnId, [](const GlobalCnId& id) {
    EXPECT_EQ(id.plmn.ToString(), "310410");
    EXPECT_EQ(id.cn, 0x1234);
  });
  ExpectNeedsAll(Join({PlmnOctets("26202"), {1, 2, 3}}), &ReadTraceReference, [](const TraceReference& reference) {
    EXPECT_EQ(reference.plmn.ToString(), "26202");
    EXPECT_EQ(reference.id, 0x010203u);
  });
  ExpectNeedsAll(Join({PlmnOctets("26202"), {0x80, 0x01, 0x17, 0xde, 0xad, 0xbe, 0xef}}), &ReadGuti,
                 [](const Guti& guti) {
                   EXPECT_EQ(guti.plmn.ToString(), "26202");
                   EXPECT_EQ(guti.mme_group, 0x8001);
                   EXPECT_EQ(guti.mme_code, 0x17);
                   EXPECT_EQ(guti.m_tmsi, 0xdeadbeefu);
                 });
  EXPECT_FALSE(ReadGuti(Bytes(10, 0xff)).has_value());
  ExpectNeedsAll(Join({PlmnOctets("26202"), {0xf8, 0, 1, 2, 0x43}}), &ReadUserCsg, [](const UserCsg& csg) {
    EXPECT_EQ(csg.plmn.ToString(), "26202");
    EXPECT_EQ(csg.csg, 0x0000102u);
    EXPECT_EQ(csg.access_mode, 1);
    EXPECT_TRUE(csg.leaves);
    EXPECT_TRUE(csg.member);
  });
}

TEST(Elements, Causes) {
  ExpectNeedsAll({16, 0x01}, &ReadCause, [](const Cause& cause) {
    EXPECT_EQ(cause.value, 16);
    EXPECT_TRUE(cause.from_remote);
    EXPECT_FALSE(cause.bearer_context_error);
    EXPECT_FALSE(cause.pdn_connection_error);
    EXPECT_FALSE(cause.has_offending);
  });
  const std::optional<Cause> cause = ReadCause(Bytes{70, 0xfe, 87, 0, 0, 0xf2});
  ASSERT_TRUE(cause.has_value());
  EXPECT_EQ(cause->value, 70);
  EXPECT_FALSE(cause->from_remote);
  EXPECT_TRUE(cause->bearer_context_error);
  EXPECT_TRUE(cause->pdn_connection_error);
  EXPECT_TRUE(cause->has_offending);
  EXPECT_EQ(cause->offending_type, 87);
  EXPECT_EQ(cause->offending_instance, 2);
}

TEST(Elements, QualityOfService) {
  ExpectNeedsAll({0, 0, 0x10, 0, 0, 1, 0, 0}, &ReadAmbr, [](const Ambr& ambr) {
    EXPECT_EQ(ambr.up, 4096u);
    EXPECT_EQ(ambr.down, 65536u);
  });
  const auto rates = [](const Qos& qos) {
    EXPECT_EQ(qos.qci, 1);
    EXPECT_EQ(qos.max_up, 0x0102030405u);
    EXPECT_EQ(qos.max_down, 0xffffffffffu);
    EXPECT_EQ(qos.guaranteed_up, 7u);
    EXPECT_EQ(qos.guaranteed_down, 8u);
  };
  const Bytes octets = QosOctets(0x4d, 1, 0x0102030405, 0xffffffffff, 7, 8);
  ExpectNeedsAll(octets, &ReadBearerQos, [&](const Qos& qos) {
    rates(qos);
    EXPECT_EQ(qos.arp.octet, 0x4d);
    EXPECT_EQ(qos.arp.priority_level(), 3);
    EXPECT_FALSE(qos.arp.preemption_capability());
    EXPECT_FALSE(qos.arp.preemption_vulnerability());
  });
  ExpectNeedsAll(Bytes(octets.begin() + 1, octets.end()), &ReadFlowQos, rates);
  EXPECT_TRUE(Arp{0x3c}.preemption_capability());
  EXPECT_TRUE(Arp{0x3c}.preemption_vulnerability());
  EXPECT_EQ(Arp{0x3c}.priority_level(), 15);
}

TEST(Elements, IndicationFlags) {
  EXPECT_EQ(IndicationFlagName(0), "DAF");
  EXPECT_EQ(IndicationFlagName(7), "SGWCI");
  EXPECT_EQ(IndicationFlagName(48), "5GSNN26");
  EXPECT_EQ(IndicationFlagName(63), "ETHPDN");
  EXPECT_EQ(IndicationFlagName(71), "EMCI");
  EXPECT_EQ(IndicationFlagName(72), "");
  EXPECT_EQ(IndicationFlagName(79), "UPIPSI");
  EXPECT_EQ(IndicationFlagName(80), "");
  const Bytes octets = {0x20, 0x00, 0x01};
  EXPECT_TRUE(HasIndication(octets, 2));
  EXPECT_FALSE(HasIndication(octets, 3));
  EXPECT_TRUE(HasIndication(octets, 23));
  EXPECT_FALSE(HasIndication(octets, 24));
  EXPECT_EQ(ReadIndication(octets), uint64_t{0x200001} << 40);
  EXPECT_EQ(ReadIndication(Bytes{}), 0u);
  EXPECT_EQ(ReadIndication(Bytes{0x6b, 0x02}), kIndicationDirectTunnel | kIndicationHandover | kIndicationOperation |
                                                   kIndicationIsr | kIndicationSgwChange | kIndicationScope);
  EXPECT_EQ(ReadIndication(Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), 0x0102030405060708u);
}

TEST(Elements, ProtocolConfigurationOptions) {
  const auto read = [](const Bytes& octets, bool extended, bool* ok) {
    PcoReader reader(octets, extended);
    PcoItem item;
    std::vector<std::pair<uint16_t, size_t>> items;
    while (reader.Next(&item)) items.emplace_back(item.id, item.contents.size());
    *ok = reader.ok();
    return items;
  };
  using Items = std::vector<std::pair<uint16_t, size_t>>;
  const Bytes octets = {0x80, 0x80, 0x21, 0x04, 1, 2, 3, 4, 0x00, 0x0d, 0x00, 0x00, 0x23, 0x00, 0x01, 0xaa};
  bool ok = false;
  EXPECT_EQ(read(octets, true, &ok), (Items{{0x8021, 4}, {0x000d, 0}, {0x0023, 1}}));
  EXPECT_TRUE(ok);
  EXPECT_EQ(read(octets, false, &ok), (Items{{0x8021, 4}, {0x000d, 0}, {0x0023, 0}}));
  EXPECT_FALSE(ok);  // 01 aa is no option
  for (size_t size = 0; size < octets.size(); ++size) {
    read(Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size)), true, &ok);
    EXPECT_EQ(ok, size == 1 || size == 8 || size == 11) << size;
  }
  PcoReader reader(octets);
  EXPECT_EQ(reader.configuration_protocol(), 0);
}

TEST(Elements, PdnAddressAllocation) {
  const Bytes v6 = AddressOctets("2001:db8:1:2:3:4:5:6");
  ExpectNeedsAll(Join({{0x01}, {192, 0, 2, 9}}), &ReadPaa, [](const Paa& paa) {
    EXPECT_EQ(paa.pdn_type, kIpv4);
    EXPECT_EQ(paa.addresses.v4->ToString(), "192.0.2.9");
    EXPECT_FALSE(paa.addresses.v6.has_value());
  });
  ExpectNeedsAll(Join({{0x02, 64}, v6}), &ReadPaa, [](const Paa& paa) {
    EXPECT_FALSE(paa.addresses.v4.has_value());
    EXPECT_EQ(paa.addresses.v6->ToString(), "2001:db8:1:2::");
    EXPECT_EQ(paa.addresses.v6_length, 64);
  });
  ExpectNeedsAll(Join({{0x03, 60}, v6, {192, 0, 2, 9}}), &ReadPaa, [](const Paa& paa) {
    EXPECT_EQ(paa.pdn_type, kIpv4v6);
    EXPECT_EQ(paa.addresses.v4->ToString(), "192.0.2.9");
    EXPECT_EQ(paa.addresses.v6->ToString(), "2001:db8:1::");
    EXPECT_EQ(paa.addresses.v6_length, 60);
  });
  EXPECT_EQ(ReadPaa(Join({{0x02, 128}, v6}))->addresses.v6->ToString(), "2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(ReadPaa(Join({{0x02, 57}, v6}))->addresses.v6->ToString(), "2001:db8:1::");
  EXPECT_FALSE(ReadPaa(Join({{0x02, 129}, v6})).has_value());
  // What is to be assigned.
  EXPECT_FALSE(ReadPaa(Bytes{1, 0, 0, 0, 0})->addresses.v4.has_value());
  EXPECT_FALSE(ReadPaa(Join({{0x02, 64}, AddressOctets("::1")}))->addresses.v6.has_value());
  EXPECT_FALSE(ReadPaa(Join({{0x02, 0}, v6}))->addresses.v6.has_value());
  for (const uint8_t type : {kNonIp, kEthernet}) {
    ASSERT_TRUE(ReadPaa(Bytes{type}).has_value());
    EXPECT_EQ(ReadPaa(Bytes{type})->pdn_type, type);
  }
  EXPECT_FALSE(ReadPaa(Bytes{}).has_value());
}

TEST(Elements, UserLocations) {
  const Bytes plmn = PlmnOctets("26201"), bad = {0xff, 0xff, 0xff};
  struct Field {
    uint8_t flag;
    LocationForm form;
    Bytes octets;
    const char* text;
  };
  const std::vector<Field> fields = {
      {0x01, LocationForm::kCgi, {0x01, 0x02, 0x03, 0x04}, "cgi:262-01-258-772"},
      {0x02, LocationForm::kSai, {0x01, 0x02, 0x03, 0x05}, "sai:262-01-258-773"},
      {0x04, LocationForm::kRai, {0x01, 0x02, 0x07, 0xff}, "rai:262-01-258-7"},
      {0x08, LocationForm::kTai, {0x30, 0x39}, "tai:262-01-12345"},
      {0x10, LocationForm::kEcgi, {0xf0, 0x12, 0xd6, 0x87}, "ecgi:262-01-1234567"},
      {0x20, LocationForm::kLai, {0xff, 0xff}, "lai:262-01-65535"},
      {0x40, LocationForm::kMacroEnodeb, {0xff, 0xff, 0xff}, "macro_enodeb:262-01-1048575"},
      {0x80, LocationForm::kExtendedMacroEnodeb, {0x3f, 0xff, 0xff}, "ext_macro_enodeb:262-01-2097151"},
  };
  for (const Field& field : fields) {
    ExpectNeedsAll(Join({{field.flag}, plmn, field.octets}), &ReadUli, [&](const UserLocation& location) {
      EXPECT_EQ(location.present, 1u << static_cast<unsigned>(field.form));
      EXPECT_EQ(LocationText(field.form, location[field.form]), field.text);
    });
    EXPECT_FALSE(ReadUli(Join({{field.flag}, bad, field.octets})).has_value()) << field.text;
  }
  // A short macro eNodeB.
  EXPECT_EQ((*ReadUli(Join({{0x80}, plmn, {0xff, 0xff, 0xff}})))[LocationForm::kExtendedMacroEnodeb].cell, 0x3ffffu);
  Bytes all = {0xff};
  for (const Field& field : fields) all = Join({all, plmn, field.octets});
  ExpectNeedsAll(all, &ReadUli, [&](const UserLocation& location) {
    for (const Field& field : fields) EXPECT_EQ(LocationText(field.form, location[field.form]), field.text);
  });
  // One area without a network does not take the others along.
  const std::optional<UserLocation> some = ReadUli(Join({{0x18}, bad, {0x30, 0x39}, plmn, {0x00, 0x12, 0xd6, 0x87}}));
  ASSERT_TRUE(some.has_value());
  EXPECT_FALSE(some->Has(LocationForm::kTai));
  EXPECT_EQ(LocationText(LocationForm::kEcgi, (*some)[LocationForm::kEcgi]), "ecgi:262-01-1234567");
  EXPECT_FALSE(ReadUli(Bytes{0}).has_value());
}

TEST(Elements, TunnelEndpoints) {
  struct Case {
    const char *v4, *v6;
  };
  for (const Case& c : {Case{"192.0.2.1", ""}, Case{"", "2001:db8::1"}, Case{"192.0.2.1", "2001:db8::1"}}) {
    for (uint8_t type = 0; type < 64; ++type) {
      ExpectNeedsAll(
          FteidOctets(type, 0x01020304, c.v4, c.v6), [](base::Octets value) { return ReadFteid(value, 3); },
          [&](const Fteid& fteid) {
            EXPECT_EQ(fteid.interface_type, type);
            EXPECT_EQ(fteid.instance, 3);
            EXPECT_EQ(fteid.teid, 0x01020304u);
            EXPECT_EQ(fteid.v4 ? fteid.v4->ToString() : "", c.v4);
            EXPECT_EQ(fteid.v6 ? fteid.v6->ToString() : "", c.v6);
          });
    }
  }
  EXPECT_FALSE(ReadFteid(FteidOctets(10, 1, "", ""), 0).has_value());
}

TEST(Elements, DataForwarding) {
  ExpectNeedsAll(Join({{4}, AddressOctets("192.0.2.1"), {0, 0, 0, 9, 0xf2, 5, 0xf6}}), &ReadS103DataForwarding,
                 [](const DataForwarding& forwarding) {
                   EXPECT_EQ(forwarding.address.ToString(), "192.0.2.1");
                   EXPECT_EQ(forwarding.key, 9u);
                   ASSERT_EQ(forwarding.ebi_count, 2);
                   EXPECT_EQ(forwarding.ebis[0], 5);
                   EXPECT_EQ(forwarding.ebis[1], 6);
                 });
  ExpectNeedsAll(Join({{0xf5, 16}, AddressOctets("2001:db8::1"), {0, 0, 1, 0}}), &ReadS1UDataForwarding,
                 [](const DataForwarding& forwarding) {
                   EXPECT_EQ(forwarding.ebi, 5);
                   EXPECT_EQ(forwarding.address.ToString(), "2001:db8::1");
                   EXPECT_EQ(forwarding.key, 256u);
                 });
  EXPECT_FALSE(ReadS1UDataForwarding(Bytes{5, 5, 1, 2, 3, 4, 5, 0, 0, 0, 1}).has_value());
}

TEST(Elements, SetsOfConnections) {
  ExpectNeedsAll(Join({{0x02}, AddressOctets("192.0.2.1"), {0, 1, 0xff, 0xff}}), &ReadFqCsid, [](const FqCsid& id) {
    EXPECT_EQ(id.address->ToString(), "192.0.2.1");
    ASSERT_EQ(id.size(), 2u);
    EXPECT_EQ(id[0], 1);
    EXPECT_EQ(id[1], 65535);
  });
  ExpectNeedsAll(Join({{0x11}, AddressOctets("2001:db8::1"), {0, 1}}), &ReadFqCsid,
                 [](const FqCsid& id) { EXPECT_EQ(id.address->ToString(), "2001:db8::1"); });
  ExpectNeedsAll({0x21, 1, 2, 3, 4, 0, 9}, &ReadFqCsid, [](const FqCsid& id) {
    EXPECT_FALSE(id.address.has_value());
    EXPECT_EQ(id.node, 0x01020304u);
    EXPECT_EQ(id[0], 9);
  });
  EXPECT_FALSE(ReadFqCsid(Bytes(40, 0x31)).has_value());
}

TEST(Elements, OctetsBehindAType) {
  ExpectNeedsAll({0xf5}, &ReadFContainer, [](const TypedOctets& typed) { EXPECT_EQ(typed.type, 5); });
  ExpectNeedsAll({0xf5}, &ReadFCause, [](const TypedOctets& typed) { EXPECT_EQ(typed.type, 5); });
  ExpectNeedsAll({0xf5}, &ReadTargetIdentification, [](const TypedOctets& typed) { EXPECT_EQ(typed.type, 0xf5); });
  ExpectNeedsAll({1}, &ReadCompleteRequestMessage, [](const TypedOctets& typed) { EXPECT_EQ(typed.type, 1); });
  EXPECT_EQ(ReadFContainer(Bytes{1, 2, 3})->octets, base::Octets({2, 3}));
  ExpectNeedsAll({0x28, 0xaf}, &ReadPrivateExtension,
                 [](const PrivateExtension& extension) { EXPECT_EQ(extension.enterprise, 10415); });
  EXPECT_EQ(ReadPrivateExtension(Bytes{1, 2, 3})->octets, base::Octets({3}));
}

TEST(Elements, TheRest) {
  ExpectNeedsAll({0x80, 0xfd}, &ReadUeTimeZone, [](const UeTimeZone& zone) {
    EXPECT_EQ(zone.octet, 0x80);
    EXPECT_EQ(zone.daylight_saving, 1);
  });
  ExpectNeedsAll({24, 192, 0, 2, 1}, &ReadIp4cp, [](const Ip4cp& parameters) {
    EXPECT_EQ(parameters.prefix_length, 24);
    EXPECT_EQ(parameters.router.ToString(), "192.0.2.1");
  });
  EXPECT_FALSE(ReadIp4cp(Bytes{33, 192, 0, 2, 1}).has_value());
  ExpectNeedsAll(Join({{0x01, 0, 0xf7},
                       {0xdb, 0x42, 0, 0},
                       {0xdb, 0x42, 0, 9},
                       {0, 0, 0, 0, 0, 0, 1, 0},
                       {0, 0, 0, 1, 0, 0, 0, 0}}),
                 &ReadSecondaryRatUsage, [](const SecondaryRatUsage& usage) {
                   EXPECT_TRUE(usage.to_pgw);
                   EXPECT_FALSE(usage.to_sgw);
                   EXPECT_EQ(usage.rat, 0);
                   EXPECT_EQ(usage.ebi, 7);
                   EXPECT_EQ(usage.end - usage.start, 9);
                   EXPECT_EQ(usage.start, 1469546880);
                   EXPECT_EQ(usage.octets_down, 256u);
                   EXPECT_EQ(usage.octets_up, uint64_t{1} << 32);
                 });
  ExpectNeedsAll({0xdb, 0x42, 0, 0, 7}, &ReadCounter, [](const RateControlCounter& counter) {
    EXPECT_EQ(counter.start, 1469546880);
    EXPECT_EQ(counter.value, 7);
  });
  ExpectNeedsAll(Join({{50, 4}, Labels("ims")}), &ReadApnCapacity, [](const ApnCapacity& capacity) {
    EXPECT_EQ(capacity.capacity, 50);
    EXPECT_EQ(capacity.apn.text(), "ims");
  });
  EXPECT_EQ(ReadApn(Labels("ims.mnc001.mcc262.gprs"))->network(), "ims");
}

}  // namespace
}  // namespace flowacct::gtp::v2
