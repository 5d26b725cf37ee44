#include "flowacct/sink/amqp/testing/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace flowacct::sink::amqp {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// With a reset, so that nothing lingers.
void Cut(int socket) {
  const linger none = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  close(socket);
}

}  // namespace

CuttingProxy::CuttingProxy(int to_port) : to_port_(to_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  closing_ = true;
  thread_.join();
  close(listener_);
}

void CuttingProxy::Run() {
  while (!closing_) {
    pollfd wait = {listener_, POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(to_port_);
    if (client >= 0 && connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      Serve(client, server);
    }
    Cut(client);
    Cut(server);
  }
}

void CuttingProxy::Serve(int client, int server) {
  int64_t left[2] = {to_server_, from_server_};
  const int from[2] = {client, server}, to[2] = {server, client};
  char octets[16384];
  while (!closing_) {
    pollfd wait[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (hold_) {
      poll(nullptr, 0, 10);
      continue;
    }
    if (poll(wait, 2, 20) <= 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (wait[i].revents == 0) continue;
      const size_t most =
          left[i] < 0 ? sizeof(octets) : std::min(sizeof(octets), static_cast<size_t>(std::max<int64_t>(left[i], 1)));
      const ssize_t size = recv(from[i], octets, most, 0);
      if (size <= 0) return;
      if (send(to[i], octets, static_cast<size_t>(size), MSG_NOSIGNAL) != size) return;
      if (left[i] >= 0 && (left[i] -= size) <= 0) {
        ++cuts_;
        return;
      }
    }
  }
}

}  // namespace flowacct::sink::amqp
