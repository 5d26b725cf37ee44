// From octets as a circuit carries them to a PDU, and back: LLC in IEEE 802.3, Cisco HDLC, PPP, and GRE.
//
// Standards: ISO/IEC 10589, 8.4.8 and IEEE 802.2 (LLC: FE FE 03), IEEE 802.1Q (tags), draft-ietf-isis-ext-eth (frames
// longer than 1500 octets: type 0x8870), RFC 2784 and 2890 (GRE), RFC 1377 (PPP). Which IS-IS in GRE has (type 0x00FE,
// as routers send it) is no RFC's. Guarantees: every octet is read within bounds; what is no IS-IS is told by a reason.
// Ownership: borrows. Threads: any. Errors: an EncapsulationResult, which names counters. Cost: some tens of
// instructions, and the checksum of a GRE packet that has one.

#ifndef FLOWACCT_ISIS_ENCAPSULATION_H_
#define FLOWACCT_ISIS_ENCAPSULATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"

namespace flowacct::isis {

// The payload of GRE that is OSI's (RFC 1701).
inline constexpr uint16_t kGreType = 0x00fe;

// name, text of the counter, help
#define FLOWACCT_ISIS_ENCAPSULATION_RESULTS(X)                                   \
  X(kOk, "ok", "IS-IS")                                                          \
  X(kTruncated, "truncated", "ends before what its headers promise")             \
  X(kOtherProtocol, "other_protocol", "carries something else, such as IP")      \
  X(kOtherOsi, "other_osi", "another protocol of OSI: CLNP or ES-IS")            \
  X(kLinkType, "link_type", "a link type in which IS-IS is not looked for")      \
  X(kIpHeader, "ip_header", "a header of IP that contradicts itself")            \
  X(kIpFragment, "ip_fragment", "a fragment of a datagram")                      \
  X(kGreVersion, "gre_version", "GRE of another version than 0")                 \
  X(kGreFlags, "gre_flags", "GRE with source routes, or flags that nobody uses") \
  X(kGreChecksum, "gre_checksum", "GRE whose checksum is wrong")                 \
  X(kGreInGre, "gre_in_gre", "GRE that carries IP, in which may be GRE again")   \
  X(kGreProtocol, "gre_protocol", "GRE that carries neither OSI nor IP")

enum class EncapsulationResult : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_ISIS_ENCAPSULATION_RESULTS(X)
#undef X
};

inline constexpr size_t kEncapsulationResultCount = 0
#define X(name, text, help) +1
    FLOWACCT_ISIS_ENCAPSULATION_RESULTS(X)
#undef X
    ;

absl::string_view EncapsulationResultName(EncapsulationResult result);  // "gre_version"
absl::string_view EncapsulationResultHelp(EncapsulationResult result);

using EncapsulationCounters = std::array<uint64_t, kEncapsulationResultCount>;

struct CarriedPdu {
  base::Octets pdu;                                 // from the discriminator on; what pads a frame may follow
  base::MacAddress source, destination;             // zeros where there is no Ethernet
  base::IpAddress outer_source, outer_destination;  // of GRE in IP, else unspecified
  uint32_t gre_key = 0;                             // RFC 2890; 0 if there is none
};

// `carried` is changed only where the result is kOk.
EncapsulationResult UnwrapEthernet(base::Octets frame, CarriedPdu* carried);
EncapsulationResult UnwrapHdlc(base::Octets frame, CarriedPdu* carried);
EncapsulationResult UnwrapPpp(base::Octets frame, CarriedPdu* carried);
// From the header of GRE on, as a raw socket for IPv6 gives it. What `carried` says of addresses stays.
EncapsulationResult UnwrapGre(base::Octets packet, CarriedPdu* carried);
// From the header of IPv4 or IPv6 on, as a raw socket for IPv4 gives it. What `carried` says of MAC addresses stays.
EncapsulationResult UnwrapIp(base::Octets packet, CarriedPdu* carried);
// By the link type of a capture file (https://www.tcpdump.org/linktypes.html): Ethernet, also as Linux and Juniper
// record it, HDLC, PPP, IP.
EncapsulationResult UnwrapCaptured(uint32_t link_type, base::Octets frame, CarriedPdu* carried);

// Where PDUs on a LAN go: AllL1ISs and AllL2ISs (ISO 10589, 8.4.8); on a point-to-point circuit over a LAN all of them
// (RFC 5309, 4.1 leaves the choice; this is what routers do).
base::MacAddress AllIss(Level level);
base::MacAddress AllIss();

std::vector<uint8_t> WrapEthernet(const base::MacAddress& destination, const base::MacAddress& source,
                                  base::Octets pdu);
std::vector<uint8_t> WrapGre(base::Octets pdu);
// From LLC on, as a datagram socket for a packet interface wants it.
std::vector<uint8_t> WrapLlc(base::Octets pdu);

// Of a PDU in a frame of `mtu` octets (without Ethernet's header), and in a packet of IP with GRE of `mtu` octets.
constexpr size_t PduSizeInEthernet(size_t mtu) { return mtu > 3 ? mtu - 3 : 0; }
constexpr size_t PduSizeInGre(size_t mtu, bool v4) {
  const size_t headers = v4 ? 24 : 44;
  return mtu > headers ? mtu - headers : 0;
}

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_ENCAPSULATION_H_
