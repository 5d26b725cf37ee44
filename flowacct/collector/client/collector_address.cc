#include "flowacct/collector/client/collector_address.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace flowacct::collector {

absl::StatusOr<CollectorAddress> ParseCollectorAddress(absl::string_view text) {
  CollectorAddress address;
  address.text = std::string(text);
  absl::string_view rest = text;
  const auto wrong = [text](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no address of a collector: ", what, "; such as ",
                                                   kDefaultCollectorAddress, ", http://HOST:PORT or unix:/PATH"));
  };
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty()) return wrong("the path is missing");
    address.unix_path = std::string(rest);
    address.url = "http://localhost";
    return address;
  }
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '?' || c == '#' || c == '@') {
      return wrong("it holds what no address has");
    }
  }
  if (absl::StartsWith(rest, "http://") || absl::StartsWith(rest, "https://")) {
    while (absl::ConsumeSuffix(&rest, "/")) {
    }
    if (absl::EndsWith(rest, ":")) return wrong("the host is missing");
    address.url = std::string(rest);
    return address;
  }
  const size_t colon = rest.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || colon == 0 || !absl::SimpleAtoi(rest.substr(colon + 1), &port) || port == 0 ||
      port > 65535) {
    return wrong("a host and a port are needed");
  }
  if (absl::StrContains(rest, '/')) return wrong("a path needs http:// in front");
  address.url = absl::StrCat("http://", rest);
  return address;
}

}  // namespace flowacct::collector
