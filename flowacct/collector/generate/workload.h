// Deterministic workloads: captures of any size whose totals are known, for benchmarks, tests and demonstrations.
//
//     auto generator = NewWorkloadGenerator({.kind = WorkloadKind::kNetFlow9});
//     CapturedPacket packet;
//     while ((*generator)->Next(&packet)) writer->Write(packet);
//     std::cout << WorkloadTruthJson((*generator)->Truth());
//
// The five shapes:
//   v5       30 records a datagram
//   v9       24 records of 19 fields a datagram, templates every 1,000 datagrams
//   ipfix    18 fields with counters of 8 octets, IPv4 and IPv6 templates, messages that fit 1,280 octets of MTU
//   sflow    7 samples of 128 octets of header a datagram, one packet in 1,000
//   packets  the packets themselves, cut at 96 octets
// Guaranteed: the same options give the same octets on every machine and in every version that does not say otherwise
// in the CHANGELOG. Ownership: a packet borrows the generator's buffer until the next call. Threads: one at a time.
// Cost: some 300 ns a record; memory: 8 octets and a bit for each of `distinct_keys`.

#ifndef FLOWACCT_COLLECTOR_GENERATE_WORKLOAD_H_
#define FLOWACCT_COLLECTOR_GENERATE_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/capture/captured_packet.h"

namespace flowacct::collector {

enum class WorkloadKind : uint8_t { kNetFlow5, kNetFlow9, kIpfix, kSflow, kPackets };
absl::string_view WorkloadKindName(WorkloadKind kind);  // "v5", "v9", "ipfix", "sflow", "packets"
std::optional<WorkloadKind> FindWorkloadKind(absl::string_view name);

struct WorkloadOptions {
  WorkloadKind kind = WorkloadKind::kNetFlow9;
  // Flow records, sFlow samples or packets. 0: 3 million flow records, 2 million samples, 5 million packets.
  uint64_t records = 0;
  uint64_t seed = 1;
  // Keys to draw from; not all of them are met. 0: a million, for packets 550,000.
  uint32_t distinct_keys = 0;
  // Pairs of source and destination prefixes that the keys fall into.
  uint32_t prefix_pairs = 60000;
  // Of the pairs of prefixes. Negative: 30 for ipfix, 10 for sflow and packets, none for v5 (which cannot) and v9.
  int ipv6_percent = -1;
  // Addresses and AS numbers of the ranges for documentation, for captures that are shown to people.
  bool documentation_space = false;
  // How unequal the keys are: 0 all alike, 1 as the Internet's.
  double zipf_exponent = 1.0;
  // Devices that export, 192.0.2.1 and following; at most 200. They take turns.
  uint32_t exporters = 1;
  // Time that passes in the capture.
  uint32_t records_per_second = 100000;
  // When the capture begins, since 1970.
  uint32_t start_seconds = 1700000000;
};

struct WorkloadTruth {
  WorkloadKind kind = WorkloadKind::kNetFlow9;
  uint64_t datagrams = 0;  // frames of the capture
  uint64_t records = 0;    // flow records, samples, packets
  // Sums as told on the wire: sampled packets are not scaled. Octets are those of the IP packets.
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t distinct_five_tuples = 0;
  // As told on the wire: AS_TRANS is one AS in v5; 0 where the wire tells none (sflow, packets).
  uint64_t distinct_as_pairs = 0;
};
// One JSON object on one line, with the names above.
std::string WorkloadTruthJson(const WorkloadTruth& truth);

class WorkloadGenerator {
 public:
  virtual ~WorkloadGenerator() = default;
  // The next frame (Ethernet); false at the end.
  virtual bool Next(CapturedPacket* packet) = 0;
  // What the frames so far hold. Cost: a pass over the keys.
  virtual WorkloadTruth Truth() const = 0;
  // The longest that a frame of this kind is cut at.
  virtual uint32_t snap_length() const = 0;
};

// InvalidArgument names the option that cannot be.
absl::StatusOr<std::unique_ptr<WorkloadGenerator>> NewWorkloadGenerator(const WorkloadOptions& options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_WORKLOAD_H_
