#include "flowacct/sink/clickhouse/testing/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace flowacct::sink::clickhouse {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool SendAll(int to, const char* octets, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, octets, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    octets += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int server_port, unsigned one_in, uint32_t seed)
    : server_port_(server_port), one_in_(one_in), random_(seed) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 16) == 0 &&
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  stop_ = true;
  thread_.join();
  close(listener_);
}

// One connection after the other: who is tested here has no more.
void CuttingProxy::Run() {
  while (!stop_) {
    pollfd waits = {listener_, POLLIN, 0};
    if (poll(&waits, 1, 20) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    Forward(client);
    close(client);
  }
}

void CuttingProxy::Forward(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(server_port_);
  if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(server);
    return;
  }
  // What may still go there, and come back.
  size_t there = SIZE_MAX, back = SIZE_MAX;
  const bool cuts = random_() % one_in_ == 0;
  if (cuts && random_() % 2 == 0) there = random_() % 1500;
  if (cuts && there == SIZE_MAX) back = random_() % 200;
  char octets[65536];
  for (bool open = true; open && !stop_;) {
    pollfd waits[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    // Somebody else comes: the one before keeps his connection for nothing.
    pollfd next = {listener_, POLLIN, 0};
    if (poll(waits, 2, 5) <= 0) {
      if (poll(&next, 1, 0) > 0) break;
      continue;
    }
    for (int i = 0; i < 2 && open; ++i) {
      if (waits[i].revents == 0) continue;
      size_t& budget = i == 0 ? there : back;
      const ssize_t got = recv(waits[i].fd, octets, sizeof(octets), 0);
      if (got <= 0) {
        open = false;
        break;
      }
      const size_t passed = std::min(budget, static_cast<size_t>(got));
      open = SendAll(waits[1 - i].fd, octets, passed);
      if (budget != SIZE_MAX) budget -= passed;
      if (passed < static_cast<size_t>(got)) {
        ++cuts_;
        open = false;
      }
    }
  }
  close(server);
}

}  // namespace flowacct::sink::clickhouse
