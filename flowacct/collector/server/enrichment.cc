#include "flowacct/collector/server/enrichment.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/enrich/rules/rules_enricher.h"

namespace flowacct::collector {
namespace {

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  struct stat info;
  std::ifstream in(path, std::ios::binary);
  if (!in || stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno), "; is the path right?"));
  }
  if (!S_ISREG(info.st_mode)) return absl::NotFoundError(absl::StrCat(path, ": is no file; is the path right?"));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

enrich::NetworksPolicy PolicyOf(config::Networks::Policy policy) {
  switch (policy) {
    case config::Networks::FILL:
      return enrich::NetworksPolicy::kFill;
    case config::Networks::REPLACE:
      return enrich::NetworksPolicy::kReplace;
    case config::Networks::LONGEST:
      return enrich::NetworksPolicy::kLongest;
  }
  return enrich::NetworksPolicy::kFill;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const enrich::Networks>> Enrichment::ReadNetworks(const config::Networks& networks) {
  std::shared_ptr<const enrich::Networks>& known = networks_[networks.file()];
  if (known != nullptr) return known;
  auto text = ReadWhole(networks.file());
  if (!text.ok()) return file_.ErrorAt(networks, "file", text.status().message());
  auto parsed = enrich::Networks::Parse(*text, networks.file());
  if (!parsed.ok()) return file_.ErrorAt(networks, "file", parsed.status().message());
  known = std::make_shared<const enrich::Networks>(*std::move(parsed));
  return known;
}

absl::StatusOr<std::shared_ptr<const enrich::GeoDatabase>> Enrichment::OpenGeoDatabase(const config::Enrich& enrich,
                                                                                       int index) {
  std::shared_ptr<const enrich::GeoDatabase>& known = databases_[enrich.geoip(index)];
  if (known != nullptr) return known;
  auto opened = enrich::GeoDatabase::Open(enrich.geoip(index));
  if (!opened.ok()) return file_.ErrorAt(enrich, "geoip", opened.status().message(), index);
  known = *std::move(opened);
  return known;
}

absl::StatusOr<std::shared_ptr<const enrich::Services>> Enrichment::ReadServices(const config::Enrich& enrich) {
  std::shared_ptr<const enrich::Services>& known = services_[enrich.services()];
  if (known != nullptr) return known;
  auto text = ReadWhole(enrich.services());
  if (!text.ok()) return file_.ErrorAt(enrich, "services", text.status().message());
  auto parsed = enrich::Services::Parse(*text, enrich.services());
  if (!parsed.ok()) return file_.ErrorAt(enrich, "services", parsed.status().message());
  known = *std::move(parsed);
  return known;
}

absl::StatusOr<std::shared_ptr<const enrich::Rules>> Enrichment::ReadRules(const config::Rules& rules) {
  std::shared_ptr<const enrich::Rules>& known = rules_[absl::StrJoin(rules.file(), "\n")];
  if (known != nullptr) return known;
  std::vector<enrich::RulesFile> files;
  for (int i = 0; i < rules.file_size(); ++i) {
    auto text = ReadWhole(rules.file(i));
    if (!text.ok()) return file_.ErrorAt(rules, "file", text.status().message(), i);
    files.push_back({rules.file(i), *std::move(text)});
  }
  enrich::RulesOptions options;
  if (custom_ != nullptr) options.names = &custom_->names();
  auto parsed = enrich::Rules::Parse(files, options);
  if (!parsed.ok()) {
    // The error begins with the file that is wrong.
    int wrong = 0;
    while (wrong + 1 < rules.file_size() &&
           !absl::StartsWith(parsed.status().message(), absl::StrCat(rules.file(wrong), ":"))) {
      ++wrong;
    }
    return file_.ErrorAt(rules, "file", parsed.status().message(), wrong);
  }
  known = *std::move(parsed);
  warnings_.insert(warnings_.end(), known->warnings().begin(), known->warnings().end());
  return known;
}

absl::StatusOr<std::vector<enrich::EnricherFactory>> Enrichment::Make(const config::Enrich& enrich,
                                                                      const pipeline::PipelineOptions& options,
                                                                      bool counts_volumes) {
  std::vector<enrich::EnricherFactory> factories;
  if (enrich.has_sessions()) {
    if (!file_.message().has_gtp()) {
      return file_.ErrorAt(enrich, "sessions", "there are no sessions without gtp; give gtp {}");
    }
    enrich::SessionsOptions sessions = PlanSessionsEnricher(file_, enrich);
    sessions.count_volumes = counts_volumes;
    sessions.sampling.reset();
    if (options.scale_sampled) sessions.sampling = options.sampling;
    factories.push_back(SessionsFactory(sessions_, sessions));
  }
  if (enrich.has_routes()) {
    if (!file_.message().has_bgp() && !file_.message().has_bmp()) {
      return file_.ErrorAt(enrich, "routes",
                           "there is nobody who tells routes; give bgp { listen: \"[::]:179\" } or bmp");
    }
    auto options = PlanRoutes(file_, enrich.routes(), custom_ == nullptr ? nullptr : &custom_->names());
    if (!options.ok()) return options.status();
    factories.push_back(RoutesFactory(routing_, *std::move(options), file_.message().has_rpki()));
  }
  if (enrich.has_igp()) {
    if (igp_options_ == nullptr) {
      return file_.ErrorAt(enrich, "igp",
                           "there is no topology without igp; give igp { isis { ... } }, file or bgp_ls");
    }
    auto igp = PlanIgpEnricher(file_, enrich.igp(), *igp_options_);
    if (!igp.ok()) return igp.status();
    factories.push_back(IgpFactory(igp_, *std::move(igp)));
  }
  if (enrich.has_networks()) {
    auto networks = ReadNetworks(enrich.networks());
    if (!networks.ok()) return networks.status();
    factories.push_back(enrich::NetworksEnricher::Factory(*std::move(networks), PolicyOf(enrich.networks().policy())));
  }
  for (int i = 0; i < enrich.geoip_size(); ++i) {
    auto database = OpenGeoDatabase(enrich, i);
    if (!database.ok()) return database.status();
    factories.push_back(enrich::GeoEnricher::Factory(*std::move(database)));
  }
  if (enrich.has_services()) {
    auto services = ReadServices(enrich);
    if (!services.ok()) return services.status();
    factories.push_back(enrich::ServicesEnricher::Factory(*std::move(services)));
  }
  if (enrich.has_rules()) {
    if (enrich.rules().file().empty()) {
      return file_.ErrorAt(enrich, "rules", "no file of rules is named; give file: \"/etc/flowacct/rules\"");
    }
    auto rules = ReadRules(enrich.rules());
    if (!rules.ok()) return rules.status();
    factories.push_back(enrich::RulesEnricher::Factory(*std::move(rules)));
  }
  return factories;
}

}  // namespace flowacct::collector
