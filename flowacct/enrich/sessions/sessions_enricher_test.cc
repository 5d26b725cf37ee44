#include "flowacct/enrich/sessions/sessions_enricher.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/enrich/sessions/testing/made_sessions.h"
#include "flowacct/record/value_text.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using testing::Ggsn;
using testing::Sgsn;

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kNow = 1700000000 * kSecond;

base::IpAddress A(absl::string_view text) { return *base::IpAddress::Parse(text); }

class SessionsEnricherTest : public ::testing::Test {
 protected:
  void Make(const std::vector<F>& wanted, SessionsOptions options = {}) {
    enricher_ = std::make_unique<SessionsEnricher>(Sessions{&epochs_, &engine_}, options);
    const record::FieldSet set(wanted);
    std::vector<F> fields = wanted;
    for (F field : enricher_->RequiredFields(set)) fields.push_back(field);
    layout_ = std::make_unique<record::Layout>(fields);
    batch_ = std::make_unique<record::FlowBatch>(layout_.get(), &interner_);
    wanted_ = wanted;
    enricher_->Bind(*layout_, set);
  }
  // Of a packet that its subscriber sends.
  record::MutableRow Packet(uint32_t teid, int64_t time_nanos, const base::IpAddress& to = Ggsn()) {
    record::MutableRow row = batch_->Append();
    row.Set<F::kTeid>(teid);
    row.Set<F::kGtpDstAddr>(to);
    row.Set<F::kStartTime>(time_nanos);
    row.Set<F::kPackets>(1);
    row.Set<F::kBytes>(100);
    return row;
  }
  void Apply(int64_t now_nanos = kNow) {
    record::FlowBatch released(layout_.get(), &interner_);
    enricher_->Release(now_nanos, false, released);
    ASSERT_TRUE(released.empty());
    enricher_->Apply(*batch_);
  }
  // Rows that come back, as their fields.
  std::vector<std::string> Release(int64_t now_nanos, bool all = false) {
    record::FlowBatch released(layout_.get(), &interner_);
    enricher_->Release(now_nanos, all, released);
    std::vector<std::string> told;
    for (size_t i = 0; i < released.size(); ++i) told.push_back(Told(released.row(i)));
    return told;
  }
  // "imsi=... apn=..." of what is wanted and there.
  std::string Told(const record::RowView& row) const {
    std::string told;
    for (F field : wanted_) {
      if (!row.Has(field)) continue;
      absl::StrAppend(&told, told.empty() ? "" : " ", record::Info(field).name, "=");
      record::AppendText(record::Info(field).type, row.octets() + layout_->offset(field), interner_, &told);
    }
    return told;
  }
  std::string Told(size_t row) const { return Told(batch_->row(row)); }
  uint64_t Counter(absl::string_view name) const {
    for (const EnricherCounter& counter : enricher_->counters()) {
      if (counter.name == name) return counter.value;
    }
    return UINT64_MAX;
  }
  // What the engine has of subscriber n, over all its records until now.
  session::Volume VolumeOf(uint32_t n) {
    session::Volume volume;
    for (const session::SessionView& view : engine_.SessionsOf(testing::ImsiOf(n))) {
      for (const session::Path& path : view.paths) {
        volume.packets_up += path.volume.packets_up;
        volume.packets_down += path.volume.packets_down;
        volume.bytes_up += path.volume.bytes_up;
        volume.bytes_down += path.volume.bytes_down;
      }
    }
    return volume;
  }

  lpm::ReaderEpochs epochs_;
  session::SessionEngine engine_{&epochs_, [] {
                                   session::SessionOptions options;
                                   options.own_networks = {*base::Digits::Parse("26201")};
                                   return options;
                                 }()};
  testing::MadeSessions sessions_{&engine_};
  base::Interner interner_;
  std::vector<F> wanted_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<record::FlowBatch> batch_;
  std::unique_ptr<SessionsEnricher> enricher_;
};

TEST_F(SessionsEnricherTest, EachField) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  Make({F::kImsi,         F::kMsisdn,       F::kImei,           F::kImeiTac,     F::kHomePlmn,
        F::kVisitedPlmn,  F::kHomeCountry,  F::kVisitedCountry, F::kRoaming,     F::kApn,
        F::kApnOperator,  F::kRat,          F::kLocation,       F::kCgi,         F::kEcgi,
        F::kArp,          F::kEbi,          F::kChargingId,     F::kQci,         F::kChargingCharacteristics,
        F::kGtpUpAddr,    F::kTeidUp,       F::kGtpDownAddr,    F::kTeidDown,    F::kUeAddr,
        F::kGtpInterface, F::kGtpDirection, F::kGtpMatch,       F::kSessionStart});
  Packet(1, kNow);
  Packet(1, kNow, Sgsn()).Set<F::kImsi>(testing::ImsiOf(9));  // what the exporter told
  Apply();
  const std::string common =
      "imsi=262010000000001 msisdn=4917012345678 imei=3569380356438091 imei_tac=35693803 home_plmn=26201 "
      "visited_plmn=20801 home_country=DE visited_country=FR roaming=outbound apn=internet "
      "apn_operator=mnc001.mcc262.gprs rat=UTRAN location=cgi:208-01-258-772 cgi=208-01-258-772 arp=2 ebi=5 "
      "charging_id=7001 charging_characteristics=2048 gtp_up_addr=10.0.0.2 teid_up=1 gtp_down_addr=10.0.0.1 "
      "teid_down=1 ue_addr=10.2.3.4 gtp_interface=Gn/Gp gtp_direction=";
  const std::string rest = " gtp_match=joined session_start=2023-11-14T22:13:10Z";
  EXPECT_EQ(Told(0), common + "up" + rest);
  EXPECT_EQ(Told(1), common + "down" + rest);
  EXPECT_EQ(Counter("records_joined"), 2u);
}

TEST_F(SessionsEnricherTest, OnlyWhatIsWanted) {
  SessionsOptions options;
  options.count_volumes = options.check_address = false;
  enricher_ = std::make_unique<SessionsEnricher>(Sessions{&epochs_, &engine_}, options);
  EXPECT_TRUE(enricher_->RequiredFields(record::FieldSet(std::vector<F>{F::kSrcAddr})).empty());
  const record::FieldSet of_match(enricher_->RequiredFields(record::FieldSet(std::vector<F>{F::kGtpMatch})));
  EXPECT_TRUE(of_match.Has(F::kTeid) && of_match.Has(F::kGtpDstAddr) && of_match.Has(F::kStartTime));
  EXPECT_FALSE(of_match.Has(F::kSrcAddr) || of_match.Has(F::kPackets));
  enricher_ = std::make_unique<SessionsEnricher>(Sessions{&epochs_, &engine_}, SessionsOptions());
  EXPECT_TRUE(record::FieldSet(enricher_->RequiredFields(record::FieldSet())).Has(F::kBytes)) << "volumes are asked";
}

TEST_F(SessionsEnricherTest, TheTimeDecidesWhoseATunnelIs) {
  sessions_.Create(1, kNow - 100 * kSecond, 0x0a020304);
  Make({F::kImsi, F::kGtpMatch});
  Packet(1, kNow - 50 * kSecond);
  Packet(1, kNow - 150 * kSecond);
  Apply();
  EXPECT_EQ(Told(0), "imsi=262010000000001 gtp_match=joined");
  EXPECT_EQ(Told(1), "gtp_match=expired");
  EXPECT_EQ(batch_->size(), 2u) << "too old to wait";
}

TEST_F(SessionsEnricherTest, TheMatchIsToldOfEachTunnel) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  Make({F::kImsi, F::kGtpMatch});
  Packet(1, kNow);
  Packet(2, kNow - 5 * kSecond);
  Packet(1, kNow - 5 * kSecond, A("192.0.2.1"));
  batch_->Append().Set<F::kStartTime>(kNow);
  batch_->Append().Set<F::kTeid>(1);  // where to is not told
  Apply();
  ASSERT_EQ(batch_->size(), 5u);
  EXPECT_EQ(Told(0), "imsi=262010000000001 gtp_match=joined");
  EXPECT_EQ(Told(1), "gtp_match=unknown_teid");
  EXPECT_EQ(Told(2), "gtp_match=no_control");
  EXPECT_EQ(Told(3), "");
  EXPECT_EQ(Told(4), "gtp_match=no_control");
  EXPECT_EQ(Counter("records_joined"), 1u);
  EXPECT_EQ(Counter("records_unknown_teid"), 1u);
  EXPECT_EQ(Counter("records_no_control"), 2u);
  EXPECT_EQ(Counter("records_without_tunnel"), 1u);
}

TEST_F(SessionsEnricherTest, APacketWithAnothersAddressIsNotTheSubscribers) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  const struct {
    absl::string_view source, told;
  } kCases[] = {
      {"10.2.3.4", "imsi=262010000000001 gtp_match=joined"},
      {"10.2.3.5", "gtp_match=other_address"},
      // He has no address of IPv6, but each tunnel may have neighbour discovery in it.
      {"2001:db8::1", "gtp_match=other_address"},
      {"fe80::1", "imsi=262010000000001 gtp_match=joined"},
      {"::", "imsi=262010000000001 gtp_match=joined"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.source);
    Make({F::kImsi, F::kGtpMatch});
    Packet(1, kNow - 5 * kSecond).Set<F::kSrcAddr>(A(c.source));
    Apply();
    ASSERT_EQ(batch_->size(), 1u);
    EXPECT_EQ(Told(0), c.told);
  }
  SessionsOptions options;
  options.check_address = false;
  Make({F::kImsi, F::kGtpMatch, F::kSrcAddr}, options);
  Packet(1, kNow - 5 * kSecond).Set<F::kSrcAddr>(A("10.2.3.5"));
  Apply();
  EXPECT_EQ(Told(0), "imsi=262010000000001 gtp_match=joined src_addr=10.2.3.5");
}

TEST_F(SessionsEnricherTest, APacketWaitsForItsControlMessage) {
  Make({F::kImsi, F::kGtpMatch});
  Packet(1, kNow);
  Packet(2, kNow);
  Packet(3, kNow);
  Apply();
  EXPECT_EQ(batch_->size(), 0u);
  EXPECT_EQ(enricher_->held(), 3u);
  sessions_.Create(1, kNow + kSecond / 10, 0x0a020304);
  EXPECT_EQ(Release(kNow + kSecond / 5), std::vector<std::string>()) << "it is not time to ask again";
  EXPECT_EQ(Release(kNow + kSecond / 4), std::vector<std::string>{"imsi=262010000000001 gtp_match=joined"});
  EXPECT_EQ(enricher_->held(), 2u);
  sessions_.Create(2, kNow + kSecond / 3, 0x0a020305);
  EXPECT_EQ(Release(kNow + 2 * kSecond - 1), std::vector<std::string>());
  EXPECT_EQ(Release(kNow + 2 * kSecond),
            (std::vector<std::string>{"imsi=262010000000002 gtp_match=joined", "gtp_match=unknown_teid"}));
  EXPECT_EQ(enricher_->held(), 0u);
  EXPECT_EQ(Counter("records_held"), 3u);
  EXPECT_EQ(Counter("held_joined"), 2u);
  EXPECT_EQ(Counter("hold_ended"), 1u);
  EXPECT_EQ(VolumeOf(1).packets_up + VolumeOf(2).packets_up, 2u) << "each counts once";
}

TEST_F(SessionsEnricherTest, TheBoundOfWhatWaits) {
  SessionsOptions options;
  options.max_held = 200;
  Make({F::kImsi, F::kGtpMatch}, options);
  for (uint32_t teid = 1; teid <= 300; ++teid) Packet(teid, kNow);
  Apply();
  EXPECT_EQ(enricher_->held(), 200u);
  ASSERT_EQ(batch_->size(), 100u);
  EXPECT_EQ(Told(0), "gtp_match=no_control");
  EXPECT_EQ(Counter("hold_full"), 100u);
  EXPECT_EQ(Counter("records_no_control"), 100u);
  for (uint32_t teid = 1; teid <= 200; ++teid) sessions_.Create(teid, kNow, 0);
  EXPECT_EQ(Release(kNow + kSecond / 2).size(), 200u) << "in blocks";
  EXPECT_EQ(Counter("held_joined"), 200u);
}

TEST_F(SessionsEnricherTest, AllComeBackAtTheEndAndAfterAClockWasSetBack) {
  Make({F::kImsi, F::kGtpMatch});
  Packet(1, kNow);
  Apply();
  EXPECT_EQ(Release(kNow, /*all=*/true), std::vector<std::string>{"gtp_match=no_control"});
  batch_->Clear();
  Packet(1, kNow);
  Apply();
  EXPECT_EQ(enricher_->held(), 1u);
  EXPECT_EQ(Release(kNow - 3600 * kSecond), std::vector<std::string>()) << "now it was tried once";
  EXPECT_EQ(Release(kNow - 3600 * kSecond), std::vector<std::string>{"gtp_match=no_control"});
  batch_->Clear();
  Packet(1, kNow);
  Apply(0);
  EXPECT_EQ(batch_->size(), 1u) << "nobody tells the time";
  EXPECT_EQ(enricher_->held(), 0u);
}

TEST_F(SessionsEnricherTest, ByAddressIfAsked) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  const auto rows = [&] {
    batch_->Clear();
    for (const auto& [source, destination] : std::vector<std::pair<const char*, const char*>>{
             {"10.2.3.4", "192.0.2.1"}, {"192.0.2.1", "10.2.3.4"}, {"192.0.2.1", "192.0.2.2"}}) {
      record::MutableRow row = batch_->Append();
      row.Set<F::kSrcAddr>(A(source));
      row.Set<F::kDstAddr>(A(destination));
      row.Set<F::kEndTime>(kNow);  // no start is told
      row.Set<F::kPackets>(10);
      row.Set<F::kBytes>(1000);
    }
    // A tunnel that is not known is nobody's, whatever its addresses are.
    record::MutableRow other = Packet(77, kNow - 9 * kSecond);
    other.Set<F::kSrcAddr>(A("10.2.3.4"));
    other.Set<F::kDstAddr>(A("192.0.2.1"));
    Apply();
  };
  SessionsOptions options;
  Make({F::kImsi, F::kGtpDirection, F::kGtpMatch, F::kUeAddr}, options);
  rows();
  EXPECT_EQ(Told(0) + Told(1) + Told(2), "");
  EXPECT_EQ(Told(3), "gtp_match=unknown_teid");
  options.by_address = true;
  Make({F::kImsi, F::kGtpDirection, F::kGtpMatch, F::kUeAddr}, options);
  rows();
  EXPECT_EQ(Told(0), "imsi=262010000000001 gtp_direction=up gtp_match=joined_by_address ue_addr=10.2.3.4");
  EXPECT_EQ(Told(1), "imsi=262010000000001 gtp_direction=down gtp_match=joined_by_address ue_addr=10.2.3.4");
  EXPECT_EQ(Told(2), "");
  EXPECT_EQ(Told(3), "gtp_match=unknown_teid");
  EXPECT_EQ(VolumeOf(1).bytes_up, 1000u);
  EXPECT_EQ(VolumeOf(1).bytes_down, 1000u);
}

TEST_F(SessionsEnricherTest, VolumesAreWhatSampledRecordsStandFor) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  struct Case {
    std::optional<SamplingScalerOptions> sampling;
    bool count;
    uint64_t bytes;  // of a packet of 100 that tells the rate 10, and one that tells none
  };
  SamplingScalerOptions by_default, override;
  by_default.default_rate = 1000;
  override.default_rate = 7;
  override.override_rate = true;
  const Case kCases[] = {{SamplingScalerOptions(), true, 1100},
                         {by_default, true, 101000},
                         {override, true, 1400},
                         {std::nullopt, true, 200},
                         {SamplingScalerOptions(), false, 0}};
  for (const Case& c : kCases) {
    const uint64_t before = VolumeOf(1).bytes_up;
    SessionsOptions options;
    options.sampling = c.sampling;
    options.count_volumes = c.count;
    Make({F::kImsi, F::kPackets, F::kBytes, F::kSamplingRate}, options);
    Packet(1, kNow).Set<F::kSamplingRate>(10);
    Packet(1, kNow);
    Apply();
    EXPECT_EQ(VolumeOf(1).bytes_up - before, c.bytes);
    EXPECT_EQ(batch_->row(0).Get<F::kBytes>(), 100u) << "the record itself is scaled by the pipeline";
  }
}

TEST_F(SessionsEnricherTest, AnotherInterner) {
  sessions_.Create(1, kNow - 10 * kSecond, 0x0a020304);
  Make({F::kApn, F::kLocation, F::kHomeCountry});
  Packet(1, kNow);
  Apply();
  const std::string told = Told(0);
  base::Interner other;
  other.Intern("something before");
  record::FlowBatch batch(layout_.get(), &other);
  batch.AppendCopies(1, batch_->row(0).octets());
  enricher_->Bind(*layout_, record::FieldSet(wanted_));
  enricher_->Apply(batch);
  EXPECT_EQ(base::AsText(other.Find(batch.row(0).Get<F::kApn>())), "internet");
  EXPECT_EQ(base::AsText(other.Find(batch.row(0).Get<F::kLocation>())), "cgi:208-01-258-772");
  EXPECT_EQ(base::AsText(other.Find(batch.row(0).Get<F::kHomeCountry>())), "DE");
}

TEST_F(SessionsEnricherTest, NothingIsAllocatedARecord) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  for (uint32_t n = 1; n <= 1000; ++n) sessions_.Create(n, kNow - 10 * kSecond, 0x0a020000 + n);
  Make({F::kImsi, F::kApn, F::kLocation, F::kHomeCountry, F::kTeidUp, F::kGtpMatch});
  record::FlowBatch released(layout_.get(), &interner_);
  const auto round = [&](int64_t now_nanos) {
    released.Clear();
    enricher_->Release(now_nanos, false, released);
    batch_->Clear();
    for (uint32_t n = 1; n <= 1000; ++n) Packet(n + n % 2 * 1000, now_nanos);  // half of them wait
    enricher_->Apply(*batch_);
  };
  for (int i = 0; i < 5; ++i) round(kNow + i * kSecond);
  ::flowacct::testing::AllocationCounter counter;
  for (int i = 5; i < 10; ++i) round(kNow + i * kSecond);
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_GT(Counter("hold_ended"), 1000u);
}

// A writer beside two workers: each record is joined with its own subscriber, or not at all.
TEST_F(SessionsEnricherTest, BesideTheEngine) {
  constexpr uint32_t kSubscribers = 200;
  for (uint32_t n = 1; n <= kSubscribers; ++n) sessions_.Create(n, kNow, 0x0a020000 + n);
  std::atomic<bool> done{false};
  std::atomic<uint64_t> joined{0}, wrong{0};
  std::vector<std::thread> workers;
  for (int w = 0; w < 2; ++w) {
    workers.emplace_back([&] {
      SessionsEnricher enricher(Sessions{&epochs_, &engine_}, SessionsOptions());
      const std::vector<F> wanted = {F::kImsi, F::kApn, F::kLocation};
      std::vector<F> fields = wanted;
      for (F field : enricher.RequiredFields(record::FieldSet(wanted))) fields.push_back(field);
      const record::Layout layout(fields);
      base::Interner interner;
      record::FlowBatch batch(&layout, &interner);
      enricher.Bind(layout, record::FieldSet(wanted));
      for (int round = 0; round < 20 || !done; ++round) {
        batch.Clear();
        for (uint32_t n = 1; n <= kSubscribers; ++n) {
          record::MutableRow row = batch.Append();
          row.Set<F::kTeid>(n);
          row.Set<F::kGtpDstAddr>(Ggsn());
          row.Set<F::kStartTime>(kNow + kSecond);
          row.Set<F::kPackets>(1);
        }
        enricher.Apply(batch);
        for (uint32_t n = 1; n <= kSubscribers; ++n) {
          const record::RowView row = batch.row(n - 1);
          if (!row.Has(F::kImsi)) continue;
          ++joined;
          if (row.Get<F::kImsi>() != testing::ImsiOf(n)) ++wrong;
        }
      }
    });
  }
  // Within the time that old tunnels are kept for.
  for (int i = 0; i < 300; ++i) {
    const auto n = static_cast<uint32_t>(i) % kSubscribers + 1;
    const int64_t now_nanos = kNow + 2 * kSecond + i * (kSecond / 100);
    sessions_.Delete(n, now_nanos);
    sessions_.Create(n, now_nanos, 0x0a030000 + n);
    engine_.Advance(now_nanos);
  }
  done = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_GT(joined.load(), 0u);
  EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace flowacct::enrich
