// PDUs of the RPKI-to-Router protocol: where one ends, its type, and reading and writing those that a router needs.
//
// Standards: RFC 8210 (5), RFC 6810 (5); versions 1 and 0. Ownership: views borrow. Threads: plain values. Errors:
// PduBoundary has the code of the Error Report that answers it. Cost: some loads.

#ifndef FLOWACCT_RPKI_PDU_H_
#define FLOWACCT_RPKI_PDU_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::rpki {

inline constexpr size_t kPduHeaderOctets = 8;
inline constexpr uint8_t kMaxVersion = 1;

// name, type, text, octets in version 0, in version 1 (0: not in that version), whether they are the least
#define FLOWACCT_RPKI_PDU_TYPES(X)                    \
  X(kSerialNotify, 0, "serial_notify", 12, 12, false) \
  X(kSerialQuery, 1, "serial_query", 12, 12, false)   \
  X(kResetQuery, 2, "reset_query", 8, 8, false)       \
  X(kCacheResponse, 3, "cache_response", 8, 8, false) \
  X(kIpv4Prefix, 4, "ipv4_prefix", 20, 20, false)     \
  X(kIpv6Prefix, 6, "ipv6_prefix", 32, 32, false)     \
  X(kEndOfData, 7, "end_of_data", 12, 24, false)      \
  X(kCacheReset, 8, "cache_reset", 8, 8, false)       \
  X(kRouterKey, 9, "router_key", 0, 32, true)         \
  X(kErrorReport, 10, "error_report", 16, 16, true)

enum class PduType : uint8_t {
#define X(name, type, text, octets0, octets1, least) name = type,
  FLOWACCT_RPKI_PDU_TYPES(X)
#undef X
};
inline constexpr size_t kPduTypeLimit = 11;  // counters are indexed by the type
absl::string_view PduTypeName(PduType type);

// name, code, text (RFC 8210, 12)
#define FLOWACCT_RPKI_ERROR_CODES(X)                              \
  X(kCorruptData, 0, "corrupt data")                              \
  X(kInternalError, 1, "internal error")                          \
  X(kNoDataAvailable, 2, "no data available")                     \
  X(kInvalidRequest, 3, "invalid request")                        \
  X(kUnsupportedVersion, 4, "unsupported protocol version")       \
  X(kUnsupportedPduType, 5, "unsupported PDU type")               \
  X(kWithdrawalOfUnknown, 6, "withdrawal of unknown record")      \
  X(kDuplicateAnnouncement, 7, "duplicate announcement received") \
  X(kUnexpectedVersion, 8, "unexpected protocol version")
enum class ErrorCode : uint16_t {
#define X(name, code, text) name = code,
  FLOWACCT_RPKI_ERROR_CODES(X)
#undef X
};
// Empty for one that has no row.
absl::string_view ErrorCodeText(ErrorCode code);

struct PduHeader {
  uint8_t version = 0;
  uint8_t type = 0;
  uint16_t session_id = 0;  // or the error code
  uint32_t length = 0;      // in all
};
// `p` points at kPduHeaderOctets.
inline PduHeader LoadPduHeader(const uint8_t* p) { return {p[0], p[1], base::LoadBe16(p + 2), base::LoadBe32(p + 4)}; }

struct PduBoundary {
  enum class Outcome : uint8_t { kWhole, kMore, kError };
  Outcome outcome = Outcome::kMore;
  PduHeader header;  // all zero with kMore if it is not yet known
  ErrorCode error = ErrorCode::kCorruptData;
};
PduBoundary NextPdu(base::Octets rest, size_t max_octets);

struct PrefixPdu {
  bool announce = false;  // else withdraw
  Vrp vrp;
};
// False: corrupt. Host bits are cleared. `pdu`: whole, kIpv4Prefix or kIpv6Prefix.
bool ReadPrefix(base::Octets pdu, PrefixPdu* prefix);

struct EndOfDataPdu {
  uint32_t serial = 0;
  bool has_timers = false;  // version 1
  uint32_t refresh_seconds = 0, retry_seconds = 0, expire_seconds = 0;
};
EndOfDataPdu ReadEndOfData(base::Octets pdu);

struct ErrorReportPdu {
  base::Octets erroneous_pdu;
  absl::string_view text;  // as it came
};
// False: corrupt.
bool ReadErrorReport(base::Octets pdu, ErrorReportPdu* report);

void WriteSerialNotify(uint8_t version, uint16_t session_id, uint32_t serial, base::OctetWriter* out);
void WriteSerialQuery(uint8_t version, uint16_t session_id, uint32_t serial, base::OctetWriter* out);
void WriteResetQuery(uint8_t version, base::OctetWriter* out);
void WriteCacheResponse(uint8_t version, uint16_t session_id, base::OctetWriter* out);
void WritePrefix(uint8_t version, const PrefixPdu& prefix, base::OctetWriter* out);
void WriteEndOfData(uint8_t version, uint16_t session_id, const EndOfDataPdu& end, base::OctetWriter* out);
void WriteCacheReset(uint8_t version, base::OctetWriter* out);
void WriteErrorReport(uint8_t version, ErrorCode code, base::Octets erroneous_pdu, absl::string_view text,
                      base::OctetWriter* out);

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_PDU_H_
