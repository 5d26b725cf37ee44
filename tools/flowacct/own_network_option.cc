#include "tools/flowacct/own_network_option.h"

#include "absl/strings/str_cat.h"
#include "flowacct/collector/sessions/network_code.h"

namespace flowacct::tools {

CLI::Option* AddOwnNetwork(CLI::App& command, std::vector<std::string>& networks) {
  return command
      .add_option("--own-network", networks,
                  "A network that is ours, such as 26201, which tells who is roaming; may be given several times")
      ->type_name("PLMN")
      ->take_all()
      ->allow_extra_args(false);
}

absl::StatusOr<std::vector<gtp::Plmn>> OwnNetworks(const std::vector<std::string>& networks) {
  std::vector<gtp::Plmn> own;
  for (const std::string& text : networks) {
    const auto network = collector::ParseNetworkCode(text);
    if (!network.ok()) return absl::InvalidArgumentError(absl::StrCat("--own-network: ", network.status().message()));
    own.push_back(*network);
  }
  return own;
}

}  // namespace flowacct::tools
