// Mobile networks as people write them: "26201".
//
// Threads: any. Errors: InvalidArgument that tells what a network looks like.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_NETWORK_CODE_H_
#define FLOWACCT_COLLECTOR_SESSIONS_NETWORK_CODE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/gtp/values.h"

namespace flowacct::collector {

absl::StatusOr<gtp::Plmn> ParseNetworkCode(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_NETWORK_CODE_H_
