// What a decoder knows, saved and restored: the next one goes on as if nothing had happened.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/template/testing/message_builder.h"
#include "flowacct/record/testing/decoding_truths.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using flow::testing::MessageBuilder;
using record::FieldId;

constexpr int64_t kSecond = 1000000000;

struct Decoding {
  explicit Decoding(NetflowOptions options = {})
      : layout(record::Layout::All()), rows(&layout, &interner), decoder(&layout, options) {}
  base::DecodeResult Decode(const record::Datagram& datagram) {
    return decoder.Decode(datagram, {&rows, nullptr, nullptr});
  }
  absl::StatusOr<record::RestoredState> Restore(const std::string& state) {
    return decoder.RestoreState(base::AsOctets(state));
  }

  record::Layout layout;
  base::Interner interner;
  record::FlowBatch rows;
  NetflowDecoder decoder;
};

// Messages of which the later ones need all that the earlier ones taught.
std::vector<std::unique_ptr<MessageBuilder>> Messages() {
  std::vector<std::unique_ptr<MessageBuilder>> messages;
  auto add = [&](uint32_t domain = 7) -> MessageBuilder& {
    return *messages.emplace_back(std::make_unique<MessageBuilder>(9, static_cast<uint32_t>(messages.size()), domain));
  };
  MessageBuilder& templates = add();
  templates.Template(256, {{8, 4}, {12, 4}, {10, 2}, {48, 1}, {234, 4}, {95, 4}, {22, 4}, {1, 4}});
  templates.OptionsTemplate(257, 1, {{2, 4}, {82, 8}, {83, 8}, {34, 4}});
  templates.OptionsTemplate(258, 1, {{1, 4}, {48, 1}, {50, 4}});
  templates.OptionsTemplate(259, 1, {{1, 4}, {234, 4}, {236, 4}, {90, 8}});
  templates.OptionsTemplate(260, 1, {{1, 4}, {95, 4}, {96, 4}});
  MessageBuilder& options = add();
  options.BeginSet(257).body().U32(7).Text("ge-0/0/1").Text("to Paris").U32(100);
  options.EndSet();
  options.BeginSet(258).body().U32(0).U8(3).U32(500);
  options.EndSet(3);
  options.BeginSet(259).body().U32(0).U32(9).Text("blue").U64(0x0000fde900000009);
  options.EndSet();
  options.BeginSet(260).body().U32(0).U32(0x03000050).Text("http");
  options.EndSet();
  MessageBuilder& early = add();
  early.BeginSet(300).body().U32(1).U32(2).U32(3).U32(4);  // before its template
  early.EndSet();
  MessageBuilder& data = add();
  data.BeginSet(256).body().U32(0xc0000201).U32(0xc6336401).U16(7).U8(3).U32(9).U32(0x03000050);
  data.body().U32(flow::testing::kUptimeMillis - 5000).U32(1000);
  data.EndSet(1);
  MessageBuilder& late = add();
  late.Template(300, {{1, 4}, {2, 4}});
  return messages;
}

TEST(NetflowStateTest, TheSecondHalfIsDecodedAsIfNothingHadHappened) {
  const auto messages = Messages();
  for (size_t half = 0; half <= messages.size(); ++half) {
    Decoding whole, first, second;
    for (size_t i = 0; i < messages.size(); ++i) {
      record::Datagram datagram = messages[i]->Datagram();
      datagram.arrival_nanos += static_cast<int64_t>(i) * kSecond;
      EXPECT_TRUE(whole.Decode(datagram).ok());
      if (i < half) {
        EXPECT_TRUE(first.Decode(datagram).ok());
      }
      if (i + 1 == half) {
        const std::string state = first.decoder.SaveState();
        const auto restored = second.Restore(state);
        ASSERT_TRUE(restored.ok()) << restored.status();
        EXPECT_EQ(restored->exporters, 1u);
        EXPECT_EQ(restored->templates, i == 4 ? 6u : 5u);
        EXPECT_EQ(restored->held_sets, i == 2 || i == 3 ? 1u : 0u);
        EXPECT_EQ(restored->left_out, 0u);
        EXPECT_EQ(second.decoder.SaveState(), state);
      }
      if (i >= half) {
        EXPECT_TRUE(second.Decode(datagram).ok());
      }
    }
    ASSERT_EQ(whole.rows.size(), 3u);
    ASSERT_EQ(first.rows.size() + second.rows.size(), 3u) << half;
    for (size_t i = 0; i < 3; ++i) {
      const bool in_first = i < first.rows.size();
      EXPECT_TRUE(record::testing::SameRow(whole.rows, i, in_first ? first.rows : second.rows,
                                           in_first ? i : i - first.rows.size()))
          << "row " << i << ", half " << half;
    }
    const record::ExporterCounters all = record::testing::SumOf(whole.decoder);
    record::ExporterCounters sum = record::testing::SumOf(first.decoder);
    if (half > 0) sum.pending_sets = 0;  // those went on
    sum.Add(record::testing::SumOf(second.decoder));
    EXPECT_EQ(sum.flow_records, all.flow_records);
    EXPECT_EQ(sum.option_records, all.option_records);
    EXPECT_EQ(sum.pending_sets, all.pending_sets);
    EXPECT_EQ(sum.sequence.lost + sum.sequence.lost_over_restart + sum.sequence.restarts, 0u);
  }
  // The test tests something: the row has all that options taught.
  Decoding run;
  for (const auto& message : messages) EXPECT_TRUE(run.Decode(message->Datagram()).ok());
  const record::RowView row = run.rows.row(0);
  EXPECT_EQ(row.Get<FieldId::kSamplingRate>(), 500u);
  EXPECT_EQ(row.Get<FieldId::kMplsVpnRd>(), 0x0000fde900000009u);
  for (const auto& [id, text] : {std::make_pair(row.Get<FieldId::kInIfName>(), "ge-0/0/1"),
                                 std::make_pair(row.Get<FieldId::kInVrfName>(), "blue"),
                                 std::make_pair(row.Get<FieldId::kApplication>(), "http")}) {
    EXPECT_EQ(base::AsText(run.interner.Find(id)), text);
  }
}

TEST(NetflowStateTest, WhatPassedBetweenIsLostOverTheRestart) {
  Decoding first, second;
  MessageBuilder before(9, 10), after(9, 5000000), next(9, 5000003);
  EXPECT_TRUE(first.Decode(before.Datagram()).ok());
  ASSERT_TRUE(second.Restore(first.decoder.SaveState()).ok());
  EXPECT_TRUE(second.Decode(after.Datagram()).ok());
  EXPECT_TRUE(second.Decode(next.Datagram()).ok());
  const record::SequenceCounters sequence = second.decoder.Report().at(0).sequence;
  EXPECT_EQ(sequence.lost_over_restart, 4999989u);
  EXPECT_EQ(sequence.lost, 2u);
  EXPECT_EQ(sequence.restarts, 0u);
}

TEST(NetflowStateTest, ADeviceThatBeganAnewMeanwhileIsNoticed) {
  Decoding first, second;
  MessageBuilder templates(9, 500), data(9, 0);
  templates.Template(256, {{1, 4}});
  data.BeginSet(256).body().U32(1);
  data.EndSet();
  EXPECT_TRUE(first.Decode(templates.Datagram()).ok());
  ASSERT_TRUE(second.Restore(first.decoder.SaveState()).ok());
  std::vector<uint8_t> octets = data.Copy();
  base::StoreBe32(octets.data() + 4, 1000);  // up for a second
  record::Datagram datagram = data.Datagram();
  datagram.octets = octets;
  EXPECT_TRUE(second.Decode(datagram).ok());
  EXPECT_EQ(second.decoder.Report().at(0).sequence.restarts, 1u);
  EXPECT_EQ(second.decoder.Report().at(0).sequence.lost_over_restart, 0u);
  EXPECT_EQ(second.rows.size(), 0u) << "its templates are not those that were known";
}

TEST(NetflowStateTest, BoundsHoldForWhatIsRestored) {
  Decoding first;
  for (const auto& message : Messages()) EXPECT_TRUE(first.Decode(message->Datagram()).ok());
  for (uint32_t domain = 20; domain < 25; ++domain) {
    MessageBuilder message(9, 0, domain);
    message.Template(256, {{1, 4}, {2, 4}});
    EXPECT_TRUE(first.Decode(message.Datagram()).ok());
  }
  const std::string state = first.decoder.SaveState();
  struct {
    const char* what;
    void (*set)(flow::TemplateOptions*);
    uint64_t exporters, templates, left_out;
  } const kCases[] = {
      {"none bites", [](flow::TemplateOptions*) {}, 6, 11, 0},
      {"domains", [](flow::TemplateOptions* o) { o->max_domains = 2; }, 2, 7, 8},  // four, with a template each
      {"templates a domain", [](flow::TemplateOptions* o) { o->max_templates_per_domain = 2; }, 6, 7, 4},
      {"fields", [](flow::TemplateOptions* o) { o->max_fields_per_template = 3; }, 6, 8, 3},
      {"memory of templates", [](flow::TemplateOptions* o) { o->max_template_octets = 10; }, 6, 0, 11},
      {"names", [](flow::TemplateOptions* o) { o->max_names_per_domain = 1; }, 6, 11, 3},
      {"rates", [](flow::TemplateOptions* o) { o->max_rates_per_domain = 0; }, 6, 11, 2},
      {"all that was learned", [](flow::TemplateOptions* o) { o->max_learned_octets = 0; }, 6, 11, 7},
  };
  for (const auto& c : kCases) {
    NetflowOptions options;
    c.set(&options.templates);
    Decoding run(options);
    const auto restored = run.Restore(state);
    ASSERT_TRUE(restored.ok()) << c.what << ": " << restored.status();
    EXPECT_EQ(restored->exporters, c.exporters) << c.what;
    EXPECT_EQ(restored->templates, c.templates) << c.what;
    EXPECT_EQ(restored->left_out, c.left_out) << c.what;
    EXPECT_EQ(record::testing::SumOf(run.decoder).template_count, c.templates) << c.what;
  }
}

TEST(NetflowStateTest, DamagedAndForeignStatesAreRefusedAndChangeNothing) {
  Decoding first;
  for (const auto& message : Messages()) EXPECT_TRUE(first.Decode(message->Datagram()).ok());
  const std::string state = first.decoder.SaveState();
  Decoding run;
  const std::string nothing = run.decoder.SaveState();
  for (size_t cut = 0; cut < state.size(); ++cut) {
    EXPECT_FALSE(run.Restore(state.substr(0, cut)).ok()) << cut;
    std::string changed = state;
    changed[cut] = static_cast<char>(changed[cut] ^ 0x10);
    EXPECT_FALSE(run.Restore(changed).ok()) << cut;
  }
  EXPECT_EQ(run.decoder.SaveState(), nothing);
  EXPECT_TRUE(run.Restore(state).ok()) << "and it can still be restored";
  EXPECT_EQ(run.Restore(state).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(NetflowStateTest, FixedFormatsGoOnInTheirSequence) {
  base::OctetWriter w;
  w.U16(5).U16(1).U32(3600000).U32(flow::testing::kExportSeconds).U32(0).U32(100).U8(1).U8(2).U16(0).Fill(48, 1);
  const std::vector<uint8_t> v5(w.octets().begin(), w.octets().end());
  record::Datagram datagram;
  datagram.octets = v5;
  datagram.arrival_nanos = flow::testing::kExportSeconds * kSecond;
  Decoding first, second;
  EXPECT_TRUE(first.Decode(datagram).ok());
  ASSERT_TRUE(second.Restore(first.decoder.SaveState()).ok());
  std::vector<uint8_t> next = v5;
  base::StoreBe32(next.data() + 16, 103);
  datagram.octets = next;
  EXPECT_TRUE(second.Decode(datagram).ok());
  EXPECT_EQ(second.decoder.Report().at(0).sequence.lost_over_restart, 2u);
}

}  // namespace
}  // namespace flowacct::netflow
