// Packets in, flows out: the cache that a probe runs.
//
//     New(options, interner) -> layout() -> a packet::PacketDecoder that fills rows of it
//     -> Add(packets, receiver)... -> Advance(now, receiver) in silence -> Close(receiver)
//
// A flow is what has the same key: its counters are summed, its tcp_flags or-ed, its times and its extremes (min_ttl,
// max_packet_length, ...) widened, and all else is as its first packet told (flow_rules in flow_meter.cc).
// Standards: the metering process of RFC 7011, 2 and 5.1; flowEndReason of RFC 5102, 5.11.3.
//
// A flow ends when no packet came for its idle timeout, or when it has lasted for the active timeout; the packet that
// comes at that moment or later begins the next one. After a FIN or RST the timeouts for these count as idle timeout. A
// flow is given out at most one 512th of the longest idle timeout after it ended.
//
// Exact: each packet is in one flow; packets and bytes in = given out + CachedTotals(). So a flow that would count
// beyond 64 bits ends before. Packets of different sampling rates are different flows (sampling_rate belongs to the
// key), so counters stay as seen and the rate that multiplies them is known. Bounded: max_flows; beyond, the flow whose
// timeout is nearest ends. The order of packets decides, no clock and no seed: the same packets give the same flows in
// the same order, however they were divided into batches.
//
// Time is the packets' own, which may be out of order by up to max_clock_step; further back, the clock was set, and
// all flows end.
// Ownership: borrows the interner, to which interned fields refer; whoever replaces it closes before. Threads: one at a
// time. Errors: only New has any. Cost: meter_benchmark has 45 ns a packet for a
// thousand flows and 135 for 360,000, the making of rows included, on a busy machine; no allocation in steady state.
// Memory: a flow of the default fields takes 96 octets, 12 for its place and 16 to 24 of index; the index of max_flows
// is there from the start.

#ifndef FLOWACCT_METER_FLOW_METER_H_
#define FLOWACCT_METER_FLOW_METER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/meter/flow_end_reason.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::meter {

struct MeterOptions {
  // What makes a flow, by the names of fields. A field that packets lack costs its octets and does nothing.
  std::vector<std::string> key = {"src_addr", "dst_addr", "src_port", "dst_port",  "protocol",  "tos",
                                  "vlan",     "in_if",    "out_if",   "icmp_type", "icmp_code", "sampling_rate"};
  // What is told of a flow beside its key, tcp_flags, packets, bytes, times and flow_end_reason: such as src_mac, ttl,
  // min_ttl, max_packet_length, flows.
  std::vector<std::string> fields;
  // Fields beside the registry's, which may be named above; null: none.
  std::shared_ptr<const record::CustomFields> custom_fields;

  // A long flow is told of once in this time: a minute, so that accounting by the minute sees it.
  absl::Duration active_timeout = absl::Seconds(60);
  // Routers' usual one. Less gives more flows, more takes more memory.
  absl::Duration idle_timeout = absl::Seconds(15);
  // Of a protocol, instead of idle_timeout.
  std::optional<absl::Duration> tcp_timeout;
  std::optional<absl::Duration> udp_timeout;
  std::optional<absl::Duration> icmp_timeout;
  // Once a FIN or RST was seen, if shorter: long enough for the last acknowledgement, which would be a flow of its own.
  // 0: that packet ends the flow. InfiniteDuration: these packets are like all others.
  absl::Duration tcp_fin_timeout = absl::Seconds(5);
  absl::Duration tcp_rst_timeout = absl::Seconds(5);

  // At once: twice what a busy link of 10 Gbit/s holds, and some 130 MB.
  size_t max_flows = size_t{1} << 20;
  // Captures of several interfaces and processors are out of order by milliseconds.
  absl::Duration max_clock_step = absl::Seconds(60);
  // Of the hash, so that nobody can choose keys that collide. 0: from the system's randomness.
  uint64_t seed = 0;
};

struct MeterTotals {
  uint64_t flows = 0, packets = 0, bytes = 0;
};

// flows_started = sum of flows_ended + CachedTotals().flows, and the same for packets and bytes.
struct MeterCounters {
  uint64_t rows_in = 0, packets_in = 0, bytes_in = 0;
  uint64_t flows_started = 0;
  uint64_t packets_out = 0, bytes_out = 0;
  std::array<uint64_t, kFlowEndReasons> flows_ended{};  // by FlowEndReason
  uint64_t rows_without_time = 0;                       // taken to be of the time of the packet before
  uint64_t clock_steps = 0;                             // time went back by more than max_clock_step
};

// Hears of flows that ended, rows of FlowMeter::layout(); valid for the call, in which the meter is not to be called.
using FlowReceiver = absl::FunctionRef<void(const record::FlowBatch& flows)>;

class FlowMeter {
 public:
  // Rows that a receiver is given at once, at most.
  static constexpr size_t kBatchRows = 256;

  // InvalidArgument for an option that cannot be; its text names the option, the value and what to do.
  static absl::StatusOr<std::unique_ptr<FlowMeter>> New(MeterOptions options, base::Interner* interner);
  ~FlowMeter();

  // Of the flows that come out: the key's fields, then the others. Packets whose rows have this very layout are metered
  // as they lie.
  const record::Layout& layout() const;
  // Before the first Add of packets whose rows have another layout, and when it changes; it outlives the meter or the
  // next Bind. Fields that it lacks are absent in every packet.
  void Bind(const record::Layout* packets);

  // One row a packet (or a flow record, which is taken for so many packets of its last moment). `packets` has the bound
  // layout and this meter's interner.
  void Add(const record::FlowBatch& packets, FlowReceiver receiver);
  // So late is it now, though no packet says so. What lies before the last packet does nothing.
  void Advance(absl::Time now, FlowReceiver receiver);
  // Ends all flows. What is added afterwards begins anew.
  void Close(FlowReceiver receiver);

  // Time of the last packet or Advance, nanoseconds since 1970; 0 before the first.
  int64_t now_nanos() const;
  // A flow is given out so long after it ended, at most.
  absl::Duration resolution() const;
  const MeterCounters& counters() const;
  // Of the flows that go on. Cost: a pass over them.
  MeterTotals CachedTotals() const;
  size_t flows() const;
  // Memory of flows, timeouts and index now.
  size_t octets() const;

 private:
  struct State;
  explicit FlowMeter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_FLOW_METER_H_
