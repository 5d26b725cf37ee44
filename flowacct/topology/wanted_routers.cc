#include "flowacct/topology/wanted_routers.h"

#include <algorithm>

namespace flowacct::topology {

bool WantedRouters::Note(NodeKey router, bool alternates) {
  base::MutexLock lock(&mutex_);
  const auto known = waiting_.find(router);
  if (known != waiting_.end()) {
    known->second |= alternates;
    return true;
  }
  if (waiting_.size() >= max_waiting_) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  waiting_.emplace(router, alternates);
  pending_.store(true, std::memory_order_release);
  return true;
}

std::vector<WantedRouter> WantedRouters::Take() {
  std::vector<WantedRouter> taken;
  {
    base::MutexLock lock(&mutex_);
    taken.reserve(waiting_.size());
    for (const auto& [router, alternates] : waiting_) taken.push_back({router, alternates});
    waiting_.clear();
    pending_.store(false, std::memory_order_release);
  }
  std::sort(taken.begin(), taken.end(),
            [](const WantedRouter& a, const WantedRouter& b) { return a.router < b.router; });
  return taken;
}

}  // namespace flowacct::topology
