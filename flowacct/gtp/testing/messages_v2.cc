#include "flowacct/gtp/testing/messages_v2.h"

#include <initializer_list>

#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/testing/gtp2_builder.h"

namespace flowacct::gtp::testing {

namespace {

using Bytes = std::vector<uint8_t>;

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr char kEnodeb[] = "10.1.0.1", kMme[] = "10.2.0.1", kSgw[] = "10.3.0.1", kPgw[] = "10.4.0.1",
               kTarget[] = "10.1.0.2";

// TAI and ECGI of 262-01.
Bytes Location() {
  return Join({{0x18}, PlmnOctets("26201"), {0x30, 0x39}, PlmnOctets("26201"), {0x00, 0x12, 0xd6, 0x87}});
}

Bytes CreateSessionRequest() {
  Gtp2Builder b(32, 0, 0x000102);
  b.Element(v2::kImsi, 0, Tbcd("262011234567890"));
  b.Element(v2::kMsisdn, 0, Tbcd("491721234567"));
  b.Element(v2::kMei, 0, Tbcd("3536271234567890"));
  b.Element(v2::kUli, 0, Location());
  b.Element(v2::kServingNetwork, 0, PlmnOctets("26201"));
  b.U8(v2::kRatType, 0, 6);
  b.Element(v2::kIndication, 0, Bytes{0x80, 0x08, 0x10});
  b.Element(v2::kFteid, 0, FteidOctets(kS11MmeGtpC, 0x11, kMme));
  b.Element(v2::kFteid, 1, FteidOctets(kS5PgwGtpC, 0, kPgw));
  b.Element(v2::kApn, 0, Labels("internet.mnc001.mcc262.gprs"));
  b.U8(v2::kSelectionMode, 0, 0xfc);
  b.U8(v2::kPdnType, 0, v2::kIpv4v6);
  b.Element(v2::kPaa, 0, Join({{v2::kIpv4v6, 64}, Bytes(16), Bytes(4)}));
  b.U8(v2::kApnRestriction, 0, 0);
  b.Element(v2::kAmbr, 0, Bytes{0, 0, 0xc3, 0x50, 0, 1, 0x86, 0xa0});
  b.Element(v2::kPco, 0, Bytes{0x80, 0x80, 0x21, 0x04, 1, 1, 0, 4, 0x00, 0x0d, 0x00, 0x00, 0x10, 0x00});
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kFteid, 0, FteidOctets(kS1UEnodebGtpU, 0x21, kEnodeb));
  b.Element(v2::kFteid, 2, FteidOctets(kS5SgwGtpU, 0x22, kSgw));
  b.Element(v2::kBearerQos, 0, QosOctets(0x3c, 9));
  b.End();
  b.Begin(v2::kBearerContext, 1).U8(v2::kEbi, 0, 7).End();
  b.U8(v2::kRecovery, 0, 17);
  b.Element(v2::kFqCsid, 0, Join({{0x01}, AddressOctets(kMme), {0, 1}}));
  b.Element(v2::kUeTimeZone, 0, Bytes{0x80, 0x01});
  b.Element(v2::kChargingCharacteristics, 0, Bytes{0x08, 0x00});
  b.Element(v2::kUli, 1, Location());
  b.Element(v2::kPrivateExtension, 0, Bytes{0x28, 0xaf, 1, 2, 3});
  return b.Finish();
}

Bytes CreateSessionResponse() {
  Gtp2Builder b(33, 0x11, 0x000102);
  b.Element(v2::kCause, 0, Bytes{18, 0});
  b.Element(v2::kFteid, 0, FteidOctets(kS11SgwGtpC, 0x12, kSgw));
  b.Element(v2::kFteid, 1, FteidOctets(kS5PgwGtpC, 0x13, kPgw, "2001:db8:4::1"));
  b.Element(v2::kPaa, 0, Join({{v2::kIpv4v6, 64}, AddressOctets("2001:db8:100:7::1"), AddressOctets("100.64.0.7")}));
  b.U8(v2::kApnRestriction, 0, 0);
  b.Element(v2::kAmbr, 0, Bytes{0, 0, 0xc3, 0x50, 0, 1, 0x86, 0xa0});
  b.Element(v2::kPco, 0, Bytes{0x80, 0x00, 0x0d, 0x04, 10, 9, 9, 9});
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Element(v2::kFteid, 0, FteidOctets(kS1USgwGtpU, 0x23, kSgw));
  b.Element(v2::kFteid, 2, FteidOctets(kS5PgwGtpU, 0x24, kPgw));
  b.Element(v2::kBearerQos, 0, QosOctets(0x3c, 8));
  b.Element(v2::kChargingId, 0, Bytes{0xde, 0xad, 0xbe, 0xef});
  b.End();
  b.Begin(v2::kBearerContext, 1).U8(v2::kEbi, 0, 7).Element(v2::kCause, 0, Bytes{64, 0}).End();
  b.U8(v2::kRecovery, 0, 18);
  b.Element(v2::kChargingId, 0, Bytes{0, 0, 0, 9});
  return b.Finish();
}

Bytes ModifyBearerRequest() {
  Gtp2Builder b(34, 0x12, 0x000103);
  b.Element(v2::kUli, 0, Location());
  b.U8(v2::kRatType, 0, 10);
  b.Element(v2::kFteid, 0, FteidOctets(kS11MmeGtpC, 0x11, kMme));
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kFteid, 0, FteidOctets(kS1UEnodebGtpU, 0x25, kTarget));
  b.End();
  b.Begin(v2::kBearerContext, 1).U8(v2::kEbi, 0, 6).End();
  return b.Finish();
}

Bytes ModifyBearerResponse() {
  Gtp2Builder b(35, 0x11, 0x000103);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.U8(v2::kEbi, 0, 5);
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Element(v2::kFteid, 0, FteidOctets(kS1USgwGtpU, 0x23, kSgw));
  b.End();
  return b.Finish();
}

Bytes CreateBearerRequest() {
  Gtp2Builder b(95, 0x11, 0x000104);
  b.U8(v2::kPti, 0, 1);
  b.U8(v2::kEbi, 0, 5);
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 0);
  b.Element(v2::kBearerTft, 0, Bytes{0x21, 0x30, 0xff, 0x02, 0x30, 0x11});
  b.Element(v2::kFteid, 0, FteidOctets(kS1USgwGtpU, 0x31, kSgw));
  b.Element(v2::kFteid, 1, FteidOctets(kS5PgwGtpU, 0x32, kPgw));
  b.Element(v2::kBearerQos, 0, QosOctets(0x0d, 1, 128, 128, 64, 64));
  b.Element(v2::kChargingId, 0, Bytes{0, 0, 0, 10});
  b.End();
  return b.Finish();
}

Bytes CreateBearerResponse() {
  Gtp2Builder b(96, 0x12, 0x000104);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 6);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Element(v2::kFteid, 0, FteidOctets(kS1UEnodebGtpU, 0x33, kEnodeb));
  b.Element(v2::kFteid, 1, FteidOctets(kS1USgwGtpU, 0x31, kSgw));
  b.Element(v2::kFteid, 2, FteidOctets(kS5SgwGtpU, 0x34, kSgw));
  b.Element(v2::kFteid, 3, FteidOctets(kS5PgwGtpU, 0x32, kPgw));
  b.End();
  return b.Finish();
}

// PDN connection of two bearers, as context transfer and relocation have it.
void AddPdnConnection(Gtp2Builder* b) {
  b->Begin(v2::kPdnConnection, 0);
  b->Element(v2::kApn, 0, Labels("ims.mnc001.mcc262.gprs"));
  b->Element(v2::kIpAddress, 0, AddressOctets("100.64.0.7"));
  b->Element(v2::kIpAddress, 1, AddressOctets("2001:db8:100:7::1"));
  b->U8(v2::kEbi, 0, 5);
  b->Element(v2::kFteid, 0, FteidOctets(kS5PgwGtpC, 0x13, kPgw));
  for (const uint8_t ebi : {5, 6}) {
    b->Begin(v2::kBearerContext, 0);
    b->U8(v2::kEbi, 0, ebi);
    b->Element(v2::kFteid, 0, FteidOctets(kS1USgwGtpU, 0x20u + ebi, kSgw));
    b->Element(v2::kFteid, 1, FteidOctets(kS5PgwGtpU, 0x30u + ebi, kPgw));
    b->Element(v2::kBearerQos, 0, QosOctets(0x3c, ebi == 5 ? 9 : 1));
    b->End();
  }
  b->Element(v2::kAmbr, 0, Bytes(8, 1));
  b->End();
}

Bytes ForwardRelocationRequest() {
  Gtp2Builder b(133, 0, 0x000201);
  b.Element(v2::kImsi, 0, Tbcd("262011234567890"));
  b.Element(v2::kFteid, 0, FteidOctets(kS10MmeGtpC, 0x41, kMme));
  AddPdnConnection(&b);
  b.Element(v2::kFteid, 1, FteidOctets(kS11SgwGtpC, 0x12, kSgw));
  b.Element(v2::kFContainer, 0, Bytes{3, 1, 2, 3});
  b.Element(v2::kTargetIdentification, 0, Join({{1}, PlmnOctets("26201"), {0, 0, 1, 0x30, 0x39}}));
  return b.Finish();
}

Bytes ForwardRelocationResponse() {
  Gtp2Builder b(134, 0x41, 0x000201);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Element(v2::kFteid, 0, FteidOctets(kS10MmeGtpC, 0x42, "10.2.0.2"));
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kFteid, 0, FteidOctets(kEnodebDlForwarding, 0x51, kTarget));
  b.End();
  b.Begin(v2::kBearerContext, 1).U8(v2::kEbi, 0, 6).End();
  return b.Finish();
}

Bytes ContextResponse() {
  Gtp2Builder b(131, 0x61, 0x000202);
  b.Element(v2::kCause, 0, Bytes{16, 0});
  b.Element(v2::kImsi, 0, Tbcd("262011234567890"));
  AddPdnConnection(&b);
  b.Element(v2::kFteid, 0, FteidOctets(kS3MmeGtpC, 0x62, kMme));
  b.Element(v2::kFteid, 1, FteidOctets(kS11SgwGtpC, 0x12, kSgw));
  return b.Finish();
}

Bytes CreateForwardingRequest() {
  Gtp2Builder b(166, 0x12, 0x000203);
  b.Element(v2::kImsi, 0, Tbcd("262011234567890"));
  b.Element(v2::kFteid, 0, FteidOctets(kS11MmeGtpC, 0x11, kMme));
  b.Begin(v2::kBearerContext, 0);
  b.U8(v2::kEbi, 0, 5);
  b.Element(v2::kFteid, 0, FteidOctets(kEnodebDlForwarding, 0x51, kTarget));
  b.End();
  return b.Finish();
}

Bytes DeleteBearerRequest() {
  Gtp2Builder b(99, 0x11, 0x000105);
  for (const uint8_t ebi : {6, 7}) b.U8(v2::kEbi, 1, ebi);
  b.Element(v2::kCause, 0, Bytes{8, 0});
  return b.Finish();
}

}  // namespace

std::vector<NamedMessage> MessagesV2() {
  const auto simple = [](uint8_t type, uint32_t teid, uint32_t sequence, const std::vector<Bytes>& elements) {
    Gtp2Builder b(type, teid, sequence);
    for (const Bytes& element : elements) b.Raw(element);
    return b.Finish();
  };
  const auto element = [](uint8_t type, uint8_t instance, const Bytes& value) {
    return Join({{type, static_cast<uint8_t>(value.size() >> 8), static_cast<uint8_t>(value.size()), instance}, value});
  };
  const Bytes accepted = element(v2::kCause, 0, {16, 0});
  Gtp2Builder echo(1, std::nullopt, 0x000301);
  echo.U8(v2::kRecovery, 0, 3).U8(v2::kNodeFeatures, 0, 1);
  Gtp2Builder refused(33, 0x11, 0x000106);
  refused.Element(v2::kCause, 0, Bytes{70, 0x01, v2::kFteid, 0, 0, 1});
  return {
      {"create_session_request", CreateSessionRequest()},
      {"create_session_response", CreateSessionResponse()},
      {"modify_bearer_request", ModifyBearerRequest()},
      {"modify_bearer_response", ModifyBearerResponse()},
      {"create_bearer_request", CreateBearerRequest()},
      {"create_bearer_response", CreateBearerResponse()},
      {"delete_bearer_request", DeleteBearerRequest()},
      {"delete_session_request",
       simple(36, 0x12, 0x000107,
              {element(v2::kEbi, 0, {5}), element(v2::kIndication, 0, {0x08}), element(v2::kUli, 0, Location()),
               element(v2::kSecondaryRatUsage, 0, Join({{0x01, 0, 5}, Bytes(8, 0xdb), Bytes(16, 1)}))})},
      {"delete_session_response", simple(37, 0x11, 0x000107, {accepted})},
      {"refused", refused.Finish()},
      {"forward_relocation_request", ForwardRelocationRequest()},
      {"forward_relocation_response", ForwardRelocationResponse()},
      {"context_response", ContextResponse()},
      {"create_forwarding_request", CreateForwardingRequest()},
      {"release_access_bearers_request",
       simple(170, 0x12, 0x000108, {element(v2::kEbi, 0, {5}), element(v2::kEbi, 0, {6})})},
      {"downlink_data_notification",
       simple(176, 0x11, 0x000109, {element(v2::kEbi, 0, {5}), element(v2::kArp, 0, {0x3c})})},
      {"bearer_resource_command",
       simple(68, 0x12, 0x80010a,
              {element(v2::kEbi, 0, {5}), element(v2::kPti, 0, {9}), element(v2::kTad, 0, {0x20}),
               element(v2::kEbi, 1, {6}), element(v2::kFteid, 0, FteidOctets(kS4SgsnGtpU, 0x71, kEnodeb))})},
      {"change_notification_request",
       simple(38, 0x13, 0x00010b,
              {element(v2::kImsi, 0, Tbcd("262011234567890")), element(v2::kRatType, 0, {1}),
               element(v2::kUli, 0, Join({{0x01}, PlmnOctets("310410"), {1, 2, 3, 4}})), element(v2::kEbi, 0, {5}),
               element(v2::kIpAddress, 0, AddressOctets(kPgw))})},
      {"pgw_restart_notification", simple(179, 0, 0x000302,
                                          {element(v2::kIpAddress, 0, AddressOctets(kPgw)),
                                           element(v2::kIpAddress, 1, AddressOctets("2001:db8:3::1"))})},
      {"suspend_notification", simple(162, 0x12, 0x00010c, {element(v2::kEbi, 0, {5})})},
      {"echo_request", echo.Finish()},
  };
}

std::vector<NamedMessage> ElementMessagesV2() {
  const Bytes plmn = PlmnOctets("310410"), v4 = AddressOctets("192.0.2.1"), v6 = AddressOctets("2001:db8:1:2:3:4:5:6");
  const Bytes time = {0xdb, 0x42, 0x01, 0x02};
  Gtp2Builder identities(32, 1, 1);
  identities.Element(v2::kImsi, 0, Tbcd("31041012345678"));
  identities.Element(v2::kMsisdn, 0, Tbcd("12025550123"));
  identities.Element(v2::kMei, 0, Tbcd("353627123456789"));
  identities.Element(v2::kCause, 0, Bytes{70, 0x07, v2::kFteid, 0, 0, 2});
  identities.Element(v2::kServingNetwork, 0, plmn);
  identities.Element(v2::kPlmnId, 0, plmn);
  identities.Element(v2::kGuti, 0, Join({plmn, {0x80, 0x01, 0x17, 0xde, 0xad, 0xbe, 0xef}}));
  identities.Element(v2::kGlobalCnId, 0, Join({plmn, {0x12, 0x34}}));
  identities.Element(v2::kTraceReference, 0, Join({plmn, {1, 2, 3}}));
  identities.Element(v2::kUci, 0, Join({plmn, {0xf8, 0, 1, 2, 0x43}}));
  identities.Element(v2::kTmsi, 0, Bytes{1, 2, 3, 4});
  identities.Element(v2::kPTmsi, 0, Bytes{1, 2, 3, 5});
  identities.Element(v2::kPTmsiSignature, 0, Bytes{1, 2, 3});

  Gtp2Builder places(32, 1, 2);
  const std::vector<Bytes> areas = {
      {1, 2, 3, 4}, {1, 2, 3, 5},       {1, 2, 7, 0xff},   {0x30, 0x39}, {0xf0, 0x12, 0xd6, 0x87},
      {9, 8},       {0x0f, 0xff, 0xfe}, {0x1f, 0xff, 0xfd}};
  Bytes all = {0x7f};
  for (size_t i = 0; i < areas.size(); ++i) {
    const Bytes area = Join({i % 2 == 0 ? plmn : PlmnOctets("26203"), areas[i]});
    places.Element(v2::kUli, 0, Join({{static_cast<uint8_t>(1 << i)}, area}));
    if (i < 7) all = Join({all, area});
  }
  places.Element(v2::kUli, 1, all);
  places.Element(v2::kUeTimeZone, 0, Bytes{0x4a, 0x02});
  places.Element(v2::kUliTimestamp, 0, time);

  Gtp2Builder addresses(33, 1, 3);
  addresses.Element(v2::kIpAddress, 0, v4);
  addresses.Element(v2::kIpAddress, 1, v6);
  addresses.Element(v2::kPaa, 0, Join({{v2::kIpv4}, v4}));
  addresses.Element(v2::kPaa, 0, Join({{v2::kIpv6, 64}, v6}));
  addresses.Element(v2::kPaa, 0, Join({{v2::kIpv4v6, 56}, v6, v4}));
  addresses.Element(v2::kPaa, 0, Bytes{v2::kNonIp});
  for (uint8_t type = 0; type <= 41; ++type) {
    addresses.Element(
        v2::kFteid, type & 0xf,
        FteidOctets(type, 0x01020304u + type, type % 3 == 0 ? "" : "192.0.2.2", type % 3 == 1 ? "" : "2001:db8::2"));
  }
  addresses.Element(v2::kFqCsid, 0, Join({{0x02}, v4, {0, 1, 0xff, 0xff}}));
  addresses.Element(v2::kFqCsid, 1, Join({{0x11}, v6, {0, 1}}));
  addresses.Element(v2::kS103DataForwarding, 0, Join({{4}, v4, {0, 0, 0, 9, 0x01, 5}}));
  addresses.Element(v2::kS1UDataForwarding, 0, Join({{5, 4}, v4, {0, 0, 1, 0}}));
  addresses.Element(v2::kIp4cp, 0, Join({{24}, v4}));
  addresses.Element(v2::kFqdn, 0, Labels("pgw.example"));
  addresses.Element(v2::kApn, 0, Labels("a.b-c.example"));

  addresses.Element(
      v2::kEpco, 0,
      Bytes{0x80, 0x00, 0x23, 0x00, 0x00, 0x00, 0x24, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x00, 0x1b, 0x01, 0x01});

  Gtp2Builder numbers(34, 1, 4);
  for (uint8_t rat = 0; rat <= 22; ++rat) numbers.U8(v2::kRatType, 0, rat);
  numbers.U8(v2::kRecovery, 0, 255);
  numbers.U8(v2::kEbi, 1, 15);
  numbers.Element(v2::kAmbr, 0, Bytes{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1});
  numbers.Element(v2::kBearerQos, 0, QosOctets(0x4d, 1, 0x0102030405, 0xffffffffff, 7, 8));
  numbers.Element(v2::kBearerQos, 0, QosOctets(0x20, 254));
  const Bytes flow = QosOctets(0, 3, 0x0102030405, 5, 6, 7);
  numbers.Element(v2::kFlowQos, 0, base::Octets(flow).subspan(1));
  numbers.U8(v2::kArp, 0, 0x2d);
  numbers.U8(v2::kDelayValue, 0, 9);
  numbers.Element(v2::kChargingId, 0, Bytes{0xff, 0, 0, 1});
  numbers.Element(v2::kChargingCharacteristics, 0, Bytes{0x04, 0x21});
  numbers.U8(v2::kBearerFlags, 0, 0x05);
  for (uint8_t type = 1; type <= 5; ++type) numbers.U8(v2::kPdnType, 0, type);
  numbers.U8(v2::kPti, 0, 200);
  numbers.U8(v2::kHopCounter, 0, 3);
  numbers.Element(v2::kPortNumber, 0, Bytes{0x08, 0x4b});
  for (uint8_t mode = 0; mode < 4; ++mode) numbers.U8(v2::kSelectionMode, 0, mode);
  numbers.U8(v2::kApnRestriction, 0, 3);
  numbers.U8(v2::kNodeType, 0, 1);
  numbers.Element(v2::kRfspIndex, 0, Bytes{0x01, 0x00});
  numbers.U8(v2::kEpcTimer, 0, 0x45);
  numbers.U8(v2::kDetachType, 0, 2);
  numbers.U8(v2::kSignallingPriority, 0, 1);
  numbers.U8(v2::kMetric, 0, 77);
  numbers.Element(v2::kSequenceNumber, 0, Bytes{0, 0, 1, 2});
  numbers.Element(v2::kIntegerNumber, 0, Bytes{0x03, 0xe8});
  numbers.Element(v2::kCounter, 0, Join({time, {7}}));
  numbers.Element(v2::kServingPlmnRateControl, 0, Bytes{0, 10, 0, 20});
  numbers.Element(v2::kApnAndRelativeCapacity, 0, Join({{50, 4}, Labels("ims")}));
  numbers.Element(
      v2::kSecondaryRatUsage, 0,
      Join({{0x01, 0, 5}, time, {0xdb, 0x42, 0x01, 0x09}, {0, 0, 0, 0, 0, 0, 1, 0}, {0, 0, 0, 1, 0, 0, 0, 0}}));
  numbers.Element(v2::kMaximumPacketLossRate, 0, Bytes{0x03, 0, 1, 0, 2});

  Gtp2Builder options(32, 1, 5);
  Bytes flags;
  for (size_t i = 0; i < v2::kIndicationFlags / 8; ++i) {
    flags.push_back(static_cast<uint8_t>(0x5a ^ i << 3));
    options.Element(v2::kIndication, 0, flags);
  }
  options.Element(v2::kPco, 0, Bytes{0x80, 0x80, 0x21, 0x04, 1, 1, 0, 4, 0x00, 0x0d, 0x00, 0x00, 0x10, 0x02, 5, 0xdc});
  options.Element(v2::kApco, 0, Bytes{0x80, 0x00, 0x0c, 0x00});
  options.Element(v2::kEpco, 0, Bytes{0x80, 0x00, 0x0d, 0x00});
  options.Element(v2::kPrivateExtension, 0, Bytes{0x28, 0xaf, 1, 2, 3});
  options.Element(v2::kCompleteRequestMessage, 0, Bytes{0, 7, 65, 1});
  options.Begin(v2::kLoadControl, 0);
  options.Element(v2::kSequenceNumber, 0, Bytes{0, 0, 0, 1}).U8(v2::kMetric, 0, 50);
  options.End();
  options.Begin(v2::kOverloadControl, 0);
  options.Element(v2::kSequenceNumber, 0, Bytes{0, 0, 0, 2}).U8(v2::kMetric, 0, 20).U8(v2::kEpcTimer, 0, 0x21);
  options.End();
  return {{"identities", identities.Finish()},
          {"places", places.Finish()},
          {"addresses", addresses.Finish()},
          {"numbers", numbers.Finish()},
          {"options", options.Finish()}};
}

}  // namespace flowacct::gtp::testing
