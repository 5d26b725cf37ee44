// Which element of a record, or which field of a packet's header, a field of its row was made of.
//
// For NetFlow and IPFIX by the registry of information elements (flow/template), where of several elements the one of
// the lowest rank counts, as it does for the decoder. sFlow and packets have a table here; what it names counts if it
// has the field's value. Of sFlow's sampled headers the headers are told, too.
// Ownership: a trace owns what it keeps; a place is valid until the next Begin. Threads: one at a time. Errors: none; a
// field that nothing was found for is one that the decoder worked out. Cost: a copy of each element.

#ifndef FLOWACCT_COLLECTOR_EXPLAIN_ELEMENT_TRACE_H_
#define FLOWACCT_COLLECTOR_EXPLAIN_ELEMENT_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/packet/packet_view.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/row.h"

namespace flowacct::collector {

struct TracedElement {
  std::string name;  // with the lists it is in: "ipv4.source"
  record::ElementType type = record::ElementType::kOctets;
  std::string octets;
  std::optional<size_t> offset;  // in the datagram or packet; none: it is not a part of it as it lies there
  size_t position = 0;           // from 1: which field of the template, or of what an sFlow sample or packet tells
  bool nested = false;           // in structured data (RFC 6313): fills no field
};

// An element that a field was made of.
struct FoundElement {
  const TracedElement* element = nullptr;  // null: nothing that is told
  bool converted = false;                  // it does not read as the field does: a time of another unit, a part
};

// What was heard of one record.
class ElementTrace {
 public:
  // `whole`: the datagram or packet, for offsets; valid until the record has ended.
  void Begin(base::Octets whole);
  void Add(const record::Element& element);
  void BeginList(absl::string_view name);
  void EndList();

  const std::vector<TracedElement>& elements() const { return elements_; }
  // Of the record itself, without what is within lists and what a header told of it.
  size_t field_count() const { return fields_; }
  // What `field` of a row of the record was made of. `by_template`: NetFlow and IPFIX. `reverse`: of a biflow's second
  // row (RFC 5103).
  FoundElement Find(const record::RowView& row, record::FieldId field, bool by_template, bool reverse) const;
  // Where the first field is; none: the record lies elsewhere, in what was held until its template came.
  std::optional<size_t> offset() const;
  // The names of elements that would tell `field`, a few of them, and whether one of them is there, without a value
  // that the decoder takes. Empty: there is no such element.
  std::string Tellers(record::FieldId field, bool by_template, bool* there) const;

 private:
  FoundElement FindByRegistry(const record::RowView& row, record::FieldId field, bool reverse) const;
  const TracedElement* FindByValue(const record::RowView& row, record::FieldId field) const;
  void AddHeaders(base::Octets header);

  base::Octets whole_;
  std::vector<std::string> lists_;
  std::vector<TracedElement> elements_;
  size_t fields_ = 0;
  uint64_t header_protocol_ = 0;
  packet::PacketView view_;
};

// The registry's number of an element of NetFlow or IPFIX; none: it is not registered. NetFlow v9's own types have the
// PEN flow::kNetFlow9VendorPen.
struct ElementNumber {
  uint32_t pen = 0;
  uint16_t id = 0;
};
std::optional<ElementNumber> NumberOf(const TracedElement& element);
// "sourceIPv4Address (8)", "ciscoX (9:12235)"; sFlow's and packets' names as they are.
std::string ElementTitle(const TracedElement& element, bool by_template);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_ELEMENT_TRACE_H_
