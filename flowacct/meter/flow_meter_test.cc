#include "flowacct/meter/flow_meter.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::meter {
namespace {

using base::IpAddress;
using record::FieldId;
using record::MutableRow;
using record::RowView;

constexpr int64_t kStart = 1700000000000000000;
constexpr uint16_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

struct Packet {
  double seconds = 0;  // after kStart
  uint16_t src_port = 1000;
  uint16_t flags = kAck;
  uint64_t bytes = 100;
  uint8_t protocol = 6;
  uint8_t ttl = 64;
};

// What came out, as text: "port packets/bytes first-last flags reason".
class FlowMeterTest : public ::testing::Test {
 protected:
  void Make(MeterOptions options = {}) {
    options.seed = 1;
    auto meter = FlowMeter::New(std::move(options), &interner_);
    ASSERT_TRUE(meter.ok()) << meter.status();
    meter_ = *std::move(meter);
    batch_ = std::make_unique<record::FlowBatch>(&meter_->layout(), &interner_);
  }

  void Append(const Packet& packet) {
    MutableRow row = batch_->Append();
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(0x0a000001));
    row.Set<FieldId::kDstAddr>(IpAddress::V4(0x0a000002));
    row.Set<FieldId::kProtocol>(packet.protocol);
    row.Set<FieldId::kSrcPort>(packet.src_port);
    row.Set<FieldId::kDstPort>(80);
    row.Set<FieldId::kTtl>(packet.ttl);
    if (packet.protocol == 6) row.Set<FieldId::kTcpFlags>(packet.flags);
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(packet.bytes);
    const int64_t nanos = kStart + static_cast<int64_t>(packet.seconds * 1e9);
    row.Set<FieldId::kStartTime>(nanos);
    row.Set<FieldId::kEndTime>(nanos);
  }
  void Add(const std::vector<Packet>& packets) {
    for (const Packet& packet : packets) Append(packet);
    Flush();
  }
  void Flush() {
    meter_->Add(*batch_, Receiver());
    batch_->Clear();
    CheckIdentity();
  }
  void Advance(double seconds) {
    meter_->Advance(absl::FromUnixNanos(kStart + static_cast<int64_t>(seconds * 1e9)), Receiver());
    CheckIdentity();
  }
  void Close() {
    meter_->Close(Receiver());
    CheckIdentity();
    EXPECT_EQ(meter_->flows(), 0u);
  }

  std::function<void(const record::FlowBatch&)> Receiver() {
    return [this](const record::FlowBatch& flows) {
      EXPECT_FALSE(flows.empty());
      EXPECT_LE(flows.size(), FlowMeter::kBatchRows);
      for (size_t i = 0; i < flows.size(); ++i) {
        const RowView row = flows.row(i);
        out_.push_back(absl::StrCat(row.Get<FieldId::kSrcPort>(), " ", row.Get<FieldId::kPackets>(), "/",
                                    row.Get<FieldId::kBytes>(), " ",
                                    static_cast<double>(row.Get<FieldId::kStartTime>() - kStart) / 1e9, "-",
                                    static_cast<double>(row.Get<FieldId::kEndTime>() - kStart) / 1e9, " ",
                                    row.Get<FieldId::kTcpFlags>(), " ", row.Get<FieldId::kFlowEndReason>()));
      }
    };
  }
  std::vector<std::string> Out() { return std::exchange(out_, {}); }

  void CheckIdentity() {
    const MeterCounters& counters = meter_->counters();
    const MeterTotals cached = meter_->CachedTotals();
    uint64_t ended = 0;
    for (const uint64_t n : counters.flows_ended) ended += n;
    EXPECT_EQ(counters.flows_started, ended + cached.flows);
    EXPECT_EQ(counters.packets_in, counters.packets_out + cached.packets);
    EXPECT_EQ(counters.bytes_in, counters.bytes_out + cached.bytes);
    EXPECT_EQ(meter_->flows(), cached.flows);
  }
  uint64_t Ended(FlowEndReason reason) { return meter_->counters().flows_ended[static_cast<size_t>(reason)]; }

  base::Interner interner_;
  std::unique_ptr<FlowMeter> meter_;
  std::unique_ptr<record::FlowBatch> batch_;
  std::vector<std::string> out_;
};

using Texts = std::vector<std::string>;

TEST_F(FlowMeterTest, SumsPacketsOfAKey) {
  Make();
  Add({{0, 1}, {1, 2, kSyn, 40}, {2, 1, kSyn, 60}, {3, 1, kAck, 1400}});
  EXPECT_EQ(Out(), Texts());
  EXPECT_EQ(meter_->flows(), 2u);
  Close();
  EXPECT_EQ(Out(), Texts({"1 3/1560 0-3 18 4", "2 1/40 1-1 2 4"}));
  EXPECT_EQ(Ended(FlowEndReason::kForcedEnd), 2u);
}

TEST_F(FlowMeterTest, IdleFlowsEndInSilenceToo) {
  Make();
  Add({{0, 1}, {10, 1}, {12, 2}});
  Advance(24.9);
  EXPECT_EQ(Out(), Texts());
  Advance(25.1);
  EXPECT_EQ(Out(), Texts({"1 2/200 0-10 16 1"}));
  Advance(3);  // what is past does nothing
  Advance(1000);
  EXPECT_EQ(Out(), Texts({"2 1/100 12-12 16 1"}));
  EXPECT_EQ(Ended(FlowEndReason::kIdleTimeout), 2u);
}

TEST_F(FlowMeterTest, APacketAtTheDeadlineBeginsTheNextFlow) {
  Make();
  Add({{0, 1}, {14.999, 1}, {29.999, 1}});
  Close();
  EXPECT_EQ(Out(), Texts({"1 2/200 0-14.999 16 1", "1 1/100 29.999-29.999 16 4"}));
}

TEST_F(FlowMeterTest, LongFlowsAreToldOfOnceInTheActiveTimeout) {
  Make();
  std::vector<Packet> packets;
  for (int i = 0; i <= 125; ++i) packets.push_back({static_cast<double>(i), 1});
  Add(packets);
  EXPECT_EQ(Out(), Texts({"1 60/6000 0-59 16 2", "1 60/6000 60-119 16 2"}));
  Advance(200);
  EXPECT_EQ(Out(), Texts({"1 6/600 120-125 16 1"}));
  EXPECT_EQ(Ended(FlowEndReason::kActiveTimeout), 2u);
}

TEST_F(FlowMeterTest, AfterFinOrResetTheLastPacketsStillBelong) {
  Make();
  Add({{0, 1, kSyn}, {1, 1, kFin | kAck}, {2, 1, kAck}, {3, 2, kRst}, {4, 3, kAck}});
  Advance(7.1);
  EXPECT_EQ(Out(), Texts({"1 3/300 0-2 19 3"}));
  Advance(8.1);
  EXPECT_EQ(Out(), Texts({"2 1/100 3-3 4 3"}));
  Advance(19.1);
  EXPECT_EQ(Out(), Texts({"3 1/100 4-4 16 1"}));
  // A new connection from the same port does not wait.
  Add({{20, 1, kFin | kAck}, {21, 1, kSyn}, {22, 1, kAck}});
  EXPECT_EQ(Out(), Texts({"1 1/100 20-20 17 3"}));
  Close();
  EXPECT_EQ(Out(), Texts({"1 2/200 21-22 18 4"}));
  EXPECT_EQ(Ended(FlowEndReason::kEndOfFlow), 3u);
}

TEST_F(FlowMeterTest, EndOfFlowCanBeAtOnceOrNeverLookedFor) {
  MeterOptions options;
  options.tcp_fin_timeout = absl::ZeroDuration();
  options.tcp_rst_timeout = absl::InfiniteDuration();
  Make(options);
  Add({{0, 1, kSyn}, {1, 1, kFin | kAck}, {1.5, 1, kAck}, {2, 2, kRst}, {8, 2, kAck}, {9, 3, kFin}});
  EXPECT_EQ(Out(), Texts({"1 2/200 0-1 19 3", "3 1/100 9-9 1 3"}));
  Close();
  EXPECT_EQ(Out(), Texts({"1 1/100 1.5-1.5 16 4", "2 2/200 2-8 20 4"}));
}

TEST_F(FlowMeterTest, ProtocolsHaveTimeoutsOfTheirOwn) {
  MeterOptions options;
  options.tcp_timeout = absl::Seconds(40);
  options.udp_timeout = absl::Seconds(5);
  options.icmp_timeout = absl::Seconds(10);
  Make(options);
  Add({{0, 1, kAck, 1, 6}, {0, 2, 0, 1, 17}, {0, 3, 0, 1, 1}, {0, 4, 0, 1, 58}, {0, 5, 0, 1, 132}});
  Advance(5.1);
  EXPECT_EQ(Out(), Texts({"2 1/1 0-0 0 1"}));
  Advance(10.1);
  EXPECT_EQ(Out(), Texts({"3 1/1 0-0 0 1", "4 1/1 0-0 0 1"}));
  Advance(15.1);
  EXPECT_EQ(Out(), Texts({"5 1/1 0-0 0 1"}));
  Advance(40.1);
  EXPECT_EQ(Out(), Texts({"1 1/1 0-0 16 1"}));
}

TEST_F(FlowMeterTest, WithoutRoomTheFlowWhoseTimeoutIsNearestEnds) {
  MeterOptions options;
  options.max_flows = 3;
  Make(options);
  Add({{0, 1}, {1, 2}, {2, 3}, {3, 1}, {4, 4}, {5, 2}, {6, 2, kFin}, {7, 5}});
  EXPECT_EQ(Out(), Texts({"2 1/100 1-1 16 5", "3 1/100 2-2 16 5", "2 2/200 5-6 17 5"}));
  EXPECT_EQ(meter_->flows(), 3u);
  EXPECT_EQ(Ended(FlowEndReason::kLackOfResources), 3u);
  Close();
  EXPECT_EQ(Out(), Texts({"1 2/200 0-3 16 4", "4 1/100 4-4 16 4", "5 1/100 7-7 16 4"}));
}

TEST_F(FlowMeterTest, LatePacketsJoinAndAClockThatWasSetBackEndsAll) {
  Make();
  Add({{100, 1}, {99, 1}, {98.5, 2}, {40.5, 3}});
  Add({{39.5, 1}, {40, 1}});
  EXPECT_EQ(Out(), Texts({"3 1/100 40.5-40.5 16 4", "2 1/100 98.5-98.5 16 4", "1 2/200 99-100 16 4"}));
  EXPECT_EQ(meter_->counters().clock_steps, 1u);
  Close();
  EXPECT_EQ(Out(), Texts({"1 2/200 39.5-40 16 4"}));
}

TEST_F(FlowMeterTest, ALatePacketBringsTheActiveTimeoutNearer) {
  Make();
  Add({{100, 1}, {70, 1}});
  for (int t = 110; t <= 130; t += 10) Add({{static_cast<double>(t), 1}});
  EXPECT_EQ(Out(), Texts({"1 4/400 70-120 16 2"}));
}

TEST_F(FlowMeterTest, PacketsWithoutTimeAreOfTheTimeOfTheOneBefore) {
  Make();
  Append({5, 1});
  MutableRow row = batch_->Append();
  row.Set<FieldId::kSrcPort>(2);
  row.Set<FieldId::kPackets>(1);
  row = batch_->Append();
  row.Set<FieldId::kSrcPort>(3);
  row.Set<FieldId::kEndTime>(kStart + 4000000000);
  Flush();
  Close();
  EXPECT_EQ(Out(), Texts({"3 0/0 4-4 0 4", "1 1/100 5-5 16 4", "2 1/0 5-5 0 4"}));
  EXPECT_EQ(meter_->counters().rows_without_time, 1u);
}

TEST_F(FlowMeterTest, FieldsFollowTheirRules) {
  MeterOptions options;
  options.fields = {"src_mac",           "min_ttl", "max_ttl",         "min_packet_length",
                    "max_packet_length", "flows",   "dropped_packets", "direction"};
  Make(options);
  Append({0, 1, kAck, 500, 6, 60});
  batch_->row(0).Set<FieldId::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:01"));
  Append({1, 1, kAck, 1500, 6, 61});
  batch_->row(1).Set<FieldId::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:02"));
  batch_->row(1).Set<FieldId::kDroppedPackets>(4);
  batch_->row(1).Set<FieldId::kDirection>(1);
  Append({2, 1, kAck, 40, 6, 59});
  batch_->row(2).Set<FieldId::kDroppedPackets>(5);
  meter_->Add(*batch_, [](const record::FlowBatch&) { FAIL(); });
  size_t rows = 0;
  meter_->Close([&](const record::FlowBatch& flows) {
    ++rows;
    const RowView row = flows.row(0);
    EXPECT_EQ(row.Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:01");
    EXPECT_EQ(row.Get<FieldId::kTtl>(), 60);
    EXPECT_EQ(row.Get<FieldId::kMinTtl>(), 59);
    EXPECT_EQ(row.Get<FieldId::kMaxTtl>(), 61);
    EXPECT_EQ(row.Get<FieldId::kMinPacketLength>(), 40u);
    EXPECT_EQ(row.Get<FieldId::kMaxPacketLength>(), 1500u);
    EXPECT_EQ(row.Get<FieldId::kFlows>(), 1u);
    EXPECT_EQ(row.Get<FieldId::kDroppedPackets>(), 9u);
    EXPECT_TRUE(row.Has(FieldId::kDroppedPackets));
    EXPECT_FALSE(row.Has(FieldId::kDirection));  // the first packet told none
    EXPECT_FALSE(row.Has(FieldId::kVlan));       // absent is not zero
    EXPECT_TRUE(row.Has(FieldId::kFlowEndReason));
  });
  EXPECT_EQ(rows, 1u);
}

TEST_F(FlowMeterTest, AbsentKeysAndSamplingRatesMakeFlowsOfTheirOwn) {
  Make();
  for (int i = 0; i < 6; ++i) Append({0, 1});
  batch_->row(1).Set<FieldId::kVlan>(0);
  batch_->row(2).Set<FieldId::kSamplingRate>(100);
  batch_->row(3).Set<FieldId::kSamplingRate>(100);
  batch_->row(4).Unset(FieldId::kTcpFlags);
  Flush();
  EXPECT_EQ(meter_->flows(), 3u);
  Close();
  EXPECT_EQ(Out(), Texts({"1 3/300 0-0 16 4", "1 1/100 0-0 16 4", "1 2/200 0-0 16 4"}));
}

TEST_F(FlowMeterTest, SumsBeyond64BitsBecomeTwoFlows) {
  Make();
  Add({{0, 1, kAck, std::numeric_limits<uint64_t>::max() - 10}, {1, 1, kAck, 10}, {2, 1, kAck, 1}});
  EXPECT_EQ(Out(), Texts({"1 2/18446744073709551615 0-1 16 5"}));
  Close();
  EXPECT_EQ(Out(), Texts({"1 1/1 2-2 16 4"}));
}

TEST_F(FlowMeterTest, TakesPacketsOfAnyLayout) {
  Make();
  const record::Layout other({FieldId::kBytes, FieldId::kEndTime, FieldId::kSrcMac, FieldId::kPackets,
                              FieldId::kStartTime, FieldId::kSrcPort});
  meter_->Bind(&other);
  record::FlowBatch batch(&other, &interner_);
  for (int i = 0; i < 200; ++i) {
    MutableRow row = batch.Append();
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(i % 2));
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(static_cast<uint64_t>(i));
    if (i == 77) continue;  // no time
    row.Set<FieldId::kStartTime>(kStart);
    row.Set<FieldId::kEndTime>(kStart);
  }
  meter_->Add(batch, Receiver());
  CheckIdentity();
  Close();
  EXPECT_EQ(Out(), Texts({"0 100/9900 0-0 0 4", "1 100/10000 0-0 0 4"}));
  meter_->Bind(&meter_->layout());
  Add({{9, 7}});
  Close();
  EXPECT_EQ(Out(), Texts({"7 1/100 9-9 16 4"}));
}

TEST_F(FlowMeterTest, ReceiversGetBatches) {
  Make();
  for (int i = 0; i < 1000; ++i) Append({0, static_cast<uint16_t>(i)});
  Flush();
  size_t calls = 0, rows = 0;
  meter_->Advance(absl::FromUnixNanos(kStart + 100000000000), [&](const record::FlowBatch& flows) {
    ++calls;
    rows += flows.size();
    EXPECT_EQ(&flows.layout(), &meter_->layout());
  });
  EXPECT_EQ(rows, 1000u);
  EXPECT_EQ(calls, 4u);
}

TEST_F(FlowMeterTest, NothingIsAllocatedInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  MeterOptions options;
  options.max_flows = 5000;
  options.tcp_rst_timeout = absl::Milliseconds(100);
  Make(options);
  uint32_t random = 1;
  double seconds = 0;
  size_t rows = 0;
  const auto round = [&] {
    for (int i = 0; i < 20000; ++i) {
      random = random * 1664525 + 1013904223;
      seconds += 0.001;
      Append(
          {seconds, static_cast<uint16_t>(random >> 16), static_cast<uint16_t>((random >> 8 & 31) == 0 ? kRst : kAck)});
      if (batch_->size() < 100) continue;
      meter_->Add(*batch_, [&](const record::FlowBatch& flows) { rows += flows.size(); });
      batch_->Clear();
    }
  };
  round();
  ::flowacct::testing::AllocationCounter counter;
  round();
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_GT(Ended(FlowEndReason::kLackOfResources), 1000u);
  EXPECT_GT(Ended(FlowEndReason::kEndOfFlow), 100u);
  EXPECT_GT(rows, 20000u);
  CheckIdentity();
}

TEST_F(FlowMeterTest, MemoryIsWhatTheHeaderSays) {
  Make();
  EXPECT_EQ(meter_->layout().row_size(), 96u);
  const size_t index = meter_->octets();
  EXPECT_LE(index, size_t{24} << 20);
  EXPECT_LE(meter_->resolution(), absl::Seconds(15) / 512);
}

TEST(FlowMeterOptions, ErrorsNameOptionValueAndRemedy) {
  base::Interner interner;
  struct Case {
    void (*spoil)(MeterOptions&);
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {[](MeterOptions& o) { o.key = {"src_adr"}; }, "did you mean src_addr"},
           {[](MeterOptions& o) { o.key = {}; }, "name at least one"},
           {[](MeterOptions& o) { o.key = {"packets"}; }, "packets is gathered"},
           {[](MeterOptions& o) {
              o.key = {"src_addr", "flow_end_reason"};
            },
            "flow_end_reason is gathered"},
           {[](MeterOptions& o) { o.fields = {"ttll"}; }, "fields: "},
           {[](MeterOptions& o) { o.active_timeout = absl::ZeroDuration(); }, "active_timeout = 0"},
           {[](MeterOptions& o) { o.idle_timeout = -absl::Seconds(1); }, "idle_timeout = -1s"},
           {[](MeterOptions& o) { o.udp_timeout = absl::InfiniteDuration(); }, "udp_timeout = inf"},
           {[](MeterOptions& o) { o.tcp_fin_timeout = -absl::Seconds(1); }, "tcp_fin_timeout = -1s"},
           {[](MeterOptions& o) { o.max_flows = 0; }, "max_flows = 0"},
           {[](MeterOptions& o) { o.max_clock_step = -absl::Seconds(1); }, "max_clock_step = -1s"},
       }) {
    MeterOptions options;
    c.spoil(options);
    const auto meter = FlowMeter::New(options, &interner);
    ASSERT_FALSE(meter.ok()) << c.text;
    EXPECT_EQ(meter.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(meter.status().message()).find(c.text), std::string::npos) << meter.status();
  }
}

}  // namespace
}  // namespace flowacct::meter
