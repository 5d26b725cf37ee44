#include "flowacct/collector/server/session_plan.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/server/config_address.h"
#include "flowacct/collector/sessions/network_code.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;

int64_t NanosOf(const std::string& duration) { return absl::ToInt64Nanoseconds(ConfigFile::DurationOf(duration)); }

}  // namespace

absl::StatusOr<session::SessionOptions> PlanSessions(const ConfigFile& file) {
  const config::Gtp& gtp = file.message().gtp();
  session::SessionOptions options;
  for (int i = 0; i < gtp.own_network_size(); ++i) {
    const auto network = ParseNetworkCode(gtp.own_network(i));
    if (!network.ok()) return file.ErrorAt(gtp, "own_network", network.status().message(), i);
    options.own_networks.push_back(*network);
  }
  for (const config::VisitedNetwork& visited : gtp.visited_network()) {
    auto nodes = ParsePrefix(file, visited, "nodes", visited.nodes(), 0);
    if (!nodes.ok()) return nodes.status();
    const auto network = ParseNetworkCode(visited.network());
    if (!network.ok()) return file.ErrorAt(visited, "network", network.status().message());
    options.visited_networks.emplace_back(*nodes, *network);
  }
  if (gtp.max_contexts() == 0 || gtp.max_contexts() > session::SessionOptions::kMaxContexts) {
    return file.ErrorAt(gtp, "max_contexts", absl::StrCat("from 1 to ", session::SessionOptions::kMaxContexts));
  }
  for (int i = 0; i < gtp.user_plane_port_size(); ++i) {
    if (gtp.user_plane_port(i) == 0 || gtp.user_plane_port(i) > 65535) {
      return file.ErrorAt(gtp, "user_plane_port", "a UDP port, from 1 to 65535", i);
    }
  }
  options.max_contexts = gtp.max_contexts();
  options.linger_nanos = NanosOf(gtp.linger());
  options.idle_nanos = NanosOf(gtp.idle());
  options.record_interval_nanos = 0;
  for (const config::Input& input : file.message().input()) {
    if (input.has_sessions()) options.record_interval_nanos = NanosOf(input.sessions().every());
  }
  return options;
}

enrich::SessionsOptions PlanSessionsEnricher(const ConfigFile& file, const config::Enrich& enrich) {
  const config::Gtp& gtp = file.message().gtp();
  enrich::SessionsOptions options;
  options.by_address = enrich.sessions().by_address();
  options.hold_nanos = NanosOf(gtp.hold());
  options.max_held = gtp.max_held();
  return options;
}

enrich::EnricherFactory SessionsFactory(std::shared_ptr<const SessionHolder> holder, enrich::SessionsOptions options) {
  return [holder = std::move(holder), options]() -> std::unique_ptr<enrich::Enricher> {
    const enrich::Sessions sessions{holder->service->epochs(), holder->service->engine()};
    return std::make_unique<enrich::SessionsEnricher>(sessions, options, holder->service);
  };
}

}  // namespace flowacct::collector
