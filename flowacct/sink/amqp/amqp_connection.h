// A channel of a connection to an AMQP 0-9-1 broker, on which messages are published and confirmed. Thrown away after
// an error.
//
// Threads: one call at a time. Errors: as amqp_sink.h.

#ifndef FLOWACCT_SINK_AMQP_AMQP_CONNECTION_H_
#define FLOWACCT_SINK_AMQP_AMQP_CONNECTION_H_

#include <amqp.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/amqp/connection_options.h"
#include "flowacct/sink/amqp/cutter.h"

namespace flowacct::sink::amqp {

struct Endpoint {
  std::string host;
  int port = 0;
};
absl::StatusOr<std::vector<Endpoint>> ParseBrokers(absl::string_view text, bool tls);

class AmqpConnection {
 public:
  // To the first of `endpoints` that lets us in; the error is that of the last.
  static absl::StatusOr<std::unique_ptr<AmqpConnection>> Connect(const ConnectionOptions& options,
                                                                 const std::vector<Endpoint>& endpoints,
                                                                 uint64_t max_unconfirmed);
  ~AmqpConnection();
  AmqpConnection(const AmqpConnection&) = delete;
  AmqpConnection& operator=(const AmqpConnection&) = delete;

  // Whether the broker has not closed it meanwhile.
  bool IsAlive();
  // Waits while too many are unconfirmed, or the broker blocks those who publish.
  absl::Status Publish(absl::string_view exchange, absl::string_view routing_key, absl::string_view content_type,
                       absl::string_view part, absl::string_view octets);
  // Until all is confirmed.
  absl::Status Confirm();
  // Takes leave.
  void Close();

 private:
  AmqpConnection(const ConnectionOptions& options, uint64_t max_unconfirmed)
      : options_(options), max_unconfirmed_(max_unconfirmed) {}
  absl::Status Open(const Endpoint& endpoint, absl::Duration patience);
  // Takes in what has come; waits for it, if asked to.
  absl::Status Take(bool wait);
  absl::Status TakeMethod(const amqp_method_t& method);
  void TakeAck(uint64_t tag, bool multiple);
  absl::Status Check(const amqp_rpc_reply_t& reply, absl::string_view doing);
  absl::Status Lost(int status, absl::string_view doing);

  const ConnectionOptions options_;
  const uint64_t max_unconfirmed_;
  amqp_connection_state_t state_ = nullptr;
  Cutter cutter_;
  std::string where_;           // host:port
  uint64_t next_tag_ = 1;       // of the next message
  std::deque<bool> confirmed_;  // of those from the oldest that is not, to the last
  uint64_t unconfirmed_ = 0;
  bool armed_ = false;
  bool is_blocked_ = false;
  std::string blocked_reason_;
  absl::Status failed_;  // a message that was returned or refused
};

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_AMQP_CONNECTION_H_
