#include "tools/flowacct/collector_options.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace flowacct::tools {

void AddAddress(CLI::App& command, CollectorFlags& flags) {
  command
      .add_option("ADDRESS", flags.address,
                  "Where the collector's admin listens: HOST:PORT, http://HOST:PORT or unix:PATH")
      ->type_name("")
      ->capture_default_str();
}

void AddFormat(CLI::App& command, CollectorFlags& flags, const std::vector<std::string>& formats) {
  flags.format = formats[0];
  std::string help;
  for (const std::string& format : formats) {
    help += (help.empty() ? "" : &format == &formats.back() ? " or " : ", ") + format;
  }
  command.add_option("--format", flags.format, help)
      ->check(CLI::IsMember(formats))
      ->type_name("FORMAT")
      ->capture_default_str();
}

absl::StatusOr<std::unique_ptr<collector::CollectorClient>> NewClient(const CollectorFlags& flags,
                                                                      const collector::InterruptScope& interrupt) {
  absl::StatusOr<collector::CollectorAddress> address = collector::ParseCollectorAddress(flags.address);
  if (!address.ok()) return address.status();
  collector::HttpClientOptions options;
  options.interrupted = [&interrupt] { return interrupt.requested(); };
  return std::make_unique<collector::CollectorClient>(*std::move(address), std::move(options));
}

bool ColorWanted() {
  const char* const no = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0');
}

bool UnicodeWanted() {
  // The first that is set counts (POSIX, XBD 8.2).
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string lower = absl::AsciiStrToLower(value);
    return absl::StrContains(lower, "utf-8") || absl::StrContains(lower, "utf8");
  }
  return false;
}

int Print(absl::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kDone : Fail(absl::UnavailableError("standard output cannot be written"));
}

}  // namespace flowacct::tools
