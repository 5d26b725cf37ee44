// The UDP datagrams of a simple capture (pcap or pcapng; Ethernet or Linux cooked; IPv4 or IPv6; no fragments), for
// tests that may not use collector/.

#ifndef FLOWACCT_FLOW_TEMPLATE_TESTING_CAPTURE_DATAGRAMS_H_
#define FLOWACCT_FLOW_TEMPLATE_TESTING_CAPTURE_DATAGRAMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/datagram.h"

namespace flowacct::flow::testing {

struct CaptureDatagram {
  std::vector<uint8_t> octets;
  record::Datagram datagram;  // its octets are those above

  CaptureDatagram() = default;
  CaptureDatagram(CaptureDatagram&&) = default;
};

// Nothing if the folder of captures (FLOWACCT_CAPTURES) is not there.
std::optional<std::string> CapturePath(absl::string_view name);
// Those whose payload begins with one of the versions of NetFlow and IPFIX (1 to 10).
std::vector<CaptureDatagram> ReadCapture(const std::string& path);
std::vector<uint8_t> ReadFile(const std::string& path);

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_TESTING_CAPTURE_DATAGRAMS_H_
