#include "flowacct/collector/igp/isis_listener.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
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

absl::StatusOr<std::unique_ptr<CircuitSocket>> OpenSocket(const IsisCircuit& circuit) {
  if (circuit.gre.has_value() == !circuit.device.empty()) {
    return absl::InvalidArgumentError("a circuit is a device or a GRE tunnel");
  }
  if (circuit.gre) return OpenGreCircuit(circuit.gre->local, circuit.gre->remote, circuit.gre->told);
  return OpenDeviceCircuit(circuit.device, circuit.options.kind);
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
  std::vector<OpenCircuit> fresh;
  for (const IsisCircuit& wanted : listener->options_.circuits) {
    auto open = Open(wanted);
    if (!open.ok()) return open.status();
    fresh.push_back(*std::move(open));
  }
  {
    base::MutexLock lock(&listener->mutex_);
    listener->instance_ = *std::move(instance);
  }
  if (const absl::Status status = listener->Change({}, std::move(fresh)); !status.ok()) return status;
  return listener;
}

absl::StatusOr<IsisListener::OpenCircuit> IsisListener::Open(IsisCircuit circuit) {
  auto socket = OpenSocket(circuit);
  if (!socket.ok()) return socket.status();
  return OpenCircuit{std::move(circuit), *std::move(socket)};
}

absl::StatusOr<IsisListener::Circuit> IsisListener::Add(OpenCircuit open) {
  const isis::CircuitOptions& found = open.socket->circuit();
  isis::CircuitOptions circuit = std::move(open.circuit.options);
  circuit.kind = found.kind;
  circuit.name = found.name;
  circuit.mac = found.mac;
  circuit.addresses = found.addresses;
  if (circuit.mtu == 0) circuit.mtu = found.mtu;
  const auto index = instance_->AddCircuit(std::move(circuit), Now());
  if (!index.ok()) {
    return absl::Status(index.status().code(), absl::StrCat(found.name, ": ", index.status().message()));
  }
  if (const absl::Status added = poller_->Add(open.socket->descriptor(), *index); !added.ok()) {
    instance_->RemoveCircuit(*index, Now());
    return added;
  }
  return Circuit{std::move(open.socket), *index};
}

absl::Status IsisListener::Change(const std::vector<std::string>& gone, std::vector<OpenCircuit> fresh) {
  base::MutexLock lock(&mutex_);
  std::vector<Circuit> added;
  for (OpenCircuit& open : fresh) {
    auto circuit = Add(std::move(open));
    if (!circuit.ok()) {
      for (const Circuit& back : added) instance_->RemoveCircuit(back.index, Now());
      return circuit.status();
    }
    added.push_back(*std::move(circuit));
  }
  for (size_t i = 0; i < circuits_.size();) {
    if (std::find(gone.begin(), gone.end(), circuits_[i].socket->circuit().name) == gone.end()) {
      ++i;
      continue;
    }
    instance_->RemoveCircuit(circuits_[i].index, Now());
    circuits_.erase(circuits_.begin() + static_cast<ptrdiff_t>(i));
  }
  std::move(added.begin(), added.end(), std::back_inserter(circuits_));
  poller_->Wake();  // timers are other ones
  return absl::OkStatus();
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

std::vector<IsisCircuitStatus> IsisListener::Circuits() const {
  base::MutexLock lock(&mutex_);
  std::vector<IsisCircuitStatus> circuits;
  for (const Circuit& circuit : circuits_) {
    circuits.push_back({circuit.socket->circuit().name, circuit.index, circuit.socket->counters(),
                        instance_->Counters(circuit.index), circuit.socket->IsThere()});
  }
  return circuits;
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
  for (Circuit& circuit : circuits_) {
    CircuitFrame frame;
    for (int i = 0; i < kTurn && circuit.socket->Receive(&frame); ++i) {
      instance_->Receive(circuit.index, frame.source, frame.pdu, Now());
    }
  }
  instance_->Advance(Now());
  for (const isis::Outgoing& out : instance_->TakeOutgoing()) {
    for (Circuit& circuit : circuits_) {
      if (circuit.index == out.circuit) circuit.socket->Send(out.level, out.pdu);
    }
  }
  const std::vector<isis::LspChange> changes = instance_->TakeChanges();
  if (!changes.empty() && options_.on_changes) options_.on_changes(*instance_, changes);
}

}  // namespace flowacct::collector
