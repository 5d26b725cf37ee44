// One circuit of an instance: its neighbours, when its hellos are due, and what they say.
//
// Standards: ISO/IEC 10589, 8.2.3 and 8.4.1 (hellos, their padding); RFC 1195, 5303, 5308 (what they carry). Ownership:
// values. Threads: one at a time. Errors: none; a hello that cannot be signed is empty. Cost: a hello is its octets.

#ifndef FLOWACCT_ISIS_INSTANCE_CIRCUIT_H_
#define FLOWACCT_ISIS_INSTANCE_CIRCUIT_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_adjacency.h"
#include "flowacct/isis/instance_counters.h"

namespace flowacct::isis {

class InstanceCircuit {
 public:
  // Hellos that answer a neighbour come no faster than this.
  static constexpr int64_t kMinHelloNanos = 1'000'000'000;

  static absl::Status Check(const InstanceOptions& instance, const CircuitOptions& circuit);

  InstanceCircuit(const InstanceOptions& instance, const CircuitOptions& circuit, CircuitIndex index,
                  int64_t time_nanos);

  CircuitAdjacencies& adjacencies() { return adjacencies_; }
  const CircuitAdjacencies& adjacencies() const { return adjacencies_; }
  const CircuitOptions& options() const { return options_; }
  uint8_t levels() const { return levels_; }  // bit 0: level 1, bit 1: level 2
  VerdictCounters& verdicts() { return verdicts_; }
  const VerdictCounters& verdicts() const { return verdicts_; }

  const AuthenticationKey& HelloKey(Level level) const;

  // A hello is to go out as soon as its rate allows: a neighbour waits for it.
  void WantHello();
  // Levels whose hello is due; of a point-to-point circuit one stands for both.
  bool HelloIsDue(Level level, int64_t time_nanos) const { return next_hello_[LevelIndex(level)] <= time_nanos; }
  std::vector<uint8_t> MakeHello(const InstanceOptions& instance, Level level, int64_t time_nanos);
  int64_t next_time() const;

 private:
  CircuitOptions options_;
  const uint8_t levels_;
  const uint8_t local_circuit_;
  CircuitAdjacencies adjacencies_;
  VerdictCounters verdicts_{};
  std::array<int64_t, 2> next_hello_{INT64_MAX, INT64_MAX}, last_hello_{INT64_MIN, INT64_MIN};
  uint64_t random_;  // for the jitter of hellos, so that neighbours do not speak in chorus
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_CIRCUIT_H_
