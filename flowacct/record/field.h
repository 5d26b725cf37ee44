// The registry of fields: what each field is called, what it holds and what it stands for elsewhere.
//
// One table (fields.def), from which all else follows. Any thread; nothing here allocates but where it says so.

#ifndef FLOWACCT_RECORD_FIELD_H_
#define FLOWACCT_RECORD_FIELD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"

namespace flowacct::record {

// How a field lies in a record, and how it reads. Numbers are in host order.
// X(type, octets in a record, C++ type that Get and Set use, name in documents)
#define FLOWACCT_FIELD_TYPES(X)                                                                                      \
  X(kU8, 1, uint8_t, "u8")                                                                                           \
  X(kU16, 2, uint16_t, "u16")                                                                                        \
  X(kU32, 4, uint32_t, "u32")                                                                                        \
  X(kU64, 8, uint64_t, "u64")                                                                                        \
  X(kProtocol, 1, uint8_t, "protocol")                                                                               \
  X(kEtherType, 2, uint16_t, "ethertype")                                                                            \
  X(kTcpFlags, 2, uint16_t, "tcp_flags")                                                                             \
  X(kSamplingSource, 1, uint8_t, "sampling_source")                                                                  \
  X(kRouteSource, 1, uint8_t, "route_source")                                                                        \
  X(kRoaState, 1, uint8_t, "roa_state")   /* RFC 6811, 2; numbers as in RFC 8097 */                                  \
  X(kBgpOrigin, 1, uint8_t, "bgp_origin") /* RFC 4271, 4.3 */                                                        \
  X(kTime, 8, int64_t, "time")            /* nanoseconds since 1970, UTC */                                          \
  X(kAddress, 16, ::flowacct::base::IpAddress, "address")                                                            \
  X(kPrefix, 17, ::flowacct::base::IpPrefix, "prefix")                                                               \
  X(kMac, 6, ::flowacct::base::MacAddress, "mac")                                                                    \
  X(kRouteDistinguisher, 8, uint64_t, "rd")         /* RFC 4364, 4.2 */                                              \
  X(kCoordinates, 8, uint64_t, "coordinates")       /* two floats */                                                 \
  X(kDigits, 8, ::flowacct::base::Digits, "digits") /* Digits::bits() */                                             \
  /* The rest are ids of an Interner, of octets in network order. */                                                 \
  X(kString, 4, ::flowacct::base::InternId, "string")                                                                \
  X(kOctets, 4, ::flowacct::base::InternId, "octets")                                                                \
  X(kLabelStack, 4, ::flowacct::base::InternId, "label_stack") /* 3 octets a label entry, RFC 3032 without TTL */    \
  X(kAsPath, 4, ::flowacct::base::InternId, "as_path")         /* AS_PATH with 4-octet numbers, RFC 4271 and 6793 */ \
  X(kCommunities, 4, ::flowacct::base::InternId, "communities")                                                      \
  X(kExtCommunities, 4, ::flowacct::base::InternId, "ext_communities")                                               \
  X(kLargeCommunities, 4, ::flowacct::base::InternId, "large_communities")

enum class FieldType : uint8_t {
#define X(type, size, cpp, name) type,
  FLOWACCT_FIELD_TYPES(X)
#undef X
};

enum class FieldKind : uint8_t {
  kKey,        // groups are made of these
  kCounter,    // summed
  kTime,       // bounds of a flow in time
  kAttribute,  // told with a record; also usable as a key
};

enum class FieldId : uint16_t {
#define X(id, name, type, kind, unit, pen, element, ipfix, primitive, output, csv, help) id,
#include "flowacct/record/fields.def"
#undef X
  kFieldCount
};

inline constexpr size_t kFieldCount = static_cast<size_t>(FieldId::kFieldCount);

struct FieldInfo {
  FieldId id;
  absl::string_view name;
  FieldType type;
  FieldKind kind;
  absl::string_view unit;
  uint32_t pen;
  uint16_t element;  // 0: none
  absl::string_view ipfix_name;
  absl::string_view pmacct_primitive;
  absl::string_view pmacct_output;
  absl::string_view pmacct_csv_title;
  absl::string_view help;
};

const FieldInfo& Info(FieldId id);
absl::string_view FieldTypeName(FieldType type);
constexpr size_t FieldTypeSize(FieldType type);
// Whether the value in a record is the id of interned octets.
constexpr bool IsInterned(FieldType type) { return type >= FieldType::kString; }
// What to flip in a number of this type, as RowView::GetNumber has it, so that unsigned numbers are in its order.
constexpr uint64_t SignBit(FieldType type) { return type == FieldType::kTime ? uint64_t{1} << 63 : 0; }

// By canonical name or by any alias: pmacct's primitive, output name or CSV title, IPFIX's name. Not case-sensitive.
std::optional<FieldId> FindField(absl::string_view name);
// As FindField, or an InvalidArgument that names `name` and the nearest right words. Allocates.
absl::StatusOr<FieldId> FieldFromName(absl::string_view name);

// The C++ type of a field, for typed access: FieldCppType<FieldId::kSrcAddr> is IpAddress.
namespace internal {
template <FieldType>
struct TypeTraits;
#define X(field_type, octets, cpp, name)     \
  template <>                                \
  struct TypeTraits<FieldType::field_type> { \
    using type = cpp;                        \
    static constexpr size_t kSize = octets;  \
  };
FLOWACCT_FIELD_TYPES(X)
#undef X

constexpr FieldType TypeOf(FieldId id) {
  using T = FieldType;
  constexpr auto kU8 = T::kU8, kU16 = T::kU16, kU32 = T::kU32, kU64 = T::kU64, kProtocol = T::kProtocol,
                 kEtherType = T::kEtherType, kTcpFlags = T::kTcpFlags, kSamplingSource = T::kSamplingSource,
                 kRouteSource = T::kRouteSource, kRoaState = T::kRoaState, kBgpOrigin = T::kBgpOrigin, kTime = T::kTime,
                 kAddress = T::kAddress, kPrefix = T::kPrefix, kMac = T::kMac,
                 kRouteDistinguisher = T::kRouteDistinguisher, kCoordinates = T::kCoordinates, kDigits = T::kDigits,
                 kString = T::kString, kOctets = T::kOctets, kLabelStack = T::kLabelStack, kAsPath = T::kAsPath,
                 kCommunities = T::kCommunities, kExtCommunities = T::kExtCommunities,
                 kLargeCommunities = T::kLargeCommunities;
  constexpr T kTypes[] = {
#define X(id, name, type, kind, unit, pen, element, ipfix, primitive, output, csv, help) type,
#include "flowacct/record/fields.def"
#undef X
  };
  return kTypes[static_cast<size_t>(id)];
}
}  // namespace internal

template <FieldId id>
using FieldCppType = typename internal::TypeTraits<internal::TypeOf(id)>::type;

constexpr size_t FieldTypeSize(FieldType type) {
  constexpr size_t kSizes[] = {
#define X(type, size, cpp, name) size,
      FLOWACCT_FIELD_TYPES(X)
#undef X
  };
  return kSizes[static_cast<size_t>(type)];
}

// Values of the field sampling_source.
enum class SamplingSource : uint8_t {
  kNone,        // nothing was told: every packet counts once
  kRecord,      // an element of the flow record
  kOptions,     // options data of the exporter
  kHeader,      // the header of the export (NetFlow v5)
  kSflow,       // the sampling rate of an sFlow sample
  kConfigured,  // the user said so
};
absl::string_view SamplingSourceName(SamplingSource source);

// Values of the fields route_source and src_route_source: whose route a record's routing fields are of.
enum class RouteSource : uint8_t {
  kNone,       // nobody has a route
  kSession,    // the exporter's own BGP session
  kLocRib,     // what the exporter uses, by BMP (RFC 9069)
  kAdjRibIn,   // what a neighbour told the exporter, by BMP (RFC 7854)
  kAdjRibOut,  // what the exporter tells a neighbour, by BMP (RFC 8671)
  kMapped,     // a peer that the configuration names for the exporter
  kReflector,  // a peer that answers for whoever has none of his own
  kDump,       // an MRT file
};

// Values of the fields src_roa and dst_roa.
enum class RoaState : uint8_t { kValid = 0, kNotFound = 1, kInvalid = 2 };

// What the values of a type are called, from 0 on: of types whose values are names. Else empty.
absl::Span<const absl::string_view> EnumerationNames(FieldType type);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FIELD_H_
