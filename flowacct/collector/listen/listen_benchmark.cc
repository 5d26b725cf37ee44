// What it costs to take a datagram from the system, and to admit it: bazel run --config=opt
// //flowacct/collector/listen:listen_benchmark
//
// A round of datagrams is put into the socket's buffer over loopback, outside of the time that counts; then it is
// received. An item is a datagram.

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/listen/admission.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {
namespace {

constexpr size_t kRound = 4096;
constexpr size_t kOctets = 1400;

void Receive(benchmark::State& state, UdpListenerOptions options) {
  options.receive_buffer_octets = 64 << 20;
  auto group = UdpListener::NewGroup(options, 1);
  if (!group.ok()) return state.SkipWithError(group.status().ToString().c_str());
  UdpListener* listener = group->listeners[0].get();
  auto sender = UdpSender::New(listener->endpoint(), "udp://127.0.0.1:0");
  if (!sender.ok()) return state.SkipWithError(sender.status().ToString().c_str());
  const std::vector<std::string> datagrams(kRound, std::string(kOctets, 'x'));
  uint64_t received = 0;
  uint32_t sum = 0;
  for (auto _ : state) {
    state.PauseTiming();
    (*sender)->Send(datagrams).IgnoreError();
    state.ResumeTiming();
    for (;;) {
      const auto batch = listener->Receive();
      if (batch.empty()) break;
      received += batch.size();
      // As a decoder would, look at all lines of it.
      for (const record::Datagram& datagram : batch) {
        for (size_t i = 0; i < datagram.octets.size(); i += 64) sum += datagram.octets[i];
        sum += static_cast<uint32_t>(datagram.arrival_nanos) + datagram.destination.data()[15];
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  if (received != kRound * state.iterations()) state.SkipWithError("not all arrived");
  state.SetItemsProcessed(static_cast<int64_t>(received));
}

void BM_ReceiveOfBatch(benchmark::State& state) {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  options.batch_datagrams = static_cast<size_t>(state.range(0));
  Receive(state, options);
}
BENCHMARK(BM_ReceiveOfBatch)->Arg(1)->Arg(8)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256);

void BM_ReceiveIntoSlotsOf(benchmark::State& state) {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  options.max_datagram_octets = static_cast<size_t>(state.range(0));
  Receive(state, options);
}
BENCHMARK(BM_ReceiveIntoSlotsOf)->Arg(1472)->Arg(2048)->Arg(9216)->Arg(65535);

// 0: bound to all addresses, no destination; 1: with destination; 2: with times of the system; 3: both; 4: UDP_GRO.
void BM_ReceiveTelling(benchmark::State& state) {
  UdpListenerOptions options;
  options.address = state.range(1) != 0 ? "udp://[::]:0" : "udp://0.0.0.0:0";
  options.tell_destination = state.range(0) == 1 || state.range(0) == 3;
  options.kernel_times = state.range(0) == 2 || state.range(0) == 3;
  options.coalesce = state.range(0) == 4;
  Receive(state, options);
}
BENCHMARK(BM_ReceiveTelling)->ArgsProduct({{0, 1, 2, 3, 4}, {0, 1}});

// What a card that collects datagrams of an exporter would give: blocks of 40, taken apart by the system (0), or by us
// (1, `coalesce`).
void BM_ReceiveBlocks(benchmark::State& state) {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  options.coalesce = state.range(0) != 0;
  options.receive_buffer_octets = 64 << 20;
  auto group = UdpListener::NewGroup(options, 1);
  if (!group.ok()) return state.SkipWithError(group.status().ToString().c_str());
  UdpListener* listener = group->listeners[0].get();
  auto socket = OpenSocket(listener->endpoint());
  const auto address = ToSocketAddress(listener->endpoint());
  constexpr int kUdpSegment = 103;  // UDP_SEGMENT (linux/udp.h)
  const int segment = kOctets;
  if (!socket.ok() || connect(socket->get(), address->get(), address->length) != 0 ||
      setsockopt(socket->get(), IPPROTO_UDP, kUdpSegment, &segment, sizeof(segment)) != 0) {
    return state.SkipWithError("this system does not send in blocks");
  }
  const std::string block(40 * kOctets, 'x');
  uint64_t received = 0;
  uint32_t sum = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (size_t i = 0; i < kRound; i += 40) send(socket->get(), block.data(), block.size(), 0);
    state.ResumeTiming();
    for (;;) {
      const auto batch = listener->Receive();
      if (batch.empty()) break;
      received += batch.size();
      for (const record::Datagram& datagram : batch) {
        for (size_t i = 0; i < datagram.octets.size(); i += 64) sum += datagram.octets[i];
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(received));
}
BENCHMARK(BM_ReceiveBlocks)->Arg(0)->Arg(1);

std::vector<base::IpAddress> Addresses(size_t n, uint32_t first, bool mixed) {
  std::vector<base::IpAddress> addresses;
  for (size_t i = 0; i < n; ++i) {
    const auto number = static_cast<uint32_t>(i);
    addresses.push_back(base::IpAddress::V4(mixed ? number * 2654435761u : first + number));
  }
  return addresses;
}

// 0: nothing configured; 1: a rule; 2: limits for each; 3: a rule with limits.
AdmissionOptions OptionsOf(int64_t kind) {
  AdmissionOptions options;
  AdmissionRule rule;
  rule.prefix = *base::IpPrefix::Parse("192.0.2.0/24");
  if (kind >= 2) (kind == 2 ? options.datagrams : rule.datagrams) = {1000000, 1000000};
  if (kind >= 2) (kind == 2 ? options.records : rule.records) = {30000000, 30000000};
  if (kind == 1 || kind == 3) options.rules = {rule};
  return options;
}

// Datagrams of exporters, ten of each at a time.
void BM_AdmitExporters(benchmark::State& state) {
  auto admission = *Admission::New(OptionsOf(state.range(0)));
  const std::vector<base::IpAddress> sources = Addresses(200, 0xc0000200, false);
  size_t i = 0;
  int64_t now = 1;
  for (auto _ : state) {
    const base::IpAddress& source = sources[i++ / 10 % sources.size()];
    benchmark::DoNotOptimize(admission->Admit(source, now += 1000));
    admission->ChargeRecords(source, 24, now);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_AdmitExporters)->DenseRange(0, 3);

// A flood of forged addresses: refused by a rule (1), or judged by the bucket of those beyond the bound (2).
void BM_AdmitFlood(benchmark::State& state) {
  auto admission = *Admission::New(OptionsOf(state.range(0)));
  const std::vector<base::IpAddress> sources = Addresses(1 << 18, 0, true);
  size_t i = 0;
  int64_t now = 1;
  for (const base::IpAddress& source : sources) benchmark::DoNotOptimize(admission->Admit(source, now));
  for (auto _ : state) benchmark::DoNotOptimize(admission->Admit(sources[i++ % sources.size()], now += 100));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_AdmitFlood)->Arg(1)->Arg(2);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
