#include "flowacct/rpki/pdu.h"

#include <array>

namespace flowacct::rpki {
namespace {

constexpr uint8_t kFlagAnnounce = 1;  // RFC 8210, 5.6

struct PduRow {
  absl::string_view name;
  uint32_t octets[2] = {0, 0};  // by version
  bool least = false;
};
constexpr std::array<PduRow, kPduTypeLimit> Rows() {
  std::array<PduRow, kPduTypeLimit> rows{};
#define X(name, type, text, octets0, octets1, least) rows[type] = {text, {octets0, octets1}, least};
  FLOWACCT_RPKI_PDU_TYPES(X)
#undef X
  return rows;
}
constexpr std::array<PduRow, kPduTypeLimit> kRows = Rows();

constexpr absl::string_view kErrorCodes[] = {
#define X(name, code, text) text,
    FLOWACCT_RPKI_ERROR_CODES(X)
#undef X
};

void WriteHeader(uint8_t version, PduType type, uint16_t session_id, size_t octets, base::OctetWriter* out) {
  out->U8(version).U8(static_cast<uint8_t>(type)).U16(session_id).U32(static_cast<uint32_t>(octets));
}

}  // namespace

absl::string_view PduTypeName(PduType type) {
  const size_t i = static_cast<size_t>(type);
  return i < kPduTypeLimit ? kRows[i].name : absl::string_view();
}

absl::string_view ErrorCodeText(ErrorCode code) {
  const size_t i = static_cast<size_t>(code);
  return i < sizeof(kErrorCodes) / sizeof(kErrorCodes[0]) ? kErrorCodes[i] : absl::string_view();
}

PduBoundary NextPdu(base::Octets rest, size_t max_octets) {
  PduBoundary next;
  const auto error = [&next](ErrorCode code) {
    next.outcome = PduBoundary::Outcome::kError;
    next.error = code;
    return next;
  };
  if (rest.size() < kPduHeaderOctets) return next;
  next.header = LoadPduHeader(rest.data());
  if (next.header.version > kMaxVersion) return error(ErrorCode::kUnsupportedVersion);
  if (next.header.length < kPduHeaderOctets || next.header.length > max_octets) return error(ErrorCode::kCorruptData);
  const uint8_t type = next.header.type;
  const uint32_t octets = type < kPduTypeLimit ? kRows[type].octets[next.header.version] : 0;
  if (octets == 0) return error(ErrorCode::kUnsupportedPduType);
  if (kRows[type].least ? next.header.length < octets : next.header.length != octets) {
    return error(ErrorCode::kCorruptData);
  }
  if (rest.size() >= next.header.length) next.outcome = PduBoundary::Outcome::kWhole;
  return next;
}

bool ReadPrefix(base::Octets pdu, PrefixPdu* prefix) {
  const uint8_t* p = pdu.data();
  const bool v6 = static_cast<PduType>(p[1]) == PduType::kIpv6Prefix;
  const uint8_t bits = v6 ? 128 : 32, length = p[9], max_length = p[10];
  if (length > max_length || max_length > bits) return false;
  const base::IpAddress address = v6 ? base::IpAddress::FromV6(p + 12) : base::IpAddress::FromV4(p + 12);
  // A mapped address would be an IPv4 prefix here, of a length that it has not.
  if (v6 && address.IsV4()) return false;
  prefix->announce = (p[8] & kFlagAnnounce) != 0;
  prefix->vrp.prefix = base::IpPrefix(address, length);
  prefix->vrp.max_length = max_length;
  prefix->vrp.as = base::LoadBe32(p + (v6 ? 28 : 16));
  return true;
}

EndOfDataPdu ReadEndOfData(base::Octets pdu) {
  const uint8_t* p = pdu.data() + kPduHeaderOctets;
  EndOfDataPdu end;
  end.serial = base::LoadBe32(p);
  end.has_timers = pdu[0] > 0;
  if (end.has_timers) {
    end.refresh_seconds = base::LoadBe32(p + 4);
    end.retry_seconds = base::LoadBe32(p + 8);
    end.expire_seconds = base::LoadBe32(p + 12);
  }
  return end;
}

bool ReadErrorReport(base::Octets pdu, ErrorReportPdu* report) {
  base::Octets rest = pdu.subspan(kPduHeaderOctets);
  const size_t pdu_octets = base::LoadBe32(rest.data());
  rest.remove_prefix(4);
  if (rest.size() < 4 || pdu_octets > rest.size() - 4) return false;
  report->erroneous_pdu = rest.subspan(0, pdu_octets);
  rest.remove_prefix(pdu_octets);
  const size_t text_octets = base::LoadBe32(rest.data());
  if (text_octets != rest.size() - 4) return false;
  report->text = base::AsText(rest.subspan(4));
  return true;
}

void WriteSerialNotify(uint8_t version, uint16_t session_id, uint32_t serial, base::OctetWriter* out) {
  WriteHeader(version, PduType::kSerialNotify, session_id, 12, out);
  out->U32(serial);
}

void WriteSerialQuery(uint8_t version, uint16_t session_id, uint32_t serial, base::OctetWriter* out) {
  WriteHeader(version, PduType::kSerialQuery, session_id, 12, out);
  out->U32(serial);
}

void WriteResetQuery(uint8_t version, base::OctetWriter* out) {
  WriteHeader(version, PduType::kResetQuery, 0, kPduHeaderOctets, out);
}

void WriteCacheResponse(uint8_t version, uint16_t session_id, base::OctetWriter* out) {
  WriteHeader(version, PduType::kCacheResponse, session_id, kPduHeaderOctets, out);
}

void WritePrefix(uint8_t version, const PrefixPdu& prefix, base::OctetWriter* out) {
  const base::IpPrefix& p = prefix.vrp.prefix;
  const bool v4 = p.address().IsV4();
  WriteHeader(version, v4 ? PduType::kIpv4Prefix : PduType::kIpv6Prefix, 0, v4 ? 20 : 32, out);
  out->U8(prefix.announce ? kFlagAnnounce : 0).U8(p.length()).U8(prefix.vrp.max_length).U8(0);
  out->Bytes(p.address().octets().subspan(v4 ? 12 : 0)).U32(prefix.vrp.as);
}

void WriteEndOfData(uint8_t version, uint16_t session_id, const EndOfDataPdu& end, base::OctetWriter* out) {
  WriteHeader(version, PduType::kEndOfData, session_id, version == 0 ? 12 : 24, out);
  out->U32(end.serial);
  if (version > 0) out->U32(end.refresh_seconds).U32(end.retry_seconds).U32(end.expire_seconds);
}

void WriteCacheReset(uint8_t version, base::OctetWriter* out) {
  WriteHeader(version, PduType::kCacheReset, 0, kPduHeaderOctets, out);
}

void WriteErrorReport(uint8_t version, ErrorCode code, base::Octets erroneous_pdu, absl::string_view text,
                      base::OctetWriter* out) {
  WriteHeader(version, PduType::kErrorReport, static_cast<uint16_t>(code), 16 + erroneous_pdu.size() + text.size(),
              out);
  out->U32(static_cast<uint32_t>(erroneous_pdu.size())).Bytes(erroneous_pdu);
  out->U32(static_cast<uint32_t>(text.size())).Text(text);
}

}  // namespace flowacct::rpki
