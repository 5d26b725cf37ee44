// An export datagram as a message in Kafka: whose it is, and when it came.
//
//     key      192.0.2.1                     the exporter's address: all of an exporter is in one partition, in order
//     value    the datagram, as it came
//     header   flowacct-exporter: 192.0.2.1:2055 or [2001:db8::1]:2055
//     header   flowacct-arrival: 1699999999000000000      nanoseconds since 1970
//
// Of messages by others the key alone is enough: an address, with or without a port, as text, or its 4 or 16 octets.
// Without flowacct-arrival the time is the message's own.

#ifndef FLOWACCT_COLLECTOR_KAFKA_KAFKA_DATAGRAM_H_
#define FLOWACCT_COLLECTOR_KAFKA_KAFKA_DATAGRAM_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::collector {

inline constexpr char kExporterHeader[] = "flowacct-exporter";
inline constexpr char kArrivalHeader[] = "flowacct-arrival";

struct ExporterAddress {
  base::IpAddress address;
  uint16_t port = 0;  // 0: not said
};

std::string ExporterText(const base::IpAddress& address, uint16_t port);
// Nothing if it is none of the forms above.
std::optional<ExporterAddress> ParseExporter(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_KAFKA_DATAGRAM_H_
