#include "flowacct/gtp/elements_v1.h"

#include <array>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_reader.h"

namespace flowacct::gtp::v1 {

using base::DecodeCode;
using base::IpAddress;
using base::LoadBe16;
using base::LoadBe32;
using base::OctetReader;
using base::Octets;

namespace {

constexpr ElementInfo kElements[] = {
#define X(number, name, size, text) {number, size, text},
    FLOWACCT_GTP1_ELEMENTS(X)
#undef X
};
constexpr ElementInfo kV0Elements[] = {
#define X(number, name, size, text) {number, size, text},
    FLOWACCT_GTP0_ELEMENTS(X)
#undef X
};

using Index = std::array<const ElementInfo*, 256>;

// GTPv0 knows the elements of GTPv1 up to the reason that an MS is not reached (19) and from 127 to 134, and the
// private extension; some of them its own way.
constexpr bool KnownToV0(unsigned type) { return type < 20 || (type >= 127 && type <= 134) || type == 255; }

constexpr Index MakeIndex(bool v0) {
  Index index{};
  for (const ElementInfo& info : kElements) {
    if (!v0 || KnownToV0(info.type)) index[info.type] = &info;
  }
  if (v0) {
    for (const ElementInfo& info : kV0Elements) index[info.type] = &info;
  }
  return index;
}

constexpr Index kIndex = MakeIndex(false);
constexpr Index kV0Index = MakeIndex(true);

// Bit rates of TS 24.008, table 10.5.156, in kbit/s.
constexpr uint32_t Rate(uint8_t v) {
  if (v < 0x40) return v;
  if (v < 0x80) return 64 + (v - 0x40u) * 8;
  return v == 0xff ? 0 : 576 + (v - 0x80u) * 64;
}
constexpr uint32_t ExtendedRate(uint8_t v) {
  if (v <= 0x4a) return 8600 + v * 100u;
  if (v <= 0xba) return 16000 + (v - 0x4au) * 1000;
  return 128000 + (v - 0xbau) * 2000;
}
constexpr uint32_t ExtendedRate2(uint8_t v) {
  if (v <= 0x3d) return 256000 + v * 4000u;
  if (v <= 0xa1) return 500000 + (v - 0x3du) * 10000;
  return 1500000 + (v - 0xa1u) * 100000;
}

std::optional<IpAddress> AddressOf(Octets octets) {
  if (octets.size() == 4) return IpAddress::FromV4(octets.data());
  if (octets.size() == 16) return IpAddress::FromV6(octets.data());
  return std::nullopt;
}

// The addresses of a PDP type; false if their length is none of it.
bool ReadPdpAddress(uint8_t organisation, uint8_t number, Octets octets, EndUserAddress* address) {
  address->organisation = organisation;
  address->number = number;
  if (organisation != kPdpOrgIetf || octets.empty()) return true;
  switch (number) {
    case kPdpIpv4:
      if (octets.size() != 4) return false;
      address->v4 = AddressOf(octets);
      return true;
    case kPdpIpv6:
      if (octets.size() != 16) return false;
      address->v6 = AddressOf(octets);
      return true;
    case kPdpIpv4v6:
      if (octets.size() != 4 && octets.size() != 16 && octets.size() != 20) return false;
      if (octets.size() != 16) {
        address->v4 = AddressOf(octets.first(4));
        octets.remove_prefix(4);
      }
      if (!octets.empty()) address->v6 = AddressOf(octets);
      return true;
    default:
      return true;
  }
}

// An address behind an octet of its length; none is fine.
bool ReadCountedAddress(OctetReader* reader, std::optional<IpAddress>* address) {
  const Octets octets = reader->Bytes(reader->U8());
  if (octets.empty()) return reader->ok();
  *address = AddressOf(octets);
  return address->has_value();
}

}  // namespace

const ElementInfo* FindElement(Protocol protocol, uint8_t type) {
  return (protocol == Protocol::kV0 ? kV0Index : kIndex)[type];
}

bool ElementReader::Next(Element* element) {
  const size_t rest = octets_.size() - at_;
  if (rest == 0) return false;
  const uint8_t* p = octets_.data() + at_;
  size_t header, size;
  if (p[0] < 128) {
    const ElementInfo* info = FindElement(protocol_, p[0]);
    if (info == nullptr) return End(DecodeCode::kUnsupported);
    header = 1;
    size = info->size;
  } else if (p[0] == kExtensionHeaderTypes && protocol_ == Protocol::kV1) {
    if (rest < 2) return End(DecodeCode::kTruncated);
    header = 2;
    size = p[1];
  } else {
    if (rest < 3) return End(DecodeCode::kTruncated);
    header = 3;
    size = LoadBe16(p + 1);
  }
  if (size > rest - header) return End(DecodeCode::kTruncated);
  element->type = p[0];
  element->offset = static_cast<uint32_t>(at_);
  element->value = Octets(p + header, size);
  at_ += header + size;
  return true;
}

std::optional<uint8_t> ReadU8(Octets value) { return value.empty() ? std::nullopt : std::optional<uint8_t>(value[0]); }
std::optional<uint16_t> ReadU16(Octets value) {
  return value.size() < 2 ? std::nullopt : std::optional<uint16_t>(LoadBe16(value.data()));
}
std::optional<uint32_t> ReadU32(Octets value) {
  return value.size() < 4 ? std::nullopt : std::optional<uint32_t>(LoadBe32(value.data()));
}

std::optional<base::Digits> ReadImsi(Octets value) {
  constexpr size_t kMaxImsi = 15;  // TS 23.003, 2.2
  const std::optional<base::Digits> digits = base::Digits::FromTbcd(value);
  return digits && digits->size() <= kMaxImsi ? digits : std::nullopt;
}

std::optional<base::Digits> ReadImei(Octets value) { return base::Digits::FromTbcd(value); }

std::optional<base::Digits> ReadMsisdn(Octets value) {
  return value.empty() ? std::nullopt : base::Digits::FromTbcd(value.subspan(1));
}

std::optional<LocationArea> ReadRai(Octets value) {
  if (value.size() < 6) return std::nullopt;
  const LocationArea area{PlmnFromOctets(value.data()), LoadBe16(value.data() + 3), value[5]};
  return area.plmn.empty() ? std::nullopt : std::optional<LocationArea>(area);
}

std::optional<NsapiTeid> ReadTeidDataII(Octets value) {
  if (value.size() == 3) return NsapiTeid{Nsapi(value[0]), LoadBe16(value.data() + 1)};
  if (value.size() < 5) return std::nullopt;
  return NsapiTeid{Nsapi(value[0]), LoadBe32(value.data() + 1)};
}

UeAddresses EndUserAddress::addresses() const {
  constexpr uint8_t kPrefix = 64;
  UeAddresses ue;
  if (v4 && *v4 != IpAddress::V4(0)) ue.v4 = v4;
  if (v6 && *v6 != IpAddress()) {
    ue.v6 = base::Mask(*v6, kPrefix);
    ue.v6_length = kPrefix;
  }
  return ue;
}

std::optional<EndUserAddress> ReadEndUserAddress(Octets value) {
  EndUserAddress address;
  if (value.size() < 2 || !ReadPdpAddress(value[0] & 0x0f, value[1], value.subspan(2), &address)) return std::nullopt;
  return address;
}

std::optional<IpAddress> ReadAddress(Octets value) { return AddressOf(value); }

std::optional<Qos> ReadQos(Octets value) {
  if (value.size() < 4) return std::nullopt;
  const auto octet = [&](size_t i) -> uint8_t { return i < value.size() ? value[i] : 0; };
  Qos qos;
  qos.arp = octet(0) & 0x03;
  qos.delay_class = octet(1) >> 3 & 0x07;
  qos.reliability_class = octet(1) & 0x07;
  qos.peak_throughput = octet(2) >> 4;
  qos.precedence_class = octet(2) & 0x07;
  qos.mean_throughput = octet(3) & 0x1f;
  constexpr size_t kRelease99 = 12;  // as many octets as the profile has at least that tells more
  qos.extended = value.size() >= kRelease99;
  if (!qos.extended) return qos;
  qos.traffic_class = octet(4) >> 5;
  qos.handling_priority = octet(9) & 0x03;
  qos.signalling = (octet(12) & 0x10) != 0;
  // An extension, where it is not zero, stands for the rate before it.
  const auto rate = [&](size_t first, size_t extended, size_t extended2) {
    if (octet(extended2) != 0) return ExtendedRate2(octet(extended2));
    if (octet(extended) != 0) return ExtendedRate(octet(extended));
    return Rate(octet(first));
  };
  qos.max_up = rate(6, 15, 19);
  qos.max_down = rate(7, 13, 17);
  qos.guaranteed_up = rate(10, 16, 20);
  qos.guaranteed_down = rate(11, 14, 18);
  return qos;
}

std::optional<Qos> ReadV0Qos(Octets value) {
  if (value.size() < 3) return std::nullopt;
  Qos qos;
  qos.delay_class = value[0] >> 3 & 0x07;
  qos.reliability_class = value[0] & 0x07;
  qos.peak_throughput = value[1] >> 4;
  qos.precedence_class = value[1] & 0x07;
  qos.mean_throughput = value[2] & 0x1f;
  return qos;
}

std::optional<UserLocation> ReadUli(Octets value) {
  constexpr LocationForm kForms[] = {LocationForm::kCgi, LocationForm::kSai, LocationForm::kRai};
  if (value.size() < 8 || value[0] >= sizeof(kForms) / sizeof(kForms[0])) return std::nullopt;
  const LocationForm form = kForms[value[0]];
  LocationArea area{PlmnFromOctets(value.data() + 1), LoadBe16(value.data() + 4), LoadBe16(value.data() + 6)};
  if (area.plmn.empty()) return std::nullopt;
  if (form == LocationForm::kRai) area.cell >>= 8;  // the second octet of the RAC is filled up
  UserLocation location;
  location.Set(form, area);
  return location;
}

std::optional<Ambr> ReadAmbr(Octets value) {
  if (value.size() < 8) return std::nullopt;
  return Ambr{LoadBe32(value.data()), LoadBe32(value.data() + 4)};
}

std::optional<NsapiArp> ReadEvolvedArpII(Octets value) {
  if (value.size() < 2) return std::nullopt;
  return NsapiArp{Nsapi(value[0]), value[1]};
}

std::optional<PdpContext> ReadPdpContext(Protocol protocol, Octets value) {
  const bool v0 = protocol == Protocol::kV0;
  OctetReader reader(value);
  PdpContext context;
  const uint8_t flags = reader.U8();
  const bool second_address = !v0 && (flags & 0x80) != 0;
  context.vplmn_address_allowed = (flags & 0x40) != 0;
  context.activity = !v0 && (flags & 0x20) != 0;
  context.reordering = (flags & 0x10) != 0;
  context.nsapi = Nsapi(flags);
  context.sapi = reader.U8() & 0x0f;
  for (Octets* qos : {&context.qos_subscribed, &context.qos_requested, &context.qos_negotiated}) {
    *qos = reader.Bytes(v0 ? 3 : reader.U8());
  }
  context.sequence_down = reader.U16();
  context.sequence_up = reader.U16();
  reader.Skip(2);  // N-PDU numbers
  if (v0) {
    context.teid_control = reader.U16();
  } else {
    context.teid_control = reader.U32();
    context.teid_data = reader.U32();
    context.context_identifier = reader.U8();
  }
  const uint8_t organisation = reader.U8() & 0x0f;
  const uint8_t number = reader.U8();
  const Octets address = reader.Bytes(reader.U8());
  if (!reader.ok() || !ReadPdpAddress(organisation, number, address, &context.address)) return std::nullopt;
  if (!ReadCountedAddress(&reader, &context.ggsn_control)) return std::nullopt;
  if (v0) {
    context.ggsn_user = context.ggsn_control;  // there is but one
  } else if (!ReadCountedAddress(&reader, &context.ggsn_user)) {
    return std::nullopt;
  }
  context.apn = ApnFromLabels(reader.Bytes(reader.U8()));
  context.transaction_identifier = static_cast<uint16_t>(v0 ? reader.U8() & 0x0f : reader.U16() & 0x0fff);
  if (second_address) {
    const uint8_t second = reader.U8();
    EndUserAddress other;
    if (!ReadPdpAddress(organisation, second, reader.Bytes(reader.U8()), &other)) return std::nullopt;
    if (other.v4) context.address.v4 = other.v4;
    if (other.v6) context.address.v6 = other.v6;
  }
  return reader.ok() ? std::optional<PdpContext>(context) : std::nullopt;
}

std::optional<RabSetup> ReadRabSetup(Octets value) {
  if (value.empty()) return std::nullopt;
  RabSetup setup;
  setup.nsapi = Nsapi(value[0]);
  if (value.size() == 1) return setup;
  if (value.size() < 5) return std::nullopt;
  setup.teid = LoadBe32(value.data() + 1);
  setup.address = AddressOf(value.subspan(5));
  return setup.address ? std::optional<RabSetup>(setup) : std::nullopt;
}

std::optional<PrivateExtension> ReadPrivateExtension(Octets value) {
  if (value.size() < 2) return std::nullopt;
  return PrivateExtension{LoadBe16(value.data()), value.subspan(2)};
}

}  // namespace flowacct::gtp::v1
