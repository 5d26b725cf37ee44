// For tests of stream listeners: who connects, and who receives until something is there.

#ifndef FLOWACCT_COLLECTOR_STREAM_STREAM_CLIENT_H_
#define FLOWACCT_COLLECTOR_STREAM_STREAM_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/stream/stream_listener.h"

namespace flowacct::collector {

// A connected, blocking TCP socket; `from` an IPv4 address of this machine, or empty.
Descriptor ConnectTo(const Endpoint& endpoint, absl::string_view from = "");
void SendAll(const Descriptor& socket, absl::string_view octets);
// True if the other side has ended the connection, within a second.
bool IsClosedByPeer(const Descriptor& socket);

// An IPFIX message of `octets` in all (at least 16) whose sequence number is `number`.
std::string IpfixMessage(uint32_t number, size_t octets);

// Keeps copies of what came.
struct ReceivedMessage {
  uint64_t session = 0;
  std::string octets;
  std::string source;
};

class StreamReceiver {
 public:
  explicit StreamReceiver(StreamListener* listener);

  // Receives until `done`, at most 20 seconds. Returns whether it was.
  bool Until(const std::function<bool()>& done);
  // A few times, without waiting.
  void Some();

  std::vector<ReceivedMessage> messages;
  std::vector<uint64_t> ended;

 private:
  void Round(absl::Duration wait);

  StreamListener* const listener_;
  const std::unique_ptr<Poller> poller_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STREAM_STREAM_CLIENT_H_
