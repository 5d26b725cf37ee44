// A template: which elements a record holds, in which order and length.
//
// Standards: RFC 7011 (3.4, templates), RFC 3954 (5.2, 6.1). The fixed formats of NetFlow v1 to v8 are templates too.
// Guaranteed of a template that MakeTemplate gave: its record length is above zero and within the options, offsets and
// lengths agree. Ownership: a value; its elements point into the registry, which lives as long as the program.
// Threads: immutable once made. Cost: about 40 octets a field.

#ifndef FLOWACCT_FLOW_TEMPLATE_TEMPLATE_H_
#define FLOWACCT_FLOW_TEMPLATE_TEMPLATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/information_element.h"
#include "flowacct/flow/template/set_view.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::flow {

// Not an enterprise: scope field types of NetFlow v9 (RFC 3954, 6.1), which have their own numbers.
inline constexpr uint32_t kNetflow9ScopePen = 0xfffffffe;

struct TemplateField {
  uint32_t pen = 0;
  uint16_t id = 0;
  uint16_t length = 0;
  bool scope = false;
  // Null: not in the registry. Of a reverse element (RFC 5103): the forward one.
  const InformationElement* element = nullptr;

  bool reverse() const { return pen == kReversePen; }
  bool Is(uint32_t p, uint16_t i) const { return pen == p && id == i; }
  friend bool operator==(const TemplateField& a, const TemplateField& b) {
    return a.pen == b.pen && a.id == b.id && a.length == b.length && a.scope == b.scope;
  }
  template <typename H>
  friend H AbslHashValue(H h, const TemplateField& f) {
    return H::combine(std::move(h), f.pen, f.id, f.length, f.scope);
  }
};

// With its element looked up.
TemplateField MakeTemplateField(uint32_t pen, uint16_t id, uint16_t length, bool scope = false);
// As the dialect numbers elements: NetFlow v9's scopes and vendors' field types get a PEN of their own.
TemplateField MakeTemplateField(Dialect dialect, const FieldSpecifier& specifier);
// The registry's name, "reverse" and it for reverse elements, "scope.interface" for NetFlow v9's scopes, else "PEN:id".
std::string TemplateFieldName(const TemplateField& field);

// What records hold, without the id by which an exporter's sets refer to it.
struct Template {
  record::RecordKind kind = record::RecordKind::kFlow;  // kOption for an options template
  std::vector<TemplateField> fields;
  // Of each field in a record, as long as no field before it is of variable length.
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> lengths;
  // Of a record; with variable fields the least it can be.
  uint32_t record_octets = 0;
  bool variable = false;

  // What its vectors take of the heap, each with its block's overhead.
  size_t heap_octets() const {
    return fields.capacity() * sizeof(TemplateField) + (offsets.capacity() + lengths.capacity()) * sizeof(uint32_t) +
           3 * 16;
  }
  // The same content: all else follows from kind and fields.
  friend bool operator==(const Template& a, const Template& b) { return a.kind == b.kind && a.fields == b.fields; }
  template <typename H>
  friend H AbslHashValue(H h, const Template& t) {
    return H::combine(std::move(h), t.kind, t.fields);
  }
  // The index of the first field that is this element; -1 if none.
  int Find(uint32_t pen, uint16_t element) const;
};

// Validates and computes offsets. kBadTemplate: no fields, or records of no octets. kLimitExceeded: too many fields or
// too long.
base::DecodeCode MakeTemplate(record::RecordKind kind, std::vector<TemplateField> fields,
                              const TemplateOptions& options, Template* result);

// Where the fields of one record of a template with variable fields lie.
struct RecordShape {
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> lengths;
};
// Fills `shape` (which is as large as the template) for the record that `octets` begins with; returns its length, or 0
// if it does not fit in.
size_t WalkRecord(const Template& format, base::Octets octets, RecordShape* shape);

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_TEMPLATE_H_
