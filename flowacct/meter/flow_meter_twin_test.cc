// The meter against a slow twin: a map of flows, each looked at whenever the time comes to a new tick.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/record/row.h"

namespace flowacct::meter {
namespace {

using record::FieldId;
using record::MutableRow;
using record::RowView;

constexpr int64_t kSecond = 1000000000;
constexpr uint16_t kFin = 1, kSyn = 2, kRst = 4;

struct Key {
  uint16_t port;
  uint8_t protocol;
  uint64_t rate;  // 0: absent
  friend bool operator<(const Key& a, const Key& b) {
    return std::tie(a.port, a.protocol, a.rate) < std::tie(b.port, b.protocol, b.rate);
  }
};

struct Flow {
  uint64_t packets = 0, bytes = 0;
  int64_t start = 0, end = 0;
  uint16_t flags = 0;
  uint8_t ttl = 0, min_ttl = 0;
};

std::string Text(const Key& key, const Flow& flow, int reason) {
  return absl::StrCat(key.protocol, ":", key.port, "/", key.rate, " ", flow.packets, "p ", flow.bytes, "b ", flow.start,
                      "-", flow.end, " flags ", flow.flags, " ttl ", flow.ttl, " min ", flow.min_ttl, " reason ",
                      reason);
}

class Twin {
 public:
  Twin(const MeterOptions& options, int64_t tick) : options_(options), tick_(tick) {}

  void Add(const Key& key, const Flow& packet) {
    SetTime(packet.end);
    auto known = flows_.find(key);
    if (known == flows_.end()) {
      if (flows_.size() == options_.max_flows) crowded_ = true;
      flows_[key] = packet;
    } else {
      Flow& flow = known->second;
      if (packet.end >= Deadline(key, flow)) {
        Out(key, flow, Reason(key, flow));
        flow = packet;
      } else if (SawEnd(key, flow) && (packet.flags & kSyn) != 0) {
        Out(key, flow, 3);
        flow = packet;
      } else {
        flow.packets += packet.packets;
        flow.bytes += packet.bytes;
        flow.start = std::min(flow.start, packet.start);
        flow.end = std::max(flow.end, packet.end);
        flow.flags |= packet.flags;
        flow.min_ttl = std::min(flow.min_ttl, packet.min_ttl);
      }
    }
    Flow& flow = flows_[key];
    if (SawEnd(key, flow) && flow.end + Idle(key, flow) <= packet.end) {
      Out(key, flow, 3);
      flows_.erase(key);
    }
  }
  void Advance(int64_t now) {
    if (now > now_) SetTime(now);
  }
  void Close() {
    for (const auto& [key, flow] : flows_) Out(key, flow, 4);
    flows_.clear();
  }

  // Removes the flow that the meter ended for lack of room, which must be of those whose tick is the first.
  void Evict(const Key& key, const std::string& text) {
    ASSERT_TRUE(flows_.count(key)) << text;
    const Flow& flow = flows_[key];
    ASSERT_EQ(Text(key, flow, 5), text);
    for (const auto& [other_key, other] : flows_) {
      ASSERT_GE(Due(other_key, other), Due(key, flow)) << Text(other_key, other, 0) << " before " << text;
    }
    flows_.erase(key);
  }

  std::vector<std::string> TakeOut() {
    std::vector<std::string> out = std::move(out_);
    out_.clear();
    std::sort(out.begin(), out.end());
    return out;
  }
  bool IsFullFor(const Key& key) const { return flows_.count(key) == 0 && flows_.size() == options_.max_flows; }
  bool crowded() const { return crowded_; }
  size_t size() const { return flows_.size(); }
  void SetTime(int64_t t) {
    if (!has_time_ || t < now_ - absl::ToInt64Nanoseconds(options_.max_clock_step)) {
      Close();
      has_time_ = true;
      now_ = t;
      return;
    }
    if (t <= now_) return;
    const bool ticked = Floor(t) > Floor(now_);
    now_ = t;
    if (!ticked) return;
    for (auto it = flows_.begin(); it != flows_.end();) {
      if (Ceiling(Deadline(it->first, it->second)) > Floor(now_)) {
        ++it;
        continue;
      }
      Out(it->first, it->second, Reason(it->first, it->second));
      it = flows_.erase(it);
    }
  }

 private:
  int64_t Floor(int64_t t) const { return t >= 0 ? t / tick_ : -((-t + tick_ - 1) / tick_); }
  int64_t Ceiling(int64_t t) const { return Floor(t + tick_ - 1); }
  // When the meter will look at it.
  int64_t Due(const Key& key, const Flow& flow) const {
    return std::max(Ceiling(Deadline(key, flow)), Floor(now_) + 1);
  }
  static bool SawEnd(const Key& key, const Flow& flow) {
    return key.protocol == 6 && (flow.flags & (kFin | kRst)) != 0;
  }
  int64_t Idle(const Key& key, const Flow& flow) const {
    absl::Duration idle = options_.idle_timeout;
    if (key.protocol == 6) {
      idle = options_.tcp_timeout.value_or(idle);
      if ((flow.flags & kRst) != 0) {
        idle = std::min(idle, options_.tcp_rst_timeout);
      } else if ((flow.flags & kFin) != 0) {
        idle = std::min(idle, options_.tcp_fin_timeout);
      }
    } else if (key.protocol == 17) {
      idle = options_.udp_timeout.value_or(idle);
    } else if (key.protocol == 1 || key.protocol == 58) {
      idle = options_.icmp_timeout.value_or(idle);
    }
    return absl::ToInt64Nanoseconds(idle);
  }
  int64_t Active(const Flow& flow) const { return flow.start + absl::ToInt64Nanoseconds(options_.active_timeout); }
  int64_t Deadline(const Key& key, const Flow& flow) const {
    return std::min(flow.end + Idle(key, flow), Active(flow));
  }
  int Reason(const Key& key, const Flow& flow) const {
    if (Active(flow) < flow.end + Idle(key, flow)) return 2;
    return SawEnd(key, flow) ? 3 : 1;
  }
  void Out(const Key& key, const Flow& flow, int reason) { out_.push_back(Text(key, flow, reason)); }

  const MeterOptions options_;
  const int64_t tick_;
  std::map<Key, Flow> flows_;
  std::vector<std::string> out_;
  int64_t now_ = 0;
  bool has_time_ = false;
  bool crowded_ = false;
};

class MeterAgainstTwin : public testing::TestWithParam<int> {};

TEST_P(MeterAgainstTwin, SameFlowsOverRandomTraffic) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  MeterOptions options;
  options.key = {"protocol", "src_port", "sampling_rate"};
  options.fields = {"ttl", "min_ttl"};
  options.seed = static_cast<uint64_t>(GetParam()) + 1;
  uint32_t ports = 200;
  int64_t mean_gap = kSecond / 50;
  std::vector<FlowEndReason> expected = {FlowEndReason::kIdleTimeout, FlowEndReason::kEndOfFlow};
  switch (GetParam() % 5) {
    case 0:
      break;
    case 1:  // as softflowd's
      options.active_timeout = absl::Hours(7 * 24);
      options.idle_timeout = absl::Seconds(3600);
      options.udp_timeout = absl::Seconds(300);
      options.icmp_timeout = absl::Seconds(300);
      options.tcp_fin_timeout = absl::Seconds(300);
      options.tcp_rst_timeout = absl::Seconds(120);
      mean_gap = 3 * kSecond;
      break;
    case 2:  // no room
      options.idle_timeout = absl::Seconds(1);
      options.tcp_fin_timeout = absl::Milliseconds(100);
      options.max_flows = 12;
      ports = 5;
      break;
    case 3:  // at once, and nothing lasts
      options.tcp_fin_timeout = absl::ZeroDuration();
      options.tcp_rst_timeout = absl::ZeroDuration();
      options.active_timeout = absl::Seconds(2);
      options.idle_timeout = absl::Milliseconds(300);
      options.max_clock_step = absl::Milliseconds(100);
      ports = 1;
      expected.push_back(FlowEndReason::kActiveTimeout);
      break;
    case 4:
      options.tcp_timeout = absl::Seconds(1);
      options.tcp_fin_timeout = absl::InfiniteDuration();
      options.max_flows = 25;
      ports = 5;
      mean_gap = kSecond / 5;
      expected.push_back(FlowEndReason::kActiveTimeout);
      break;
  }
  if (options.max_flows < 1000) expected.push_back(FlowEndReason::kLackOfResources);

  base::Interner interner;
  auto made = FlowMeter::New(options, &interner);
  ASSERT_TRUE(made.ok()) << made.status();
  FlowMeter& meter = **made;
  Twin twin(options, absl::ToInt64Nanoseconds(meter.resolution()));

  std::vector<std::string> out;
  std::vector<std::pair<Key, std::string>> evicted;
  const auto receiver = [&](const record::FlowBatch& flows) {
    for (size_t i = 0; i < flows.size(); ++i) {
      const RowView row = flows.row(i);
      const Key key{row.Get<FieldId::kSrcPort>(), row.Get<FieldId::kProtocol>(), row.Get<FieldId::kSamplingRate>()};
      ASSERT_EQ(row.Has(FieldId::kSamplingRate), key.rate != 0);
      const int reason = row.Get<FieldId::kFlowEndReason>();
      const std::string text =
          Text(key,
               {row.Get<FieldId::kPackets>(), row.Get<FieldId::kBytes>(), row.Get<FieldId::kStartTime>(),
                row.Get<FieldId::kEndTime>(), row.Get<FieldId::kTcpFlags>(), row.Get<FieldId::kTtl>(),
                row.Get<FieldId::kMinTtl>()},
               reason);
      if (reason == 5) {
        evicted.emplace_back(key, text);
      } else {
        out.push_back(text);
      }
    }
  };

  record::FlowBatch batch(&meter.layout(), &interner);
  int64_t now = GetParam() % 2 == 0 ? 1700000000 * kSecond : -5 * kSecond;
  uint64_t packets = 0;
  constexpr int kPackets = 12000;
  for (int i = 0; i < kPackets; ++i) {
    now += static_cast<int64_t>(random() % static_cast<uint64_t>(2 * mean_gap));
    if (random() % 2000 == 0) now += static_cast<int64_t>(random() % 200) * mean_gap;
    if (random() % 5000 == 0) now -= 90 * kSecond;
    int64_t t = now;
    if (random() % 20 == 0) t -= static_cast<int64_t>(random() % static_cast<uint64_t>(5 * mean_gap));
    constexpr uint8_t kProtocols[] = {6, 6, 6, 17, 17, 1, 58, 132};
    Key key{static_cast<uint16_t>(random() % ports), kProtocols[random() % 8], random() % 10 == 0 ? 100u : 0u};
    Flow packet;
    packet.packets = 1;
    packet.bytes = 40 + random() % 1460;
    packet.start = packet.end = t;
    packet.ttl = packet.min_ttl = static_cast<uint8_t>(40 + random() % 100);
    if (key.protocol == 6) {
      packet.flags = 16;
      if (random() % 20 == 0) packet.flags |= kFin;
      if (random() % 20 == 0) packet.flags |= kSyn;
      if (random() % 30 == 0) packet.flags |= kRst;
    }

    MutableRow row = batch.Append();
    row.Set<FieldId::kSrcPort>(key.port);
    row.Set<FieldId::kProtocol>(key.protocol);
    if (key.rate != 0) row.Set<FieldId::kSamplingRate>(key.rate);
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(packet.bytes);
    row.Set<FieldId::kStartTime>(t);
    row.Set<FieldId::kEndTime>(t);
    row.Set<FieldId::kTtl>(packet.ttl);
    if (key.protocol == 6) row.Set<FieldId::kTcpFlags>(packet.flags);
    ++packets;

    // The twin asks the meter which flow made room, so that those tests go packet by packet.
    const bool bounded = options.max_flows < 1000;
    if (!bounded) twin.Add(key, packet);
    if (batch.size() < 1 + random() % (bounded ? 1 : 150) && i + 1 < kPackets) continue;
    if (bounded) twin.SetTime(packet.end);
    const bool was_full = bounded && twin.IsFullFor(key);
    meter.Add(batch, receiver);
    batch.Clear();
    if (bounded) {
      ASSERT_EQ(evicted.size(), was_full ? 1u : 0u) << i;
      if (was_full) twin.Evict(evicted[0].first, evicted[0].second);
      if (testing::Test::HasFatalFailure()) return;
      evicted.clear();
      twin.Add(key, packet);
    }
    if (random() % 50 == 0) {
      now += static_cast<int64_t>(random() % static_cast<uint64_t>(20 * mean_gap));
      meter.Advance(absl::FromUnixNanos(now), receiver);
      twin.Advance(now);
    }
    std::sort(out.begin(), out.end());
    ASSERT_EQ(out, twin.TakeOut()) << "after packet " << i;
    out.clear();
    ASSERT_EQ(meter.flows(), twin.size());
    const MeterTotals cached = meter.CachedTotals();
    ASSERT_EQ(meter.counters().packets_in, packets);
    ASSERT_EQ(meter.counters().packets_out + cached.packets, packets);
    ASSERT_EQ(meter.counters().bytes_out + cached.bytes, meter.counters().bytes_in);
  }
  EXPECT_FALSE(twin.crowded());
  meter.Close(receiver);
  twin.Close();
  std::sort(out.begin(), out.end());
  EXPECT_EQ(out, twin.TakeOut());
  expected.push_back(FlowEndReason::kForcedEnd);
  for (const FlowEndReason reason : expected) {
    EXPECT_GT(meter.counters().flows_ended[static_cast<size_t>(reason)], 0u) << static_cast<int>(reason);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MeterAgainstTwin, testing::Range(0, 10));

// The same packets give the same flows in the same order, however they are divided.
TEST(FlowMeterBatches, DivisionDoesNotMatter) {
  std::vector<std::vector<std::string>> results;
  for (const size_t batch_rows : {1, 7, 64, 1000}) {
    base::Interner interner;
    MeterOptions options;
    options.max_flows = 300;
    options.seed = batch_rows;  // nor does the seed
    auto meter = *FlowMeter::New(options, &interner);
    record::FlowBatch batch(&meter->layout(), &interner);
    std::vector<std::string> out;
    const auto receiver = [&](const record::FlowBatch& flows) {
      for (size_t i = 0; i < flows.size(); ++i) {
        out.emplace_back(reinterpret_cast<const char*>(flows.row(i).octets()), flows.stride());
      }
    };
    std::mt19937_64 random(3);
    int64_t now = 0;
    for (int i = 0; i < 20000; ++i) {
      now += static_cast<int64_t>(random() % 40000000);
      MutableRow row = batch.Append();
      row.Set<FieldId::kProtocol>(6);
      row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random() % 500));
      row.Set<FieldId::kTcpFlags>(random() % 16 == 0 ? kFin : 16);
      row.Set<FieldId::kPackets>(1);
      const int64_t t = now - static_cast<int64_t>(random() % 100000000);
      if (random() % 100 != 0) row.Set<FieldId::kEndTime>(t);
      if (batch.size() < batch_rows) continue;
      meter->Add(batch, receiver);
      batch.Clear();
    }
    meter->Add(batch, receiver);
    meter->Close(receiver);
    EXPECT_GT(out.size(), 1000u);
    results.push_back(std::move(out));
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

}  // namespace
}  // namespace flowacct::meter
