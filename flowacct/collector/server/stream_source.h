// IPFIX connections as a worker's source.

#ifndef FLOWACCT_COLLECTOR_SERVER_STREAM_SOURCE_H_
#define FLOWACCT_COLLECTOR_SERVER_STREAM_SOURCE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/server/source.h"
#include "flowacct/collector/stream/stream_listener.h"

namespace flowacct::collector {

class StreamSource final : public Source {
 public:
  explicit StreamSource(std::unique_ptr<StreamListener> listener) : listener_(std::move(listener)) {}

  int fd() const override { return listener_->descriptor(); }
  Reading Read() override {
    const StreamBatch batch = listener_->Receive();
    Reading reading;
    reading.datagrams = batch.messages;
    reading.session = batch.session;
    reading.ended_sessions = batch.ended_sessions;
    return reading;
  }
  void Refuse(uint64_t session) override { listener_->Refuse(session); }
  void AddTo(InputStatus* status) const override {
    const StreamListenerCounters& counters = listener_->counters();
    status->received += counters.messages;
    status->received_octets += counters.octets;
    status->connections_open += counters.open;
    status->connections_accepted += counters.accepted;
    const uint64_t refused = counters.end(StreamEnd::kTooManyConnections) + counters.end(StreamEnd::kTooManyOfSource) +
                             counters.end(StreamEnd::kUnknownExporter);
    status->connections_refused += refused;
    uint64_t ended = 0;
    for (const uint64_t n : counters.ends) ended += n;
    status->connections_failed += ended - refused - counters.end(StreamEnd::kEndedByExporter);
    const std::string address = listener_->endpoint().ToString();
    if (!absl::StrContains(status->listen, address)) {
      absl::StrAppend(&status->listen, status->listen.empty() ? "" : ",", address);
    }
  }

 private:
  const std::unique_ptr<StreamListener> listener_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_STREAM_SOURCE_H_
