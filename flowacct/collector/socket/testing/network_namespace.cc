#include "flowacct/collector/socket/testing/network_namespace.h"

#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace flowacct::collector {

std::string InNetworkNamespace(const std::function<void()>& body) {
  std::string reason;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      reason = std::string("needs a network namespace of its own: ") + std::strerror(errno);
    } else if (!RunCommand("ip link set lo up")) {
      reason = "needs 'ip' of iproute2";
    } else {
      body();
    }
  }).join();
  return reason;
}

bool RunCommand(const std::string& command) { return std::system(command.c_str()) == 0; }

}  // namespace flowacct::collector
