// What bounds a stranger, memory, and state over a restart.

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/session/testing/contexts.h"
#include "flowacct/session/testing/message_maker.h"
#include "flowacct/session/testing/scene.h"
#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

using gtp::Procedure;
using gtp::Role;
using testing::Address;
using testing::Contexts;
using testing::MessageMaker;
using testing::Nanos;
using testing::Scene;

class Crowd {
 public:
  explicit Crowd(SessionOptions options = {}) : s(std::move(options)) {}
  auto taker() {
    return [this](const gtp::ControlMessage& m, const Transport& t) { s.engine.Take(m, t); };
  }
  Scene s;
  Contexts contexts;
};

TEST(SessionBoundsTest, Contexts) {
  SessionOptions options;
  options.max_contexts = 100;
  Crowd c(options);
  for (uint32_t n = 0; n < 150; ++n) c.contexts.Create(n, Nanos(n), c.taker());
  EXPECT_EQ(c.s.engine.contexts(), 100u);
  EXPECT_EQ(c.s.engine.counters().context_bound, 50u);
  EXPECT_NE(c.s.Find(1000, "10.1.0.1", Contexts::UpTeid(0)).facts, nullptr);
  // Who goes makes room.
  for (uint32_t n = 0; n < 10; ++n) c.contexts.Delete(n, Nanos(1000), c.taker());
  c.s.Advance(62'000);
  for (uint32_t n = 200; n < 220; ++n) c.contexts.Create(n, Nanos(62'000 + n), c.taker());
  EXPECT_EQ(c.s.engine.contexts(), 100u);
  EXPECT_EQ(c.s.engine.counters().context_bound, 60u);
}

TEST(SessionBoundsTest, Tunnels) {
  SessionOptions options;
  options.max_tunnels = 50;
  Crowd c(options);
  for (uint32_t n = 0; n < 40; ++n) c.contexts.Create(n, Nanos(n), c.taker());
  EXPECT_EQ(c.s.engine.counters().tunnel_bound, 30u);
  for (uint32_t n = 0; n < 40; ++n) c.contexts.Delete(n, Nanos(1000), c.taker());
  // An end has no room for its row, but ends.
  EXPECT_EQ(c.s.Find(2000, "10.1.0.1", Contexts::UpTeid(0)).facts, nullptr);
  c.s.Advance(62'000);
  c.s.Advance(62'000);
  EXPECT_EQ(c.s.engine.contexts(), 0u);
  const uint64_t bound = c.s.engine.counters().tunnel_bound;
  for (uint32_t n = 0; n < 25; ++n) c.contexts.Create(n, Nanos(62'000 + n), c.taker());
  EXPECT_EQ(c.s.engine.counters().tunnel_bound, bound);
}

TEST(SessionBoundsTest, Peers) {
  SessionOptions options;
  options.max_peers = 10;
  Crowd c(options);
  for (uint32_t n = 0; n < 16; ++n) c.contexts.Create(n, Nanos(n), c.taker());
  EXPECT_GT(c.s.engine.counters().peer_bound, 0u);
  EXPECT_EQ(c.s.engine.contexts(), 5u);
}

TEST(SessionBoundsTest, RequestsWithoutAnswers) {
  SessionOptions options;
  options.max_transactions = 100;
  Crowd c(options);
  const auto requests_alone = [&](const gtp::ControlMessage& m, const Transport& t) {
    if (m.role == Role::kRequest) c.s.engine.Take(m, t);
  };
  for (uint32_t n = 0; n < 1000; ++n) c.contexts.Create(n, Nanos(n), requests_alone);
  EXPECT_EQ(c.s.engine.transactions(), 100u);
  EXPECT_EQ(c.s.engine.counters().transaction_bound, 900u);
  c.s.Advance(62'000);
  EXPECT_EQ(c.s.engine.transactions(), 0u);
  EXPECT_EQ(c.s.engine.counters().unanswered_requests, 100u);
  EXPECT_EQ(c.s.engine.contexts(), 0u);
}

TEST(SessionBoundsTest, RequestsThatWereAnsweredAreForgottenInTheirOrder) {
  SessionOptions options;
  options.max_transactions = 50;
  options.max_answered = 100;
  Crowd c(options);
  for (uint32_t n = 0; n < 20; ++n) c.contexts.Create(n, Nanos(0), c.taker());
  size_t before = 0;
  for (uint32_t i = 0; i < 30'000; ++i) {
    c.contexts.Modify(i % 20, 0, 0, Nanos(1000), c.taker());
    if (i == 1000) before = c.s.engine.octets();
  }
  EXPECT_LT(c.s.engine.octets(), before + 10'000);
  EXPECT_EQ(c.s.engine.transactions(), 0u);
  EXPECT_EQ(c.s.engine.counters().accepted, 30'020u);
}

TEST(SessionBoundsTest, BearersThatASessionMakesAnewAllTheTime) {
  Crowd c;
  c.contexts.Create(0, Nanos(0), c.taker());
  c.contexts.Create(1, Nanos(0), c.taker());
  for (uint32_t i = 0; i < 1500; ++i) {
    c.s.Exchange(10, "10.0.0.1", "10.1.0.1",
                 MessageMaker(1, Procedure::kCreateSession, Role::kRequest, 10'000 + i, 0x60000000)
                     .Bearer(6)
                     .BearerLinked(5)
                     .User(gtp::kGnSgsnGtpU, "10.0.0.1", 0x999),
                 MessageMaker(1, Procedure::kCreateSession, Role::kResponse, 10'000 + i, 0x50000000)
                     .Cause(128)
                     .UnnumberedBearer()
                     .User(gtp::kGnGgsnGtpU, "10.1.0.1", 0x998));
    c.s.Exchange(30, "10.0.0.1", "10.1.0.1",
                 MessageMaker(1, Procedure::kDeleteSession, Role::kRequest, 20'000 + i, 0x60000000).Ebi(6),
                 MessageMaker(1, Procedure::kDeleteSession, Role::kResponse, 20'000 + i, 0x50000000).Cause(128));
  }
  EXPECT_EQ(c.s.engine.contexts(), 2u + 1023u);
  EXPECT_GE(c.s.engine.counters().context_bound, 477u);
  EXPECT_NE(c.s.Find(1000, "10.1.0.1", Contexts::UpTeid(0)).facts, nullptr);
  c.s.Advance(62'000);
  EXPECT_EQ(c.s.engine.contexts(), 2u);
}

TEST(SessionBoundsTest, ControlEndpointsThatAllSessionsShare) {
  Scene s;
  for (uint32_t n = 1; n <= 200; ++n) {
    s.Exchange(n, "10.0.0.1", "10.0.0.2",
               MessageMaker(2, Procedure::kCreateSession, Role::kRequest, n, 0)
                   .Imsi(absl::StrCat("26201000000", 1000 + n))
                   .Control(gtp::kS5SgwGtpC, "10.0.0.1", 0x77)
                   .Bearer(5)
                   .User(gtp::kS5SgwGtpU, "10.0.0.1", n),
               MessageMaker(2, Procedure::kCreateSession, Role::kResponse, n, 0x77)
                   .Cause(16)
                   .Control(gtp::kS5PgwGtpC, "10.0.0.2", n)
                   .Bearer(5)
                   .User(gtp::kS5PgwGtpU, "10.0.0.2", n));
  }
  EXPECT_EQ(s.engine.contexts(), 200u);
  EXPECT_GT(s.engine.counters().control_bound, 100u);
  EXPECT_EQ(s.Whose(1000, "10.0.0.2", 200), "262010000001200 up S5/S8");
  s.engine.EndAll(Nanos(2000));
  EXPECT_EQ(s.engine.contexts(), 0u);
}

TEST(SessionBoundsTest, ForwardingTunnelsOfASession) {
  Crowd c;
  c.contexts.Create(0, Nanos(0), c.taker());
  for (uint32_t i = 1; i <= 100; ++i) {
    c.s.Exchange(10, "10.0.0.1", "10.1.0.1",
                 MessageMaker(2, Procedure::kCreateForwarding, Role::kRequest, i, 0x60000000)
                     .Bearer(5)
                     .User(gtp::kEnodebDlForwarding, "10.9.0.1", i),
                 MessageMaker(2, Procedure::kCreateForwarding, Role::kResponse, i, 0x50000000).Cause(16));
  }
  EXPECT_EQ(c.s.engine.counters().history_bound, 100u - 44u);
  EXPECT_EQ(c.s.Whose(1000, "10.9.0.1", 1), "expired");
  EXPECT_NE(c.s.Find(1000, "10.9.0.1", 100).facts, nullptr);
  c.s.Advance(62'000);
  EXPECT_EQ(c.s.Whose(61'900, "10.9.0.1", 100), "expired");
}

TEST(SessionBoundsTest, AllNodesRestartAtOnce) {
  Crowd c;
  for (uint32_t n = 0; n < 5000; ++n) c.contexts.Create(n, Nanos(0), c.taker());
  const auto echo = [&](int64_t ms, uint32_t node, uint8_t counter) {
    c.s.engine.Take(MessageMaker(1, Procedure::kEcho, Role::kRequest, counter, 0).Recovery(counter),
                    {base::IpAddress::V4(node), Address("10.9.9.9"), 2123, 2123, Nanos(ms)});
  };
  // Some while the walk for the others is on its way, and while sessions are made.
  for (const uint8_t counter : {1, 2}) {
    for (uint32_t n = 0; n < 8; ++n) {
      echo(1000 + counter, 0x0a000001 + n, counter);
      if (counter == 2) c.s.engine.Advance(Nanos(1100));
      if (counter == 2) c.contexts.Create(6000 + n, Nanos(1200), c.taker());
    }
  }
  c.s.Advance(2000);
  EXPECT_EQ(c.s.engine.counters().restarted, 2504u);  // those of nodes 0 to 7 of 16
  for (uint32_t n = 0; n < 5000; ++n) {
    const Found found = c.s.reader.Find(c.contexts.Ggsn(n), Contexts::UpTeid(n), Nanos(3000));
    ASSERT_EQ(found.facts == nullptr, n % 16 < 8) << n;
  }
}

TEST(SessionBoundsTest, TimesThatAFileMakesUp) {
  for (const int64_t nanos : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    Crowd c;
    c.contexts.Create(0, Nanos(0), c.taker());
    const auto then = [&](const gtp::ControlMessage& m, Transport t) {
      t.time_nanos = nanos;
      c.s.engine.Take(m, t);
    };
    c.contexts.Create(1, 0, then);
    c.contexts.Modify(0, 3, 5, 0, then);
    while (c.s.engine.Advance(nanos)) {
    }
    c.contexts.Delete(1, 0, then);
    c.s.engine.EndAll(nanos);
    EXPECT_EQ(c.s.engine.contexts(), 0u);
  }
}

TEST(SessionBoundsTest, HistoryOfFactsAndTunnels) {
  SessionOptions options;
  options.max_history = 4;
  Crowd c(options);
  c.contexts.Create(0, Nanos(0), c.taker());
  for (uint32_t i = 0; i < 100; ++i) c.contexts.Modify(0, i, 1 + i % 2, Nanos(1000 + i * 100), c.taker());
  EXPECT_GT(c.s.engine.counters().history_bound, 100u);
  // What is kept is right: the last cells.
  for (uint32_t i = 97; i < 100; ++i) {
    const Found found = c.s.Find(1000 + i * 100 + 50, "10.1.0.1", Contexts::UpTeid(0));
    ASSERT_NE(found.facts, nullptr);
    EXPECT_EQ(c.s.reader.location(found.facts->location)[gtp::LocationForm::kCgi].cell, i % 7);
  }
  c.contexts.Delete(0, Nanos(20'000), c.taker());
  c.s.Advance(81'000);
  EXPECT_EQ(c.s.engine.contexts(), 0u);
}

TEST(SessionBoundsTest, LeasesOfOneAddress) {
  SessionOptions options;
  options.max_leases = 3;
  Scene s(options);
  for (uint32_t n = 1; n <= 10; ++n) {
    s.Exchange(n, "10.0.0.1", "10.0.0.2",
               MessageMaker(2, Procedure::kCreateSession, Role::kRequest, n, 0)
                   .Imsi(absl::StrCat("26201000000", 1000 + n))
                   .Control(gtp::kS5SgwGtpC, "10.0.0.1", n)
                   .Bearer(5)
                   .User(gtp::kS5SgwGtpU, "10.0.0.1", n),
               MessageMaker(2, Procedure::kCreateSession, Role::kResponse, n, n)
                   .Cause(16)
                   .Ue("192.168.0.1")
                   .Control(gtp::kS5PgwGtpC, "10.0.0.2", n)
                   .Bearer(5)
                   .User(gtp::kS5PgwGtpU, "10.0.0.2", n));
  }
  EXPECT_EQ(s.engine.counters().lease_bound, 7u);
  EXPECT_EQ(s.WhoseAddress(1000, "192.168.0.1", "198.51.100.1"), "ambiguous");
  // By tunnel all are found.
  for (uint32_t n = 1; n <= 10; ++n) EXPECT_NE(s.Find(1000, "10.0.0.2", n).facts, nullptr);
}

TEST(SessionBoundsTest, LocationsAndNames) {
  SessionOptions options;
  options.max_locations = 5;
  options.texts = {500, 128};
  Scene s(options);
  for (uint32_t n = 1; n <= 20; ++n) {
    s.Exchange(n, "10.0.0.1", "10.0.0.2",
               MessageMaker(2, Procedure::kCreateSession, Role::kRequest, n, 0)
                   .Imsi(absl::StrCat("26201000000", 1000 + n))
                   .Apn(absl::StrCat("apn", n))
                   .Cell("26201", n)
                   .Control(gtp::kS5SgwGtpC, "10.0.0.1", n)
                   .Bearer(5)
                   .User(gtp::kS5SgwGtpU, "10.0.0.1", n),
               MessageMaker(2, Procedure::kCreateSession, Role::kResponse, n, n).Cause(16));
  }
  EXPECT_EQ(s.engine.counters().location_bound % 15, 0u);
  EXPECT_GT(s.engine.counters().location_bound, 0u);
  EXPECT_GT(s.engine.counters().text_bound, 0u);
  EXPECT_EQ(s.Apn(s.Find(1000, "10.0.0.1", 1)), "apn1");
  EXPECT_EQ(s.Apn(s.Find(1000, "10.0.0.1", 20)), "(overflow)");
  EXPECT_EQ(s.Find(1000, "10.0.0.1", 20).facts->location, 0u);
  EXPECT_EQ(s.engine.contexts(), 20u);
}

TEST(SessionBoundsTest, Records) {
  SessionOptions options;
  options.max_records = 10;
  Crowd c(options);
  for (uint32_t n = 0; n < 40; ++n) c.contexts.Create(n, Nanos(n), c.taker());
  for (uint32_t n = 0; n < 30; ++n) c.contexts.Delete(n, Nanos(1000), c.taker());
  c.s.Advance(62'000);
  EXPECT_EQ(c.s.engine.counters().record_bound, 20u);
  EXPECT_EQ(c.s.engine.TakeRecords().size(), 10u);
  // The last ones are made, whatever the bound.
  for (uint32_t n = 50; n < 70; ++n) c.contexts.Create(n, Nanos(62'000), c.taker());
  c.s.engine.EndAll(Nanos(63'000));
  EXPECT_EQ(c.s.engine.TakeRecords().size(), 30u);
  EXPECT_EQ(c.s.engine.counters().record_bound, 20u);
  EXPECT_EQ(c.s.engine.contexts(), 0u);
}

TEST(SessionBoundsTest, ATimeThatGoesBackIsBorne) {
  Crowd c;
  c.contexts.Create(0, Nanos(10'000), c.taker());
  c.contexts.Modify(0, 3, 7, Nanos(5'000), c.taker());
  c.contexts.Create(1, Nanos(1'000), c.taker());
  EXPECT_NE(c.s.Find(10'500, "10.1.0.1", Contexts::UpTeid(0)).facts, nullptr);
  EXPECT_NE(c.s.Find(10'500, "10.0.0.1", 7).facts, nullptr);
  c.contexts.Delete(0, Nanos(2'000), c.taker());
  c.contexts.Delete(1, Nanos(20'000), c.taker());
  c.s.Advance(0);
  c.s.Advance(90'000);
  EXPECT_EQ(c.s.engine.contexts(), 0u);
  for (const SessionRecord& r : c.s.engine.TakeRecords()) EXPECT_GE(r.until_nanos, r.from_nanos);
}

// --- Memory ---

TEST(SessionMemoryTest, AContextWithAllFieldsTakesAtMost400Octets) {
  for (const bool intervals : {false, true}) {
    SessionOptions options;
    if (!intervals) options.record_interval_nanos = 0;
    Crowd c(options);
    const size_t empty = c.s.engine.octets();
    int64_t ms = 0;
    double most = 0, sum = 0;
    int samples = 0;
    for (uint32_t n = 0; n < 200'000; ++n) {
      c.contexts.Create(n, Nanos(ms), c.taker());
      if (n % 1000 != 999) continue;
      // What waits for its time to be forgotten is not what a context takes.
      ms += 61'000;
      c.s.Advance(ms);
      c.s.engine.TakeRecords();
      if (n < 50'000) continue;
      const double octets = static_cast<double>(c.s.engine.octets() - empty) / (n + 1);
      most = std::max(most, octets);
      sum += octets;
      ++samples;
    }
    // What records have told of it is 40 octets more.
    EXPECT_LE(sum / samples, intervals ? 440 : 400);
    // While an index is moved there are two of it.
    EXPECT_LE(most, intervals ? 480 : 440);
    RecordProperty(intervals ? "octets_with_intervals" : "octets_a_context", static_cast<int>(sum / samples));
    RecordProperty(intervals ? "octets_at_most_with_intervals" : "octets_at_most", static_cast<int>(most));
  }
}

TEST(SessionMemoryTest, WhatComesAndGoesTakesNoMoreThanWhatIsThere) {
  Crowd c;
  int64_t ms = 0;
  size_t octets = 0;
  for (uint32_t round = 0; round < 20; ++round) {
    for (uint32_t n = 0; n < 2000; ++n) c.contexts.Create(n, Nanos(ms++), c.taker());
    for (uint32_t n = 0; n < 2000; ++n) c.contexts.Modify(n, round, 0x30000000 + n, Nanos(ms++), c.taker());
    for (uint32_t n = 0; n < 2000; ++n) c.contexts.Delete(n, Nanos(ms++), c.taker());
    ms += 61'000;
    c.s.Advance(ms);
    c.s.engine.TakeRecords();
    EXPECT_EQ(c.s.engine.contexts(), 0u);
    if (round == 7) octets = c.s.engine.octets();
  }
  EXPECT_LE(c.s.engine.octets(), octets * 11 / 10);
}

// --- Over a restart ---

void FillForState(Crowd* c) {
  for (uint32_t n = 0; n < 40; ++n) c->contexts.Create(n, Nanos(n), c->taker());
  for (uint32_t n = 0; n < 40; n += 3) c->contexts.Modify(n, n, 0x30000000 + n, Nanos(1000 + n), c->taker());
  for (uint32_t n = 0; n < 40; n += 5) c->contexts.Delete(n, Nanos(2000), c->taker());
  c->s.Exchange(2500, "10.0.0.1", "10.1.0.2",
                MessageMaker(2, Procedure::kCreateSession, Role::kRequest, 77, 0)
                    .Imsi("262019999999999")
                    .Apn("ims")
                    .Control(gtp::kS5SgwGtpC, "10.0.0.1", 0x77)
                    .Bearer(6)
                    .Qci(5)
                    .User(gtp::kS5SgwGtpU, "10.0.0.1", 0x78)
                    .UserToo("2001:db8::1")
                    .Bearer(7)
                    .Qci(1)
                    .User(gtp::kS5SgwGtpU, "10.0.0.1", 0x79),
                MessageMaker(2, Procedure::kCreateSession, Role::kResponse, 77, 0x77)
                    .Cause(16)
                    .Recovery(3)
                    .Ue("2001:db8:7::")
                    .Control(gtp::kS5PgwGtpC, "10.1.0.2", 0x87)
                    .Bearer(6)
                    .User(gtp::kS5PgwGtpU, "10.1.0.2", 0x88)
                    .User(gtp::kS1USgwGtpU, "10.0.0.1", 0x90)
                    .Bearer(7)
                    .User(gtp::kS5PgwGtpU, "10.1.0.2", 0x89));
  c->s.Packet(2600, "10.1.0.2", 0x88, 100);
  c->s.Packet(2600, "10.1.0.2", Contexts::UpTeid(1), 200);
}

TEST(SessionStateTest, WhatIsSavedIsThereAgain) {
  Crowd c;
  FillForState(&c);
  const std::string saved = c.s.engine.Save();
  Crowd d;
  ASSERT_TRUE(d.s.engine.Restore(base::AsOctets(saved)).ok());
  EXPECT_EQ(d.s.engine.Save(), saved);
  EXPECT_EQ(d.s.engine.counters().restored, 34u);
  EXPECT_EQ(d.s.engine.contexts(), 34u);
  for (const auto& [to, teid] :
       std::map<std::string, uint32_t>{{"10.1.0.2", 0x88}, {"10.0.0.1", 0x90}, {"2001:db8::1", 0x78}}) {
    EXPECT_EQ(d.s.Whose(3000, to, teid), c.s.Whose(3000, to, teid));
    EXPECT_NE(d.s.Find(3000, to, teid).facts, nullptr);
  }
  EXPECT_EQ(d.s.Whose(3000, "10.1.0.2", 0x89), "262019999999999 up S5/S8 ebi 7");
  EXPECT_EQ(d.s.WhoseAddress(3000, "2001:db8:7::1", "198.51.100.1"), "262019999999999 up ebi 6");
  const Found found = d.s.Find(3000, "10.1.0.2", 0x88);
  EXPECT_EQ(d.s.Apn(found), "ims");
  EXPECT_EQ(found.facts->session, c.s.Find(3000, "10.1.0.2", 0x88).facts->session);
  // It goes on: messages find their sessions, new ones have new numbers, and records tell all of it.
  d.contexts.Create(100, Nanos(4000), d.taker());
  EXPECT_GT(d.s.Find(5000, "10.1.0.5", Contexts::UpTeid(100)).facts->session, 41u);
  d.contexts.Delete(1, Nanos(4000), d.taker());
  EXPECT_EQ(d.s.Whose(5000, "10.1.0.2", Contexts::UpTeid(1)), "expired");
  d.s.Packet(3500, "10.1.0.2", Contexts::UpTeid(1), 50);
  d.s.Advance(65'000);
  const auto records = d.s.engine.TakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].volume.bytes_up, 250u);
  EXPECT_EQ(records[0].facts.start_nanos, Nanos(1));
  // And the restart counter is known.
  d.s.Send(70'000, "10.1.0.2", "10.0.0.1", MessageMaker(2, Procedure::kEcho, Role::kResponse, 1, 0).Recovery(4));
  EXPECT_EQ(d.s.engine.counters().peer_restarts, 1u);
  // Not into what is not empty.
  EXPECT_FALSE(d.s.engine.Restore(base::AsOctets(saved)).ok());
}

TEST(SessionStateTest, DamagedOctetsLeaveTheEngineEmpty) {
  Crowd c;
  FillForState(&c);
  const std::string saved = c.s.engine.Save();
  Crowd d;
  for (size_t n = 0; n < saved.size(); n += 1 + n / 64) {
    EXPECT_FALSE(d.s.engine.Restore(base::AsOctets(saved.substr(0, n))).ok());
    std::string damaged = saved;
    damaged[n] = static_cast<char>(damaged[n] ^ 0x40);
    EXPECT_FALSE(d.s.engine.Restore(base::AsOctets(damaged)).ok());
  }
  EXPECT_EQ(d.s.engine.contexts(), 0u);
  EXPECT_TRUE(d.s.engine.Restore(base::AsOctets(saved)).ok());
}

}  // namespace
}  // namespace flowacct::session
