// Where a field lies in a row, as enrichers keep it between batches, and whether a row has it.
//
// Plain values, of one layout. Any thread. Cost: a load; record/row.h looks the place up each time.

#ifndef FLOWACCT_ENRICH_FIELD_PLACE_H_
#define FLOWACCT_ENRICH_FIELD_PLACE_H_

#include <cstdint>

#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"

namespace flowacct::enrich {

struct FieldPlace {
  uint16_t offset = record::Layout::kAbsent;
  uint16_t index = 0;  // of the presence bit

  bool there() const { return offset != record::Layout::kAbsent; }
};

// Not there if the layout lacks the field.
inline FieldPlace PlaceOf(const record::Layout& layout, record::FieldId field) {
  return layout.Has(field) ? FieldPlace{layout.offset(field), layout.index(field)} : FieldPlace{};
}

inline bool IsPresent(const uint8_t* row, uint16_t index) { return (row[index >> 3] >> (index & 7) & 1) != 0; }
inline void MarkPresent(uint8_t* row, uint16_t index) { row[index >> 3] |= static_cast<uint8_t>(1 << (index & 7)); }

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_FIELD_PLACE_H_
