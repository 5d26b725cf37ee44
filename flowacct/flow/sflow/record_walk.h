// Walks the fields of a record by its row of the format tables: how records are told in full, and how those of
// versions 2 and 4, which have no length, are found.
//
// XDR, RFC 4506. Checked: every length and count against the octets. Not checked: that padding is zero; padding that
// is missing at the very end of a record is forgiven.
// Ownership: the octets handed to the visitor are borrowed from the record. Threads: as the visitor.
// Errors: kTruncated or kBadCount with the offset in the octets walked; what came before was told.
// Cost: a virtual call a field. No allocation.

#ifndef FLOWACCT_FLOW_SFLOW_RECORD_WALK_H_
#define FLOWACCT_FLOW_SFLOW_RECORD_WALK_H_

#include <cstddef>

#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/sflow/record_format.h"

namespace flowacct::sflow {

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  // `value` has no length, type or padding: an address is 0, 4 or 16 octets, a MAC address 6.
  virtual void OnField(const XdrField& field, base::Octets value) = 0;
  virtual void OnListBegin(const XdrField& field) {}
  virtual void OnListEnd() {}
};

// Walks `fields` from the start of `octets`; `visitor` may be null. `walked` gets the octets that they took: what
// follows is of a later revision of the format (sflow_version_5.txt, "data_format": structures grow at their end).
base::DecodeResult WalkFields(absl::Span<const XdrField> fields, base::Octets octets, FieldVisitor* visitor,
                              size_t* walked);

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_RECORD_WALK_H_
