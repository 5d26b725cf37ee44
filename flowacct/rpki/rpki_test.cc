// The table against a twin that scans; PDUs and the client's conversation, split at every octet; what ends it.

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/rpki/client.h"
#include "flowacct/rpki/pdu.h"
#include "flowacct/rpki/vrp_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::rpki {
namespace {

using ::testing::ElementsAre;

Vrp MakeVrp(absl::string_view prefix, uint8_t max_length, uint32_t as) {
  return {*base::IpPrefix::Parse(prefix), max_length, as};
}

// RFC 6811, 2, word for word.
RovState Scan(const std::vector<Vrp>& vrps, const RouteOrigin& route) {
  bool covered = false;
  for (const Vrp& vrp : vrps) {
    if (!IsValid(vrp) || vrp.prefix.length() > route.prefix.length() || !vrp.prefix.Contains(route.prefix.address()))
      continue;
    covered = true;
    if (route.prefix.length() <= vrp.max_length && route.as == vrp.as && vrp.as != 0) return RovState::kValid;
  }
  return covered ? RovState::kInvalid : RovState::kNotFound;
}

TEST(VrpTable, ValidatesAsTheStandardSays) {
  const VrpTable table({MakeVrp("192.0.2.0/24", 24, 64496), MakeVrp("198.51.100.0/22", 24, 64497),
                        MakeVrp("198.51.100.0/24", 24, 64498), MakeVrp("203.0.113.0/24", 24, 0),
                        MakeVrp("2001:db8::/32", 48, 64496), MakeVrp("10.0.0.0/8", 7, 1)});
  struct Case {
    const char* prefix;
    uint32_t as;
    RovState state;
  };
  for (const Case& c : std::vector<Case>{
           {"192.0.2.0/24", 64496, RovState::kValid},
           {"192.0.2.0/25", 64496, RovState::kInvalid},  // longer than the maximum
           {"192.0.2.0/24", 64499, RovState::kInvalid},
           {"192.0.2.0/23", 64496, RovState::kNotFound},  // nothing covers it
           {"192.0.2.0/24", 0, RovState::kInvalid},       // NONE
           {"198.51.100.0/24", 64498, RovState::kValid},
           {"198.51.100.0/24", 64497, RovState::kValid},  // by the shorter one
           {"198.51.101.0/24", 64498, RovState::kInvalid},
           {"203.0.113.0/24", 0, RovState::kInvalid},  // AS 0 matches nothing
           {"203.0.113.0/24", 64496, RovState::kInvalid},
           {"2001:db8:1::/48", 64496, RovState::kValid},
           {"2001:db8:1::/49", 64496, RovState::kInvalid},
           {"2001:db9::/32", 64496, RovState::kNotFound},
           {"10.0.0.0/8", 1, RovState::kNotFound},  // a VRP that is none
           {"0.0.0.0/0", 1, RovState::kNotFound},
           {"::/0", 1, RovState::kNotFound},
       }) {
    EXPECT_EQ(table.Validate(*base::IpPrefix::Parse(c.prefix), c.as), c.state) << c.prefix << " " << c.as;
  }
  EXPECT_EQ(table.size(), 5u);
  EXPECT_EQ(VrpTable().Validate(*base::IpPrefix::Parse("192.0.2.0/24"), 1), RovState::kNotFound);
}

// In crowded space, so that prefixes nest, repeat and share addresses.
TEST(VrpTable, AgreesWithAScan) {
  std::mt19937 random(11);
  const auto prefix = [&] {
    const bool v6 = random() % 3 == 0;
    uint8_t octets[16] = {};
    octets[0] = v6 ? 0x20 : 10;
    octets[v6 ? 2 : 1] = static_cast<uint8_t>(random() % 3 * 64);
    octets[v6 ? 5 : 2] = static_cast<uint8_t>(random() % 16 == 0 ? 0 : random());
    octets[v6 ? 15 : 3] = static_cast<uint8_t>(random() % 2 * random());
    const uint8_t length = static_cast<uint8_t>(random() % (v6 ? 129 : 33));
    return base::IpPrefix(v6 ? base::IpAddress::FromV6(octets) : base::IpAddress::FromV4(octets), length);
  };
  for (const size_t size : {0, 1, 2, 15, 16, 17, 33, 300, 2000}) {
    std::vector<Vrp> vrps;
    for (size_t i = 0; i < size; ++i) {
      Vrp vrp{prefix(), 0, static_cast<uint32_t>(random() % 4)};
      vrp.max_length = static_cast<uint8_t>(vrp.prefix.length() + random() % 10);
      vrps.push_back(vrp);
    }
    const VrpTable table(vrps);
    std::vector<RouteOrigin> routes;
    for (size_t i = 0; i < 1000; ++i) {
      base::IpPrefix p = prefix();
      if (size > 0 && i % 2 == 0) {
        const base::IpPrefix& q = vrps[random() % size].prefix;
        p = base::IpPrefix(q.address(), static_cast<uint8_t>(q.length() + random() % 3));
      }
      routes.push_back({p, static_cast<uint32_t>(random() % 4)});
    }
    std::vector<RovState> states(routes.size());
    table.ValidateBatch(routes, states.data());
    for (size_t i = 0; i < routes.size(); ++i) {
      const RovState wanted = Scan(vrps, routes[i]);
      ASSERT_EQ(states[i], wanted) << size << ": " << routes[i].prefix.ToString() << " AS" << routes[i].as;
      ASSERT_EQ(table.Validate(routes[i].prefix, routes[i].as), wanted);
      std::set<Vrp> covering;
      for (const Vrp& vrp : vrps) {
        if (IsValid(vrp) && vrp.prefix.length() <= routes[i].prefix.length() &&
            vrp.prefix.Contains(routes[i].prefix.address())) {
          covering.insert(vrp);
        }
      }
      const std::vector<Vrp> told = table.Covering(routes[i].prefix);
      ASSERT_EQ(std::set<Vrp>(told.begin(), told.end()), covering);
      ASSERT_EQ(told.size(), covering.size());
    }
  }
}

// --- The client ---

const absl::Time kStart = absl::FromUnixSeconds(1700000000);
constexpr uint16_t kSession = 77;

class Events : public ClientListener {
 public:
  void OnUpdate(const VrpSet& vrps) override { lines.push_back(absl::StrCat("vrps ", vrps.size())); }
  void OnClosed(ErrorCode code, bool from_cache, absl::string_view text) override {
    lines.push_back(absl::StrCat("closed ", static_cast<int>(code), from_cache ? " by the cache" : "",
                                 text.empty() ? "" : ": ", std::string(text)));
  }
  std::vector<std::string> lines;
};

// What a cache says.
class Cache {
 public:
  explicit Cache(uint8_t version = 1) : version_(version) {}
  Cache& Notify(uint32_t serial, uint16_t session = kSession) {
    WriteSerialNotify(version_, session, serial, &out_);
    return *this;
  }
  Cache& Response(uint16_t session = kSession) {
    WriteCacheResponse(version_, session, &out_);
    return *this;
  }
  Cache& Announce(const Vrp& vrp) {
    WritePrefix(version_, {true, vrp}, &out_);
    return *this;
  }
  Cache& Withdraw(const Vrp& vrp) {
    WritePrefix(version_, {false, vrp}, &out_);
    return *this;
  }
  Cache& RouterKey() {
    out_.U8(version_).U8(9).U16(0x0100).U32(40).Fill(32, 7);
    return *this;
  }
  Cache& End(uint32_t serial, uint32_t refresh = 100, uint32_t retry = 50, uint32_t expire = 1000,
             uint16_t session = kSession) {
    EndOfDataPdu end;
    end.serial = serial;
    end.refresh_seconds = refresh;
    end.retry_seconds = retry;
    end.expire_seconds = expire;
    WriteEndOfData(version_, session, end, &out_);
    return *this;
  }
  Cache& Reset() {
    WriteCacheReset(version_, &out_);
    return *this;
  }
  Cache& Error(ErrorCode code, absl::string_view text = "") {
    WriteErrorReport(version_, code, {}, text, &out_);
    return *this;
  }
  Cache& Raw(std::vector<uint8_t> octets) {
    out_.Bytes(octets);
    return *this;
  }
  base::Octets octets() const { return out_.octets(); }

 private:
  uint8_t version_;
  base::OctetWriter out_;
};

std::string TakeOutput(Client* client) {
  std::string text;
  base::Octets rest = client->output();
  while (!rest.empty()) {
    const PduBoundary next = NextPdu(rest, 65536);
    if (next.outcome != PduBoundary::Outcome::kWhole) return "?";
    const PduType type = static_cast<PduType>(next.header.type);
    absl::StrAppend(&text, text.empty() ? "" : ", ", std::string(PduTypeName(type)), " v", next.header.version);
    if (type == PduType::kSerialQuery) {
      absl::StrAppend(&text, " ", next.header.session_id, "/", base::LoadBe32(rest.data() + 8));
    }
    if (type == PduType::kErrorReport) {
      ErrorReportPdu report;
      EXPECT_TRUE(ReadErrorReport(rest.subspan(0, next.header.length), &report));
      absl::StrAppend(&text, " ", next.header.session_id);
    }
    rest.remove_prefix(next.header.length);
  }
  client->ConsumeOutput(client->output().size());
  return text;
}

const Vrp kA = MakeVrp("192.0.2.0/24", 24, 64496), kB = MakeVrp("2001:db8::/32", 48, 64497),
          kC = MakeVrp("198.51.100.0/24", 25, 4200000000);

TEST(Client, FollowsACache) {
  Events events;
  Client client({}, &events);
  EXPECT_FALSE(client.connected());
  EXPECT_LE(client.deadline(), kStart);
  client.Connected(kStart);
  EXPECT_EQ(TakeOutput(&client), "reset_query v1");
  EXPECT_TRUE(
      client.Receive(Cache().Notify(9).Response().Announce(kA).RouterKey().Announce(kB).End(9).octets(), kStart));
  EXPECT_EQ(client.state(), ClientState::kSynchronized);
  EXPECT_TRUE(client.vrps().contains(kA) && client.vrps().contains(kB));
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(100));
  // Nothing new.
  EXPECT_TRUE(client.Receive(Cache().Notify(9).octets(), kStart));
  EXPECT_EQ(TakeOutput(&client), "");
  // Something new; withdrawn and announced in one answer.
  EXPECT_TRUE(client.Receive(Cache().Notify(10).octets(), kStart));
  EXPECT_EQ(TakeOutput(&client), "serial_query v1 77/9");
  EXPECT_TRUE(client.Receive(Cache().Response().Withdraw(kA).Announce(kC).Withdraw(kB).Announce(kB).octets(), kStart));
  EXPECT_EQ(client.vrps().size(), 2u) << "not before the end";
  EXPECT_TRUE(client.Receive(Cache().End(10).octets(), kStart));
  EXPECT_TRUE(!client.vrps().contains(kA) && client.vrps().contains(kB) && client.vrps().contains(kC));
  // By time.
  client.Tick(kStart + absl::Seconds(99));
  EXPECT_EQ(TakeOutput(&client), "");
  client.Tick(kStart + absl::Seconds(100));
  EXPECT_EQ(TakeOutput(&client), "serial_query v1 77/10");
  EXPECT_TRUE(client.Receive(Cache().Response().End(10).octets(), kStart + absl::Seconds(101)));
  // The cache has no such history.
  client.Tick(kStart + absl::Seconds(201));
  EXPECT_EQ(TakeOutput(&client), "serial_query v1 77/10");
  EXPECT_TRUE(client.Receive(Cache().Reset().octets(), kStart + absl::Seconds(201)));
  EXPECT_EQ(TakeOutput(&client), "reset_query v1");
  EXPECT_EQ(client.vrps().size(), 2u);
  EXPECT_TRUE(client.Receive(Cache().Response(78).Announce(kA).End(1, 100, 50, 1000, 78).octets(),
                             kStart + absl::Seconds(201)));
  EXPECT_EQ(client.session_id(), 78);
  // A new connection goes on where the last one ended, and what is not refreshed expires.
  client.Disconnected(kStart + absl::Seconds(202));
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(252));
  client.Connected(kStart + absl::Seconds(252));
  EXPECT_EQ(TakeOutput(&client), "serial_query v1 78/1");
  client.Disconnected(kStart + absl::Seconds(253));
  client.Tick(kStart + absl::Seconds(1200));
  EXPECT_EQ(client.vrps().size(), 1u);
  client.Tick(kStart + absl::Seconds(1201));
  EXPECT_TRUE(client.vrps().empty());
  EXPECT_FALSE(client.has_session());
  EXPECT_THAT(events.lines, ElementsAre("vrps 2", "vrps 2", "vrps 1", "vrps 0"));
  EXPECT_EQ(client.counters().received[static_cast<size_t>(PduType::kRouterKey)], 1u);
  EXPECT_EQ(client.counters().errors_sent, 0u);
}

TEST(Client, HearsTheSameHoweverTheStreamIsSplit) {
  const Cache cache = Cache().Notify(9).Response().Announce(kA).RouterKey().Announce(kB).End(9).Notify(9);
  const std::vector<uint8_t> stream(cache.octets().begin(), cache.octets().end());
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Events events;
    Client client({}, &events);
    client.Connected(kStart);
    // Up to the cut nothing that is not whole has an effect.
    ASSERT_TRUE(client.Receive(base::Octets(stream).subspan(0, cut), kStart));
    ASSERT_EQ(client.vrps().size(), cut < stream.size() - 12 ? 0u : 2u);
    ASSERT_TRUE(client.Receive(base::Octets(stream).subspan(cut), kStart));
    ASSERT_THAT(events.lines, ElementsAre("vrps 2"));
  }
  for (const size_t step : {1, 3, 7, 8, 9, 20}) {
    Events events;
    Client client({}, &events);
    client.Connected(kStart);
    for (size_t at = 0; at < stream.size(); at += step) {
      ASSERT_TRUE(client.Receive(base::Octets(stream).subspan(at, std::min(step, stream.size() - at)), kStart));
    }
    ASSERT_EQ(client.vrps().size(), 2u);
  }
}

TEST(Client, FallsBackToVersion0) {
  Events events;
  Client client({}, &events);
  client.Connected(kStart);
  EXPECT_EQ(TakeOutput(&client), "reset_query v1");
  EXPECT_TRUE(client.Receive(Cache(0).Response().Announce(kA).End(4).octets(), kStart));
  EXPECT_EQ(client.version(), 0);
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(3600)) << "the options' timers";
  EXPECT_TRUE(client.Receive(Cache(0).Notify(5).octets(), kStart));
  EXPECT_EQ(TakeOutput(&client), "serial_query v0 77/4");

  // A cache that says so and closes.
  Client other({}, &events);
  other.Connected(kStart);
  (void)TakeOutput(&other);
  EXPECT_FALSE(other.Receive(Cache(0).Error(ErrorCode::kUnsupportedVersion, "no").octets(), kStart));
  EXPECT_EQ(TakeOutput(&other), "");
  other.Disconnected(kStart);
  other.Connected(kStart + absl::Seconds(600));
  EXPECT_EQ(TakeOutput(&other), "reset_query v0");
  EXPECT_THAT(events.lines, ElementsAre("vrps 1", "closed 4 by the cache: no"));
}

TEST(Client, WaitsForACacheWithoutData) {
  Events events;
  Client client({}, &events);
  client.Connected(kStart);
  (void)TakeOutput(&client);
  EXPECT_TRUE(client.Receive(Cache().Error(ErrorCode::kNoDataAvailable).octets(), kStart));
  EXPECT_EQ(client.state(), ClientState::kNoData);
  client.Tick(kStart + absl::Seconds(600));
  EXPECT_EQ(TakeOutput(&client), "reset_query v1");
}

struct Ending {
  const char* what;
  Cache cache;  // behind a set of kA and a Serial Query if `synchronized`
  bool synchronized;
  const char* output;
  const char* event;
  size_t vrps;
};

TEST(Client, EndsAConnectionForWhatIsWrong) {
  Vrp wrong = kA;
  wrong.max_length = 33;
  const std::vector<Ending> cases = {
      {"version 2", Cache().Raw({2, 3, 0, 77, 0, 0, 0, 8}), false, "error_report v1 4",
       "closed 4: unsupported protocol version", 0},
      {"a length of 7", Cache().Raw({1, 3, 0, 77, 0, 0, 0, 7}), false, "error_report v1 0", "closed 0: corrupt data",
       0},
      {"a length of 4 GiB", Cache().Raw({1, 10, 0, 77, 255, 255, 255, 255}), false, "", "closed 0: corrupt data", 0},
      {"a type that is none", Cache().Raw({1, 99, 0, 0, 0, 0, 0, 8}), false, "error_report v1 5",
       "closed 5: unsupported PDU type", 0},
      {"a prefix outside of an answer", Cache().Announce(kB), true, "error_report v1 0",
       "closed 0: prefix outside of an answer", 1},
      {"a maximum of 33", Cache().Response().Announce(wrong), true, "error_report v1 0",
       "closed 0: lengths of a prefix", 1},
      {"announced twice", Cache().Response().Announce(kB).Announce(kB), true, "error_report v1 7", "closed 7", 1},
      {"announced again", Cache().Response().Announce(kA), true, "error_report v1 7", "closed 7", 1},
      {"withdrawn twice", Cache().Response().Withdraw(kA).Withdraw(kA), true, "error_report v1 6", "closed 6", 1},
      {"withdrawn without", Cache().Response().Withdraw(kB), true, "error_report v1 6", "closed 6", 1},
      {"withdrawn in a full set", Cache().Response().Withdraw(kB), false, "error_report v1 6", "closed 6", 0},
      {"another session answers", Cache().Response(78), true, "error_report v1 0", "closed 0: another session", 0},
      {"another session ends", Cache().Response().End(11, 1, 1, 600, 78), true, "error_report v1 0",
       "closed 0: another session", 0},
      {"another version", Cache(0).Response(), true, "error_report v1 8", "closed 8: unexpected protocol version", 1},
      {"a query", Cache().Raw({1, 2, 0, 0, 0, 0, 0, 8}), false, "error_report v1 3", "closed 3: a query from a cache",
       0},
      {"reset after a reset query", Cache().Reset(), false, "error_report v1 0", "closed 0: unexpected cache reset", 0},
      {"an error of the cache", Cache().Error(ErrorCode::kInternalError, "oops"), true, "",
       "closed 1 by the cache: oops", 1},
      {"more than the bound", Cache().Response().Announce(kB).Announce(kC), true, "error_report v1 1",
       "closed 1: more than this router takes", 1},
  };
  for (const Ending& c : cases) {
    SCOPED_TRACE(c.what);
    Events events;
    ClientOptions options;
    options.max_vrps = 2;
    Client client(options, &events);
    client.Connected(kStart);
    if (c.synchronized) {
      ASSERT_TRUE(client.Receive(Cache().Response().Announce(kA).End(10).Notify(11).octets(), kStart));
      events.lines.clear();
    }
    (void)TakeOutput(&client);
    EXPECT_FALSE(client.Receive(c.cache.octets(), kStart));
    EXPECT_TRUE(client.closing());
    EXPECT_EQ(TakeOutput(&client), c.output);
    ASSERT_FALSE(events.lines.empty());
    EXPECT_EQ(events.lines[0], c.event);
    EXPECT_EQ(client.vrps().size(), c.vrps);
    EXPECT_FALSE(client.Receive(Cache().Notify(1).octets(), kStart));
    client.Disconnected(kStart);
    client.Connected(kStart + absl::Seconds(50));
    EXPECT_EQ(TakeOutput(&client), "reset_query v1");
  }
}

TEST(Client, LosesPatience) {
  Events events;
  Client client({}, &events);
  client.Connected(kStart);
  (void)TakeOutput(&client);
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(60));
  ASSERT_TRUE(client.Receive(Cache().Response().octets(), kStart + absl::Seconds(50)));
  client.Tick(kStart + absl::Seconds(109));
  EXPECT_FALSE(client.closing());
  client.Tick(kStart + absl::Seconds(110));
  EXPECT_TRUE(client.closing());
  EXPECT_THAT(events.lines, ElementsAre("closed 1: the cache does not answer"));
}

// A cache that makes it ask and never reads.
TEST(Client, BoundsWhatWaitsToBeSent) {
  Events events;
  Client client({}, &events);
  client.Connected(kStart);
  const Cache cache = Cache().Error(ErrorCode::kNoDataAvailable).Notify(1);
  size_t rounds = 0;
  while (rounds < 10000 && client.Receive(cache.octets(), kStart)) ++rounds;
  EXPECT_LT(rounds, 1000u);
  EXPECT_LT(client.output().size(), 5000u);
  EXPECT_THAT(events.lines, ElementsAre("closed 1: the cache takes nothing"));
}

TEST(Client, KeepsTimersInTheirRanges) {
  Events events;
  Client client({}, &events);
  client.Connected(kStart);
  ASSERT_TRUE(client.Receive(Cache().Response().End(1, 0, 100000, 5).octets(), kStart));
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(1));
  EXPECT_EQ(client.counters().ignored_timers, 3u);
  client.Disconnected(kStart);
  EXPECT_EQ(client.deadline(), kStart + absl::Seconds(600)) << "expires before it would connect";
  EXPECT_TRUE(events.lines.empty()) << "an empty set is what there was";
}

}  // namespace
}  // namespace flowacct::rpki
