// Sends export datagrams on to other collectors, as they came: what pmacct calls tee.
//
//     auto replicator = Replicator::New(options);
//     (*replicator)->Replicate(listener->Receive());
//
// A datagram goes to every pool whose filters it passes; within a pool to all receivers, or to one of them by turns or
// by the exporter's address. That hash is rendezvous hashing (Thaler and Ravishankar 1998): when a receiver comes or
// goes, only the exporters that it has or gets change theirs.
// Guaranteed: for each receiver, what was offered = sent + dropped + errors. No receiver is an address where this
// collector itself listens, so that nothing goes in a circle here; a circle over another collector is not seen.
// Not checked: what a datagram holds. Messages of streams and files are not replicated (their templates come once a
// session, which a receiver over UDP does not have), and counted.
// Ownership: nothing is kept of a datagram. Threads: one at a time; one for each worker.
// Errors: of options, a Status that names the pool and the receiver; all else is counted.
// Cost: a call of the system for 64 datagrams and receiver, and what the system does for each datagram (about 1 us).
// Where the source is kept, a pass over the datagram for its checksum. No allocation in steady state.

#ifndef FLOWACCT_COLLECTOR_REPLICATE_REPLICATOR_H_
#define FLOWACCT_COLLECTOR_REPLICATE_REPLICATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/export/export_protocol.h"
#include "flowacct/collector/replicate/replica_sender.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

enum class ReplicaBalance : uint8_t {
  kAll,         // each receiver has a copy
  kRoundRobin,  // one after the other
  kExporter,    // an exporter's datagrams, all to the same one
};

struct ReplicaPool {
  std::string name;                    // for reports and messages; each has its own
  std::vector<std::string> receivers;  // "udp://192.0.2.9:2055"
  ReplicaBalance balance = ReplicaBalance::kAll;
  // Of which exporters; none: of all.
  std::vector<base::IpPrefix> exporters;
  // Which protocols, by version number; none: all, also what is none of them.
  std::vector<ExportProtocol> protocols;
  // As if it came from the exporter itself: its address and port. Needs CAP_NET_RAW, receivers of the exporters'
  // family, and a network that lets such packets pass (reverse path filters do not).
  bool keep_source = false;
  // Otherwise: our own address, and port if not 0, e.g. "udp://192.0.2.1:0". Empty: as the system chooses.
  std::string from;
  int traffic_class = -1;  // see TransportOptions
  int hop_limit = 0;
};

struct ReplicatorOptions {
  std::vector<ReplicaPool> pools;
  // Where this collector listens for UDP, as its listeners say.
  std::vector<std::string> own_addresses;
  size_t send_buffer_octets = size_t{4} << 20;  // of each receiver
  // In all pools; each is a socket a worker. A mistake in a list is found here rather than by the system.
  size_t max_receivers = 256;
};

struct ReplicatorCounters {
  uint64_t datagrams = 0;  // that came
  uint64_t unmatched = 0;  // of them: went to no pool
  uint64_t not_udp = 0;    // of them: messages of streams or files
};

struct ReplicaReport {
  std::string pool;
  std::string receiver;
  ReplicaCounters counters;
};

class Replicator {
 public:
  static absl::StatusOr<std::unique_ptr<Replicator>> New(const ReplicatorOptions& options);
  ~Replicator();

  // Other pools from now on. A receiver that stays in a pool of the same name and style keeps its socket and counters.
  // On an error nothing changes.
  absl::Status SetOptions(const ReplicatorOptions& options);

  void Replicate(absl::Span<const record::Datagram> datagrams);

  const ReplicatorCounters& counters() const { return counters_; }
  // In the order of the options.
  std::vector<ReplicaReport> Report() const;

 private:
  struct Receiver;
  struct Pool;
  Replicator();
  absl::StatusOr<std::vector<Pool>> Build(const ReplicatorOptions& options) const;

  std::vector<Pool> pools_;
  ReplicatorCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_REPLICATE_REPLICATOR_H_
