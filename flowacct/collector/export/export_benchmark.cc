// The road of an export from the file to its decoder's door: bazel run --config=opt
// //flowacct/collector/export:export_benchmark
//
// The file is in memory or in the page cache; an item is a packet.

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/collector/capture/capture_file_builder.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/export_builder.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/export/export_protocol.h"

namespace flowacct::collector {
namespace {

constexpr size_t kPackets = 130000;

// 24 records of 58 octets a datagram: some 195 MB.
const std::string& PcapFile(bool nanoseconds) {
  static const auto make = [](bool nanos) {
    PcapStyle style;
    style.nanoseconds = nanos;
    const std::string frame = BuildEthernet(0x0800, BuildUdpIpv4(BuildNetflow9({{256, 24 * 58}})));
    return BuildPcap(style, std::vector<BuiltPacket>(kPackets, {1500000000123456789, frame, 0}));
  };
  static const std::string* const micro = new std::string(make(false));
  static const std::string* const nano = new std::string(make(true));
  return nanoseconds ? *nano : *micro;
}

std::string PathOf(const std::string& octets, const char* name) {
  const char* const folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder != nullptr ? folder : "/tmp") + "/" + name;
  std::ofstream(path, std::ios::binary) << octets;
  return path;
}

template <typename PerPacket>
void Walk(benchmark::State& state, const std::string& path, PerPacket per_packet) {
  size_t packets = 0;
  for (auto _ : state) {
    auto reader = CaptureReader::Open(path);
    for (auto batch = (*reader)->NextBatch(); batch.ok() && !batch->empty(); batch = (*reader)->NextBatch()) {
      for (const CapturedPacket& packet : *batch) per_packet(packet);
      packets += batch->size();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(packets));
}

void BM_ReadPcap(benchmark::State& state) {
  const std::string path = PathOf(PcapFile(state.range(0) != 0), "export_benchmark.pcap");
  Walk(state, path, [](const CapturedPacket& packet) { benchmark::DoNotOptimize(packet.octets.data()); });
  std::remove(path.c_str());
}
BENCHMARK(BM_ReadPcap)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_ReadPcapng(benchmark::State& state) {
  PcapngBuilder builder;
  builder.Section(false).Interface(1, 0, 9);
  const std::string frame = BuildEthernet(0x0800, BuildUdpIpv4(BuildNetflow9({{256, 24 * 58}})));
  for (size_t i = 0; i < kPackets; ++i) builder.Enhanced(0, 1500000000123456789, frame);
  const std::string path = PathOf(builder.octets(), "export_benchmark.pcapng");
  Walk(state, path, [](const CapturedPacket& packet) { benchmark::DoNotOptimize(packet.octets.data()); });
  std::remove(path.c_str());
}
BENCHMARK(BM_ReadPcapng)->Unit(benchmark::kMillisecond);

void BM_ReadSmallPackets(benchmark::State& state) {
  const std::string path = PathOf(
      BuildPcap({}, std::vector<BuiltPacket>(1000000, {1500000000123456789, std::string(64, 'p'), 0})), "small.pcap");
  Walk(state, path, [](const CapturedPacket& packet) { benchmark::DoNotOptimize(packet.octets.data()); });
  std::remove(path.c_str());
}
BENCHMARK(BM_ReadSmallPackets)->Unit(benchmark::kMillisecond);

void BM_ReadAndExtract(benchmark::State& state) {
  const std::string path = PathOf(PcapFile(false), "export_benchmark.pcap");
  ExportExtractor extractor;
  record::Datagram datagram;
  Walk(state, path, [&](const CapturedPacket& packet) {
    if (extractor.Extract(packet, &datagram)) benchmark::DoNotOptimize(ProtocolOfVersion(datagram.octets));
  });
  std::remove(path.c_str());
}
BENCHMARK(BM_ReadAndExtract)->Unit(benchmark::kMillisecond);

// One packet again and again: what extraction costs by itself.
void BM_Extract(benchmark::State& state) {
  const std::string payload = BuildNetflow9({{256, 24 * 58}});
  const std::string ip = BuildUdpIpv4(payload);
  const bool cooked = state.range(0) != 0;
  const std::string frame =
      cooked ? std::string("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16) + ip : BuildEthernet(0x0800, ip);
  CapturedPacket packet;
  packet.octets = base::AsOctets(frame);
  packet.wire_length = static_cast<uint32_t>(frame.size());
  packet.link_type = cooked ? 113 : 1;
  ExportExtractor extractor;
  record::Datagram datagram;
  for (auto _ : state) {
    benchmark::DoNotOptimize(extractor.Extract(packet, &datagram));
    benchmark::DoNotOptimize(datagram.octets.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_Extract)->Arg(0)->Arg(1);

void BM_GuessNetflow9(benchmark::State& state) {
  const std::string datagram = BuildNetflow9({{256, 24 * 58}});
  for (auto _ : state) benchmark::DoNotOptimize(GuessExport(base::AsOctets(datagram)));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_GuessNetflow9);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
