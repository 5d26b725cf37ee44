#include "flowacct/collector/kafka/kafka_datagram.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {

std::string ExporterText(const base::IpAddress& address, uint16_t port) {
  return address.IsV4() ? absl::StrCat(address.ToString(), ":", port)
                        : absl::StrCat("[", address.ToString(), "]:", port);
}

std::optional<ExporterAddress> ParseExporter(absl::string_view text) {
  ExporterAddress exporter;
  if (const std::optional<base::IpAddress> address = base::IpAddress::Parse(text); address.has_value()) {
    exporter.address = *address;
    return exporter;
  }
  absl::string_view host, port;
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find("]:");
    if (end != absl::string_view::npos) {
      host = text.substr(1, end - 1);
      port = text.substr(end + 2);
    }
  } else if (const size_t colon = text.find(':'); colon != absl::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  uint32_t number = 0;
  const std::optional<base::IpAddress> address = base::IpAddress::Parse(host);
  if (address.has_value() && address->IsV4() == (text[0] != '[') && absl::SimpleAtoi(port, &number) &&
      number <= 65535) {
    exporter.address = *address;
    exporter.port = static_cast<uint16_t>(number);
    return exporter;
  }
  const auto* const octets = reinterpret_cast<const uint8_t*>(text.data());
  if (text.size() == 4) {
    exporter.address = base::IpAddress::FromV4(octets);
    return exporter;
  }
  if (text.size() == 16) {
    exporter.address = base::IpAddress::FromV6(octets);
    return exporter;
  }
  return std::nullopt;
}

}  // namespace flowacct::collector
