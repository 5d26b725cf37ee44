// A template of an exporter: what it says of itself, and how rows become its records.
//
// One is made for each pattern: which fields a row has, and of which family its addresses are. Compiled once, as
// flow/template's plans are on the other side.
// Ownership: none; a row's interned fields are looked up in the interner given. Threads: immutable.
// Errors: a value that its element has no room for is told as zero and counted. Cost: a step a field.

#ifndef FLOWACCT_SINK_EXPORT_RECORD_TEMPLATE_H_
#define FLOWACCT_SINK_EXPORT_RECORD_TEMPLATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/export/export_element.h"

namespace flowacct::sink {

// A field that is told, of a layout.
struct ExportColumn {
  record::FieldId field;
  record::FieldType type;
  uint16_t offset, index;  // of its octets and of its presence bit in a row
  uint8_t size;
  ExportElements elements;
};

// Which of the columns a row has, and of which family its values are.
struct RowPattern {
  static constexpr size_t kWords = (record::kFieldCount + 63) / 64;
  std::array<uint64_t, kWords> presence{};  // presence bits as they lie in the row
  uint64_t v6 = 0;                          // a bit an address or prefix, in their order; the highest: the row itself

  friend bool operator==(const RowPattern& a, const RowPattern& b) { return a.presence == b.presence && a.v6 == b.v6; }
  template <typename H>
  friend H AbslHashValue(H h, const RowPattern& p) {
    return H::combine(std::move(h), p.presence, p.v6);
  }
};

// The columns of a layout that an exporter tells.
class ExportColumns {
 public:
  ExportColumns() = default;
  ExportColumns(const record::Layout& layout, std::vector<ExportColumn> columns);

  absl::Span<const ExportColumn> columns() const { return columns_; }
  RowPattern PatternOf(const uint8_t* row) const;
  // All columns, and all of their values of one family.
  RowPattern FullPattern(bool v6) const;
  // Whether any address of the row, or the row itself, is IPv6.
  static bool HasV6(const RowPattern& pattern) { return pattern.v6 != 0; }
  static bool IsEmpty(const RowPattern& pattern);

 private:
  std::vector<ExportColumn> columns_;
  size_t words_ = 0;
  RowPattern mask_;
  struct Place {
    uint16_t offset;
    uint16_t octet;  // of the presence bit
    uint8_t bit;
  };
  std::vector<Place> addresses_;  // and prefixes
  int ip_version_ = -1;           // offsets; -1: there is none
  std::vector<Place> family_;     // what tells the row's family, the first that is there: ip_version or an address
};

class RecordTemplate {
 public:
  static constexpr uint64_t kRowIsV6 = uint64_t{1} << 63;

  // `selector`: not 0, and records that have no selector_id of their own refer to this one (RFC 5477, 8.2.1).
  RecordTemplate(uint16_t id, const ExportColumns& columns, const RowPattern& pattern, uint8_t selector);

  uint16_t id() const { return id_; }
  absl::Span<const ExportElement> elements() const { return elements_; }
  // Of the template record (RFC 3954, 5.2; RFC 7011, 3.4.1).
  size_t template_octets() const {
    size_t octets = 4;
    for (const ExportElement& element : elements_) octets += element.pen == 0 ? 4 : 8;
    return octets;
  }
  // Of the record of this row.
  size_t Size(const uint8_t* row, const base::Interner& interner) const {
    return variable_ ? VariableSize(row, interner) : fixed_size_;
  }
  // Writes Size() octets. `boot_nanos`, `now_nanos`: since 1970; the start of the uptime, and about when the record
  // leaves.
  void Encode(const uint8_t* row, const base::Interner& interner, int64_t boot_nanos, int64_t now_nanos, uint8_t* out,
              uint64_t* values_unfit) const;

 private:
  struct Op {
    Encoding encoding;
    uint8_t size = 0;     // of the field
    uint16_t source = 0;  // its octets in a row
    uint16_t second = 0;  // of icmp_code, or of the mask of a network
    uint16_t length = 0;  // of the element
    uint16_t member = 0;  // of a list: the element, and its length
    uint16_t member_length = 0;
    bool constant = false;  // the value is `source`
  };

  void Add(const ExportColumn& column, const ExportElement& element);
  size_t VariableSize(const uint8_t* row, const base::Interner& interner) const;

  uint16_t id_;
  std::vector<ExportElement> elements_;
  std::vector<Op> ops_;
  size_t fixed_size_ = 0;  // without what has a variable length
  bool variable_ = false;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_RECORD_TEMPLATE_H_
