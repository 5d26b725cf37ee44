#include "flowacct/collector/socket/endpoint.h"

#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kSchemeNames[] = {
#define X(scheme, name) name,
    FLOWACCT_ENDPOINT_SCHEMES(X)
#undef X
};

// RFC 4291, 2.5.6: fe80::/10.
bool IsLinkLocal(const base::IpAddress& address) {
  return address.data()[0] == 0xfe && (address.data()[1] & 0xc0) == 0x80;
}

}  // namespace

absl::string_view EndpointSchemeName(EndpointScheme scheme) { return kSchemeNames[static_cast<size_t>(scheme)]; }

std::string Endpoint::ToString() const {
  const std::string scheme(EndpointSchemeName(this->scheme));
  if (address.IsV4()) return absl::StrCat(scheme, "://", address.ToString(), ":", port);
  return absl::StrCat(scheme, "://[", address.ToString(), interface.empty() ? "" : "%", interface, "]:", port);
}

bool Endpoint::IsAnyAddress() const { return address == base::IpAddress() || address == base::IpAddress::V4(0); }

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text, absl::Span<const EndpointScheme> allowed) {
  const auto refuse = [text](auto&&... why) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", why...));
  };
  std::vector<absl::string_view> names;
  for (const EndpointScheme scheme : allowed) names.push_back(EndpointSchemeName(scheme));
  const std::string known = absl::StrJoin(names, "://, ") + "://";

  const size_t colon = text.find("://");
  if (colon == absl::string_view::npos) {
    return refuse("names no transport; write one of ", known, " before it, e.g. ", names[0], "://[::]:2055");
  }
  Endpoint endpoint;
  const auto scheme = std::find(names.begin(), names.end(), text.substr(0, colon));
  if (scheme == names.end()) {
    return refuse("has the transport '", text.substr(0, colon), "', which is not among ", known);
  }
  endpoint.scheme = allowed[static_cast<size_t>(scheme - names.begin())];

  absl::string_view rest = text.substr(colon + 3);
  absl::string_view host, port;
  if (absl::StartsWith(rest, "[")) {
    const size_t end = rest.find(']');
    if (end == absl::string_view::npos) return refuse("has a '[' without its ']'");
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest[0] != ':')
      return refuse("has '", rest, "' behind the address; a ':' and the port come there");
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const size_t last = rest.rfind(':');
    if (std::count(rest.begin(), rest.end(), ':') > 1) {
      return refuse("has an IPv6 address without brackets; write ", *scheme, "://[", rest.substr(0, last),
                    "]:", rest.substr(last + 1));
    }
    host = rest.substr(0, last);
    port = last == absl::string_view::npos ? absl::string_view() : rest.substr(last + 1);
  }
  if (port.empty()) return refuse("has no port; write it behind a ':'");
  uint32_t number = 0;
  if (!absl::SimpleAtoi(port, &number) || number > 65535 || port[0] == '+') {
    return refuse("has the port '", port, "', which is no number from 0 to 65535");
  }
  endpoint.port = static_cast<uint16_t>(number);

  const size_t percent = host.find('%');
  if (percent != absl::string_view::npos) {
    endpoint.interface = std::string(host.substr(percent + 1));
    host = host.substr(0, percent);
    if (endpoint.interface.empty() || endpoint.interface.size() >= IFNAMSIZ) {
      return refuse("has the interface '", endpoint.interface, "', whose name has not 1 to ", IFNAMSIZ - 1,
                    " characters");
    }
  }
  if (host.empty() || host == "*") {
    return refuse("has no address; write ", *scheme, "://[::]:", port, " for all of this machine's, or ", *scheme,
                  "://0.0.0.0:", port, " for those of IPv4");
  }
  const std::optional<base::IpAddress> address = base::IpAddress::Parse(host);
  if (!address.has_value()) {
    return refuse("has '", host, "' where an IPv4 or IPv6 address is needed; names are not looked up here");
  }
  endpoint.address = *address;
  if (IsLinkLocal(*address) && endpoint.interface.empty()) {
    return refuse("is a link-local address, which is one of an interface; write it as [", host, "%eth0]");
  }
  if (!IsLinkLocal(*address) && !endpoint.interface.empty()) {
    return refuse(
        "names an interface, which only a link-local address needs; to take from one interface alone, use the "
        "option bind_to_device");
  }
  return endpoint;
}

}  // namespace flowacct::collector
