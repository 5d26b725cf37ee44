// A network interface as a worker's source.

#ifndef FLOWACCT_COLLECTOR_SERVER_INTERFACE_SOURCE_H_
#define FLOWACCT_COLLECTOR_SERVER_INTERFACE_SOURCE_H_

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/live/interface_capture.h"
#include "flowacct/collector/server/source.h"

namespace flowacct::collector {

class InterfaceSource final : public Source {
 public:
  // `tell_interfaces`: packets say by which they came or left.
  InterfaceSource(std::unique_ptr<InterfaceCapture> capture, bool tell_interfaces)
      : capture_(std::move(capture)), tell_interfaces_(tell_interfaces) {}

  int fd() const override { return capture_->descriptor(); }
  Reading Read() override {
    Reading reading;
    reading.packets = capture_->Read();
    reading.tell_interfaces = tell_interfaces_;
    return reading;
  }
  void Tick() override { capture_->Retry(); }
  void AddTo(InputStatus* status) const override {
    const InterfaceCaptureCounters& counters = capture_->counters();
    status->received += counters.packets;
    status->received_octets += counters.octets;
    status->kernel_dropped += counters.kernel_drops;
    absl::StrAppend(&status->listen, status->listen.empty() ? "" : ",", capture_->device());
    if (capture_->trouble().empty()) return;
    status->up = false;
    status->trouble = capture_->trouble();
  }

 private:
  const std::unique_ptr<InterfaceCapture> capture_;
  const bool tell_interfaces_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_INTERFACE_SOURCE_H_
