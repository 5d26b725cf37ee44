// Where a collector's administration is asked: an address, a URL or a UNIX socket, as a person writes it.
//
//     127.0.0.1:2112   [::1]:2112   collector.example:2112   http://collector.example:2112   https://proxy/flowacct
//     unix:/run/flowacct/admin.sock
//
// Threads: a plain value. Errors: InvalidArgument that names the text and what to write.

#ifndef FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_ADDRESS_H_
#define FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {

// The default of the configuration's `admin { http }`.
inline constexpr char kDefaultCollectorAddress[] = "127.0.0.1:2112";

struct CollectorAddress {
  std::string text;       // as it was written
  std::string url;        // what paths are appended to; without a '/' at its end
  std::string unix_path;  // empty: by the URL
};

absl::StatusOr<CollectorAddress> ParseCollectorAddress(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_COLLECTOR_ADDRESS_H_
