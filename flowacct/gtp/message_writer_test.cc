#include "flowacct/gtp/message_writer.h"

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/read_control_message.h"
#include "flowacct/gtp/user_plane.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using base::AsText;
using base::Digits;
using base::IpAddress;
using base::OctetWriter;

std::string Hex(const OctetWriter& out) { return absl::BytesToHexString(AsText(out.octets())); }

std::string Squeezed(absl::string_view hex) { return absl::StrReplaceAll(hex, {{" ", ""}}); }

Digits D(absl::string_view text) { return *Digits::Parse(text); }
IpAddress A(absl::string_view text) { return *IpAddress::Parse(text); }

TEST(MessageWriterTest, PlmnHasItsThirdDigitInTheMiddle) {
  // TS 29.274, 8.18: MCC2 MCC1, MNC3 MCC3, MNC2 MNC1.
  EXPECT_EQ(PlmnOctets(D("26201")), (std::array<uint8_t, 3>{0x62, 0xf2, 0x10}));
  EXPECT_EQ(PlmnOctets(D("310260")), (std::array<uint8_t, 3>{0x13, 0x00, 0x62}));
}

TEST(MessageWriterTest, ApnIsLabels) {
  OctetWriter out;
  WriteApnLabels("internet.mnc001.mcc262.gprs", &out);
  EXPECT_EQ(AsText(out.octets()), absl::string_view("\x08internet\x06mnc001\x06mcc262\x04gprs"));
  out.Clear();
  WriteApnLabels("", &out);
  EXPECT_EQ(out.size(), 0u);
  WriteApnLabels(std::string(70, 'a'), &out);
  EXPECT_EQ(out.size(), 64u);
}

TEST(MessageWriterTest, Version1) {
  OctetWriter out;
  out.U16(0xabcd);  // what lies before stays as it is
  V1MessageWriter message(&out);
  LocationArea area{D("26201"), 0x1234, 0x56};
  UeAddresses ue;
  ue.v4 = A("10.1.2.3");
  message.Begin(16, 0, 0x4500).Imsi(D("262011234567890")).RoutingArea(area).Recovery(7).SelectionMode(1);
  message.TeidData(0x01020304).TeidControl(5).Nsapi(6).ChargingCharacteristics(0x0800).EndUserAddress(ue);
  message.Apn("ims").GsnAddress(A("192.0.2.1")).GsnAddress(A("2001:db8::1")).Msisdn(D("491701234567"));
  message.RatType(1).UserLocation(LocationForm::kSai, {D("26201"), 0x1234, 0x0102}).TimeZone(0x40, 1);
  message.Imei(D("3512340987654321")).End();
  EXPECT_EQ(Hex(out), Squeezed("abcd 32 10 007a 00000000 4500 00 00"
                               "02 62021132547698f0"
                               "03 62f210 1234 56"
                               "0e07 0ffd 1001020304 1100000005 1406 1a0800"
                               "80 0006 f121 0a010203"
                               "83 0004 03696d73"
                               "85 0004 c0000201 85 0010 20010db8000000000000000000000001"
                               "86 0007 91 947110325476"
                               "97 0001 01"
                               "98 0008 01 62f210 1234 0102"
                               "99 0002 4001"
                               "9a 0008 5321439078563412"));
}

TEST(MessageWriterTest, EndUserAddresses) {
  const struct {
    absl::string_view v4, v6, expected;
  } kCases[] = {
      {"", "", "8000 02f121"},
      {"10.0.0.1", "", "8000 06f1210a000001"},
      {"", "2001:db8::", "8000 12f15720010db8000000000000000000000000"},
      {"10.0.0.1", "2001:db8::", "8000 16f18d0a00000120010db8000000000000000000000000"},
  };
  for (const auto& c : kCases) {
    UeAddresses ue;
    if (!c.v4.empty()) ue.v4 = A(c.v4);
    if (!c.v6.empty()) ue.v6 = A(c.v6);
    OctetWriter out;
    V1MessageWriter(&out).EndUserAddress(ue);
    EXPECT_EQ(Hex(out), Squeezed(c.expected));
  }
}

TEST(MessageWriterTest, Version2WithGroups) {
  OctetWriter out;
  V2MessageWriter message(&out);
  UserLocation location;
  location.Set(LocationForm::kTai, {D("310260"), 0x0102, 0});
  location.Set(LocationForm::kEcgi, {D("310260"), 0, 0x0abcdef});
  UeAddresses ue;
  ue.v4 = A("10.0.0.1");
  ue.v6 = A("2001:db8:1:100::");
  ue.v6_length = 56;
  BearerQos qos;
  qos.qci = 1;
  qos.max_up_kbps = 128;
  message.Begin(32, 0, 0x010203).Imsi(D("310260123456789")).UserLocation(location).ServingNetwork(D("310260"));
  message.RatType(6).Indication(uint64_t{0x0102} << 48, 2).FteidElement(10, 0, 9, A("192.0.2.1"));
  message.FteidElement(7, 1, 8, A("192.0.2.2"), A("2001:db8::1")).Paa(ue).Ambr(1, 2);
  const size_t bearer = message.BeginGroup(93, 0);
  message.Ebi(5).Qos(qos);
  message.EndGroup(bearer);
  message.TimeZone(0x40, 0).ChargingCharacteristics(0x0800).End();
  EXPECT_EQ(Hex(out), Squeezed("48 20 00b6 00000000 010203 00"
                               "01 0008 00 13200621436587f9"
                               "56 000d 00 18 130062 0102 130062 00abcdef"
                               "53 0003 00 130062"
                               "52 0001 00 06"
                               "4d 0002 00 0102"
                               "57 0009 00 8a 00000009 c0000201"
                               "57 0019 01 c7 00000008 c0000202 20010db8000000000000000000000001"
                               "4f 0016 00 03 38 20010db8000101000000000000000000 0a000001"
                               "48 0008 00 00000001 00000002"
                               "5d 001f 00 49 0001 00 05"
                               "50 0016 00 7c 01 0000000080 0000000000 0000000000 0000000000"
                               "72 0002 00 4000"
                               "5f 0002 00 0800"));
}

TEST(MessageWriterTest, Version2WithoutTeidAndPiggybacked) {
  OctetWriter out;
  V2MessageWriter message(&out);
  message.Begin(33, 1, 2, /*piggybacked=*/true).Cause(16).End();
  message.Begin(1, std::nullopt, 3).Recovery(9).End();
  EXPECT_EQ(Hex(out), Squeezed("58 21 000e 00000001 000002 00 02 0002 00 1000"
                               "40 01 0009 000003 00 03 0001 00 09"));
}

TEST(MessageWriterTest, UserPlaneHeaders) {
  const auto container = PduSessionContent(/*up=*/true, 9);
  const uint8_t pdcp[] = {0x12, 0x34};
  const ExtensionHeader two[] = {{static_cast<uint8_t>(ExtensionType::kPdcpNumber), pdcp},
                                 {static_cast<uint8_t>(ExtensionType::kPduSessionContainer), container}};
  const struct {
    GtpUHeader header;
    absl::Span<const ExtensionHeader> extensions;
    absl::string_view expected;
  } kCases[] = {
      {{255, 0x01020304, {}, {}}, {}, "30ff 000a 01020304"},
      {{255, 1, uint16_t{0x4500}, {}}, {}, "32ff 000e 00000001 4500 00 00"},
      {{255, 1, {}, uint8_t{7}}, {}, "31ff 000e 00000001 0000 07 00"},
      {{255, 1, {}, {}}, absl::MakeConstSpan(two, 2), "34ff 0016 00000001 0000 00 c0 01 1234 85 01 1009 00"},
  };
  for (const auto& c : kCases) {
    OctetWriter out;
    WriteGtpUHeader(c.header, c.extensions, 10, &out);
    EXPECT_EQ(Hex(out), Squeezed(c.expected));
  }
}

TEST(MessageWriterTest, UserPlaneSignalling) {
  OctetWriter out;
  WriteEchoRequest(1, &out);
  WriteEchoResponse(1, 3, &out);
  WriteErrorIndication(2, 0x0a0b0c0d, A("192.0.2.9"), &out);
  WriteEndMarker(5, &out);
  EXPECT_EQ(Hex(out), Squeezed("3201 0004 00000000 0001 0000"
                               "3202 0006 00000000 0001 0000 0e03"
                               "321a 0010 00000000 0002 0000 10 0a0b0c0d 85 0004 c0000209"
                               "30fe 0000 00000005"));
}

// What is written is read again as it was.

std::unique_ptr<ControlMessage> Read(const OctetWriter& out) {
  auto message = std::make_unique<ControlMessage>();
  MessageView view;
  EXPECT_TRUE(MessageView::Parse(out.octets(), &view).ok());
  EXPECT_EQ(view.size(), out.size());
  EXPECT_TRUE(ReadControlMessage(view, message.get()).ok());
  EXPECT_EQ(message->bad_elements, 0);
  EXPECT_EQ(message->beyond_bounds, 0);
  return message;
}

TEST(MessageWriterTest, Version1IsReadAsItWasWritten) {
  OctetWriter out;
  V1MessageWriter writer(&out);
  UeAddresses ue;
  ue.v4 = A("10.1.2.3");
  ue.v6 = A("2001:db8:1:2::");
  writer.Begin(16, 0, 0x4500).Imsi(D("262011234567890")).Recovery(7).SelectionMode(1).TeidData(11).TeidControl(12);
  writer.Nsapi(6).ChargingCharacteristics(0x0800).EndUserAddress(ue).Apn("internet.mnc001.mcc262.gprs");
  writer.GsnAddress(A("192.0.2.1")).GsnAddress(A("192.0.2.2")).Msisdn(D("491701234567")).RatType(1);
  writer.UserLocation(LocationForm::kSai, {D("26201"), 0x1234, 0x0102}).TimeZone(0x40, 1);
  writer.Imei(D("3512340987654321")).Ambr(100, 200).End();
  const auto message = Read(out);
  EXPECT_EQ(message->procedure, Procedure::kCreateSession);
  EXPECT_EQ(message->role, Role::kRequest);
  EXPECT_EQ(message->sequence, 0x4500u);
  EXPECT_EQ(message->imsi, D("262011234567890"));
  EXPECT_EQ(message->msisdn, D("491701234567"));
  EXPECT_EQ(message->imei, D("3512340987654321"));
  EXPECT_EQ(message->recovery, 7);
  EXPECT_EQ(message->selection_mode, 1);
  EXPECT_EQ(message->charging_characteristics, 0x0800);
  EXPECT_EQ(message->rat, 1);
  EXPECT_EQ(message->time_zone, 0x40);
  EXPECT_EQ(message->ambr_up_kbps, 100u);
  EXPECT_EQ(message->ambr_down_kbps, 200u);
  ASSERT_TRUE(message->apn && message->ue && message->location);
  EXPECT_EQ(message->apn->text(), "internet.mnc001.mcc262.gprs");
  EXPECT_TRUE(*message->ue == ue);
  EXPECT_TRUE((*message->location)[LocationForm::kSai] == (LocationArea{D("26201"), 0x1234, 0x0102}));
  ASSERT_EQ(message->control_count, 1);
  EXPECT_EQ(message->control[0].teid, 12u);
  EXPECT_EQ(message->control[0].v4, A("192.0.2.1"));
  ASSERT_EQ(message->bearer_count, 1);
  EXPECT_EQ(message->bearers[0].ebi, 6);
  ASSERT_EQ(message->bearers[0].fteid_count, 1);
  EXPECT_EQ(message->bearers[0].fteids[0].teid, 11u);
  EXPECT_EQ(message->bearers[0].fteids[0].v4, A("192.0.2.2"));
}

TEST(MessageWriterTest, Version2IsReadAsItWasWritten) {
  OctetWriter out;
  V2MessageWriter writer(&out);
  UserLocation location;
  for (size_t i = 0; i < kLocationForms; ++i) {
    const auto form = static_cast<LocationForm>(i);
    LocationArea area{D(i % 2 == 0 ? "310260" : "26201"), 0, 0};
    const bool has_code = form != LocationForm::kEcgi && form < LocationForm::kMacroEnodeb;
    if (has_code) area.code = 0x0102;
    if (form != LocationForm::kTai && form != LocationForm::kLai) area.cell = form == LocationForm::kRai ? 3 : 0x0304;
    location.Set(form, area);
  }
  UeAddresses ue;
  ue.v4 = A("10.0.0.1");
  ue.v6 = A("2001:db8:1:100::");
  ue.v6_length = 56;
  BearerQos qos;
  qos.qci = 5;
  qos.arp = 0x48;
  writer.Begin(33, 0xfedcba98, 0x7fffff).Cause(16).Imsi(D("310260123456789")).Msisdn(D("15551234567"));
  writer.Imei(D("3512340987654321")).UserLocation(location).ServingNetwork(D("310260")).RatType(6).Recovery(255);
  writer.Indication(uint64_t{0x0102} << 48, 2).FteidElement(11, 0, 9, A("192.0.2.1")).Apn("ims").Paa(ue).Ambr(1, 2);
  writer.FteidElement(7, 1, 8, A("192.0.2.2"), A("2001:db8::1")).SelectionMode(2).PdnType(3).ApnRestriction(0);
  const size_t bearer = writer.BeginGroup(93, 0);
  writer.Ebi(5).Cause(16).Qos(qos).ChargingId(77).FteidElement(1, 0, 21, A("2001:db8::2"));
  writer.EndGroup(bearer);
  writer.TimeZone(0x40, 0).ChargingCharacteristics(0x0800).End();
  const auto message = Read(out);
  EXPECT_EQ(message->procedure, Procedure::kCreateSession);
  EXPECT_EQ(message->role, Role::kResponse);
  EXPECT_EQ(message->teid, 0xfedcba98u);
  EXPECT_EQ(message->sequence, 0x7fffffu);
  EXPECT_EQ(message->cause, 16);
  EXPECT_EQ(message->imsi, D("310260123456789"));
  EXPECT_EQ(message->msisdn, D("15551234567"));
  EXPECT_EQ(message->imei, D("3512340987654321"));
  EXPECT_EQ(message->serving_network, D("310260"));
  EXPECT_EQ(message->rat, 6);
  EXPECT_EQ(message->recovery, 255);
  EXPECT_EQ(message->indication, uint64_t{0x0102} << 48);
  EXPECT_EQ(message->selection_mode, 2);
  EXPECT_EQ(message->time_zone, 0x40);
  EXPECT_EQ(message->charging_characteristics, 0x0800);
  EXPECT_EQ(message->ambr_up_kbps, 1u);
  EXPECT_EQ(message->ambr_down_kbps, 2u);
  ASSERT_TRUE(message->apn && message->ue && message->location);
  EXPECT_EQ(message->apn->text(), "ims");
  EXPECT_TRUE(*message->ue == ue);
  EXPECT_TRUE(*message->location == location);
  ASSERT_EQ(message->control_count, 2);
  EXPECT_EQ(message->control[0].interface_type, 11);
  EXPECT_EQ(message->control[0].teid, 9u);
  EXPECT_EQ(message->control[1].v4, A("192.0.2.2"));
  EXPECT_EQ(message->control[1].v6, A("2001:db8::1"));
  EXPECT_EQ(message->control[1].instance, 1);
  ASSERT_EQ(message->bearer_count, 1);
  const BearerContext& read = message->bearers[0];
  EXPECT_EQ(read.ebi, 5);
  EXPECT_EQ(read.cause, 16);
  EXPECT_EQ(read.qci, 5);
  EXPECT_EQ(read.arp, 0x48);
  EXPECT_EQ(read.charging_id, 77u);
  ASSERT_EQ(read.fteid_count, 1);
  EXPECT_EQ(read.fteids[0].teid, 21u);
  EXPECT_EQ(read.fteids[0].v6, A("2001:db8::2"));
}

TEST(MessageWriterTest, UserPlaneIsReadAsItWasWritten) {
  const auto container = PduSessionContent(/*up=*/true, 33);
  const uint8_t pdcp[] = {0x12, 0x34};
  const ExtensionHeader two[] = {{static_cast<uint8_t>(ExtensionType::kPdcpNumber), pdcp},
                                 {static_cast<uint8_t>(ExtensionType::kPduSessionContainer), container}};
  const uint8_t inner[] = {0x45, 1, 2, 3};
  OctetWriter out;
  WriteGtpUHeader({255, 0x01020304, uint16_t{0x4500}, {}}, two, sizeof(inner), &out);
  out.Bytes(inner);
  MessageView view;
  UserPlaneView user;
  ASSERT_TRUE(MessageView::Parse(out.octets(), &view).ok());
  ASSERT_TRUE(ReadUserPlane(view, &user).ok());
  EXPECT_EQ(user.kind, UserPlaneKind::kPacket);
  EXPECT_EQ(user.teid, 0x01020304u);
  EXPECT_EQ(user.inner, base::Octets(inner));
  ASSERT_TRUE(user.session);
  EXPECT_EQ(user.session->pdu_type, PduSessionContainer::kUplink);
  EXPECT_EQ(user.session->qfi, 33);

  out.Clear();
  WriteErrorIndication(2, 0x0a0b0c0d, A("2001:db8::9"), &out);
  user = UserPlaneView();
  ASSERT_TRUE(MessageView::Parse(out.octets(), &view).ok());
  ASSERT_TRUE(ReadUserPlane(view, &user).ok());
  EXPECT_EQ(user.kind, UserPlaneKind::kErrorIndication);
  EXPECT_EQ(user.unknown_teid, 0x0a0b0c0du);
  EXPECT_EQ(user.peer, A("2001:db8::9"));
}

}  // namespace
}  // namespace flowacct::gtp
