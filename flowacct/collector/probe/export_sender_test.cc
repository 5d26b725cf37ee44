// What an exporter says, over real sockets on loopback, to receivers that are there, are not, and come back.

#include "flowacct/collector/probe/export_sender.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/stream/stream_client.h"
#include "flowacct/collector/stream/stream_listener.h"
#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/export/export_options.h"
#include "flowacct/sink/export/new_export_encoder.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using record::FieldId;

constexpr FieldId kFields[] = {FieldId::kSrcPort, FieldId::kDstPort, FieldId::kPackets};

std::unique_ptr<StreamListener> NewStreamListener(const std::string& address) {
  StreamListenerOptions options;
  options.address = address;
  auto group = StreamListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return std::move(group->listeners[0]);
}

std::string FreeUdpAddress() {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  auto group = UdpListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return group->listeners[0]->endpoint().ToString();
}

class ExportSenderTest : public testing::Test {
 protected:
  void Make(const std::string& to) {
    ExportSenderOptions options;
    options.transport.to = to;
    options.transport.first_retry = absl::Milliseconds(10);
    options.transport.last_retry = absl::Milliseconds(50);
    options.close_patience = absl::Milliseconds(200);
    auto sender = ExportSender::New(std::move(options));
    ASSERT_TRUE(sender.ok()) << sender.status();
    sender_ = *std::move(sender);
    sink::ExportOptions exports;
    exports.sampling_rate = 10;
    exports.interfaces = {{1, "eth0", ""}, {2, "eth1", ""}};
    exports.max_datagram_octets = 512;
    auto encoder = sink::NewExportEncoder(exports, sender_.get());
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    encoder_ = *std::move(encoder);
    encoder_->Bind(&layout_);
  }
  // Rows of one packet; every other one has no destination port, and so another template.
  void Export(size_t rows) {
    for (size_t i = 0; i < rows; ++i) {
      record::MutableRow row = batch_.Append();
      row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(exported_++));
      row.Set<FieldId::kPackets>(1);
      if (i % 2 == 1) row.Set<FieldId::kDstPort>(443);
    }
    encoder_->Add(batch_, absl::Now());
    encoder_->Flush(absl::Now());
    batch_.Clear();
    sender_->Settle();
  }

  record::Layout layout_{kFields};
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  std::unique_ptr<ExportSender> sender_;
  std::unique_ptr<sink::ExportEncoder> encoder_;
  size_t exported_ = 0;
};

TEST_F(ExportSenderTest, UdpToNobodyIsCountedByTheRow) {
  Make(FreeUdpAddress());
  for (int i = 0; i < 5; ++i) Export(100);
  // Loopback answers at once.
  EXPECT_EQ(sender_->rows_lost(), 500u);
  EXPECT_EQ(encoder_->counters().rows_exported, 500u);
  EXPECT_TRUE(absl::StrContains(sender_->trouble(), ": nobody listens there: ")) << sender_->trouble();
}

TEST_F(ExportSenderTest, UdpToSomebodyIsNoTrouble) {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  auto group = UdpListener::NewGroup(options, 1);
  ASSERT_TRUE(group.ok());
  Make(group->listeners[0]->endpoint().ToString());
  Export(100);
  EXPECT_EQ(sender_->rows_lost(), 0u);
  EXPECT_EQ(sender_->trouble(), "");
  EXPECT_TRUE(sender_->Close().ok());
  EXPECT_EQ(sender_->rows_lost(), 0u);
}

TEST_F(ExportSenderTest, WhatStillWaitsAtTheEndIsLostByTheRow) {
  std::string address;
  { address = NewStreamListener("tcp://127.0.0.1:0")->endpoint().ToString(); }
  Make(address);
  Export(100);
  Export(23);
  EXPECT_EQ(sender_->rows_lost(), 0u);
  EXPECT_TRUE(absl::StrContains(sender_->trouble(), ": 123 rows wait")) << sender_->trouble();
  EXPECT_TRUE(sender_->Close().ok());
  EXPECT_EQ(sender_->rows_lost(), 123u);
}

TEST_F(ExportSenderTest, EverySessionCanBeReadFromItsBeginning) {
  auto listener = NewStreamListener("tcp://127.0.0.1:0");
  const std::string address = listener->endpoint().ToString();
  Make(address);
  auto receiver = std::make_unique<StreamReceiver>(listener.get());
  record::Layout layout({FieldId::kSrcPort, FieldId::kPackets, FieldId::kSamplingRate});
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner);
  ipfix::IpfixDecoder decoder(&layout, {});
  const auto decode = [&](uint64_t round) {
    for (const ReceivedMessage& message : receiver->messages) {
      record::Datagram datagram;
      datagram.octets = base::AsOctets(message.octets);
      datagram.transport = record::Transport::kTcp;
      datagram.session = 100 * round + message.session;
      const base::DecodeResult result = decoder.Decode(datagram, {&rows, nullptr, nullptr});
      EXPECT_TRUE(result.ok()) << base::DecodeCodeName(result.code);
    }
  };
  const auto all_sent = [&] {
    return receiver->Until([&] {
      sender_->Settle();
      return sender_->transport().counters().queued == 0 && sender_->transport().connected();
    });
  };
  for (uint64_t round = 1; round <= 3; ++round) {
    if (round == 1) {
      Export(100);
    } else {
      // Told while nobody is there.
      while (sender_->transport().connected()) absl::SleepFor(absl::Milliseconds(5));
      Export(200);
      listener = NewStreamListener(address);
      receiver = std::make_unique<StreamReceiver>(listener.get());
    }
    ASSERT_TRUE(all_sent());
    Export(50);
    ASSERT_TRUE(all_sent());
    const uint64_t sent = sender_->transport().counters().octets;
    EXPECT_GT(sent, 0u);
    const size_t expected = round == 1 ? 150 : 250;
    // What was sent is on its way.
    size_t seen = 0;
    for (int i = 0; i < 200 && seen != receiver->messages.size() + 1; ++i) {
      seen = receiver->messages.size() + 1;
      absl::SleepFor(absl::Milliseconds(5));
      receiver->Some();
    }
    rows.Clear();
    decode(round);
    ASSERT_EQ(rows.size(), expected) << round;
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows.row(i).Get<FieldId::kSamplingRate>(), 10u);
    receiver.reset();
    listener.reset();
  }
  EXPECT_EQ(sender_->rows_lost(), 0u);
  for (const record::ExporterReport& report : decoder.Report()) {
    EXPECT_EQ(report.sequence.gaps + report.sequence.restarts + report.sequence.reordered, 0u);
    EXPECT_EQ(report.pending_sets + report.rejected_sets, 0u);
  }
}

}  // namespace
}  // namespace flowacct::collector
