// A network of the test's own: interfaces, addresses and routes that nobody else sees, gone when the test is.
//
//     const std::string reason = InNetworkNamespace([] {
//       ASSERT_TRUE(RunCommand("ip address add 198.51.100.1/32 dev lo"));
//       ...
//     });
//     if (!reason.empty()) GTEST_SKIP() << reason;
//
// Threads: the body runs on one of its own, which has the namespace; sockets that it opens stay there. Needs root (or
// CAP_SYS_ADMIN) and iproute2.

#ifndef FLOWACCT_COLLECTOR_SOCKET_TESTING_NETWORK_NAMESPACE_H_
#define FLOWACCT_COLLECTOR_SOCKET_TESTING_NETWORK_NAMESPACE_H_

#include <functional>
#include <string>

namespace flowacct::collector {

// Runs `body` with lo up. Returns why that cannot be here; empty if it was run.
std::string InNetworkNamespace(const std::function<void()>& body);

// In the caller's namespace; true if it ended with 0.
bool RunCommand(const std::string& command);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SOCKET_TESTING_NETWORK_NAMESPACE_H_
