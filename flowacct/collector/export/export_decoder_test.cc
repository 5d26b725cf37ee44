#include "flowacct/collector/export/export_decoder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/export/export_builder.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::DecodeCode;

// Remembers what it was given, and reports one exporter.
class RecordingDecoder : public record::FlowDecoder {
 public:
  RecordingDecoder(std::string protocol, std::vector<std::string>* seen)
      : protocol_(std::move(protocol)), seen_(seen) {}

  base::DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput&) override {
    seen_->push_back(protocol_);
    source_ = datagram.source;
    ++datagrams_;
    return base::DecodeResult::Error(DecodeCode::kTrailingOctets, 3);
  }
  void Rebind(const record::Layout*) override { seen_->push_back("rebind " + protocol_); }
  void EndSession(uint64_t session) override { seen_->push_back(absl::StrCat("end ", session, " ", protocol_)); }
  std::string SaveState() const override { return "state of " + protocol_; }
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) override {
    if (base::AsText(state) != SaveState()) return absl::DataLossError("not mine");
    return record::RestoredState{1, 2, 3, 4};
  }
  void Summarize(std::vector<record::ExporterCounters>* counters) const override {
    for (const record::ExporterReport& report : Report()) counters->push_back(report);
  }
  std::vector<record::ExporterReport> Report() const override {
    if (datagrams_ == 0) return {};
    record::ExporterReport report;
    report.exporter = source_;
    report.protocol = protocol_;
    report.datagrams = datagrams_;
    return {report};
  }

 private:
  const std::string protocol_;
  std::vector<std::string>* const seen_;
  base::IpAddress source_;
  uint64_t datagrams_ = 0;
};

class ExportDecoderTest : public ::testing::Test {
 protected:
  ExportDecoderTest() { Make({}); }

  void Make(ExportDecoderBounds bounds) {
    ExportFamilyDecoders decoders;
    decoders.netflow = std::make_unique<RecordingDecoder>("netflow", &seen_);
    decoders.ipfix = std::make_unique<RecordingDecoder>("ipfix", &seen_);
    decoders.sflow = std::make_unique<RecordingDecoder>("sflow", &seen_);
    decoder_ = std::make_unique<ExportDecoder>(std::move(decoders), bounds);
  }

  DecodeCode Decode(const std::string& octets, uint16_t port, uint32_t source = 1) {
    record::Datagram datagram;
    datagram.octets = base::AsOctets(octets);
    datagram.source = base::IpAddress::V4(source);
    datagram.source_port = 40000;
    datagram.destination_port = port;
    datagram.transport = transport_;
    return decoder_->Decode(datagram, {}).code;
  }

  record::Transport transport_ = record::Transport::kUdp;
  std::vector<std::string> seen_;
  std::unique_ptr<ExportDecoder> decoder_;
};

TEST_F(ExportDecoderTest, EachFamilyGetsItsOwn) {
  for (const std::string& datagram :
       {BuildFixedNetflow(5, 2), BuildNetflow9({{256, 8}}), BuildIpfix({{2, 8}}), BuildSflow(5, false, {8}),
        BuildSflow(2, true, {40}), BuildFixedNetflow(1, 1), BuildNetflow8(3, 1, 32)}) {
    EXPECT_EQ(Decode(datagram, 7777), DecodeCode::kTrailingOctets);
  }
  EXPECT_EQ(seen_, (std::vector<std::string>{"netflow", "netflow", "ipfix", "sflow", "sflow", "netflow", "netflow"}));
  EXPECT_EQ(decoder_->datagrams(ExportProtocol::kNetflow9), 1u);
  EXPECT_EQ(decoder_->datagrams(ExportProtocol::kSflow2), 1u);
  EXPECT_EQ(decoder_->datagrams(ExportProtocol::kNone), 0u);
  EXPECT_EQ(decoder_->last_protocol(), ExportProtocol::kNetflow8);
}

TEST_F(ExportDecoderTest, DoubtIsSettledByPortAndByHistory) {
  const std::string damaged = BuildNetflow9({{256, 40}}).substr(0, 50);
  EXPECT_EQ(Decode(damaged, 7777), DecodeCode::kBadVersion);
  EXPECT_EQ(decoder_->last_protocol(), ExportProtocol::kNone);
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(Decode(damaged, 2055), DecodeCode::kTrailingOctets);  // the port speaks
  EXPECT_EQ(Decode(damaged, 6343), DecodeCode::kBadVersion);      // sFlow's does not
  EXPECT_EQ(Decode(BuildNetflow9({{256, 8}}), 7777), DecodeCode::kTrailingOctets);
  EXPECT_EQ(Decode(damaged, 7777), DecodeCode::kTrailingOctets);                 // its source has sent v9
  EXPECT_EQ(Decode(damaged, 7777, 2), DecodeCode::kBadVersion);                  // another has not
  EXPECT_EQ(Decode(std::string("\0\5\0\0", 4), 7777), DecodeCode::kBadVersion);  // v5 neither
  EXPECT_EQ(decoder_->datagrams(ExportProtocol::kNetflow9), 3u);
  EXPECT_EQ(decoder_->datagrams(ExportProtocol::kNone), 4u);
}

TEST_F(ExportDecoderTest, MessagesOfFilesAreTakenAtTheirWord) {
  const std::string damaged = BuildIpfix({{2, 8}}).substr(0, 20);
  EXPECT_EQ(Decode(damaged, 0), DecodeCode::kBadVersion);
  transport_ = record::Transport::kFile;
  EXPECT_EQ(Decode(damaged, 0), DecodeCode::kTrailingOctets);
}

TEST_F(ExportDecoderTest, EveryDatagramIsInOneReport) {
  Decode(BuildIpfix({{2, 8}}), 4739, 5);
  Decode("something else", 4739, 5);
  Decode("", 4739, 5);
  Decode(BuildFixedNetflow(5, 1), 2055, 3);
  const std::vector<record::ExporterReport> reports = decoder_->Report();
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[0].protocol, "netflow");
  EXPECT_EQ(reports[1].protocol, "ipfix");
  EXPECT_EQ(reports[2].protocol, "unknown");
  EXPECT_EQ(reports[2].exporter, base::IpAddress::V4(5));
  EXPECT_EQ(reports[2].datagrams, 2u);
  EXPECT_EQ(reports[2].octets, 14u);
  EXPECT_EQ(reports[2].errors[DecodeCode::kBadVersion], 2u);
}

TEST_F(ExportDecoderTest, StrangersCannotMakeItGrow) {
  ExportDecoderBounds bounds;
  bounds.max_unknown_sources = 3;
  bounds.max_known_sources = 2;
  Make(bounds);
  for (uint32_t source = 1; source <= 10; ++source) {
    Decode("who knows", 1, source);
    Decode(BuildNetflow9({{256, 8}}), 7777, source);
  }
  const std::vector<record::ExporterReport> reports = decoder_->Report();
  uint64_t unknown = 0;
  size_t rows = 0;
  for (const record::ExporterReport& report : reports) {
    if (report.protocol != "unknown") continue;
    ++rows;
    unknown += report.datagrams;
    EXPECT_EQ(report.datagrams, report.scope == record::ExporterScope::kBeyond ? 7u : 1u);
    EXPECT_EQ(report.exporter == base::IpAddress(), report.scope == record::ExporterScope::kBeyond);
  }
  EXPECT_EQ(rows, 4u);
  EXPECT_EQ(unknown, 10u);
  const std::string damaged = BuildNetflow9({{256, 40}}).substr(0, 50);
  EXPECT_EQ(Decode(damaged, 7777, 2), DecodeCode::kTrailingOctets);
  EXPECT_EQ(Decode(damaged, 7777, 3), DecodeCode::kBadVersion);  // beyond the bound: nothing is remembered of it
}

TEST_F(ExportDecoderTest, EverySessionEndsInAllFamilies) {
  decoder_->EndSession(9);
  EXPECT_EQ(seen_, (std::vector<std::string>{"end 9 netflow", "end 9 ipfix", "end 9 sflow"}));
}

TEST_F(ExportDecoderTest, StateIsThatOfAllFamiliesAndOfWhoIsKnown) {
  Decode(BuildNetflow9({{256, 8}}), 7777, 3);
  const std::string state = decoder_->SaveState();
  Make({});
  const auto restored = decoder_->RestoreState(base::AsOctets(state));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->exporters, 3u);
  EXPECT_EQ(restored->templates, 6u);
  EXPECT_EQ(restored->held_sets, 9u);
  EXPECT_EQ(restored->left_out, 12u);
  EXPECT_EQ(decoder_->SaveState(), state);
  const std::string damaged = BuildNetflow9({{256, 40}}).substr(0, 50);
  EXPECT_EQ(Decode(damaged, 7777, 3), DecodeCode::kTrailingOctets) << "it is known that it has sent v9";
  EXPECT_EQ(Decode(damaged, 7777, 4), DecodeCode::kBadVersion);

  for (size_t cut = 0; cut < state.size(); ++cut) {
    Make({});
    EXPECT_FALSE(decoder_->RestoreState(base::AsOctets(state.substr(0, cut))).ok());
  }
  ExportDecoder none({}, {});
  EXPECT_EQ(none.RestoreState(base::AsOctets(state)).status().code(), absl::StatusCode::kInvalidArgument);
  ExportDecoderBounds bounds;
  bounds.max_known_sources = 0;
  Make(bounds);
  EXPECT_EQ(decoder_->RestoreState(base::AsOctets(state))->left_out, 13u);
}

TEST_F(ExportDecoderTest, SummariesAreTheCountersOfTheReports) {
  Decode(BuildIpfix({{2, 8}}), 4739, 5);
  Decode("something else", 4739, 5);
  Decode(BuildFixedNetflow(5, 1), 2055, 3);
  std::vector<record::ExporterCounters> counters;
  decoder_->Summarize(&counters);
  std::sort(counters.begin(), counters.end());
  const std::vector<record::ExporterReport> reports = decoder_->Report();
  ASSERT_EQ(counters.size(), reports.size());
  for (size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(counters[i].protocol, reports[i].protocol);
    EXPECT_EQ(counters[i].datagrams, reports[i].datagrams);
  }
}

TEST_F(ExportDecoderTest, EveryFamilyIsRebound) {
  const record::Layout layout({record::FieldId::kBytes});
  decoder_->Rebind(&layout);
  EXPECT_EQ(seen_, (std::vector<std::string>{"rebind netflow", "rebind ipfix", "rebind sflow"}));
  ExportDecoder none({}, {});
  none.Rebind(&layout);
}

TEST_F(ExportDecoderTest, FamilyThatIsAbsentIsUnsupported) {
  ExportDecoder none({}, {});
  const std::string octets = BuildNetflow9({{256, 8}});
  record::Datagram datagram;
  datagram.octets = base::AsOctets(octets);
  EXPECT_EQ(none.Decode(datagram, {}).code, DecodeCode::kUnsupported);
  ASSERT_EQ(none.Report().size(), 1u);
  EXPECT_EQ(none.Report()[0].errors[DecodeCode::kUnsupported], 1u);
}

}  // namespace
}  // namespace flowacct::collector
