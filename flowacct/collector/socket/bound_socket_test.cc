// What is said when a socket cannot be had: each of these is an operator's first five minutes.

#include "flowacct/collector/socket/bound_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kUdp, EndpointScheme::kTcp};

Endpoint EndpointOf(const std::string& text) { return ParseEndpoint(text, kSchemes).value(); }

absl::StatusOr<Descriptor> OpenAndBind(const Endpoint& endpoint, const BoundSocketOptions& options = {}) {
  absl::StatusOr<Descriptor> socket = OpenSocket(endpoint);
  if (!socket.ok()) return socket;
  if (absl::Status status = Bind(*socket, endpoint, options); !status.ok()) return status;
  return socket;
}

// The status of a bind by the user nobody, who has no capabilities.
std::string StatusOfNobody(const std::string& text, const BoundSocketOptions& options = {}) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    std::string status = "setuid failed";
    if (setgid(65534) == 0 && setuid(65534) == 0) status = OpenAndBind(EndpointOf(text), options).status().ToString();
    const ssize_t written = write(ends[1], status.data(), status.size());
    _exit(written == static_cast<ssize_t>(status.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string status;
  char block[512];
  for (ssize_t n; (n = read(ends[0], block, sizeof(block))) > 0;) status.append(block, static_cast<size_t>(n));
  close(ends[0]);
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  return status;
}

TEST(BoundSocketTest, ASystemChosenPortIsToldBack) {
  for (const char* text : {"udp://127.0.0.1:0", "udp://[::]:0", "tcp://127.0.0.1:0"}) {
    const auto socket = OpenAndBind(EndpointOf(text));
    ASSERT_TRUE(socket.ok()) << socket.status();
    base::IpAddress address;
    uint16_t port = 0;
    ASSERT_TRUE(LocalAddress(socket->get(), &address, &port));
    EXPECT_NE(port, 0);
  }
}

TEST(BoundSocketTest, PortTaken) {
  Endpoint endpoint = EndpointOf("udp://127.0.0.1:0");
  const auto first = OpenAndBind(endpoint);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(LocalAddress(first->get(), &endpoint.address, &endpoint.port));
  const auto second = OpenAndBind(endpoint);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(second.status().message(), absl::StrCat("udp://127.0.0.1:", endpoint.port,
                                                    ": address in use; is another collector running? 'ss -ulnp "
                                                    "sport = :",
                                                    endpoint.port, "' names the process"));
  // Also for those who would share it, since the first would not.
  BoundSocketOptions sharing;
  sharing.reuse_port = true;
  EXPECT_EQ(OpenAndBind(endpoint, sharing).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST(BoundSocketTest, AddressNotOfThisMachine) {
  const auto socket = OpenAndBind(EndpointOf("udp://203.0.113.77:2055"));
  EXPECT_EQ(socket.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      socket.status().message(),
      "udp://203.0.113.77:2055: no interface of this machine has the address; 'ip address' lists them, [::] takes "
      "all");
  EXPECT_EQ(OpenAndBind(EndpointOf("tcp://[2001:db8::77]:4739")).status().code(), absl::StatusCode::kNotFound);
}

TEST(BoundSocketTest, InterfaceThatDoesNotExist) {
  BoundSocketOptions options;
  options.bind_to_device = "nowhere9";
  const auto socket = OpenAndBind(EndpointOf("udp://[::]:0"), options);
  EXPECT_EQ(socket.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(socket.status().message(),
            "udp://[::]:0: bind_to_device 'nowhere9': there is no such interface; 'ip link' lists them");
  options.bind_to_device = "a-name-that-is-far-too-long";
  EXPECT_EQ(OpenAndBind(EndpointOf("udp://[::]:0"), options).status().code(), absl::StatusCode::kNotFound);
  options.bind_to_device = "lo";
  EXPECT_TRUE(OpenAndBind(EndpointOf("udp://[::]:0"), options).ok());
}

TEST(BoundSocketTest, NoPermission) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become a user without rights";
  const std::string status = StatusOfNobody("udp://127.0.0.1:514");
  if (status == "OK") GTEST_SKIP() << "this system lets everyone bind ports below 1024";
  EXPECT_EQ(status,
            "PERMISSION_DENIED: udp://127.0.0.1:514: permission denied; ports below 1024 need root or "
            "CAP_NET_BIND_SERVICE, or choose a higher port");
}

TEST(BoundSocketTest, BuffersAreReadBack) {
  const auto socket = OpenAndBind(EndpointOf("udp://127.0.0.1:0"));
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(GrantBuffer(*socket, SocketBuffer::kReceive, 100000), 100000u);
  EXPECT_EQ(GrantBuffer(*socket, SocketBuffer::kSend, 65536), 65536u);
  EXPECT_EQ(BufferWarning("udp://[::]:2055", SocketBuffer::kReceive, 100, 100), "");
  EXPECT_EQ(BufferWarning("udp://[::]:2055", SocketBuffer::kReceive, 33554432, 212992),
            "udp://[::]:2055: receive buffer of 33554432 octets asked, 212992 granted; 'sysctl -w "
            "net.core.rmem_max=33554432' allows it, and so does CAP_NET_ADMIN");
  EXPECT_TRUE(absl::StrContains(BufferWarning("x", SocketBuffer::kSend, 2, 1), "net.core.wmem_max=2"));
}

}  // namespace
}  // namespace flowacct::collector
