// Takes IPFIX messages from TCP and TLS connections.
//
//     auto listeners = StreamListener::NewGroup(options, workers);   // one a worker
//     poller->Add(listener->descriptor(), token);
//     ...
//     const StreamBatch batch = listener->Receive();
//     for (const record::Datagram& message : batch.messages) ...      // all of batch.session
//     for (const uint64_t session : batch.ended_sessions) ...         // their templates are gone (RFC 7011, 8.4)
//
// Standards: RFC 7011, 10.4 (TCP; a message follows upon another) and 11 (TLS). A connection whose messages cannot be
// told apart any more is closed (10.4: the stream is lost, not only a message).
// Guaranteed: connections of a source address are a single worker's. A message is whole, and those of a connection come
// in order. Octets that came = octets of messages + octets lost + what waits for the rest of its message. Each
// connection that was accepted is open or was closed for one reason.
// Limits: connections in all and of a source, how long a handshake, a message and silence may last. A connection that
// waits holds no buffer; one within a message holds what came of it, less than 64 KiB.
// Not checked: what is in a message (its decoder does), and how many come (TCP makes a sender wait for its reader).
// Ownership: messages borrow the listener's buffer until the next Receive. Threads: one at a time each.
// Errors: of opening, a Status (bound_socket.h); later ones are counted.
// Cost: a call of the system a read of at most 192 KiB, and one more where many are ready; no copy of whole messages.

#ifndef FLOWACCT_COLLECTOR_STREAM_STREAM_LISTENER_H_
#define FLOWACCT_COLLECTOR_STREAM_STREAM_LISTENER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/connection.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {

// Why a connection is no more. X(reason, name, help)
#define FLOWACCT_STREAM_ENDS(X)                                                                      \
  X(kEndedByExporter, "ended_by_exporter", "the exporter closed it between two messages")            \
  X(kCutMessage, "cut_message", "the exporter closed it within a message")                           \
  X(kReset, "reset", "broken off by the network or the exporter")                                    \
  X(kBadVersion, "bad_version", "where a message should begin is none of IPFIX")                     \
  X(kBadLength, "bad_length", "a message that says to be shorter than its own header")               \
  X(kBadMessage, "bad_message", "the decoder of its messages refused one (RFC 7011, 9.1)")           \
  X(kIdle, "idle", "no message for the idle timeout")                                                \
  X(kSlowMessage, "slow_message", "a message was not whole within the message timeout")              \
  X(kSlowHandshake, "slow_handshake", "the TLS handshake was not done within its timeout")           \
  X(kTooManyConnections, "too_many_connections", "beyond max_connections")                           \
  X(kTooManyOfSource, "too_many_of_source", "beyond max_connections_of_source")                      \
  X(kUnknownExporter, "unknown_exporter", "the source may not export here")                          \
  X(kTlsProtocol, "tls_protocol", "what the exporter sent is not TLS 1.2 or 1.3")                    \
  X(kTlsNoCertificate, "tls_no_certificate", "the exporter has shown no certificate")                \
  X(kTlsUntrusted, "tls_untrusted", "the exporter's certificate comes from none of the authorities") \
  X(kTlsExpired, "tls_expired", "the exporter's certificate is not valid any more, or not yet")      \
  X(kTlsWrongName, "tls_wrong_name", "the exporter's certificate holds none of the allowed names")   \
  X(kTlsRefused, "tls_refused", "the exporter refused our certificate, version or ciphers")

enum class StreamEnd : uint8_t {
#define X(reason, name, help) reason,
  FLOWACCT_STREAM_ENDS(X)
#undef X
};

inline constexpr size_t kStreamEndCount = 0
#define X(reason, name, help) +1
    FLOWACCT_STREAM_ENDS(X)
#undef X
    ;

absl::string_view StreamEndName(StreamEnd end);
absl::string_view StreamEndHelp(StreamEnd end);

struct StreamListenerOptions {
  std::string address = "tcp://[::]:4739";  // or tls://; IANA: 4739 ipfix, 4740 ipfixs
  // Take from this interface alone. Empty: from all.
  std::string bind_to_device;
  // A server's; for tls:// only.
  std::shared_ptr<const TlsContext> tls;
  // Of a worker, some 1 KB each, and with TLS some 20 KB: more than a network has exporters that speak TCP.
  size_t max_connections = 1024;
  // An exporter has one; a few for its line cards, and for old ones that linger.
  size_t max_connections_of_source = 16;
  // Whose connection the idle timeout takes sends its templates again. Long, since quiet exporters are no fault.
  absl::Duration idle_timeout = absl::Minutes(30);
  // From the first octet of a message to its last. A message has 64 KiB at most.
  absl::Duration message_timeout = absl::Seconds(30);
  absl::Duration handshake_timeout = absl::Seconds(10);
  // After so long a silence the system asks whether the other side is still there (SO_KEEPALIVE), five times.
  absl::Duration keep_alive = absl::Minutes(1);
  // Whether a source may export; asked once a connection. None: all may.
  std::function<bool(const base::IpAddress&)> admit;
};

struct StreamListenerCounters {
  uint64_t accepted = 0;  // connections: those open now, and those of `ends`
  std::array<uint64_t, kStreamEndCount> ends{};
  uint64_t open = 0;
  uint64_t messages = 0;       // handed out
  uint64_t octets = 0;         // of them
  uint64_t octets_lost = 0;    // of messages that were never whole, and behind a bad header
  uint64_t accept_errors = 0;  // no descriptor was left, or no memory: those who knock wait
  int last_accept_error = 0;   // errno

  uint64_t end(StreamEnd reason) const { return ends[static_cast<size_t>(reason)]; }
};

struct StreamBatch {
  uint64_t session = 0;  // counts from 1 in all of a process; of a connection, never used again
  absl::Span<const record::Datagram> messages;
  // Those that are no more, after `messages`; among them may be `session`. Only of sessions that had a message.
  absl::Span<const uint64_t> ended_sessions;
};

class StreamListener {
 public:
  struct Group {
    std::vector<std::unique_ptr<StreamListener>> listeners;
    std::vector<std::string> warnings;
  };
  // As many as `workers`, or one if the system cannot keep a source's connections at one worker.
  static absl::StatusOr<Group> NewGroup(const StreamListenerOptions& options, size_t workers);
  ~StreamListener();
  StreamListener(const StreamListener&) = delete;
  StreamListener& operator=(const StreamListener&) = delete;

  // What one connection has; none if none has. Does not wait: give descriptor() to a Poller, which also tells it when a
  // timeout is to be looked at. An empty batch does not say that nothing is left: the Poller does.
  StreamBatch Receive();

  // Closes a session of which a message cannot be decoded (record::EndsSession); one that is no more: nothing. It is
  // not among ended_sessions, unless it had ended by itself.
  void Refuse(uint64_t session);

  // For connections from now on, e.g. with a renewed certificate.
  void SetTls(std::shared_ptr<const TlsContext> tls) { options_.tls = std::move(tls); }
  void SetAdmit(std::function<bool(const base::IpAddress&)> admit) { options_.admit = std::move(admit); }

  int descriptor() const { return epoll_.get(); }
  // With the port that the system chose, if it was asked to.
  const Endpoint& endpoint() const { return endpoint_; }
  const StreamListenerCounters& counters() const { return counters_; }

 private:
  struct Session;
  struct Buffers;
  StreamListener(const StreamListenerOptions& options, Descriptor socket, Endpoint endpoint);
  absl::Status Start();
  void Accept();
  void Greet(Descriptor socket, const base::IpAddress& source, uint16_t source_port);
  void Step(uint64_t number);
  void TakeMessages(uint64_t number, Session& session, size_t octets);
  void LookAtTimes();
  void End(uint64_t number, StreamEnd reason);
  void WaitFor(uint64_t number, Session& session, uint32_t events);
  void WaitForConnections(bool wait);

  StreamListenerOptions options_;
  Descriptor socket_;
  Endpoint endpoint_;
  Descriptor epoll_;
  Descriptor timer_;
  bool accepting_ = false;
  int64_t now_nanos_ = 0;  // monotonic
  absl::flat_hash_map<uint64_t, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_map<base::IpAddress, size_t> of_source_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<base::Octets> cut_;  // of the last read
  std::vector<record::Datagram> messages_;
  uint64_t messages_session_ = 0;
  std::vector<uint64_t> ended_sessions_;
  StreamListenerCounters counters_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STREAM_STREAM_LISTENER_H_
