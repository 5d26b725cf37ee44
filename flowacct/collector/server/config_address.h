// Addresses and prefixes that a configuration names.
//
// Errors: InvalidArgument with the place in the file, the text, and an example. Threads: any.

#ifndef FLOWACCT_COLLECTOR_SERVER_CONFIG_ADDRESS_H_
#define FLOWACCT_COLLECTOR_SERVER_CONFIG_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/config/config_file.h"

namespace flowacct::collector {

// `text` is the value of `field` of `message`, of a repeated field the `index`th.
absl::StatusOr<base::IpPrefix> ParsePrefix(const config::ConfigFile& file, const google::protobuf::Message& message,
                                           absl::string_view field, const std::string& text, int index = 0);
absl::StatusOr<base::IpAddress> ParseAddress(const config::ConfigFile& file, const google::protobuf::Message& message,
                                             absl::string_view field, const std::string& text, int index = 0);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_CONFIG_ADDRESS_H_
