#include "flowacct/sink/testing/fault_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace flowacct::sink {
namespace {

constexpr size_t kPiece = 65536;

sockaddr_in AddressOf(const std::string& host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

std::unique_ptr<FaultProxy> FaultProxy::Start(std::string host, int port) {
  auto proxy = std::unique_ptr<FaultProxy>(new FaultProxy(std::move(host), port));
  proxy->listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = AddressOf("127.0.0.1", 0);
  socklen_t size = sizeof(address);
  if (proxy->listener_ < 0 || bind(proxy->listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(proxy->listener_, 64) != 0 ||
      getsockname(proxy->listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      pipe2(proxy->wake_, O_NONBLOCK | O_CLOEXEC) != 0) {
    return nullptr;
  }
  proxy->port_ = ntohs(address.sin_port);
  proxy->thread_ = std::thread([p = proxy.get()] { p->Run(); });
  return proxy;
}

FaultProxy::~FaultProxy() {
  if (thread_.joinable()) {
    {
      const absl::MutexLock lock(&mutex_);
      end_ = true;
    }
    Wake();
    thread_.join();
  }
  for (Pair& pair : pairs_) Close(&pair);
  for (const int fd : {listener_, wake_[0], wake_[1]}) {
    if (fd >= 0) close(fd);
  }
}

void FaultProxy::Wake() {
  const char octet = 0;
  [[maybe_unused]] const ssize_t ignored = write(wake_[1], &octet, 1);
}

void FaultProxy::Arm(Fault fault, Direction direction, uint64_t octets, std::function<void()> act) {
  {
    const absl::MutexLock lock(&mutex_);
    cut_all_ |= fault_ == Fault::kStalled;
    fault_ = fault;
    direction_ = direction;
    limit_ = octets;
    act_ = std::move(act);
    passed_ = {};
    happened_ = false;
  }
  Wake();
}

void FaultProxy::CutAfter(Direction direction, uint64_t octets, std::function<void()> act) {
  Arm(Fault::kCut, direction, octets, std::move(act));
}

void FaultProxy::StallAfter(Direction direction, uint64_t octets) { Arm(Fault::kStall, direction, octets, nullptr); }

void FaultProxy::Slow(size_t octets) {
  const absl::MutexLock lock(&mutex_);
  slow_ = octets;
}

void FaultProxy::Clear() {
  Slow(0);
  Arm(Fault::kNone, kToServer, 0, nullptr);
}

bool FaultProxy::WaitForFault(absl::Duration time) {
  const absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&happened_), time);
}

uint64_t FaultProxy::passed(Direction direction) const {
  const absl::MutexLock lock(&mutex_);
  return passed_[direction];
}

void FaultProxy::Close(Pair* pair) {
  for (int& fd : pair->sockets) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
}

void FaultProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    Pair pair;
    pair.sockets[kToClient] = client;
    pair.sockets[kToServer] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    for (const int fd : pair.sockets) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const sockaddr_in address = AddressOf(host_, target_);
    const int rc = connect(pair.sockets[kToServer], reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    pair.connected = rc == 0;
    if (rc != 0 && errno != EINPROGRESS) {
      Close(&pair);
      continue;
    }
    pairs_.push_back(std::move(pair));
  }
}

bool FaultProxy::Due() const {
  return (fault_ == Fault::kCut || fault_ == Fault::kStall) && passed_[direction_] >= limit_;
}

bool FaultProxy::Pump(Pair* pair, Direction direction) {
  const int to = pair->sockets[direction], from = pair->sockets[1 - direction];
  std::string& held = pair->held[direction];
  size_t room = kPiece - std::min(kPiece, held.size());
  {
    const absl::MutexLock lock(&mutex_);
    if (slow_ != 0) room = std::min(room, slow_);
  }
  if (!pair->ended[direction] && room > 0) {
    const size_t before = held.size();
    held.resize(before + room);
    const ssize_t got = recv(from, &held[before], room, 0);
    held.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) pair->ended[direction] = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  size_t send_now = held.size();
  const absl::MutexLock lock(&mutex_);
  if (Due()) return true;  // nothing passes between the octet and its fault
  if (slow_ != 0) send_now = std::min(send_now, slow_);
  if ((fault_ == Fault::kCut || fault_ == Fault::kStall) && direction_ == direction) {
    send_now = static_cast<size_t>(std::min<uint64_t>(send_now, limit_ - std::min(limit_, passed_[direction])));
  }
  if (send_now > 0) {
    const ssize_t sent = send(to, held.data(), send_now, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) {
      held.erase(0, static_cast<size_t>(sent));
      passed_[direction] += static_cast<uint64_t>(sent);
    }
  }
  if (pair->ended[direction] && held.empty()) shutdown(to, SHUT_WR);
  return !(pair->ended[0] && pair->ended[1] && pair->held[0].empty() && pair->held[1].empty());
}

void FaultProxy::Run() {
  while (true) {
    bool stalled = false, slow = false;
    std::function<void()> act;
    bool cut = false;
    {
      const absl::MutexLock lock(&mutex_);
      if (end_) return;
      cut = std::exchange(cut_all_, false);
      // A fault at octet 0 is for whoever comes.
      if (Due() && (limit_ > 0 || !pairs_.empty())) {
        act = std::move(act_);
        act_ = nullptr;
        cut |= fault_ == Fault::kCut;
        fault_ = fault_ == Fault::kCut ? Fault::kNone : Fault::kStalled;
        happened_ = fault_ == Fault::kStalled || act == nullptr;
      }
      stalled = fault_ == Fault::kStalled;
      slow = slow_ != 0;
    }
    if (act != nullptr) {
      act();
      const absl::MutexLock lock(&mutex_);
      happened_ = true;
    }
    if (cut) {
      for (Pair& pair : pairs_) Close(&pair);
      pairs_.clear();
    }

    std::vector<pollfd> polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      for (const Direction direction : {kToServer, kToClient}) {
        // Octets that go there are waited for at the other; what is held, at this one.
        short events = 0;
        if (!pair.connected) {
          if (direction == kToServer) events = POLLOUT;
        } else if (!stalled && !slow) {
          const Direction other = direction == kToServer ? kToClient : kToServer;
          if (!pair.ended[other] && pair.held[other].size() < kPiece) events |= POLLIN;
          if (!pair.held[direction].empty()) events |= POLLOUT;
        }
        polled.push_back({events == 0 ? -1 : pair.sockets[direction], events, 0});
      }
    }
    poll(polled.data(), polled.size(), slow && !stalled ? 1 : -1);
    if ((polled[0].revents & POLLIN) != 0) {
      char octets[64];
      while (read(wake_[0], octets, sizeof(octets)) > 0) {
      }
    }
    size_t at = 2;
    for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
      bool alive = true;
      if (!pair->connected && (polled[at].revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
        int error = 0;
        socklen_t size = sizeof(error);
        getsockopt(pair->sockets[kToServer], SOL_SOCKET, SO_ERROR, &error, &size);
        pair->connected = alive = error == 0;
      }
      if (pair->connected && !stalled) {
        for (const Direction direction : {kToServer, kToClient}) alive = alive && Pump(&*pair, direction);
      }
      if (!alive) Close(&*pair);
      pair = alive ? std::next(pair) : pairs_.erase(pair);
    }
    if ((polled[1].revents & POLLIN) != 0) Accept();
  }
}

}  // namespace flowacct::sink
