#include "tools/flowacct/mrt_options.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/mrt/mrt_file.h"

namespace flowacct::tools {

absl::StatusOr<std::shared_ptr<collector::OfflineRoutes>> LoadRoutes(const std::vector<std::string>& files,
                                                                     const std::string& peer, Terminal& terminal) {
  collector::OfflineRoutesOptions options;
  options.files = files;
  if (!peer.empty()) {
    options.peer = base::IpAddress::Parse(peer);
    if (!options.peer) {
      return absl::InvalidArgumentError(absl::StrCat("\"", peer, "\" is no address; such as 192.0.2.1"));
    }
  }
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::MrtFile& file, uint64_t routes) {
    terminal.ShowProgress({file.octets_read(), file.octets_total(), routes, "routes"});
  };
  auto routes = collector::OfflineRoutes::Load(options);
  terminal.HideProgress();
  return routes;
}

}  // namespace flowacct::tools
