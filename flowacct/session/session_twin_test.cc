// The engine against a slow twin: maps and lists in which nothing is ever forgotten, asked by going through all of it.
// Subscribers create, move, and delete contexts at random, some of it refused, lost or told twice, with so few TEIDs
// and addresses that all of them are used again and again.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "flowacct/session/testing/message_maker.h"
#include "flowacct/session/testing/scene.h"
#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

using gtp::ControlMessage;
using gtp::Procedure;
using gtp::Role;
using testing::Address;
using testing::MessageMaker;
using testing::Nanos;
using testing::Scene;

constexpr int kSubscribers = 30, kTeids = 12, kAddresses = 8;
constexpr absl::string_view kSgsns[] = {"10.0.0.1", "10.0.0.2"}, kGgsns[] = {"10.0.1.1", "2001:db8::1"};
constexpr int64_t kSlack = 500;

using Key = std::pair<std::string, uint32_t>;

struct Answer {
  uint64_t session = 0;  // 0: nobody's
  bool up = false;
  int rat = 0;
};

// Milliseconds throughout.
class Twin {
 public:
  struct Session {
    uint64_t number;
    int subscriber;
    std::string ue;
    Key near, far;
    int64_t start, end = -1;
    std::vector<std::pair<int64_t, int>> rats;
  };

  void Create(int subscriber, const Key& near, const Key& far, const std::string& ue, int rat, int64_t asked,
              int64_t done) {
    if (Session* old = Live(subscriber)) End(old, asked);
    sessions_.push_back({sessions_.size() + 1, subscriber, ue, near, far, asked, -1, {{asked, rat}}});
    Give(near, sessions_.size(), false, asked);
    Give(far, sessions_.size(), true, done);
  }
  void Move(int subscriber, const Key& near, int rat, int64_t asked, int64_t done) {
    Session* s = Live(subscriber);
    if (s == nullptr) return;
    const Key old = s->near;
    if (Owner(near) != s->number || old != near) {
      Give(near, s->number, false, asked);
      if (old != near) Take(old, s->number, asked);
      s->near = near;
    }
    if (s->rats.back().second != rat) s->rats.push_back({std::max(done, s->rats.back().first), rat});
  }
  void Delete(int subscriber, int64_t done) {
    if (Session* s = Live(subscriber)) End(s, done);
  }

  Answer Find(const Key& key, int64_t at) const {
    const auto there = events_.find(key);
    if (there == events_.end()) return {};
    const std::vector<Event>& events = there->second;
    size_t last = events.size();
    for (size_t i = 0; i < events.size(); ++i) {
      if (events[i].from <= at) last = i;
    }
    if (last < events.size() && events[last].session != 0) return Of(events[last], at);
    // Nobody's then: the nearest that is within the slack, the later one if both are as near.
    const Event* next = last == events.size() ? &events[0] : last + 1 < events.size() ? &events[last + 1] : nullptr;
    const Event* before = last < events.size() && last > 0 ? &events[last - 1] : nullptr;
    int64_t to_next = next != nullptr && next->session != 0 ? next->from - at : kSlack + 1;
    int64_t to_before = before != nullptr && before->session != 0 ? at - events[last].from : kSlack + 1;
    if (to_next > kSlack && to_before > kSlack) return {};
    return to_next <= to_before ? Of(*next, at) : Of(*before, at);
  }

  // Number of the session; 0: none; -1: several.
  int64_t FindByAddress(const std::string& ue, int64_t at) const {
    std::vector<uint64_t> strict, slack;
    for (const Session& s : sessions_) {
      if (s.ue != ue) continue;
      if (at >= s.start && (s.end < 0 || at < s.end)) {
        strict.push_back(s.number);
      } else if (at >= s.start - kSlack && (s.end < 0 || at - s.end <= kSlack)) {
        slack.push_back(s.number);
      }
    }
    const std::vector<uint64_t>& best = strict.empty() ? slack : strict;
    return best.empty() ? 0 : best.size() > 1 ? -1 : static_cast<int64_t>(best[0]);
  }
  size_t sessions() const { return sessions_.size(); }

 private:
  struct Event {
    int64_t from;
    uint64_t session;  // 0: nobody's from then on
    bool up;
  };

  Session* Live(int subscriber) {
    for (Session& s : sessions_) {
      if (s.subscriber == subscriber && s.end < 0) return &s;
    }
    return nullptr;
  }
  uint64_t Owner(const Key& key) const {
    const auto there = events_.find(key);
    return there == events_.end() ? 0 : there->second.back().session;
  }
  void Add(const Key& key, uint64_t session, bool up, int64_t from) {
    std::vector<Event>& events = events_[key];
    if (!events.empty()) from = std::max(from, events.back().from);
    events.push_back({from, session, up});
  }
  void Give(const Key& key, uint64_t session, bool up, int64_t from) { Add(key, session, up, from); }
  void Take(const Key& key, uint64_t session, int64_t from) {
    if (Owner(key) == session) Add(key, 0, false, from);
  }
  void End(Session* s, int64_t at) {
    Take(s->near, s->number, at);
    Take(s->far, s->number, at);
    s->end = std::max(at, s->start);
  }
  Answer Of(const Event& e, int64_t at) const {
    Answer answer = {e.session, e.up, 0};
    for (const auto& [from, rat] : sessions_[e.session - 1].rats) {
      if (from <= at || answer.rat == 0) answer.rat = rat;
    }
    return answer;
  }

  std::vector<Session> sessions_;
  std::map<Key, std::vector<Event>> events_;
};

// A request that waits for its answer.
struct Waiting {
  int64_t at;
  absl::string_view from, to;
  ControlMessage answer;
  std::function<void(int64_t done)> apply;
};

class TwinTest : public ::testing::TestWithParam<int> {};

TEST_P(TwinTest, FindTheSameAtAllTimes) {
  std::mt19937 random(static_cast<uint32_t>(GetParam()));
  const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
  SessionOptions options;
  options.max_history = 10'000;
  options.max_leases = 10'000;
  options.assume_nanos = options.assume_made_nanos = 0;
  options.seed = static_cast<uint64_t>(GetParam());
  Scene s(options);
  Twin twin;
  struct Ends {
    int sgsn = 0, ggsn = 0;
    uint32_t near = 0, far = 0;
    bool live = false;
  };
  std::vector<Ends> ends(kSubscribers);
  std::vector<bool> busy(kSubscribers);
  std::vector<Waiting> waiting;
  uint32_t sequence = 0, control = 0x10000;
  size_t joined = 0, looked = 0;
  int64_t now = 0;
  const auto near_key = [&](int sgsn, uint32_t teid) { return Key(kSgsns[sgsn], teid); };

  for (int step = 0; step < 4000; ++step) {
    now += draw(40);
    // Answers whose time has come.
    std::stable_sort(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) { return a.at < b.at; });
    while (!waiting.empty() && waiting.front().at <= now) {
      const Waiting w = waiting.front();
      waiting.erase(waiting.begin());
      s.Send(w.at, w.from, w.to, w.answer);
      if (gtp::Procedure::kNone != w.answer.procedure) w.apply(w.at);
    }
    const int who = draw(kSubscribers);
    const std::string imsi = absl::StrCat("26201123456", 1000 + who);
    Ends& e = ends[who];
    if (!busy[who]) {
      const uint32_t number = ++sequence;
      const int kind = draw(10);
      const bool accepted = draw(8) != 0, answered = draw(12) != 0;
      const int sgsn = draw(2), ggsn = draw(2), rat = 1 + draw(3);
      const uint32_t near_teid = 1 + static_cast<uint32_t>(draw(kTeids)),
                     far_teid = 100 + static_cast<uint32_t>(draw(kTeids));
      const auto cause = [&](MessageMaker maker) { return std::move(maker.Cause(accepted ? 128 : 199)); };
      std::optional<ControlMessage> request, answer;
      absl::string_view from = kSgsns[e.sgsn], to = kGgsns[e.ggsn];
      std::function<void(int64_t)> apply;
      const int64_t asked = now;
      if (kind < 5 || !e.live) {
        const std::string ue = absl::StrCat("100.64.0.", 1 + draw(kAddresses));
        const uint32_t near_control = ++control, far_control = ++control;
        from = kSgsns[sgsn];
        to = kGgsns[ggsn];
        // Control and user plane of the second GGSN are of different families.
        const absl::string_view far_control_address = to;
        request = MessageMaker(1, Procedure::kCreateSession, Role::kRequest, number, 0)
                      .Imsi(imsi)
                      .Rat(static_cast<uint8_t>(rat))
                      .Control(gtp::kGnSgsnGtpC, from, near_control)
                      .Bearer(5)
                      .User(gtp::kGnSgsnGtpU, from, near_teid);
        answer = cause(std::move(MessageMaker(1, Procedure::kCreateSession, Role::kResponse, number, near_control)
                                     .Ue(ue)
                                     .Control(gtp::kGnGgsnGtpC, far_control_address, far_control)
                                     .UnnumberedBearer()
                                     .User(gtp::kGnGgsnGtpU, to, far_teid)));
        apply = [&, who, sgsn, ggsn, near_teid, far_teid, ue, rat, asked, near_control, far_control](int64_t done) {
          twin.Create(who, near_key(sgsn, near_teid), Key(kGgsns[ggsn], far_teid), ue, rat, asked, done);
          ends[who] = {sgsn, ggsn, near_control, far_control, true};
        };
      } else if (kind < 8) {
        from = kSgsns[sgsn];
        const uint32_t near_control = ++control;
        request = MessageMaker(1, Procedure::kModifyBearer, Role::kRequest, number, e.far)
                      .Rat(static_cast<uint8_t>(rat))
                      .Control(gtp::kGnSgsnGtpC, from, near_control)
                      .Bearer(5)
                      .User(gtp::kGnSgsnGtpU, from, near_teid);
        answer = cause(MessageMaker(1, Procedure::kModifyBearer, Role::kResponse, number, near_control));
        apply = [&, who, sgsn, near_teid, rat, asked, near_control](int64_t done) {
          twin.Move(who, near_key(sgsn, near_teid), rat, asked, done);
          ends[who].sgsn = sgsn;
          ends[who].near = near_control;
        };
      } else {
        request = MessageMaker(1, Procedure::kDeleteSession, Role::kRequest, number, e.far).Ebi(5).Teardown();
        answer = cause(MessageMaker(1, Procedure::kDeleteSession, Role::kResponse, number, e.near));
        apply = [&, who](int64_t done) {
          twin.Delete(who, done);
          ends[who].live = false;
        };
      }
      s.Send(now, from, to, *request);
      if (draw(10) == 0) s.Send(now + 1, from, to, *request);
      if (answered) {
        busy[who] = true;
        waiting.push_back({now + 2 + draw(60), to, from, *answer, [&, who, accepted, apply](int64_t done) {
                             busy[who] = false;
                             if (accepted) apply(done);
                           }});
      }
    }
    if (draw(5) == 0) s.engine.Advance(Nanos(now));

    for (int i = 0; i < 5; ++i) {
      const int64_t at = now - draw(draw(2) == 0 ? 1000 : 50'000);
      const bool up = draw(2) == 0;
      const Key key = up ? Key(kGgsns[draw(2)], 100 + draw(kTeids)) : Key(kSgsns[draw(2)], 1 + draw(kTeids));
      const Found found = s.Find(at, key.first, key.second);
      const Answer expected = twin.Find(key, at);
      ++looked;
      ASSERT_EQ(found.facts == nullptr ? 0 : found.facts->session, expected.session)
          << key.first << " " << key.second << " at " << at << ", now " << now;
      if (expected.session != 0) {
        ++joined;
        ASSERT_EQ(found.direction, expected.up ? Direction::kUp : Direction::kDown);
        ASSERT_EQ(found.facts->rat, expected.rat) << "session " << expected.session << " at " << at;
      }
      const std::string ue = absl::StrCat("100.64.0.", 1 + draw(kAddresses));
      const Found lease = s.reader.FindByAddress(Address(ue), Address("198.51.100.1"), Nanos(at));
      const int64_t by_address = twin.FindByAddress(ue, at);
      ASSERT_EQ(lease.match == Match::kAmbiguous ? -1
                : lease.facts == nullptr         ? 0
                                                 : int64_t(lease.facts->session),
                by_address)
          << ue << " at " << at << ", now " << now;
    }
  }
  // The test must not have run empty.
  EXPECT_GT(twin.sessions(), 500u);
  EXPECT_GT(joined, looked / 10);
  EXPECT_LT(joined, looked);
  EXPECT_GT(s.engine.counters().tunnels_reused, 100u);
  s.Advance(now + 200'000);
  EXPECT_EQ(s.engine.transactions(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TwinTest, ::testing::Range(1, 13));

}  // namespace
}  // namespace flowacct::session
