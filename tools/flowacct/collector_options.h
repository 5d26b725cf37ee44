// What the commands that ask a running collector share.

#ifndef TOOLS_FLOWACCT_COLLECTOR_OPTIONS_H_
#define TOOLS_FLOWACCT_COLLECTOR_OPTIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/client/collector_client.h"
#include "flowacct/collector/interrupt.h"
#include "tools/flowacct/command.h"

namespace flowacct::tools {

struct CollectorFlags {
  std::string address = collector::kDefaultCollectorAddress;
  std::string format;
};

// The ADDRESS that a command begins with.
void AddAddress(CLI::App& command, CollectorFlags& flags);
// --format, one of `formats`; the first is the default.
void AddFormat(CLI::App& command, CollectorFlags& flags, const std::vector<std::string>& formats);

// A client whose requests end on Ctrl-C.
absl::StatusOr<std::unique_ptr<collector::CollectorClient>> NewClient(const CollectorFlags& flags,
                                                                      const collector::InterruptScope& interrupt);

// Whether colours make sense on standard output (https://no-color.org), and characters beyond ASCII.
bool ColorWanted();
bool UnicodeWanted();

// Writes to standard output; returns the exit code.
int Print(absl::string_view text);

}  // namespace flowacct::tools

#endif  // TOOLS_FLOWACCT_COLLECTOR_OPTIONS_H_
