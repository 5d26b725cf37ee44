#include "flowacct/sink/print/pmacct_text.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_replace.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/value_text.h"

namespace flowacct::sink::print {
namespace {

using base::LoadHost;
using record::FieldId;
using record::FieldType;
using record::FixedFormatter;

constexpr FieldId kCsvOrder[] = {
    FieldId::kTag,
    FieldId::kTag2,
    FieldId::kLabel,
    FieldId::kClass,
    FieldId::kSrcMac,
    FieldId::kDstMac,
    FieldId::kVlan,
    FieldId::kInVlan,
    FieldId::kOutVlan,
    FieldId::kInCvlan,
    FieldId::kOutCvlan,
    FieldId::kCos,
    FieldId::kEtype,
    FieldId::kSrcAs,
    FieldId::kDstAs,
    FieldId::kStdComm,
    FieldId::kExtComm,
    FieldId::kLrgComm,
    FieldId::kSrcStdComm,
    FieldId::kSrcExtComm,
    FieldId::kSrcLrgComm,
    FieldId::kAsPath,
    FieldId::kSrcAsPath,
    FieldId::kLocalPref,
    FieldId::kSrcLocalPref,
    FieldId::kMed,
    FieldId::kSrcMed,
    FieldId::kSrcRoa,
    FieldId::kDstRoa,
    FieldId::kPeerSrcAs,
    FieldId::kPeerDstAs,
    FieldId::kExporter,
    FieldId::kBgpNextHop,
    FieldId::kInIf,
    FieldId::kOutIf,
    FieldId::kMplsVpnRd,
    FieldId::kMplsPwId,
    FieldId::kSrcAddr,
    FieldId::kSrcNet,
    FieldId::kDstAddr,
    FieldId::kDstNet,
    FieldId::kSrcMask,
    FieldId::kDstMask,
    FieldId::kSrcPort,
    FieldId::kDstPort,
    FieldId::kTcpFlags,
    FieldId::kFwdStatus,
    FieldId::kMplsLabelStack,
    FieldId::kVrfName,
    FieldId::kInVrfName,
    FieldId::kOutVrfName,
    FieldId::kInIfName,
    FieldId::kOutIfName,
    FieldId::kProtocol,
    FieldId::kTos,
    FieldId::kFlowLabel,
    FieldId::kSrcCountry,
    FieldId::kDstCountry,
    FieldId::kSrcPocode,
    FieldId::kDstPocode,
    FieldId::kSrcCoords,
    FieldId::kDstCoords,
    FieldId::kSamplingRate,
    FieldId::kSamplingDirection,
    FieldId::kPostNatSrcAddr,
    FieldId::kPostNatDstAddr,
    FieldId::kPostNatSrcPort,
    FieldId::kPostNatDstPort,
    FieldId::kNatEvent,
    FieldId::kFwEvent,
    FieldId::kMplsLabelTop,
    FieldId::kMplsLabelBottom,
    FieldId::kTunnelSrcMac,
    FieldId::kTunnelDstMac,
    FieldId::kTunnelSrcAddr,
    FieldId::kTunnelDstAddr,
    FieldId::kTunnelProtocol,
    FieldId::kTunnelTos,
    FieldId::kTunnelFlowLabel,
    FieldId::kTunnelSrcPort,
    FieldId::kTunnelDstPort,
    FieldId::kTunnelTcpFlags,
    FieldId::kVxlan,
    FieldId::kNvgre,
    FieldId::kStartTime,
    FieldId::kEndTime,
    FieldId::kArrivalTime,
    FieldId::kExportTime,
    FieldId::kExportSequence,
    FieldId::kExportVersion,
    FieldId::kObservationDomain,
    FieldId::kPathDelayAvgUsec,
    FieldId::kPathDelayMinUsec,
    FieldId::kPathDelayMaxUsec,
};

struct NamedProtocol {
  uint8_t number;
  absl::string_view name;
};
// All that have a name in pmacct 1.7.7; the others are numbers there.
constexpr NamedProtocol kProtocols[] = {
    {1, "icmp"},       {2, "igmp"},        {3, "ggp"},         {4, "ipencap"}, {6, "tcp"},         {8, "egp"},
    {9, "igp"},        {17, "udp"},        {18, "mux"},        {41, "ipv6"},   {43, "ipv6-route"}, {44, "ipv6-frag"},
    {46, "rsvp"},      {47, "gre"},        {50, "esp"},        {51, "ah"},     {55, "mobile"},     {56, "tlsp"},
    {58, "ipv6-icmp"}, {59, "ipv6-nonxt"}, {60, "ipv6-opts"},  {80, "iso-ip"}, {83, "vines"},      {88, "eigrp"},
    {89, "ospf"},      {91, "larp"},       {93, "ax.25"},      {94, "ipip"},   {98, "encap"},      {102, "pnni"},
    {103, "pim"},      {108, "IPcomp"},    {111, "ipx-in-ip"}, {112, "vrrp"},  {115, "l2tp"},      {124, "isis"},
    {132, "sctp"},     {133, "fc"},
};

struct ProtocolIndex {
  absl::string_view names[256];
  constexpr ProtocolIndex() : names{} {
    for (const NamedProtocol& protocol : kProtocols) names[protocol.number] = protocol.name;
  }
};
constexpr ProtocolIndex kProtocolIndex;

char* WriteText(absl::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

template <char* (*Write)(const uint8_t*, char*)>
char* Quoted(const uint8_t* value, char* out) {
  *out++ = '"';
  out = Write(value, out);
  *out++ = '"';
  return out;
}

char* WriteProtocol(const uint8_t* value, char* out) {
  const absl::string_view name = kProtocolIndex.names[*value];
  return name.empty() ? record::WriteNumber(*value, out) : WriteText(name, out);
}

char* WriteHexNumber(const uint8_t* value, char* out) {
  const uint16_t number = LoadHost<uint16_t>(value);
  bool leading = true;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const int digit = number >> shift & 15;
    if (digit == 0 && leading && shift > 0) continue;
    leading = false;
    *out++ = "0123456789abcdef"[digit];
  }
  return out;
}

char* WriteFlags(const uint8_t* value, char* out) { return record::WriteNumber(LoadHost<uint16_t>(value), out); }
char* WriteU8(const uint8_t* value, char* out) { return record::WriteNumber(*value, out); }

char* WriteMicroseconds(const uint8_t* value, char* out) {
  return WritePmacctTime(LoadHost<int64_t>(value), true, out);
}

char* WriteNetwork(const uint8_t* value, char* out) { return out + base::IpAddress::FromV6(value).Format(out); }

// RFC 4364, 4.2, with the type first.
char* WriteRouteDistinguisher(const uint8_t* value, char* out) {
  const uint64_t rd = LoadHost<uint64_t>(value);
  const uint16_t type = static_cast<uint16_t>(rd >> 48);
  if (type > 2) return WriteText("unknown", out);
  out = record::WriteNumber(type, out);
  *out++ = ':';
  if (type == 0) {
    out = record::WriteNumber(rd >> 32 & 0xffff, out);
  } else if (type == 1) {
    out += base::IpAddress::V4(static_cast<uint32_t>(rd >> 16)).Format(out);
  } else {
    out = record::WriteNumber(rd >> 16 & 0xffffffff, out);
  }
  *out++ = ':';
  return record::WriteNumber(type == 0 ? rd & 0xffffffff : rd & 0xffff, out);
}

// RFC 8097: 0 valid, 1 not found, 2 invalid.
char* WriteRoa(const uint8_t* value, char* out) {
  *out = *value == 0 ? 'v' : *value == 2 ? 'i' : 'u';
  return out + 1;
}

// "%f" of a degree, but never in a locale's own way; what no sphere has as 0.
char* WriteDegree(float degree, char* out) {
  if (!(degree >= -360 && degree <= 360)) degree = 0;
  const int64_t scaled = std::llround(static_cast<double>(degree) * 1e6);
  const uint64_t magnitude = static_cast<uint64_t>(scaled < 0 ? -scaled : scaled);
  if (scaled < 0) *out++ = '-';
  out = record::WriteNumber(magnitude / 1000000, out);
  *out++ = '.';
  uint64_t fraction = magnitude % 1000000;
  for (int i = 5; i >= 0; --i, fraction /= 10) out[i] = static_cast<char>('0' + fraction % 10);
  return out + 6;
}

char* WriteOneDegree(const uint8_t* value, char* out) { return WriteDegree(LoadHost<float>(value), out); }

// pmacct's lists are parted by '_', and its extended communities begin with "RT:" and "SoO:".
std::string Underscored(FieldType type, base::InternId id, const base::Interner& interner) {
  std::string text;
  record::AppendIdText(type, id, interner, &text);
  for (char& c : text) {
    if (c == ' ') c = '_';
  }
  if (type != FieldType::kExtCommunities) return text;
  return absl::StrReplaceAll(text, {{"rt:", "RT:"}, {"soo:", "SoO:"}});
}

void AppendUnderscored(FieldType type, base::InternId id, const base::Interner& interner, std::string* out) {
  out->append(Underscored(type, id, interner));
}

void AppendUnderscoredJson(FieldType type, base::InternId id, const base::Interner& interner, std::string* out) {
  record::AppendJsonString(Underscored(type, id, interner), out);
}

// Each label with its place in the stack: "0-69".
template <bool json>
void AppendLabelStack(FieldType, base::InternId id, const base::Interner& interner, std::string* out) {
  const base::Octets octets = id == base::Interner::kOverflowId ? base::Octets() : interner.Find(id);
  char buffer[48];
  if (json) out->push_back('[');
  for (size_t i = 0; i + 3 <= octets.size(); i += 3) {
    if (i > 0) out->append(json ? ", " : "_");
    char* end = buffer;
    if (json) *end++ = '"';
    end = record::WriteNumber(i / 3, end);
    *end++ = '-';
    end = record::WriteNumber(base::LoadBe24(octets.data() + i) >> 4, end);
    if (json) *end++ = '"';
    out->append(buffer, static_cast<size_t>(end - buffer));
  }
  if (json) out->push_back(']');
}

struct TypeText {
  FieldType type;
  FixedFormatter text, json;
  absl::string_view absent, absent_json;
};
constexpr TypeText kTypes[] = {
    {FieldType::kProtocol, WriteProtocol, Quoted<WriteProtocol>, "0", "\"0\""},
    {FieldType::kEtherType, WriteHexNumber, Quoted<WriteHexNumber>, "0", "\"0\""},
    {FieldType::kTcpFlags, WriteFlags, Quoted<WriteFlags>, "0", "\"0\""},
    {FieldType::kTime, WriteMicroseconds, Quoted<WriteMicroseconds>, "0000-00-00 00:00:00.000000",
     "\"0000-00-00 00:00:00.000000\""},
    {FieldType::kPrefix, WriteNetwork, Quoted<WriteNetwork>, "0.0.0.0", "\"0.0.0.0\""},
    {FieldType::kMac, nullptr, nullptr, "00:00:00:00:00:00", "\"00:00:00:00:00:00\""},
    {FieldType::kRouteDistinguisher, WriteRouteDistinguisher, Quoted<WriteRouteDistinguisher>, "0:0:0", "\"0:0:0\""},
    {FieldType::kCoordinates, WriteOneDegree, WriteOneDegree, "0.000000", "0.0"},
    {FieldType::kAddress, nullptr, nullptr, "", "\"\""},
    {FieldType::kDigits, nullptr, nullptr, "", "\"\""},
    {FieldType::kSamplingSource, nullptr, nullptr, "", "\"\""},
    {FieldType::kRouteSource, nullptr, nullptr, "", "\"\""},
    {FieldType::kBgpOrigin, nullptr, nullptr, "", "\"\""},
    {FieldType::kRoaState, WriteRoa, Quoted<WriteRoa>, "u", "\"u\""},
};

struct RankIndex {
  uint16_t ranks[record::kFieldCount];
  constexpr RankIndex() : ranks{} {
    uint16_t next = 1;
    for (const FieldId field : kCsvOrder) ranks[static_cast<size_t>(field)] = next++;
  }
};
constexpr RankIndex kRanks;

}  // namespace

size_t PmacctRank(FieldId field) {
  const uint16_t rank = kRanks.ranks[static_cast<size_t>(field)];
  return rank == 0 ? record::kFieldCount : rank;
}

char* WritePmacctTime(int64_t nanos, bool fraction, char* out) {
  const absl::string_view zero = "0000-00-00 00:00:00.000000";
  if (nanos == 0) return WriteText(zero.substr(0, fraction ? 26 : 19), out);
  const int64_t micros = nanos / 1000 * 1000;
  char* const end = record::WriteTime(micros, out) - 1;  // without the Z
  out[10] = ' ';
  if (!fraction) return out + 19;
  size_t n = static_cast<size_t>(end - out);
  if (n == 19) out[n++] = '.';
  while (n < 26) out[n++] = '0';
  return out + n;
}

char* WritePmacctSeconds(const uint8_t* value, char* out) {
  return WritePmacctTime(LoadHost<int64_t>(value), false, out);
}

void FormatAsPmacct(FieldId field, PrintFormat format, Column* column) {
  const FieldType type = record::Info(field).type;
  const bool json = format == PrintFormat::kJson;
  column->omit_absent = false;
  column->quote_fixed = false;
  column->absent = "0";
  if (record::IsInterned(type)) {
    column->absent = json ? "\"\"" : "";
    if (type == FieldType::kLabelStack) {
      column->interned = json ? AppendLabelStack<true> : AppendLabelStack<false>;
      column->absent = json ? "[]" : "";
    } else if (type != FieldType::kString && type != FieldType::kOctets) {
      column->interned = json ? AppendUnderscoredJson : AppendUnderscored;
    }
  }
  for (const TypeText& row : kTypes) {
    if (row.type != type) continue;
    if (row.text != nullptr) column->fixed = json ? row.json : row.text;
    column->absent = json ? row.absent_json : row.absent;
  }
  if (field == FieldId::kFwdStatus) {
    column->fixed = json ? Quoted<WriteU8> : WriteU8;
    column->absent = json ? "\"0\"" : "0";
  }
}

}  // namespace flowacct::sink::print
