#include "flowacct/sink/export/netflow5_encoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/row.h"
#include "flowacct/sink/export/testing/exported.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::sink {
namespace {

using base::IpAddress;
using record::FieldId;
using record::MutableRow;

constexpr int64_t kMilli = 1000000;
constexpr int64_t kNow = 1700000000250 * kMilli;

class Netflow5EncoderTest : public ::testing::Test {
 protected:
  void Make(ExportOptions options = {}) {
    options.format = ExportFormat::kNetflow5;
    auto encoder = Netflow5Encoder::New(std::move(options), &transport_);
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    encoder_ = *std::move(encoder);
    encoder_->Bind(&layout_);
  }
  MutableRow Row() {
    MutableRow row = batch_.Append();
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201));
    row.Set<FieldId::kDstAddr>(IpAddress::V4(0xc6336402));
    row.Set<FieldId::kProtocol>(6);
    row.Set<FieldId::kPackets>(3);
    row.Set<FieldId::kBytes>(1500);
    row.Set<FieldId::kStartTime>(kNow - 2000 * kMilli);
    row.Set<FieldId::kEndTime>(kNow - 1000 * kMilli);
    return row;
  }
  void Export() {
    encoder_->Add(batch_, absl::FromUnixNanos(kNow));
    encoder_->Flush(absl::FromUnixNanos(kNow));
    const ExportCounters& c = encoder_->counters();
    EXPECT_EQ(c.rows_in, c.rows_exported + c.refused() + c.rows_lost + c.rows_waiting);
    EXPECT_EQ(c.rows_waiting, 0u);
  }

  record::Layout layout_ = record::Layout::All();
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  KeepingTransport transport_;
  std::unique_ptr<Netflow5Encoder> encoder_;
};

TEST_F(Netflow5EncoderTest, Golden) {
  ExportOptions options;
  options.domain = 0x0102;
  options.sampling_rate = 100;
  options.boot_time = absl::FromUnixMillis(1699996400250);
  Make(options);
  MutableRow row = Row();
  row.Set<FieldId::kSrcPort>(1234);
  row.Set<FieldId::kDstPort>(443);
  row.Set<FieldId::kTcpFlags>(0x1b);
  row.Set<FieldId::kTos>(0xb8);
  row.Set<FieldId::kNextHop>(IpAddress::V4(0xcb007101));
  row.Set<FieldId::kInIf>(7);
  row.Set<FieldId::kOutIf>(8);
  row.Set<FieldId::kSrcAs>(64496);
  row.Set<FieldId::kDstAs>(4200000000);
  row.Set<FieldId::kSrcMask>(24);
  row.Set<FieldId::kDstMask>(16);
  row = Row();
  row.Set<FieldId::kProtocol>(1);
  row.Set<FieldId::kIcmpType>(8);
  row.Set<FieldId::kIcmpCode>(1);
  Export();
  ASSERT_EQ(transport_.datagrams.size(), 1u);
  EXPECT_EQ(Hex(transport_.datagrams[0]),
            // version, count, uptime, seconds, nanoseconds, sequence, engine, sampling
            "0005 0002 0036 ee80 6553 f100 0ee6 b280 0000 0000 0102 4064 "
            "c000 0201 c633 6402 cb00 7101 0007 0008 0000 0003 0000 05dc 0036 e6b0 0036 ea98 "
            "04d2 01bb 001b 06b8 fbf0 5ba0 1810 0000 "
            "c000 0201 c633 6402 0000 0000 0000 0000 0000 0003 0000 05dc 0036 e6b0 0036 ea98 "
            "0000 0801 0000 0100 0000 0000 0000 0000");
  EXPECT_EQ(encoder_->counters().values_unfit, 0u);
}

TEST_F(Netflow5EncoderTest, EveryValueComesBack) {
  Make();
  std::mt19937_64 random(1);
  const auto below = [&](uint64_t n) { return random() % n; };
  for (int i = 0; i < 1000; ++i) {
    MutableRow row = Row();
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kDstAddr>(IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kNextHop>(IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kProtocol>(static_cast<uint8_t>(below(256)));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kTcpFlags>(static_cast<uint16_t>(below(256)));
    row.Set<FieldId::kTos>(static_cast<uint8_t>(random()));
    row.Set<FieldId::kInIf>(static_cast<uint32_t>(below(65536)));
    row.Set<FieldId::kOutIf>(static_cast<uint32_t>(below(65536)));
    row.Set<FieldId::kSrcAs>(static_cast<uint32_t>(below(65536)));
    row.Set<FieldId::kDstAs>(static_cast<uint32_t>(below(65536)));
    row.Set<FieldId::kSrcMask>(static_cast<uint8_t>(below(33)));
    row.Set<FieldId::kDstMask>(static_cast<uint8_t>(below(33)));
    row.Set<FieldId::kPackets>(below(uint64_t{1} << 32));
    row.Set<FieldId::kBytes>(below(uint64_t{1} << 32));
    row.Set<FieldId::kStartTime>(kNow - static_cast<int64_t>(1 + below(3000000)) * kMilli);
    row.Set<FieldId::kEndTime>(kNow - static_cast<int64_t>(below(1000)) * kMilli);
  }
  Export();
  EXPECT_EQ(encoder_->counters().values_unfit, 0u);
  EXPECT_EQ(encoder_->counters().datagrams, 35u);  // of 29 records, which fit 1452 octets
  ExportReader reader(ExportFormat::kNetflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 1000u);
  for (size_t i = 0; i < 1000; ++i) {
    for (const FieldId field : {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kNextHop, FieldId::kProtocol,
                                FieldId::kSrcPort, FieldId::kDstPort, FieldId::kTcpFlags, FieldId::kTos, FieldId::kInIf,
                                FieldId::kOutIf, FieldId::kSrcAs, FieldId::kDstAs, FieldId::kSrcMask, FieldId::kDstMask,
                                FieldId::kPackets, FieldId::kBytes, FieldId::kStartTime, FieldId::kEndTime}) {
      ASSERT_EQ(reader.Text(i, field), TextOf(batch_, i, field)) << i << " " << record::Info(field).name;
    }
  }
  EXPECT_EQ(reader.report().sequence.gaps, 0u);
}

TEST_F(Netflow5EncoderTest, LargeCountersBecomeSeveralRecordsOfTheSameSum) {
  Make();
  MutableRow row = Row();
  row.Set<FieldId::kPackets>(2);
  row.Set<FieldId::kBytes>(uint64_t{5} << 32);
  row = Row();
  row.Set<FieldId::kPackets>((uint64_t{40} << 32) + 17);
  row = Row();
  row.Set<FieldId::kBytes>(uint64_t{1} << 50);  // a petabyte
  Export();
  const ExportCounters& c = encoder_->counters();
  EXPECT_EQ(c.rows_exported, 2u);
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kTooLarge)], 1u);
  EXPECT_EQ(c.records, 6u + 41u);
  ExportReader reader(ExportFormat::kNetflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  uint64_t packets = 0, bytes = 0;
  for (size_t i = 0; i < reader.rows().size(); ++i) {
    packets += reader.rows().row(i).Get<FieldId::kPackets>();
    bytes += reader.rows().row(i).Get<FieldId::kBytes>();
  }
  EXPECT_EQ(packets, (uint64_t{40} << 32) + 17 + 2);
  EXPECT_EQ(bytes, (uint64_t{5} << 32) + 1500);
}

TEST_F(Netflow5EncoderTest, ARowOfWhichAPartWasLostIsLost) {
  Make();
  for (int i = 0; i < 28; ++i) Row();
  Row().Set<FieldId::kPackets>(uint64_t{3} << 32);  // of its four records one goes with the others before
  // Only the first datagram is not taken.
  class Failing final : public ExportTransport {
   public:
    absl::Status Send(base::Octets, uint64_t) override {
      return ++sent == 1 ? absl::UnavailableError("network is down") : absl::OkStatus();
    }
    int sent = 0;
  } failing;
  ExportOptions options;
  options.format = ExportFormat::kNetflow5;
  auto encoder = *Netflow5Encoder::New(options, &failing);
  encoder->Add(batch_, absl::FromUnixNanos(kNow));
  encoder->Flush(absl::FromUnixNanos(kNow));
  EXPECT_EQ(failing.sent, 2);
  EXPECT_EQ(encoder->counters().rows_in, 29u);
  EXPECT_EQ(encoder->counters().rows_lost, 29u);
  EXPECT_EQ(encoder->counters().rows_exported, 0u);
}

TEST_F(Netflow5EncoderTest, RefusesWhatIsNotIpv4AndCountsWhatHasNoRoom) {
  Make();
  Row().Set<FieldId::kSrcAddr>(*IpAddress::Parse("2001:db8::1"));
  Row().Set<FieldId::kIpVersion>(6);
  batch_.Append().Set<FieldId::kEtype>(0x0806);
  batch_.Append().Set<FieldId::kDstAs>(64500);  // no addresses: what was summed by AS
  Row().Set<FieldId::kNextHop>(*IpAddress::Parse("2001:db8::1"));
  Row().Set<FieldId::kInIf>(70000);
  Row().Set<FieldId::kTcpFlags>(0x102);
  Row().Set<FieldId::kSamplingRate>(20000);
  Row().Set<FieldId::kStartTime>(kNow - int64_t{30} * 24 * 3600000 * kMilli);
  Export();
  const ExportCounters& c = encoder_->counters();
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kNotIpv4)], 3u);
  EXPECT_EQ(c.rows_exported, 6u);
  EXPECT_EQ(c.values_unfit, 5u);
  ExportReader reader(ExportFormat::kNetflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 6u);
  EXPECT_EQ(reader.Text(0, FieldId::kDstAs), "64500");
  EXPECT_EQ(reader.Text(3, FieldId::kTcpFlags), "S");
}

TEST_F(Netflow5EncoderTest, RowsOfOneRateShareADatagram) {
  Make();
  for (const uint64_t rate : {0, 0, 100, 100, 0}) {
    MutableRow row = Row();
    if (rate != 0) row.Set<FieldId::kSamplingRate>(rate);
  }
  Export();
  EXPECT_EQ(transport_.datagrams.size(), 3u);
  ExportReader reader(ExportFormat::kNetflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.Text(1, FieldId::kSamplingRate), "");
  EXPECT_EQ(reader.Text(2, FieldId::kSamplingRate), "100");
  EXPECT_EQ(reader.Text(3, FieldId::kSamplingSource), "header");
  EXPECT_EQ(reader.Text(4, FieldId::kSamplingRate), "");
}

TEST_F(Netflow5EncoderTest, NothingIsAllocatedInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  class Dropping : public ExportTransport {
    absl::Status Send(base::Octets, uint64_t) override { return absl::OkStatus(); }
  } dropping;
  ExportOptions options;
  options.format = ExportFormat::kNetflow5;
  auto encoder = *Netflow5Encoder::New(options, &dropping);
  for (int i = 0; i < 100; ++i) Row();
  ::flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 10; ++i) encoder->Add(batch_, absl::FromUnixNanos(kNow));
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_EQ(encoder->counters().records, 1000u);
}

TEST(Netflow5EncoderOptions, ErrorsNameOptionValueAndRemedy) {
  KeepingTransport transport;
  struct Case {
    void (*spoil)(ExportOptions&);
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {[](ExportOptions& o) { o.domain = 65536; }, "domain = 65536"},
           {[](ExportOptions& o) { o.sampling_rate = 16384; }, "use v9 or ipfix"},
           {[](ExportOptions& o) { o.fields = {"src_addr"}; }, "fields: v5"},
           {[](ExportOptions& o) {
              o.interfaces = {{1, "a", ""}};
            },
            "interfaces: v5"},
           {[](ExportOptions& o) { o.times = ExportTimes::kSeconds; }, "times = s"},
           {[](ExportOptions& o) { o.max_datagram_octets = 71; }, "max_datagram_octets = 71"},
       }) {
    ExportOptions options;
    c.spoil(options);
    const auto encoder = Netflow5Encoder::New(options, &transport);
    ASSERT_FALSE(encoder.ok()) << c.text;
    EXPECT_NE(std::string(encoder.status().message()).find(c.text), std::string::npos) << encoder.status();
  }
}

}  // namespace
}  // namespace flowacct::sink
