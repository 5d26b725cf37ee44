// The password of a sink's server: in a file or in the environment, never in a configuration, a text or an error.
//
// Threads: any; the environment is not to change meanwhile.

#ifndef FLOWACCT_SINK_PASSWORD_H_
#define FLOWACCT_SINK_PASSWORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::sink {

// The first line of `file`, read anew at each call, so that it may change; without a file the value of `variable`, and
// empty if it has none. FailedPrecondition if the file cannot be read, with `option` before it: "mariadb:
// password_file".
absl::StatusOr<std::string> ReadPassword(absl::string_view option, const std::string& file, const char* variable);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_PASSWORD_H_
