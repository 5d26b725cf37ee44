// Typed access to one record.
//
//     RowView row = batch.row(i);
//     if (row.Has(FieldId::kSrcAddr)) Use(row.Get<FieldId::kSrcAddr>());
//
// A view borrows the row's octets and its layout. Reading a field that is absent, or that the layout lacks, gives a
// zero value; `Has` tells. Writing a field that the layout lacks does nothing, so a decoder tells all it knows and
// pays for what was asked. Threads: as the memory it borrows. Cost: a look-up of the offset and an unaligned move.

#ifndef FLOWACCT_RECORD_ROW_H_
#define FLOWACCT_RECORD_ROW_H_

#include <cstdint>
#include <optional>
#include <type_traits>

#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"

namespace flowacct::record {

namespace internal {

template <typename T>
T LoadField(const uint8_t* p) {
  if constexpr (std::is_same_v<T, base::IpAddress>) {
    return base::IpAddress::FromV6(p);
  } else if constexpr (std::is_same_v<T, base::IpPrefix>) {
    return base::IpPrefix(base::IpAddress::FromV6(p), p[16]);
  } else if constexpr (std::is_same_v<T, base::MacAddress>) {
    return base::MacAddress::From(p);
  } else if constexpr (std::is_same_v<T, base::Digits>) {
    return base::Digits::FromBits(base::LoadHost<uint64_t>(p));
  } else {
    return base::LoadHost<T>(p);
  }
}

template <typename T>
void StoreField(uint8_t* p, const T& v) {
  if constexpr (std::is_same_v<T, base::IpAddress>) {
    std::memcpy(p, v.data(), 16);
  } else if constexpr (std::is_same_v<T, base::IpPrefix>) {
    std::memcpy(p, v.address().data(), 16);
    p[16] = v.length();
  } else if constexpr (std::is_same_v<T, base::MacAddress>) {
    std::memcpy(p, v.octets.data(), 6);
  } else if constexpr (std::is_same_v<T, base::Digits>) {
    base::StoreHost<uint64_t>(p, v.bits());
  } else {
    base::StoreHost<T>(p, v);
  }
}

}  // namespace internal

class RowView {
 public:
  RowView(const Layout* layout, const uint8_t* octets) : layout_(layout), octets_(octets) {}

  const Layout& layout() const { return *layout_; }
  const uint8_t* octets() const { return octets_; }

  bool Has(FieldId field) const {
    if (!layout_->Has(field)) return false;
    const uint16_t index = layout_->index(field);
    return (octets_[index >> 3] >> (index & 7) & 1) != 0;
  }

  template <FieldId field>
  FieldCppType<field> Get() const {
    const uint16_t offset = layout_->offset(field);
    if (offset == Layout::kAbsent) return {};
    return internal::LoadField<FieldCppType<field>>(octets_ + offset);
  }

  // Any field whose value is a number (also protocol, time in nanoseconds, bits of digits, interned id); zero for the
  // others.
  uint64_t GetNumber(FieldId field) const;

 protected:
  const Layout* layout_;
  const uint8_t* octets_;
};

class MutableRow : public RowView {
 public:
  MutableRow(const Layout* layout, uint8_t* octets) : RowView(layout, octets) {}

  template <FieldId field>
  void Set(const FieldCppType<field>& value) {
    const uint16_t offset = layout_->offset(field);
    if (offset == Layout::kAbsent) return;
    internal::StoreField(mutable_octets() + offset, value);
    MarkPresent(field);
  }
  // As GetNumber; a value that does not fit the field's type leaves it absent and returns false.
  bool SetNumber(FieldId field, uint64_t value);
  // A field whose type is address.
  void SetAddress(FieldId field, const base::IpAddress& address);
  // Makes the field absent and zero.
  void Unset(FieldId field);

 private:
  uint8_t* mutable_octets() { return const_cast<uint8_t*>(octets_); }
  void MarkPresent(FieldId field) {
    const uint16_t index = layout_->index(field);
    mutable_octets()[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
  }
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_ROW_H_
