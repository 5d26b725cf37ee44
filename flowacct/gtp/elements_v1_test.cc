#include "flowacct/gtp/elements_v1.h"

#include <set>
#include <string>
#include <vector>

#include "flowacct/gtp/testing/gtp1_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp::v1 {
namespace {

using base::DecodeCode;
using base::IpAddress;
using testing::Build;
using testing::Bytes;
using testing::Hex;
using testing::Join;
using testing::PrimeHeader;
using testing::Tlv;
using testing::Tv;
using testing::V0Header;
using testing::V1Header;

struct List {
  explicit List(const Bytes& message) {
    MessageView view;
    EXPECT_TRUE(MessageView::Parse(message, &view).ok());
    ElementReader reader(view);
    for (Element element; reader.Next(&element);) {
      types.push_back(element.type);
      offsets.push_back(element.offset);
      values.emplace_back(element.value.begin(), element.value.end());
    }
    result = reader.result();
  }
  std::vector<int> types;
  std::vector<uint32_t> offsets;
  std::vector<Bytes> values;
  base::DecodeResult result;
};

TEST(Elements, HaveOneRowEach) {
  std::set<int> seen;
#define X(number, id, length, text)                \
  EXPECT_TRUE(seen.insert(number).second);         \
  EXPECT_EQ((length) > 0, (number) < 128) << text; \
  EXPECT_EQ(FindElement(Protocol::kV1, number)->name, text);
  FLOWACCT_GTP1_ELEMENTS(X)
#undef X
  for (int type = 0; type < 256; ++type) {
    EXPECT_EQ(FindElement(Protocol::kV1, static_cast<uint8_t>(type)) != nullptr, seen.count(type) == 1) << type;
  }
  EXPECT_EQ(FindElement(Protocol::kV0, kFlowLabelDataI)->size, 2);
  EXPECT_EQ(FindElement(Protocol::kV0, kFlowLabelDataII)->size, 3);
  EXPECT_EQ(FindElement(Protocol::kV0, kNsapi), nullptr);
  EXPECT_EQ(FindElement(Protocol::kV0, kQos), nullptr);
  EXPECT_EQ(FindElement(Protocol::kV0, kV0Qos)->size, 3);
  EXPECT_EQ(FindElement(Protocol::kV1, kV0Qos), nullptr);
}

TEST(ElementReader, ReadsEachOfGtpv1) {
  Bytes body;
  std::vector<int> types;
  std::vector<Bytes> values;
  for (unsigned type = 0; type < 256; ++type) {
    const ElementInfo* info = FindElement(Protocol::kV1, static_cast<uint8_t>(type));
    if (info == nullptr) continue;
    const Bytes value(info->has_length() ? type % 7 : info->size, static_cast<uint8_t>(type));
    Bytes encoded = info->has_length() ? Tlv(info->type, value) : Tv(info->type, value);
    if (type == kExtensionHeaderTypes) encoded.erase(encoded.begin() + 1);  // its length is one octet
    body = Join({body, encoded});
    types.push_back(static_cast<int>(type));
    values.push_back(value);
  }
  const List list(Build(V1Header(16).Sequence(1), body));
  EXPECT_TRUE(list.result.ok());
  EXPECT_EQ(list.types, types);
  EXPECT_EQ(list.values, values);
}

TEST(ElementReader, ReadsWhatGtpv0HasItsOwnWay) {
  const List list(Build(V0Header(16), Join({Tv(6, {1, 2, 3}), Tv(16, {4, 5}), Tv(17, {6, 7}), Tv(18, {5, 8, 9}),
                                            Tv(127, {1, 2, 3, 4}), Tlv(133, {127, 0, 0, 1})})));
  EXPECT_TRUE(list.result.ok());
  EXPECT_EQ(list.types, (std::vector<int>{6, 16, 17, 18, 127, 133}));
  EXPECT_EQ(list.offsets, (std::vector<uint32_t>{20, 24, 27, 30, 34, 39}));
  EXPECT_EQ(list.values[3], (Bytes{5, 8, 9}));
}

TEST(ElementReader, ReadsThoseOfPrime) {
  const List list(Build(PrimeHeader{2, true, 240, 1}, Join({Tv(126, {1}), Tlv(252, {9, 9, 9}), Tlv(141, {7})})));
  EXPECT_TRUE(list.result.ok());
  EXPECT_EQ(list.types, (std::vector<int>{126, 252, 141}));
}

TEST(ElementReader, KeepsUnknownOnesThatHaveALength) {
  const List list(Build(V1Header(16), Join({Tlv(237, {1, 2, 3}), Tv(14, {5})})));
  EXPECT_TRUE(list.result.ok());
  EXPECT_EQ(list.types, (std::vector<int>{237, 14}));
  EXPECT_EQ(list.values[0], (Bytes{1, 2, 3}));
}

TEST(ElementReader, EndsWhereNobodyKnowsTheNextOne) {
  const List list(Build(V1Header(16), Join({Tv(14, {5}), Tv(100, {1, 2}), Tv(14, {6})})));
  EXPECT_EQ(list.result.code, DecodeCode::kUnsupported);
  EXPECT_EQ(list.result.offset, 8u + 2);
  EXPECT_EQ(list.types, (std::vector<int>{14}));
}

TEST(ElementReader, TellsWhatHasNoRoom) {
  const struct {
    Bytes body;
    size_t offset;
  } kCases[] = {
      {{2, 1, 2, 3, 4, 5, 6, 7}, 0}, {{14, 5, 128}, 2}, {{14, 5, 128, 0}, 2}, {{133, 0, 5, 127, 0, 0, 1}, 0},
      {{133, 0xff, 0xff, 127}, 0},   {{14, 5, 141}, 2}, {{141, 2, 0x85}, 0},  {{14}, 0},
  };
  for (const auto& c : kCases) {
    const List list(Build(V1Header(16), c.body));
    EXPECT_EQ(list.result.code, DecodeCode::kTruncated);
    EXPECT_EQ(list.result.offset, 8 + c.offset);
  }
}

template <typename T>
std::string Text(const std::optional<T>& value) {
  return value ? value->ToString() : "none";
}

TEST(Values, OfIdentities) {
  EXPECT_EQ(Text(ReadImsi(Hex("62 02 11 00 00 00 00 f1"))), "262011000000001");
  EXPECT_EQ(Text(ReadImsi(Hex("00 01 01 21 43 65 f7 ff"))), "0010101234567");
  EXPECT_EQ(Text(ReadImsi(Hex("00 01 01 21 43 65 87 09"))), "none");  // 16 digits
  EXPECT_EQ(Text(ReadImsi(Hex("00 01 0a 21 43 65 87 f9"))), "none");
  EXPECT_EQ(Text(ReadImsi({})), "none");
  EXPECT_EQ(Text(ReadImei(Hex("53 61 20 00 91 78 84 f0"))), "351602001987480");
  EXPECT_EQ(Text(ReadImei(Hex("53 61 20 00 91 78 84 10"))), "3516020019874801");
  EXPECT_EQ(Text(ReadMsisdn(Hex("91 94 71 00 00 f1"))), "491700001");
  EXPECT_EQ(Text(ReadMsisdn(Hex("91"))), "none");
  EXPECT_EQ(Text(ReadMsisdn({})), "none");
}

TEST(Values, OfPlaces) {
  const std::optional<LocationArea> rai = ReadRai(Hex("62 f2 10 01 02 03"));
  ASSERT_TRUE(rai);
  EXPECT_EQ(LocationText(LocationForm::kRai, *rai), "rai:262-01-258-3");
  EXPECT_TRUE(TellsArea(*rai));
  EXPECT_FALSE(TellsArea(*ReadRai(Hex("62 f2 10 ff fe ff"))));
  EXPECT_FALSE(ReadRai(Hex("62 f2 10 01 02")));
  EXPECT_FALSE(ReadRai(Hex("6a f2 10 01 02 03")));
  const struct {
    const char* octets;
    const char* text;
  } kCases[] = {
      {"00 62 f2 10 01 02 03 04", "cgi:262-01-258-772"},
      {"01 13 00 14 01 02 03 04", "sai:310-410-258-772"},
      {"02 62 f2 10 01 02 03 ff", "rai:262-01-258-3"},
      {"03 62 f2 10 01 02 03 04", "none"},
      {"00 62 f2 10 01 02 03", "none"},
      {"00 6f f2 10 01 02 03 04", "none"},
  };
  for (const auto& c : kCases) {
    const std::optional<UserLocation> location = ReadUli(Hex(c.octets));
    std::string text = "none";
    if (location) {
      const LocationForm form = *MostExactForm(*location);
      text = LocationText(form, (*location)[form]);
    }
    EXPECT_EQ(text, c.text) << c.octets;
  }
}

TEST(Values, OfEndUserAddresses) {
  const struct {
    const char* octets;
    const char* v4;  // as they came
    const char* v6;
    const char* ue_v4;
    const char* ue_v6;
  } kCases[] = {
      {"f1 21", "none", "none", "none", "none"},
      {"f1 21 0a000001", "10.0.0.1", "none", "10.0.0.1", "none"},
      {"f1 21 00000000", "0.0.0.0", "none", "none", "none"},
      {"f1 57 20010db8000000010000000000000005", "none", "2001:db8:0:1::5", "none", "2001:db8:0:1::"},
      {"f1 8d 0a000001", "10.0.0.1", "none", "10.0.0.1", "none"},
      {"f1 8d 20010db8000000010000000000000005", "none", "2001:db8:0:1::5", "none", "2001:db8:0:1::"},
      {"f1 8d 0a000001 20010db8000000010000000000000005", "10.0.0.1", "2001:db8:0:1::5", "10.0.0.1", "2001:db8:0:1::"},
      {"f0 01", "none", "none", "none", "none"},  // PPP
      {"f1 22 01", "none", "none", "none", "none"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.octets);
    const Bytes octets = Hex(c.octets);
    const std::optional<EndUserAddress> address = ReadEndUserAddress(octets);
    ASSERT_TRUE(address);
    EXPECT_EQ(address->organisation, octets[0] & 0xf);
    EXPECT_EQ(address->number, octets[1]);
    EXPECT_EQ(Text(address->v4), c.v4);
    EXPECT_EQ(Text(address->v6), c.v6);
    EXPECT_EQ(Text(address->addresses().v4), c.ue_v4);
    EXPECT_EQ(Text(address->addresses().v6), c.ue_v6);
  }
  for (const char* bad : {"", "f1", "f1 21 0a0000", "f1 21 0a00000102", "f1 57 0a000001", "f1 8d 0a00000102"}) {
    EXPECT_FALSE(ReadEndUserAddress(Hex(bad))) << bad;
  }
}

TEST(Values, OfQos) {
  // Interactive, 64 and 8640 kbit/s by the first octets, downlink 42,000 and 300,000 by the extensions.
  const std::optional<Qos> qos = ReadQos(Hex("02 1b 92 1f 71 96 40 fe 74 fb 00 ff 10 64 00 00 00 0b 00 00 00"));
  ASSERT_TRUE(qos);
  EXPECT_EQ(qos->arp, 2);
  EXPECT_EQ(qos->delay_class, 3);
  EXPECT_EQ(qos->reliability_class, 3);
  EXPECT_EQ(qos->peak_throughput, 9);
  EXPECT_EQ(qos->precedence_class, 2);
  EXPECT_EQ(qos->mean_throughput, 31);
  EXPECT_TRUE(qos->extended);
  EXPECT_EQ(qos->traffic_class, 3);
  EXPECT_EQ(qos->handling_priority, 3);
  EXPECT_TRUE(qos->signalling);
  EXPECT_EQ(qos->max_up, 64u);
  EXPECT_EQ(qos->max_down, 300000u);
  EXPECT_EQ(qos->guaranteed_up, 0u);
  EXPECT_EQ(qos->guaranteed_down, 0u);
  const struct {
    uint8_t first, extended, extended2;
    uint32_t kbps;
  } kRates[] = {
      {0, 0, 0, 0},
      {1, 0, 0, 1},
      {63, 0, 0, 63},
      {64, 0, 0, 64},
      {127, 0, 0, 568},
      {128, 0, 0, 576},
      {254, 0, 0, 8640},
      {255, 0, 0, 0},
      {254, 1, 0, 8700},
      {254, 74, 0, 16000},
      {254, 75, 0, 17000},
      {254, 186, 0, 128000},
      {254, 187, 0, 130000},
      {254, 250, 0, 256000},
      {254, 250, 1, 260000},
      {254, 250, 61, 500000},
      {254, 250, 62, 510000},
      {254, 250, 161, 1500000},
      {254, 250, 162, 1600000},
      {254, 250, 246, 10000000},
  };
  for (const auto& rate : kRates) {
    Bytes octets(21, 0);
    octets[6] = rate.first;
    octets[15] = rate.extended;
    octets[19] = rate.extended2;
    EXPECT_EQ(ReadQos(octets)->max_up, rate.kbps) << int{rate.first} << " " << int{rate.extended};
  }
  const std::optional<Qos> old = ReadQos(Hex("01 0b 92 1f"));
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->extended);
  EXPECT_EQ(old->arp, 1);
  EXPECT_FALSE(ReadQos(Hex("01 0b 92")));
  EXPECT_EQ(ReadV0Qos(Hex("0e 0f 1f"))->delay_class, 1);
  EXPECT_FALSE(ReadV0Qos(Hex("0e 0f")));
}

TEST(Values, OfNumbersWithANsapi) {
  EXPECT_EQ(ReadTeidDataII(Hex("f5 01020304"))->teid, 0x01020304u);
  EXPECT_EQ(ReadTeidDataII(Hex("f5 01020304"))->nsapi, 5);
  EXPECT_EQ(ReadTeidDataII(Hex("06 0102"))->teid, 0x0102u);
  EXPECT_FALSE(ReadTeidDataII(Hex("06 01")));
  EXPECT_EQ(ReadEvolvedArpII(Hex("07 2c"))->arp, 0x2c);
  EXPECT_FALSE(ReadEvolvedArpII(Hex("07")));
  EXPECT_EQ(ReadAmbr(Hex("000003e8 000007d0"))->down, 2000u);
  EXPECT_FALSE(ReadAmbr(Hex("000003e8 000007")));
  EXPECT_EQ(SelectionMode(0xfd), 1);
  EXPECT_EQ(RadioPriority(0x5a), 2);
  EXPECT_TRUE(Teardown(0xff));
  EXPECT_FALSE(Teardown(0xfe));
  EXPECT_EQ(ReadPrivateExtension(Hex("2af9 01"))->enterprise, 0x2af9);
  EXPECT_FALSE(ReadPrivateExtension(Hex("2a")));
}

TEST(Values, OfRabSetup) {
  EXPECT_FALSE(ReadRabSetup(Hex("05"))->teid);
  const std::optional<RabSetup> setup = ReadRabSetup(Hex("06 00000007 c0a80001"));
  ASSERT_TRUE(setup);
  EXPECT_EQ(setup->nsapi, 6);
  EXPECT_EQ(setup->teid, 7u);
  EXPECT_EQ(Text(setup->address), "192.168.0.1");
  EXPECT_FALSE(ReadRabSetup({}));
  EXPECT_FALSE(ReadRabSetup(Hex("06 000000")));
  EXPECT_FALSE(ReadRabSetup(Hex("06 00000007 c0a800")));
}

const char kPdpContextOctets[] =
    "c5 03 04 020b921f 04 010b921f 04 030b921f 0001 0002 03 04 0000000a 0000000b 0c f1 21 04 0a000001"
    "04 c0a80001 10 20010db8000000000000000000000001 08 07696e7465726e65 01 07 57"
    "10 20010db8000000010000000000000005";

TEST(Values, OfPdpContexts) {
  const Bytes octets = Hex(kPdpContextOctets);
  const std::optional<PdpContext> context = ReadPdpContext(Protocol::kV1, octets);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->nsapi, 5);
  EXPECT_EQ(context->sapi, 3);
  EXPECT_TRUE(context->vplmn_address_allowed);
  EXPECT_EQ(ReadQos(context->qos_negotiated)->arp, 3);
  EXPECT_EQ(ReadQos(context->qos_requested)->arp, 1);
  EXPECT_EQ(ReadQos(context->qos_subscribed)->arp, 2);
  EXPECT_EQ(context->sequence_down, 1);
  EXPECT_EQ(context->sequence_up, 2);
  EXPECT_EQ(context->teid_control, 10u);
  EXPECT_EQ(context->teid_data, 11u);
  EXPECT_EQ(context->context_identifier, 12);
  EXPECT_EQ(Text(context->address.v4), "10.0.0.1");
  EXPECT_EQ(Text(context->address.v6), "2001:db8:0:1::5");
  EXPECT_EQ(Text(context->ggsn_control), "192.168.0.1");
  EXPECT_EQ(Text(context->ggsn_user), "2001:db8::1");
  EXPECT_EQ(context->apn->text(), "interne");
  EXPECT_EQ(context->transaction_identifier, 0x107);
  for (size_t n = 0; n < octets.size(); ++n) {
    EXPECT_FALSE(ReadPdpContext(Protocol::kV1, Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(n))))
        << n;
  }
}

TEST(Values, OfPdpContextsOfGtpv0) {
  const Bytes octets = Hex("45 03 0b921f 0b921f 0b921f 0001 0002 03 04 0a0b f1 21 00 04 c0a80001 04 03696e74 07");
  const std::optional<PdpContext> context = ReadPdpContext(Protocol::kV0, octets);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->nsapi, 5);
  EXPECT_EQ(context->teid_control, 0x0a0bu);
  EXPECT_EQ(Text(context->ggsn_user), "192.168.0.1");
  EXPECT_EQ(context->apn->text(), "int");
  EXPECT_EQ(context->transaction_identifier, 7);
  for (size_t n = 0; n < octets.size(); ++n) {
    EXPECT_FALSE(ReadPdpContext(Protocol::kV0, Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(n))))
        << n;
  }
}

}  // namespace
}  // namespace flowacct::gtp::v1
