// Sends messages to somebody else's collector: exports of a probe, datagrams of a replicator.
//
//     auto transport = Transport::New(options);  // options.to = "tcp://192.0.2.9:4739"
//     (*transport)->SetPreamble(templates);
//     (*transport)->Send(message).IgnoreError();     // counted
//
// UDP: at once, or not at all. TCP and TLS: a thread of the transport's own connects, connects again and sends; Send
// only puts into a queue and never waits.
// Guaranteed: offered = sent + dropped + errors + queued. Over TCP and TLS a message is sent whole and in order; after
// a broken connection the one that was on its way is sent again from its beginning, and the next session begins with
// the preamble. Not guaranteed: that what was sent arrived. Over TCP, `octets_unacknowledged` bounds what did not.
// Ownership: a message is copied, or sent, before Send returns. Threads: UDP one at a time; TCP and TLS any.
// Errors: of making one, a Status that names the endpoint and what to do. A receiver that is not there is none: it may
// come. Cost: UDP a call of the system a message, or for 64 with SendBatch; TCP a copy, and a call for up to 64 KiB.

#ifndef FLOWACCT_COLLECTOR_TRANSPORT_TRANSPORT_H_
#define FLOWACCT_COLLECTOR_TRANSPORT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

struct TransportOptions {
  std::string to;  // udp://, tcp:// or tls://
  // The own address, with a port (0: any): "udp://192.0.2.1:0". Empty: as the system chooses. The scheme is that of
  // `to`.
  std::string from;
  // The eight bits of IPv4's type of service and IPv6's traffic class (DSCP is the upper six). Negative: the system's.
  int traffic_class = -1;
  // IPv4's time to live, IPv6's hop limit. 0: the system's.
  int hop_limit = 0;
  // A batch of large datagrams, and what leaves a card in some milliseconds.
  size_t send_buffer_octets = size_t{4} << 20;

  // UDP: how long Send may wait for room in that buffer before it drops the message.
  absl::Duration send_wait = absl::ZeroDuration();

  // TCP and TLS. A client's context, for tls:// only.
  std::shared_ptr<const TlsContext> tls;
  // What may wait for a receiver that is slow or away; some ten seconds of a busy exporter.
  size_t max_queued_octets = size_t{16} << 20;
  absl::Duration connect_timeout = absl::Seconds(10);  // with the TLS handshake
  // Between two attempts: doubled after each, up to the second; a fifth of it by chance, so that not all come at once.
  absl::Duration first_retry = absl::Milliseconds(500);
  absl::Duration last_retry = absl::Seconds(30);
};

struct TransportCounters {
  uint64_t sent = 0;  // handed to the system
  uint64_t octets = 0;
  uint64_t dropped = 0;  // no room: in the system's buffer (UDP), in the queue (TCP, TLS), or closed with some queued
  uint64_t errors = 0;   // refused by the system: too large, no route, no permission
  uint64_t queued = 0;   // not yet sent
  uint64_t queued_octets = 0;
  // UDP: how often the other side's host said that nobody listens. TCP and TLS: attempts that led to nothing.
  uint64_t refused = 0;
  uint64_t sessions = 0;               // connections that stood; UDP has one
  uint64_t breaks = 0;                 // of them, that ended without being closed by us
  uint64_t octets_unacknowledged = 0;  // of breaks: sent, of which the other side had not said that it has them
  std::string last_error;              // for a person; empty: none so far
};

class Transport {
 public:
  static absl::StatusOr<std::unique_ptr<Transport>> New(const TransportOptions& options);
  virtual ~Transport() = default;

  // Ok: sent, or queued. ResourceExhausted: dropped, there was no room. Others: an error, or closed. All are counted.
  virtual absl::Status Send(base::Octets message) = 0;
  // Returns how many of them were sent or queued.
  virtual size_t SendBatch(absl::Span<const base::Octets> messages) = 0;

  // One or more whole messages, e.g. all templates, that each later session begins with; replaces what was given
  // before. Not counted as sent. UDP has no use for it.
  virtual void SetPreamble(base::Octets messages) {}
  // Changes when a new session begins: whoever gives no preamble sends templates again then. 0: none yet.
  virtual uint64_t session() const = 0;
  virtual bool connected() const = 0;

  // UDP: counts what the other side's host has said by now. Send does so before each message.
  virtual void Settle() {}
  // Sends what is queued, for `at_most`; drops the rest. Nothing can be sent afterwards. The destructor does it with no
  // time at all.
  virtual void Close(absl::Duration at_most) = 0;
  virtual TransportCounters counters() const = 0;
  virtual const Endpoint& to() const = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TRANSPORT_TRANSPORT_H_
