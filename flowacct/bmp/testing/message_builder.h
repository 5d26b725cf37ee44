// Builds BMP messages for tests, right or wrong.
//
// Ownership: what is returned is the caller's.

#ifndef FLOWACCT_BMP_TESTING_MESSAGE_BUILDER_H_
#define FLOWACCT_BMP_TESTING_MESSAGE_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bmp/message_view.h"

namespace flowacct::bmp::testing {

using Octets = std::vector<uint8_t>;

struct BuiltPeer {
  PeerType type = PeerType::kGlobalInstance;
  uint8_t flags = 0;  // V is set by the address
  uint64_t distinguisher = 0;
  base::IpAddress address;
  uint32_t as = 64496;
  uint32_t bgp_identifier = 0x0a000001;
  uint32_t seconds = 1700000000;
};

Octets Join(const std::vector<Octets>& parts);
Octets Tlv16(uint16_t type, base::Octets value);
Octets Tlv16(uint16_t type, absl::string_view value);
// The common header in front of a body.
Octets Message(MessageType type, base::Octets body, uint8_t version = kVersion3);
Octets PeerMessage(MessageType type, const BuiltPeer& peer, base::Octets body, uint8_t version = kVersion3);

Octets OpenMessage(uint32_t as, bgp::FamilySet add_path = {});
Octets BgpMessage(uint8_t type, base::Octets body);

Octets PeerUpMessage(const BuiltPeer& peer, base::Octets sent, base::Octets received, base::Octets information = {});
Octets PeerDownMessage(const BuiltPeer& peer, uint8_t reason, base::Octets data);
Octets RouteMonitoringMessage(const BuiltPeer& peer, base::Octets update);
struct BuiltStatistic {
  uint16_t type;
  Octets value;
};
Octets StatisticsMessage(const BuiltPeer& peer, const std::vector<BuiltStatistic>& statistics);

// A stream that has every kind of message, well formed.
Octets EveryMessage();

}  // namespace flowacct::bmp::testing

#endif  // FLOWACCT_BMP_TESTING_MESSAGE_BUILDER_H_
