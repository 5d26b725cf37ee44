#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "flowacct/collector/import/pmacct_import.h"
#include "flowacct/collector/import/pmacct_key.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {
namespace {

// A map of a million lines; what is larger is no map.
constexpr size_t kMaxFileOctets = size_t{64} << 20;

struct ImportFlags {
  std::string file, daemon, output;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char block[65536];
  while (file && text.size() <= kMaxFileOctets) {
    file.read(block, sizeof(block));
    text.append(block, static_cast<size_t>(file.gcount()));
  }
  if (text.size() > kMaxFileOctets) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": larger than ", kMaxFileOctets, " octets; is it the right file?"));
  }
  if (!file.eof())
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read; is it there, and may you read it?"));
  return text;
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written; does the folder exist, and is there room?"));
}

int Import(const ImportFlags& flags) {
  const absl::StatusOr<std::string> text = ReadFile(flags.file);
  if (!text.ok()) return Fail(text.status());
  std::error_code no_such_file;
  if (std::filesystem::equivalent(flags.file, flags.output, no_such_file)) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--output: ", flags.output, " is the file that is imported; give another one")));
  }
  collector::PmacctImportOptions options;
  options.daemon = flags.daemon;
  options.read_file = ReadFile;
  if (!flags.output.empty()) {
    const absl::string_view output = flags.output;
    options.rules_stem = std::string(absl::StripSuffix(output, ".conf"));
  }
  const absl::StatusOr<collector::PmacctImport> imported = collector::ImportPmacct(*text, flags.file, options);
  if (!imported.ok()) return Fail(imported.status());
  if (flags.output.empty() && !imported->files.empty()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        flags.file,
        ": its maps become a file beside the configuration; give --output, such as --output flowacct.conf")));
  }
  for (const std::string& line : imported->attention) std::fprintf(stderr, "flowacct: %s\n", line.c_str());
  if (!imported->runs) {
    std::fprintf(stderr,
                 "flowacct: nothing in it collects traffic that has a counterpart yet: only comments are written\n");
  }
  if (flags.output.empty()) {
    const std::string& out = imported->text;
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
      return Fail(absl::UnavailableError("standard output cannot be written"));
    }
    return kDone;
  }
  for (const collector::ImportedFile& file : imported->files) {
    if (absl::Status status = WriteFile(file.path, file.text); !status.ok()) return Fail(status);
  }
  if (absl::Status status = WriteFile(flags.output, imported->text); !status.ok()) return Fail(status);
  return kDone;
}

int Keys() {
  const std::string text = collector::PmacctKeysAsMarkdown();
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return kDone;
  return Fail(absl::UnavailableError("standard output cannot be written"));
}

}  // namespace

void AddConfigCommand(CLI::App& app, int& exit_code) {
  CLI::App* config = app.add_subcommand("config", "Works on configurations of flowacct-collector");
  config->require_subcommand(1);
  config->footer(
      "Examples:\n"
      "  flowacct config import /etc/pmacct/nfacctd.conf --output flowacct.conf\n"
      "  flowacct config keys");

  auto flags = std::make_shared<ImportFlags>();
  CLI::App* import = config->add_subcommand("import", "Turns a configuration of pmacct into one of flowacct-collector");
  import->add_option("FILE", flags->file, "Of nfacctd, sfacctd, pmacctd or uacctd")->required()->type_name("");
  import->add_option("--daemon", flags->daemon, "Which of them reads it; told by its keys or its name otherwise")
      ->type_name("NAME");
  import
      ->add_option("--output", flags->output,
                   "Where it is written, standard output otherwise; rules that maps become are beside it")
      ->type_name("FILE");
  import->footer(
      "Each key is in the result: as what it became, or in a comment that says why not. What a person must look at is\n"
      "told on standard error, too.\n"
      "Examples:\n"
      "  flowacct config import /etc/pmacct/nfacctd.conf --output flowacct.conf\n"
      "  flowacct-collector --check --config flowacct.conf");
  import->callback([flags, &exit_code] { exit_code = Import(*flags);
});

CLI::App* keys = config->add_subcommand("keys", "Prints what becomes of each of pmacct's keys, as Markdown");
keys->footer(
    "Example:\n"
    "  flowacct config keys | grep nfacctd_port");
keys->callback([&exit_code] { exit_code = Keys(); });
}  // namespace flowacct::tools

}  // namespace flowacct::tools
