#include "flowacct/collector/replicate/replica_sender.h"

#include <utility>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/collector/transport/udp_transport.h"

namespace flowacct::collector {
namespace {

class PlainSender final : public ReplicaSender {
 public:
  explicit PlainSender(std::unique_ptr<UdpTransport> transport) : transport_(std::move(transport)) {}

  void Add(const record::Datagram& datagram) override { messages_.push_back(datagram.octets); }
  void Flush() override {
    transport_->SendBatch(messages_);
    messages_.clear();
  }
  ReplicaCounters counters() const override {
    const TransportCounters counters = transport_->counters();
    return {counters.sent, counters.octets, counters.dropped, counters.errors, counters.refused, counters.last_error};
  }

 private:
  const std::unique_ptr<UdpTransport> transport_;
  std::vector<base::Octets> messages_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaSender>> NewReplicaSender(const TransportOptions& options) {
  absl::StatusOr<std::unique_ptr<UdpTransport>> transport = UdpTransport::New(options);
  if (!transport.ok()) return transport.status();
  return std::make_unique<PlainSender>(*std::move(transport));
}

}  // namespace flowacct::collector
