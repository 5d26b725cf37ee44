// The options of all subcommands that read captures.

#ifndef TOOLS_FLOWACCT_INPUT_OPTIONS_H_
#define TOOLS_FLOWACCT_INPUT_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "flowacct/collector/replay/capture_input.h"

namespace flowacct::tools {

struct InputFlags {
  std::vector<std::string> files;
  std::string as = "auto";
  int depth = 0;
  bool keep_not_ip = false;
};

// Adds FILE..., --as, --depth and --keep-not-ip. `flags` outlives the parse.
void AddInputOptions(CLI::App& command, InputFlags& flags);
collector::CaptureInputOptions ToInputOptions(const InputFlags& flags);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_INPUT_OPTIONS_H_
