#include "flowacct/sink/export/export_sink.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/sink/export/testing/exported.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;
using record::MutableRow;

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kBin = 1700000100 * kSecond;

// Hands on to a transport that outlives the sink.
class Relay final : public ExportTransport {
 public:
  explicit Relay(KeepingTransport* to) : to_(to) {}
  absl::Status Send(base::Octets datagram, uint64_t rows) override { return to_->Send(datagram, rows); }

 private:
  KeepingTransport* to_;
};

class ExportSinkTest : public ::testing::Test {
 protected:
  std::unique_ptr<ExportSink> Make(ExportFormat format, std::function<absl::Time()> clock = nullptr) {
    ExportOptions options;
    options.format = format;
    return *ExportSink::New(options, std::make_unique<Relay>(&transport_), std::move(clock));
  }
  BatchBuilder Traffic(size_t rows) {
    BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstAs, FieldId::kInIfName},
                         {{FieldId::kPackets, Function::kSum, ""},
                          {FieldId::kBytes, Function::kSum, ""},
                          {FieldId::kTtl, Function::kMin, "min(ttl)"},
                          {FieldId::kDstAddr, Function::kDistinct, "distinct(dst_addr)"}});
    for (size_t i = 0; i < rows; ++i) {
      MutableRow row = builder.Add({i + 1, 100 * i, 64, 5});
      row.Set<FieldId::kSrcAddr>(IpAddress::V4(static_cast<uint32_t>(0x0a000000 + i)));
      row.Set<FieldId::kDstAs>(static_cast<uint32_t>(64496 + i));
      row.Set<FieldId::kInIfName>(builder.interner().Intern("eth0"));
    }
    return builder;
  }

  KeepingTransport transport_;
};

TEST_F(ExportSinkTest, RowsOfABinLeaveAtItsEnd) {
  auto sink = Make(ExportFormat::kIpfix);
  constexpr size_t kRows = 2500;
  ASSERT_TRUE(sink->Write(Traffic(kRows).Build({kBin, kBin + 60 * kSecond})).ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counters().rows_exported, kRows);
  EXPECT_EQ(base::LoadBe32(transport_.datagrams[0].data() + 4), 1700000160u);
  ExportReader reader(ExportFormat::kIpfix);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kBin));
  ASSERT_EQ(reader.rows().size(), kRows);
  for (const size_t i : {size_t{0}, size_t{1023}, size_t{1024}, kRows - 1}) {
    const record::RowView row = reader.rows().row(i);
    EXPECT_EQ(row.Get<FieldId::kSrcAddr>(), IpAddress::V4(static_cast<uint32_t>(0x0a000000 + i)));
    EXPECT_EQ(row.Get<FieldId::kDstAs>(), 64496 + i);
    EXPECT_EQ(row.Get<FieldId::kPackets>(), i + 1);
    EXPECT_EQ(row.Get<FieldId::kBytes>(), 100 * i);
    EXPECT_EQ(row.Get<FieldId::kTtl>(), 64);
    EXPECT_EQ(row.Get<FieldId::kStartTime>(), kBin);
    EXPECT_EQ(row.Get<FieldId::kEndTime>(), kBin + 60 * kSecond);
    EXPECT_EQ(reader.Text(i, FieldId::kInIfName), "eth0");
  }
}

TEST_F(ExportSinkTest, OtherSchemasAndAClock) {
  absl::Time now = absl::FromUnixSeconds(1700000500);
  auto sink = Make(ExportFormat::kNetflow9, [&now] { return now; });
  ASSERT_TRUE(sink->Write(Traffic(1).Build()).ok());
  BatchBuilder other({FieldId::kDstAs}, {{FieldId::kBytes, Function::kSum, ""}});
  other.Add({7}).Set<FieldId::kDstAs>(64500);
  now += absl::Seconds(5);
  ASSERT_TRUE(sink->Write(other.Build()).ok());
  ASSERT_TRUE(sink->Close().ok());
  ASSERT_EQ(transport_.datagrams.size(), 2u);
  EXPECT_EQ(base::LoadBe32(transport_.datagrams[1].data() + 8), 1700000505u);
  ExportReader reader(ExportFormat::kNetflow9);
  reader.Read(transport_.datagrams, now);
  ASSERT_EQ(reader.rows().size(), 2u);
  EXPECT_EQ(reader.Text(1, FieldId::kDstAs), "64500");
  EXPECT_EQ(reader.Text(1, FieldId::kBytes), "7");
  EXPECT_EQ(reader.Text(1, FieldId::kSrcAddr), "");
}

TEST_F(ExportSinkTest, AFailureIsToldIfNothingLeft) {
  auto sink = Make(ExportFormat::kNetflow5);
  transport_.failure = absl::UnavailableError("network is down");
  EXPECT_EQ(sink->Write(Traffic(3).Build()).message(), "export: network is down");
  EXPECT_EQ(sink->counters().rows_lost, 3u);
  EXPECT_EQ(sink->rows_lost(), 0u);  // Write told it
  transport_.failure = absl::OkStatus();
  EXPECT_TRUE(sink->Write(Traffic(3).Build()).ok());
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counters().rows_exported, 3u);
}

TEST_F(ExportSinkTest, WhatIsLostOrRefusedInPartIsCountedAndTold) {
  // Every other datagram is not taken, and of those that were two rows did not arrive.
  class Half final : public ExportTransport {
   public:
    absl::Status Send(base::Octets, uint64_t) override {
      return sent_++ % 2 == 0 ? absl::OkStatus() : absl::ResourceExhaustedError("no room");
    }
    uint64_t rows_lost() const override { return 2; }
    std::string trouble() const override { return "it is far away"; }

   private:
    int sent_ = 0;
  };
  auto sink = *ExportSink::New({}, std::make_unique<Half>());
  ASSERT_TRUE(sink->Write(Traffic(100).Build()).ok());
  const uint64_t lost = sink->counters().rows_lost;
  EXPECT_GT(lost, 10u);
  EXPECT_EQ(sink->rows_lost(), lost + 2);
  EXPECT_EQ(sink->trouble(), absl::StrCat("it is far away; ", lost, " rows lost: no room"));

  auto refusing = Make(ExportFormat::kSflow5);
  ASSERT_TRUE(refusing->Write(Traffic(3).Build()).ok());  // the first is of one packet, with one address
  EXPECT_EQ(refusing->rows_lost(), 3u);
  EXPECT_TRUE(absl::StrContains(refusing->trouble(), "2 rows not told: sFlow tells of single packets"))
      << refusing->trouble();
}

TEST_F(ExportSinkTest, OptionsAreChecked) {
  ExportOptions options;
  options.fields = {"local_pref"};
  EXPECT_EQ(ExportSink::New(options, std::make_unique<Relay>(&transport_)).status().code(),
            absl::StatusCode::kInvalidArgument);
  options = ExportOptions();
  options.format = ExportFormat::kNetflow5;
  options.sampling_rate = 100000;
  EXPECT_FALSE(ExportSink::New(options, std::make_unique<Relay>(&transport_)).ok());
  options.format = ExportFormat::kSflow5;
  EXPECT_TRUE(ExportSink::New(options, std::make_unique<Relay>(&transport_)).ok());
}

}  // namespace
}  // namespace flowacct::sink
