#include "flowacct/sink/password.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace flowacct::sink {

absl::StatusOr<std::string> ReadPassword(absl::string_view option, const std::string& file, const char* variable) {
  if (file.empty()) {
    const char* const value = variable == nullptr ? nullptr : std::getenv(variable);
    return std::string(value == nullptr ? "" : value);
  }
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) {
    return absl::FailedPreconditionError(
        absl::StrCat(option, " ", file, " cannot be read; it is a file whose first line is the password"));
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace flowacct::sink
