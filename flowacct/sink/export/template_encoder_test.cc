#include "flowacct/sink/export/template_encoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
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

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kNow = 1700000000 * kSecond + 250000000;
constexpr FieldId kFields[] = {FieldId::kSrcAddr,  FieldId::kDstAddr,  FieldId::kSrcPort,   FieldId::kDstPort,
                               FieldId::kProtocol, FieldId::kIcmpType, FieldId::kIcmpCode,  FieldId::kTcpFlags,
                               FieldId::kPackets,  FieldId::kBytes,    FieldId::kStartTime, FieldId::kEndTime};

class TemplateEncoderTest : public ::testing::Test {
 protected:
  void Make(ExportOptions options) {
    options_ = options;
    auto encoder = TemplateEncoder::New(std::move(options), &transport_);
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    encoder_ = *std::move(encoder);
    encoder_->Bind(&layout_);
  }
  MutableRow Tcp(uint16_t port = 1234) {
    MutableRow row = batch_.Append();
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201));
    row.Set<FieldId::kDstAddr>(IpAddress::V4(0xc6336402));
    row.Set<FieldId::kSrcPort>(port);
    row.Set<FieldId::kDstPort>(443);
    row.Set<FieldId::kProtocol>(6);
    row.Set<FieldId::kTcpFlags>(0x1b);
    Counters(row);
    return row;
  }
  MutableRow Icmp6() {
    MutableRow row = batch_.Append();
    row.Set<FieldId::kSrcAddr>(*IpAddress::Parse("2001:db8::1"));
    row.Set<FieldId::kDstAddr>(*IpAddress::Parse("2001:db8::2"));
    row.Set<FieldId::kProtocol>(58);
    row.Set<FieldId::kIcmpType>(128);
    row.Set<FieldId::kIcmpCode>(0);
    Counters(row);
    return row;
  }
  static void Counters(MutableRow row) {
    row.Set<FieldId::kPackets>(3);
    row.Set<FieldId::kBytes>(1500);
    row.Set<FieldId::kStartTime>(kNow - 2 * kSecond);
    row.Set<FieldId::kEndTime>(kNow - kSecond);
  }
  void Add(int64_t nanos = kNow) {
    encoder_->Add(batch_, absl::FromUnixNanos(nanos));
    batch_.Clear();
    CheckIdentity();
  }
  void Flush(int64_t nanos = kNow) {
    encoder_->Flush(absl::FromUnixNanos(nanos));
    CheckIdentity();
    EXPECT_EQ(encoder_->counters().rows_waiting, 0u);
  }
  void CheckIdentity() {
    const ExportCounters& c = encoder_->counters();
    EXPECT_EQ(c.rows_in, c.rows_exported + c.refused() + c.rows_lost + c.rows_waiting);
  }
  // The ids of the sets of a datagram.
  std::vector<uint16_t> Sets(size_t datagram) {
    const std::vector<uint8_t>& octets = transport_.datagrams[datagram];
    std::vector<uint16_t> ids;
    for (size_t at = options_.format == ExportFormat::kIpfix ? 16 : 20; at + 4 <= octets.size();) {
      ids.push_back(base::LoadBe16(octets.data() + at));
      at += base::LoadBe16(octets.data() + at + 2);
    }
    return ids;
  }
  uint32_t Sequence(size_t datagram) {
    return base::LoadBe32(transport_.datagrams[datagram].data() + (options_.format == ExportFormat::kIpfix ? 8 : 12));
  }

  record::Layout layout_{kFields};
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  KeepingTransport transport_;
  ExportOptions options_;
  std::unique_ptr<TemplateEncoder> encoder_;
};

using Ids = std::vector<uint16_t>;

ExportOptions Format(ExportFormat format) {
  ExportOptions options;
  options.format = format;
  return options;
}

// Lines of a golden message, without the words behind '#'.
std::string Golden(absl::string_view lines) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    const absl::string_view octets = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (octets.empty()) continue;
    if (!text.empty()) text += ' ';
    absl::StrAppend(&text, octets);
  }
  // In groups of two octets, as Hex has them.
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    if (digits.size() % 5 == 4) digits += ' ';
    digits += c;
  }
  return digits;
}

TEST_F(TemplateEncoderTest, GoldenIpfix) {
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.domain = 77;
  options.sampling_rate = 100;
  options.interfaces = {{7, "xe-0/0/0", "uplink"}};
  Make(options);
  Tcp();
  Icmp6();
  Tcp(1235);
  Add();
  Flush();
  ASSERT_EQ(transport_.datagrams.size(), 1u);
  EXPECT_EQ(Hex(transport_.datagrams[0]), Golden(R"(
      000a 0173 6553f101 00000000 0000004d  # version, length, export time, sequence, domain
      0003 001a 0100 0004 0001              # options template 256: 4 fields, 1 of them scope
      012e0001 01300002 01310004 01320004   #   selectorId, selectorAlgorithm, samplingPacketInterval, samplingPacketSpace
      0100 000f 01 0001 00000001 00000063   # 1 of 100
      0003 0016 0101 0003 0001              # options template 257
      000a0004 0052ffff 0053ffff            #   ingressInterface, interfaceName, interfaceDescription
      0101 0018 00000007 08 78652d302f302f30 06 75706c696e6b
      0002 0034 0102 000b                   # template 258: IPv4 with ports
      00080004 000c0004 00070002 000b0002 00040001 00060002 00020008 00010008 00980008 00990008 012e0001
      0102 0064
      c0000201 c6336402 04d2 01bb 06 001b 0000000000000003 00000000000005dc 0000018bcfe5612a 0000018bcfe56512 01
      c0000201 c6336402 04d3 01bb 06 001b 0000000000000003 00000000000005dc 0000018bcfe5612a 0000018bcfe56512 01
      0002 002c 0103 0009                   # template 259: IPv6 with ICMP
      001b0010 001c0010 00040001 008b0002 00020008 00010008 00980008 00990008 012e0001
      0103 0048
      20010db8000000000000000000000001 20010db8000000000000000000000002 3a 8000
      0000000000000003 00000000000005dc 0000018bcfe5612a 0000018bcfe56512 01)"));
}

TEST_F(TemplateEncoderTest, GoldenNetflow9) {
  ExportOptions options = Format(ExportFormat::kNetflow9);
  options.domain = 77;
  options.sampling_rate = 100;
  options.interfaces = {{7, "xe-0/0/0", "uplink"}};
  options.boot_time = absl::FromUnixNanos(kNow - 3600 * kSecond);
  Make(options);
  Tcp();
  Icmp6();
  Tcp(1235);
  Add();
  Flush();
  ASSERT_EQ(transport_.datagrams.size(), 1u);
  EXPECT_EQ(Hex(transport_.datagrams[0]),
            Golden(absl::StrCat(R"(
      0009 0009 0036f16e 6553f101 00000000 0000004d  # version, records, uptime, seconds, sequence, source id
      0001 0018 0100 0004 0008 00010004 00220004 00230001 0000  # options template 256: system; interval, algorithm
      0100 0010 0000004d 00000064 02 000000          # 1 of 100, at random
      0001 0018 0101 0004 0008 00020004 00520040 00530040 0000  # options template 257: interface; name, description
      0101 0088 00000007 78652d302f302f30)",
                                std::string(112, '0'), "75706c696e6b", std::string(116, '0'), R"(
      0000 0030 0102 000a                            # template 258: IPv4 with ports
      00080004 000c0004 00070002 000b0002 00040001 00060002 00020008 00010008 00160004 00150004
      0102 0054
      c0000201 c6336402 04d2 01bb 06 001b 0000000000000003 00000000000005dc 0036e6b0 0036ea98
      c0000201 c6336402 04d3 01bb 06 001b 0000000000000003 00000000000005dc 0036e6b0 0036ea98 0000
      0000 0028 0103 0008                            # template 259: IPv6 with ICMP
      001b0010 001c0010 00040001 008b0002 00020008 00010008 00160004 00150004
      0103 0040
      20010db8000000000000000000000001 20010db8000000000000000000000002 3a 8000
      0000000000000003 00000000000005dc 0036e6b0 0036ea98 00)")));
}

TEST_F(TemplateEncoderTest, DatagramsAreFullAndSequencesCountWhatTheStandardsSay) {
  for (const ExportFormat format : {ExportFormat::kIpfix, ExportFormat::kNetflow9}) {
    for (const size_t most : {512, 1452, 9000, 65535}) {
      transport_.datagrams.clear();
      ExportOptions options = Format(format);
      options.max_datagram_octets = most;
      options.sampling_rate = 10;
      Make(options);
      constexpr int kRows = 3000;
      for (int i = 0; i < kRows; ++i) {
        Tcp(static_cast<uint16_t>(i));
        if (i % 10 == 0) Icmp6();
        if (i % 100 == 99) Add();
      }
      Flush();
      EXPECT_EQ(encoder_->counters().rows_exported, 3300u);
      EXPECT_EQ(encoder_->counters().records, 3300u);
      EXPECT_EQ(encoder_->counters().datagrams, transport_.datagrams.size());
      const size_t record = format == ExportFormat::kIpfix ? 48 : 40;
      for (size_t i = 0; i + 1 < transport_.datagrams.size(); ++i) {
        EXPECT_LE(transport_.datagrams[i].size(), most);
        EXPECT_GT(transport_.datagrams[i].size() + 2 * record + 64, most);
      }
      ExportReader reader(format);
      reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
      EXPECT_EQ(reader.rows().size(), 3300u);
      const record::ExporterReport report = reader.report();
      EXPECT_EQ(report.sequence.gaps + report.sequence.restarts + report.sequence.reordered, 0u);
      EXPECT_EQ(report.pending_sets, 0u);
      EXPECT_EQ(report.templates.size(), 3u);
      // The first datagram has the sampling's record, too.
      if (format == ExportFormat::kIpfix && transport_.datagrams.size() > 1) {
        EXPECT_EQ(Sequence(0), 0u);
        const uint32_t records = Sequence(1);
        EXPECT_GT(records, 1u);
        EXPECT_LT(records, most / record + 2);
      } else if (transport_.datagrams.size() > 1) {
        EXPECT_EQ(Sequence(transport_.datagrams.size() - 1), transport_.datagrams.size() - 1);
      }
    }
  }
}

TEST_F(TemplateEncoderTest, SamplingAndNamesReachTheDecoder) {
  for (const ExportFormat format : {ExportFormat::kIpfix, ExportFormat::kNetflow9}) {
    transport_.datagrams.clear();
    ExportOptions options = Format(format);
    options.sampling_rate = 1000;
    for (uint32_t i = 1; i <= 60; ++i) {
      options.interfaces.push_back({i, absl::StrCat("eth", i), i == 5 ? std::string(60, 'd') : "an interface"});
    }
    Make(options);
    const record::Layout layout({FieldId::kInIf, FieldId::kOutIf, FieldId::kPackets});
    encoder_->Bind(&layout);
    record::FlowBatch batch(&layout, &interner_);
    MutableRow row = batch.Append();
    row.Set<FieldId::kInIf>(5);
    row.Set<FieldId::kOutIf>(60);
    encoder_->Add(batch, absl::FromUnixNanos(kNow));
    Flush();
    EXPECT_GT(transport_.datagrams.size(), 1u);  // so many names
    ExportReader reader(format);
    reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
    ASSERT_EQ(reader.rows().size(), 1u);
    EXPECT_EQ(reader.Text(0, FieldId::kSamplingRate), "1000");
    EXPECT_EQ(reader.Text(0, FieldId::kSamplingSource), "options");
    EXPECT_EQ(reader.Text(0, FieldId::kInIfName), "eth5");
    EXPECT_EQ(reader.Text(0, FieldId::kOutIfName), "eth60");
    EXPECT_EQ(reader.report().option_records, 61u);
    EXPECT_EQ(reader.report().sequence.gaps, 0u);
  }
}

TEST_F(TemplateEncoderTest, TemplatesAreToldAgainAfterDatagramsAndTime) {
  ExportOptions options = Format(ExportFormat::kNetflow9);
  options.template_refresh_datagrams = 3;
  options.template_refresh = absl::Seconds(30);
  options.sampling_rate = 2;
  Make(options);
  for (int i = 0; i < 7; ++i) {
    Tcp();
    Add();
    Flush();
  }
  EXPECT_EQ(Sets(0), Ids({1, 256, 0, 258}));
  EXPECT_EQ(Sets(1), Ids({258}));
  EXPECT_EQ(Sets(2), Ids({258}));
  EXPECT_EQ(Sets(3), Ids({1, 256, 0, 258}));
  EXPECT_EQ(Sets(4), Ids({258}));
  EXPECT_EQ(Sets(6), Ids({1, 256, 0, 258}));
  // A template that is first needed in between comes then; after the refresh, each before its data.
  Icmp6();
  Tcp();
  Add();
  Flush();
  EXPECT_EQ(Sets(7), Ids({258, 0, 259}));
  Tcp();
  Add(kNow + 29 * kSecond);
  Flush(kNow + 29 * kSecond);
  EXPECT_EQ(Sets(8), Ids({258}));
  Icmp6();
  Tcp();
  Add(kNow + 31 * kSecond);
  Flush(kNow + 31 * kSecond);
  EXPECT_EQ(Sets(9), Ids({1, 256, 0, 258, 0, 259}));
}

TEST_F(TemplateEncoderTest, OnReliableTransportsTemplatesAreToldOnce) {
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.template_refresh_datagrams = 0;
  options.template_refresh = absl::InfiniteDuration();
  Make(options);
  for (int i = 0; i < 2000; ++i) {
    Tcp();
    Add(kNow + i * 3600 * kSecond);
    Flush(kNow + i * 3600 * kSecond);
  }
  EXPECT_EQ(Sets(0), Ids({2, 258}));
  for (size_t i = 1; i < 2000; ++i) ASSERT_EQ(Sets(i), Ids({258}));
  EXPECT_EQ(Sequence(1999), 1999u);
  // A session that begins anew is told again, from sequence number 0; what waited for the old one is lost.
  Tcp();
  Add();
  encoder_->Restart();
  CheckIdentity();
  EXPECT_EQ(encoder_->counters().rows_lost, 1u);
  Tcp();
  Add();
  Flush();
  EXPECT_EQ(Sets(2000), Ids({2, 258}));
  EXPECT_EQ(Sequence(2000), 0u);
}

TEST_F(TemplateEncoderTest, EvenATemplateInEachDatagramLeavesRoomForData) {
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.template_refresh_datagrams = 1;
  options.max_datagram_octets = 512;
  options.sampling_rate = 10;
  for (uint32_t i = 1; i <= 40; ++i) options.interfaces.push_back({i, std::string(100, 'n'), std::string(100, 'd')});
  Make(options);
  for (int i = 0; i < 100; ++i) Tcp();
  Add();
  Flush();
  ExportReader reader(ExportFormat::kIpfix);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.rows().size(), 100u);
  EXPECT_EQ(reader.report().sequence.gaps, 0u);
}

TEST_F(TemplateEncoderTest, WhatTheTransportDoesNotTakeIsCountedAndShowsInTheSequence) {
  Make(Format(ExportFormat::kNetflow9));
  Tcp();
  Add();
  Flush();
  transport_.failure = absl::UnavailableError("network is down");
  Tcp();
  Tcp();
  Add();
  Flush();
  transport_.failure = absl::OkStatus();
  Tcp();
  Add();
  Flush();
  EXPECT_EQ(encoder_->counters().rows_exported, 2u);
  EXPECT_EQ(encoder_->counters().rows_lost, 2u);
  EXPECT_EQ(encoder_->counters().datagrams, 2u);
  EXPECT_EQ(encoder_->counters().datagrams_lost, 1u);
  EXPECT_EQ(encoder_->last_failure().message(), "network is down");
  ExportReader reader(ExportFormat::kNetflow9);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.report().sequence.lost, 1u);
}

// Fields of mobile networks: IANA's elements, and flowacct's own under the number that the user gave, of which the
// first message says what they are (RFC 5610).
TEST_F(TemplateEncoderTest, OwnElementsAreToldUnderTheNumberGiven) {
  constexpr uint32_t kEnterprise = 32473;  // RFC 5612: of examples
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.enterprise = kEnterprise;
  Make(options);
  const record::Layout layout(
      {FieldId::kImsi, FieldId::kHomePlmn, FieldId::kApn, FieldId::kGtpDstAddr, FieldId::kTeid});
  encoder_->Bind(&layout);
  record::FlowBatch batch(&layout, &interner_);
  MutableRow row = batch.Append();
  row.Set<FieldId::kImsi>(*base::Digits::Parse("001010000000001"));
  row.Set<FieldId::kHomePlmn>(*base::Digits::Parse("00101"));
  row.Set<FieldId::kApn>(interner_.Intern("internet"));
  row.Set<FieldId::kGtpDstAddr>(*base::IpAddress::Parse("2001:db8::7"));
  row.Set<FieldId::kTeid>(0x45000054);
  encoder_->Add(batch, absl::FromUnixNanos(kNow));
  Flush();
  const std::string octets = absl::StrReplaceAll(Hex(transport_.datagrams.at(0)), {{" ", ""}});
  // 3234: a string called homePlmn; and in the template, behind mobileIMSI.
  EXPECT_TRUE(absl::StrContains(octets, "00007ed90ca20d0008686f6d65506c6d6e")) << octets;
  EXPECT_TRUE(absl::StrContains(octets, "01c7ffff8ca2ffff00007ed9")) << octets;

  ExportReader reader(ExportFormat::kIpfix, kEnterprise);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 1u);
  for (const FieldId field : layout.fields()) EXPECT_EQ(reader.Text(0, field), TextOf(batch, 0, field));
  // Who does not know the number reads what is IANA's.
  ExportReader stranger(ExportFormat::kIpfix);
  stranger.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(stranger.rows().size(), 1u);
  EXPECT_EQ(stranger.Text(0, FieldId::kImsi), "001010000000001");
  EXPECT_EQ(stranger.Text(0, FieldId::kHomePlmn), "");

  // Without a number they cannot be asked for.
  options.enterprise = 0;
  options.fields = {"home_plmn"};
  KeepingTransport transport;
  const auto refused = TemplateEncoder::New(options, &transport);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(absl::StrContains(refused.status().message(), "or give an enterprise number")) << refused.status();
}

TEST_F(TemplateEncoderTest, WhatDoesNotFitIsRefusedOrCounted) {
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.max_datagram_octets = 600;
  Make(options);
  const record::Layout layout({FieldId::kHttpUrl, FieldId::kSamplingRate, FieldId::kLocalPref, FieldId::kAsPath});
  encoder_->Bind(&layout);
  record::FlowBatch batch(&layout, &interner_);
  batch.Append().Set<FieldId::kHttpUrl>(interner_.Intern(std::string(700, 'u')));
  batch.Append().Set<FieldId::kHttpUrl>(interner_.Intern(std::string(500, 'u')));
  batch.Append().Set<FieldId::kSamplingRate>(uint64_t{1} << 40);
  batch.Append().Set<FieldId::kLocalPref>(100);  // there is no element
  batch.Append();
  batch.Append().Set<FieldId::kAsPath>(interner_.Intern("\x01\x01\x00\x00\x00\x01"));  // an AS_SET
  encoder_->Add(batch, absl::FromUnixNanos(kNow));
  Flush();
  const ExportCounters& c = encoder_->counters();
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kTooLong)], 1u);
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kNothing)], 2u);
  EXPECT_EQ(c.rows_exported, 3u);
  EXPECT_EQ(c.values_unfit, 2u);
  ExportReader reader(ExportFormat::kIpfix);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 3u);
  EXPECT_EQ(reader.Text(0, FieldId::kHttpUrl), std::string(500, 'u'));
  EXPECT_EQ(reader.Text(1, FieldId::kSamplingRate), "");
}

TEST_F(TemplateEncoderTest, ASessionBeginsWithAllTemplatesAndNothingIsToldAgain) {
  class Sessions final : public ExportTransport {
   public:
    absl::Status Send(base::Octets datagram, uint64_t rows) override {
      rows_sent += rows;
      return kept.Send(datagram, rows);
    }
    bool HasSessions() const override { return true; }
    void SetPreamble(base::Octets messages, uint32_t data_records) override {
      preamble.assign(messages.begin(), messages.end());
      preamble_records = data_records;
      ++preambles;
    }
    KeepingTransport kept;
    std::vector<uint8_t> preamble;
    uint32_t preamble_records = 0;
    uint64_t rows_sent = 0;
    int preambles = 0;
  } sessions;
  ExportOptions options = Format(ExportFormat::kIpfix);
  options.sampling_rate = 10;
  options.interfaces = {{1, "eth0", "uplink"}, {2, "eth1", ""}};
  options.template_refresh_datagrams = 1;
  auto encoder = *TemplateEncoder::New(options, &sessions);
  encoder->Bind(&layout_);
  const auto add = [&](int64_t nanos) {
    encoder->Add(batch_, absl::FromUnixNanos(nanos));
    encoder->Flush(absl::FromUnixNanos(nanos));
    batch_.Clear();
  };
  Tcp();
  add(kNow);
  for (int64_t i = 1; i <= 10; ++i) {
    Tcp();
    add(kNow + i * 100 * kSecond);
  }
  EXPECT_EQ(sessions.preambles, 1);
  EXPECT_EQ(sessions.kept.datagrams[10].size(), sessions.kept.datagrams[1].size());
  Icmp6();
  add(kNow);
  EXPECT_EQ(sessions.preambles, 2);
  EXPECT_EQ(sessions.preamble_records, 3u);  // sampling and two interfaces
  EXPECT_EQ(sessions.rows_sent, 12u);
  // Another session: what follows the preamble can be read, and its sequence goes on.
  std::vector<std::vector<uint8_t>> read = {sessions.preamble, sessions.kept.datagrams[10]};
  base::StoreBe32(read[1].data() + 8, 3);
  ExportReader reader(ExportFormat::kIpfix);
  reader.Read(read, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 1u);
  EXPECT_EQ(reader.Text(0, FieldId::kSamplingRate), "10");
  EXPECT_EQ(reader.report().sequence.gaps, 0u);
}

TEST_F(TemplateEncoderTest, RecordsOfEveryLengthAroundThatOfAMessageAreToldOrRefused) {
  for (const uint64_t rate : {0, 10}) {
    ExportOptions options = Format(ExportFormat::kIpfix);
    options.max_datagram_octets = 600;
    options.template_refresh_datagrams = 1;
    options.sampling_rate = rate;
    Make(options);
    const record::Layout layout({FieldId::kHttpUrl});
    encoder_->Bind(&layout);
    transport_.datagrams.clear();
    std::vector<std::string> told;
    for (size_t length = 540; length <= 600; ++length) {
      record::FlowBatch batch(&layout, &interner_);
      batch.Append().Set<FieldId::kHttpUrl>(interner_.Intern(std::string(length, 'u')));
      const uint64_t refused = encoder_->counters().refused();
      encoder_->Add(batch, absl::FromUnixNanos(kNow));
      if (encoder_->counters().refused() == refused) told.emplace_back(length, 'u');
    }
    Flush();
    EXPECT_GT(encoder_->counters().refused(), 10u);
    for (const std::vector<uint8_t>& datagram : transport_.datagrams) EXPECT_LE(datagram.size(), 600u);
    ExportReader reader(ExportFormat::kIpfix);
    reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
    ASSERT_EQ(reader.rows().size(), told.size());
    for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(reader.Text(i, FieldId::kHttpUrl), told[i]);
  }
}

TEST_F(TemplateEncoderTest, ShortRecordsOfNetflow9AreNotPadded) {
  ExportOptions options = Format(ExportFormat::kNetflow9);
  options.fields = {"protocol"};
  Make(options);
  for (int i = 0; i < 5; ++i) Tcp();
  Add();
  Flush();
  ExportReader reader(ExportFormat::kNetflow9);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.rows().size(), 5u);
}

TEST_F(TemplateEncoderTest, UptimesWrapAndAbsurdTimesAreCounted) {
  ExportOptions options = Format(ExportFormat::kNetflow9);
  options.boot_time = absl::FromUnixNanos(kNow) - absl::Hours(24 * 100);
  Make(options);
  Tcp().Set<FieldId::kStartTime>(kNow - 20 * 24 * 3600 * kSecond);
  Tcp().Set<FieldId::kStartTime>(kNow - 30 * 24 * 3600 * kSecond);
  Add();
  Flush();
  EXPECT_EQ(encoder_->counters().values_unfit, 1u);
  ExportReader reader(ExportFormat::kNetflow9);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.rows().row(0).Get<FieldId::kStartTime>(), kNow - 20 * 24 * 3600 * kSecond);
  EXPECT_EQ(reader.rows().row(0).Get<FieldId::kEndTime>(), kNow - kSecond);
}

TEST_F(TemplateEncoderTest, NoTimeLiesAfterItsExport) {
  for (const ExportFormat format : {ExportFormat::kIpfix, ExportFormat::kNetflow9}) {
    transport_.datagrams.clear();
    Make(Format(format));
    Tcp().Set<FieldId::kEndTime>(kNow);
    Add();
    Flush();
    const std::vector<uint8_t>& octets = transport_.datagrams[0];
    EXPECT_EQ(base::LoadBe32(octets.data() + (format == ExportFormat::kIpfix ? 4 : 8)), 1700000001u);
  }
}

TEST_F(TemplateEncoderTest, ANewLayoutGetsNewTemplates) {
  Make(Format(ExportFormat::kIpfix));
  Tcp();
  Add();
  const record::Layout other({FieldId::kBytes});
  encoder_->Bind(&other);
  record::FlowBatch batch(&other, &interner_);
  batch.Append().Set<FieldId::kBytes>(7);
  encoder_->Add(batch, absl::FromUnixNanos(kNow));
  Flush();
  EXPECT_EQ(Sets(0), Ids({2, 258, 2, 259}));
  EXPECT_EQ(encoder_->templates(), 2u);
}

TEST_F(TemplateEncoderTest, NothingIsAllocatedInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  class Counting : public ExportTransport {
   public:
    absl::Status Send(base::Octets, uint64_t) override {
      ++sent;
      return absl::OkStatus();
    }
    int sent = 0;
  } counting;
  auto encoder = *TemplateEncoder::New(Format(ExportFormat::kIpfix), &counting);
  encoder->Bind(&layout_);
  for (int i = 0; i < 100; ++i) {
    Tcp();
    Icmp6();
  }
  encoder->Add(batch_, absl::FromUnixNanos(kNow));
  ::flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 100; ++i) encoder->Add(batch_, absl::FromUnixNanos(kNow));
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_GT(counting.sent, 500);
}

TEST(TemplateEncoderOptions, ErrorsNameOptionValueAndRemedy) {
  KeepingTransport transport;
  struct Case {
    ExportFormat format;
    void (*spoil)(ExportOptions&);
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.fields = {"src_adr"}; }, "did you mean src_addr"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.fields = {"local_pref"}; }, "no information element"},
           {ExportFormat::kNetflow9, [](ExportOptions& o) { o.fields = {"tag"}; }, "v9 has no information element"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.max_datagram_octets = 100; }, "max_datagram_octets = 100"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.max_datagram_octets = 70000; },
            "max_datagram_octets = 70000"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.template_refresh = absl::ZeroDuration(); },
            "template_refresh = 0"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.max_templates = 0; }, "max_templates = 0"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.sampling_rate = uint64_t{1} << 32; }, "sampling_rate = 4"},
           {ExportFormat::kIpfix, [](ExportOptions& o) { o.times = ExportTimes::kUptime; }, "times = uptime"},
           {ExportFormat::kNetflow9, [](ExportOptions& o) { o.times = ExportTimes::kNanoseconds; }, "times = ns"},
           {ExportFormat::kNetflow9,
            [](ExportOptions& o) {
              o.interfaces = {{1, std::string(70, 'x'), ""}};
            },
            "interface 1"},
           {ExportFormat::kIpfix,
            [](ExportOptions& o) {
              o.max_datagram_octets = 512;
              o.interfaces = {{1, std::string(240, 'x'), std::string(240, 'y')}};
            },
            "interface 1"},
           {ExportFormat::kSflow5, [](ExportOptions&) {}, "has no templates"},
       }) {
    ExportOptions options = Format(c.format);
    c.spoil(options);
    const auto encoder = TemplateEncoder::New(options, &transport);
    ASSERT_FALSE(encoder.ok()) << c.text;
    EXPECT_EQ(encoder.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(encoder.status().message()).find(c.text), std::string::npos) << encoder.status();
  }
}

TEST(ExportNames, ReadBack) {
  for (const ExportFormat format :
       {ExportFormat::kNetflow5, ExportFormat::kNetflow9, ExportFormat::kIpfix, ExportFormat::kSflow5}) {
    EXPECT_EQ(*ExportFormatFromName(ExportFormatName(format)), format);
  }
  EXPECT_EQ(ExportFormatFromName("netflow").status().message(),
            "\"netflow\" is no format of exports; choose one of v5, v9, ipfix, sflow");
  EXPECT_EQ(*ExportTimesFromName("us"), ExportTimes::kMicroseconds);
  EXPECT_EQ(ExportRefusalName(ExportRefusal::kNotIpv4), "not_ipv4");
  EXPECT_NE(ExportRefusalHelp(ExportRefusal::kNothing), "");
}

}  // namespace
}  // namespace flowacct::sink
