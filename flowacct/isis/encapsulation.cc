#include "flowacct/isis/encapsulation.h"

#include <algorithm>

namespace flowacct::isis {

using base::IpAddress;
using base::LoadBe16;
using base::LoadBe32;
using base::MacAddress;
using base::Octets;
using Result = EncapsulationResult;

namespace {

constexpr absl::string_view kNames[] = {
#define X(name, text, help) text,
    FLOWACCT_ISIS_ENCAPSULATION_RESULTS(X)
#undef X
};
constexpr absl::string_view kHelps[] = {
#define X(name, text, help) help,
    FLOWACCT_ISIS_ENCAPSULATION_RESULTS(X)
#undef X
};

// ISO/IEC TR 9577.
constexpr uint8_t kClnp = 0x81, kEsIs = 0x82, kIsIs = 0x83;
constexpr uint8_t kLlc[] = {0xfe, 0xfe, 0x03};
constexpr size_t kEthernetHeader = 14, kTag = 4, kHdlcHeader = 4;
constexpr uint16_t kMaxLength = 1500, kJumbo = 0x8870, kHdlcOsi = 0xfefe, kPppOsi = 0x0023;
constexpr uint16_t kTagTypes[] = {0x8100, 0x88a8, 0x9100};
constexpr size_t kMaxTags = 2;
constexpr uint16_t kIpv4Type = 0x0800, kIpv6Type = 0x86dd;
constexpr uint16_t kL2IsIsType = 0x22f4;  // RFC 6325, 4.1: TRILL has IS-IS in a type of its own, without LLC
constexpr uint8_t kGre = 47;

Result Osi(Octets octets, CarriedPdu* carried) {
  if (octets.empty()) return Result::kTruncated;
  if (octets[0] == kClnp || octets[0] == kEsIs) return Result::kOtherOsi;
  if (octets[0] != kIsIs) return Result::kOtherProtocol;
  carried->pdu = octets;
  return Result::kOk;
}

Result Llc(Octets octets, CarriedPdu* carried) {
  if (octets.size() < sizeof(kLlc)) return Result::kTruncated;
  if (!std::equal(std::begin(kLlc), std::end(kLlc), octets.begin())) return Result::kOtherProtocol;
  return Osi(octets.subspan(sizeof(kLlc)), carried);
}

// Ethernet from its type or length on.
Result TypeOrLength(Octets octets, CarriedPdu* carried) {
  for (size_t tags = 0;; ++tags) {
    if (octets.size() < 2) return Result::kTruncated;
    const uint16_t type = LoadBe16(octets.data());
    if (std::find(std::begin(kTagTypes), std::end(kTagTypes), type) == std::end(kTagTypes)) break;
    if (tags == kMaxTags) return Result::kOtherProtocol;
    if (octets.size() < kTag) return Result::kTruncated;
    octets.remove_prefix(kTag);
  }
  const uint16_t type = LoadBe16(octets.data());
  octets.remove_prefix(2);
  if (type == kJumbo) return Llc(octets, carried);
  if (type == kL2IsIsType) return Osi(octets, carried);
  if (type == kIpv4Type || type == kIpv6Type) return UnwrapIp(octets, carried);
  if (type > kMaxLength) return Result::kOtherProtocol;
  // Behind the length lies padding (or, of a capture, a checksum). A PDU says its own length: a frame that has less
  // than it says is cut, one that says less than its PDU is not believed, as the PDU will tell.
  if (type < octets.size()) octets = octets.first(type);
  return Llc(octets, carried);
}

// The one's complement sum of all octets is all ones if the checksum among them is right (RFC 1071).
bool InternetChecksumIsRight(Octets octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < octets.size(); i += 2) sum += LoadBe16(octets.data() + i);
  if (octets.size() % 2 != 0) sum += uint32_t{octets[octets.size() - 1]} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

Result Ipv4(Octets packet, CarriedPdu* carried) {
  if (packet.size() < 20) return Result::kTruncated;
  const size_t header = size_t{packet[0] & 0xfu} * 4, total = LoadBe16(packet.data() + 2);
  if (header < 20 || total < header) return Result::kIpHeader;
  if (total > packet.size()) return Result::kTruncated;
  if (packet[9] != kGre) return Result::kOtherProtocol;
  if ((LoadBe16(packet.data() + 6) & 0x3fff) != 0) return Result::kIpFragment;  // an offset, or more to come
  carried->outer_source = IpAddress::FromV4(packet.data() + 12);
  carried->outer_destination = IpAddress::FromV4(packet.data() + 16);
  return UnwrapGre(packet.subspan(header, total - header), carried);
}

Result Ipv6(Octets packet, CarriedPdu* carried) {
  constexpr uint8_t kHopByHop = 0, kFragment = 44, kDestinationOptions = 60;
  if (packet.size() < 40) return Result::kTruncated;
  const size_t length = LoadBe16(packet.data() + 4);
  if (length > packet.size() - 40) return Result::kTruncated;
  uint8_t next = packet[6];
  Octets rest = packet.subspan(40, length);
  // RFC 2473, 4.1.1: a tunnel may put options (its encapsulation limit) in front of what it carries.
  while (next == kHopByHop || next == kDestinationOptions) {
    if (rest.size() < 8) return Result::kTruncated;
    const size_t size = (size_t{rest[1]} + 1) * 8;
    if (size > rest.size()) return Result::kTruncated;
    next = rest[0];
    rest.remove_prefix(size);
  }
  if (next == kFragment) return Result::kIpFragment;
  if (next != kGre) return Result::kOtherProtocol;
  carried->outer_source = IpAddress::FromV6(packet.data() + 8);
  carried->outer_destination = IpAddress::FromV6(packet.data() + 24);
  return UnwrapGre(rest, carried);
}

// Linux' cooked capture: the protocol as an EtherType, or ETH_P_802_2, which is 4, before LLC.
Result Cooked(uint16_t protocol, Octets octets, CarriedPdu* carried) {
  constexpr uint16_t kEthP8022 = 4;
  if (protocol == kEthP8022) return Llc(octets, carried);
  if (protocol == kIpv4Type || protocol == kIpv6Type) return UnwrapIp(octets, carried);
  return Result::kOtherProtocol;
}

Result Sll(Octets frame, CarriedPdu* carried) {
  if (frame.size() < 16) return Result::kTruncated;
  if (LoadBe16(frame.data() + 4) == 6) carried->source = MacAddress::From(frame.data() + 6);
  return Cooked(LoadBe16(frame.data() + 14), frame.subspan(16), carried);
}

Result Sll2(Octets frame, CarriedPdu* carried) {
  if (frame.size() < 20) return Result::kTruncated;
  if (frame[11] == 6) carried->source = MacAddress::From(frame.data() + 12);
  return Cooked(LoadBe16(frame.data()), frame.subspan(20), carried);
}

// Juniper's: "MGC", flags, and, if flag 0x80 is set, extensions with their length in two octets. Then Ethernet, unless
// flag 0x02 says that its header is not there.
Result JuniperEthernet(Octets frame, CarriedPdu* carried) {
  constexpr uint8_t kMagic[] = {0x4d, 0x47, 0x43}, kExtensions = 0x80, kNoL2 = 0x02;
  if (frame.size() < 4) return Result::kTruncated;
  if (!std::equal(std::begin(kMagic), std::end(kMagic), frame.begin())) return Result::kOtherProtocol;
  const uint8_t flags = frame[3];
  frame.remove_prefix(4);
  if ((flags & kExtensions) != 0) {
    if (frame.size() < 2) return Result::kTruncated;
    const size_t size = LoadBe16(frame.data());
    if (size > frame.size() - 2) return Result::kTruncated;
    frame.remove_prefix(2 + size);
  }
  return (flags & kNoL2) != 0 ? Result::kOtherProtocol : UnwrapEthernet(frame, carried);
}

struct LinkType {
  uint32_t number;
  Result (*unwrap)(Octets frame, CarriedPdu* carried);
};

constexpr LinkType kLinkTypes[] = {
    {1, UnwrapEthernet},     // LINKTYPE_ETHERNET
    {9, UnwrapPpp},          // LINKTYPE_PPP
    {50, UnwrapPpp},         // LINKTYPE_PPP_HDLC
    {101, UnwrapIp},         // LINKTYPE_RAW
    {104, UnwrapHdlc},       // LINKTYPE_C_HDLC
    {113, Sll},              // LINKTYPE_LINUX_SLL
    {178, JuniperEthernet},  // LINKTYPE_JUNIPER_ETHER
    {228, UnwrapIp},         // LINKTYPE_IPV4
    {229, UnwrapIp},         // LINKTYPE_IPV6
    {276, Sll2},             // LINKTYPE_LINUX_SLL2
};

// What is half read must not be seen.
Result Keep(Result result, const CarriedPdu& read, CarriedPdu* carried) {
  if (result == Result::kOk) *carried = read;
  return result;
}

}  // namespace

absl::string_view EncapsulationResultName(Result result) { return kNames[static_cast<size_t>(result)]; }
absl::string_view EncapsulationResultHelp(Result result) { return kHelps[static_cast<size_t>(result)]; }

Result UnwrapEthernet(Octets frame, CarriedPdu* carried) {
  if (frame.size() < kEthernetHeader) return Result::kTruncated;
  CarriedPdu read;
  read.destination = MacAddress::From(frame.data());
  read.source = MacAddress::From(frame.data() + 6);
  return Keep(TypeOrLength(frame.subspan(12), &read), read, carried);
}

Result UnwrapHdlc(Octets frame, CarriedPdu* carried) {
  if (frame.size() < kHdlcHeader) return Result::kTruncated;
  CarriedPdu read;
  const uint16_t type = LoadBe16(frame.data() + 2);
  frame.remove_prefix(kHdlcHeader);
  if (type == kIpv4Type || type == kIpv6Type) return Keep(UnwrapIp(frame, &read), read, carried);
  if (type != kHdlcOsi) return Result::kOtherProtocol;
  // Cisco's puts an octet of padding between its header and a protocol of OSI; others do not.
  if (frame.size() > 1 && frame[1] >= kClnp && frame[1] <= kIsIs) frame.remove_prefix(1);
  return Keep(Osi(frame, &read), read, carried);
}

Result UnwrapPpp(Octets frame, CarriedPdu* carried) {
  constexpr uint8_t kAddressAndControl[] = {0xff, 0x03};
  if (frame.size() >= 2 && frame[0] == kAddressAndControl[0] && frame[1] == kAddressAndControl[1]) {
    frame.remove_prefix(2);
  }
  if (frame.empty()) return Result::kTruncated;
  // RFC 1661, 6.5: a protocol in one octet is odd, and the first of two is even.
  const size_t size = (frame[0] & 1) != 0 ? 1 : 2;
  if (frame.size() < size) return Result::kTruncated;
  const uint16_t protocol = size == 1 ? frame[0] : LoadBe16(frame.data());
  frame.remove_prefix(size);
  CarriedPdu read;
  if (protocol == 0x0021 || protocol == 0x0057) return Keep(UnwrapIp(frame, &read), read, carried);
  if (protocol != kPppOsi) return Result::kOtherProtocol;
  // RFC 1377, 3: octets of padding, zeros, may stand in front.
  while (frame.size() > 1 && frame[0] == 0) frame.remove_prefix(1);
  return Keep(Osi(frame, &read), read, carried);
}

Result UnwrapGre(Octets packet, CarriedPdu* carried) {
  constexpr uint16_t kChecksum = 0x8000, kRouting = 0x4000, kKey = 0x2000, kSequence = 0x1000, kVersion = 0x0007;
  if (packet.size() < 4) return Result::kTruncated;
  const uint16_t flags = LoadBe16(packet.data()), type = LoadBe16(packet.data() + 2);
  if ((flags & kVersion) != 0) return Result::kGreVersion;
  // RFC 2784, 2.3: bits 1 to 5 are to be refused but for those of RFC 2890; the others are ignored.
  if ((flags & (kRouting | 0x0c00)) != 0) return Result::kGreFlags;
  size_t header = 4;
  CarriedPdu read;
  read.source = carried->source;
  read.destination = carried->destination;
  read.outer_source = carried->outer_source;
  read.outer_destination = carried->outer_destination;
  if ((flags & kChecksum) != 0) header += 4;
  const size_t key_at = header;
  if ((flags & kKey) != 0) header += 4;
  if ((flags & kSequence) != 0) header += 4;
  if (packet.size() < header) return Result::kTruncated;
  if ((flags & kChecksum) != 0 && !InternetChecksumIsRight(packet)) return Result::kGreChecksum;
  if ((flags & kKey) != 0) read.gre_key = LoadBe32(packet.data() + key_at);
  if (type == kIpv4Type || type == kIpv6Type) return Result::kGreInGre;
  if (type != kGreType) return Result::kGreProtocol;
  return Keep(Osi(packet.subspan(header), &read), read, carried);
}

Result UnwrapIp(Octets packet, CarriedPdu* carried) {
  if (packet.empty()) return Result::kTruncated;
  CarriedPdu read;
  read.source = carried->source;
  read.destination = carried->destination;
  const uint8_t version = packet[0] >> 4;
  if (version != 4 && version != 6) return Result::kIpHeader;
  return Keep(version == 4 ? Ipv4(packet, &read) : Ipv6(packet, &read), read, carried);
}

Result UnwrapCaptured(uint32_t link_type, Octets frame, CarriedPdu* carried) {
  for (const LinkType& known : kLinkTypes) {
    if (known.number != link_type) continue;
    CarriedPdu read;
    return Keep(known.unwrap(frame, &read), read, carried);
  }
  return Result::kLinkType;
}

MacAddress AllIss(Level level) {
  return {{0x01, 0x80, 0xc2, 0x00, 0x00, static_cast<uint8_t>(level == Level::k1 ? 0x14 : 0x15)}};
}

MacAddress AllIss() { return {{0x09, 0x00, 0x2b, 0x00, 0x00, 0x05}}; }

std::vector<uint8_t> WrapLlc(Octets pdu) {
  std::vector<uint8_t> octets(sizeof(kLlc) + pdu.size());
  std::copy(std::begin(kLlc), std::end(kLlc), octets.begin());
  std::copy(pdu.begin(), pdu.end(), octets.begin() + sizeof(kLlc));
  return octets;
}

std::vector<uint8_t> WrapEthernet(const MacAddress& destination, const MacAddress& source, Octets pdu) {
  std::vector<uint8_t> frame(kEthernetHeader + sizeof(kLlc) + pdu.size());
  const size_t length = sizeof(kLlc) + pdu.size();
  std::copy(destination.octets.begin(), destination.octets.end(), frame.begin());
  std::copy(source.octets.begin(), source.octets.end(), frame.begin() + 6);
  base::StoreBe16(&frame[12], length > kMaxLength ? kJumbo : static_cast<uint16_t>(length));
  std::copy(std::begin(kLlc), std::end(kLlc), frame.begin() + kEthernetHeader);
  std::copy(pdu.begin(), pdu.end(), frame.begin() + kEthernetHeader + sizeof(kLlc));
  return frame;
}

std::vector<uint8_t> WrapGre(Octets pdu) {
  std::vector<uint8_t> packet(4 + pdu.size());
  base::StoreBe16(&packet[2], kGreType);
  std::copy(pdu.begin(), pdu.end(), packet.begin() + 4);
  return packet;
}

}  // namespace flowacct::isis
