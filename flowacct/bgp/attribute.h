// Path attributes as rows of a table: code, name, what is right and RFC 7606's answer to what is not.
//
// Standards: RFC 4271 (4.3, 5, 6.3), RFC 7606; the rows with theirs: attributes.def. Plain values, any thread.
// Cost: a row is found by its code with one load.

#ifndef FLOWACCT_BGP_ATTRIBUTE_H_
#define FLOWACCT_BGP_ATTRIBUTE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::bgp {

enum class AttributeCode : uint8_t {
#define FLOWACCT_BGP_ATTRIBUTE(code, name, text, kind, least, most, multiple, check, malformed, flags, external, rfc) \
  name = code,
#include "flowacct/bgp/attributes.def"
#undef FLOWACCT_BGP_ATTRIBUTE
};

// Attribute Flags (RFC 4271, 4.3).
inline constexpr uint8_t kFlagOptional = 0x80;
inline constexpr uint8_t kFlagTransitive = 0x40;
inline constexpr uint8_t kFlagPartial = 0x20;
inline constexpr uint8_t kFlagExtendedLength = 0x10;

enum class AttributeClass : uint8_t {
  kWellKnown = kFlagTransitive,
  kTransitive = kFlagOptional | kFlagTransitive,
  kNonTransitive = kFlagOptional,
};

// What is to be done about an error, the weakest first (RFC 7606, 2).
#define FLOWACCT_BGP_ERROR_ACTIONS(X)       \
  X(kNone, "none")                          \
  X(kAttributeDiscard, "attribute_discard") \
  X(kTreatAsWithdraw, "treat_as_withdraw")  \
  X(kFamilyDisable, "afi_safi_disable")     \
  X(kSessionReset, "session_reset")

enum class ErrorAction : uint8_t {
#define X(name, text) name,
  FLOWACCT_BGP_ERROR_ACTIONS(X)
#undef X
};
inline constexpr size_t kErrorActionCount = static_cast<size_t>(ErrorAction::kSessionReset) + 1;
absl::string_view ErrorActionName(ErrorAction action);

enum class AttributeCheck : uint8_t {
  kNone,
  kOriginValue,
  kAsPathValue,
  kAggregatorValue,
  kAs4PathValue,
  kAs4AggregatorValue,
  kAigpValue,
  kLinkStateValue,
  kMpReachValue,
  kMpUnreachValue,
};

enum class FromExternal : uint8_t { kKeep, kDiscard };

struct AttributeRow {
  uint8_t code;
  AttributeClass kind;
  uint16_t least_octets, most_octets, multiple_octets;
  AttributeCheck check;
  ErrorAction malformed, wrong_flags;
  FromExternal external;
  absl::string_view name, standard;
};

inline constexpr AttributeRow kAttributes[] = {
#define FLOWACCT_BGP_ATTRIBUTE(code, name, text, kind, least, most, multiple, check, malformed, flags, external, rfc) \
  {code,                                                                                                              \
   AttributeClass::kind,                                                                                              \
   least,                                                                                                             \
   most,                                                                                                              \
   multiple,                                                                                                          \
   AttributeCheck::check,                                                                                             \
   ErrorAction::malformed,                                                                                            \
   ErrorAction::flags,                                                                                                \
   FromExternal::external,                                                                                            \
   text,                                                                                                              \
   rfc},
#include "flowacct/bgp/attributes.def"
#undef FLOWACCT_BGP_ATTRIBUTE
};

inline constexpr size_t kAttributeCount = sizeof(kAttributes) / sizeof(kAttributes[0]);

namespace attribute_internal {
constexpr std::array<uint8_t, 256> IndexByCode() {
  std::array<uint8_t, 256> index{};
  for (size_t code = 0; code < 256; ++code) {
    size_t i = 0;
    while (i < kAttributeCount && kAttributes[i].code != code) ++i;
    index[code] = static_cast<uint8_t>(i);
  }
  return index;
}
inline constexpr std::array<uint8_t, 256> kIndexByCode = IndexByCode();
}  // namespace attribute_internal

// kAttributeCount for one that has no row.
inline size_t AttributeIndex(uint8_t code) { return attribute_internal::kIndexByCode[code]; }
// Nothing for one that has no row.
inline const AttributeRow* FindAttribute(uint8_t code) {
  const size_t index = AttributeIndex(code);
  return index < kAttributeCount ? &kAttributes[index] : nullptr;
}

// One attribute on the wire; `value` borrows the message.
struct AttributeView {
  uint8_t flags = 0;
  uint8_t code = 0;
  base::Octets value;
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_ATTRIBUTE_H_
