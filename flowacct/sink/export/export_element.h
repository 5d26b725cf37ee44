// With which information element a field is told: the registry of elements, asked the other way round.
//
// Of the elements that fill a field (flow/template/elements.tsv), IANA's come before those of enterprises, the lower
// rank before the higher, and of an IPv4 and IPv6 pair the one of the value's family. pmacct's enterprise (43874) has
// tag, tag2 and label, VMware's (6876) the addresses inside tunnels, ntop's (35632) countries; flowacct has no number
// of its own, so that what no registry has is not told. What a mediator relays of another exporter is told as RFC 7119
// has it. Any thread. Cost: a pass over the registry; once a field.

#ifndef FLOWACCT_SINK_EXPORT_EXPORT_ELEMENT_H_
#define FLOWACCT_SINK_EXPORT_EXPORT_ELEMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flowacct/record/field.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::sink {

// How the octets of a field become those of an element.
enum class Encoding : uint8_t {
  kNumber,     // in network order, in as many octets as the element has
  kAddressV4,  // the last four octets
  kOctets,     // as they lie: IPv6 addresses, MAC addresses
  kPrefixV4,   // an address, and its length in an element of its own (9, 13)
  kPrefixV6,   // likewise (29, 30)
  kUptime,     // times
  kSeconds,
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
  kText,        // interned octets of any length
  kFixedText,   // the same in a fixed length, filled with zeros: NetFlow v9 has no variable length
  kDigits,      // as text, of any length or filled with zeros
  kTopLabel,    // 3 octets, RFC 3032 without TTL
  kLabelStack,  // 4 octets a label entry, of 3 as they are interned
  kList,        // basicList (RFC 6313) of members of a fixed length
  kAsPath,      // the same of the numbers of an AS path
  kIcmp,        // type * 256 + code
};

inline constexpr uint16_t kVariableLength = 65535;  // RFC 7011, 7
// Of texts in NetFlow v9; longer ones are cut.
inline constexpr uint16_t kFixedTextOctets = 64;

struct ExportElement {
  uint32_t pen = 0;
  uint16_t id = 0;
  uint16_t length = 0;  // on the wire; kVariableLength
  Encoding encoding = Encoding::kNumber;
};

struct ExportElements {  // for values of either family; alike for fields that know none
  ExportElement v4, v6;
};

// Nothing if there is no element, or the format cannot carry it.
// `enterprise`: the number for flowacct's own elements; 0: they are none.
std::optional<ExportElements> ElementsOf(record::FieldId field, ExportFormat format, ExportTimes times,
                                         uint32_t enterprise);
// Of source or destination, the element that tells a prefix's length.
ExportElement PrefixLengthElement(record::FieldId prefix, bool v6);
// icmp_type and icmp_code together.
ExportElement IcmpElement(bool v6);
// Whether the field tells of another exporter, and is only told if asked for.
bool IsRelayed(record::FieldId field);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_EXPORT_ELEMENT_H_
