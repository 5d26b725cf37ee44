// Procedures as pictures, and whose the packets are then.

#include "flowacct/session/session_engine.h"

#include <string>

#include "flowacct/session/testing/message_maker.h"
#include "flowacct/session/testing/scene.h"
#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

using gtp::Procedure;
using gtp::Role;
using testing::Address;
using testing::MessageMaker;
using testing::Nanos;
using testing::Scene;

constexpr absl::string_view kImsi = "262011234567890", kOther = "262019876543210";
constexpr absl::string_view kSgsn = "10.0.0.1", kGgsn = "10.0.0.2", kSgsn2 = "10.0.0.3", kRnc = "10.0.0.9";
constexpr absl::string_view kMme = "10.1.0.1", kSgw = "10.1.0.2", kPgw = "10.1.0.3", kSgw2 = "10.1.0.4",
                            kMme2 = "10.1.0.5";
constexpr absl::string_view kEnb = "10.2.0.1", kEnb2 = "10.2.0.2";

MessageMaker Request(uint8_t version, Procedure p, uint32_t sequence, uint32_t teid) {
  return MessageMaker(version, p, Role::kRequest, sequence, teid);
}
MessageMaker Response(uint8_t version, Procedure p, uint32_t sequence, uint32_t teid) {
  return std::move(MessageMaker(version, p, Role::kResponse, sequence, teid).Cause(version == 2 ? 16 : 128));
}

// --- GTPv1: SGSN and GGSN ---

// TEIDs of the SGSN: control 0x11, user 0x12; of the GGSN: 0x21, 0x22. `n` is added to all of them.
void CreatePdp(Scene* s, int64_t ms, absl::string_view imsi, uint32_t n = 0, uint32_t sequence = 1,
               absl::string_view ue = "100.64.0.1") {
  s->Exchange(ms, kSgsn, kGgsn,
              Request(1, Procedure::kCreateSession, sequence, 0)
                  .Imsi(imsi)
                  .Msisdn("491701234567")
                  .Apn("Internet.mnc001.mcc262.gprs")
                  .Rat(1)
                  .Serving("26201")
                  .Characteristics(0x0800)
                  .Control(gtp::kGnSgsnGtpC, kSgsn, 0x11 + n)
                  .Bearer(5)
                  .Arp(2)
                  .User(gtp::kGnSgsnGtpU, kSgsn, 0x12 + n),
              Response(1, Procedure::kCreateSession, sequence, 0x11 + n)
                  .Ue(ue)
                  .Control(gtp::kGnGgsnGtpC, kGgsn, 0x21 + n)
                  .UnnumberedBearer()
                  .ChargingId(77)
                  .User(gtp::kGnGgsnGtpU, kGgsn, 0x22 + n));
}
void DeletePdp(Scene* s, int64_t ms, uint32_t n = 0, uint32_t sequence = 9) {
  s->Exchange(ms, kSgsn, kGgsn, Request(1, Procedure::kDeleteSession, sequence, 0x21 + n).Ebi(5).Teardown(),
              Response(1, Procedure::kDeleteSession, sequence, 0x11 + n));
}

//   SGSN            GGSN
//    |--create------>|  1000   SGSN's tunnel counts from here on
//    |<-------accept-|  1010   GGSN's tunnel
//    |--delete------>|  5000
//    |<-------accept-|  5010   both end
TEST(SessionEngineTest, ContextOfGtpV1FromCreationToDeletion) {
  Scene s;
  EXPECT_EQ(s.Whose(0, kGgsn, 0x22), "no_control");
  CreatePdp(&s, 1000, kImsi);
  EXPECT_EQ(s.Whose(1000, kSgsn, 0x12), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(1010, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(1500, kGgsn, 0x23), "unknown_teid");
  EXPECT_EQ(s.Whose(1500, "10.9.9.9", 0x22), "no_control");
  const Found found = s.Find(1500, kGgsn, 0x22);
  const Facts& f = *found.facts;
  EXPECT_EQ(f.msisdn.ToString(), "491701234567");
  EXPECT_EQ(s.reader.text(f.apn), "internet");
  EXPECT_EQ(s.reader.text(f.apn_operator), "mnc001.mcc262.gprs");
  EXPECT_EQ(f.ue_v4(), Address("100.64.0.1"));
  EXPECT_EQ(f.ue_v6().length(), 0);
  EXPECT_TRUE(f.has_charging_id && f.has_charging_characteristics && f.has_arp && !f.has_qci);
  EXPECT_EQ(f.charging_id, 77u);
  EXPECT_EQ(f.charging_characteristics, 0x0800);
  EXPECT_EQ(f.arp, 2);
  EXPECT_EQ(f.rat, 1);
  EXPECT_EQ(f.start_nanos, Nanos(1000));
  EXPECT_EQ(f.home_plmn().ToString(), "26201");
  EXPECT_EQ(f.visited_plmn().ToString(), "26201");
  EXPECT_EQ(s.reader.Endpoints(found), std::make_pair(Endpoint{Address(kGgsn), 0x22}, Endpoint{Address(kSgsn), 0x12}));

  DeletePdp(&s, 5000);
  EXPECT_EQ(s.Whose(5009, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  // Half a second is what a packet may be late.
  EXPECT_EQ(s.Whose(5510, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(5511, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(5511, kSgsn, 0x12), "expired");
  EXPECT_EQ(s.reader.Endpoints(s.Find(4000, kSgsn, 0x12)).first, (Endpoint{Address(kGgsn), 0x22}));
  EXPECT_EQ(s.reader.Endpoints(s.Find(4000, kGgsn, 0x22)).second, (Endpoint{Address(kSgsn), 0x12}));
  // A packet that was held comes 50 s later and is of then.
  s.Advance(55'000);
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  s.Advance(66'000);
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x22), "unknown_teid");
  EXPECT_EQ(s.engine.contexts(), 0u);
}

TEST(SessionEngineTest, PacketsALittleBeforeTheAnswerAreTheContextsToBe) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  EXPECT_EQ(s.Whose(510, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(509, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(500, kSgsn, 0x12), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(499, kSgsn, 0x12), "expired");
}

TEST(SessionEngineTest, WhatIsRefusedOrNotAnsweredNeverWas) {
  Scene s;
  const auto request = [](uint32_t sequence) {
    return std::move(Request(1, Procedure::kCreateSession, sequence, 0)
                         .Imsi(kImsi)
                         .Control(gtp::kGnSgsnGtpC, kSgsn, 0x11)
                         .Bearer(5)
                         .User(gtp::kGnSgsnGtpU, kSgsn, 0x12));
  };
  s.Exchange(1000, kSgsn, kGgsn, request(1), Response(1, Procedure::kCreateSession, 1, 0x11).Cause(199));
  EXPECT_EQ(s.Whose(1500, kSgsn, 0x12), "unknown_teid");
  EXPECT_EQ(s.engine.counters().refused_by_peer, 1u);
  s.Send(2000, kSgsn, kGgsn, request(2));
  EXPECT_EQ(s.engine.transactions(), 1u);
  s.Advance(62'001);
  EXPECT_EQ(s.engine.transactions(), 0u);
  EXPECT_EQ(s.engine.counters().unanswered_requests, 1u);
  EXPECT_EQ(s.engine.contexts(), 0u);
}

TEST(SessionEngineTest, AnswersArePairedByAddressesAndSequenceNumberNeverByPort) {
  Scene s;
  const auto request = Request(1, Procedure::kCreateSession, 1, 0)
                           .Imsi(kImsi)
                           .Control(gtp::kGnSgsnGtpC, kSgsn, 0x11)
                           .Bearer(5)
                           .User(gtp::kGnSgsnGtpU, kSgsn, 0x12);
  const auto response = Response(1, Procedure::kCreateSession, 1, 0x11)
                            .Control(gtp::kGnGgsnGtpC, kGgsn, 0x21)
                            .UnnumberedBearer()
                            .User(gtp::kGnGgsnGtpU, kGgsn, 0x22);
  s.Send(1000, kSgsn, kGgsn, request, /*source_port=*/40000);
  s.Send(1005, "10.0.0.77", kSgsn, response);  // of another GGSN
  s.Send(1006, kSgsn, kGgsn, response);        // in the wrong direction
  EXPECT_EQ(s.engine.counters().unpaired_responses, 2u);
  s.Send(1007, kSgsn, kGgsn, request, 40001);  // again
  EXPECT_EQ(s.engine.counters().retransmissions, 1u);
  s.Send(1010, kGgsn, kSgsn, response);
  s.Send(1011, kGgsn, kSgsn, response);  // the answer to the second one
  EXPECT_EQ(s.engine.counters().unpaired_responses, 2u);
  EXPECT_EQ(s.engine.counters().retransmissions, 2u);
  // It counts from when it was asked for at first.
  EXPECT_EQ(s.Find(1000, kSgsn, 0x12).facts->start_nanos, Nanos(1000));
  // All of it told again later makes nothing anew.
  s.Exchange(1100, kSgsn, kGgsn, request, response);
  EXPECT_EQ(s.engine.counters().contexts_created, 1u);
  EXPECT_EQ(s.engine.counters().replaced, 0u);
}

TEST(SessionEngineTest, TwoTunnelsWithTheSameInnerAddressStayTwoSubscribers) {
  Scene s;
  CreatePdp(&s, 1000, kImsi, 0, 1, "192.168.0.1");
  CreatePdp(&s, 1100, kOther, 0x100, 2, "192.168.0.1");
  for (const int64_t ms : {1500, 2000}) {
    EXPECT_EQ(s.Whose(ms, kGgsn, 0x22), "262011234567890 up Gn/Gp");
    EXPECT_EQ(s.Whose(ms, kGgsn, 0x122), "262019876543210 up Gn/Gp");
    EXPECT_EQ(s.Whose(ms, kSgsn, 0x12), "262011234567890 down Gn/Gp");
    EXPECT_EQ(s.Whose(ms, kSgsn, 0x112), "262019876543210 down Gn/Gp");
  }
  s.Packet(1500, kGgsn, 0x22, 100);
  s.Packet(1500, kGgsn, 0x122, 20);
  s.Packet(1500, kSgsn, 0x112, 3);
  // By the address alone nobody can say.
  EXPECT_EQ(s.WhoseAddress(1500, "192.168.0.1", "198.51.100.1"), "ambiguous");
  DeletePdp(&s, 3000);
  EXPECT_EQ(s.WhoseAddress(2000, "192.168.0.1", "198.51.100.1"), "ambiguous");
  EXPECT_EQ(s.WhoseAddress(4000, "192.168.0.1", "198.51.100.1"), "262019876543210 up");
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x122), "262019876543210 up Gn/Gp");
  s.engine.EndAll(Nanos(5000));
  for (const SessionRecord& r : s.engine.TakeRecords()) {
    const bool first = r.facts.imsi.ToString() == kImsi;
    EXPECT_EQ(r.volume.bytes_up, first ? 100u : 20u);
    EXPECT_EQ(r.volume.bytes_down, first ? 0u : 3u);
    EXPECT_EQ(r.cause, first ? Cause::kDeleted : Cause::kStopped);
  }
}

//   0x22 at the GGSN:   ----kImsi----|        |----kOther----
//                      1010        5010     7010
TEST(SessionEngineTest, ATeidThatIsUsedAgainIsOfWhoHadItThen) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  DeletePdp(&s, 5000);
  CreatePdp(&s, 7000, kOther, 0, 2);
  EXPECT_EQ(s.Whose(3000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(5200, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(6000, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(6600, kGgsn, 0x22), "262019876543210 up Gn/Gp");
  EXPECT_EQ(s.Whose(8000, kGgsn, 0x22), "262019876543210 up Gn/Gp");
  EXPECT_EQ(s.engine.counters().tunnels_reused, 0u);
  // The first one's deletion was not seen: it ends where the other one begins.
  CreatePdp(&s, 9000, "262010000000001", 0, 3);
  EXPECT_EQ(s.engine.counters().tunnels_reused, 2u);
  EXPECT_EQ(s.Whose(9009, kGgsn, 0x22), "262019876543210 up Gn/Gp");
  EXPECT_EQ(s.Whose(9010, kGgsn, 0x22), "262010000000001 up Gn/Gp");
  // What ended without its deletion is still a session, without tunnels.
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kOther)).size(), 1u);
}

TEST(SessionEngineTest, SecondaryContextsAreBearersOfTheSession) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(2000, kSgsn, kGgsn,
             Request(1, Procedure::kCreateSession, 2, 0x21)
                 .Bearer(6)
                 .BearerLinked(5)
                 .Arp(1)
                 .User(gtp::kGnSgsnGtpU, kSgsn, 0x13),
             Response(1, Procedure::kCreateSession, 2, 0x11)
                 .UnnumberedBearer()
                 .ChargingId(78)
                 .User(gtp::kGnGgsnGtpU, kGgsn, 0x23));
  EXPECT_EQ(s.Whose(2500, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
  EXPECT_EQ(s.Find(2500, kGgsn, 0x23).facts->session, s.Find(2500, kGgsn, 0x22).facts->session);
  EXPECT_EQ(s.Find(2500, kGgsn, 0x23).facts->charging_id, 78u);
  EXPECT_EQ(s.Find(2500, kGgsn, 0x22).facts->charging_id, 77u);
  EXPECT_EQ(s.Find(2500, kGgsn, 0x23).facts->ue_v4(), Address("100.64.0.1"));
  // The secondary one alone goes.
  s.Exchange(3000, kSgsn, kGgsn, Request(1, Procedure::kDeleteSession, 3, 0x21).Ebi(6),
             Response(1, Procedure::kDeleteSession, 3, 0x11));
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x23), "expired");
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
}

TEST(SessionEngineTest, TheFirstContextMayGoBeforeItsSecondaryOne) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(
      2000, kSgsn, kGgsn,
      Request(1, Procedure::kCreateSession, 2, 0x21).Bearer(6).BearerLinked(5).User(gtp::kGnSgsnGtpU, kSgsn, 0x13),
      Response(1, Procedure::kCreateSession, 2, 0x11).UnnumberedBearer().User(gtp::kGnGgsnGtpU, kGgsn, 0x23));
  s.Exchange(3000, kSgsn, kGgsn, Request(1, Procedure::kDeleteSession, 3, 0x21).Ebi(5),
             Response(1, Procedure::kDeleteSession, 3, 0x11));
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
  EXPECT_EQ(s.WhoseAddress(4000, "100.64.0.1", "198.51.100.1"), "262011234567890 up ebi 6");
  s.Advance(70'000);
  EXPECT_EQ(s.Whose(69'000, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
  EXPECT_EQ(s.WhoseAddress(69'000, "100.64.0.1", "198.51.100.1"), "262011234567890 up ebi 6");
  s.Exchange(71'000, kSgsn, kGgsn, Request(1, Procedure::kDeleteSession, 4, 0x21).Ebi(6),
             Response(1, Procedure::kDeleteSession, 4, 0x11));
  s.Advance(140'000);
  EXPECT_EQ(s.engine.contexts(), 0u);
}

//   SGSN 1     SGSN 2      GGSN
//     |<-context-|           |     the new one learns the GGSN's endpoints
//     |          |--update-->|     3000: its own endpoints
//     |          |<---accept-|
TEST(SessionEngineTest, RoutingAreaUpdateToAnotherSgsn) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(3000, kSgsn2, kGgsn,
             Request(1, Procedure::kModifyBearer, 5, 0x21)
                 .Rat(2)
                 .Serving("26202")
                 .Control(gtp::kGnSgsnGtpC, kSgsn2, 0x31)
                 .Bearer(5)
                 .User(gtp::kGnSgsnGtpU, kSgsn2, 0x32),
             // Held for an SGSN's by its decoder: who answered tells.
             Response(1, Procedure::kUpdateBearer, 5, 0x31).UnnumberedBearer().User(gtp::kGnSgsnGtpU, "", 0x22));
  EXPECT_EQ(s.Whose(2500, kSgsn, 0x12), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(3511, kSgsn, 0x12), "expired");
  EXPECT_EQ(s.Whose(3000, kSgsn2, 0x32), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(4000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Find(2500, kGgsn, 0x22).facts->rat, 1);
  EXPECT_EQ(s.Find(3500, kGgsn, 0x22).facts->rat, 2);
  EXPECT_EQ(s.Find(3500, kGgsn, 0x22).facts->visited_plmn().ToString(), "26202");
  const auto views = s.engine.SessionsOf(*base::Digits::Parse(kImsi));
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].rat_changes, 1);
  EXPECT_EQ(views[0].paths[0].down.address, Address(kSgsn2));
  // The old SGSN's endpoint is nobody's, the new one's deletes.
  s.Exchange(5000, kSgsn2, kGgsn, Request(1, Procedure::kDeleteSession, 6, 0x21).Ebi(5).Teardown(),
             Response(1, Procedure::kDeleteSession, 6, 0x31));
  EXPECT_EQ(s.Whose(6000, kGgsn, 0x22), "expired");
}

TEST(SessionEngineTest, TheGgsnUpdatesAndDeletes) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  // Held for an SGSN's update by its decoder, since it has an endpoint; a direct tunnel in the answer.
  s.Exchange(2000, kGgsn, kSgsn,
             Request(1, Procedure::kModifyBearer, 5, 0x11).Bearer(5).Arp(3).User(gtp::kGnSgsnGtpU, kGgsn, 0x2a),
             Response(1, Procedure::kModifyBearer, 5, 0x21).UnnumberedBearer().User(gtp::kIuRncGtpU, kRnc, 0x91));
  EXPECT_EQ(s.Whose(3000, kGgsn, 0x2a), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(3000, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(3000, kRnc, 0x91), "262011234567890 down Iu-PS");
  EXPECT_EQ(s.Find(3000, kGgsn, 0x2a).facts->arp, 3);
  s.Exchange(4000, kGgsn, kSgsn, Request(1, Procedure::kDeleteSession, 6, 0x11).Ebi(5).Teardown(),
             Response(1, Procedure::kDeleteSession, 6, 0x21));
  EXPECT_EQ(s.Whose(5000, kGgsn, 0x2a), "expired");
}

// --- GTPv2: MME, SGW, PGW ---

//   MME        SGW        PGW
//    |--create->|          |    S11, t
//    |          |--create->|    S5,  t + 2
//    |          |<--accept-|         t + 12
//    |<--accept-|          |         t + 20
void AttachS5(Scene* s, int64_t ms, absl::string_view imsi, uint32_t n = 0, absl::string_view apn = "internet",
              uint8_t ebi = 5) {
  s->Exchange(ms + 2, kSgw, kPgw,
              Request(2, Procedure::kCreateSession, 100 + n, 0)
                  .Imsi(imsi)
                  .Apn(apn)
                  .Rat(6)
                  .Serving("26201")
                  .Control(gtp::kS5SgwGtpC, kSgw, 0x51 + n)
                  .Bearer(ebi)
                  .Qci(9)
                  .User(gtp::kS5SgwGtpU, kSgw, 0x52 + n),
              Response(2, Procedure::kCreateSession, 100 + n, 0x51 + n)
                  .Ue("100.64.0.1")
                  .Control(gtp::kS5PgwGtpC, kPgw, 0x61 + n)
                  .Bearer(ebi)
                  .BearerCause(16)
                  .ChargingId(4711)
                  .User(gtp::kS5PgwGtpU, kPgw, 0x62 + n));
}
MessageMaker AttachRequest(absl::string_view imsi, uint32_t n, absl::string_view apn, uint8_t ebi) {
  return std::move(Request(2, Procedure::kCreateSession, 200 + n, 0)
                       .Imsi(imsi)
                       .Imei("3534900698733190")
                       .Apn(apn)
                       .Rat(6)
                       .Serving("26201")
                       .Cell("26201", 0x1234)
                       .Control(gtp::kS11MmeGtpC, kMme, 0x41 + n)
                       .Control(gtp::kS5PgwGtpC, kPgw, 0)
                       .Bearer(ebi)
                       .Qci(9));
}
MessageMaker AttachResponse(uint32_t n, uint8_t ebi) {
  return std::move(Response(2, Procedure::kCreateSession, 200 + n, 0x41 + n)
                       .Ue("100.64.0.1")
                       .Control(gtp::kS11SgwGtpC, kSgw, 0x44 + n)
                       .Control(gtp::kS5PgwGtpC, kPgw, 0x61 + n)
                       .Bearer(ebi)
                       .BearerCause(16)
                       .User(gtp::kS1USgwGtpU, kSgw, 0x71 + n)
                       .User(gtp::kS5PgwGtpU, kPgw, 0x62 + n));
}
void Attach(Scene* s, int64_t ms, absl::string_view imsi, uint32_t n = 0, absl::string_view apn = "internet",
            uint8_t ebi = 5, bool s5 = true) {
  s->Send(ms, kMme, kSgw, AttachRequest(imsi, n, apn, ebi));
  if (s5) AttachS5(s, ms, imsi, n, apn, ebi);
  s->Send(ms + 20, kSgw, kMme, AttachResponse(n, ebi));
  // The base station's endpoint.
  s->Exchange(
      ms + 100, kMme, kSgw,
      Request(2, Procedure::kModifyBearer, 300 + n, 0x44 + n).Bearer(ebi).User(gtp::kS1UEnodebGtpU, kEnb, 0x81 + n),
      Response(2, Procedure::kModifyBearer, 300 + n, 0x41 + n).Bearer(ebi).BearerCause(16));
}
void Detach(Scene* s, int64_t ms, uint32_t n = 0, uint64_t indication = uint64_t{8} << 56) {
  s->Send(ms, kMme, kSgw, Request(2, Procedure::kDeleteSession, 400 + n, 0x44 + n).Linked(5).Indication(indication));
  s->Exchange(ms + 2, kSgw, kPgw, Request(2, Procedure::kDeleteSession, 500 + n, 0x61 + n).Linked(5),
              Response(2, Procedure::kDeleteSession, 500 + n, 0x51 + n));
  s->Send(ms + 20, kSgw, kMme, Response(2, Procedure::kDeleteSession, 400 + n, 0x41 + n));
}

TEST(SessionEngineTest, S11AndS5AreOneSession) {
  Scene s;
  Attach(&s, 1000, kImsi);
  EXPECT_EQ(s.Whose(2000, kSgw, 0x71), "262011234567890 up S1-U");
  EXPECT_EQ(s.Whose(2000, kEnb, 0x81), "262011234567890 down S1-U");
  EXPECT_EQ(s.Whose(2000, kPgw, 0x62), "262011234567890 up S5/S8");
  EXPECT_EQ(s.Whose(2000, kSgw, 0x52), "262011234567890 down S5/S8");
  const Found s1 = s.Find(2000, kEnb, 0x81), s5 = s.Find(2000, kSgw, 0x52);
  EXPECT_EQ(s1.facts, s5.facts);
  EXPECT_EQ(s1.facts->imei.ToString(), "3534900698733190");
  EXPECT_EQ(s1.facts->charging_id, 4711u);
  EXPECT_EQ(s1.facts->qci, 9);
  EXPECT_EQ(s.reader.location(s1.facts->location)[gtp::LocationForm::kEcgi].cell, 0x1234u);
  EXPECT_EQ(s.reader.Endpoints(s1), std::make_pair(Endpoint{Address(kSgw), 0x71}, Endpoint{Address(kEnb), 0x81}));
  EXPECT_EQ(s.engine.counters().linked, 1u);
  EXPECT_EQ(s.engine.contexts(), 1u);

  // A packet that is seen on both interfaces is in the record once.
  s.Packet(2000, kSgw, 0x71, 100);
  s.Packet(2000, kPgw, 0x62, 100);
  s.Packet(2000, kPgw, 0x62, 50);
  s.Packet(2000, kSgw, 0x52, 1000);
  s.Packet(2000, kEnb, 0x81, 1000);
  Detach(&s, 3000);
  EXPECT_EQ(s.Whose(4000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.Whose(4000, kPgw, 0x62), "expired");
  s.Advance(64'000);
  const auto records = s.engine.TakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].volume.bytes_up, 150u);
  EXPECT_EQ(records[0].volume.packets_up, 2u);
  EXPECT_EQ(records[0].volume.bytes_down, 1000u);
  EXPECT_EQ(records[0].cause, Cause::kDeleted);
  EXPECT_EQ(records[0].from_nanos, Nanos(1002));
  EXPECT_EQ(records[0].until_nanos, Nanos(3020));
  EXPECT_EQ(records[0].path.interface, Interface::kS1U) << "S5 had ended before";
  EXPECT_EQ(records[0].path.up, (Endpoint{Address(kSgw), 0x71}));
}

TEST(SessionEngineTest, S11AloneKnowsThePgwsEndpointToo) {
  Scene s;
  Attach(&s, 1000, kImsi, 0, "internet", 5, /*s5=*/false);
  EXPECT_EQ(s.Whose(2000, kPgw, 0x62), "262011234567890 up S5/S8");
  EXPECT_EQ(s.Whose(2000, kSgw, 0x71), "262011234567890 up S1-U");
  Detach(&s, 3000);
  EXPECT_EQ(s.Whose(4000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.Whose(4000, kPgw, 0x62), "expired");
}

TEST(SessionEngineTest, TwoConnectionsOfASubscriberShareControlEndpointsOnS11) {
  Scene s;
  Attach(&s, 1000, kImsi);
  // The second one: the same MME's and SGW's endpoints, another bearer.
  s.Send(2000, kMme, kSgw,
         Request(2, Procedure::kCreateSession, 900, 0x44)
             .Imsi(kImsi)
             .Apn("ims")
             .Control(gtp::kS11MmeGtpC, kMme, 0x41)
             .Bearer(6)
             .Qci(5));
  AttachS5(&s, 2000, kImsi, 0x1000, "ims", 6);
  s.Send(2020, kSgw, kMme,
         Response(2, Procedure::kCreateSession, 900, 0x41)
             .Control(gtp::kS11SgwGtpC, kSgw, 0x44)
             .Control(gtp::kS5PgwGtpC, kPgw, 0x1061)
             .Bearer(6)
             .BearerCause(16)
             .User(gtp::kS1USgwGtpU, kSgw, 0x1071));
  EXPECT_EQ(s.Whose(2500, kSgw, 0x1071), "262011234567890 up S1-U ebi 6");
  EXPECT_NE(s.Find(2500, kSgw, 0x1071).facts->session, s.Find(2500, kSgw, 0x71).facts->session);
  EXPECT_EQ(s.Apn(s.Find(2500, kSgw, 0x1071)), "ims");
  EXPECT_EQ(s.Apn(s.Find(2500, kSgw, 0x71)), "internet");
  // Handover: both bearers move, each by its number.
  s.Exchange(3000, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 901, 0x44)
                 .Cell("26201", 0x9999)
                 .Bearer(6)
                 .User(gtp::kS1UEnodebGtpU, kEnb2, 0x91),
             Response(2, Procedure::kModifyBearer, 901, 0x41).Bearer(6).BearerCause(16));
  EXPECT_EQ(s.Whose(3500, kEnb2, 0x91), "262011234567890 down S1-U ebi 6");
  EXPECT_EQ(s.Whose(3500, kEnb, 0x81), "262011234567890 down S1-U");
  EXPECT_EQ(s.engine.contexts(), 2u);
  // One goes, by its default bearer.
  s.Exchange(4000, kMme, kSgw, Request(2, Procedure::kDeleteSession, 902, 0x44).Linked(6).Indication(uint64_t{8} << 56),
             Response(2, Procedure::kDeleteSession, 902, 0x41));
  EXPECT_EQ(s.Whose(5000, kSgw, 0x1071), "expired");
  EXPECT_EQ(s.Whose(5000, kSgw, 0x71), "262011234567890 up S1-U");
}

//   eNB 1    eNB 2    MME     SGW
//     |  handover      |--modify->|  3000: eNB 2's endpoint
//     |        |       |<--accept-|  3010: eNB 1's ends
TEST(SessionEngineTest, HandoverIdleAndServiceRequest) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Exchange(3000, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 5, 0x44)
                 .Cell("26201", 0x5678)
                 .Bearer(5)
                 .User(gtp::kS1UEnodebGtpU, kEnb2, 0x91),
             Response(2, Procedure::kModifyBearer, 5, 0x41).Bearer(5).BearerCause(16));
  EXPECT_EQ(s.Whose(2999, kEnb, 0x81), "262011234567890 down S1-U");
  EXPECT_EQ(s.Whose(3400, kEnb, 0x81), "262011234567890 down S1-U");
  EXPECT_EQ(s.Whose(3501, kEnb, 0x81), "expired");
  EXPECT_EQ(s.Whose(3000, kEnb2, 0x91), "262011234567890 down S1-U");
  EXPECT_EQ(s.reader.location(s.Find(2000, kSgw, 0x71).facts->location)[gtp::LocationForm::kEcgi].cell, 0x1234u);
  EXPECT_EQ(s.reader.location(s.Find(4000, kSgw, 0x71).facts->location)[gtp::LocationForm::kEcgi].cell, 0x5678u);
  // An end marker tells nothing new.
  s.Send(3015, kSgw, kEnb, MessageMaker(1, Procedure::kEndMarker, Role::kNotice, 0, 0x81));
  EXPECT_EQ(s.engine.counters().end_markers, 1u);
  // Idle: no way down, the way up stays.
  s.Exchange(5000, kMme, kSgw, Request(2, Procedure::kReleaseAccessBearers, 6, 0x44),
             Response(2, Procedure::kReleaseAccessBearers, 6, 0x41));
  EXPECT_EQ(s.Whose(6000, kEnb2, 0x91), "expired");
  EXPECT_EQ(s.Whose(6000, kSgw, 0x71), "262011234567890 up S1-U");
  EXPECT_EQ(s.Whose(6000, kSgw, 0x52), "262011234567890 down S5/S8");
  s.Exchange(7000, kMme, kSgw,
             Request(2, Procedure::kModifyAccessBearers, 7, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb, 0x82),
             Response(2, Procedure::kModifyAccessBearers, 7, 0x41).Bearer(5).BearerCause(16));
  EXPECT_EQ(s.Whose(7500, kEnb, 0x82), "262011234567890 down S1-U");
  const auto views = s.engine.SessionsOf(*base::Digits::Parse(kImsi));
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].location_changes, 1);
  EXPECT_EQ(views[0].paths[1].down.address, Address(kEnb));
}

//   MME 2     SGW 1    SGW 2    PGW
//     |--create---------->|      |   the PGW's endpoint is in it
//     |         |         |--modify->
//     |<-------accept-----|
//     |--delete->|                    without "operation indication"
TEST(SessionEngineTest, HandoverWithAnotherSgwAndMme) {
  Scene s;
  Attach(&s, 1000, kImsi);
  const uint64_t session = s.Find(2000, kSgw, 0x71).facts->session;
  s.Send(3000, kMme2, kSgw2,
         Request(2, Procedure::kCreateSession, 1, 0)
             .Imsi(kImsi)
             .Apn("internet")
             .Control(gtp::kS11MmeGtpC, kMme2, 0xa1)
             .Control(gtp::kS5PgwGtpC, kPgw, 0x61)
             .Bearer(5)
             .User(gtp::kS1UEnodebGtpU, kEnb2, 0x91)
             .User(gtp::kS5PgwGtpU, kPgw, 0x62));
  s.Exchange(3002, kSgw2, kPgw,
             Request(2, Procedure::kModifyBearer, 2, 0x61)
                 .Control(gtp::kS5SgwGtpC, kSgw2, 0xb1)
                 .Bearer(5)
                 .User(gtp::kS5SgwGtpU, kSgw2, 0xb2),
             Response(2, Procedure::kModifyBearer, 2, 0xb1).Bearer(5).BearerCause(16));
  s.Send(3020, kSgw2, kMme2,
         Response(2, Procedure::kCreateSession, 1, 0xa1)
             .Control(gtp::kS11SgwGtpC, kSgw2, 0xb4)
             .Bearer(5)
             .BearerCause(16)
             .User(gtp::kS1USgwGtpU, kSgw2, 0xb7));
  s.Exchange(3100, kMme, kSgw, Request(2, Procedure::kDeleteSession, 3, 0x44).Linked(5),
             Response(2, Procedure::kDeleteSession, 3, 0x41));
  s.Advance(30'000);
  for (const auto& [to, teid, whose] : {std::make_tuple(kSgw2, 0xb7, "262011234567890 up S1-U"),
                                        std::make_tuple(kEnb2, 0x91, "262011234567890 down S1-U"),
                                        std::make_tuple(kSgw2, 0xb2, "262011234567890 down S5/S8"),
                                        std::make_tuple(kPgw, 0x62, "262011234567890 up S5/S8")}) {
    EXPECT_EQ(s.Whose(29'000, to, teid), whose);
    EXPECT_EQ(s.Find(29'000, to, teid).facts->session, session);
  }
  EXPECT_EQ(s.Whose(29'000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.Whose(29'000, kSgw, 0x52), "expired");
  EXPECT_EQ(s.engine.counters().contexts_created, 1u);
  EXPECT_EQ(s.engine.counters().contexts_ended, 0u);
}

//   SGSN                 MME     SGW     PGW (as GGSN)
//    |--context request-->|
//    |<----------contexts-|             the PGW's endpoints
//    |--update (GTPv1)---------------->|
//                         |--delete->|  without "operation indication"
TEST(SessionEngineTest, From4GTo3GOverGnAndBack) {
  Scene s;
  Attach(&s, 1000, kImsi);
  const uint64_t session = s.Find(2000, kSgw, 0x71).facts->session;
  s.Exchange(3000, kSgsn, kPgw,
             Request(1, Procedure::kModifyBearer, 5, 0x61)
                 .Rat(1)
                 .Control(gtp::kGnSgsnGtpC, kSgsn, 0x11)
                 .Bearer(5)
                 .User(gtp::kGnSgsnGtpU, kSgsn, 0x12),
             Response(1, Procedure::kModifyBearer, 5, 0x11)
                 .Control(gtp::kGnGgsnGtpC, kPgw, 0x61)
                 .UnnumberedBearer()
                 .User(gtp::kGnGgsnGtpU, kPgw, 0x62));
  s.Exchange(3100, kMme, kSgw, Request(2, Procedure::kDeleteSession, 3, 0x44).Linked(5),
             Response(2, Procedure::kDeleteSession, 3, 0x41));
  s.Advance(30'000);
  EXPECT_EQ(s.Whose(29'000, kSgsn, 0x12), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(29'000, kPgw, 0x62), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(2'500, kPgw, 0x62), "262011234567890 up S5/S8");
  EXPECT_EQ(s.Find(29'000, kPgw, 0x62).facts->session, session);
  EXPECT_EQ(s.Find(29'000, kPgw, 0x62).facts->rat, 1);
  EXPECT_EQ(s.Find(2'500, kPgw, 0x62).facts->rat, 6);
  EXPECT_EQ(s.Whose(29'000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.Whose(29'000, kSgw, 0x52), "expired");

  // Back to 4G: a new SGW is told the PGW's endpoint, which was the GGSN.
  s.Send(40'000, kMme, kSgw2,
         Request(2, Procedure::kCreateSession, 1, 0)
             .Imsi(kImsi)
             .Apn("internet")
             .Rat(6)
             .Control(gtp::kS11MmeGtpC, kMme, 0xa1)
             .Control(gtp::kS5PgwGtpC, kPgw, 0x61)
             .Bearer(5));
  s.Exchange(
      40'002, kSgw2, kPgw,
      Request(2, Procedure::kModifyBearer, 2, 0x61)
          .Control(gtp::kS5SgwGtpC, kSgw2, 0xb1)
          .Bearer(5)
          .User(gtp::kS5SgwGtpU, kSgw2, 0xb2),
      Response(2, Procedure::kModifyBearer, 2, 0xb1).Bearer(5).BearerCause(16).User(gtp::kS5PgwGtpU, kPgw, 0x62));
  s.Send(40'020, kSgw2, kMme,
         Response(2, Procedure::kCreateSession, 1, 0xa1)
             .Control(gtp::kS11SgwGtpC, kSgw2, 0xb4)
             .Bearer(5)
             .BearerCause(16)
             .User(gtp::kS1USgwGtpU, kSgw2, 0xb7));
  EXPECT_EQ(s.Whose(41'000, kSgw2, 0xb7), "262011234567890 up S1-U");
  EXPECT_EQ(s.Whose(41'000, kPgw, 0x62), "262011234567890 up S5/S8");
  EXPECT_EQ(s.Find(41'000, kSgw2, 0xb7).facts->session, session);
  const auto views = s.engine.SessionsOf(*base::Digits::Parse(kImsi));
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].rat_changes, 2);
}

TEST(SessionEngineTest, From4GTo3GOverS4) {
  Scene s;
  Attach(&s, 1000, kImsi);
  const uint64_t session = s.Find(2000, kSgw, 0x71).facts->session;
  // The same SGW: the SGSN takes the session over with its own control endpoint (TS 23.401, 5.5.2.1).
  s.Exchange(3000, kSgsn, kSgw,
             Request(2, Procedure::kModifyBearer, 8, 0x44)
                 .Rat(1)
                 .Control(gtp::kS4SgsnGtpC, kSgsn, 0x11)
                 .Bearer(5)
                 .User(gtp::kS4SgsnGtpU, kSgsn, 0x12),
             Response(2, Procedure::kModifyBearer, 8, 0x11)
                 .Control(gtp::kS11SgwGtpC, kSgw, 0x45)
                 .Bearer(5)
                 .BearerCause(16)
                 .User(gtp::kS4SgwGtpU, kSgw, 0x79));
  EXPECT_EQ(s.Whose(4000, kSgsn, 0x12), "262011234567890 down S4");
  EXPECT_EQ(s.Whose(4000, kSgw, 0x79), "262011234567890 up S4");
  EXPECT_EQ(s.Whose(4000, kEnb, 0x81), "expired");
  EXPECT_EQ(s.Find(4000, kSgw, 0x79).facts->session, session);
  // A direct tunnel to the RNC.
  s.Exchange(
      5000, kSgsn, kSgw, Request(2, Procedure::kModifyBearer, 9, 0x45).Bearer(5).User(gtp::kS12RncGtpU, kRnc, 0x91),
      Response(2, Procedure::kModifyBearer, 9, 0x11).Bearer(5).BearerCause(16).User(gtp::kS12SgwGtpU, kSgw, 0x7a));
  EXPECT_EQ(s.Whose(6000, kRnc, 0x91), "262011234567890 down S12");
  EXPECT_EQ(s.Whose(6000, kSgw, 0x7a), "262011234567890 up S12");
}

TEST(SessionEngineTest, DedicatedBearersByTheNetwork) {
  Scene s;
  Attach(&s, 1000, kImsi);
  //   MME <-create bearer- SGW <-create bearer- PGW
  s.Send(2000, kPgw, kSgw,
         Request(2, Procedure::kCreateBearer, 1, 0x51)
             .Linked(5)
             .Bearer(0)
             .Qci(1)
             .ChargingId(4712)
             .User(gtp::kS5PgwGtpU, kPgw, 0x63));
  s.Send(2002, kSgw, kMme,
         Request(2, Procedure::kCreateBearer, 2, 0x41)
             .Linked(5)
             .Bearer(0)
             .Qci(1)
             .User(gtp::kS1USgwGtpU, kSgw, 0x72)
             .User(gtp::kS5PgwGtpU, kPgw, 0x63));
  s.Send(2050, kMme, kSgw,
         Response(2, Procedure::kCreateBearer, 2, 0x44)
             .Bearer(7)
             .BearerCause(16)
             .User(gtp::kS1UEnodebGtpU, kEnb, 0x83)
             .User(gtp::kS1USgwGtpU, kSgw, 0x72));
  s.Send(2060, kSgw, kPgw,
         Response(2, Procedure::kCreateBearer, 1, 0x61)
             .Bearer(7)
             .BearerCause(16)
             .User(gtp::kS5SgwGtpU, kSgw, 0x53)
             .User(gtp::kS5PgwGtpU, kPgw, 0x63));
  for (const auto& [to, teid, whose] : {std::make_tuple(kSgw, 0x72, "262011234567890 up S1-U ebi 7"),
                                        std::make_tuple(kEnb, 0x83, "262011234567890 down S1-U ebi 7"),
                                        std::make_tuple(kSgw, 0x53, "262011234567890 down S5/S8 ebi 7"),
                                        std::make_tuple(kPgw, 0x63, "262011234567890 up S5/S8 ebi 7")}) {
    EXPECT_EQ(s.Whose(2500, to, teid), whose);
    EXPECT_EQ(s.Find(2500, to, teid).facts->qci, 1);
    EXPECT_EQ(s.Find(2500, to, teid).facts->charging_id, 4712u);
  }
  EXPECT_EQ(s.engine.contexts(), 2u);
  EXPECT_EQ(s.Find(2500, kSgw, 0x71).facts->qci, 9);
  // Its quality changes.
  s.Exchange(3000, kSgw, kMme, Request(2, Procedure::kUpdateBearer, 3, 0x41).Bearer(7).Qci(2),
             Response(2, Procedure::kUpdateBearer, 3, 0x44).Bearer(7).BearerCause(16));
  EXPECT_EQ(s.Find(2999, kEnb, 0x83).facts->qci, 1);
  EXPECT_EQ(s.Find(3500, kEnb, 0x83).facts->qci, 2);
  EXPECT_EQ(s.Find(3500, kEnb, 0x81).facts->qci, 9);
  // It goes; then the default bearer, and all with it.
  s.Exchange(4000, kSgw, kMme, Request(2, Procedure::kDeleteBearer, 4, 0x41).Removed(7),
             Response(2, Procedure::kDeleteBearer, 4, 0x44).Bearer(7).BearerCause(16));
  EXPECT_EQ(s.Whose(5000, kEnb, 0x83), "expired");
  EXPECT_EQ(s.Whose(5000, kPgw, 0x63), "expired");
  EXPECT_EQ(s.Whose(5000, kPgw, 0x62), "262011234567890 up S5/S8");
  s.Exchange(6000, kPgw, kSgw, Request(2, Procedure::kDeleteBearer, 5, 0x51).Linked(5),
             Response(2, Procedure::kDeleteBearer, 5, 0x61));
  EXPECT_EQ(s.Whose(7000, kPgw, 0x62), "expired");
  // On S11 nothing is said any more: the session ends by itself.
  EXPECT_EQ(s.Whose(7000, kSgw, 0x71), "262011234567890 up S1-U");
  s.Advance(16'011);
  EXPECT_EQ(s.Whose(17'000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kImsi)).size(), 0u);
}

TEST(SessionEngineTest, RefusedBearersAndSessionsThatThePeerDoesNotKnow) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Exchange(2000, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 5, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb2, 0x91),
             Response(2, Procedure::kModifyBearer, 5, 0x41).Cause(17).Bearer(5).BearerCause(73));
  EXPECT_EQ(s.Whose(2500, kEnb2, 0x91), "no_control") << "what was refused does not make its node known";
  EXPECT_EQ(s.Whose(2500, kEnb, 0x81), "262011234567890 down S1-U");
  s.Exchange(3000, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 6, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb2, 0x91),
             Response(2, Procedure::kModifyBearer, 6, 0x41).Cause(64));
  EXPECT_EQ(s.Whose(4000, kSgw, 0x71), "expired");
  s.Advance(64'000);
  const auto records = s.engine.TakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].cause, Cause::kUnknownToPeer);
  EXPECT_EQ(records[0].gtp_cause, 64);
}

TEST(SessionEngineTest, ASubscriberWhoAttachesAnewReplacesHisSession) {
  Scene s;
  Attach(&s, 1000, kImsi);
  Attach(&s, 20'000, kImsi, 0x1000);
  EXPECT_EQ(s.engine.counters().replaced, 1u);
  EXPECT_EQ(s.engine.counters().linked, 2u);
  EXPECT_EQ(s.Whose(21'000, kSgw, 0x71), "expired");
  EXPECT_EQ(s.Whose(21'000, kSgw, 0x1071), "262011234567890 up S1-U");
  EXPECT_EQ(s.Whose(21'000, kPgw, 0x1062), "262011234567890 up S5/S8");
  EXPECT_NE(s.Find(21'000, kPgw, 0x1062).facts->session, s.Find(2'000, kPgw, 0x62).facts->session);
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kImsi)).size(), 1u);
}

TEST(SessionEngineTest, ForwardingTunnelsAreJoinedAndNotCounted) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Exchange(3000, kMme, kMme2,
             Request(2, Procedure::kForwardRelocation, 1, 0)
                 .Imsi(kImsi)
                 .Control(gtp::kS10MmeGtpC, kMme, 0xc1)
                 .Control(gtp::kS11SgwGtpC, kSgw, 0x44)
                 .Connection("internet", 5, 1)
                 .ConnectionPgw(gtp::kS5PgwGtpC, kPgw, 0x61)
                 .Bearer(5)
                 .User(gtp::kS1USgwGtpU, kSgw, 0x71)
                 .User(gtp::kS5PgwGtpU, kPgw, 0x62),
             Response(2, Procedure::kForwardRelocation, 1, 0xc1).Bearer(5).User(gtp::kEnodebDlForwarding, kEnb2, 0x99));
  s.Exchange(3020, kMme, kSgw,
             Request(2, Procedure::kCreateForwarding, 2, 0x44).Bearer(5).User(gtp::kEnodebDlForwarding, kEnb2, 0x99),
             Response(2, Procedure::kCreateForwarding, 2, 0x41)
                 .Bearer(5)
                 .BearerCause(16)
                 .User(gtp::kSgwDlForwarding, kSgw, 0x7f));
  EXPECT_EQ(s.Whose(3100, kSgw, 0x7f), "262011234567890 down forwarding");
  EXPECT_EQ(s.Whose(3100, kEnb2, 0x99), "262011234567890 down X2");
  EXPECT_EQ(s.Find(3100, kSgw, 0x7f).volume, 0u);
  EXPECT_EQ(s.engine.counters().forwarding_tunnels, 2u);
  EXPECT_EQ(s.engine.counters().learned, 0u);
  s.Exchange(4000, kMme, kSgw, Request(2, Procedure::kDeleteForwarding, 3, 0x44),
             Response(2, Procedure::kDeleteForwarding, 3, 0x41));
  EXPECT_EQ(s.Whose(5000, kSgw, 0x7f), "expired");
  EXPECT_EQ(s.Whose(5000, kEnb2, 0x99), "expired");
  EXPECT_EQ(s.Whose(5000, kSgw, 0x71), "262011234567890 up S1-U");
  // Forgotten to be deleted: it goes by itself.
  s.Exchange(6000, kMme, kSgw, Request(2, Procedure::kCreateForwarding, 4, 0x44).Bearer(5),
             Response(2, Procedure::kCreateForwarding, 4, 0x41).Bearer(5).User(gtp::kSgwDlForwarding, kSgw, 0x7e));
  s.Advance(66'011);
  EXPECT_EQ(s.Whose(67'000, kSgw, 0x7e), "expired");
}

TEST(SessionEngineTest, SessionsThatWereThereBeforeAreLearnedFromContextTransfer) {
  Scene s;
  s.Exchange(1000, kMme2, kMme, Request(2, Procedure::kContext, 1, 0),
             Response(2, Procedure::kContext, 1, 0xd1)
                 .Imsi(kImsi)
                 .Control(gtp::kS11SgwGtpC, kSgw, 0x44)
                 .Connection("internet", 5, 2)
                 .ConnectionUe("100.64.0.7")
                 .ConnectionPgw(gtp::kS5PgwGtpC, kPgw, 0x61)
                 .Bearer(5)
                 .Qci(8)
                 .User(gtp::kS1USgwGtpU, kSgw, 0x71)
                 .User(gtp::kS5PgwGtpU, kPgw, 0x62)
                 .Bearer(6)
                 .User(gtp::kS1USgwGtpU, kSgw, 0x72));
  EXPECT_EQ(s.engine.counters().learned, 1u);
  EXPECT_EQ(s.Whose(1500, kSgw, 0x71), "262011234567890 up S1-U");
  EXPECT_EQ(s.Whose(1500, kSgw, 0x72), "262011234567890 up S1-U ebi 6");
  EXPECT_EQ(s.Find(1500, kPgw, 0x62).facts->ue_v4(), Address("100.64.0.7"));
  EXPECT_EQ(s.Find(1500, kPgw, 0x62).facts->qci, 8);
  // The new MME tells the SGW, whose endpoint is known.
  s.Exchange(2000, kMme2, kSgw,
             Request(2, Procedure::kModifyBearer, 2, 0x44)
                 .Control(gtp::kS11MmeGtpC, kMme2, 0xe1)
                 .Bearer(5)
                 .User(gtp::kS1UEnodebGtpU, kEnb, 0x81)
                 .Bearer(6)
                 .User(gtp::kS1UEnodebGtpU, kEnb, 0x82),
             Response(2, Procedure::kModifyBearer, 2, 0xe1));
  EXPECT_EQ(s.Whose(2500, kEnb, 0x82), "262011234567890 down S1-U ebi 6");
  EXPECT_EQ(s.engine.counters().unknown_session, 0u);
}

TEST(SessionEngineTest, AnAnswerThatWasLostDoesNotLoseTheSession) {
  Scene s;
  AttachS5(&s, 1000, kImsi);  // S11's creation was not seen
  s.Exchange(2000, kSgw2, kPgw,
             Request(2, Procedure::kModifyBearer, 7, 0x61)
                 .Control(gtp::kS5SgwGtpC, kSgw2, 0xb1)
                 .Bearer(5)
                 .User(gtp::kS5SgwGtpU, kSgw2, 0xb2),
             Response(2, Procedure::kModifyBearer, 7, 0xb1).Bearer(5));
  EXPECT_EQ(s.Whose(2500, kSgw2, 0xb2), "262011234567890 down S5/S8");
  // The PGW's endpoint is unknown, the SGW's is that of a request that was answered elsewhere.
  Scene t;
  t.Exchange(1000, kSgw, kPgw,
             Request(2, Procedure::kCreateSession, 1, 0)
                 .Imsi(kImsi)
                 .Control(gtp::kS5SgwGtpC, kSgw, 0x51)
                 .Bearer(5)
                 .User(gtp::kS5SgwGtpU, kSgw, 0x52),
             Response(2, Procedure::kCreateSession, 1, 0x51));  // its elements cannot be read
  t.Exchange(2000, kSgw, kPgw, Request(2, Procedure::kDeleteSession, 2, 0x61).Linked(5),
             Response(2, Procedure::kDeleteSession, 2, 0x51));
  EXPECT_EQ(t.Whose(2000, kSgw, 0x52), "262011234567890 down S5/S8");
  EXPECT_EQ(t.Whose(3000, kSgw, 0x52), "expired");
}

TEST(SessionEngineTest, AnAnswerThatMustHaveBeenThereIsAssumed) {
  Scene s;
  Attach(&s, 1000, kImsi);
  const auto moved = Request(2, Procedure::kModifyBearer, 5, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb2, 0x91);
  s.Send(3000, kMme, kSgw, moved);
  s.Advance(3999);
  EXPECT_EQ(s.Whose(3500, kEnb2, 0x91), "no_control");
  s.Advance(4000);
  EXPECT_EQ(s.Whose(3500, kEnb2, 0x91), "262011234567890 down S1-U");
  EXPECT_EQ(s.Whose(4000, kEnb, 0x81), "expired");
  EXPECT_EQ(s.engine.counters().assumed, 1u);
  // Seen twice at once is not asked again; who asks again had no answer.
  const auto idle = Request(2, Procedure::kReleaseAccessBearers, 6, 0x44);
  s.Send(10'000, kMme, kSgw, idle);
  s.Send(10'001, kMme, kSgw, idle);
  s.Send(13'000, kMme, kSgw, idle);
  s.Advance(60'000);
  EXPECT_EQ(s.engine.counters().assumed, 1u);
  EXPECT_EQ(s.Whose(20'000, kEnb2, 0x91), "262011234567890 down S1-U");
  s.Send(61'000, kSgsn, kGgsn, Request(1, Procedure::kModifyBearer, 2, 0x999).Bearer(5));
  s.Send(61'500, kMme, kSgw, Request(2, Procedure::kDeleteSession, 7, 0x44).Linked(5).Indication(uint64_t{8} << 56));
  s.Advance(80'000);
  EXPECT_EQ(s.engine.counters().assumed, 2u);
  EXPECT_EQ(s.engine.counters().contexts_created, 1u);
  EXPECT_EQ(s.Whose(79'000, kSgw, 0x71), "expired");
}

//   MME                  SGW
//    |--create 2nd (to 0x44)->|  1000
//    |<-accept, no F-TEID of S11: it is what the request was sent to
//    |--modify (to 0x44)----->|  is about the second one, and makes no bearer of the first
TEST(SessionEngineTest, AnotherConnectionOnS11MayComeWithoutTheSgwsEndpoint) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Send(2000, kMme, kSgw,
         Request(2, Procedure::kCreateSession, 900, 0x44)
             .Imsi(kImsi)
             .Apn("ims")
             .Control(gtp::kS11MmeGtpC, kMme, 0x41)
             .Bearer(7));
  AttachS5(&s, 2000, kImsi, 0x1000, "ims", 7);
  s.Send(2020, kSgw, kMme,
         Response(2, Procedure::kCreateSession, 900, 0x41)
             .Control(gtp::kS5PgwGtpC, kPgw, 0x1061)
             .Bearer(7)
             .User(gtp::kS1USgwGtpU, kSgw, 0x1071));
  s.Exchange(2100, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 901, 0x44).Bearer(7).User(gtp::kS1UEnodebGtpU, kEnb, 0x91),
             Response(2, Procedure::kModifyBearer, 901, 0x41).Bearer(7).User(gtp::kS1USgwGtpU, kSgw, 0x1071));
  for (const auto& [node, teid] : {std::pair(kSgw, 0x1071u), std::pair(kEnb, 0x91u)}) {
    EXPECT_EQ(s.Apn(s.Find(2500, node, teid)), "ims");
  }
  EXPECT_EQ(s.engine.contexts(), 2u);
  // A bearer of a connection that nobody knows is not the first one's.
  Scene t;
  Attach(&t, 1000, kImsi);
  t.Exchange(2100, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 901, 0x44).Bearer(7).User(gtp::kS1UEnodebGtpU, kEnb, 0x91),
             Response(2, Procedure::kModifyBearer, 901, 0x41).Bearer(7).User(gtp::kS1USgwGtpU, kSgw, 0x1071));
  EXPECT_EQ(t.Whose(2500, kEnb, 0x91), "unknown_teid");
  EXPECT_EQ(t.engine.contexts(), 1u);
}

// What of an attach may be missing, and S1-U is known all the same: the messages of S11 and S5 name each other's ends.
//
//   MME          SGW          PGW
//    |--1 create->|--2 create->|
//    |<-4 accept--|<-3 accept--|
//    |--5 modify->|
//    |<-6 accept--|
TEST(SessionEngineTest, AMissingMessageOfAnAttachIsMadeUpForByTheOthers) {
  const auto sgw5 = Request(2, Procedure::kCreateSession, 101, 0)
                        .Imsi(kImsi)
                        .Apn("internet")
                        .Control(gtp::kS5SgwGtpC, kSgw, 0x51)
                        .Bearer(5)
                        .User(gtp::kS5SgwGtpU, kSgw, 0x52);
  const auto pgw5 = Response(2, Procedure::kCreateSession, 101, 0x51)
                        .Control(gtp::kS5PgwGtpC, kPgw, 0x61)
                        .Bearer(5)
                        .User(gtp::kS5PgwGtpU, kPgw, 0x62);
  const auto mme = Request(2, Procedure::kCreateSession, 1, 0)
                       .Imsi(kImsi)
                       .Apn("internet")
                       .Control(gtp::kS11MmeGtpC, kMme, 0x41)
                       .Bearer(5);
  const auto sgw = Response(2, Procedure::kCreateSession, 1, 0x41)
                       .Control(gtp::kS11SgwGtpC, kSgw, 0x44)
                       .Control(gtp::kS5PgwGtpC, kPgw, 0x61)
                       .Bearer(5)
                       .User(gtp::kS1USgwGtpU, kSgw, 0x71)
                       .User(gtp::kS5PgwGtpU, kPgw, 0x62);
  const auto modify = Request(2, Procedure::kModifyBearer, 2, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb, 0x81);
  const auto modified = Response(2, Procedure::kModifyBearer, 2, 0x41).Bearer(5).User(gtp::kS1USgwGtpU, kSgw, 0x71);
  for (int missing = 0; missing <= 6; ++missing) {
    SCOPED_TRACE(missing);
    Scene s;
    if (missing != 1) s.Send(1000, kMme, kSgw, mme);
    if (missing != 2) s.Send(1002, kSgw, kPgw, sgw5);
    if (missing != 3) s.Send(1004, kPgw, kSgw, pgw5);
    if (missing != 4) s.Send(1006, kSgw, kMme, sgw);
    if (missing != 5) s.Send(1008, kMme, kSgw, modify);
    if (missing != 6) s.Send(1010, kSgw, kMme, modified);
    s.Advance(2008);
    EXPECT_EQ(s.Whose(1100, kSgw, 0x71), "262011234567890 up S1-U");
    EXPECT_EQ(s.Whose(1100, kPgw, 0x62), "262011234567890 up S5/S8");
    // These two are in one message each.
    EXPECT_EQ(s.Whose(1100, kEnb, 0x81), missing == 5 ? "no_control" : "262011234567890 down S1-U");
    EXPECT_EQ(s.Whose(1100, kSgw, 0x52), missing == 2 ? "unknown_teid" : "262011234567890 down S5/S8");
    EXPECT_EQ(s.engine.contexts(), 1u);
  }
}

TEST(SessionEngineTest, ACreationWithoutAnAnswerIsAssumedForAWhileAndTakesNothingFromOthers) {
  SessionOptions options;
  options.max_assumed = 1;
  Scene s(options);
  const auto create = [](absl::string_view imsi, uint32_t sequence, uint32_t user) {
    return std::move(Request(1, Procedure::kCreateSession, sequence, 0)
                         .Imsi(imsi)
                         .Control(gtp::kGnSgsnGtpC, kSgsn, 0x11 + sequence)
                         .Bearer(5)
                         .User(gtp::kGnSgsnGtpU, kSgsn, user));
  };
  CreatePdp(&s, 1000, kImsi, 0, 77);
  s.Send(2000, kSgsn, kGgsn, create(kOther, 1, 0x12));  // the first one's
  s.Send(2000, kSgsn, kGgsn, create(kOther, 2, 0x99));
  s.Send(2001, kSgsn, kGgsn, create("262010000000001", 3, 0x9a));
  s.Advance(2999);
  EXPECT_EQ(s.Whose(2999, kSgsn, 0x99), "unknown_teid");
  s.Advance(3001);
  EXPECT_EQ(s.Whose(3000, kSgsn, 0x12), "262011234567890 down Gn/Gp");
  EXPECT_EQ(s.Whose(3000, kSgsn, 0x99), "262019876543210 down Gn/Gp");
  EXPECT_EQ(s.Whose(3000, kSgsn, 0x9a), "unknown_teid");
  EXPECT_EQ(s.engine.counters().assumed_bound, 1u);
  // Nothing followed.
  s.Advance(63'001);
  EXPECT_EQ(s.Whose(63'600, kSgsn, 0x99), "expired");
  // A refusal that is late.
  s.Send(70'000, kSgsn, kGgsn, create(kOther, 4, 0x99));
  s.Advance(71'000);
  EXPECT_EQ(s.Whose(71'000, kSgsn, 0x99), "262019876543210 down Gn/Gp");
  s.Send(71'500, kGgsn, kSgsn, Response(1, Procedure::kCreateSession, 4, 0x15).Cause(199));
  EXPECT_EQ(s.Whose(72'100, kSgsn, 0x99), "expired");
}

TEST(SessionEngineTest, AnAnswerAloneTellsOfASessionThatIsKnown) {
  Scene s;
  AttachS5(&s, 1000, kImsi);
  s.Send(1020, kSgw, kMme, AttachResponse(0, 5));  // S11's request was not seen
  EXPECT_EQ(s.Whose(1500, kSgw, 0x71), "262011234567890 up S1-U");
  s.Exchange(1600, kMme, kSgw,
             Request(2, Procedure::kModifyBearer, 5, 0x44).Bearer(5).User(gtp::kS1UEnodebGtpU, kEnb, 0x81),
             Response(2, Procedure::kModifyBearer, 5, 0x41).Bearer(5));
  EXPECT_EQ(s.Whose(1700, kEnb, 0x81), "262011234567890 down S1-U");
  EXPECT_EQ(s.engine.counters().answers_alone, 1u);
  s.Send(3000, kPgw, kSgw, Response(2, Procedure::kDeleteSession, 9, 0x51));
  EXPECT_EQ(s.Whose(4000, kPgw, 0x62), "expired");
  // Of another node than the session's it says nothing.
  Scene t;
  CreatePdp(&t, 1000, kImsi);
  t.Send(2000, kSgsn2, kSgsn, Response(1, Procedure::kDeleteSession, 9, 0x11));
  EXPECT_EQ(t.Whose(3000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  t.Send(4000, kGgsn, kSgsn, Response(1, Procedure::kDeleteSession, 9, 0x11));
  EXPECT_EQ(t.Whose(5000, kGgsn, 0x22), "expired");
}

// --- What comes again ---

MessageMaker SecondaryRequest(uint32_t sequence) {
  return std::move(Request(1, Procedure::kCreateSession, sequence, 0x21)
                       .Bearer(6)
                       .BearerLinked(5)
                       .User(gtp::kGnSgsnGtpU, kSgsn, 0x13));
}
MessageMaker SecondaryResponse(uint32_t sequence) {
  return std::move(
      Response(1, Procedure::kCreateSession, sequence, 0x11).UnnumberedBearer().User(gtp::kGnGgsnGtpU, kGgsn, 0x23));
}
MessageMaker DeleteSecondary(uint32_t sequence) {
  return std::move(Request(1, Procedure::kDeleteSession, sequence, 0x21).Ebi(6));
}
MessageMaker Deleted(uint32_t sequence) { return Response(1, Procedure::kDeleteSession, sequence, 0x11); }

//   SGSN                     GGSN
//    |--delete NSAPI 6-------->|  3000
//    |<----------------accept--|  3010, and again
TEST(SessionEngineTest, AnAnswerThatComesAgainChangesNothing) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(2000, kSgsn, kGgsn, SecondaryRequest(2), SecondaryResponse(2));
  s.Exchange(3000, kSgsn, kGgsn, DeleteSecondary(3), Deleted(3));
  s.Send(3011, kGgsn, kSgsn, Deleted(3));
  s.Send(23'000, kGgsn, kSgsn, Deleted(3));
  EXPECT_EQ(s.Whose(24'000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.engine.counters().retransmissions, 2u);
  EXPECT_EQ(s.engine.counters().unpaired_responses, 0u);
  EXPECT_EQ(s.engine.counters().answers_alone, 0u);
  EXPECT_EQ(s.engine.transactions(), 0u);
  // Not even of a session that has the same endpoints as the one that it ended.
  DeletePdp(&s, 30'000, 0, 4);
  CreatePdp(&s, 32'000, kOther, 0, 5);
  s.Send(33'000, kGgsn, kSgsn, Deleted(4));
  s.Advance(50'000);
  EXPECT_EQ(s.Whose(49'000, kGgsn, 0x22), "262019876543210 up Gn/Gp");
}

TEST(SessionEngineTest, ARequestThatComesAgainAfterItsAnswerChangesNothing) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(2000, kSgsn, kGgsn, SecondaryRequest(2), SecondaryResponse(2));
  s.Exchange(3000, kSgsn, kGgsn, DeleteSecondary(3), Deleted(3));
  s.Exchange(4000, kSgsn, kGgsn, SecondaryRequest(4), SecondaryResponse(4));
  s.Send(5000, kSgsn, kGgsn, DeleteSecondary(3));
  s.Advance(20'000);
  EXPECT_EQ(s.Whose(19'000, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
  s.Exchange(21'000, kSgsn, kGgsn, DeleteSecondary(3), Deleted(3));
  EXPECT_EQ(s.Whose(22'000, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
  EXPECT_EQ(s.engine.counters().retransmissions, 3u);
  // A sequence number is another message's when it asks for something else, or when its time is over.
  s.Exchange(23'000, kSgsn, kGgsn,
             Request(1, Procedure::kModifyBearer, 3, 0x21).Bearer(5).User(gtp::kGnSgsnGtpU, kSgsn, 0x14),
             Response(1, Procedure::kModifyBearer, 3, 0x11));
  EXPECT_EQ(s.Whose(24'000, kSgsn, 0x14), "262011234567890 down Gn/Gp");
  s.Advance(64'000);
  s.Advance(84'000);
  s.Exchange(85'000, kSgsn, kGgsn, DeleteSecondary(3), Deleted(3));
  EXPECT_EQ(s.Whose(86'000, kGgsn, 0x23), "expired");
  EXPECT_EQ(s.engine.counters().retransmissions, 3u);
}

TEST(SessionEngineTest, AnAnswerAloneThatMayBeOfASecondaryContextEndsNoSession) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(2000, kSgsn, kGgsn, SecondaryRequest(2), SecondaryResponse(2));
  s.Send(3000, kGgsn, kSgsn, Deleted(3));
  s.Advance(20'000);
  EXPECT_EQ(s.Whose(19'000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.engine.counters().answers_alone, 0u);
}

TEST(SessionEngineTest, AnAnswerAloneThatComesAgainChangesNothing) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Send(2000, kGgsn, kSgsn, Deleted(3));
  EXPECT_EQ(s.Whose(3000, kGgsn, 0x22), "expired");
  CreatePdp(&s, 4000, kOther, 0, 5);
  s.Send(5000, kGgsn, kSgsn, Deleted(3));
  EXPECT_EQ(s.Whose(6000, kGgsn, 0x22), "262019876543210 up Gn/Gp");
  // Its request, which a slow tap has later, is none that was answered.
  s.Send(7000, kGgsn, kSgsn, Response(1, Procedure::kModifyBearer, 6, 0x11).UnnumberedBearer());
  s.Send(7001, kSgsn, kGgsn,
         Request(1, Procedure::kModifyBearer, 6, 0x21).Bearer(5).User(gtp::kGnSgsnGtpU, kSgsn, 0x14));
  s.Advance(9000);
  EXPECT_EQ(s.Whose(8500, kSgsn, 0x14), "262019876543210 down Gn/Gp");
}

TEST(SessionEngineTest, AnAnswerThatComesAfterItWasAssumedChangesNothing) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  s.Exchange(2000, kSgsn, kGgsn, SecondaryRequest(2), SecondaryResponse(2));
  s.Send(3000, kSgsn, kGgsn, DeleteSecondary(3));
  s.Advance(10'000);
  EXPECT_EQ(s.engine.counters().assumed, 1u);
  EXPECT_EQ(s.Whose(5000, kGgsn, 0x23), "expired");
  s.Send(11'000, kGgsn, kSgsn, Deleted(3));
  EXPECT_EQ(s.Whose(12'000, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  s.Exchange(13'000, kSgsn, kGgsn, SecondaryRequest(4), SecondaryResponse(4));
  s.Send(14'000, kSgsn, kGgsn, DeleteSecondary(3));
  s.Advance(30'000);
  EXPECT_EQ(s.Whose(29'000, kGgsn, 0x23), "262011234567890 up Gn/Gp ebi 6");
}

// --- Peers and paths ---

TEST(SessionEngineTest, APeerThatRestartsLosesItsSessions) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  const auto echo = [](uint8_t counter) {
    return std::move(MessageMaker(1, Procedure::kEcho, Role::kResponse, 1, 0).Recovery(counter));
  };
  s.Send(2000, kGgsn, kSgsn, echo(7));
  s.Send(3000, kGgsn, kSgsn, echo(7));
  s.Send(3001, kGgsn, kSgsn, echo(6));  // overtaken
  // GTP-U's counter means nothing.
  s.engine.Take(echo(9), {Address(kGgsn), Address(kSgsn), 2152, 2152, Nanos(3002)});
  s.Advance(3500);
  EXPECT_EQ(s.engine.counters().peer_restarts, 0u);
  s.Send(4000, kGgsn, kSgsn, echo(8));
  CreatePdp(&s, 4005, kOther, 0x100, 2);  // it is back at once
  s.Advance(4100);
  EXPECT_EQ(s.engine.counters().peer_restarts, 1u);
  EXPECT_EQ(s.engine.counters().restarted, 1u);
  EXPECT_EQ(s.Whose(3900, kGgsn, 0x22), "262011234567890 up Gn/Gp");
  EXPECT_EQ(s.Whose(4600, kGgsn, 0x22), "expired");
  EXPECT_EQ(s.Whose(4600, kGgsn, 0x122), "262019876543210 up Gn/Gp");
  s.Advance(65'000);
  const auto records = s.engine.TakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].cause, Cause::kPeerRestart);
  EXPECT_EQ(records[0].until_nanos, Nanos(4000));
}

TEST(SessionEngineTest, AnSgwTellsThatThePgwRestarted) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Exchange(
      2000, kSgw, kMme,
      Request(2, Procedure::kPgwRestart, 1, 0).Control(gtp::kS5PgwGtpC, kPgw, 0).Control(gtp::kS11SgwGtpC, kSgw, 0),
      Response(2, Procedure::kPgwRestart, 1, 0));
  s.Advance(2500);
  EXPECT_EQ(s.Whose(3000, kSgw, 0x71), "expired");
}

TEST(SessionEngineTest, ErrorIndications) {
  Scene s;
  Attach(&s, 1000, kImsi);
  const auto unknown = [](absl::string_view address, uint32_t teid) {
    return std::move(MessageMaker(1, Procedure::kErrorIndication, Role::kNotice, 0, 0).Control(0x105, address, teid));
  };
  // The base station lost it: no way down until it is made anew.
  s.Send(2000, kEnb, kSgw, unknown(kEnb, 0x81));
  EXPECT_EQ(s.Whose(3000, kEnb, 0x81), "expired");
  EXPECT_EQ(s.Whose(3000, kSgw, 0x71), "262011234567890 up S1-U");
  s.Send(3000, kEnb, kSgw, unknown(kEnb, 0x4242));
  EXPECT_EQ(s.engine.counters().contexts_ended, 0u);
  // The PGW lost it: the bearer is over.
  s.Send(4000, kPgw, kSgw, unknown(kPgw, 0x62));
  EXPECT_EQ(s.Whose(5000, kSgw, 0x71), "expired");
  s.Advance(65'000);
  const auto records = s.engine.TakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].cause, Cause::kErrorIndication);
  EXPECT_EQ(s.engine.counters().error_indications, 3u);
}

TEST(SessionEngineTest, ChangeNotificationSuspendAndResume) {
  Scene s;
  Attach(&s, 1000, kImsi);
  s.Exchange(2000, kMme, kSgw,
             Request(2, Procedure::kChangeNotification, 1, 0x44).Imsi(kImsi).Linked(5).Rat(6).Cell("26201", 0x77),
             Response(2, Procedure::kChangeNotification, 1, 0x41));
  EXPECT_EQ(s.reader.location(s.Find(2500, kSgw, 0x71).facts->location)[gtp::LocationForm::kEcgi].cell, 0x77u);
  // Of GTPv1, for which only the IMSI tells whose it is.
  s.Exchange(2600, kSgsn, kPgw, Request(1, Procedure::kChangeNotification, 1, 0).Imsi(kImsi).Linked(5).Rat(1),
             Response(1, Procedure::kChangeNotification, 1, 0));
  EXPECT_EQ(s.Find(2700, kSgw, 0x71).facts->rat, 1);
  s.Exchange(3000, kMme, kSgw, Request(2, Procedure::kSuspend, 2, 0x44), Response(2, Procedure::kSuspend, 2, 0x41));
  EXPECT_TRUE(s.engine.SessionsOf(*base::Digits::Parse(kImsi))[0].suspended);
  s.Exchange(4000, kMme, kSgw, Request(2, Procedure::kResume, 3, 0x44), Response(2, Procedure::kResume, 3, 0x41));
  EXPECT_FALSE(s.engine.SessionsOf(*base::Digits::Parse(kImsi))[0].suspended);
}

TEST(SessionEngineTest, NodesOfBothFamiliesHaveATunnelAtEachAddress) {
  Scene s;
  s.Exchange(1000, kSgw, kPgw,
             Request(2, Procedure::kCreateSession, 1, 0)
                 .Imsi(kImsi)
                 .Control(gtp::kS5SgwGtpC, kSgw, 0x51)
                 .Bearer(5)
                 .User(gtp::kS5SgwGtpU, kSgw, 0x52)
                 .UserToo("2001:db8::2"),
             Response(2, Procedure::kCreateSession, 1, 0x51)
                 .Ue("100.64.0.1")
                 .Ue("2001:db8:1:2::")
                 .Control(gtp::kS5PgwGtpC, kPgw, 0x61)
                 .Bearer(5)
                 .User(gtp::kS5PgwGtpU, "2001:db8::3", 0x62));
  EXPECT_EQ(s.Whose(2000, kSgw, 0x52), "262011234567890 down S5/S8");
  EXPECT_EQ(s.Whose(2000, "2001:db8::2", 0x52), "262011234567890 down S5/S8");
  EXPECT_EQ(s.Whose(2000, "2001:db8::3", 0x62), "262011234567890 up S5/S8");
  s.Exchange(3000, kSgw, kPgw, Request(2, Procedure::kDeleteSession, 2, 0x61).Linked(5),
             Response(2, Procedure::kDeleteSession, 2, 0x51));
  EXPECT_EQ(s.Whose(4000, kSgw, 0x52), "expired");
  EXPECT_EQ(s.Whose(4000, "2001:db8::2", 0x52), "expired");
}

// --- By address ---

TEST(SessionEngineTest, LeasesBySubscribersAddressAndTime) {
  Scene s;
  const auto create = [&](int64_t ms, absl::string_view imsi, uint32_t n, uint8_t length, absl::string_view v6) {
    s.Exchange(ms, kSgw, kPgw,
               Request(2, Procedure::kCreateSession, n, 0)
                   .Imsi(imsi)
                   .Control(gtp::kS5SgwGtpC, kSgw, n)
                   .Bearer(5)
                   .User(gtp::kS5SgwGtpU, kSgw, n + 1),
               Response(2, Procedure::kCreateSession, n, n)
                   .Ue("100.64.0.1")
                   .Ue(v6)
                   .UeLength(length)
                   .Control(gtp::kS5PgwGtpC, kPgw, n)
                   .Bearer(5)
                   .User(gtp::kS5PgwGtpU, kPgw, n + 1));
  };
  create(1000, kImsi, 0x1000, 64, "2001:db8:1:2::");
  EXPECT_EQ(s.WhoseAddress(2000, "100.64.0.1", "198.51.100.1"), "262011234567890 up");
  EXPECT_EQ(s.WhoseAddress(2000, "198.51.100.1", "100.64.0.1"), "262011234567890 down");
  EXPECT_EQ(s.WhoseAddress(2000, "2001:db8:1:2:aaaa::1", "2001:db8:ffff::1"), "262011234567890 up");
  EXPECT_EQ(s.WhoseAddress(2000, "2001:db8:ffff::1", "2001:db8:1:2:aaaa::1"), "262011234567890 down");
  EXPECT_EQ(s.WhoseAddress(2000, "2001:db8:1:3::1", "198.51.100.1"), "");
  EXPECT_EQ(s.WhoseAddress(2000, "198.51.100.2", "198.51.100.1"), "");
  EXPECT_EQ(s.WhoseAddress(400, "100.64.0.1", "198.51.100.1"), "expired");
  s.Exchange(3000, kSgw, kPgw, Request(2, Procedure::kDeleteSession, 2, 0x1000).Linked(5),
             Response(2, Procedure::kDeleteSession, 2, 0x1000));
  create(5000, kOther, 0x2000, 56, "2001:db8:1:200::");
  EXPECT_EQ(s.WhoseAddress(2000, "100.64.0.1", "198.51.100.1"), "262011234567890 up");
  EXPECT_EQ(s.WhoseAddress(4000, "100.64.0.1", "198.51.100.1"), "expired");
  EXPECT_EQ(s.WhoseAddress(6000, "100.64.0.1", "198.51.100.1"), "262019876543210 up");
  EXPECT_EQ(s.WhoseAddress(6000, "2001:db8:1:2ff::1", "198.51.100.1"), "262019876543210 up");
  // A volume that was found so counts.
  s.reader.Count(s.reader.FindByAddress(Address("100.64.0.1"), Address("198.51.100.1"), Nanos(6000)), 2, 300);
  s.Advance(64'000);
  EXPECT_EQ(s.WhoseAddress(2000, "100.64.0.1", "198.51.100.1"), "expired");
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kOther))[0].paths[0].volume.bytes_up, 300u);
}

TEST(SessionEngineTest, TwoSubscribersWhoTalkToEachOtherAreCountedByTheSource) {
  Scene s;
  CreatePdp(&s, 1000, kImsi, 0, 1, "100.64.0.1");
  CreatePdp(&s, 1000, kOther, 0x100, 2, "100.64.0.2");
  EXPECT_EQ(s.WhoseAddress(2000, "100.64.0.1", "100.64.0.2"), "262011234567890 up");
  EXPECT_EQ(s.WhoseAddress(2000, "100.64.0.2", "100.64.0.1"), "262019876543210 up");
}

// --- Networks ---

TEST(SessionEngineTest, HomeAndVisitedNetworks) {
  struct Case {
    absl::string_view imsi, serving, home, visited;
    Roaming roaming;
  };
  SessionOptions options;
  options.own_networks = {*base::Digits::Parse("26201"), *base::Digits::Parse("310410")};
  options.visited_networks = {{*base::IpPrefix::Parse("10.0.0.0/8"), *base::Digits::Parse("20801")},
                              {*base::IpPrefix::Parse("10.0.0.1/32"), *base::Digits::Parse("23430")}};
  Scene s(options);
  uint32_t n = 0;
  for (const Case& c : {Case{"262011234567890", "26201", "26201", "26201", Roaming::kHome},
                        Case{"262011234567891", "310410", "26201", "310410", Roaming::kHome},
                        Case{"262021234567890", "26201", "26202", "26201", Roaming::kInbound},
                        Case{"310410123456789", "20801", "310410", "20801", Roaming::kOutbound},
                        Case{"310150123456789", "20801", "310150", "20801", Roaming::kTransit},
                        Case{"208011234567890", "", "20801", "23430", Roaming::kTransit}}) {
    n += 16;
    MessageMaker request = Request(1, Procedure::kCreateSession, n, 0);
    request.Imsi(c.imsi).Control(gtp::kGnSgsnGtpC, kSgsn, n).Bearer(5).User(gtp::kGnSgsnGtpU, kSgsn, n);
    if (!c.serving.empty()) request.Serving(c.serving);
    s.Exchange(1000, kSgsn, kGgsn, request, Response(1, Procedure::kCreateSession, n, n));
    const Found found = s.Find(1500, kSgsn, n);
    ASSERT_NE(found.facts, nullptr);
    EXPECT_EQ(found.facts->home_plmn().ToString(), c.home) << c.imsi;
    EXPECT_EQ(found.facts->visited_plmn().ToString(), c.visited) << c.imsi;
    EXPECT_EQ(RoamingName(found.facts->roaming), RoamingName(c.roaming)) << c.imsi;
  }
}

// --- Records and reports ---

TEST(SessionEngineTest, RecordsOfIntervalsAddUp) {
  SessionOptions options;
  options.record_interval_nanos = 100'000'000'000;
  Scene s(options);
  CreatePdp(&s, 1000, kImsi);
  uint64_t sum = 0, counted = 0;
  int64_t until = Nanos(1000);
  size_t intervals = 0;
  for (int64_t ms = 2000; ms < 1'000'000; ms += 10'000) {
    s.Packet(ms, kGgsn, 0x22, 100);
    counted += 100;
    s.Advance(ms);
    for (const SessionRecord& r : s.engine.TakeRecords()) {
      EXPECT_EQ(r.cause, Cause::kNone);
      EXPECT_EQ(r.from_nanos, until);
      until = r.until_nanos;
      sum += r.volume.bytes_up;
      ++intervals;
    }
  }
  EXPECT_GE(intervals, 9u);
  EXPECT_LE(intervals, 11u);
  DeletePdp(&s, 1'000'000);
  // It is still on its way, and counts.
  s.Packet(999'000, kGgsn, 0x22, 7);
  s.Advance(1'061'000);
  for (const SessionRecord& r : s.engine.TakeRecords()) {
    sum += r.volume.bytes_up;
    EXPECT_EQ(r.cause, Cause::kDeleted);
    EXPECT_EQ(r.from_nanos, until);
    EXPECT_EQ(r.path.up.teid, 0x22u);
  }
  EXPECT_EQ(sum, counted + 7);
}

TEST(SessionEngineTest, RecordsOfIntervalsHaveTheChangesOfTheInterval) {
  SessionOptions options;
  options.record_interval_nanos = 100'000'000'000;
  Scene s(options);
  CreatePdp(&s, 1000, kImsi);
  uint32_t changes = 0;
  std::vector<std::pair<int, int>> told;  // RAT, location
  const auto take = [&](Scene* from) {
    for (const SessionRecord& r : from->engine.TakeRecords()) told.emplace_back(r.rat_changes, r.location_changes);
  };
  const auto change = [&](Scene* in, int64_t ms, uint8_t rat, uint32_t cell) {
    const uint32_t sequence = 100 + changes++;
    in->Exchange(ms, kSgsn, kGgsn,
                 Request(1, Procedure::kModifyBearer, sequence, 0x21).Bearer(5).Rat(rat).Cell("26201", cell),
                 Response(1, Procedure::kModifyBearer, sequence, 0x11));
  };
  change(&s, 2000, 1, 1);
  change(&s, 3000, 2, 2);
  change(&s, 4000, 1, 3);
  for (int64_t ms = 10'000; ms < 280'000; ms += 10'000) s.Advance(ms);
  take(&s);
  ASSERT_GE(told.size(), 2u);
  EXPECT_EQ(told[0], std::make_pair(2, 2));
  for (size_t i = 1; i < told.size(); ++i) EXPECT_EQ(told[i], std::make_pair(0, 0));
  change(&s, 290'000, 1, 4);
  // Over a restart, too.
  told.clear();
  Scene t(options);
  const std::string saved = s.engine.Save();
  ASSERT_TRUE(t.engine.Restore(base::Octets(reinterpret_cast<const uint8_t*>(saved.data()), saved.size())).ok());
  change(&t, 300'000, 2, 4);
  t.Advance(300'000);
  DeletePdp(&t, 301'000);
  t.Advance(400'000);
  take(&t);
  int rat = 0, location = 0;
  for (const auto& [r, l] : told) {
    rat += r;
    location += l;
  }
  EXPECT_EQ(rat, 1);
  EXPECT_EQ(location, 1);
}

TEST(SessionEngineTest, IdleSessionsGo) {
  SessionOptions options;
  options.idle_nanos = 3'600'000'000'000 * 10;
  Scene s(options);
  CreatePdp(&s, 1000, kImsi);
  CreatePdp(&s, 1000, kOther, 0x100, 2);
  for (int64_t hour = 0; hour < 15; ++hour) {
    s.Packet(hour * 3'600'000 + 2000, kGgsn, 0x122, 100);
    s.Advance(hour * 3'600'000 + 3000);
  }
  EXPECT_EQ(s.engine.counters().idle, 1u);
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kImsi)).size(), 0u);
  EXPECT_EQ(s.engine.SessionsOf(*base::Digits::Parse(kOther)).size(), 1u);
}

TEST(SessionEngineTest, CorrelationByPeerAndReason) {
  Scene s;
  CreatePdp(&s, 1000, kImsi);
  DeletePdp(&s, 2000);
  s.Packet(1500, kGgsn, 0x22, 100);
  s.Packet(1500, kSgsn, 0x12, 100);
  s.Packet(1500, kGgsn, 0x99, 100);
  s.Packet(9000, kGgsn, 0x22, 100);
  s.Packet(1500, "10.9.9.9", 0x22, 100);
  size_t visited = 0;
  s.engine.VisitPeers([&](const PeerReport& p) {
    ++visited;
    const auto of = [&](Match m) { return p.packets[static_cast<size_t>(m)]; };
    const bool ggsn = p.address == Address(kGgsn);
    EXPECT_EQ(of(Match::kJoined), 1u);
    EXPECT_EQ(of(Match::kUnknownTeid), ggsn ? 1u : 0u);
    EXPECT_EQ(of(Match::kExpired), ggsn ? 1u : 0u);
    EXPECT_EQ(p.messages_from, 2u);
    EXPECT_EQ(p.messages_to, 2u);
    EXPECT_EQ(p.control_endpoints, 0u);
  });
  EXPECT_EQ(visited, 2u);
  EXPECT_EQ(s.engine.unknown_peers().packets[static_cast<size_t>(Match::kNoControl)], 1u);
  const auto unmatched = s.engine.unmatched();
  ASSERT_EQ(unmatched.size(), 3u);
  EXPECT_EQ(unmatched[0].match, Match::kExpired);
  EXPECT_EQ(unmatched[1].endpoint, (Endpoint{Address(kGgsn), 0x99}));
  EXPECT_EQ(unmatched[2].endpoint, (Endpoint{Address("10.9.9.9"), 0x22}));
  // A reader that is gone leaves its counts to the next one.
  {
    SessionReader other(&s.engine);
    other.Count(other.Find(Address(kGgsn), 0x99, Nanos(1500)), 1, 1);
  }
  SessionReader next(&s.engine);
  next.Count(next.Find(Address(kGgsn), 0x99, Nanos(1500)), 1, 1);
  s.engine.VisitPeers([&](const PeerReport& p) {
    EXPECT_EQ(p.packets[static_cast<size_t>(Match::kUnknownTeid)], p.address == Address(kGgsn) ? 3u : 0u);
  });
}

TEST(SessionEngineTest, MessagesThatLackWhatTheyNeedAreCounted) {
  Scene s;
  for (const gtp::ControlMessage& request :
       {static_cast<const gtp::ControlMessage&>(Request(2, Procedure::kCreateSession, 1, 0).Imsi(kImsi)),
        static_cast<const gtp::ControlMessage&>(Request(2, Procedure::kCreateSession, 1, 0).Imsi(kImsi).Bearer(5)),
        static_cast<const gtp::ControlMessage&>(
            Request(2, Procedure::kCreateSession, 2, 0).Imsi(kImsi).Control(gtp::kS5SgwGtpC, "", 5).Bearer(5))}) {
    s.Exchange(1000, kSgw, kPgw, request, Response(2, Procedure::kCreateSession, request.sequence, 0));
  }
  EXPECT_EQ(s.engine.counters().incomplete, 3u);
  s.Exchange(1000, kSgw, kPgw, Request(2, Procedure::kDeleteSession, 1, 0x77),
             Response(2, Procedure::kDeleteSession, 1, 0x78));
  s.Exchange(1000, kSgw, kPgw, Request(2, Procedure::kModifyBearer, 1, 0).Bearer(5),
             Response(2, Procedure::kModifyBearer, 1, 0));
  EXPECT_EQ(s.engine.counters().unknown_session, 2u);
  s.Send(1000, kSgw, kPgw, Request(0, Procedure::kCreateSession, 1, 0));
  s.Send(1000, kSgw, kPgw, Request(2, Procedure::kDownlinkDataNotification, 1, 0));
  EXPECT_EQ(s.engine.counters().unsupported, 2u);
  s.Send(1000, kSgw, kPgw, MessageMaker(2, Procedure::kBearerResource, Role::kCommand, 1, 0));
  EXPECT_EQ(s.engine.counters().commands, 1u);
  EXPECT_EQ(s.engine.contexts(), 0u);
}

}  // namespace
}  // namespace flowacct::session
