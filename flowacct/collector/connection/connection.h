// An octet stream over a connected socket, plain or in TLS, that never waits.
//
// Guaranteed: no call blocks, and none raises SIGPIPE. What Read took off the socket it hands out: afterwards the
// descriptor's readiness is all there is to wait for.
// Ownership: owns its descriptor. Threads: one at a time. Errors: kFailed, with a fault that names a counter; a
// connection that failed or was closed stays so.

#ifndef FLOWACCT_COLLECTOR_CONNECTION_CONNECTION_H_
#define FLOWACCT_COLLECTOR_CONNECTION_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {

// X(fault, name, help)
#define FLOWACCT_CONNECTION_FAULTS(X)                                                        \
  X(kNone, "none", "no fault")                                                               \
  X(kReset, "reset", "broken off by the network or the other side")                          \
  X(kTlsProtocol, "tls_protocol", "what the other side sent is not TLS 1.2 or 1.3")          \
  X(kTlsNoCertificate, "tls_no_certificate", "the other side has shown no certificate")      \
  X(kTlsUntrusted, "tls_untrusted", "the certificate comes from none of the authorities")    \
  X(kTlsExpired, "tls_expired", "the certificate is not valid any more, or not yet")         \
  X(kTlsWrongName, "tls_wrong_name", "the certificate is for none of the names that may be") \
  X(kTlsRefused, "tls_refused", "the other side refused: our certificate, version or ciphers")

enum class ConnectionFault : uint8_t {
#define X(fault, name, help) fault,
  FLOWACCT_CONNECTION_FAULTS(X)
#undef X
};

inline constexpr size_t kConnectionFaultCount = 0
#define X(fault, name, help) +1
    FLOWACCT_CONNECTION_FAULTS(X)
#undef X
    ;

absl::string_view ConnectionFaultName(ConnectionFault fault);
absl::string_view ConnectionFaultHelp(ConnectionFault fault);

enum class IoCode : uint8_t {
  kOk,         // done; of Read and Write: `octets` of them, at least one (Read may have some before an end, too)
  kWantRead,   // when the descriptor can be read
  kWantWrite,  // when it can be written
  kClosed,     // the other side has ended it
  kFailed,     // see fault()
};

struct IoResult {
  IoCode code = IoCode::kOk;
  size_t octets = 0;
};

class Connection {
 public:
  // What Read must have room for: a record of TLS (RFC 8446, 5.1).
  static constexpr size_t kMinReadOctets = 16384;

  virtual ~Connection() = default;
  // To be called until it is kOk, before anything is read or written.
  virtual IoResult Handshake() = 0;
  virtual IoResult Read(uint8_t* out, size_t size) = 0;
  virtual IoResult Write(base::Octets octets) = 0;
  // Tells the other side, as far as that goes without waiting. The descriptor closes with the connection.
  virtual void Close() = 0;

  int descriptor() const { return socket_.get(); }
  ConnectionFault fault() const { return fault_; }
  // For a person: the system's or library's words for the fault.
  const std::string& fault_text() const { return fault_text_; }

 protected:
  explicit Connection(Descriptor socket) : socket_(std::move(socket)) {}
  IoResult Fail(ConnectionFault fault, absl::string_view text);

 private:
  const Descriptor socket_;
  ConnectionFault fault_ = ConnectionFault::kNone;
  std::string fault_text_;
};

// `socket`: connected and non-blocking.
std::unique_ptr<Connection> NewTcpConnection(Descriptor socket);
// `peer`: the address that a client connects to.
std::unique_ptr<Connection> NewTlsConnection(Descriptor socket, std::shared_ptr<const TlsContext> context,
                                             const base::IpAddress& peer);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CONNECTION_CONNECTION_H_
