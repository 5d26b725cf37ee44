// A set of fields: what somebody asks for.
//
// A plain value: any thread. Cost: a bit a field of the registry.

#ifndef FLOWACCT_RECORD_FIELD_SET_H_
#define FLOWACCT_RECORD_FIELD_SET_H_

#include <algorithm>
#include <bitset>
#include <cstddef>

#include "absl/types/span.h"
#include "flowacct/record/field.h"

namespace flowacct::record {

class FieldSet {
 public:
  FieldSet() = default;
  explicit FieldSet(absl::Span<const FieldId> fields) { Add(fields); }

  void Add(FieldId field) { bits_.set(static_cast<size_t>(field)); }
  void Add(absl::Span<const FieldId> fields) {
    for (FieldId field : fields) Add(field);
  }
  bool Has(FieldId field) const { return bits_.test(static_cast<size_t>(field)); }
  bool HasAny(absl::Span<const FieldId> fields) const {
    return std::any_of(fields.begin(), fields.end(), [this](FieldId field) { return Has(field); });
  }

 private:
  std::bitset<kFieldCount> bits_;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FIELD_SET_H_
