#include "flowacct/collector/validation/validation_options.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {
namespace {

constexpr size_t kMaxSources = 64;

template <typename... Why>
absl::Status Refuse(const Why&... why) {
  return absl::InvalidArgumentError(absl::StrCat(why...));
}

// The first that is there twice; null if none is.
const std::string* Twice(const std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return &names[i];
    }
  }
  return nullptr;
}

}  // namespace

absl::Status CheckValidationOptions(const ValidationOptions& options) {
  if (options.caches.empty() && options.roa_files.empty()) {
    return Refuse("give cache: \"tcp://192.0.2.1:3323\" or roa_file: \"/var/lib/rpki-client/json\"");
  }
  if (options.caches.size() + options.roa_files.size() > kMaxSources) {
    return Refuse(options.caches.size(), " caches and ", options.roa_files.size(), " files; at most ", kMaxSources,
                  " can be");
  }
  for (const std::string& cache : options.caches) {
    const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(cache, {EndpointScheme::kTcp});
    if (!endpoint.ok()) return Refuse("cache: ", endpoint.status().message());
    if (endpoint->port == 0) return Refuse("cache: ", cache, ": port 0 is nobody's; 323 is the protocol's own");
    if (endpoint->IsAnyAddress()) return Refuse("cache: ", cache, ": is no address that can be connected to");
  }
  for (const std::string& file : options.roa_files) {
    if (file.empty()) return Refuse("roa_file: is empty; such as \"/var/lib/rpki-client/json\"");
  }
  if (const std::string* cache = Twice(options.caches)) return Refuse("cache: ", *cache, " is there twice");
  if (const std::string* file = Twice(options.roa_files)) return Refuse("roa_file: ", *file, " is there twice");
  if (options.client.version > rpki::kMaxVersion) {
    return Refuse("version: ", int{options.client.version}, "; 0 (RFC 6810) and 1 (RFC 8210) can be");
  }
  if (options.client.max_vrps == 0 || options.client.max_vrps > size_t{1} << 28) {
    return Refuse("max_vrps: ", options.client.max_vrps, "; 1 to ", size_t{1} << 28,
                  " can be, the world's of 2026 are 700,000");
  }
  const struct {
    const char* name;
    absl::Duration value;
  } durations[] = {{"connect_timeout", options.connect_timeout},
                   {"first_retry", options.first_retry},
                   {"look_at_files", options.look_at_files},
                   {"read_files_again", options.read_files_again},
                   {"between_tables", options.between_tables}};
  for (const auto& duration : durations) {
    if (duration.value >= absl::Milliseconds(1)) continue;
    return Refuse(duration.name, ": ", absl::FormatDuration(duration.value), "; at least 1ms");
  }
  return absl::OkStatus();
}

}  // namespace flowacct::collector
