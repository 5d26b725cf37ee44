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

}  // namespace flowacct::gtp::testing
