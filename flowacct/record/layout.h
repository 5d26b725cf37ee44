// Where each field lies in a row. Chosen once per pipeline: only the fields that somebody downstream asked for,
// in the order asked, side by side, so that a batch stays in the first-level cache and a key is a run of octets.
//
//     row = presence bits (one a field, ceil(n / 8) octets) | fields, unaligned, in order | zeros up to 8 octets
//
// Absent is not zero: a field whose presence bit is clear has the value zero and was not told.
// What a configuration names beside the registry (custom_fields.h) goes with the layout, so that whoever fills rows
// knows where its values come from, and whoever writes them what they are called.
// A layout is immutable after construction and for any thread; rows refer to it, so it outlives them.

#ifndef FLOWACCT_RECORD_LAYOUT_H_
#define FLOWACCT_RECORD_LAYOUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/record/field.h"

namespace flowacct::record {

class CustomFields;  // custom_fields.h

class Layout {
 public:
  static constexpr uint16_t kAbsent = 0xffff;

  // A field that is named twice is kept once. `custom` may be null.
  explicit Layout(absl::Span<const FieldId> fields, std::shared_ptr<const CustomFields> custom = nullptr);
  // Every field of the registry.
  static Layout All();

  absl::Span<const FieldId> fields() const { return fields_; }
  size_t size() const { return fields_.size(); }
  bool Has(FieldId field) const { return offsets_[static_cast<size_t>(field)] != kAbsent; }
  // Of the field's octets in a row; kAbsent if the layout lacks it.
  uint16_t offset(FieldId field) const { return offsets_[static_cast<size_t>(field)]; }
  // Of the field's presence bit; meaningful if Has().
  uint16_t index(FieldId field) const { return indexes_[static_cast<size_t>(field)]; }
  size_t presence_size() const { return (fields_.size() + 7) / 8; }
  // Octets of a row, a multiple of eight.
  size_t row_size() const { return row_size_; }
  // Null: there are none.
  const std::shared_ptr<const CustomFields>& custom_fields() const { return custom_fields_; }
  // What the configuration calls the field, else its canonical name.
  absl::string_view NameOf(FieldId field) const;

 private:
  std::vector<FieldId> fields_;
  std::array<uint16_t, kFieldCount> offsets_;
  std::array<uint16_t, kFieldCount> indexes_;
  size_t row_size_;
  std::shared_ptr<const CustomFields> custom_fields_;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_LAYOUT_H_
