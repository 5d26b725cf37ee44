// Fuzz entry point: any octets as a file of what was charged give sessions or an error, and what is read can be
// compared with itself: all is explained.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/collector/sessions/charged_sessions.h"
#include "flowacct/collector/sessions/roaming_report.h"

using flowacct::collector::ParseChargedSessions;
using flowacct::collector::RoamingReport;
using flowacct::collector::RoamingSession;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto sessions = ParseChargedSessions("f", absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!sessions.ok()) return 0;
  RoamingReport report({});
  size_t with_id = 0;
  for (const RoamingSession& session : *sessions) {
    if (!report.Add(session).ok()) return 0;
    with_id += session.charging_id.has_value();
  }
  const auto comparison = report.Compare(*sessions, {0, 0});
  const auto all = comparison.all();
  if (all.charged_sessions != sessions->size()) __builtin_trap();
  if (with_id == sessions->size() && !comparison.differences.empty()) __builtin_trap();
  return 0;
}
