#include "flowacct/meter/flow_meter.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "flowacct/meter/flow_shape.h"
#include "flowacct/meter/flow_table.h"
#include "flowacct/meter/timer_wheel.h"
#include "flowacct/record/projection.h"

namespace flowacct::meter {
namespace {

using record::FieldId;
using record::Layout;

// Times are less than 2^62 from 1970 (record/datagram.h), and so are the sums of one and a timeout.
constexpr absl::Duration kLongestTimeout = absl::Hours(366 * 24);

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::StatusOr<std::vector<FieldId>> Fields(absl::string_view option, const std::vector<std::string>& names,
                                            const record::CustomFields* custom) {
  std::vector<FieldId> fields;
  for (const std::string& name : names) {
    const absl::StatusOr<FieldId> field =
        custom == nullptr ? record::FieldFromName(name) : custom->names().FromName(name);
    if (!field.ok()) return Wrong(option, ": ", field.status().message());
    fields.push_back(*field);
  }
  return fields;
}

struct Timeouts {
  int64_t active_nanos = 0;
  std::array<int64_t, kIdleClasses> idle_nanos{};  // by IdleClass
};

absl::StatusOr<Timeouts> TimeoutsOf(const MeterOptions& options) {
  const auto check = [](absl::string_view name, absl::Duration least, absl::Duration value) {
    if (value >= least && value <= kLongestTimeout) return absl::OkStatus();
    return Wrong(name, " = ", absl::FormatDuration(value), ": is between ", absl::FormatDuration(least),
                 " and 366 days, such as 15s");
  };
  const absl::Duration idle = options.idle_timeout;
  const absl::Duration tcp = options.tcp_timeout.value_or(idle), udp = options.udp_timeout.value_or(idle),
                       icmp = options.icmp_timeout.value_or(idle);
  const absl::Duration fin = std::min(tcp, options.tcp_fin_timeout), rst = std::min(tcp, options.tcp_rst_timeout);
  const absl::Duration least = absl::Milliseconds(1);
  for (const absl::Status& status :
       {check("active_timeout", least, options.active_timeout), check("idle_timeout", least, idle),
        check("tcp_timeout", least, tcp), check("udp_timeout", least, udp), check("icmp_timeout", least, icmp),
        check("tcp_fin_timeout", absl::ZeroDuration(), fin), check("tcp_rst_timeout", absl::ZeroDuration(), rst)}) {
    if (!status.ok()) return status;
  }
  Timeouts timeouts;
  timeouts.active_nanos = absl::ToInt64Nanoseconds(options.active_timeout);
  const auto set = [&](IdleClass idle_class, absl::Duration value) {
    timeouts.idle_nanos[static_cast<size_t>(idle_class)] = absl::ToInt64Nanoseconds(value);
  };
  set(IdleClass::kOther, idle);
  set(IdleClass::kTcp, tcp);
  set(IdleClass::kTcpFin, fin);
  set(IdleClass::kTcpRst, rst);
  set(IdleClass::kUdp, udp);
  set(IdleClass::kIcmp, icmp);
  return timeouts;
}

}  // namespace

struct FlowMeter::State {
  State(FlowShape flow_shape, const Timeouts& flow_timeouts, const MeterOptions& options, base::Interner* interner)
      : shape(std::move(flow_shape)),
        timeouts(flow_timeouts),
        max_clock_step_nanos(absl::ToInt64Nanoseconds(options.max_clock_step)),
        table(shape.layout().row_size(), shape.key_mask(), options.max_flows,
              options.seed != 0 ? options.seed : std::random_device{}() * uint64_t{0x100000001} + 1),
        wheel(options.max_flows, *std::max_element(timeouts.idle_nanos.begin(), timeouts.idle_nanos.end())),
        out(&shape.layout(), interner),
        scratch(FlowTable::kBlock * shape.layout().row_size()) {}

  int64_t Deadline(const uint8_t* flow) const { return std::min(IdleDeadline(flow), ActiveDeadline(flow)); }
  int64_t IdleDeadline(const uint8_t* flow) const {
    return shape.end(flow) + timeouts.idle_nanos[static_cast<size_t>(shape.ClassOf(flow))];
  }
  int64_t ActiveDeadline(const uint8_t* flow) const { return shape.start(flow) + timeouts.active_nanos; }
  bool SawEnd(const uint8_t* flow) const {
    const IdleClass idle_class = shape.ClassOf(flow);
    return idle_class == IdleClass::kTcpFin || idle_class == IdleClass::kTcpRst;
  }
  // Which of its deadlines a flow has met.
  FlowEndReason TimeoutReason(const uint8_t* flow) const {
    if (ActiveDeadline(flow) < IdleDeadline(flow)) return FlowEndReason::kActiveTimeout;
    return SawEnd(flow) ? FlowEndReason::kEndOfFlow : FlowEndReason::kIdleTimeout;
  }

  // All rows have the shape's layout.
  void AddBlock(const uint8_t* packets, size_t n, FlowReceiver receiver);
  void AddPacket(size_t i, const uint8_t* packet, FlowReceiver receiver);
  void Start(const uint8_t* packet, uint8_t* flow);
  // Lets the time be `nanos`: flows that are due end. True if it was set back, and all flows ended.
  void SetTime(int64_t nanos, FlowReceiver receiver);
  void EndAll(FlowReceiver receiver);
  void MakeRoom(FlowReceiver receiver);
  void GiveOut(uint8_t* flow, FlowEndReason reason, FlowReceiver receiver);
  void Flush(FlowReceiver receiver);

  const FlowShape shape;
  const Timeouts timeouts;
  const int64_t max_clock_step_nanos;
  FlowTable table;
  // A flow is scheduled for its deadline or before, as each packet moves the deadline and the wheel is told only when
  // it comes to the flow: a packet costs the wheel nothing.
  TimerWheel wheel;
  record::FlowBatch out;

  // Of the bound layout, if it is not the shape's own.
  std::unique_ptr<record::Projection> projection;
  std::vector<uint8_t> scratch;

  int64_t now_nanos = 0;   // the latest
  int64_t last_nanos = 0;  // of the last packet, which may have been late
  bool has_time = false;
  MeterCounters counters;
};

absl::StatusOr<std::unique_ptr<FlowMeter>> FlowMeter::New(MeterOptions options, base::Interner* interner) {
  const absl::StatusOr<std::vector<FieldId>> key = Fields("key", options.key, options.custom_fields.get());
  if (!key.ok()) return key.status();
  const absl::StatusOr<std::vector<FieldId>> more = Fields("fields", options.fields, options.custom_fields.get());
  if (!more.ok()) return more.status();
  if (key->empty()) return Wrong("key: is empty; name at least one field, such as src_addr");
  for (const FieldId field : *key) {
    if (!FlowShape::CanBeKey(field)) {
      return Wrong("key: ", record::Info(field).name,
                   " is gathered from the packets of a flow and makes none; leave it out");
    }
  }
  const absl::StatusOr<Timeouts> timeouts = TimeoutsOf(options);
  if (!timeouts.ok()) return timeouts.status();
  if (options.max_flows == 0 || options.max_flows > FlowTable::kMaxRows) {
    return Wrong("max_flows = ", options.max_flows, ": is between 1 and ", FlowTable::kMaxRows);
  }
  if (options.max_clock_step < absl::ZeroDuration() || options.max_clock_step > kLongestTimeout) {
    return Wrong("max_clock_step = ", absl::FormatDuration(options.max_clock_step),
                 ": is between 0 and 366 days, such as 60s");
  }
  return absl::WrapUnique(new FlowMeter(
      std::make_unique<State>(FlowShape(*key, *more, options.custom_fields), *timeouts, options, interner)));
}

FlowMeter::FlowMeter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FlowMeter::~FlowMeter() = default;

const Layout& FlowMeter::layout() const { return state_->shape.layout(); }
int64_t FlowMeter::now_nanos() const { return state_->now_nanos; }
const MeterCounters& FlowMeter::counters() const { return state_->counters; }
absl::Duration FlowMeter::resolution() const { return absl::Nanoseconds(state_->wheel.tick_nanos()); }
size_t FlowMeter::flows() const { return state_->table.size(); }
size_t FlowMeter::octets() const { return state_->table.octets() + state_->table.rows_made() * 8; }

MeterTotals FlowMeter::CachedTotals() const {
  MeterTotals totals;
  state_->table.ForEach([&](const uint8_t* flow) {
    ++totals.flows;
    totals.packets += state_->shape.packets(flow);
    totals.bytes += state_->shape.bytes(flow);
  });
  return totals;
}

void FlowMeter::Bind(const Layout* packets) {
  const absl::Span<const FieldId> ours = layout().fields(), theirs = packets->fields();
  state_->projection = std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end())
                           ? nullptr
                           : std::make_unique<record::Projection>(*packets, layout());
}

void FlowMeter::Add(const record::FlowBatch& packets, FlowReceiver receiver) {
  State& s = *state_;
  for (size_t at = 0; at < packets.size(); at += FlowTable::kBlock) {
    const size_t n = std::min(FlowTable::kBlock, packets.size() - at);
    const uint8_t* rows = packets.data() + at * packets.stride();
    if (s.projection != nullptr) {
      s.projection->Apply(rows, packets.stride(), n, s.scratch.data(), layout().row_size());
      rows = s.scratch.data();
    }
    s.AddBlock(rows, n, receiver);
  }
  s.Flush(receiver);
}

void FlowMeter::Advance(absl::Time now, FlowReceiver receiver) {
  const int64_t nanos = absl::ToUnixNanos(now);
  if (!state_->has_time || nanos <= state_->now_nanos) return;
  state_->SetTime(nanos, receiver);
  state_->Flush(receiver);
}

void FlowMeter::Close(FlowReceiver receiver) {
  state_->EndAll(receiver);
  state_->Flush(receiver);
}

void FlowMeter::State::AddBlock(const uint8_t* packets, size_t n, FlowReceiver receiver) {
  const size_t stride = shape.layout().row_size();
  counters.rows_in += n;
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* packet = packets + i * stride;
    counters.packets_in += shape.packets(packet);
    counters.bytes_in += shape.bytes(packet);
    if (!shape.HasTimes(packet)) {
      if (packets != scratch.data()) std::memcpy(scratch.data(), packets, n * stride);
      packets = scratch.data();
      packet = packets + i * stride;
      if (shape.FillTimes(last_nanos, scratch.data() + i * stride)) ++counters.rows_without_time;
    }
    last_nanos = shape.end(packet);
  }
  // Flows end when the time comes to a new tick, between two packets and never between two batches, so that it does not
  // matter how packets were divided.
  for (size_t begin = 0; begin < n;) {
    SetTime(shape.end(packets + begin * stride), receiver);
    size_t end = begin + 1;
    for (; end < n; ++end) {
      const int64_t nanos = shape.end(packets + end * stride);
      if (wheel.Tick(nanos) > wheel.now_tick() || nanos < now_nanos - max_clock_step_nanos) break;
      now_nanos = std::max(now_nanos, nanos);
    }
    table.Begin(packets + begin * stride, end - begin);
    for (size_t i = begin; i < end; ++i) AddPacket(i - begin, packets + i * stride, receiver);
    begin = end;
  }
}

void FlowMeter::State::SetTime(int64_t nanos, FlowReceiver receiver) {
  if (!has_time || nanos < now_nanos - max_clock_step_nanos) {
    if (has_time) ++counters.clock_steps;
    EndAll(receiver);
    wheel.Restart(nanos);
    has_time = true;
    now_nanos = nanos;
    return;
  }
  if (nanos <= now_nanos) return;
  now_nanos = nanos;
  wheel.Expire(
      nanos, [this](uint32_t id) { table.Prefetch(id); },
      [&](uint32_t id) {
        uint8_t* flow = table.row(id);
        const int64_t deadline = Deadline(flow);
        if (wheel.TickAfter(deadline) > wheel.now_tick()) {
          wheel.Schedule(id, deadline);
          return;
        }
        GiveOut(flow, TimeoutReason(flow), receiver);
        table.Erase(id);
      });
}

void FlowMeter::State::EndAll(FlowReceiver receiver) {
  wheel.ExpireAll([this](uint32_t id) { table.Prefetch(id); },
                  [&](uint32_t id) {
                    GiveOut(table.row(id), FlowEndReason::kForcedEnd, receiver);
                    table.Erase(id);
                  });
}

void FlowMeter::State::Start(const uint8_t* packet, uint8_t* flow) {
  std::memcpy(flow, packet, shape.layout().row_size());
  shape.Begin(flow);
  ++counters.flows_started;
}

void FlowMeter::State::AddPacket(size_t i, const uint8_t* packet, FlowReceiver receiver) {
  uint32_t id = table.Find(i);
  if (id == FlowTable::kNone) {
    if (table.size() == table.max_rows()) MakeRoom(receiver);
    id = table.Insert(i);
    Start(packet, table.row(id));
    wheel.Schedule(id, Deadline(table.row(id)));
  } else {
    uint8_t* flow = table.row(id);
    const int64_t deadline = Deadline(flow);
    if (shape.end(packet) >= deadline) {
      GiveOut(flow, TimeoutReason(flow), receiver);
      Start(packet, flow);
    } else if (shape.SawSyn(packet) && SawEnd(flow)) {  // a new connection from the same port
      GiveOut(flow, FlowEndReason::kEndOfFlow, receiver);
      Start(packet, flow);
    } else if (!shape.Join(packet, flow)) {
      GiveOut(flow, FlowEndReason::kLackOfResources, receiver);
      Start(packet, flow);
    }
    // Nearer than it was: a FIN or RST, or a packet that is late.
    if (Deadline(flow) < deadline) {
      wheel.Cancel(id);
      wheel.Schedule(id, Deadline(flow));
    }
  }
  // With a timeout of nothing the packet that ends a flow is its last.
  uint8_t* flow = table.row(id);
  if (SawEnd(flow) && IdleDeadline(flow) <= shape.end(packet)) {
    GiveOut(flow, FlowEndReason::kEndOfFlow, receiver);
    wheel.Cancel(id);
    table.Erase(id);
  }
}

// Ends the flow whose timeout is nearest. One that got packets since it was scheduled gets its proper place first; each
// was a packet that cost the wheel nothing.
void FlowMeter::State::MakeRoom(FlowReceiver receiver) {
  for (;;) {
    int64_t tick;
    const uint32_t id = wheel.First(&tick);
    uint8_t* flow = table.row(id);
    const int64_t deadline = Deadline(flow);
    wheel.Cancel(id);
    if (wheel.TickAfter(deadline) > tick) {
      wheel.Schedule(id, deadline);
      continue;
    }
    GiveOut(flow, FlowEndReason::kLackOfResources, receiver);
    table.Erase(id);
    return;
  }
}

void FlowMeter::State::GiveOut(uint8_t* flow, FlowEndReason reason, FlowReceiver receiver) {
  ++counters.flows_ended[static_cast<size_t>(reason)];
  counters.packets_out += shape.packets(flow);
  counters.bytes_out += shape.bytes(flow);
  shape.End(reason, out.AppendCopies(1, flow));
  if (out.size() == kBatchRows) Flush(receiver);
}

void FlowMeter::State::Flush(FlowReceiver receiver) {
  if (out.empty()) return;
  receiver(out);
  out.Clear();
}

}  // namespace flowacct::meter
