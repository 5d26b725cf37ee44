#include "flowacct/collector/igp/isis_listener.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace flowacct::collector {
namespace {

// Frames taken from one circuit before the others have their turn.
constexpr int kTurn = 256;

int64_t SteadyNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::StatusOr<std::unique_ptr<CircuitSocket>> Open(const IsisCircuit& circuit) {
  if (circuit.gre.has_value() == !circuit.device.empty()) {
    return absl::InvalidArgumentError("a circuit is a device or a GRE tunnel");
  }
  if (circuit.gre) return OpenGreCircuit(circuit.gre->local, circuit.gre->remote, circuit.gre->told);
  return OpenEthernetCircuit(circuit.device, circuit.options.kind);
}

}  // namespace

IsisListener::IsisListener(IsisListenerOptions options, std::unique_ptr<Poller> poller)
    : options_(std::move(options)),
      poller_(std::move(poller)),
      start_wall_nanos_(absl::GetCurrentTimeNanos()),
      start_steady_nanos_(SteadyNanos()) {}

absl::StatusOr<std::unique_ptr<IsisListener>> IsisListener::New(IsisListenerOptions options) {
  auto poller = Poller::New();
  if (!poller.ok()) return poller.status();
  auto instance = isis::Instance::Create(options.instance);
  if (!instance.ok()) return instance.status();
  std::unique_ptr<IsisListener> listener(new IsisListener(std::move(options), *std::move(poller)));
  base::MutexLock lock(&listener->mutex_);
  listener->instance_ = *std::move(instance);
  for (const IsisCircuit& wanted : listener->options_.circuits) {
    auto socket = Open(wanted);
    if (!socket.ok()) return socket.status();
    const isis::CircuitOptions& found = (*socket)->circuit();
    isis::CircuitOptions circuit = wanted.options;
    circuit.kind = found.kind;
    circuit.name = found.name;
    circuit.mac = found.mac;
    circuit.addresses = found.addresses;
    if (circuit.mtu == 0) circuit.mtu = found.mtu;
    auto index = listener->instance_->AddCircuit(std::move(circuit), listener->Now());
    if (!index.ok()) {
      return absl::Status(index.status().code(), absl::StrCat(found.name, ": ", index.status().message()));
    }
    const absl::Status added = listener->poller_->Add((*socket)->descriptor(), listener->circuits_.size());
    if (!added.ok()) return added;
    listener->circuits_.push_back({*std::move(socket), *index});
  }
  return listener;
}

IsisListener::~IsisListener() { Stop(); }

void IsisListener::Start() {
  thread_ = std::thread([this] { Run(); });
}

void IsisListener::Stop() {
  ending_ = true;
  poller_->Wake();
  if (thread_.joinable()) thread_.join();
}

void IsisListener::Look(absl::FunctionRef<void(const isis::Instance& instance, int64_t now_nanos)> look) const {
  base::MutexLock lock(&mutex_);
  look(*instance_, Now());
}

std::vector<CircuitSocketCounters> IsisListener::SocketCounters() const {
  base::MutexLock lock(&mutex_);
  std::vector<CircuitSocketCounters> counters;
  for (const Circuit& circuit : circuits_) counters.push_back(circuit.socket->counters());
  return counters;
}

// Of day, but never back: a clock that is set must not end adjacencies.
int64_t IsisListener::Now() const { return start_wall_nanos_ + (SteadyNanos() - start_steady_nanos_); }

void IsisListener::Run() {
  while (!ending_) {
    int64_t next;
    {
      base::MutexLock lock(&mutex_);
      Serve();
      next = instance_->NextTime();
    }
    const int64_t now = Now();
    if (next <= now) continue;
    poller_->Wait(std::min(absl::Nanoseconds(next - now), absl::Seconds(10)));
  }
}

void IsisListener::Serve() {
  const auto give = [this] {
    for (const isis::Outgoing& out : instance_->TakeOutgoing()) {
      for (Circuit& circuit : circuits_) {
        if (circuit.index == out.circuit) circuit.socket->Send(out.level, out.pdu);
      }
    }
    const std::vector<isis::LspChange> changes = instance_->TakeChanges();
    if (!changes.empty() && options_.on_changes) options_.on_changes(*instance_, changes);
  };
  for (Circuit& circuit : circuits_) {
    CircuitFrame frame;
    for (int i = 0; i < kTurn && circuit.socket->Receive(&frame); ++i) {
      instance_->Receive(circuit.index, frame.source, frame.pdu, Now());
    }
  }
  instance_->Advance(Now());
  give();
}

}  // namespace flowacct::collector
