// What a wire decoder says of octets: fine, or why not and where.
//
// The codes are stable: they name counters, appear in JSON, and are never renumbered. A decoder never logs, throws
// or aborts on octets; a bad datagram is data, and this is how it is told.

#ifndef FLOWACCT_BASE_DECODE_RESULT_H_
#define FLOWACCT_BASE_DECODE_RESULT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace flowacct::base {

// name, text for a person
#define FLOWACCT_DECODE_CODES(X)                                                        \
  X(kOk, "ok", "decoded")                                                               \
  X(kTruncated, "truncated", "ends before what its lengths promise")                    \
  X(kBadVersion, "bad_version", "version number of no protocol that is decoded here")   \
  X(kBadLength, "bad_length", "a length that contradicts what encloses it")             \
  X(kBadCount, "bad_count", "a count that contradicts the octets that follow")          \
  X(kBadValue, "bad_value", "a value that the standard forbids")                        \
  X(kBadTemplate, "bad_template", "a template that cannot be used")                     \
  X(kTemplateUnknown, "template_unknown", "data whose template never came")             \
  X(kLimitExceeded, "limit_exceeded", "a bound of the decoder's options was reached")   \
  X(kTrailingOctets, "trailing_octets", "octets left over after the last whole record") \
  X(kUnsupported, "unsupported", "well formed, but of a kind that is not decoded here") \
  X(kTooDeep, "too_deep", "nested deeper than the decoder's options allow")             \
  X(kFragment, "fragment", "a fragment whose datagram was never whole")

enum class DecodeCode : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_DECODE_CODES(X)
#undef X
};

inline constexpr size_t kDecodeCodeCount = 0
#define X(name, text, help) +1
    FLOWACCT_DECODE_CODES(X)
#undef X
    ;

absl::string_view DecodeCodeName(DecodeCode code);  // "truncated"
absl::string_view DecodeCodeHelp(DecodeCode code);

struct [[nodiscard]] DecodeResult {
  DecodeCode code = DecodeCode::kOk;
  // From the start of the datagram, where the trouble begins.
  uint32_t offset = 0;

  bool ok() const { return code == DecodeCode::kOk; }
  static DecodeResult Ok() { return {}; }
  static DecodeResult Error(DecodeCode code, size_t offset) { return {code, static_cast<uint32_t>(offset)}; }
};

// How often each code was met.
class DecodeCounters {
 public:
  void Count(DecodeCode code, uint64_t n = 1) { counts_[static_cast<size_t>(code)] += n; }
  uint64_t operator[](DecodeCode code) const { return counts_[static_cast<size_t>(code)]; }
  uint64_t errors() const {
    uint64_t sum = 0;
    for (size_t i = 1; i < kDecodeCodeCount; ++i) sum += counts_[i];
    return sum;
  }

 private:
  std::array<uint64_t, kDecodeCodeCount> counts_{};
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_DECODE_RESULT_H_
