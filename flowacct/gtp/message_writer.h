// Writes messages of GTPv1-C, GTPv2-C and GTP-U: what generators, simulated peers and tests send.
//
//     V2MessageWriter message(&out);
//     message.Begin(kCreateSessionRequest, /*teid=*/0, sequence);
//     message.Imsi(imsi).Apn("internet").FteidElement(kS11MmeGtpC, 0, teid, address);
//     const size_t bearer = message.BeginGroup(kBearerContext, 0);
//     message.Ebi(5).Qos(qos);
//     message.EndGroup(bearer);
//     message.End();
//
// Standards: 3GPP TS 29.060 (GTPv1-C: 6 header, 7.7 elements), TS 29.274 (GTPv2-C: 5 header, 8 elements), TS 29.281
// (GTP-U: 5.1 header, 5.2 extension headers). Guaranteed: lengths are right and identities well formed. Not checked:
// that a message has the elements it must have, or in which order (GTPv1 wants them by ascending type).
// Ownership: writers borrow the OctetWriter and append to it. Threads: one at a time. Errors: none; an element of more
// than 65,535 octets is the caller's mistake. Cost: some nanoseconds an element; no allocation once `out` has grown.

#ifndef FLOWACCT_GTP_MESSAGE_WRITER_H_
#define FLOWACCT_GTP_MESSAGE_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/gtp/extension_headers.h"
#include "flowacct/gtp/values.h"

namespace flowacct::gtp {

// Three octets (TS 29.274, 8.18). Five or six digits; others are a mistake of the caller and give fillers.
std::array<uint8_t, 3> PlmnOctets(const Plmn& plmn);

// Labels with their lengths (TS 23.003, 9.1): "internet" is 8 "internet". A label of more than 63 octets is cut.
void WriteApnLabels(absl::string_view apn, base::OctetWriter* out);

// The area's octets as both versions have them: PLMN, then `code` and `cell` by the form's bits.
void WriteLocationArea(LocationForm form, const LocationArea& area, base::OctetWriter* out);

// GTPv1-C. Elements with a name write it as TS 29.060 says; Fixed and Variable write any other.
class V1MessageWriter {
 public:
  explicit V1MessageWriter(base::OctetWriter* out) : out_(out) {}

  // The header always has a sequence number, as all of GTPv1-C has (29.060, 8.2).
  V1MessageWriter& Begin(uint8_t type, uint32_t teid, uint16_t sequence);
  void End();

  V1MessageWriter& Fixed(uint8_t type, base::Octets value);     // TV: the type alone says how long it is
  V1MessageWriter& Variable(uint8_t type, base::Octets value);  // TLV

  V1MessageWriter& Cause(uint8_t cause) { return Octet(1, cause); }
  V1MessageWriter& Imsi(const base::Digits& imsi);
  V1MessageWriter& RoutingArea(const LocationArea& area);  // RAI; the RAC is `cell`
  V1MessageWriter& ReorderingRequired(bool required) { return Octet(8, required ? 0xff : 0xfe); }
  V1MessageWriter& Recovery(uint8_t counter) { return Octet(14, counter); }
  V1MessageWriter& SelectionMode(uint8_t mode) { return Octet(15, static_cast<uint8_t>(0xfc | mode)); }
  V1MessageWriter& TeidData(uint32_t teid) { return FourOctets(16, teid); }
  V1MessageWriter& TeidControl(uint32_t teid) { return FourOctets(17, teid); }
  V1MessageWriter& Teardown(bool all) { return Octet(19, all ? 0xff : 0xfe); }
  V1MessageWriter& Nsapi(uint8_t nsapi) { return Octet(20, nsapi); }  // the second one is the linked NSAPI
  V1MessageWriter& ChargingCharacteristics(uint16_t value);
  V1MessageWriter& ChargingId(uint32_t id) { return FourOctets(127, id); }
  V1MessageWriter& EndUserAddress(const UeAddresses& ue);  // none: a dynamic IPv4 address is asked for
  V1MessageWriter& Apn(absl::string_view apn);
  V1MessageWriter& GsnAddress(const base::IpAddress& address);
  V1MessageWriter& Msisdn(const base::Digits& msisdn);  // as an international number of E.164
  V1MessageWriter& QosProfile(base::Octets profile) { return Variable(135, profile); }
  V1MessageWriter& RatType(uint8_t rat) { return Variable(151, base::Octets(&rat, 1)); }
  V1MessageWriter& UserLocation(LocationForm form, const LocationArea& area);  // kCgi, kSai or kRai
  V1MessageWriter& TimeZone(uint8_t zone, uint8_t daylight_saving);
  V1MessageWriter& Imei(const base::Digits& imei);
  V1MessageWriter& Ambr(uint32_t up_kbps, uint32_t down_kbps);

 private:
  V1MessageWriter& Octet(uint8_t type, uint8_t value) {
    out_->U8(type).U8(value);
    return *this;
  }
  V1MessageWriter& FourOctets(uint8_t type, uint32_t value) {
    out_->U8(type).U32(value);
    return *this;
  }

  base::OctetWriter* out_;
  size_t start_ = 0;
};

// What a bearer may use (TS 29.274, 8.15).
struct BearerQos {
  uint8_t arp = 0x7c;  // the octet: 0, PCI, PL (4 bits), 0, PVI; this is priority 15, which may not pre-empt
  uint8_t qci = 9;
  uint64_t max_up_kbps = 0, max_down_kbps = 0, guaranteed_up_kbps = 0, guaranteed_down_kbps = 0;
};

// GTPv2-C.
class V2MessageWriter {
 public:
  explicit V2MessageWriter(base::OctetWriter* out) : out_(out) {}

  // Without a TEID for the messages that have none (Echo, Version Not Supported). `piggybacked`: another message
  // follows this one in the datagram.
  V2MessageWriter& Begin(uint8_t type, std::optional<uint32_t> teid, uint32_t sequence, bool piggybacked = false);
  void End();

  V2MessageWriter& Element(uint8_t type, uint8_t instance, base::Octets value);
  // Grouped elements: what is written between goes inside. Returns what EndGroup wants.
  size_t BeginGroup(uint8_t type, uint8_t instance) { return BeginElement(type, instance); }
  void EndGroup(size_t group) { EndElement(group); }

  V2MessageWriter& Imsi(const base::Digits& imsi) { return Tbcd(1, imsi); }
  V2MessageWriter& Cause(uint8_t cause);
  V2MessageWriter& Recovery(uint8_t counter) { return Octet(3, counter); }
  V2MessageWriter& Apn(absl::string_view apn);
  V2MessageWriter& Ambr(uint32_t up_kbps, uint32_t down_kbps);
  V2MessageWriter& Ebi(uint8_t ebi, uint8_t instance = 0) { return Octet(73, ebi, instance); }
  V2MessageWriter& Address(const base::IpAddress& address, uint8_t instance = 0);
  V2MessageWriter& Imei(const base::Digits& imei) { return Tbcd(75, imei); }
  V2MessageWriter& Msisdn(const base::Digits& msisdn) { return Tbcd(76, msisdn); }
  // Octet 5 of the element in the most significant octet, as ControlMessage has it; `octets` of them, 1 to 8.
  V2MessageWriter& Indication(uint64_t flags, uint8_t octets);
  V2MessageWriter& Paa(const UeAddresses& ue);  // without addresses: 0.0.0.0, which is to be assigned
  V2MessageWriter& Qos(const BearerQos& qos);
  V2MessageWriter& RatType(uint8_t rat) { return Octet(82, rat); }
  V2MessageWriter& ServingNetwork(const Plmn& plmn);
  V2MessageWriter& UserLocation(const gtp::UserLocation& location);
  V2MessageWriter& FteidElement(uint8_t interface_type, uint8_t instance, uint32_t teid,
                                const std::optional<base::IpAddress>& v4, const std::optional<base::IpAddress>& v6);
  V2MessageWriter& FteidElement(uint8_t interface_type, uint8_t instance, uint32_t teid,
                                const base::IpAddress& address);
  V2MessageWriter& ChargingId(uint32_t id);
  V2MessageWriter& ChargingCharacteristics(uint16_t value);
  V2MessageWriter& PdnType(uint8_t type) { return Octet(99, type); }  // 1 IPv4, 2 IPv6, 3 both
  V2MessageWriter& ProcedureTransactionId(uint8_t id) { return Octet(100, id); }
  V2MessageWriter& TimeZone(uint8_t zone, uint8_t daylight_saving);
  V2MessageWriter& ApnRestriction(uint8_t value) { return Octet(127, value); }
  V2MessageWriter& SelectionMode(uint8_t mode) { return Octet(128, mode); }

 private:
  size_t BeginElement(uint8_t type, uint8_t instance);
  void EndElement(size_t at);
  V2MessageWriter& Octet(uint8_t type, uint8_t value, uint8_t instance = 0) {
    out_->U8(type).U16(1).U8(instance).U8(value);
    return *this;
  }
  V2MessageWriter& Tbcd(uint8_t type, const base::Digits& digits);

  base::OctetWriter* out_;
  size_t start_ = 0;
};

// The content of a PDU session container (TS 38.415, 5.5.2) that tells a flow alone: type 0 goes down, 1 up.
constexpr std::array<uint8_t, 2> PduSessionContent(bool up, uint8_t qfi) {
  return {static_cast<uint8_t>(up ? 0x10 : 0), static_cast<uint8_t>(qfi & 0x3f)};
}

struct GtpUHeader {
  uint8_t type = 255;  // G-PDU
  uint32_t teid = 0;
  std::optional<uint16_t> sequence;
  std::optional<uint8_t> npdu_number;
};

// The header with its chain of extension headers, whose contents are 2 octets more than a multiple of four;
// `payload_octets` are to follow.
void WriteGtpUHeader(const GtpUHeader& header, absl::Span<const ExtensionHeader> extensions, size_t payload_octets,
                     base::OctetWriter* out);
// Signalling of GTP-U (TS 29.281, 7.2 and 7.3), whole.
void WriteEchoRequest(uint16_t sequence, base::OctetWriter* out);
void WriteEchoResponse(uint16_t sequence, uint8_t recovery, base::OctetWriter* out);
// `teid` and `peer` are those of the G-PDU that nobody wanted; `peer` is where it was sent to.
void WriteErrorIndication(uint16_t sequence, uint32_t teid, const base::IpAddress& peer, base::OctetWriter* out);
void WriteEndMarker(uint32_t teid, base::OctetWriter* out);

}  // namespace flowacct::gtp

#endif  // FLOWACCT_GTP_MESSAGE_WRITER_H_
