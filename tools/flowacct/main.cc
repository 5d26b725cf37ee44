#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/base/version.h"
#include "tools/flowacct/command.h"
#include "tools/flowacct/igp_command.h"

namespace flowacct::tools {
namespace {

std::string NoSuchCommand(const std::string& word, const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(sub->get_name());
  const std::vector<absl::string_view> views(words.begin(), words.end());
  const std::vector<std::string> near = base::NearestWords(word, views);
  return absl::StrCat("no command is called \"", word, "\"; ",
                      near.empty() ? absl::StrCat("the commands are ", absl::StrJoin(words, ", "))
                                   : absl::StrCat("did you mean ", absl::StrJoin(near, " or "), "?"));
}

// CLI11 says "The following argument was not expected: --tpo"; a person wants to know what it should have been.
std::string WithNearMiss(const std::string& message, const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  // CLI11 says only that a subcommand is wanted.
  size_t depth = 0;  // how many words were understood
  for (const CLI::App* used = &app; used != command; used = used->get_subcommands().front()) ++depth;
  const bool wants_word = command->get_require_subcommand_min() > 0;
  if (wants_word && depth < arguments.size() && !arguments[depth].empty() && arguments[depth][0] != '-') {
    return NoSuchCommand(arguments[depth], *command);
  }
  const std::vector<absl::string_view> views(words.begin(), words.end());
  for (const std::string& argument : arguments) {
    const std::string word = argument.substr(0, argument.find('='));
    if (std::find(words.begin(), words.end(), word) != words.end()) continue;
    if (message.find(word) == std::string::npos) continue;
    const std::vector<std::string> near = base::NearestWords(word, views);
    if (!near.empty()) return absl::StrCat(message, "; did you mean ", absl::StrJoin(near, " or "), "?");
  }
  return message;
}

int Main(int argc, char** argv) {
  CLI::App app{"Turns packets and flow exports (NetFlow, IPFIX, sFlow) into accounted traffic.", "flowacct"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("flowacct ") + base::kVersion);
  app.footer(
      "Examples:\n"
      "  flowacct replay exports.pcap --by src_as,dst_as --top 20 --order bytes\n"
      "  flowacct inspect exports.pcap\n"
      "  flowacct decode exports.pcap | jq .\n"
      "  flowacct COMMAND --help\n"
      "\n"
      "Exit codes: 0 done; 1 input or output failed, what was counted is printed and marked incomplete;\n"
      "2 the command line is wrong; 130 interrupted, what was counted is printed and marked incomplete.");
  int exit_code = kDone;
  AddReplayCommand(app, exit_code);
  AddDecodeCommand(app, exit_code);
  AddInspectCommand(app, exit_code);
  AddExplainCommand(app, exit_code);
  AddFieldsCommand(app, exit_code);
  AddMeterCommand(app, exit_code);
  AddGenerateCommand(app, exit_code);
  AddCollectorCommands(app, exit_code);
  AddQueryCommand(app, exit_code);
  AddStoreCommand(app, exit_code);
  AddTopCommand(app, exit_code);
  AddRibCommand(app, exit_code);
  AddGtpCommand(app, exit_code);
  AddIgpCommand(app, exit_code);
  AddConfigCommand(app, exit_code);
  AddCompletionCommand(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForAllHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    std::fprintf(stderr, "flowacct: %s (--help tells more)\n", WithNearMiss(e.what(), app, arguments).c_str());
    return kUsage;
  }
  return exit_code;
}

}  // namespace

WholeNumber::WholeNumber(uint64_t least) : CLI::Validator("") {
  func_ = [least](std::string& text) {
    uint64_t number;
    if (absl::SimpleAtoi(text, &number) && number >= least) return std::string();
    return absl::StrCat("\"", text, "\" is no whole number from ", least, " to 18446744073709551615");
  };
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view option, absl::string_view text) {
  absl::Duration duration;
  int64_t days;
  if (absl::EndsWith(text, "d") && absl::SimpleAtoi(text.substr(0, text.size() - 1), &days) && days > 0) {
    return absl::Hours(24 * days);
  }
  if (absl::ParseDuration(absl::string_view(text.data(), text.size()), &duration) && duration > absl::ZeroDuration()) {
    return duration;
  }
  return absl::InvalidArgumentError(absl::StrCat(option, ": \"", text, "\" is no duration; such as 30s, 5m, 1h, 1d"));
}

int Fail(const absl::Status& status) {
  std::string text(status.message());
  for (char& c : text) {  // names of files are anybody's: they neither move the cursor nor begin a line
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  std::fprintf(stderr, "flowacct: %s\n", text.c_str());
  if (absl::IsCancelled(status)) return kInterrupted;
  return absl::IsInvalidArgument(status) ? kUsage : kFailed;
}

}  // namespace flowacct::tools

int main(int argc, char** argv) { return flowacct::tools::Main(argc, argv); }
