// A value of a field as a person writes it in rules and tables, made ready to be put into rows.
//
// A plain value: any thread. Errors: an empty text if it was understood, else why not.

#ifndef FLOWACCT_ENRICH_FIELD_VALUE_H_
#define FLOWACCT_ENRICH_FIELD_VALUE_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

struct FieldValue {
  bool interned = false;
  std::array<uint8_t, 17> octets{};  // as they lie in a row, FieldTypeSize() of them; none of an interned value
  std::string text;                  // of an interned value: what is interned

  // The octets as a number, of types for which that is one.
  uint64_t number() const;
};

// "100", "tcp", "192.0.2.1", "198.51.100.0/24", "02:00:00:00:00:01", "65000:1", "52.37,4.9" (latitude, longitude), a
// text, hexadecimal digits for octets. AS paths, communities and label stacks have no notation here.
std::string ParseFieldValue(record::FieldId field, absl::string_view text, FieldValue* value);

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_FIELD_VALUE_H_
