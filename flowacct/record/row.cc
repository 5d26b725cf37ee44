#include "flowacct/record/row.h"

namespace flowacct::record {

uint64_t RowView::GetNumber(FieldId field) const {
  const uint16_t offset = layout_->offset(field);
  if (offset == Layout::kAbsent) return 0;
  switch (FieldTypeSize(Info(field).type)) {
    case 1:
      return octets_[offset];
    case 2:
      return base::LoadHost<uint16_t>(octets_ + offset);
    case 4:
      return base::LoadHost<uint32_t>(octets_ + offset);
    case 8:
      return base::LoadHost<uint64_t>(octets_ + offset);
    default:
      return 0;
  }
}

bool MutableRow::SetNumber(FieldId field, uint64_t value) {
  const uint16_t offset = layout_->offset(field);
  if (offset == Layout::kAbsent) return true;
  const size_t size = FieldTypeSize(Info(field).type);
  if (size > 8 || size == 6 || (size < 8 && value >> (8 * size) != 0)) return false;
  std::memcpy(mutable_octets() + offset, &value, size);  // little endian: the low octets come first
  MarkPresent(field);
  return true;
}

void MutableRow::SetAddress(FieldId field, const base::IpAddress& address) {
  const uint16_t offset = layout_->offset(field);
  if (offset == Layout::kAbsent) return;
  internal::StoreField(mutable_octets() + offset, address);
  MarkPresent(field);
}

void MutableRow::Unset(FieldId field) {
  const uint16_t offset = layout_->offset(field);
  if (offset == Layout::kAbsent) return;
  std::memset(mutable_octets() + offset, 0, FieldTypeSize(Info(field).type));
  const uint16_t index = layout_->index(field);
  mutable_octets()[index >> 3] &= static_cast<uint8_t>(~(1 << (index & 7)));
}

}  // namespace flowacct::record
