#include "flowacct/collector/routelog/route_history.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::collector {
namespace {

using bgp::testing::AddressOf;
using bgp::testing::UpdateBuilder;

class RouteHistoryTest : public testing::Test {
 protected:
  RouteHistoryTest() : book_(RoutingOptions()) {}

  PeerBook::Peer* Up(RouteHistory* history, absl::string_view address) {
    book_.Observe({history});
    Announcer announcer;
    announcer.key.address = AddressOf(address);
    announcer.key.bgp_identifier = 0x0a000000 + ++identifiers_;
    announcer.key.as = 64500;
    return book_.Up(announcer, now_);
  }
  void Send(PeerBook::Peer* peer, UpdateBuilder& builder) {
    bgp::DecodeUpdate(builder.Message(), {}, &update_, &counters_);
    builder.Clear();
    book_.Take(peer, update_, now_ += absl::Seconds(1));
  }
  static UpdateBuilder& Plain(UpdateBuilder& builder) { return builder.Origin(0).AsPath({64501}).NextHop("192.0.2.1"); }
  static std::vector<std::string> Rows(const RouteHistory& history, RouteHistoryQuestion question) {
    std::vector<std::string> rows;
    history.Visit(question, [&rows](const RouteHistoryRow& row) {
      rows.push_back(absl::StrCat(row.peer->address.ToString(), " ", RouteEventName(row.event), " ",
                                  row.prefix ? row.prefix->ToString() : "-", " ", row.attributes.as_path().ToString()));
    });
    return rows;
  }
  static RouteHistoryQuestion Of(absl::string_view prefix, bool around = false) {
    RouteHistoryQuestion question;
    question.prefix = base::IpPrefix::Parse(prefix);
    question.around = around;
    return question;
  }

  PeerBook book_;
  uint32_t identifiers_ = 0;
  absl::Time now_ = absl::FromUnixSeconds(1795917370);
  bgp::Update update_;
  bgp::UpdateCounters counters_;
};

TEST_F(RouteHistoryTest, WhatWasSaidTheNewestFirst) {
  RouteHistory history(1 << 20);
  PeerBook::Peer* one = Up(&history, "192.0.2.1");
  PeerBook::Peer* two = Up(&history, "2001:db8::2");
  UpdateBuilder builder;
  Send(one, Plain(builder).Announce("10.0.0.0/8").Announce("10.1.0.0/16").Announce("198.51.100.0/24"));
  Send(two, builder.Withdraw("10.1.0.0/16"));
  book_.EndOfRib(two, bgp::Family::kIpv4Unicast, now_);
  book_.Down(one, absl::ZeroDuration(), now_);
  using Lines = std::vector<std::string>;
  EXPECT_EQ(Rows(history, {}),
            (Lines{"192.0.2.1 peer down - ", "2001:db8::2 all announced - ", "2001:db8::2 withdrawn 10.1.0.0/16 ",
                   "192.0.2.1 announced 10.0.0.0/8 64501", "192.0.2.1 announced 10.1.0.0/16 64501",
                   "192.0.2.1 announced 198.51.100.0/24 64501", "2001:db8::2 peer up - ", "192.0.2.1 peer up - "}));
  EXPECT_EQ(Rows(history, Of("10.1.0.0/16"))[2], "2001:db8::2 withdrawn 10.1.0.0/16 ");
  EXPECT_EQ(Rows(history, Of("10.0.0.0/8")).size(), 3u + 4u);
  EXPECT_EQ(Rows(history, Of("10.1.2.3/32", /*around=*/true)).size(), 3u + 4u);
  EXPECT_EQ(Rows(history, Of("203.0.113.1/32", /*around=*/true)).size(), 4u);
  RouteHistoryQuestion question = Of("10.1.0.0/16");
  question.peer = AddressOf("2001:db8::2");
  EXPECT_EQ(Rows(history, question).size(), 3u);
  question.peer = AddressOf("10.0.0.1");  // by its identifier
  EXPECT_EQ(Rows(history, question).size(), 3u);
  question.limit = 1;
  EXPECT_EQ(Rows(history, question), (Lines{"192.0.2.1 peer down - "}));
}

TEST_F(RouteHistoryTest, TheOldestMakeRoom) {
  RouteHistory history(20000);
  PeerBook::Peer* peer = Up(&history, "192.0.2.1");
  UpdateBuilder builder;
  for (int i = 0; i < 1000; ++i)
    Send(peer, Plain(builder).Announce(absl::StrCat("10.", i / 250, ".", i % 250, ".0/24")));
  const RouteHistoryCounters counters = history.counters();
  EXPECT_LE(counters.octets, 20000u);
  EXPECT_GT(counters.entries, 50u);
  EXPECT_EQ(counters.entries + counters.forgotten, 1001u);
  const std::vector<std::string> rows = Rows(history, {});
  EXPECT_EQ(rows.size(), counters.entries);
  EXPECT_EQ(rows[0], "192.0.2.1 announced 10.3.249.0/24 64501");
  // One that has no room at all.
  RouteHistory none(10);
  Up(&none, "192.0.2.9");
  EXPECT_EQ(none.counters().entries, 0u);
}

// A row is seen with nothing held: whoever is slow with it may even ask again, and messages are kept meanwhile.
TEST_F(RouteHistoryTest, NothingIsHeldWhileARowIsSeen) {
  RouteHistory history(1 << 24);
  PeerBook::Peer* peer = Up(&history, "192.0.2.1");
  UpdateBuilder builder;
  Plain(builder);
  for (int i = 0; i < 800; ++i) builder.Announce(absl::StrCat("10.", i / 250, ".", i % 250, ".0/24"));
  bgp::DecodeUpdate(builder.Message(), {}, &update_, &counters_);
  for (int i = 0; i < 100; ++i) book_.Take(peer, update_, now_ += absl::Seconds(1));
  RouteHistoryQuestion all;
  all.limit = 1 << 20;
  size_t rows = 0;
  history.Visit(all, [&](const RouteHistoryRow& row) {
    if (rows++ % 1000 != 0) return;
    EXPECT_GT(history.counters().entries, 0u);
    book_.EndOfRib(peer, bgp::Family::kIpv4Unicast, row.time);
  });
  // Several steps, each message once, and nothing of what came meanwhile.
  EXPECT_EQ(rows, 100u * 800u + 1);
  EXPECT_EQ(history.counters().entries, 101u + 81u);
}

TEST_F(RouteHistoryTest, ReadBesideChanges) {
  RouteHistory history(200000);
  PeerBook::Peer* peer = Up(&history, "192.0.2.1");
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      absl::Time last = absl::InfiniteFuture();
      RouteHistoryQuestion all;
      all.limit = 1 << 20;
      history.Visit(all, [&last](const RouteHistoryRow& row) {
        EXPECT_LE(row.time, last);
        last = row.time;
      });
    }
  });
  UpdateBuilder builder;
  for (int i = 0; i < 5000; ++i) Send(peer, Plain(builder).Announce(absl::StrCat("10.0.", i % 250, ".0/24")));
  done = true;
  reader.join();
}

}  // namespace
}  // namespace flowacct::collector
