// Whole: frames of an imagined mobile network through decoder, tap, engine and enricher, against the truth about every
// packet and every session.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/generate/gtp_traffic.h"
#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/collector/sessions/session_tap.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using record::FieldId;

constexpr size_t kBatchRows = 256;

absl::string_view TapName(GtpTap tap) {
  switch (tap) {
#define X(name, text, interface) \
  case GtpTap::name:             \
    return text;
    FLOWACCT_GTP_TAPS(X)
#undef X
  }
  return "";
}

struct User {
  base::Digits imsi;
  std::string apn;
  bool up = false;
  GtpKnowledge known = GtpKnowledge::kNone;
  GtpTap interface = GtpTap::kGn;
  uint8_t ebi = 0;
};

struct Outcome {
  uint64_t rows = 0, knowable = 0, joined_of_knowable = 0, joined = 0, wrong = 0, wrong_direction = 0;
  uint64_t with_control = 0, joined_of_them = 0;  // all but those of N3 and X2
  std::map<std::string, uint64_t> missed;         // of them, by what they are
  std::vector<std::string> first_wrong, first_missed;
};

// What a record is known by.
using Key = std::tuple<int64_t, base::IpAddress, uint32_t>;

class Sessions : public GtpTruthListener {
 public:
  explicit Sessions(const GtpTrafficOptions& options) {
    auto traffic = NewGtpTraffic(options, this);
    EXPECT_TRUE(traffic.ok()) << traffic.status();
    traffic_ = *std::move(traffic);
  }

  void OnSession(const GtpSessionTruth& session) override { sessions.push_back(session); }

  void Run() {
    const FieldId fields[] = {FieldId::kTeid,    FieldId::kGtpDstAddr,   FieldId::kStartTime, FieldId::kSrcAddr,
                              FieldId::kDstAddr, FieldId::kPackets,      FieldId::kBytes,     FieldId::kImsi,
                              FieldId::kApn,     FieldId::kGtpDirection, FieldId::kGtpMatch};
    record::Layout layout(fields);
    packet::PacketDecoderOptions options;
    options.depth = -1;
    options.gtp_tap = &tap_;
    packet::PacketDecoder decoder(&layout, &interner_, options);
    enrich::SessionsEnricher enricher({service.epochs(), service.engine()}, enrich::SessionsOptions());
    enricher.Bind(layout, record::FieldSet(fields));
    record::FlowBatch batch(&layout, &interner_), released(&layout, &interner_);
    int64_t now = 0;
    const auto process = [&](bool all) {
      released.Clear();
      enricher.Release(now, all, released);
      Compare(released);
      if (all) return;
      enricher.Apply(batch);
      Compare(batch);
      batch.Clear();
    };
    CapturedPacket packet;
    while (traffic_->Next(&packet)) {
      now = packet.time_nanos;
      const record::MutableRow row = batch.Append();
      const auto result = decoder.Decode(static_cast<packet::LinkType>(packet.link_type), packet.octets,
                                         packet.wire_length, packet.time_nanos, row);
      ASSERT_TRUE(result.ok());
      if (const GtpUserTruth* user = traffic_->user(); user != nullptr) {
        truth_.emplace(Key(user->time_nanos, user->destination, user->teid),
                       User{user->imsi, std::string(user->apn), user->up, user->known, user->interface, user->ebi});
      }
      if (batch.size() == kBatchRows) process(/*all=*/false);
    }
    traffic_->Finish();
    process(/*all=*/false);
    process(/*all=*/true);
    EXPECT_EQ(enricher.held(), 0u);
    EXPECT_TRUE(truth_.empty()) << truth_.size() << " user packets are in no record";
    service.EndAll(now);
  }

  SessionService service;
  std::vector<GtpSessionTruth> sessions;
  Outcome outcome;
  const GtpTrafficTruth& truth() const { return traffic_->truth(); }

 private:
  void Compare(const record::FlowBatch& batch) {
    for (size_t i = 0; i < batch.size(); ++i) {
      const record::RowView row = batch.row(i);
      if (!row.Has(FieldId::kTeid)) continue;
      ++outcome.rows;
      const auto found =
          truth_.find(Key(row.Get<FieldId::kStartTime>(), row.Get<FieldId::kGtpDstAddr>(), row.Get<FieldId::kTeid>()));
      ASSERT_NE(found, truth_.end());
      const User user = found->second;
      truth_.erase(found);
      const bool knowable = user.known != GtpKnowledge::kNone, joined = row.Has(FieldId::kImsi);
      outcome.knowable += knowable;
      outcome.joined_of_knowable += knowable && joined;
      outcome.joined += joined;
      if (user.interface != GtpTap::kN3 && user.interface != GtpTap::kX2) {
        ++outcome.with_control;
        outcome.joined_of_them += joined;
        if (!joined) ++outcome.missed[What(row, user)];
      }
      if (knowable && !joined && outcome.first_missed.size() < 12) {
        outcome.first_missed.push_back(
            absl::StrCat(base::AsText(interner_.Find(row.Get<FieldId::kGtpMatch>())), " ", user.imsi.ToString(), " ",
                         user.apn, " ", row.Get<FieldId::kStartTime>(), " ", row.Get<FieldId::kGtpDstAddr>().ToString(),
                         " teid ", row.Get<FieldId::kTeid>(), " ebi ", int{user.ebi}, " ",
                         static_cast<int>(user.interface), user.up ? " up " : " down ", GtpKnowledgeName(user.known)));
      }
      if (!joined) continue;
      const absl::string_view apn = base::AsText(interner_.Find(row.Get<FieldId::kApn>()));
      const absl::string_view direction = base::AsText(interner_.Find(row.Get<FieldId::kGtpDirection>()));
      outcome.wrong_direction += direction != (user.up ? "up" : "down");
      if (row.Get<FieldId::kImsi>() == user.imsi && apn == user.apn) continue;
      ++outcome.wrong;
      if (outcome.first_wrong.size() < 5) {
        outcome.first_wrong.push_back(
            absl::StrCat(row.Get<FieldId::kImsi>().ToString(), " ", apn, " instead of ", user.imsi.ToString(), " ",
                         user.apn, " at ", row.Get<FieldId::kStartTime>(), " ",
                         row.Get<FieldId::kGtpDstAddr>().ToString(), " teid ", row.Get<FieldId::kTeid>(), " ebi ",
                         int{user.ebi}, " ", static_cast<int>(user.interface), user.up ? " up" : " down"));
      }
    }
  }

  std::string What(const record::RowView& row, const User& user) {
    return absl::StrCat(base::AsText(interner_.Find(row.Get<FieldId::kGtpMatch>())), " ", TapName(user.interface),
                        user.up ? " up, known: " : " down, known: ", GtpKnowledgeName(user.known));
  }

  SessionTap tap_{&service};
  base::Interner interner_;
  std::multimap<Key, User> truth_;
  std::unique_ptr<GtpTrafficGenerator> traffic_;
};

// Of all packets whose tunnels have a control plane, whether it was seen or not.
std::string Summary(const Outcome& outcome) {
  return absl::StrCat(outcome.joined_of_them, " of ", outcome.with_control, " (",
                      100.0 * static_cast<double>(outcome.joined_of_them) / static_cast<double>(outcome.with_control),
                      " %); not: ", absl::StrJoin(outcome.missed, ", ", absl::PairFormatter(": ")));
}

void ExpectTruth(const Outcome& outcome) {
  EXPECT_EQ(outcome.wrong, 0u) << absl::StrJoin(outcome.first_wrong, "\n");
  EXPECT_EQ(outcome.wrong_direction, 0u);
  EXPECT_GE(static_cast<double>(outcome.joined_of_knowable), 0.999 * static_cast<double>(outcome.knowable))
      << outcome.joined_of_knowable << " of " << outcome.knowable << "\n"
      << absl::StrJoin(outcome.first_missed, "\n") << "\n"
      << Summary(outcome);
  testing::Test::RecordProperty("joined", Summary(outcome));
}

// With 1 % of control messages lost, packets that come before theirs, handovers and TEIDs that are used again at once.
TEST(TruthTest, WithLossNobodyIsTakenForAnother) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(seed);
    GtpTrafficOptions options;
    options.seed = seed;
    options.packets = 200000;
    options.percent_lost = 1;
    options.percent_early = 5;
    options.teid_reuse_milliseconds = 200;
    Sessions sessions(options);
    sessions.Run();
    ExpectTruth(sessions.outcome);
    EXPECT_GT(sessions.truth().lost_messages, 50u);
    EXPECT_GT(sessions.truth().early_bursts, 20u);
    EXPECT_GT(sessions.truth().reused_teids, 1000u);
  }
}

// With 1 % of control messages lost between the nodes and sent again, as nodes do (TS 29.060, 7.6; TS 29.274, 7.6).
TEST(TruthTest, WithLossThatIsRepairedAllAreJoined) {
  GtpTrafficOptions options;
  options.seed = 3;
  options.packets = 200000;
  options.percent_repeated = 1;
  options.percent_early = 5;
  options.teid_reuse_milliseconds = 200;
  Sessions sessions(options);
  sessions.Run();
  ExpectTruth(sessions.outcome);
  EXPECT_GE(static_cast<double>(sessions.outcome.joined_of_them),
            0.999 * static_cast<double>(sessions.outcome.with_control))
      << Summary(sessions.outcome);
  EXPECT_GT(sessions.truth().repeated_messages, 50u);
}

TEST(TruthTest, NodesThatRestart) {
  GtpTrafficOptions options;
  options.packets = 150000;
  options.restart_milliseconds = 5000;
  options.echo_milliseconds = 1000;
  Sessions sessions(options);
  sessions.Run();
  ExpectTruth(sessions.outcome);
}

// Without loss, records have every octet of every session.
TEST(TruthTest, RecordsHaveEveryOctet) {
  GtpTrafficOptions options;
  options.packets = 200000;
  options.percent_5g = 0;
  options.taps = *ParseGtpTaps("gn,s5,s11,s10");
  Sessions sessions(options);
  sessions.Run();
  ExpectTruth(sessions.outcome);
  EXPECT_EQ(sessions.outcome.joined, sessions.outcome.rows);

  using Volume = std::array<uint64_t, 4>;
  std::map<std::pair<std::string, std::string>, Volume> expected, found;
  for (const GtpSessionTruth& session : sessions.sessions) {
    gtp::Apn apn;
    apn.size = static_cast<uint8_t>(session.apn.size());
    std::copy(session.apn.begin(), session.apn.end(), apn.octets.begin());
    Volume& sum = expected[{session.imsi.ToString(), absl::AsciiStrToLower(apn.network())}];
    const GtpVolume& v = session.gateway_volume;
    const Volume volume = {v.packets_up, v.bytes_up, v.packets_down, v.bytes_down};
    for (size_t i = 0; i < volume.size(); ++i) sum[i] += volume[i];
  }
  for (const session::SessionRecord& record : sessions.service.TakeRecords()) {
    Volume& sum = found[{record.facts.imsi.ToString(), std::string(sessions.service.engine()->text(record.facts.apn))}];
    const session::Volume& v = record.volume;
    const Volume volume = {v.packets_up, v.bytes_up, v.packets_down, v.bytes_down};
    for (size_t i = 0; i < volume.size(); ++i) sum[i] += volume[i];
  }
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [key, volume] : expected) EXPECT_EQ(found[key], volume) << key.first << " " << key.second;
}

}  // namespace
}  // namespace flowacct::collector
