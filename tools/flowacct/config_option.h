// Configurations of flowacct-collector, for commands that go by one.

#ifndef TOOLS_FLOWACCT_CONFIG_OPTION_H_
#define TOOLS_FLOWACCT_CONFIG_OPTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"

namespace flowacct::tools {

absl::StatusOr<config::ConfigFile> ReadConfigFile(const std::string& path);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_CONFIG_OPTION_H_
