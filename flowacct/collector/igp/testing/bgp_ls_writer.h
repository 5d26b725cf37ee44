// What a router would tell of an advertisement by BGP-LS: NLRI, attributes and UPDATEs, for tests.
//
// Standard: RFC 9552. What BGP-LS cannot say of an advertisement is lost, as it is from a router: its sequence number
// and fragment, addresses of interfaces, flags of a topology of its own, IS-IS's external prefixes; of prefixes that
// are told twice the last one stays. AsBgpLsTells gives what is left. Ownership: what is returned is the caller's.

#ifndef FLOWACCT_COLLECTOR_IGP_TESTING_BGP_LS_WRITER_H_
#define FLOWACCT_COLLECTOR_IGP_TESTING_BGP_LS_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/bgp/family.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::collector {

struct BgpLsWriting {
  topology::NodeStyle style = topology::NodeStyle::kIsis;
  uint64_t instance = 0;
  uint64_t rd = 0;  // not 0: as of that VPN
  bool unknown_tlvs = false;
  bool standard_topology = true;  // is said as often as not; its absence means the same
};

struct BgpLsObject {
  std::string nlri, attribute;
};

std::string BgpLsTlv(uint16_t type, const std::string& value);

std::vector<BgpLsObject> BgpLsObjectsOf(const topology::Advertisement& advertisement, const BgpLsWriting& writing = {});
// UPDATEs, whole messages: of one object each, or of all together (without attributes: withdrawn).
std::string BgpLsAnnouncement(const BgpLsObject& object, bgp::Family family = bgp::Family::kLinkState);
std::string BgpLsWithdrawal(const std::vector<BgpLsObject>& objects, bgp::Family family = bgp::Family::kLinkState);

// Fragments put together, and what can be said of them, in one order.
std::vector<topology::Advertisement> AsBgpLsTells(const std::vector<topology::Advertisement>& advertisements,
                                                  topology::NodeStyle style = topology::NodeStyle::kIsis);
// The same network, with nodes as OSPF names them.
std::vector<topology::Advertisement> AsOspf(std::vector<topology::Advertisement> advertisements);
// An advertisement as text, for messages of tests; equal texts are equal contents.
std::string AdvertisementText(const topology::Advertisement& advertisement);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_TESTING_BGP_LS_WRITER_H_
