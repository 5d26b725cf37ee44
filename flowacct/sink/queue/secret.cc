#include "flowacct/sink/queue/secret.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/password.h"

namespace flowacct::sink::queue {

absl::StatusOr<std::string> ReadSecret(const Secret& secret, absl::string_view option) {
  if (!secret.file.empty() && !secret.environment.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(option, ": a file or a variable of the environment, not both"));
  }
  if (!secret.environment.empty()) {
    const char* const value = std::getenv(secret.environment.c_str());
    if (value == nullptr || *value == '\0') {
      return absl::FailedPreconditionError(
          absl::StrCat(option, ": the environment has no ", secret.environment, ", which should hold it"));
    }
    return std::string(value);
  }
  return ReadPassword(absl::StrCat(option, ":"), secret.file, nullptr);
}

}  // namespace flowacct::sink::queue
