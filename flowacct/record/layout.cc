#include "flowacct/record/layout.h"

#include "flowacct/record/custom_fields.h"

namespace flowacct::record {

Layout::Layout(absl::Span<const FieldId> fields, std::shared_ptr<const CustomFields> custom)
    : custom_fields_(std::move(custom)) {
  offsets_.fill(kAbsent);
  indexes_.fill(kAbsent);
  for (FieldId field : fields) {
    uint16_t& index = indexes_[static_cast<size_t>(field)];
    if (index != kAbsent) continue;
    index = static_cast<uint16_t>(fields_.size());
    fields_.push_back(field);
  }
  size_t at = presence_size();
  for (FieldId field : fields_) {
    offsets_[static_cast<size_t>(field)] = static_cast<uint16_t>(at);
    at += FieldTypeSize(Info(field).type);
  }
  row_size_ = (at + 7) / 8 * 8;
}

absl::string_view Layout::NameOf(FieldId field) const {
  return custom_fields_ == nullptr ? Info(field).name : custom_fields_->names().NameOf(field);
}

Layout Layout::All() {
  std::vector<FieldId> fields;
  for (size_t i = 0; i < kFieldCount; ++i) fields.push_back(static_cast<FieldId>(i));
  return Layout(fields);
}

}  // namespace flowacct::record
