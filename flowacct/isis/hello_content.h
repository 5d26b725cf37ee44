// What the TLVs of one hello tell, decoded.
//
// Standards: ISO 10589 (areas, neighbours on a LAN, padding), RFC 1195 and 5308 (protocols, addresses), 5120
// (topologies), 5303 (three-way handshake), 6213 (BFD), 7176 and 7177 (TRILL), 8202 (instances), 8706 (restarts). What
// is not decoded stays as raw TLVs, in their order. Ownership: values; the lists keep their room when a HelloContent is
// used again. Threads: one at a time. Errors: the first one is the DecodeResult; a TLV that reaches beyond the hello
// ends the reading, one that lies within itself is kept raw and the next one is read. Cost: one pass over the octets.

#ifndef FLOWACCT_ISIS_HELLO_CONTENT_H_
#define FLOWACCT_ISIS_HELLO_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/three_way.h"
#include "flowacct/isis/trill.h"

namespace flowacct::isis {

// RFC 8706, 3.1: the flags of TLV 211.
inline constexpr uint8_t kRestartRequest = 0x01, kRestartAcknowledgement = 0x02, kSuppressAdjacency = 0x04,
                         kPlannedRestart = 0x08, kPlannedAcknowledgement = 0x10;

struct RestartState {
  uint8_t flags = 0;
  std::optional<uint16_t> remaining_seconds;
  std::optional<SystemId> neighbor;  // whom the sender answers, on a LAN
};

struct BfdEnabled {  // RFC 6213, 2.1
  TopologyNumber topology = kStandardTopology;
  uint8_t protocol = 0;  // NLPID
};

struct HelloContent {
  std::vector<AreaAddress> areas;
  std::vector<uint8_t> protocols;  // NLPIDs
  std::vector<base::MacAddress> lan_neighbors;
  std::vector<base::IpAddress> interface_addresses, global_addresses_v6;
  std::vector<TopologyMembership> topologies;  // none said: the standard topology alone
  std::optional<ThreeWayState> three_way;
  std::optional<RestartState> restart;
  std::vector<BfdEnabled> bfd;
  std::optional<uint16_t> instance;  // RFC 8202: such a hello is for others unless it is 0
  size_t padding_octets = 0;         // of the values of TLVs 8
  std::vector<TrillPort> trill_ports;
  std::vector<TrillNeighbors> trill_neighbors;
  std::vector<RawTlv> others;

  void Clear();
};

// `tlvs`: a hello's octets behind its header. Offsets of errors count from there.
base::DecodeResult ReadHelloContent(base::Octets tlvs, HelloContent* content);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_HELLO_CONTENT_H_
