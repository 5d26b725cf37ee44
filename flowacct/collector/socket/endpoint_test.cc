#include "flowacct/collector/socket/endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kAll[] = {EndpointScheme::kUdp, EndpointScheme::kTcp, EndpointScheme::kTls};

TEST(EndpointTest, ReadsAndWritesTheSameText) {
  struct {
    const char* text;
    EndpointScheme scheme;
    const char* address;
    uint16_t port;
    const char* interface;
    bool any;
  } const cases[] = {
      {"udp://0.0.0.0:2055", EndpointScheme::kUdp, "0.0.0.0", 2055, "", true},
      {"udp://[::]:2055", EndpointScheme::kUdp, "::", 2055, "", true},
      {"tcp://192.0.2.1:4739", EndpointScheme::kTcp, "192.0.2.1", 4739, "", false},
      {"tls://[2001:db8::1]:4740", EndpointScheme::kTls, "2001:db8::1", 4740, "", false},
      {"udp://[fe80::1%eth0]:0", EndpointScheme::kUdp, "fe80::1", 0, "eth0", false},
      {"udp://127.0.0.1:65535", EndpointScheme::kUdp, "127.0.0.1", 65535, "", false},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(c.text, kAll);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(endpoint->scheme, c.scheme) << c.text;
    EXPECT_EQ(endpoint->address.ToString(), c.address);
    EXPECT_EQ(endpoint->port, c.port) << c.text;
    EXPECT_EQ(endpoint->interface, c.interface) << c.text;
    EXPECT_EQ(endpoint->IsAnyAddress(), c.any) << c.text;
    EXPECT_EQ(endpoint->ToString(), c.text);
  }
}

TEST(EndpointTest, TellsWhatToWriteInstead) {
  struct {
    const char* text;
    const char* says;
  } const cases[] = {
      {"", "'' names no transport; write one of udp://, tcp://, tls:// before it, e.g. udp://[::]:2055"},
      {"0.0.0.0:2055", "names no transport"},
      {"sctp://0.0.0.0:2055", "has the transport 'sctp', which is not among udp://, tcp://, tls://"},
      {"udp://0.0.0.0", "has no port"},
      {"udp://0.0.0.0:", "has no port"},
      {"udp://[::]", "has no port"},
      {"udp://[::]2055", "has '2055' behind the address"},
      {"udp://0.0.0.0:65536", "has the port '65536', which is no number from 0 to 65535"},
      {"udp://0.0.0.0:-1", "has the port '-1'"},
      {"udp://0.0.0.0:+1", "has the port '+1'"},
      {"udp://0.0.0.0:netflow", "has the port 'netflow'"},
      {"udp://2001:db8::1:2055", "without brackets; write udp://[2001:db8::1]:2055"},
      {"udp://:2055", "write udp://[::]:2055 for all of this machine's, or udp://0.0.0.0:2055"},
      {"udp://*:2055", "write udp://[::]:2055"},
      {"udp://[::1:2055", "has a '[' without its ']'"},
      {"udp://collector.example:2055", "names are not looked up here"},
      {"udp://192.0.2.300:2055", "has '192.0.2.300' where an IPv4 or IPv6 address is needed"},
      {"udp://[fe80::1]:2055", "write it as [fe80::1%eth0]"},
      {"udp://[fe80::1%]:2055", "whose name has not 1 to 15 characters"},
      {"udp://[fe80::1%an-interface-too-long]:2055", "whose name has not 1 to 15 characters"},
      {"udp://[2001:db8::1%eth0]:2055", "use the option bind_to_device"},
      {"udp://192.0.2.1%eth0:2055", "use the option bind_to_device"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(c.text, kAll);
    ASSERT_FALSE(endpoint.ok()) << c.text;
    EXPECT_EQ(endpoint.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(endpoint.status().message(), c.says)) << endpoint.status();
  }
  EXPECT_FALSE(ParseEndpoint("tcp://0.0.0.0:2055", {EndpointScheme::kUdp}).ok());
}

TEST(EndpointTest, EveryCutOfATextIsRefusedOrRead) {
  const std::string text = "udp://[fe80::1%eth0]:2055";
  for (size_t n = 0; n < text.size(); ++n) {
    const auto endpoint = ParseEndpoint(text.substr(0, n), kAll);
    EXPECT_EQ(endpoint.ok(), n > text.size() - 4) << text.substr(0, n);
  }
}

TEST(SocketAddressTest, IsReadBack) {
  for (const char* text : {"udp://192.0.2.1:2055", "udp://[2001:db8::1]:2055", "udp://[fe80::1%lo]:2055"}) {
    const Endpoint endpoint = *ParseEndpoint(text, kAll);
    const absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->family(), endpoint.address.IsV4() ? AF_INET : AF_INET6);
    Endpoint again = endpoint;
    again.address = base::IpAddress();
    again.port = 0;
    ASSERT_TRUE(FromSocketAddress(address->storage, &again.address, &again.port));
    EXPECT_EQ(again, endpoint);
  }
  const auto scoped = ToSocketAddress(*ParseEndpoint("udp://[fe80::1%lo]:1", kAll));
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(scoped->storage).sin6_scope_id, if_nametoindex("lo"));
}

TEST(SocketAddressTest, AMappedAddressIsIpv4) {
  SocketAddress mapped;
  auto& in6 = reinterpret_cast<sockaddr_in6&>(mapped.storage);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(9);
  inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
  base::IpAddress address;
  uint16_t port = 0;
  ASSERT_TRUE(FromSocketAddress(mapped.storage, &address, &port));
  EXPECT_TRUE(address.IsV4());
  EXPECT_EQ(address.ToString(), "192.0.2.7");
  EXPECT_EQ(port, 9);
  mapped.storage.ss_family = AF_UNIX;
  EXPECT_FALSE(FromSocketAddress(mapped.storage, &address, &port));
}

TEST(SocketAddressTest, AnInterfaceThatIsNotThere) {
  const auto address = ToSocketAddress(*ParseEndpoint("udp://[fe80::1%nowhere9]:2055", kAll));
  EXPECT_EQ(address.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(address.status().message(),
            "udp://[fe80::1%nowhere9]:2055: there is no interface 'nowhere9'; 'ip link' lists them");
}

}  // namespace
}  // namespace flowacct::collector
