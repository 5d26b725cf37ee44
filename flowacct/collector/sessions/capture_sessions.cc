#include "flowacct/collector/sessions/capture_sessions.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/collector/sessions/session_glass.h"
#include "flowacct/collector/sessions/session_tap.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"

namespace flowacct::collector {
namespace {

// Some centuries, so that sums with it are numbers.
constexpr int64_t kForEver = std::numeric_limits<int64_t>::max() / 4;

}  // namespace

absl::StatusOr<std::unique_ptr<CaptureSessions>> CaptureSessions::Load(CaptureSessionsOptions options) {
  options.sessions.linger_nanos = options.sessions.idle_nanos = kForEver;
  options.sessions.record_interval_nanos = 0;
  auto service = std::make_shared<SessionService>(options.sessions);
  SessionTap tap(service.get());

  ReplayOptions replay;
  replay.files = std::move(options.files);
  replay.input.as = CaptureKind::kPackets;
  replay.input.packets.depth = -1;
  replay.input.packets.gtp_tap = &tap;
  replay.interrupted = options.interrupted;
  replay.progress = options.progress;
  replay.pipeline.enrichers = {
      enrich::SessionsEnricher::Factory(service, {service->epochs(), service->engine()}, enrich::SessionsOptions())};
  const auto outcome = Replay(std::move(replay));
  if (!outcome.ok()) return outcome.status();
  if (outcome->interrupted) return absl::CancelledError("interrupted");
  if (!outcome->failures.empty()) return outcome->failures.front();

  std::unique_ptr<CaptureSessions> sessions(new CaptureSessions);
  const SessionServiceStatus status = service->Status();
  uint64_t joined = 0, all = 0;
  const auto add = [&](const session::PeerReport& peer) {
    for (size_t i = 1; i < session::kMatches; ++i) all += peer.packets[i];
    joined += peer.packets[static_cast<size_t>(session::Match::kJoined)];
  };
  service->Visit([&](const session::SessionEngine& engine) {
    engine.VisitPeers(add);
    add(engine.unknown_peers());
  });
  sessions->summary_.push_back(
      absl::StrCat(Count(outcome->input.packets, "packet"), " from ", Count(outcome->input.files, "file"), ": ",
                   Count(status.counters.messages, "message"), " of GTP, ", Count(status.contexts, "context"), ", ",
                   Count(all, "packet"), " in tunnels"));
  if (all > 0) {
    sessions->summary_.back() +=
        absl::StrFormat(", %.2f %% of them joined", 100.0 * static_cast<double>(joined) / static_cast<double>(all));
  }
  if (status.decoded.errors() > 0) {
    sessions->summary_.push_back(absl::StrCat(Count(status.decoded.errors(), "message"), " could not be read"));
  }
  sessions->service_ = std::move(service);
  return sessions;
}

absl::StatusOr<std::string> CaptureSessions::Ask(const SessionsQuestion& question) const {
  absl::StatusOr<std::string> answer;
  service_->Visit([&](const session::SessionEngine& engine) { answer = AskSessions(engine, question); });
  return answer;
}

std::vector<session::SessionRecord> CaptureSessions::TakeRecords() {
  service_->EndAll(end_nanos_);
  return service_->TakeRecords();
}

}  // namespace flowacct::collector
