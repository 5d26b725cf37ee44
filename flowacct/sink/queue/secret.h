// A password: in a file or in the environment, never in a configuration, a text or an error.

#ifndef FLOWACCT_SINK_QUEUE_SECRET_H_
#define FLOWACCT_SINK_QUEUE_SECRET_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::sink::queue {

// Where it is; both empty: there is none.
struct Secret {
  std::string file;         // whose first line it is
  std::string environment;  // the name of a variable

  bool empty() const { return file.empty() && environment.empty(); }
};

// Read anew at each call, so that it may change. `option`: what it is called, for errors ("kafka: password").
// FailedPrecondition if it is not there, InvalidArgument if both are set.
absl::StatusOr<std::string> ReadSecret(const Secret& secret, absl::string_view option);

}  // namespace flowacct::sink::queue

#endif  // FLOWACCT_SINK_QUEUE_SECRET_H_
