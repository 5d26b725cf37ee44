// IPFIX over streams: templates, sequences and what options told belong to the Transport Session (RFC 7011,
// 8, 8.1, 9.1).

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/flow/template/testing/message_builder.h"

namespace flowacct::ipfix {
namespace {

using base::DecodeCode;
using flow::testing::MessageBuilder;
using record::FieldId;
using record::Transport;

constexpr int64_t kSecond = 1000000000;

struct Sessions {
  explicit Sessions(IpfixOptions options = {})
      : layout(record::Layout::All()), rows(&layout, &interner), decoder(&layout, options) {}

  base::DecodeResult Decode(MessageBuilder& message, uint64_t session, Transport transport = Transport::kTcp) {
    record::Datagram datagram = message.Datagram();
    datagram.transport = transport;
    datagram.session = session;
    datagram.arrival_nanos += late_seconds * kSecond;
    return decoder.Decode(datagram, {&rows, nullptr, nullptr});
  }

  record::Layout layout;
  base::Interner interner;
  record::FlowBatch rows;
  IpfixDecoder decoder;
  int64_t late_seconds = 0;
};

MessageBuilder Bytes(uint32_t sequence, uint32_t bytes, uint16_t id = 256) {
  MessageBuilder message(10, sequence);
  message.BeginSet(id).body().U32(bytes);
  message.EndSet();
  return message;
}

TEST(IpfixSessionTest, TwoConnectionsOfOneDomainDoNotMix) {
  Sessions run;
  MessageBuilder bytes(10), packets(10), first = Bytes(0, 5), second = Bytes(0, 6);
  bytes.Template(256, {{1, 4}});
  packets.Template(256, {{2, 4}});
  packets.OptionsTemplate(257, 1, {{144, 4}, {34, 4}});
  packets.BeginSet(257).body().U32(0).U32(100);
  packets.EndSet();
  EXPECT_TRUE(run.Decode(bytes, 1).ok());
  EXPECT_TRUE(run.Decode(packets, 2).ok());
  EXPECT_TRUE(run.Decode(first, 1).ok());
  MessageBuilder third = Bytes(1, 6);
  EXPECT_TRUE(run.Decode(third, 2).ok());
  ASSERT_EQ(run.rows.size(), 2u);
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kBytes>(), 5u);
  EXPECT_FALSE(run.rows.row(0).Has(FieldId::kSamplingRate));
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kPackets>(), 6u);
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kSamplingRate>(), 100u);
  // And not with what comes over UDP.
  EXPECT_TRUE(run.Decode(second, 0, Transport::kUdp).ok());
  const std::vector<record::ExporterReport> reports = run.decoder.Report();
  ASSERT_EQ(reports.size(), 1u) << "one exporter, one domain";
  EXPECT_EQ(reports[0].datagrams, 5u);
  EXPECT_EQ(reports[0].flow_records, 2u);
  EXPECT_EQ(reports[0].pending_sets, 1u);
  EXPECT_EQ(reports[0].template_count, 3u);
  EXPECT_EQ(reports[0].templates.size(), 3u);
  EXPECT_EQ(reports[0].sequence.gaps, 0u) << "each session has numbers of its own";
}

TEST(IpfixSessionTest, TheEndOfASessionEndsItsTemplatesAndNotItsCounters) {
  Sessions run;
  MessageBuilder templates(10), data = Bytes(0, 5), waits = Bytes(1, 6, 300), later = Bytes(0, 7);
  templates.Template(256, {{1, 4}});
  EXPECT_TRUE(run.Decode(templates, 1).ok());
  EXPECT_TRUE(run.Decode(data, 1).ok());
  EXPECT_TRUE(run.Decode(waits, 1).ok());
  record::ExporterReport report = run.decoder.Report().at(0);
  EXPECT_EQ(report.pending_sets, 1u);
  run.decoder.EndSession(2);  // nobody's
  EXPECT_EQ(run.decoder.Report().at(0).template_count, 1u);
  run.decoder.EndSession(1);
  ASSERT_EQ(run.decoder.Report().size(), 1u);
  report = run.decoder.Report()[0];
  EXPECT_EQ(report.datagrams, 3u);
  EXPECT_EQ(report.flow_records, 1u);
  EXPECT_EQ(report.template_count, 0u);
  EXPECT_EQ(report.templates.size(), 0u);
  EXPECT_EQ(report.pending_sets, 0u);
  EXPECT_EQ(report.rejected_sets, 1u) << "what waited for its template will wait no more";
  EXPECT_EQ(report.errors[DecodeCode::kTemplateUnknown], 1u);
  EXPECT_TRUE(run.Decode(later, 3).ok());
  EXPECT_EQ(run.rows.size(), 1u) << "the next session has to send its templates";
  EXPECT_EQ(run.decoder.Report()[0].pending_sets, 1u);
}

TEST(IpfixSessionTest, ATemplateThatChangesWithoutAWithdrawalEndsTheSession) {
  MessageBuilder templates(10), again(10), other(10), withdrawn(10);
  templates.Template(256, {{1, 4}});
  again.Template(256, {{1, 4}});
  other.Template(256, {{2, 4}});
  other.BeginSet(256).body().U32(9);
  other.EndSet();
  withdrawn.Withdraw(256);
  withdrawn.Template(256, {{2, 4}});
  for (Transport transport : {Transport::kTcp, Transport::kSctp}) {
    Sessions run;
    EXPECT_TRUE(run.Decode(templates, 1, transport).ok());
    EXPECT_TRUE(run.Decode(again, 1, transport).ok()) << "the same once more is no error";
    EXPECT_TRUE(run.Decode(withdrawn, 1, transport).ok());
    EXPECT_TRUE(run.Decode(templates, 2, transport).ok());
    const base::DecodeResult result = run.Decode(other, 2, transport);
    EXPECT_EQ(result.code, DecodeCode::kBadTemplate);
    EXPECT_TRUE(record::EndsSession(result.code));
    ASSERT_EQ(run.rows.size(), 1u) << "the data mean the new one";
    EXPECT_EQ(run.rows.row(0).Get<FieldId::kPackets>(), 9u);
  }
  for (Transport transport : {Transport::kUdp, Transport::kFile}) {
    Sessions run;
    EXPECT_TRUE(run.Decode(templates, 0, transport).ok());
    EXPECT_TRUE(run.Decode(other, 0, transport).ok());
  }
}

TEST(IpfixSessionTest, AnErrorThatEndsTheSessionIsTheResultWhateverCameBefore) {
  IpfixOptions options;
  options.templates.max_fields_per_template = 1;
  Sessions run(options);
  MessageBuilder before(10), message(10);
  before.Template(300, {{1, 4}});
  EXPECT_TRUE(run.Decode(before, 1).ok());
  message.Template(256, {{1, 4}, {2, 4}});  // our own limit, which is no fault of the exporter's
  message.Template(300, {{2, 4}});          // was not withdrawn
  EXPECT_EQ(run.Decode(message, 1).code, DecodeCode::kBadTemplate);
  EXPECT_EQ(run.decoder.Report()[0].errors[DecodeCode::kLimitExceeded], 1u);
  MessageBuilder limit(10);
  limit.Template(256, {{1, 4}, {2, 4}});
  const base::DecodeResult result = run.Decode(limit, 1);
  EXPECT_EQ(result.code, DecodeCode::kLimitExceeded);
  EXPECT_FALSE(record::EndsSession(result.code));
  for (DecodeCode code : {DecodeCode::kOk, DecodeCode::kTemplateUnknown, DecodeCode::kUnsupported}) {
    EXPECT_FALSE(record::EndsSession(code));
  }
  std::vector<uint8_t> octets = limit.Copy();
  octets.pop_back();
  record::Datagram datagram = limit.Datagram();
  datagram.octets = octets;
  datagram.transport = Transport::kTcp;
  datagram.session = 1;
  EXPECT_TRUE(record::EndsSession(run.decoder.Decode(datagram, {&run.rows, nullptr, nullptr}).code));
}

// RFC 7011, 8.1: data can still be read.
TEST(IpfixSessionTest, AWithdrawalOfWhatIsNotThereIsIgnored) {
  Sessions run;
  MessageBuilder message(10);
  message.Withdraw(300);
  message.Template(256, {{2, 4}});
  message.BeginSet(256).body().U32(9);
  message.EndSet();
  const base::DecodeResult result = run.Decode(message, 1);
  EXPECT_EQ(result.code, DecodeCode::kTemplateUnknown);
  EXPECT_FALSE(record::EndsSession(result.code));
  ASSERT_EQ(run.rows.size(), 1u);
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kPackets>(), 9u);
}

TEST(IpfixSessionTest, SessionsAreBoundedWithTheDomainsAndForgottenWhenSilent) {
  IpfixOptions options;
  options.templates.max_domains = 4;
  options.templates.domain_idle_seconds = 10;
  Sessions run(options);
  uint64_t datagrams = 0;
  for (uint64_t session = 1; session <= 5; ++session) {
    MessageBuilder message(10);
    message.Template(256, {{1, 4}});
    const base::DecodeResult result = run.Decode(message, session);
    EXPECT_EQ(result.code, session <= 3 ? DecodeCode::kOk : DecodeCode::kLimitExceeded);
    ++datagrams;
  }
  run.late_seconds = 100;
  MessageBuilder message(10, 0, /*domain=*/8);
  EXPECT_TRUE(run.Decode(message, 6).ok()) << "the others were silent";
  ++datagrams;
  record::ExporterCounters sum;
  std::vector<record::ExporterCounters> summary;
  run.decoder.Summarize(&summary);
  for (const record::ExporterCounters& counters : summary) sum.Add(counters);
  EXPECT_EQ(sum.datagrams, datagrams);
  EXPECT_EQ(sum.template_count, 0u);
  for (uint64_t session = 1; session <= 6; ++session) run.decoder.EndSession(session);
  EXPECT_EQ(run.decoder.Report().back().domain, 8u);
}

TEST(IpfixSessionTest, SessionsAreNoPartOfTheState) {
  Sessions run;
  const std::string nothing = run.decoder.SaveState();
  MessageBuilder templates(10);
  templates.Template(256, {{1, 4}});
  EXPECT_TRUE(run.Decode(templates, 1).ok());
  Sessions other;
  const std::string state = run.decoder.SaveState();
  const auto restored = other.decoder.RestoreState(base::AsOctets(state));
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->templates, 0u);
}

}  // namespace
}  // namespace flowacct::ipfix
