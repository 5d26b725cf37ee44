// Listens to IS-IS: one isis::Instance on circuits of this machine, on a thread of its own.
//
//     auto listener = IsisListener::New(options);          // circuits are open then
//     (*listener)->Start();
//     (*listener)->Look([](const isis::Instance& instance, int64_t now) { ... });
//     (*listener)->Stop();
//
// Circuits may come and go while it runs: Open gives sockets, which may fail, Change takes them in. It draws no traffic
// (isis/instance.h says how). Threads: one of its own; New, Start, Change, Stop of one at a time, Look of any: it keeps
// the thread away as long as it runs. Errors: of New and Open, a Status that names the circuit; later ones are
// counters. Cost: a system call a PDU.

#ifndef FLOWACCT_COLLECTOR_IGP_ISIS_LISTENER_H_
#define FLOWACCT_COLLECTOR_IGP_ISIS_LISTENER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/igp/circuit_socket.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/isis/instance.h"

namespace flowacct::collector {

struct IsisCircuit {
  // One of both.
  std::string device;
  struct Gre {
    base::IpAddress local, remote;
    std::vector<base::IpAddress> told;  // addresses that hellos say we have
  };
  std::optional<Gre> gre;
  // What is not told by the system: kind, levels, topologies, timers, key. Name, MAC, addresses are filled in; so is
  // the MTU if it is 0.
  isis::CircuitOptions options;
};

struct IsisListenerOptions {
  isis::InstanceOptions instance;
  std::vector<IsisCircuit> circuits;
  // Called on the listener's thread, in order, with what changed; not with Look's lock given up.
  std::function<void(const isis::Instance& instance, const std::vector<isis::LspChange>& changes)> on_changes;
};

// One that is there: what of it is not in isis::Instance.
struct IsisCircuitStatus {
  std::string name;
  isis::CircuitIndex index = 0;
  CircuitSocketCounters sockets;
  std::vector<std::pair<std::string, uint64_t>> verdicts;  // isis/instance_counters.h
  bool there = true;                                       // its interface is still the one that it was opened on
};

class IsisListener {
 public:
  struct OpenCircuit {
    IsisCircuit circuit;
    std::unique_ptr<CircuitSocket> socket;
  };
  static absl::StatusOr<OpenCircuit> Open(IsisCircuit circuit);

  static absl::StatusOr<std::unique_ptr<IsisListener>> New(IsisListenerOptions options);
  ~IsisListener();  // stops
  IsisListener(const IsisListener&) = delete;
  IsisListener& operator=(const IsisListener&) = delete;

  void Start();  // once
  // Leaves as a router does that is switched off: neighbours' holding timers end.
  void Stop();

  void Look(absl::FunctionRef<void(const isis::Instance& instance, int64_t now_nanos)> look) const;
  // All or nothing: those of these names go, then the others are there.
  absl::Status Change(const std::vector<std::string>& gone, std::vector<OpenCircuit> fresh);

  // By circuit, in the order in which they came.
  std::vector<CircuitSocketCounters> SocketCounters() const;
  std::vector<IsisCircuitStatus> Circuits() const;

 private:
  struct Circuit {
    std::unique_ptr<CircuitSocket> socket;
    isis::CircuitIndex index = 0;
  };

  absl::StatusOr<Circuit> Add(OpenCircuit open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  IsisListener(IsisListenerOptions options, std::unique_ptr<Poller> poller);
  void Run();
  void Serve() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Now() const;

  const IsisListenerOptions options_;
  const std::unique_ptr<Poller> poller_;
  const int64_t start_wall_nanos_, start_steady_nanos_;
  mutable base::Mutex mutex_;
  std::vector<Circuit> circuits_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<isis::Instance> instance_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_ISIS_LISTENER_H_
