// Fields that a configuration names: elements of any enterprise, and octets of packets.
//
// The registry has rows for them (custom_1 ..., custom_text_1 ..., custom_addr_1 ...); CustomFields gives each name one
// of them, in order, and says where decoders find its value. FieldNames carries the names to all that reads or writes
// names of fields: an object of a configuration, not of the process.
//
//     name "mtla", element "47", type address               mplsTopLabelIPv4Address, as custom_addr_1
//     name "alu_91", element "637:91", type number          an enterprise's element, as custom_1
//     name "win", packet {"l4:6+14"}, length 2, type number the window of TCP, as custom_2
//
// Threads: immutable after New, for any. Errors: InvalidArgument that names the field, the value and what to do.

#ifndef FLOWACCT_RECORD_CUSTOM_FIELDS_H_
#define FLOWACCT_RECORD_CUSTOM_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/row.h"

namespace flowacct::record {

// The registry's names, and those of a configuration.
class FieldNames {
 public:
  // InvalidArgument if `name` is no word of letters, digits and '_' that begins with a letter, or a field has it
  // already.
  absl::Status Add(absl::string_view name, FieldId field);

  // As FindField and FieldFromName.
  std::optional<FieldId> Find(absl::string_view name) const;
  absl::StatusOr<FieldId> FromName(absl::string_view name) const;
  // What the configuration calls the field, else its canonical name.
  absl::string_view NameOf(FieldId field) const;
  // `spec` ("distinct(mtla)", "mtla/24") with the registry's names for those of the configuration.
  std::string Canonical(absl::string_view spec) const;

 private:
  std::vector<std::pair<std::string, FieldId>> names_;  // in lower case
};

struct CustomFieldOptions {
  // How the value reads.
  enum class Type : uint8_t {
    kNumber,   // unsigned, of 1 to 8 octets: custom_1 ...
    kText,     // custom_text_1 ...
    kHex,      // octets, as hexadecimal digits: custom_text_1 ...
    kAddress,  // of 4 or 16 octets: custom_addr_1 ...
  };

  std::string name;
  Type type = Type::kNumber;
  // "47" or "637:91" (enterprise number and element); empty: it is in no record.
  std::string element;
  // Places in a packet, of which the first that the packet has counts: "LAYER+OFFSET" or "LAYER:PROTOCOL+OFFSET", LAYER
  // being packet, mac, vlan, mpls, l3, l4 or payload, PROTOCOL an EtherType for l3 and an IP protocol for l4.
  std::vector<std::string> packet;
  // Octets that are read of a packet, or of an element that is longer; 0: the whole element.
  uint16_t length = 0;
};

// Where in a packet a value begins.
struct PacketPlace {
  enum class Layer : uint8_t { kPacket, kMac, kVlan, kMpls, kNetwork, kTransport, kPayload };
  Layer layer = Layer::kPacket;
  std::optional<uint16_t> protocol;  // only if the layer has it
  uint16_t offset = 0;               // from the layer's first octet
};

struct CustomField {
  std::string name;
  FieldId field{};  // the row that it has
  CustomFieldOptions::Type type = CustomFieldOptions::Type::kNumber;
  bool has_element = false;
  uint32_t pen = 0;
  uint16_t element = 0;
  std::vector<PacketPlace> packet;
  uint16_t length = 0;
};

// Puts what `octets` say into the field of `row`, if its layout has it: of more octets than the field's length, the
// first. No octets, and a text of zeros alone, leave it absent. False: they cannot be such a value, and it stays
// absent.
bool SetCustomField(const CustomField& field, base::Octets octets, base::Interner* interner, MutableRow row);

class CustomFields {
 public:
  static absl::StatusOr<CustomFields> New(absl::Span<const CustomFieldOptions> options);
  // Names alone, for rows that were filled elsewhere.
  static absl::StatusOr<CustomFields> OfNames(absl::Span<const std::pair<std::string, FieldId>> names);

  absl::Span<const CustomField> fields() const { return fields_; }
  const FieldNames& names() const { return names_; }

 private:
  std::vector<CustomField> fields_;
  FieldNames names_;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_CUSTOM_FIELDS_H_
