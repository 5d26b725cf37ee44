// What the parts of an instance share: options, counters, what is to be sent, what changed.
//
// Ownership: values; the instance owns the one context. Threads: one at a time.

#ifndef FLOWACCT_ISIS_INSTANCE_CONTEXT_H_
#define FLOWACCT_ISIS_INSTANCE_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_counters.h"

namespace flowacct::isis {

struct InstanceContext {
  // Some 15 MB: more lie here only if nobody takes them.
  static constexpr size_t kMaxOutgoing = 10'000;

  explicit InstanceContext(InstanceOptions instance_options) : options(std::move(instance_options)) {}

  void Send(CircuitIndex circuit, Level level, Event event, std::vector<uint8_t> pdu) {
    if (pdu.empty() || outgoing.size() >= kMaxOutgoing) return Count(Event::kOutgoingRefused);
    Count(event);
    outgoing.push_back({circuit, level, std::move(pdu)});
  }
  void Count(Event event, uint64_t n = 1) { events[static_cast<size_t>(event)] += n; }

  const InstanceOptions options;
  std::array<uint64_t, kEventCount> events{};
  std::vector<Outgoing> outgoing;
  std::vector<LspChange> changes;
  size_t lsps = 0, octets = 0;  // of the databases of both levels
};

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_INSTANCE_CONTEXT_H_
