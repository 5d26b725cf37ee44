// How values of fields lie in stores of accounted traffic, whichever store it is: as whole numbers, as octets or as
// text.
//
//     numbers, protocol, EtherType, TCP flags, enumerations, route distinguisher   integer
//     time                                                                         integer: nanoseconds since 1970
//     address                                    16 octets, IPv4 as mapped IPv6, so that a prefix is a range of octets
//     prefix                                     17 octets: address and length
//     octets                                     octets
//     the rest                                   text, as record/value_text.h writes it: UTF-8 without NUL
//
// An integer above 2^63 - 1 is stored as the negative number of the same 64 bits.
// Ownership: values are borrowed. Threads: any. Cost: of integers and octets a load, of text a formatted text.

#ifndef FLOWACCT_RECORD_STORED_VALUE_H_
#define FLOWACCT_RECORD_STORED_VALUE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/field.h"

namespace flowacct::record {

enum class StoredForm : uint8_t { kInteger, kOctets, kText };

constexpr StoredForm StoredFormOf(FieldType type) {
  switch (type) {
    case FieldType::kAddress:
    case FieldType::kPrefix:
    case FieldType::kOctets:
      return StoredForm::kOctets;
    case FieldType::kMac:
    case FieldType::kCoordinates:
    case FieldType::kDigits:
    case FieldType::kString:
    case FieldType::kLabelStack:
    case FieldType::kAsPath:
    case FieldType::kCommunities:
    case FieldType::kExtCommunities:
    case FieldType::kLargeCommunities:
      return StoredForm::kText;
    default:
      return StoredForm::kInteger;
  }
}

struct StoredValue {
  bool present = false;  // else all of it is meaningless: absent is not zero
  int64_t integer = 0;
  absl::string_view octets;  // of octets and text
};

// The value of a field that is present; `value` points at its octets in a row. Text is made in `scratch`, which is to
// live as long as what is given.
StoredValue ToStored(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* scratch);

// What record/value_text.h shows of such a field, from what a store gave; nothing, or null, if it is absent or not of
// the type's form. What was stored comes back as the same text and JSON that the record had, but for octets that were
// no UTF-8.
void AppendStoredText(FieldType type, const StoredValue& value, std::string* out);
void AppendStoredJson(FieldType type, const StoredValue& value, std::string* out);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_STORED_VALUE_H_
