// The values that a filter compares fields with, by the type of the field.
//
// Each parser returns an empty text if it understood, else why it did not, for the error at the value's column.

#ifndef FLOWACCT_AGGREGATE_FILTER_VALUE_H_
#define FLOWACCT_AGGREGATE_FILTER_VALUE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/aggregate/filter_program.h"
#include "flowacct/record/field.h"

namespace flowacct::aggregate::filter_internal {

// How values of a type are compared: the test of `=` and `in`; kExists if they cannot be.
Test TestOf(record::FieldType type);

// One number of a field that is compared as one: 10k, 0x1f, tcp, "2026-01-31 12:00:00".
std::string ParseNumber(record::FieldId field, absl::string_view text, uint64_t* number);
// Adds a value, a range or a prefix to the alternatives of `condition`, whose field and test are set. `exact`: a prefix
// field has to equal the prefix, not only to lie inside.
std::string AddAlternative(absl::string_view text, bool quoted, bool exact, Condition* condition);
// syn, fin, S, SA, 0x12.
std::string ParseTcpFlags(absl::string_view text, uint64_t* bits);

}  // namespace flowacct::aggregate::filter_internal

#endif  // FLOWACCT_AGGREGATE_FILTER_VALUE_H_
