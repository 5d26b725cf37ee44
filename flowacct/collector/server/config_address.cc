#include "flowacct/collector/server/config_address.h"

#include "absl/strings/str_cat.h"

namespace flowacct::collector {

using google::protobuf::Message;

absl::StatusOr<base::IpPrefix> ParsePrefix(const config::ConfigFile& file, const Message& message,
                                           absl::string_view field, const std::string& text, int index) {
  const auto prefix = base::IpPrefix::Parse(text);
  if (prefix) return *prefix;
  return file.ErrorAt(message, field, absl::StrCat("\"", text, "\" is no prefix; such as 192.0.2.0/24 or 192.0.2.1"),
                      index);
}

absl::StatusOr<base::IpAddress> ParseAddress(const config::ConfigFile& file, const Message& message,
                                             absl::string_view field, const std::string& text, int index) {
  const auto address = base::IpAddress::Parse(text);
  if (address) return *address;
  return file.ErrorAt(message, field, absl::StrCat("\"", text, "\" is no address; such as 192.0.2.1"), index);
}

}  // namespace flowacct::collector
