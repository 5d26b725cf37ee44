// The way back of record/stored_value.h: what a store gave as the octets that a field has in a row.
//
// Guaranteed: ToStored of what was made gives the same value again. Not guaranteed: the octets are those that the row
// once had where a store holds a text, which says less than they did (of labels their traffic classes, of AS paths
// where a sequence was cut in two). Threads: any. Cost: of integers and octets a store, of text a parse.

#ifndef FLOWACCT_RECORD_FROM_STORED_H_
#define FLOWACCT_RECORD_FROM_STORED_H_

#include <cstdint>

#include "flowacct/base/interner.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"

namespace flowacct::record {

// Writes FieldTypeSize(type) octets at `row`; long values go into `interner`. False: it is no such value. `value` is
// present.
bool FromStored(FieldType type, const StoredValue& value, base::Interner* interner, uint8_t* row);

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FROM_STORED_H_
