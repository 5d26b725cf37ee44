#include "flowacct/gtp/elements_v2.h"

#include <algorithm>
#include <utility>

#include "flowacct/base/octet_reader.h"

namespace flowacct::gtp::v2 {

namespace {

constexpr ElementInfo kElements[] = {
#define X(number, name, rule, size, text) {number, LengthRule::rule, size, text},
    FLOWACCT_GTP2_ELEMENTS(X)
#undef X
};
constexpr size_t kElementCount = sizeof(kElements) / sizeof(kElements[0]);

// Row of each type behind 0, which is none.
constexpr std::array<uint8_t, 256> RowsByType() {
  std::array<uint8_t, 256> rows{};
  for (size_t i = 0; i < kElementCount; ++i) rows[kElements[i].type] = static_cast<uint8_t>(i + 1);
  return rows;
}
constexpr std::array<uint8_t, 256> kRows = RowsByType();

constexpr absl::string_view kIndicationNames[] = {
    "DAF",     "DTF",     "HI",     "DFI",    "OI",     "ISRSI",   "ISRAI",   "SGWCI",   // octet 5
    "SQCI",    "UIMSI",   "CFSI",   "CRSI",   "P",      "PT",      "SI",      "MSV",     // octet 6
    "RetLoc",  "PBIC",    "SRNI",   "S6AF",   "S4AF",   "MBMDT",   "ISRAU",   "CCRSI",   // octet 7
    "CPRAI",   "ARRL",    "PPOF",   "PPON",   "PPSI",   "CSFBI",   "CLII",    "CPSR",    // octet 8
    "NSI",     "UASI",    "DTCI",   "BDWI",   "PSCI",   "PCRI",    "AOSI",    "AOPI",    // octet 9
    "ROAAI",   "EPCOSI",  "CPOPCI", "PMTSMI", "S11TF",  "PNSI",    "UNACCSI", "WPMSI",   // octet 10
    "5GSNN26", "REPREFI", "5GSIWK", "EEVRSI", "LTEMUI", "LTEMPI",  "ENBCRSI", "TSPCMI",  // octet 11
    "CSRMFI",  "MTEDTN",  "MTEDTA", "N5GNMI", "5GCNRS", "5GCNRI",  "5SRHOI",  "ETHPDN",  // octet 12
    "NSPUSI",  "PGWRNSI", "RPPCSI", "PGWCHI", "SISSME", "NSENBI",  "IDFUPF",  "EMCI",    // octet 13
    "",        "",        "",       "",       "",       "LTEMSAI", "SRTPI",   "UPIPSI",  // octet 14
};
static_assert(sizeof(kIndicationNames) / sizeof(kIndicationNames[0]) == kIndicationFlags, "eight an octet");

constexpr size_t kPlmnSize = 3;
constexpr size_t kV4Size = 4, kV6Size = 16;
constexpr uint8_t kLow4 = 0xf;

// Fields that follow each other; nothing is read of a network that is no number.
class Fields : public base::OctetReader {
 public:
  using base::OctetReader::OctetReader;

  Plmn Network() {
    const base::Octets octets = Bytes(kPlmnSize);
    return octets.empty() ? Plmn() : PlmnFromOctets(octets.data());
  }
  base::IpAddress V4() {
    const base::Octets octets = Bytes(kV4Size);
    return octets.empty() ? base::IpAddress() : base::IpAddress::FromV4(octets.data());
  }
  base::IpAddress V6() {
    const base::Octets octets = Bytes(kV6Size);
    return octets.empty() ? base::IpAddress() : base::IpAddress::FromV6(octets.data());
  }
  uint64_t U40() {
    const base::Octets octets = Bytes(5);
    return octets.empty() ? 0 : base::LoadBe(octets.data(), octets.size());
  }
};

// 1900 to 1970, and what is added to times whose most significant bit says that they are of 2036 on (RFC 4330, 3).
constexpr int64_t kSecondsTo1970 = 2208988800, kEra = int64_t{1} << 32;

int64_t SinceEpoch(uint32_t ntp) { return int64_t{ntp} - kSecondsTo1970 + ((ntp & 0x80000000) == 0 ? kEra : 0); }

void WalkFrom(base::Octets octets, size_t offset, size_t depth, const WalkOptions& options,
              absl::FunctionRef<void(const Element&, size_t)> visit, base::DecodeCounters* counters) {
  ElementReader reader(octets, offset);
  Element element;
  while (reader.Next(&element)) {
    counters->Count(base::DecodeCode::kOk);
    visit(element, depth);
    const ElementInfo* info = FindElement(element.type);
    if (info == nullptr) continue;
    if (element.value.size() < info->size) counters->Count(base::DecodeCode::kBadLength);
    if (!info->grouped()) continue;
    if (depth == options.max_depth) {
      counters->Count(base::DecodeCode::kTooDeep);
      continue;
    }
    WalkFrom(element.value, element.offset + ElementReader::kHeaderSize, depth + 1, options, visit, counters);
  }
  if (!reader.result().ok()) counters->Count(reader.result().code);
}

std::optional<TypedOctets> ReadTyped(base::Octets value, uint8_t mask) {
  if (value.empty()) return std::nullopt;
  return TypedOctets{static_cast<uint8_t>(value[0] & mask), value.subspan(1)};
}

// Containers of an ePCO from the network whose length is of two octets: QoS rules and QoS flow descriptions.
bool HasLongLength(uint16_t id) { return id == 0x0023 || id == 0x0024; }

// The octet of the length of an address, and the address; a length of neither family reads nothing.
bool ReadSizedAddress(Fields* fields, base::IpAddress* address) {
  const size_t size = fields->U8();
  if (size != kV4Size && size != kV6Size) return false;
  *address = size == kV4Size ? fields->V4() : fields->V6();
  return fields->ok();
}

void ReadRates(Fields* fields, Qos* qos) {
  qos->max_up = fields->U40();
  qos->max_down = fields->U40();
  qos->guaranteed_up = fields->U40();
  qos->guaranteed_down = fields->U40();
}

}  // namespace

const ElementInfo* FindElement(uint8_t type) { return kRows[type] == 0 ? nullptr : &kElements[kRows[type] - 1]; }

void WalkElements(base::Octets octets, const WalkOptions& options,
                  absl::FunctionRef<void(const Element&, size_t depth)> visit, base::DecodeCounters* counters) {
  WalkFrom(octets, 0, 0, options, visit, counters);
}

std::optional<uint8_t> ReadU8(base::Octets value) {
  if (value.empty()) return std::nullopt;
  return value[0];
}

std::optional<uint16_t> ReadU16(base::Octets value) {
  if (value.size() < 2) return std::nullopt;
  return base::LoadBe16(value.data());
}

std::optional<uint32_t> ReadU32(base::Octets value) {
  if (value.size() < 4) return std::nullopt;
  return base::LoadBe32(value.data());
}

std::optional<base::Digits> ReadImsi(base::Octets value) {
  const std::optional<base::Digits> digits = base::Digits::FromTbcd(value);
  if (digits && (digits->bits() & kLow4) != kLow4) return std::nullopt;  // of 16 digits
  return digits;
}

std::optional<base::Digits> ReadMei(base::Octets value) { return base::Digits::FromTbcd(value); }
std::optional<base::Digits> ReadMsisdn(base::Octets value) { return base::Digits::FromTbcd(value); }

std::optional<Cause> ReadCause(base::Octets value) {
  if (value.size() < 2) return std::nullopt;
  Cause cause;
  cause.value = value[0];
  cause.from_remote = (value[1] & 0x01) != 0;
  cause.bearer_context_error = (value[1] & 0x02) != 0;
  cause.pdn_connection_error = (value[1] & 0x04) != 0;
  if (value.size() >= 6) {
    cause.has_offending = true;
    cause.offending_type = value[2];
    cause.offending_instance = value[5] & kLow4;
  }
  return cause;
}

std::optional<Ambr> ReadAmbr(base::Octets value) {
  if (value.size() < 8) return std::nullopt;
  return Ambr{base::LoadBe32(value.data()), base::LoadBe32(value.data() + 4)};
}

std::optional<uint8_t> ReadEbi(base::Octets value) {
  if (value.empty()) return std::nullopt;
  return static_cast<uint8_t>(value[0] & kLow4);
}

std::optional<uint8_t> ReadSelectionMode(base::Octets value) {
  if (value.empty()) return std::nullopt;
  return static_cast<uint8_t>(value[0] & 0x3);
}

std::optional<base::IpAddress> ReadIpAddress(base::Octets value) {
  if (value.size() == kV4Size) return base::IpAddress::FromV4(value.data());
  if (value.size() == kV6Size) return base::IpAddress::FromV6(value.data());
  return std::nullopt;
}

std::optional<Apn> ReadApn(base::Octets value) { return ApnFromLabels(value); }

absl::string_view IndicationFlagName(size_t flag) {
  return flag < kIndicationFlags ? kIndicationNames[flag] : absl::string_view();
}

uint64_t ReadIndication(base::Octets value) {
  uint8_t octets[8] = {};
  std::copy(value.begin(), value.begin() + std::min(value.size(), sizeof(octets)), octets);
  return base::LoadBe64(octets);
}

PcoReader::PcoReader(base::Octets value, bool long_lengths) : long_lengths_(long_lengths) {
  if (value.empty()) {
    ok_ = false;
    return;
  }
  protocol_ = value[0] & 0x7;
  rest_ = value.subspan(1);
}

bool PcoReader::Next(PcoItem* item) {
  if (rest_.empty()) return false;
  Fields fields(rest_);
  item->id = fields.U16();
  const size_t size = long_lengths_ && HasLongLength(item->id) ? fields.U16() : fields.U8();
  item->contents = fields.Bytes(size);
  ok_ = fields.ok();
  rest_ = ok_ ? fields.rest() : base::Octets();
  return ok_;
}

absl::string_view PdnTypeName(uint8_t type) {
  constexpr absl::string_view kNames[] = {"", "IPv4", "IPv6", "IPv4v6", "Non-IP", "Ethernet"};
  return type < sizeof(kNames) / sizeof(kNames[0]) ? kNames[type] : absl::string_view();
}

std::optional<uint8_t> ReadPdnType(base::Octets value) {
  if (value.empty()) return std::nullopt;
  return static_cast<uint8_t>(value[0] & 0x7);
}

base::IpAddress PrefixOf(base::IpAddress address, unsigned length) {
  uint8_t* octets = address.data();
  for (unsigned i = 0; i < kV6Size; ++i) {
    const unsigned bits = length <= 8 * i ? 0 : std::min(8u, length - 8 * i);
    octets[i] = static_cast<uint8_t>(octets[i] & 0xff00u >> bits);
  }
  return address;
}

std::optional<Paa> ReadPaa(base::Octets value) {
  Fields fields(value);
  Paa paa;
  paa.pdn_type = fields.U8() & 0x7;
  if (paa.pdn_type == kIpv6 || paa.pdn_type == kIpv4v6) {
    const unsigned length = fields.U8();
    const base::IpAddress address = fields.V6();
    if (!fields.ok() || length > 8 * kV6Size) return std::nullopt;
    const base::IpAddress prefix = PrefixOf(address, length);
    if (prefix != base::IpAddress()) {
      paa.addresses.v6 = prefix;
      paa.addresses.v6_length = static_cast<uint8_t>(length);
    }
  }
  if (paa.pdn_type == kIpv4 || paa.pdn_type == kIpv4v6) {
    const base::IpAddress address = fields.V4();
    if (address.v4() != 0) paa.addresses.v4 = address;
  }
  if (!fields.ok()) return std::nullopt;
  return paa;
}

std::optional<Qos> ReadBearerQos(base::Octets value) {
  Fields fields(value);
  Qos qos;
  qos.arp.octet = fields.U8();
  qos.qci = fields.U8();
  ReadRates(&fields, &qos);
  if (!fields.ok()) return std::nullopt;
  return qos;
}

std::optional<Qos> ReadFlowQos(base::Octets value) {
  Fields fields(value);
  Qos qos;
  qos.qci = fields.U8();
  ReadRates(&fields, &qos);
  if (!fields.ok()) return std::nullopt;
  return qos;
}

std::optional<UserLocation> ReadUli(base::Octets value) {
  // The flags from bit 1 on, in the order of the fields.
  constexpr LocationForm kInOrder[] = {
      LocationForm::kCgi,  LocationForm::kSai, LocationForm::kRai,         LocationForm::kTai,
      LocationForm::kEcgi, LocationForm::kLai, LocationForm::kMacroEnodeb, LocationForm::kExtendedMacroEnodeb,
  };
  Fields fields(value);
  const unsigned flags = fields.U8();
  UserLocation location;
  for (unsigned i = 0; i < 8; ++i) {
    if ((flags >> i & 1) == 0) continue;
    LocationArea area;
    area.plmn = fields.Network();
    switch (kInOrder[i]) {
      case LocationForm::kCgi:
      case LocationForm::kSai:
        area.code = fields.U16();
        area.cell = fields.U16();
        break;
      case LocationForm::kRai:
        area.code = fields.U16();
        area.cell = fields.U8();
        fields.Skip(1);  // filled up
        break;
      case LocationForm::kTai:
      case LocationForm::kLai:
        area.code = fields.U16();
        break;
      case LocationForm::kEcgi:
        area.cell = fields.U32() & 0xfffffff;
        break;
      case LocationForm::kMacroEnodeb:
        area.cell = fields.U24() & 0xfffff;
        break;
      case LocationForm::kExtendedMacroEnodeb: {
        // 18 bits of a short macro eNodeB, which the first bit tells, else 21.
        const uint32_t bits = fields.U24();
        area.cell = bits & ((bits & 0x800000) != 0 ? 0x3ffff : 0x1fffff);
        break;
      }
    }
    if (!area.plmn.empty()) location.Set(kInOrder[i], area);
  }
  if (!fields.ok() || location.present == 0) return std::nullopt;
  return location;
}

std::optional<Fteid> ReadFteid(base::Octets value, uint8_t instance) {
  // Every message has several: lengths are asked for once.
  constexpr size_t kFixed = 5;
  if (value.size() < kFixed) return std::nullopt;
  const uint8_t* p = value.data();
  const bool has_v4 = (p[0] & 0x80) != 0, has_v6 = (p[0] & 0x40) != 0;
  const size_t v4_size = has_v4 ? kV4Size : 0, v6_size = has_v6 ? kV6Size : 0;
  if ((!has_v4 && !has_v6) || value.size() < kFixed + v4_size + v6_size) return std::nullopt;
  std::optional<Fteid> fteid(std::in_place);
  fteid->interface_type = p[0] & 0x3f;
  fteid->instance = instance;
  fteid->teid = base::LoadBe32(p + 1);
  if (has_v4) fteid->v4 = base::IpAddress::FromV4(p + kFixed);
  if (has_v6) fteid->v6 = base::IpAddress::FromV6(p + kFixed + v4_size);
  return fteid;
}

std::optional<GlobalCnId> ReadGlobalCnId(base::Octets value) {
  Fields fields(value);
  GlobalCnId id;
  id.plmn = fields.Network();
  id.cn = fields.U16();
  if (!fields.ok() || id.plmn.empty()) return std::nullopt;
  return id;
}

std::optional<DataForwarding> ReadS103DataForwarding(base::Octets value) {
  Fields fields(value);
  DataForwarding forwarding;
  if (!ReadSizedAddress(&fields, &forwarding.address)) return std::nullopt;
  forwarding.key = fields.U32();
  const uint8_t count = fields.U8() & kLow4;
  for (uint8_t i = 0; i < count; ++i) forwarding.ebis[i] = fields.U8() & kLow4;
  forwarding.ebi_count = count;
  if (!fields.ok()) return std::nullopt;
  return forwarding;
}

std::optional<DataForwarding> ReadS1UDataForwarding(base::Octets value) {
  Fields fields(value);
  DataForwarding forwarding;
  forwarding.ebi = fields.U8() & kLow4;
  if (!ReadSizedAddress(&fields, &forwarding.address)) return std::nullopt;
  forwarding.key = fields.U32();
  if (!fields.ok()) return std::nullopt;
  return forwarding;
}

std::optional<TraceReference> ReadTraceReference(base::Octets value) {
  Fields fields(value);
  TraceReference reference;
  reference.plmn = fields.Network();
  reference.id = fields.U24();
  if (!fields.ok() || reference.plmn.empty()) return std::nullopt;
  return reference;
}

std::optional<UeTimeZone> ReadUeTimeZone(base::Octets value) {
  if (value.size() < 2) return std::nullopt;
  return UeTimeZone{value[0], static_cast<uint8_t>(value[1] & 0x3)};
}

std::optional<Guti> ReadGuti(base::Octets value) {
  Fields fields(value);
  Guti guti;
  guti.plmn = fields.Network();
  guti.mme_group = fields.U16();
  guti.mme_code = fields.U8();
  guti.m_tmsi = fields.U32();
  if (!fields.ok() || guti.plmn.empty()) return std::nullopt;
  return guti;
}

std::optional<TypedOctets> ReadCompleteRequestMessage(base::Octets value) { return ReadTyped(value, 0xff); }
std::optional<TypedOctets> ReadFContainer(base::Octets value) { return ReadTyped(value, kLow4); }
std::optional<TypedOctets> ReadFCause(base::Octets value) { return ReadTyped(value, kLow4); }
std::optional<TypedOctets> ReadTargetIdentification(base::Octets value) { return ReadTyped(value, 0xff); }

std::optional<FqCsid> ReadFqCsid(base::Octets value) {
  constexpr uint8_t kNodeV4 = 0, kNodeV6 = 1, kNodeNumber = 2;
  Fields fields(value);
  const uint8_t first = fields.U8();
  FqCsid id;
  id.node_type = first >> 4;
  if (id.node_type == kNodeV4) {
    id.address = fields.V4();
  } else if (id.node_type == kNodeV6) {
    id.address = fields.V6();
  } else if (id.node_type == kNodeNumber) {
    id.node = fields.U32();
  } else {
    return std::nullopt;
  }
  id.csids = fields.Bytes(2 * size_t{static_cast<uint8_t>(first & kLow4)});
  if (!fields.ok()) return std::nullopt;
  return id;
}

std::optional<PrivateExtension> ReadPrivateExtension(base::Octets value) {
  if (value.size() < 2) return std::nullopt;
  return PrivateExtension{base::LoadBe16(value.data()), value.subspan(2)};
}

std::optional<Ip4cp> ReadIp4cp(base::Octets value) {
  Fields fields(value);
  Ip4cp parameters;
  parameters.prefix_length = fields.U8();
  parameters.router = fields.V4();
  if (!fields.ok() || parameters.prefix_length > 8 * kV4Size) return std::nullopt;
  return parameters;
}

std::optional<uint32_t> EpcTimerSeconds(uint8_t octet) {
  // Units by the three most significant bits; those that have no row count minutes.
  constexpr unsigned kInfinite = 7;
  constexpr uint32_t kMinute = 60, kUnits[] = {2, kMinute, 10 * kMinute, 60 * kMinute, 600 * kMinute};
  const unsigned unit = octet >> 5;
  if (unit == kInfinite) return std::nullopt;
  return (unit < sizeof(kUnits) / sizeof(kUnits[0]) ? kUnits[unit] : kMinute) * (octet & 0x1fu);
}

std::optional<int64_t> ReadTimestamp(base::Octets value) {
  if (value.size() < 4) return std::nullopt;
  return SinceEpoch(base::LoadBe32(value.data()));
}

std::optional<UserCsg> ReadUserCsg(base::Octets value) {
  Fields fields(value);
  UserCsg csg;
  csg.plmn = fields.Network();
  csg.csg = fields.U32() & 0x7ffffff;
  const uint8_t last = fields.U8();
  csg.access_mode = last >> 6;
  csg.leaves = (last & 0x02) != 0;
  csg.member = (last & 0x01) != 0;
  if (!fields.ok() || csg.plmn.empty()) return std::nullopt;
  return csg;
}

std::optional<SecondaryRatUsage> ReadSecondaryRatUsage(base::Octets value) {
  Fields fields(value);
  SecondaryRatUsage usage;
  const uint8_t flags = fields.U8();
  usage.to_pgw = (flags & 0x01) != 0;
  usage.to_sgw = (flags & 0x02) != 0;
  usage.rat = fields.U8();
  usage.ebi = fields.U8() & kLow4;
  usage.start = SinceEpoch(fields.U32());
  usage.end = SinceEpoch(fields.U32());
  usage.octets_down = fields.U64();
  usage.octets_up = fields.U64();
  if (!fields.ok()) return std::nullopt;
  return usage;
}

std::optional<RateControlCounter> ReadCounter(base::Octets value) {
  if (value.size() < 5) return std::nullopt;
  return RateControlCounter{SinceEpoch(base::LoadBe32(value.data())), value[4]};
}

std::optional<ApnCapacity> ReadApnCapacity(base::Octets value) {
  Fields fields(value);
  ApnCapacity capacity;
  capacity.capacity = fields.U8();
  const std::optional<Apn> apn = ApnFromLabels(fields.Bytes(fields.U8()));
  if (!fields.ok() || !apn) return std::nullopt;
  capacity.apn = *apn;
  return capacity;
}

std::optional<uint64_t> ReadMillisecondTimestamp(base::Octets value) {
  if (value.size() < 6) return std::nullopt;
  return base::LoadBe(value.data(), 6);
}

std::optional<uint64_t> ReadIntegerNumber(base::Octets value) {
  if (value.empty() || value.size() > 8) return std::nullopt;
  return base::LoadBe(value.data(), value.size());
}

}  // namespace flowacct::gtp::v2
