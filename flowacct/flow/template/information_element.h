// The registry of information elements: what an element of an IPFIX or NetFlow v9 template is called, how its octets
// read, and which field of the record it fills.
//
// Standards: RFC 7011 (6.1, abstract data types), RFC 7012 (the information model), RFC 5610 (numbers of types and
// semantics), IANA's IPFIX registry, and enterprises' own documents. One table, elements.tsv; the build makes it code.
// Reverse elements (RFC 5103: PEN 29305) have no rows: they are the IANA element of the same id, the other way round.
// Lifetime: everything is constant and lives as long as the program. Any thread. Nothing allocates.
// Cost: by number, one load for IANA's and a binary search for the others; by name, a binary search. 56 octets an
// element.

#ifndef FLOWACCT_FLOW_TEMPLATE_INFORMATION_ELEMENT_H_
#define FLOWACCT_FLOW_TEMPLATE_INFORMATION_ELEMENT_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/record/field.h"

namespace flowacct::flow {

// Private enterprise numbers that have a meaning of their own.
inline constexpr uint32_t kIanaPen = 0;
inline constexpr uint32_t kCiscoPen = 9;
inline constexpr uint32_t kReversePen = 29305;  // RFC 5103, 6.1
inline constexpr uint32_t kNtopPen = 35632;
// Not an enterprise: flowacct's own elements, which are told under a number that the user gives (TemplateOptions and
// ExportOptions). The id of one is the number that its field has in FlowMessage, of an IPv6 address 1000 more.
inline constexpr uint32_t kOwnPen = 0xfffffffd;
// Not an enterprise: field types that vendors chose for NetFlow v9, which has no enterprise numbers.
inline constexpr uint32_t kNetFlow9VendorPen = 0xffffffff;

// Abstract data types with their numbers in informationElementDataType (RFC 5610, 3.1; RFC 6313, 11.2).
// X(enumerator, number, name, octets at full size or 0)
#define FLOWACCT_ABSTRACT_TYPES(X)                        \
  X(kOctetArray, 0, "octetArray", 0)                      \
  X(kUnsigned8, 1, "unsigned8", 1)                        \
  X(kUnsigned16, 2, "unsigned16", 2)                      \
  X(kUnsigned32, 3, "unsigned32", 4)                      \
  X(kUnsigned64, 4, "unsigned64", 8)                      \
  X(kSigned8, 5, "signed8", 1)                            \
  X(kSigned16, 6, "signed16", 2)                          \
  X(kSigned32, 7, "signed32", 4)                          \
  X(kSigned64, 8, "signed64", 8)                          \
  X(kFloat32, 9, "float32", 4)                            \
  X(kFloat64, 10, "float64", 8)                           \
  X(kBoolean, 11, "boolean", 1)                           \
  X(kMacAddress, 12, "macAddress", 6)                     \
  X(kString, 13, "string", 0)                             \
  X(kDateTimeSeconds, 14, "dateTimeSeconds", 4)           \
  X(kDateTimeMilliseconds, 15, "dateTimeMilliseconds", 8) \
  X(kDateTimeMicroseconds, 16, "dateTimeMicroseconds", 8) \
  X(kDateTimeNanoseconds, 17, "dateTimeNanoseconds", 8)   \
  X(kIpv4Address, 18, "ipv4Address", 4)                   \
  X(kIpv6Address, 19, "ipv6Address", 16)                  \
  X(kBasicList, 20, "basicList", 0)                       \
  X(kSubTemplateList, 21, "subTemplateList", 0)           \
  X(kSubTemplateMultiList, 22, "subTemplateMultiList", 0) \
  X(kUnsigned256, 23, "unsigned256", 32) /* RFC 9740 */

enum class AbstractType : uint8_t {
#define X(name, number, text, octets) name = number,
  FLOWACCT_ABSTRACT_TYPES(X)
#undef X
};

absl::string_view AbstractTypeName(AbstractType type);  // "unsigned64"
std::optional<AbstractType> FindAbstractType(absl::string_view name);
// At full size; 0 for types of any length.
uint16_t AbstractTypeSize(AbstractType type);

// informationElementSemantics (RFC 5610, 3.6; RFC 8038, 10.2).
#define FLOWACCT_SEMANTICS(X)         \
  X(kDefault, 0, "default")           \
  X(kQuantity, 1, "quantity")         \
  X(kTotalCounter, 2, "totalCounter") \
  X(kDeltaCounter, 3, "deltaCounter") \
  X(kIdentifier, 4, "identifier")     \
  X(kFlags, 5, "flags")               \
  X(kList, 6, "list")                 \
  X(kSnmpCounter, 7, "snmpCounter")   \
  X(kSnmpGauge, 8, "snmpGauge")

enum class Semantics : uint8_t {
#define X(name, number, text) name = number,
  FLOWACCT_SEMANTICS(X)
#undef X
};

absl::string_view SemanticsName(Semantics semantics);  // "deltaCounter"

struct InformationElement {
  uint32_t pen;
  uint16_t id;
  AbstractType type;
  Semantics semantics;
  // Where several elements of a template fill one field, the lowest rank wins (octetDeltaCount before
  // octetTotalCount, sourceMacAddress before postSourceMacAddress); the first of equals.
  uint8_t rank;
  bool deprecated;
  absl::string_view name;
  absl::string_view unit;  // "octets", or empty
  // The field that the element's value is, or is part of where the element holds more than one thing:
  //   icmpTypeCodeIPv4/IPv6 (32, 139)  icmp_type, and icmp_code: type * 256 + code
  //   source/destination prefixes (44, 45, 169, 170)  the address of src_net, dst_net; its length is in 9, 13, 29, 30
  //   mplsTopLabelStackSection (70)  mpls_label_top: 3 octets, label 20 bits, TC 3, S 1
  //   lists of communities and AS paths (484 to 512)  the members' octets side by side; an AS path as one AS_SEQUENCE
  //   flowStartSysUpTime, flowEndSysUpTime (22, 21)  times, relative to the device's start
  //   flowStart/EndDeltaMicroseconds (158, 159)  times, before the export
  std::optional<record::FieldId> field;
};

// Null for an element that the registry does not have.
const InformationElement* FindInformationElement(uint32_t pen, uint16_t id);
// By name, not case-sensitive; where enterprises share a name, IANA's element and then the lowest PEN's.
const InformationElement* FindInformationElement(absl::string_view name);
// By NetFlow v9 field type (RFC 3954, 8): IANA's registry, then what vendors chose without a number of their own;
// above 32767 also ntop's elements (plus 57472) and Cisco's (plus 32768).
const InformationElement* FindNetFlow9FieldType(uint16_t type);
// All of them, by PEN and id.
absl::Span<const InformationElement> InformationElements();

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_INFORMATION_ELEMENT_H_
