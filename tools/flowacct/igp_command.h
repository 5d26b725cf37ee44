// The command igp, which looks into the inside of a network.

#ifndef TOOLS_FLOWACCT_IGP_COMMAND_H_
#define TOOLS_FLOWACCT_IGP_COMMAND_H_

#include <CLI/CLI.hpp>

namespace flowacct::tools {

void AddIgpCommand(CLI::App& app, int& exit_code);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_IGP_COMMAND_H_
