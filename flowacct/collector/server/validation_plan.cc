#include "flowacct/collector/server/validation_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

using config::ConfigFile;

absl::StatusOr<ValidationOptions> PlanValidation(const ConfigFile& file) {
  ValidationOptions options;
  if (!file.message().has_rpki()) return options;
  const config::Rpki& rpki = file.message().rpki();
  for (int i = 0; i < rpki.cache_size(); ++i) {
    std::string url = absl::StrContains(rpki.cache(i), "://") ? rpki.cache(i) : absl::StrCat("tcp://", rpki.cache(i));
    if (auto endpoint = ParseEndpoint(url, {EndpointScheme::kTcp}); !endpoint.ok()) {
      return file.ErrorAt(rpki, "cache", endpoint.status().message(), i);
    }
    options.caches.push_back(std::move(url));
  }
  options.roa_files.assign(rpki.roa_file().begin(), rpki.roa_file().end());
  // As far as an octet goes; what is said of more is said below.
  options.client.version = static_cast<uint8_t>(std::min<uint32_t>(rpki.version(), UINT8_MAX));
  options.client.max_vrps = rpki.max_vrps();
  if (absl::Status status = CheckValidationOptions(options); !status.ok()) {
    return file.ErrorAt(rpki, "", status.message());
  }
  return options;
}

std::string ValidationWarning(const ConfigFile& file, const config::Pipeline& pipeline,
                              const std::vector<std::string>& keys) {
  const config::Enrich& enrich = pipeline.enrich();
  if (enrich.has_routes() && file.message().has_rpki()) return "";
  // Which may set any field.
  if (enrich.has_rules() || enrich.has_networks()) return "";
  for (const std::string& key : keys) {
    const auto field = record::FindField(key);
    if (field != record::FieldId::kSrcRoa && field != record::FieldId::kDstRoa) continue;
    const absl::Status told = file.ErrorAt(
        pipeline, "by",
        absl::StrCat(key, " will be in no record: ",
                     enrich.has_routes() ? "nobody tells who may originate what; give rpki { cache: \"tcp://...\" }"
                                         : "it is told of routes; give enrich { routes {} }"));
    return std::string(told.message());
  }
  return "";
}

}  // namespace flowacct::collector
