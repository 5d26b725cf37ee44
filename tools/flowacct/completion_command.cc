#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/record/field.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {
namespace {

// Of what is within it, too: `config import --output`.
std::string LongOptions(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) absl::StrAppend(&words, words.empty() ? "" : " ", "--", name);
  }
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    absl::StrAppend(&words, words.empty() ? "" : " ", sub->get_name(), " ", LongOptions(*sub));
  }
  return words;
}

// The words come from the program's own options and registry, so that they cannot be out of date.
std::string BashScript(const CLI::App& app) {
  std::string commands, cases;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    absl::StrAppend(&commands, commands.empty() ? "" : " ", sub->get_name());
    absl::StrAppend(&cases, "    ", sub->get_name(), ") options=\"", LongOptions(*sub), "\" ;;\n");
  }
  std::string fields;
  for (size_t i = 0; i < record::kFieldCount; ++i) {
    absl::StrAppend(&fields, i == 0 ? "" : " ", record::Info(static_cast<record::FieldId>(i)).name);
  }
  return absl::StrCat(
      "# bash completion of flowacct: source <(flowacct completion bash)\n"
      "_flowacct() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" options=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"",
      commands,
      " --help --version\" -- \"$word\")); return\n"
      "  fi\n"
      "  case \"$before\" in\n"
      "    --by)\n"
      "      local last=\"${word##*,}\"; local head=\"${word%\"$last\"}\"\n"
      "      COMPREPLY=($(compgen -P \"$head\" -W \"",
      fields,
      "\" -- \"$last\")); compopt -o nospace; return ;;\n"
      "    --format) COMPREPLY=($(compgen -W \"table json csv markdown text\" -- \"$word\")); return ;;\n"
      "    --naming) COMPREPLY=($(compgen -W \"flowacct pmacct ipfix\" -- \"$word\")); return ;;\n"
      "    --as) COMPREPLY=($(compgen -W \"packets exports auto\" -- \"$word\")); return ;;\n"
      "    --view) COMPREPLY=($(compgen -W \"overview exporters groups\" -- \"$word\")); return ;;\n"
      "    --order|--sum) COMPREPLY=($(compgen -W \"packets bytes flows\" -- \"$word\")); return ;;\n"
      "  esac\n"
      "  case \"${COMP_WORDS[1]}\" in\n",
      cases,
      "  esac\n"
      "  case \"$word\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$word\")); compopt -o filenames ;;\n"
      "  esac\n"
      "}\n"
      "complete -F _flowacct flowacct\n");
}

}  // namespace

void AddCompletionCommand(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Prints a completion script for a shell");
  command->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}))->type_name("");
  command->footer("Example:\n  source <(flowacct completion bash)");
  command->callback([&app, shell, &exit_code] {
    std::string script = BashScript(app);
    if (*shell == "zsh") script = absl::StrCat("autoload -U +X bashcompinit && bashcompinit\n", script);
    if (std::fwrite(script.data(), 1, script.size(), stdout) != script.size() || std::fflush(stdout) != 0) {
      exit_code = Fail(absl::UnavailableError("standard output cannot be written"));
    }
  });
}

}  // namespace flowacct::tools
