// What a worker waits with: until one of its sources has something, a time is over, or somebody wakes it.
//
//     poller->Add(listener->descriptor(), 0);
//     for (const uint64_t token : poller->Wait(absl::Seconds(1))) ... sources[token]->Receive() ...
//
// Guaranteed: a Wake is never lost: the Wait that is under way, or else the next one, returns at once. Several may be
// one. Level triggered: what was not taken is told again.
// Threads: Wake from any; all else from one. Errors: of making and adding, a Status.
// Cost: a call of the system a Wait, none else; no allocation.

#ifndef FLOWACCT_COLLECTOR_LISTEN_POLLER_H_
#define FLOWACCT_COLLECTOR_LISTEN_POLLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {

class Poller {
 public:
  static absl::StatusOr<std::unique_ptr<Poller>> New();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Whatever epoll takes, another epoll's descriptor too. `token` is what Wait returns for it. It leaves when closed.
  absl::Status Add(int descriptor, uint64_t token);
  // The tokens of those that can be read; none after the time (InfiniteDuration waits on) or when woken or interrupted
  // by a signal. Valid until the next Wait.
  absl::Span<const uint64_t> Wait(absl::Duration timeout);
  void Wake();

 private:
  Poller(Descriptor epoll, Descriptor event) : epoll_(std::move(epoll)), event_(std::move(event)) {}

  const Descriptor epoll_;
  const Descriptor event_;
  std::vector<uint64_t> ready_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LISTEN_POLLER_H_
