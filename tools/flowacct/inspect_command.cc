#include <cstdio>
#include <memory>
#include <string>

#include "flowacct/collector/inspect/inspection.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/input_options.h"
#include "tools/flowacct/terminal.h"

namespace flowacct::tools {
namespace {

struct InspectFlags {
  InputFlags input;
  std::string format = "text";
  size_t max_errors = collector::InspectOptions().max_errors;
};

int Run(const InspectFlags& flags) {
  collector::InspectOptions options;
  options.files = flags.input.files;
  options.input = ToInputOptions(flags.input);
  options.max_errors = flags.max_errors;
  Terminal terminal(/*quiet=*/false);
  options.interrupted = [&terminal] { return terminal.Interrupted(); };
  options.progress = [&terminal](const collector::CaptureReader& reader) { terminal.ShowProgress(reader); };
  const collector::Inspection inspection = collector::Inspect(options);
  terminal.EndProgress();
  const std::string text = flags.format == "json" ? InspectionAsJson(inspection) : InspectionAsText(inspection);
  if (!inspection.files.empty()) std::fwrite(text.data(), 1, text.size(), stdout);
  int exit_code = inspection.interrupted ? kInterrupted : kDone;
  if (std::fflush(stdout) != 0) exit_code = Fail(absl::UnavailableError("standard output cannot be written"));
  for (const absl::Status& failure : inspection.failures) {
    Fail(failure);
    exit_code = kFailed;
  }
  return exit_code;
}

}  // namespace

void AddInspectCommand(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Tells what is in a capture: exporters, templates, sampling rates, losses, what could not be decoded");
  AddInputOptions(*command, flags->input);
  command->add_option("--format", flags->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_option("--max-errors", flags->max_errors, "Errors told one by one")
      ->check(WholeNumber())
      ->type_name("N")
      ->capture_default_str();
  command->footer("Example:\n  flowacct inspect exports.pcap");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace flowacct::tools
