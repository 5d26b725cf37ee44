// The option that tells which mobile networks are one's own.

#ifndef TOOLS_FLOWACCT_OWN_NETWORK_OPTION_H_
#define TOOLS_FLOWACCT_OWN_NETWORK_OPTION_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/gtp/values.h"

namespace flowacct::tools {

// Adds --own-network. `networks` outlives the parse.
CLI::Option* AddOwnNetwork(CLI::App& command, std::vector<std::string>& networks);
absl::StatusOr<std::vector<gtp::Plmn>> OwnNetworks(const std::vector<std::string>& networks);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_OWN_NETWORK_OPTION_H_
