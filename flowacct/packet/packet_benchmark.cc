// Packets a second into rows of a 5-tuple with packets and bytes, on one core: the fast path, the general one that it
// is tested against, and tunnels. Frames of many conversations, cut to 96 octets as captures usually are.

#include <algorithm>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::packet {
namespace {

using record::FieldId;

constexpr size_t kFrames = 4096;
constexpr size_t kSnapLength = 96;

struct Frames {
  std::vector<uint8_t> octets;
  struct Frame {
    uint32_t offset, captured, wire;
  };
  std::vector<Frame> frames;
};

Frames MakeFrames(bool tunnels) {
  Frames made;
  uint32_t random = 1;
  for (size_t i = 0; i < kFrames; ++i) {
    random = random * 1664525 + 1013904223;
    const auto source = static_cast<uint16_t>(random >> 16 | 0x8000);
    PacketBuilder packet;
    packet.Ethernet();
    if (tunnels) packet.Ipv4().Udp(source, 0).Vxlan(random >> 8).Ethernet();
    if (random >> 8 & 1) {
      packet.Ipv4();
    } else {
      packet.Ipv6();
    }
    if (random >> 9 & 1) {
      packet.Tcp(source, 443);
    } else {
      packet.Udp(source, 53);
    }
    const std::vector<uint8_t> octets = packet.Payload(200 + (random >> 20)).Build();
    const auto captured = static_cast<uint32_t>(std::min(octets.size(), tunnels ? 2 * kSnapLength : kSnapLength));
    made.frames.push_back({static_cast<uint32_t>(made.octets.size()), captured, static_cast<uint32_t>(octets.size())});
    made.octets.insert(made.octets.end(), octets.begin(), octets.begin() + captured);
  }
  return made;
}

void Run(benchmark::State& state, bool tunnels, PacketDecoderOptions options) {
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort,
                               FieldId::kProtocol, FieldId::kPackets, FieldId::kBytes});
  base::Interner interner;
  const Frames frames = MakeFrames(tunnels);
  PacketDecoder decoder(&layout, &interner, options);
  record::FlowBatch batch(&layout, &interner);
  for (auto _ : state) {
    for (size_t i = 0; i < kFrames; ++i) {
      if (i % 64 == 0) batch.Clear();  // a batch's worth
      const auto& frame = frames.frames[i];
      const base::Octets octets(frames.octets.data() + frame.offset, frame.captured);
      benchmark::DoNotOptimize(decoder.Decode(LinkType::kEthernet, octets, frame.wire, 1, batch.Append()));
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kFrames));
}

void BM_FastPath(benchmark::State& state) { Run(state, false, {}); }
BENCHMARK(BM_FastPath);

void BM_GeneralPath(benchmark::State& state) {
  PacketDecoderOptions options;
  options.fast_path = false;
  Run(state, false, options);
}
BENCHMARK(BM_GeneralPath);

void BM_VxlanOutermost(benchmark::State& state) { Run(state, true, {}); }
BENCHMARK(BM_VxlanOutermost);

void BM_VxlanInnermost(benchmark::State& state) {
  PacketDecoderOptions options;
  options.depth = -1;
  Run(state, true, options);
}
BENCHMARK(BM_VxlanInnermost);

}  // namespace
}  // namespace flowacct::packet

BENCHMARK_MAIN();
