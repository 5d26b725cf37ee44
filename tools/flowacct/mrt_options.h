// What the commands that read MRT files share.

#ifndef TOOLS_FLOWACCT_MRT_OPTIONS_H_
#define TOOLS_FLOWACCT_MRT_OPTIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {

// `peer`: an address or BGP identifier, the only one whose routes are taken; empty: all.
absl::StatusOr<std::shared_ptr<collector::OfflineRoutes>> LoadRoutes(const std::vector<std::string>& files,
                                                                     const std::string& peer, Terminal& terminal);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_MRT_OPTIONS_H_
