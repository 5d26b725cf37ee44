// Debian's RabbitMQ, started in a folder of its own on ports of its own on loopback, without plugins, for tests and
// benchmarks; and a reader of it.
//
// Ends with the object, and with the process that made it. Threads: one at a time.

#ifndef FLOWACCT_SINK_AMQP_TESTING_RABBITMQ_H_
#define FLOWACCT_SINK_AMQP_TESTING_RABBITMQ_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace flowacct::sink::amqp {

// When a broker that is killed has a queue, exchange or binding again. It answers declare-ok sooner: RabbitMQ syncs
// Mnesia's log, but that the transaction is committed comes into the log later, by another process, and is written when
// disk_log's two seconds are over or the next transaction syncs. A start that finds no such note undoes the
// declaration, and what the queue had confirmed is gone with it. (RabbitMQ 3.10.8, Erlang 25.2.3.)
constexpr absl::Duration kDeclared = absl::Seconds(3);

class Rabbitmq {
 public:
  // Null with the reason in `why`: it is not installed, or does not start.
  static std::unique_ptr<Rabbitmq> Start(std::string* why);
  ~Rabbitmq();
  Rabbitmq(const Rabbitmq&) = delete;
  Rabbitmq& operator=(const Rabbitmq&) = delete;

  int port() const { return port_; }
  int tls_port() const { return tls_port_; }
  // Of the authority that signed the broker's certificate, which is for "localhost".
  std::string ca_file() const { return folder_ + "/ca.pem"; }
  // Ends at once, as if the machine had; and comes back.
  void Kill();
  bool Restart();
  // Stands still, and goes on.
  void Freeze();
  void Thaw();
  pid_t pid() const { return pid_; }

 private:
  Rabbitmq() = default;
  bool Launch();

  std::string folder_;
  int port_ = 0, tls_port_ = 0, epmd_port_ = 0, dist_port_ = 0;
  std::vector<int> port_keepers_;  // sockets
  pid_t pid_ = -1;
  pid_t epmd_ = -1;
};

struct ReadMessage {
  std::string routing_key, content_type, message_id, header, octets;
  int delivery_mode = 0;
};

// Declares, binds and reads as guest; each call has a connection of its own. Empty: it went wrong, see `error`.
class QueueReader {
 public:
  explicit QueueReader(int port) : port_(port) {}
  // A durable queue, bound to a durable exchange of the type topic (empty: the default one) by `routing_key`. Emptied.
  // `max_length` above 0: it refuses what is beyond. Survives a kill after kDeclared, see there.
  bool Declare(const std::string& exchange, const std::string& queue, const std::string& routing_key,
               int max_length = 0);
  // Takes all that is there.
  std::vector<ReadMessage> Drain(const std::string& queue);
  const std::string& error() const { return error_; }

 private:
  const int port_;
  std::string error_;
};

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_TESTING_RABBITMQ_H_
