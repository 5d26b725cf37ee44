// What TRILL says within IS-IS, as values: of a switch in its LSPs, of a port in its hellos.
//
// Standards: RFC 7176 (2.1 group addresses, TLV 142; 2.2 ports, TLV 143; 2.3 switches, TLVs 242 and 144; 2.4 MTUs; 2.5
// neighbours, TLV 145), RFC 7177 (its hellos, which are those of level 1 on a LAN). Values are kept as they were said:
// EffectiveVlans() says which VLANs a range means. Fine-grained labels, channel protocols and affinities (sub-TLVs 15
// to 18) are not decoded. Guarantees: reads within bounds; a sub-TLV of a length that it cannot have is not taken.
// Ownership: values. Threads: any. Errors: a DecodeResult whose offset counts from `offset` on. Cost: one pass.

#ifndef FLOWACCT_ISIS_TRILL_H_
#define FLOWACCT_ISIS_TRILL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis {

// A switch's name in frames, of two octets; it may hold several (RFC 6325, 3.7).
using Nickname = uint16_t;

struct VlanRange {
  uint16_t first = 0, last = 0;

  friend bool operator==(VlanRange a, VlanRange b) { return a.first == b.first && a.last == b.last; }
};
// RFC 7176, 2.2.3 and 2.3.6: the VLANs that a range means; nothing for one that must be ignored.
std::optional<VlanRange> EffectiveVlans(VlanRange said);

struct HeldNickname {  // 2.3.2
  uint8_t priority = 0;
  uint16_t root_priority = 0;
  Nickname nickname = 0;
};

struct TreeCounts {  // 2.3.3
  uint16_t to_compute = 0, can_compute = 0, to_use = 0;
};

struct TreeRoots {  // 2.3.4, 2.3.5: of trees `first`, `first` + 1, ...
  uint16_t first = 0;
  std::vector<Nickname> roots;
};

struct InterestedVlans {  // 2.3.6
  // Routers of IP multicast are attached.
  static constexpr uint8_t kV4Router = 0x80, kV6Router = 0x40;

  Nickname nickname = 0;
  uint8_t flags = 0;  // kV4Router | ...
  VlanRange vlans;
  uint32_t appointed_lost = 0;          // how often the port lost its appointment as forwarder
  std::vector<base::MacAddress> roots;  // of spanning trees that it hears of
};

struct VlanGroup {  // 2.3.7
  uint16_t primary = 0;
  std::vector<uint16_t> secondaries;
};

struct TrillVersion {  // 2.2.4, 2.3.1
  uint8_t max_version = 0;
  uint32_t capabilities = 0;  // bit 0 is the highest
};

struct TrillSwitch {
  std::vector<HeldNickname> nicknames;
  std::optional<TreeCounts> trees;
  std::vector<TreeRoots> tree_roots, trees_used;
  std::vector<InterestedVlans> interested_vlans;
  std::vector<VlanGroup> vlan_groups;
  std::optional<TrillVersion> version;

  bool empty() const;
};

// False: no sub-TLV of TRILL, or of one that is not decoded. Alike in TLVs 242 and 144.
bool ReadTrillSubTlv(const Tlv& sub, TrillSwitch* trill);
// All sub-TLVs, in the order of the registry.
void WriteTrillSubTlvs(const TrillSwitch& trill, base::OctetWriter* out);

struct LinkMtu {  // 2.4, of a neighbour
  uint16_t octets = 0;
  bool failed = false;  // the test, of this size
};

// 2.1: who listens to a group, and to which of its sources alone.
struct GroupMembership {
  using Address = std::variant<base::MacAddress, base::IpAddress>;

  TopologyNumber topology = 0;
  bool labeled = false;
  uint32_t vlan = 0;  // or fine-grained label; 0: none
  Address group;
  std::vector<Address> sources;
};

// The value of TLV 142. Sub-TLVs of other types are passed over.
base::DecodeResult ReadGroupMemberships(base::Octets value, size_t offset, std::vector<GroupMembership>* groups);
// Of one group; its addresses are of one kind.
void WriteGroupMembership(const GroupMembership& group, base::OctetWriter* out);

struct SpecialVlans {  // 2.2.1
  static constexpr uint8_t kAppointed = 0x80, kAccess = 0x40, kMapped = 0x20, kBypass = 0x10, kTrunk = 0x08;

  uint16_t port = 0;
  Nickname nickname = 0;  // 0: it holds none
  uint8_t flags = 0;      // kAppointed | ...
  uint16_t outer_vlan = 0, designated_vlan = 0;
};

struct VlanMap {  // 2.2.2, 2.2.5: bit 7 of the first octet is VLAN `first`
  uint16_t first = 0;
  std::vector<uint8_t> bits;
};
// In ascending order; VLANs 0 and 4095 and beyond are none.
std::vector<VlanRange> VlansOf(const VlanMap& map);

struct AppointedForwarder {  // 2.2.3
  Nickname nickname = 0;
  VlanRange vlans;
};

struct TrillPort {  // one TLV 143
  TopologyNumber topology = 0;
  std::optional<SpecialVlans> special;
  std::vector<VlanMap> enabled, appointed;
  std::vector<AppointedForwarder> forwarders;
  std::optional<TrillVersion> version;
  std::vector<RawTlv> others;  // sub-TLVs: shortest path bridging's (RFC 6329), and what lied
};

base::DecodeResult ReadTrillPort(base::Octets value, size_t offset, TrillPort* port);
void WriteTrillPort(const TrillPort& port, base::OctetWriter* out);

struct TrillNeighbor {       // 2.5
  bool failed = false;       // the MTU test
  bool offers_oomf = false;  // takes over what an overloaded switch would send (RFC 7180, 2.4)
  uint16_t mtu = 0;          // tested; 0: not
  base::MacAddress mac;
};

struct TrillNeighbors {  // one TLV 145: those of a range of MAC addresses
  bool holds_smallest = false, holds_largest = false;
  std::vector<TrillNeighbor> neighbors;
};

// kUnsupported: addresses of another length than six octets.
base::DecodeResult ReadTrillNeighbors(base::Octets value, size_t offset, TrillNeighbors* neighbors);
void WriteTrillNeighbors(const TrillNeighbors& neighbors, base::OctetWriter* out);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_TRILL_H_
