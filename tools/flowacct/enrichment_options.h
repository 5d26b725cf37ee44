// The options of all subcommands that enrich records.

#ifndef TOOLS_FLOWACCT_ENRICHMENT_OPTIONS_H_
#define TOOLS_FLOWACCT_ENRICHMENT_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/collector/igp/offline_igp.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/enrich/geoip/geo_database.h"
#include "flowacct/enrich/igp/igp_enricher.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/services.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {

struct EnrichmentFlags {
  std::string networks;
  bool networks_replace = false, networks_longest = false;
  std::vector<std::string> geoip, rules, routes;
  std::string routes_peer, routes_policy = "replace";
  std::string services;
  std::vector<std::string> igp;
  std::string igp_exporters;
  bool igp_keep_networks = false;
};

struct SamplingFlags {
  bool no_scale = false, override_rate = false;
  uint64_t rate = 0;
};

// Adds --networks to --rules, and --no-scale to --override-rate. `flags` outlive the parse.
void AddEnrichmentOptions(CLI::App& command, EnrichmentFlags& flags);
// Adds --igp, --igp-exporters and --igp-keep-networks.
void AddIgpOptions(CLI::App& command, EnrichmentFlags& flags);
void AddSamplingOptions(CLI::App& command, SamplingFlags& flags);

// What the flags name, read; null or empty: nothing. Rules are not parsed.
struct Enrichment {
  std::shared_ptr<collector::OfflineRoutes> routes;
  enrich::RoutesOptions routes_options;
  std::shared_ptr<const enrich::Networks> networks;
  enrich::NetworksPolicy networks_policy = enrich::NetworksPolicy::kFill;
  std::vector<std::pair<std::string, std::shared_ptr<const enrich::GeoDatabase>>> geoip;  // path, database
  std::shared_ptr<const enrich::Services> services;
  std::vector<enrich::RulesFile> rules;
  std::shared_ptr<collector::OfflineIgp> igp;
  enrich::IgpOptions igp_options;
};
// Unless it is `quiet`, a summary of the routes and of the IGP goes to standard error.
absl::StatusOr<Enrichment> LoadEnrichment(const EnrichmentFlags& flags, bool quiet, Terminal& terminal);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_ENRICHMENT_OPTIONS_H_
