// The canonical text of a field's value: what tables, CSV, JSON and messages show. docs/reference/output.md has the
// encodings of all types with examples.
//
//     type                text                              JSON
//     numbers             1234                              number
//     protocol            tcp; 253 where none is assigned   string
//     EtherType           0x0800                            string
//     TCP flags           SA; "." if none; F S R P A U E C N  number
//     time                2023-11-14T22:14:30.25Z           string (RFC 3339, UTC, nanoseconds without final zeros)
//     address, prefix     192.0.2.1, 2001:db8::/32          string (RFC 5952)
//     MAC                 02:00:00:00:00:01                 string
//     route distinguisher 65000:1, 192.0.2.1:1              string (RFC 4364; RFC 8294 where that is ambiguous)
//     coordinates         52.37,4.9                         list of two numbers: latitude, longitude
//     digits              001011234567890                   string, with zeros in front; a pseudonym is "x" and 15
//                                                           hexadecimal digits (base/digits.h)
//     label stack         100/200                           list of numbers, top first
//     AS path             64496 {64497,64498}               string
//     communities         65000:1 65000:2                   list of strings
//     string              as is                             string; what is not UTF-8 becomes U+FFFD in both
//     octets              00ff                              string
//
// A type reads alike in every row. Absent values have no text: AppendText appends nothing, AppendJson appends null.
// Text may hold control characters that came from the wire: use AppendPrintable for what goes to a terminal.
// Any thread. Cost: fixed formatters are a handful of nanoseconds and allocate nothing.

#ifndef FLOWACCT_RECORD_VALUE_TEXT_H_
#define FLOWACCT_RECORD_VALUE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/row.h"

namespace flowacct::record {

// Appends the text of `field` in `row`; nothing if it is absent.
void AppendText(const RowView& row, FieldId field, const base::Interner& interner, std::string* out);
// Appends it as a JSON value; `null` if it is absent (callers that omit absent members ask row.Has() first).
void AppendJson(const RowView& row, FieldId field, const base::Interner& interner, std::string* out);

// The same for a value that is present, by its type; `value` points at its octets as they lie in a row.
void AppendText(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* out);
void AppendJson(FieldType type, const uint8_t* value, const base::Interner& interner, std::string* out);

// The same for the id of an interned value; "(overflow)" for what found no place in the interner.
void AppendIdText(FieldType type, base::InternId id, const base::Interner& interner, std::string* out);
void AppendIdJson(FieldType type, base::InternId id, const base::Interner& interner, std::string* out);
// The same for what an interned value stands for: `octets` of a type for which IsInterned().
void AppendInternedText(FieldType type, base::Octets octets, std::string* out);
void AppendInternedJson(FieldType type, base::Octets octets, std::string* out);

// For loops over many rows: writes the text of a value of a fixed type to `out`, which has room for
// kMaxFixedTextSize, and returns the end. Null for interned types.
inline constexpr size_t kMaxFixedTextSize = 64;
using FixedFormatter = char* (*)(const uint8_t* value, char* out);
FixedFormatter FixedTextFormatter(FieldType type);
FixedFormatter FixedJsonFormatter(FieldType type);

// Writes decimal digits (at most 20) and returns the end.
char* WriteNumber(uint64_t number, char* out);
// Writes a time as above (at most 30 characters) and returns the end.
char* WriteTime(int64_t nanos, char* out);

// Appends `text` in quotes with JSON's escapes (RFC 8259, 7). What is not UTF-8 becomes U+FFFD; DEL and C1 controls
// are escaped too, so that JSON is harmless on a terminal.
void AppendJsonString(absl::string_view text, std::string* out);
// Appends `text` fit for a terminal: control and bidirectional formatting characters become \n, \t, \x1b, \u202e;
// what is not UTF-8 becomes U+FFFD.
void AppendPrintable(absl::string_view text, std::string* out);
// Appends `text`, with U+FFFD for each octet that is not part of a UTF-8 character (RFC 3629).
void AppendUtf8(absl::string_view text, std::string* out);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_VALUE_TEXT_H_
