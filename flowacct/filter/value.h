// The values that a filter compares fields with, by the type of the field.
//
// Each parser returns an empty text if it understood, else why it did not, for the error at the value's column.

#ifndef FLOWACCT_FILTER_VALUE_H_
#define FLOWACCT_FILTER_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/filter/program.h"
#include "flowacct/record/field.h"

namespace flowacct::filter {

// What a value is compared with: a field, or a part of one.
struct Operand {
  std::string name;  // for errors: "dst_port", "as_path origin"
  record::FieldType type;
  size_t bits;  // of its numbers
};
Operand OperandOf(record::FieldId field);

// How values of a type are compared: the test of `=` and `in`; kExists if they cannot be.
Test TestOf(record::FieldType type);

// One number of what is compared as one: 10k, 0x1f, tcp, "2026-01-31 12:00:00".
std::string ParseNumber(const Operand& operand, absl::string_view text, uint64_t* number);
// Adds a value, a range, a prefix or a community to the alternatives of `condition`, whose test is set. `exact`: a
// prefix field has to equal the prefix, not only to lie inside.
std::string AddAlternative(const Operand& operand, absl::string_view text, bool quoted, bool exact,
                           Condition* condition);
// syn, fin, S, SA, 0x12.
std::string ParseTcpFlags(absl::string_view text, uint64_t* bits);

// Digits, or all digits that begin with these.
struct DigitBlock {
  base::Digits digits;
  bool beginning = false;
};
// What a range of a condition on digits is made of: for those who compare their texts.
std::vector<DigitBlock> DigitBlocksOf(const NumberRange& range);

}  // namespace flowacct::filter

#endif  // FLOWACCT_FILTER_VALUE_H_
