#include "flowacct/gtp/message_writer.h"

#include <algorithm>

namespace flowacct::gtp {

namespace {

using base::IpAddress;
using base::Octets;
using base::OctetWriter;

struct FormBits {
  uint8_t code, cell;
};

constexpr FormBits kFormBits[] = {
#define X(name, text, code_bits, cell_bits) {code_bits, cell_bits},
    FLOWACCT_GTP_LOCATION_FORMS(X)
#undef X
};

Octets AddressOctets(const IpAddress& address) {
  return address.IsV4() ? address.octets().subspan(12) : address.octets();
}

constexpr uint8_t kFlagExtension = 4, kFlagSequence = 2, kFlagNpdu = 1;

}  // namespace

std::array<uint8_t, 3> PlmnOctets(const Plmn& plmn) {
  char digits[Plmn::kTextSize];
  const size_t n = plmn.Format(digits);
  const auto digit = [&](size_t i) { return i < n ? digits[i] - '0' : 0xf; };
  return {static_cast<uint8_t>(digit(1) << 4 | digit(0)), static_cast<uint8_t>(digit(5) << 4 | digit(2)),
          static_cast<uint8_t>(digit(4) << 4 | digit(3))};
}

void WriteApnLabels(absl::string_view apn, OctetWriter* out) {
  while (!apn.empty()) {
    const size_t end = std::min(apn.find('.'), apn.size());
    const absl::string_view label = apn.substr(0, std::min<size_t>(end, 63));
    out->U8(static_cast<uint8_t>(label.size())).Text(label);
    apn.remove_prefix(std::min(end + 1, apn.size()));
  }
}

void WriteLocationArea(LocationForm form, const LocationArea& area, OctetWriter* out) {
  const FormBits bits = kFormBits[static_cast<size_t>(form)];
  out->Bytes(PlmnOctets(area.plmn));
  if (bits.code > 0) out->Number(area.code, (bits.code + 7u) / 8);
  if (bits.cell > 0) out->Number(area.cell, (bits.cell + 7u) / 8);
  if (form == LocationForm::kRai) out->U8(0xff);  // 8.21.3: the second octet of its field is filled up
}

V1MessageWriter& V1MessageWriter::Begin(uint8_t type, uint32_t teid, uint16_t sequence) {
  start_ = out_->size();
  out_->U8(0x30 | kFlagSequence).U8(type).U16(0).U32(teid).U16(sequence).U16(0);
  return *this;
}

void V1MessageWriter::End() { out_->PatchU16(start_ + 2, static_cast<uint16_t>(out_->size() - start_ - 8)); }

V1MessageWriter& V1MessageWriter::Fixed(uint8_t type, Octets value) {
  out_->U8(type).Bytes(value);
  return *this;
}

V1MessageWriter& V1MessageWriter::Variable(uint8_t type, Octets value) {
  out_->U8(type).U16(static_cast<uint16_t>(value.size())).Bytes(value);
  return *this;
}

V1MessageWriter& V1MessageWriter::Imsi(const base::Digits& imsi) {
  uint8_t tbcd[8];
  std::fill(tbcd, tbcd + 8, uint8_t{0xff});
  imsi.FormatTbcd(tbcd);
  return Fixed(2, Octets(tbcd, 8));
}

V1MessageWriter& V1MessageWriter::RoutingArea(const LocationArea& area) {
  out_->U8(3).Bytes(PlmnOctets(area.plmn)).U16(static_cast<uint16_t>(area.code));
  out_->U8(static_cast<uint8_t>(area.cell));
  return *this;
}

V1MessageWriter& V1MessageWriter::ChargingCharacteristics(uint16_t value) {
  out_->U8(26).U16(value);
  return *this;
}

V1MessageWriter& V1MessageWriter::EndUserAddress(const UeAddresses& ue) {
  // 7.7.27: the organisation is IETF (1); the number is that of PPP's protocol field for IPv4 and IPv6.
  const size_t octets = 2 + (ue.v4 ? 4u : 0u) + (ue.v6 ? 16u : 0u);
  const uint8_t number = ue.v4 && ue.v6 ? 0x8d : ue.v6 ? 0x57 : 0x21;
  out_->U8(128).U16(static_cast<uint16_t>(octets)).U8(0xf1).U8(number);
  if (ue.v4) out_->Bytes(AddressOctets(*ue.v4));
  if (ue.v6) out_->Bytes(AddressOctets(*ue.v6));
  return *this;
}

V1MessageWriter& V1MessageWriter::Apn(absl::string_view apn) {
  out_->U8(131).U16(static_cast<uint16_t>(apn.size() + (apn.empty() ? 0 : 1)));
  WriteApnLabels(apn, out_);
  return *this;
}

V1MessageWriter& V1MessageWriter::GsnAddress(const IpAddress& address) { return Variable(133, AddressOctets(address)); }

V1MessageWriter& V1MessageWriter::Msisdn(const base::Digits& msisdn) {
  uint8_t octets[9] = {0x91};  // TS 29.002, 17.7.8: no extension, international number, E.164
  return Variable(134, Octets(octets, 1 + msisdn.FormatTbcd(octets + 1)));
}

V1MessageWriter& V1MessageWriter::UserLocation(LocationForm form, const LocationArea& area) {
  out_->U8(152).U16(8).U8(static_cast<uint8_t>(form));  // 7.7.51 numbers the first three forms alike
  WriteLocationArea(form, area, out_);
  return *this;
}

V1MessageWriter& V1MessageWriter::TimeZone(uint8_t zone, uint8_t daylight_saving) {
  const uint8_t octets[] = {zone, daylight_saving};
  return Variable(153, octets);
}

V1MessageWriter& V1MessageWriter::Imei(const base::Digits& imei) {
  uint8_t tbcd[8];
  return Variable(154, Octets(tbcd, imei.FormatTbcd(tbcd)));
}

V1MessageWriter& V1MessageWriter::Ambr(uint32_t up_kbps, uint32_t down_kbps) {
  out_->U8(198).U16(8).U32(up_kbps).U32(down_kbps);
  return *this;
}

V2MessageWriter& V2MessageWriter::Begin(uint8_t type, std::optional<uint32_t> teid, uint32_t sequence,
                                        bool piggybacked) {
  start_ = out_->size();
  out_->U8(static_cast<uint8_t>(2 << 5 | (piggybacked ? 1 << 4 : 0) | (teid ? 1 << 3 : 0))).U8(type).U16(0);
  if (teid) out_->U32(*teid);
  out_->U24(sequence).U8(0);
  return *this;
}

void V2MessageWriter::End() { out_->PatchU16(start_ + 2, static_cast<uint16_t>(out_->size() - start_ - 4)); }

size_t V2MessageWriter::BeginElement(uint8_t type, uint8_t instance) {
  const size_t at = out_->size();
  out_->U8(type).U16(0).U8(instance & 0xf);
  return at;
}

void V2MessageWriter::EndElement(size_t at) { out_->PatchU16(at + 1, static_cast<uint16_t>(out_->size() - at - 4)); }

V2MessageWriter& V2MessageWriter::Element(uint8_t type, uint8_t instance, Octets value) {
  out_->U8(type).U16(static_cast<uint16_t>(value.size())).U8(instance & 0xf).Bytes(value);
  return *this;
}

V2MessageWriter& V2MessageWriter::Tbcd(uint8_t type, const base::Digits& digits) {
  uint8_t tbcd[8];
  return Element(type, 0, Octets(tbcd, digits.FormatTbcd(tbcd)));
}

V2MessageWriter& V2MessageWriter::Cause(uint8_t cause) {
  const uint8_t octets[] = {cause, 0};  // 8.4: of this node, no element offends
  return Element(2, 0, octets);
}

V2MessageWriter& V2MessageWriter::Apn(absl::string_view apn) {
  const size_t at = BeginElement(71, 0);
  WriteApnLabels(apn, out_);
  EndElement(at);
  return *this;
}

V2MessageWriter& V2MessageWriter::Ambr(uint32_t up_kbps, uint32_t down_kbps) {
  out_->U8(72).U16(8).U8(0).U32(up_kbps).U32(down_kbps);
  return *this;
}

V2MessageWriter& V2MessageWriter::Address(const IpAddress& address, uint8_t instance) {
  return Element(74, instance, AddressOctets(address));
}

V2MessageWriter& V2MessageWriter::Indication(uint64_t flags, uint8_t octets) {
  out_->U8(77).U16(octets).U8(0).Number(flags >> (64 - 8 * octets), octets);
  return *this;
}

V2MessageWriter& V2MessageWriter::Paa(const UeAddresses& ue) {
  const size_t at = BeginElement(79, 0);
  out_->U8(ue.v6 ? (ue.v4 ? 3 : 2) : 1);
  if (ue.v6) out_->U8(ue.v6_length).Bytes(AddressOctets(*ue.v6));
  if (ue.v4) out_->Bytes(AddressOctets(*ue.v4));
  if (!ue.v4 && !ue.v6) out_->U32(0);
  EndElement(at);
  return *this;
}

V2MessageWriter& V2MessageWriter::Qos(const BearerQos& qos) {
  out_->U8(80).U16(22).U8(0).U8(qos.arp).U8(qos.qci);
  for (const uint64_t kbps : {qos.max_up_kbps, qos.max_down_kbps, qos.guaranteed_up_kbps, qos.guaranteed_down_kbps}) {
    out_->Number(kbps, 5);
  }
  return *this;
}

V2MessageWriter& V2MessageWriter::ServingNetwork(const Plmn& plmn) { return Element(83, 0, PlmnOctets(plmn)); }

V2MessageWriter& V2MessageWriter::UserLocation(const gtp::UserLocation& location) {
  const size_t at = BeginElement(86, 0);
  out_->U8(static_cast<uint8_t>(location.present));  // 8.21: bit 1 is CGI, and so on as the forms are ordered
  for (size_t i = 0; i < kLocationForms; ++i) {
    const auto form = static_cast<LocationForm>(i);
    if (location.Has(form)) WriteLocationArea(form, location[form], out_);
  }
  EndElement(at);
  return *this;
}

V2MessageWriter& V2MessageWriter::FteidElement(uint8_t interface_type, uint8_t instance, uint32_t teid,
                                               const std::optional<IpAddress>& v4, const std::optional<IpAddress>& v6) {
  const size_t at = BeginElement(87, instance);
  out_->U8(static_cast<uint8_t>((v4 ? 0x80 : 0) | (v6 ? 0x40 : 0) | (interface_type & 0x3f))).U32(teid);
  if (v4) out_->Bytes(AddressOctets(*v4));
  if (v6) out_->Bytes(AddressOctets(*v6));
  EndElement(at);
  return *this;
}

V2MessageWriter& V2MessageWriter::FteidElement(uint8_t interface_type, uint8_t instance, uint32_t teid,
                                               const IpAddress& address) {
  const std::optional<IpAddress> none;
  return address.IsV4() ? FteidElement(interface_type, instance, teid, address, none)
                        : FteidElement(interface_type, instance, teid, none, address);
}

V2MessageWriter& V2MessageWriter::ChargingId(uint32_t id) {
  out_->U8(94).U16(4).U8(0).U32(id);
  return *this;
}

V2MessageWriter& V2MessageWriter::ChargingCharacteristics(uint16_t value) {
  out_->U8(95).U16(2).U8(0).U16(value);
  return *this;
}

V2MessageWriter& V2MessageWriter::TimeZone(uint8_t zone, uint8_t daylight_saving) {
  const uint8_t octets[] = {zone, daylight_saving};
  return Element(114, 0, octets);
}

void WriteGtpUHeader(const GtpUHeader& header, absl::Span<const ExtensionHeader> extensions, size_t payload_octets,
                     OctetWriter* out) {
  uint8_t flags = 0x30;
  if (!extensions.empty()) flags |= kFlagExtension;
  if (header.sequence) flags |= kFlagSequence;
  if (header.npdu_number) flags |= kFlagNpdu;
  const size_t start = out->size();
  out->U8(flags).U8(header.type).U16(0).U32(header.teid);
  if ((flags & 7) != 0) {
    // 5.1: one flag brings all of the four octets.
    out->U16(header.sequence.value_or(0)).U8(header.npdu_number.value_or(0));
    for (const ExtensionHeader& extension : extensions) {
      out->U8(extension.type).U8(static_cast<uint8_t>((extension.content.size() + 2) / 4)).Bytes(extension.content);
    }
    out->U8(0);
  }
  out->PatchU16(start + 2, static_cast<uint16_t>(out->size() - start - 8 + payload_octets));
}

void WriteEchoRequest(uint16_t sequence, OctetWriter* out) {
  WriteGtpUHeader({1, 0, sequence, std::nullopt}, {}, 0, out);
}

void WriteEchoResponse(uint16_t sequence, uint8_t recovery, OctetWriter* out) {
  WriteGtpUHeader({2, 0, sequence, std::nullopt}, {}, 2, out);
  out->U8(14).U8(recovery);
}

void WriteErrorIndication(uint16_t sequence, uint32_t teid, const IpAddress& peer, OctetWriter* out) {
  const Octets address = AddressOctets(peer);
  WriteGtpUHeader({26, 0, sequence, std::nullopt}, {}, 5 + 3 + address.size(), out);
  out->U8(16).U32(teid).U8(133).U16(static_cast<uint16_t>(address.size())).Bytes(address);
}

void WriteEndMarker(uint32_t teid, OctetWriter* out) {
  WriteGtpUHeader({254, teid, std::nullopt, std::nullopt}, {}, 0, out);
}

}  // namespace flowacct::gtp
