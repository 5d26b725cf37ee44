// Every capture of exports, from its file to rows: nothing is lost on the way without being counted.

#include "flowacct/collector/export/new_export_decoder.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/export_builder.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/record/flow_batch.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(NewExportDecoderTest, EachProtocolHasItsDecoder) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  record::FlowBatch counters(&layout, &interner);
  const std::unique_ptr<ExportDecoder> decoder = NewExportDecoder(&layout);
  for (const std::string& octets : {BuildFixedNetflow(1, 2), BuildFixedNetflow(5, 3), BuildFixedNetflow(7, 4),
                                    BuildNetflow9({{256, 8}}), BuildIpfix({{256, 8}}), BuildSflow(5, false, {})}) {
    record::Datagram datagram;
    datagram.octets = base::AsOctets(octets);
    datagram.source = base::IpAddress::V4(0xc0000201);
    datagram.arrival_nanos = 1500000000000000000;
    (void)decoder->Decode(datagram, {&batch, &counters, nullptr});
  }
  EXPECT_EQ(batch.size(), 9u);
  EXPECT_EQ(decoder->datagrams(ExportProtocol::kNone), 0u);
  EXPECT_EQ(decoder->Report().size(), 6u);
}

TEST(RealCaptureTest, EveryDatagramAndRowIsInAReport) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  std::ifstream manifest(absl::StrCat(captures, "/MANIFEST.tsv"));
  if (!manifest) GTEST_SKIP() << captures << "/MANIFEST.tsv is not there";
  const record::Layout layout = record::Layout::All();
  std::string line;
  uint64_t rows = 0;
  while (std::getline(manifest, line)) {
    const std::string file = std::vector<std::string>(absl::StrSplit(line, '\t'))[0];
    if (absl::StartsWith(file, "mrt/")) continue;
    auto reader = CaptureReader::Open(absl::StrCat(captures, "/", file));
    if (!reader.ok()) continue;  // the manifest's heading
    SCOPED_TRACE(file);
    base::Interner interner;
    record::FlowBatch flows(&layout, &interner);
    record::FlowBatch counters(&layout, &interner);
    const std::unique_ptr<ExportDecoder> decoder = NewExportDecoder(&layout);
    ExportExtractor extractor;
    uint64_t octets = 0;
    uint64_t flow_rows = 0;
    record::Datagram datagram;
    for (auto batch = (*reader)->NextBatch(); batch.ok() && !batch->empty(); batch = (*reader)->NextBatch()) {
      for (const CapturedPacket& packet : *batch) {
        if (!extractor.Extract(packet, &datagram)) continue;
        octets += datagram.octets.size();
        (void)decoder->Decode(datagram, {&flows, &counters, nullptr});
        flow_rows += flows.size();
        flows.Clear();
        counters.Clear();
      }
    }
    rows += flow_rows;
    uint64_t told_datagrams = 0;
    uint64_t told_octets = 0;
    uint64_t told_records = 0;
    for (const record::ExporterReport& report : decoder->Report()) {
      told_datagrams += report.datagrams;
      told_octets += report.octets;
      told_records += report.flow_records;
    }
    EXPECT_EQ(told_datagrams, extractor.counters().datagrams);
    EXPECT_EQ(told_octets, octets);
    // A biflow is one record and up to two rows.
    EXPECT_GE(flow_rows, told_records);
    EXPECT_LE(flow_rows, told_records * 2);
  }
  EXPECT_GT(rows, 3000u);
}

TEST(RealCaptureTest, ARestartInTheMiddleChangesNoRow) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  std::ifstream manifest(absl::StrCat(captures, "/MANIFEST.tsv"));
  if (!manifest) GTEST_SKIP() << captures << "/MANIFEST.tsv is not there";
  const record::Layout layout = record::Layout::All();
  std::string line;
  uint64_t rows = 0, restored_templates = 0;
  while (std::getline(manifest, line)) {
    const std::string file = std::vector<std::string>(absl::StrSplit(line, '\t'))[0];
    if (absl::StartsWith(file, "mrt/") || absl::StartsWith(file, "packets/")) continue;
    const std::string path = absl::StrCat(captures, "/", file);
    auto reader = CaptureReader::Open(path), counting = CaptureReader::Open(path);
    if (!reader.ok()) continue;  // the manifest's heading
    SCOPED_TRACE(file);
    size_t packets = 0;
    for (auto batch = (*counting)->NextBatch(); batch.ok() && !batch->empty(); batch = (*counting)->NextBatch()) {
      packets += batch->size();
    }
    base::Interner interner;
    record::FlowBatch one(&layout, &interner), other(&layout, &interner);
    const std::unique_ptr<ExportDecoder> through = NewExportDecoder(&layout);
    std::unique_ptr<ExportDecoder> broken = NewExportDecoder(&layout);
    ExportExtractor extractor;
    record::Datagram datagram;
    size_t number = 0;
    for (auto batch = (*reader)->NextBatch(); batch.ok() && !batch->empty(); batch = (*reader)->NextBatch()) {
      for (const CapturedPacket& packet : *batch) {
        if (number++ == packets / 2) {
          const std::string state = broken->SaveState();
          broken = NewExportDecoder(&layout);
          const auto restored = broken->RestoreState(base::AsOctets(state));
          ASSERT_TRUE(restored.ok()) << restored.status();
          EXPECT_EQ(restored->left_out, 0u);
          EXPECT_EQ(broken->SaveState(), state);
          restored_templates += restored->templates;
        }
        if (!extractor.Extract(packet, &datagram)) continue;
        one.Clear();
        other.Clear();
        const base::DecodeResult a = through->Decode(datagram, {&one, nullptr, nullptr});
        const base::DecodeResult b = broken->Decode(datagram, {&other, nullptr, nullptr});
        EXPECT_EQ(a.code, b.code);
        ASSERT_EQ(one.size(), other.size()) << number;
        if (!one.empty()) {
          EXPECT_EQ(std::memcmp(one.data(), other.data(), one.size() * one.stride()), 0) << number;
        }
        rows += one.size();
      }
    }
  }
  EXPECT_GT(rows, 1000u);
  EXPECT_GT(restored_templates, 100u);
}

}  // namespace
}  // namespace flowacct::collector
