#include "flowacct/collector/connection/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace flowacct::collector {
namespace {

constexpr absl::string_view kFaultNames[] = {
#define X(fault, name, help) name,
    FLOWACCT_CONNECTION_FAULTS(X)
#undef X
};
constexpr absl::string_view kFaultHelps[] = {
#define X(fault, name, help) help,
    FLOWACCT_CONNECTION_FAULTS(X)
#undef X
};

class TcpConnection final : public Connection {
 public:
  explicit TcpConnection(Descriptor socket) : Connection(std::move(socket)) {}

  IoResult Handshake() override { return {}; }

  IoResult Read(uint8_t* out, size_t size) override {
    const ssize_t n = recv(descriptor(), out, size, 0);
    if (n > 0) return {IoCode::kOk, static_cast<size_t>(n)};
    if (n == 0) return {IoCode::kClosed};
    if (errno == EAGAIN || errno == EINTR) return {IoCode::kWantRead};
    return Fail(ConnectionFault::kReset, std::strerror(errno));
  }

  IoResult Write(base::Octets octets) override {
    const ssize_t n = send(descriptor(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n >= 0) return {IoCode::kOk, static_cast<size_t>(n)};
    if (errno == EAGAIN || errno == EINTR) return {IoCode::kWantWrite};
    return Fail(ConnectionFault::kReset, std::strerror(errno));
  }

  void Close() override { shutdown(descriptor(), SHUT_WR); }
};

}  // namespace

absl::string_view ConnectionFaultName(ConnectionFault fault) { return kFaultNames[static_cast<size_t>(fault)]; }
absl::string_view ConnectionFaultHelp(ConnectionFault fault) { return kFaultHelps[static_cast<size_t>(fault)]; }

IoResult Connection::Fail(ConnectionFault fault, absl::string_view text) {
  if (fault_ == ConnectionFault::kNone) {
    fault_ = fault;
    fault_text_ = std::string(text);
  }
  return {IoCode::kFailed};
}

std::unique_ptr<Connection> NewTcpConnection(Descriptor socket) {
  return std::make_unique<TcpConnection>(std::move(socket));
}

}  // namespace flowacct::collector
