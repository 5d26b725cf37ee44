// What a replay does with input that is made to hurt.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/sink/sink.h"

namespace flowacct::collector {
namespace {

using base::OctetWriter;

// A pcap file of whole IPv4 packets (LINKTYPE_RAW), one a call.
class RawCapture {
 public:
  RawCapture() { Little(0xa1b2c3d4).Little(4 << 16 | 2).Little(0).Little(0).Little(65535).Little(101); }

  RawCapture& Packet(uint32_t seconds, uint32_t source, uint16_t fragment, absl::string_view payload) {
    OctetWriter ip;
    ip.U8(0x45).U8(0).U16(static_cast<uint16_t>(20 + payload.size())).U16(7).U16(fragment);
    ip.U8(64).U8(17).U16(0).U32(source).U32(0xc0000201).Text(payload);
    const auto size = static_cast<uint32_t>(ip.octets().size());
    Little(seconds).Little(0).Little(size).Little(size);
    file_ += std::string(base::AsText(ip.octets()));
    return *this;
  }

  const std::string& octets() const { return file_; }
  // A file that goes when the test does.
  std::string Write() const {
    const std::string path = absl::StrCat(::testing::TempDir(), "/hostile_input_test.pcap");
    FILE* file = std::fopen(path.c_str(), "wb");
    EXPECT_NE(file, nullptr) << path;
    EXPECT_EQ(std::fwrite(file_.data(), 1, file_.size(), file), file_.size());
    std::fclose(file);
    return path;
  }

 private:
  RawCapture& Little(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) file_.push_back(static_cast<char>(value >> shift & 0xff));
    return *this;
  }
  std::string file_;
};

class CountingSink : public sink::Sink {
 public:
  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    ++batches;
    for (size_t row = 0; row < batch.size(); ++row) packets += batch.value(row, 0);
    return failure;
  }
  absl::Status Close() override { return failure; }

  size_t batches = 0;
  uint64_t packets = 0;
  absl::Status failure;
};

ReplayOptions Of(const std::string& path, sink::Sink* sink) {
  ReplayOptions options;
  options.files = {path};
  pipeline::AggregationOptions aggregation;
  aggregation.aggregator.by = {"src_addr"};
  aggregation.aggregator.values = {"packets"};
  aggregation.aggregator.every = absl::Seconds(1);
  aggregation.sink = sink;
  options.pipeline.aggregations.push_back(aggregation);
  return options;
}

TEST(HostileInputTest, BinsBeyondTheBoundAreWrittenAsTheyComeAndNotHeldToTheEnd) {
  RawCapture capture;
  for (uint32_t i = 0; i < 3000; ++i) capture.Packet(1700000000 + 2 * i, 0x0a000000 + i, 0, std::string(8, 0));
  CountingSink sink;
  ReplayOptions options = Of(capture.Write(), &sink);
  options.input.as = CaptureKind::kPackets;
  size_t held_most = 0;
  uint64_t seen = 0;
  options.progress = [&](const CaptureReader& reader) {
    seen = reader.progress().packets;
    held_most = std::max<size_t>(held_most, seen - sink.batches);
  };
  const auto outcome = Replay(options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(seen, 3000u);
  EXPECT_LT(held_most, 2000u) << "512 open bins and a batch of packets";
  EXPECT_EQ(sink.packets, 3000u);
  EXPECT_EQ(sink.batches, 3000u);
  EXPECT_EQ(outcome->aggregations[0].aggregator.bins_evicted, 3000u - 512u);
}

TEST(HostileInputTest, ASinkThatFailsWithEachBinIsToldOnce) {
  RawCapture capture;
  for (uint32_t i = 0; i < 3000; ++i) capture.Packet(1700000000 + 2 * i, 0x0a000000, 0, std::string(8, 0));
  CountingSink sink;
  sink.failure = absl::UnavailableError("full");
  ReplayOptions options = Of(capture.Write(), &sink);
  options.input.as = CaptureKind::kPackets;
  const auto outcome = Replay(options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->failures, std::vector<absl::Status>{sink.failure});
}

volatile std::sig_atomic_t alarmed = 0;

TEST(HostileInputTest, ASignalEndsAWaitForInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string head = RawCapture().Packet(1700000000, 0x0a000000, 0, std::string(8, 0)).octets();
  ASSERT_EQ(write(ends[1], head.data(), head.size()), static_cast<ssize_t>(head.size()));
  struct sigaction action {};
  action.sa_handler = [](int) { alarmed = 1; };  // without SA_RESTART
  ASSERT_EQ(sigaction(SIGALRM, &action, nullptr), 0);
  CountingSink sink;
  ReplayOptions options = Of(absl::StrCat("/dev/fd/", ends[0]), &sink);
  options.input.as = CaptureKind::kPackets;
  options.interrupted = [] { return alarmed != 0; };
  ualarm(200000, 0);
  const auto outcome = Replay(options);
  close(ends[0]);
  close(ends[1]);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->interrupted);
  EXPECT_TRUE(outcome->failures.empty()) << outcome->failures[0];
  EXPECT_EQ(sink.packets, 1u);
}

TEST(HostileInputTest, DatagramsInPiecesAreTold) {
  RawCapture capture;
  for (uint32_t i = 0; i < 5; ++i) capture.Packet(1700000000, 0x0a000000 + i, 0x2000, std::string(8, 0));
  CountingSink sink;
  ReplayOptions options = Of(capture.Write(), &sink);
  options.input.as = CaptureKind::kExports;
  const auto outcome = Replay(options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->input.extracted.fragments, 5u);
  const std::string summary = absl::StrJoin(Summary(*outcome), "\n");
  EXPECT_TRUE(absl::StrContains(summary, "5 fragmented datagrams never became whole")) << summary;
}

}  // namespace
}  // namespace flowacct::collector
