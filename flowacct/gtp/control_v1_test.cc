#include "flowacct/gtp/control_v1.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/gtp/testing/gtp1_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using base::DecodeCode;
using base::IpAddress;
using testing::Build;
using testing::Bytes;
using testing::Hex;
using testing::Join;
using testing::Tlv;
using testing::Tv;
using testing::V0Header;
using testing::V1Header;

const Bytes kImsi = Tv(2, Hex("62 02 11 00 00 00 00 f1"));
const Bytes kRai = Tv(3, Hex("62 f2 20 01 02 03"));
const Bytes kCause = Tv(1, {128});
const Bytes kTeids = Join({Tv(16, Hex("00000011")), Tv(17, Hex("00000022"))});
const Bytes kNsapi = Tv(20, {5}), kLinkedNsapi = Tv(20, {6});
const Bytes kAddresses = Join({Tlv(133, {10, 0, 0, 1}), Tlv(133, {10, 0, 0, 2})});
const Bytes kQos = Tlv(135, Hex("02 0b 92 1f"));

struct Read {
  explicit Read(const Bytes& octets) : m(std::make_unique<ControlMessage>()) {
    MessageView view;
    EXPECT_TRUE(MessageView::Parse(octets, &view).ok());
    result = ReadControlMessageV1(view, m.get());
  }
  std::unique_ptr<ControlMessage> m;
  base::DecodeResult result;
};

// "256:17@10.0.0.2" of interface type, TEID and addresses.
std::string Text(const Fteid& fteid) {
  return absl::StrCat(fteid.interface_type, ":", fteid.teid, fteid.v4 ? "@" + fteid.v4->ToString() : "",
                      fteid.v6 ? "@" + fteid.v6->ToString() : "");
}
std::string Text(absl::Span<const Fteid> fteids) {
  std::string text;
  for (const Fteid& fteid : fteids) absl::StrAppend(&text, text.empty() ? "" : " ", Text(fteid));
  return text;
}
// "5[256:17@10.0.0.2]" of each bearer.
std::string Bearers(const ControlMessage& m) {
  std::string text;
  for (const BearerContext& b : m.bearer_contexts()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", b.has_ebi ? absl::StrCat(b.ebi) : "-",
                    b.linked_ebi ? absl::StrCat("<", *b.linked_ebi) : "", "[", Text(b.endpoints()), "]");
  }
  return text;
}

TEST(ControlV1, ReadsACreateRequest) {
  const Read r(
      Build(V1Header(16).Sequence(0x1234),
            Join({kImsi, kRai, Tv(14, {7}), Tv(15, {0xfd}), kTeids, kNsapi, Tv(26, {8, 0}), Tlv(128, Hex("f121")),
                  Tlv(131, Hex("08696e7465726e6574")), kAddresses, Tlv(134, Hex("91947100f1")), kQos, Tlv(151, {1}),
                  Tlv(152, Hex("0162f22001020304")), Tlv(153, {0x40, 0}), Tlv(154, Hex("53612000917884f0")),
                  Tlv(198, Hex("00000064000000c8")), Tlv(255, {1, 2, 3})})));
  const ControlMessage& m = *r.m;
  EXPECT_TRUE(r.result.ok());
  EXPECT_EQ(m.version, 1);
  EXPECT_EQ(m.type, 16);
  EXPECT_EQ(m.procedure, Procedure::kCreateSession);
  EXPECT_EQ(m.role, Role::kRequest);
  EXPECT_TRUE(m.has_teid);
  EXPECT_EQ(m.sequence, 0x1234u);
  EXPECT_EQ(m.imsi->ToString(), "262011000000001");
  EXPECT_EQ(m.msisdn->ToString(), "4917001");
  EXPECT_EQ(m.imei->ToString(), "351602001987480");
  EXPECT_EQ(m.recovery, 7);
  EXPECT_EQ(m.selection_mode, 1);
  EXPECT_EQ(m.charging_characteristics, 0x0800);
  EXPECT_EQ(m.apn->text(), "internet");
  EXPECT_FALSE(m.ue);  // to be assigned
  EXPECT_EQ(m.rat, 1);
  EXPECT_EQ(m.serving_network->ToString(), "26202");
  EXPECT_EQ(LocationText(LocationForm::kSai, (*m.location)[LocationForm::kSai]), "sai:262-02-258-772");
  EXPECT_EQ(LocationText(LocationForm::kRai, (*m.location)[LocationForm::kRai]), "rai:262-02-258-3");
  EXPECT_EQ(m.time_zone, 0x40);
  EXPECT_EQ(m.ambr_up_kbps, 100u);
  EXPECT_EQ(m.ambr_down_kbps, 200u);
  EXPECT_EQ(Text(m.control_endpoints()), "258:34@10.0.0.1");
  EXPECT_EQ(Bearers(m), "5[256:17@10.0.0.2]");
  EXPECT_EQ(m.bearers[0].arp, 2);
  EXPECT_EQ(m.bad_elements, 0);
}

TEST(ControlV1, ReadsACreateResponse) {
  const Read r(Build(V1Header(17, 0x22).Sequence(1),
                     Join({kCause, Tv(8, {0xfe}), kTeids, Tv(127, Hex("01020304")), Tlv(128, Hex("f1210a000063")),
                           kAddresses, Tlv(133, Hex("20010db8000000000000000000000001")),
                           Tlv(133, Hex("20010db8000000000000000000000002")), kQos})));
  EXPECT_EQ(r.m->role, Role::kResponse);
  EXPECT_EQ(r.m->cause, 128);
  EXPECT_EQ(r.m->teid, 0x22u);
  EXPECT_EQ(*r.m->ue->v4, IpAddress::V4(0x0a000063));
  EXPECT_EQ(Text(r.m->control_endpoints()), "259:34@10.0.0.1@2001:db8::1");
  EXPECT_EQ(Bearers(*r.m), "-[257:17@10.0.0.2@2001:db8::2]");
  EXPECT_EQ(r.m->bearers[0].charging_id, 0x01020304u);
}

// What each kind of message becomes.
TEST(ControlV1, TellsProceduresAndTunnels) {
  const Bytes kLocation = Tlv(152, Hex("0162f22001020304"));
  const Bytes kOneAddress = Tlv(133, {10, 0, 0, 3});
  const struct {
    const char* what;
    Bytes octets;
    Procedure procedure;
    const char* control;
    const char* bearers;
  } kCases[] = {
      {"secondary", Build(V1Header(16), Join({Tv(16, Hex("00000011")), kNsapi, kLinkedNsapi, kAddresses})),
       Procedure::kCreateSession, "", "5<6[256:17@10.0.0.2]"},
      {"refused", Build(V1Header(17), Tv(1, {199})), Procedure::kCreateSession, "", ""},
      {"update by the SGSN", Build(V1Header(18), Join({kTeids, kNsapi, kAddresses, kQos})), Procedure::kModifyBearer,
       "258:34@10.0.0.1", "5[256:17@10.0.0.2]"},
      {"direct tunnel", Build(V1Header(18), Join({kTeids, kNsapi, kAddresses, kQos, Tlv(182, {1})})),
       Procedure::kModifyBearer, "258:34@10.0.0.1", "5[260:17@10.0.0.2]"},
      {"update by the GGSN", Build(V1Header(18), Join({kImsi, kNsapi, Tlv(128, Hex("f1210a000063")), kQos})),
       Procedure::kUpdateBearer, "", "5[]"},
      {"answer of the GGSN", Build(V1Header(19), Join({kCause, kTeids, Tv(127, {0, 0, 0, 1}), kAddresses})),
       Procedure::kModifyBearer, "259:34@10.0.0.1", "-[257:17@10.0.0.2]"},
      {"answer of the GGSN, without addresses", Build(V1Header(19), Join({kCause, Tv(16, Hex("00000011")), kQos})),
       Procedure::kModifyBearer, "", "-[257:17]"},
      {"answer of the SGSN", Build(V1Header(19), Join({kCause, Tv(16, Hex("00000011")), kOneAddress, kQos})),
       Procedure::kUpdateBearer, "", "-[256:17@10.0.0.3]"},
      {"answer of the SGSN, with a place", Build(V1Header(19), Join({kCause, kQos, kLocation})),
       Procedure::kUpdateBearer, "", "-[]"},
      {"delete", Build(V1Header(20, 3), Join({Tv(19, {0xff}), kNsapi})), Procedure::kDeleteSession, "", ""},
      {"change", Build(V1Header(128, 3), Join({kImsi, kNsapi, Tlv(151, {2}), kLocation})),
       Procedure::kChangeNotification, "", ""},
      {"SGSN context request", Build(V1Header(50), Join({kRai, Tv(17, Hex("00000022")), kOneAddress})),
       Procedure::kContext, "258:34@10.0.0.3", ""},
      {"SGSN context acknowledge",
       Build(V1Header(52), Join({kCause, Tv(18, Hex("05 00000011")), Tv(18, Hex("06 00000012")), kOneAddress})),
       Procedure::kContext, "", "5[22:17@10.0.0.3] 6[22:18@10.0.0.3]"},
      {"forward relocation response",
       Build(V1Header(54), Join({kCause, Tv(17, Hex("00000022")), Tv(18, Hex("05 00000011")), kAddresses,
                                 Tlv(140, Hex("06 00000013 0a000004")), Tlv(140, {7})})),
       Procedure::kForwardRelocation, "258:34@10.0.0.1", "5[22:17@10.0.0.2] 6[21:19@10.0.0.4]"},
      {"error indication", Build(V1Header(26), Join({Tv(16, Hex("00000011")), kOneAddress})),
       Procedure::kErrorIndication, "261:17@10.0.0.3", ""},
      {"end marker", Build(V1Header(254, 9), {}), Procedure::kEndMarker, "", ""},
      {"echo", Build(V1Header(2), Tv(14, {9})), Procedure::kEcho, "", ""},
      {"packet", Build(V1Header(255, 9), kAddresses), Procedure::kNone, "", ""},
      {"unknown", Build(V1Header(200, 9), kAddresses), Procedure::kNone, "", ""},
      {"PDU notification", Build(V1Header(27), Join({kImsi, Tv(17, Hex("00000022")), kOneAddress})),
       Procedure::kPduNotification, "259:34@10.0.0.3", ""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    const Read r(c.octets);
    EXPECT_TRUE(r.result.ok());
    EXPECT_EQ(ProcedureName(r.m->procedure), ProcedureName(c.procedure));
    EXPECT_EQ(Text(r.m->control_endpoints()), c.control);
    EXPECT_EQ(Bearers(*r.m), c.bearers);
    EXPECT_EQ(r.m->bad_elements, 0);
  }
  const Read del(kCases[9].octets);
  EXPECT_TRUE(del.m->teardown);
  EXPECT_EQ(del.m->ebi, 5);
  const Read change(kCases[10].octets);
  EXPECT_EQ(change.m->linked_ebi, 5);
  EXPECT_FALSE(Read(kCases[11].octets).m->serving_network);  // the old routeing area
}

TEST(ControlV1, ReadsContextsThatMove) {
  const auto context = [](const char* nsapi, const char* teid) {
    return Tlv(130, Hex(absl::StrCat(nsapi, "03 04 020b921f 04 010b921f 04 030b921f 0001 0002 03 04 0000000a", teid,
                                     "0c f1 21 04 0a000063 04 c0a80001 04 c0a80002 04 03696e74 0007")));
  };
  const Read r(Build(V1Header(51), Join({kCause, kImsi, Tv(17, Hex("00000022")), context("45", "0000000b"),
                                         context("46", "0000000c"), Tlv(133, {10, 0, 0, 1})})));
  ASSERT_EQ(r.m->connection_count, 2);
  const ConnectionContext& c = r.m->connections[1];
  EXPECT_EQ(c.apn.text(), "int");
  EXPECT_EQ(*c.ue.v4, IpAddress::V4(0x0a000063));
  EXPECT_EQ(Text(*c.pgw_control), "259:10@192.168.0.1");
  EXPECT_EQ(c.first_bearer, 1);
  EXPECT_EQ(c.bearer_count, 1);
  EXPECT_EQ(Bearers(*r.m), "5[257:11@192.168.0.2] 6[257:12@192.168.0.2]");
  EXPECT_EQ(r.m->bearers[1].arp, 3);
  EXPECT_EQ(Text(r.m->control_endpoints()), "258:34@10.0.0.1");
}

TEST(ControlV1, ReadsGtpv0) {
  const Bytes addresses = kAddresses;
  const Read r(Build(V0Header(16).Sequence(9).FlowLabel(3).Tid(0x6202110000000051),
                     Join({Tv(6, Hex("0b921f")), Tv(16, {0, 17}), Tv(17, {0, 34}), Tlv(128, Hex("f121")),
                           Tlv(131, Hex("03696e74")), addresses})));
  EXPECT_TRUE(r.result.ok());
  EXPECT_EQ(r.m->procedure, Procedure::kCreateSession);
  EXPECT_FALSE(r.m->has_teid);
  EXPECT_EQ(r.m->teid, 3u);
  EXPECT_EQ(r.m->flow_tid, 0x6202110000000051u);
  EXPECT_EQ(r.m->imsi->ToString(), "262011000000001");
  EXPECT_EQ(r.m->apn->text(), "int");
  EXPECT_EQ(Text(r.m->control_endpoints()), "258:34@10.0.0.1");
  EXPECT_EQ(Bearers(*r.m), "5[256:17@10.0.0.2]");
  const Read del(Build(V0Header(20).Tid(0x6202110000000051), {}));
  EXPECT_EQ(del.m->ebi, 5);
  EXPECT_EQ(del.m->imsi->ToString(), "262011000000001");
  const Read echo(Build(V0Header(2), Tv(14, {9})));
  EXPECT_FALSE(echo.m->imsi);
  EXPECT_FALSE(echo.m->ebi);
  EXPECT_EQ(echo.m->recovery, 9);
  // The MS is not reached: no teardown.
  EXPECT_FALSE(Read(Build(V0Header(33).Tid(0x6202110000000051), Tv(19, {1}))).m->teardown);
  EXPECT_EQ(Text(Read(Build(V0Header(26).FlowLabel(17), {})).m->control_endpoints()), "261:17");
}

TEST(ControlV1, CountsWhatIsBadAndKeepsTheRest) {
  const Read r(Build(V1Header(16), Join({Tv(2, Bytes(8, 0xaa)), Tv(14, {7}), kTeids, Tlv(131, {9, 'a'}), kAddresses,
                                         Tlv(133, {1, 2, 3}), Tlv(151, {}), Tlv(152, {1}), Tlv(135, {1})})));
  EXPECT_TRUE(r.result.ok());
  EXPECT_EQ(r.m->bad_elements, 6);
  EXPECT_FALSE(r.m->imsi);
  EXPECT_EQ(r.m->recovery, 7);
  EXPECT_EQ(Bearers(*r.m), "-[256:17@10.0.0.2]");
  const Read many(Build(V1Header(16), Join({kTeids, kAddresses, kAddresses, kAddresses})));
  EXPECT_EQ(many.m->beyond_bounds, 2);
  const Read broken(Build(V1Header(16), Join({kImsi, kTeids, Tv(99, {1})})));
  EXPECT_EQ(broken.result.code, DecodeCode::kUnsupported);
  EXPECT_EQ(broken.result.offset, 8u + kImsi.size() + kTeids.size());
  EXPECT_EQ(broken.m->imsi->ToString(), "262011000000001");
  EXPECT_EQ(Bearers(*broken.m), "-[256:17]");
  EXPECT_EQ(Read(Build(testing::PrimeHeader{2, true, 240, 1}, {})).result.code, DecodeCode::kUnsupported);
}

// Each cut of the elements is read up to the last whole one; the message before is forgotten.
TEST(ControlV1, IsCutAtEveryOctet) {
  const Bytes body = Join({kImsi, kRai, kTeids, kNsapi, kAddresses, kQos, {141, 0}});
  auto m = std::make_unique<ControlMessage>();
  for (size_t n = body.size() + 1; n-- > 0;) {
    SCOPED_TRACE(n);
    const Bytes octets = Build(V1Header(16), Bytes(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(n)));
    MessageView view;
    ASSERT_TRUE(MessageView::Parse(octets, &view).ok());
    const base::DecodeResult result = ReadControlMessageV1(view, m.get());
    EXPECT_TRUE(result.ok() || result.code == DecodeCode::kTruncated);
    EXPECT_EQ(m->imsi.has_value(), n >= kImsi.size());
    EXPECT_EQ(m->serving_network.has_value(), n >= kImsi.size() + kRai.size());
    EXPECT_EQ(m->control_count, n >= kImsi.size() + kRai.size() + kTeids.size() ? 1 : 0);
  }
}

}  // namespace
}  // namespace flowacct::gtp
