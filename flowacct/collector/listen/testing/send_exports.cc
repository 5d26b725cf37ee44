// Sends a workload of NetFlow v9 to a collector over UDP, again and again, and tells what it sent as one JSON object.
//
//     send_exports TO DATAGRAMS_PER_SECOND SECONDS [--from ADDRESS] [--records N] [--keys N] [--seed N]
//
// Whole passes alone, so that what was sent is known exactly. From pass to pass sequence numbers and clocks go on, so
// that a collector sees one exporter that lives now. For benchmarks/live.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {
namespace {

// Of a v9 datagram's header (RFC 3954, 5.1).
constexpr size_t kSecondsOffset = 8, kSequenceOffset = 12;

void StoreU32(uint32_t value, char* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (24 - 8 * i));
}

int Main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: send_exports TO DATAGRAMS_PER_SECOND SECONDS [--from ADDRESS] [--records N] ...\n");
    return 2;
  }
  const auto to = ParseEndpoint(argv[1], {EndpointScheme::kUdp});
  if (!to.ok()) {
    std::fprintf(stderr, "%s\n", std::string(to.status().message()).c_str());
    return 2;
  }
  const uint64_t rate = std::strtoull(argv[2], nullptr, 10);
  const double seconds = std::strtod(argv[3], nullptr);
  std::string from;
  WorkloadOptions options;
  options.records = 240000;
  for (int i = 4; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--from") from = argv[i + 1];
    if (flag == "--records") options.records = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--keys") options.distinct_keys = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (flag == "--seed") options.seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  const auto unix_seconds = [] { return static_cast<uint32_t>(std::time(nullptr)); };
  options.start_seconds = unix_seconds();
  options.records_per_second = static_cast<uint32_t>(rate * 24);
  WorkloadTruth truth;
  auto datagrams = DatagramsOfWorkload(options, &truth);
  auto sender = UdpSender::New(*to, from.empty() ? "" : "udp://" + from + ":0");
  if (!datagrams.ok() || !sender.ok()) {
    std::fprintf(stderr, "%s %s\n", datagrams.status().ToString().c_str(), sender.status().ToString().c_str());
    return 1;
  }
  UdpSenderPace pace;
  pace.datagrams_per_second = rate;
  pace.at_most = absl::Seconds(600);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  uint64_t passes = 0;
  uint32_t sequence = 0;
  while (passes == 0 || elapsed() < seconds) {
    const uint32_t now = unix_seconds();
    for (std::string& datagram : *datagrams) {
      StoreU32(now, &datagram[kSecondsOffset]);
      StoreU32(sequence++, &datagram[kSequenceOffset]);
    }
    if (absl::Status status = (*sender)->Send(*datagrams, pace); !status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 1;
    }
    ++passes;
  }
  const double took = elapsed();
  std::printf(
      "{\"datagrams\":%llu,\"records\":%llu,\"packets\":%llu,\"bytes\":%llu,\"distinct_five_tuples\":%llu,"
      "\"seconds\":%.3f}\n",
      static_cast<unsigned long long>(passes * datagrams->size()),
      static_cast<unsigned long long>(passes * truth.records), static_cast<unsigned long long>(passes * truth.packets),
      static_cast<unsigned long long>(passes * truth.bytes),
      static_cast<unsigned long long>(truth.distinct_five_tuples), took);
  return 0;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) { return flowacct::collector::Main(argc, argv); }
