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
  size_t position = 0;           // from 1: which field of the template, or which of the record
  bool nested = false;           // in structured data (RFC 6313): fills no field
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
  // What `field` of a row of the record was made of; null: nothing that is told. `by_template`: NetFlow and IPFIX.
  // `reverse`: of a biflow's second row (RFC 5103).
  const TracedElement* Find(const record::RowView& row, record::FieldId field, bool by_template, bool reverse) const;

 private:
  const TracedElement* FindByRegistry(record::FieldId field, bool reverse) const;
  const TracedElement* FindByValue(const record::RowView& row, record::FieldId field) const;
  void AddHeaders(base::Octets header);

  base::Octets whole_;
  std::vector<std::string> lists_;
  std::vector<TracedElement> elements_;
  uint64_t header_protocol_ = 0;
  packet::PacketView view_;
};

// "sourceIPv4Address (8)", "ciscoX (9:12235)"; sFlow's and packets' names as they are.
std::string ElementTitle(const TracedElement& element, bool by_template);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_ELEMENT_TRACE_H_
