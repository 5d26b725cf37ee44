#include "flowacct/collector/listen/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace flowacct::collector {
namespace {

constexpr uint64_t kWakeToken = std::numeric_limits<uint64_t>::max();
constexpr int kMaxEvents = 64;  // the rest is told by the next Wait

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> Poller::New() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return absl::ErrnoToStatus(errno, "epoll");
  Descriptor event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event.is_open()) return absl::ErrnoToStatus(errno, "eventfd");
  const int event_number = event.get();
  std::unique_ptr<Poller> poller(new Poller(std::move(epoll), std::move(event)));
  if (absl::Status status = poller->Add(event_number, kWakeToken); !status.ok()) return status;
  return poller;
}

absl::Status Poller::Add(int descriptor, uint64_t token) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = token;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return absl::ErrnoToStatus(errno, "epoll");
  ready_.reserve(kMaxEvents);
  return absl::OkStatus();
}

absl::Span<const uint64_t> Poller::Wait(absl::Duration timeout) {
  // Rounded up: who waits for a time does not want to come round again before it.
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1)));
  const int wait = timeout == absl::InfiniteDuration()
                       ? -1
                       : static_cast<int>(std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
  epoll_event events[kMaxEvents];
  const int n = epoll_wait(epoll_.get(), events, kMaxEvents, wait);
  ready_.clear();
  for (int i = 0; i < n; ++i) {
    const uint64_t token = events[i].data.u64;  // a copy: the system's struct is packed
    if (token != kWakeToken) {
      ready_.push_back(token);
      continue;
    }
    uint64_t wakes;
    [[maybe_unused]] const ssize_t octets = read(event_.get(), &wakes, sizeof(wakes));
  }
  return ready_;
}

void Poller::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t octets = write(event_.get(), &one, sizeof(one));
}

}  // namespace flowacct::collector
