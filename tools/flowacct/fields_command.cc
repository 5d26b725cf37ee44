#include <cstdio>
#include <memory>
#include <string>

#include "flowacct/record/field_document.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {

void AddFieldsCommand(CLI::App& app, int& exit_code) {
  auto format = std::make_shared<std::string>("table");
  CLI::App* command =
      app.add_subcommand("fields", "Lists the registry of fields: names, aliases, types, units, elements");
  command->add_option("--format", *format, "table, markdown, json or csv")
      ->check(CLI::IsMember({"table", "markdown", "json", "csv"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->footer("Example:\n  flowacct fields | grep _as");
  command->callback([format, &exit_code] {
    const std::string text = *format == "markdown" ? record::FieldsAsMarkdown()
                             : *format == "json"   ? record::FieldsAsJson()
                             : *format == "csv"    ? record::FieldsAsCsv()
                                                   : record::FieldsAsTable();
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      exit_code = Fail(absl::UnavailableError("standard output cannot be written"));
    }
  });
}

}  // namespace flowacct::tools
