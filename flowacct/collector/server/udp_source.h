// A UDP listener as a worker's source.

#ifndef FLOWACCT_COLLECTOR_SERVER_UDP_SOURCE_H_
#define FLOWACCT_COLLECTOR_SERVER_UDP_SOURCE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/server/source.h"

namespace flowacct::collector {

class UdpSource final : public Source {
 public:
  explicit UdpSource(std::unique_ptr<UdpListener> listener) : listener_(std::move(listener)) {}

  int fd() const override { return listener_->descriptor(); }
  Reading Read() override {
    Reading reading;
    reading.datagrams = listener_->Receive();
    return reading;
  }
  void Tick() override {
    const absl::Status status = listener_->FollowInterface();
    trouble_ = status.ok() ? "" : std::string(status.message());
  }
  void AddTo(InputStatus* status) const override {
    const UdpListenerCounters& counters = listener_->counters();
    status->received += counters.datagrams;
    status->received_octets += counters.octets;
    status->kernel_dropped += counters.kernel_drops;
    // The port that the system chose, where it was asked to; one address for the sockets of all workers.
    const std::string address = listener_->endpoint().ToString();
    if (!absl::StrContains(status->listen, address)) {
      absl::StrAppend(&status->listen, status->listen.empty() ? "" : ",", address);
    }
    if (trouble_.empty()) return;
    status->up = false;
    status->trouble = trouble_;
  }

 private:
  const std::unique_ptr<UdpListener> listener_;
  std::string trouble_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_UDP_SOURCE_H_
