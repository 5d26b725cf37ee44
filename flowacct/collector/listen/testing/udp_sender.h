// Sends datagrams to a UDP port at a rate: the exporter of tests and benchmarks, bounded in number and time.
//
//     auto sender = UdpSender::New(listener->endpoint());
//     (*sender)->Send(datagrams, {.datagrams_per_second = 50000});
//     EXPECT_EQ(listener->counters().datagrams, (*sender)->sent());
//
// Ownership: keeps nothing of what it sends. Threads: one at a time. Errors: a Status that names the endpoint; what was
// sent until then counts. Cost: sendmmsg of 32.

#ifndef FLOWACCT_COLLECTOR_LISTEN_TESTING_UDP_SENDER_H_
#define FLOWACCT_COLLECTOR_LISTEN_TESTING_UDP_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

struct UdpSenderPace {
  uint64_t datagrams_per_second = 0;  // 0: as fast as it goes
  absl::Duration at_most = absl::Seconds(20);
};

class UdpSender {
 public:
  // `to` may be bound to all addresses: then it is sent to loopback. `from`: an address and port of this machine, e.g.
  // 127.0.0.7 to be another exporter; empty: as the system chooses.
  static absl::StatusOr<std::unique_ptr<UdpSender>> New(const Endpoint& to, absl::string_view from = "");

  absl::Status Send(absl::Span<const std::string> datagrams, const UdpSenderPace& pace = {});
  uint64_t sent() const { return sent_; }
  const Endpoint& from() const { return from_; }

 private:
  UdpSender(Descriptor socket, Endpoint from) : socket_(std::move(socket)), from_(std::move(from)) {}

  const Descriptor socket_;
  const Endpoint from_;
  uint64_t sent_ = 0;
};

// The exports of a workload, and of a capture's packets, without what is around them.
absl::StatusOr<std::vector<std::string>> DatagramsOfWorkload(const WorkloadOptions& options,
                                                             WorkloadTruth* truth = nullptr);
absl::StatusOr<std::vector<std::string>> DatagramsOfCapture(absl::string_view path);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LISTEN_TESTING_UDP_SENDER_H_
