#include "flowacct/collector/server/enrichment.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/enrich/networks_enricher.h"

namespace flowacct::collector {
namespace {

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno), "; is the path right?"));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
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

absl::StatusOr<std::vector<enrich::EnricherFactory>> Enrichment::Make(const config::Enrich& enrich) {
  if (enrich.has_rules()) return file_.ErrorAt(enrich, "rules", "this version has no rules");
  if (!enrich.geoip().empty()) return file_.ErrorAt(enrich, "geoip", "this version has no GeoIP");
  if (enrich.networks().policy() == config::Networks::LONGEST) {
    return file_.ErrorAt(enrich.networks(), "policy", "this version has FILL and REPLACE");
  }
  std::vector<enrich::EnricherFactory> factories;
  if (enrich.has_networks()) {
    auto networks = ReadNetworks(enrich.networks());
    if (!networks.ok()) return networks.status();
    factories.push_back(enrich::NetworksEnricher::Factory(
        *std::move(networks), enrich.networks().policy() == config::Networks::REPLACE ? enrich::NetworksPolicy::kReplace
                                                                                      : enrich::NetworksPolicy::kFill));
  }
  return factories;
}

}  // namespace flowacct::collector
