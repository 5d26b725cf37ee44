// What the subcommands of `flowacct` share: how they are added, and how they end.

#ifndef TOOLS_FLOWACCT_COMMAND_H_
#define TOOLS_FLOWACCT_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace flowacct::tools {

// Documented in docs/reference/exit-codes.md.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,         // input or output failed; what was counted until then is printed and marked incomplete
  kUsage = 2,          // the command line is wrong; nothing was done
  kInterrupted = 130,  // Ctrl-C; what was counted until then is printed and marked incomplete
};

// Each adds one subcommand, whose callback stores what the program is to exit with in `exit_code`.
void AddReplayCommand(CLI::App& app, int& exit_code);
void AddDecodeCommand(CLI::App& app, int& exit_code);
void AddExplainCommand(CLI::App& app, int& exit_code);
void AddInspectCommand(CLI::App& app, int& exit_code);
void AddFieldsCommand(CLI::App& app, int& exit_code);
void AddMeterCommand(CLI::App& app, int& exit_code);
void AddGenerateCommand(CLI::App& app, int& exit_code);
void AddGenerateGtpCommand(CLI::App& generate, int& exit_code);
void AddCollectorCommands(CLI::App& app, int& exit_code);  // status, exporters, templates, reload
void AddQueryCommand(CLI::App& app, int& exit_code);
void AddStoreCommand(CLI::App& app, int& exit_code);
void AddTopCommand(CLI::App& app, int& exit_code);
void AddRibCommand(CLI::App& app, int& exit_code);
void AddGtpCommand(CLI::App& app, int& exit_code);
void AddGtpRoaming(CLI::App& gtp, int& exit_code);
void AddConfigCommand(CLI::App& app, int& exit_code);
void AddCompletionCommand(CLI::App& app, int& exit_code);

// For options of whole numbers: CLI11 itself takes -1 as 2^64 - 1 and what is larger, too.
class WholeNumber : public CLI::Validator {
 public:
  explicit WholeNumber(uint64_t least = 0);
};

// As absl::ParseDuration, and days; more than zero. `option` stands for it in errors.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view option, absl::string_view text);

// One line on standard error, "flowacct: TEXT"; returns kUsage for InvalidArgument, kInterrupted for Cancelled, else
// kFailed.
int Fail(const absl::Status& status);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_COMMAND_H_
