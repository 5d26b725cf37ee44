// How one receiver gets its copies: from us, or from the exporter as if we were not there.
//
// Threads: one at a time. Errors: counted; of making one, a Status with what to do.

#ifndef FLOWACCT_COLLECTOR_REPLICATE_REPLICA_SENDER_H_
#define FLOWACCT_COLLECTOR_REPLICATE_REPLICA_SENDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/transport.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

struct ReplicaCounters {
  uint64_t sent = 0;  // datagrams handed to the system
  uint64_t octets = 0;
  uint64_t dropped = 0;  // no room in the send buffer
  uint64_t errors = 0;   // refused by the system, or of another family than the receiver where the source is kept
  uint64_t refused = 0;  // how often the receiver's host said that nobody listens; the datagrams are in `sent`
  std::string last_error;
};

class ReplicaSender {
 public:
  virtual ~ReplicaSender() = default;
  // Borrowed until the Flush that sends it.
  virtual void Add(const record::Datagram& datagram) = 0;
  virtual void Flush() = 0;
  virtual ReplicaCounters counters() const = 0;
};

absl::StatusOr<std::unique_ptr<ReplicaSender>> NewReplicaSender(const TransportOptions& options);
// Keeps the source's address and port; needs CAP_NET_RAW. `options.from` has no meaning here.
absl::StatusOr<std::unique_ptr<ReplicaSender>> NewSourceKeepingSender(const TransportOptions& options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_REPLICATE_REPLICA_SENDER_H_
