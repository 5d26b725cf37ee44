// Tells a listener of samples and records in full, as they lie on the wire: unknown formats as octets.
//
// Element names are "structure.field" of the documents (record_format.h); "datagram." and "sample." for what encloses
// a record; "ENTERPRISE:FORMAT" for a format that no table has; "NAME.rest" for octets after the known fields, and
// "NAME.undecoded" for those that could not be read.
// Ownership: borrows the listener. Threads: one at a time. Cost: used only if somebody listens; it may allocate.

#ifndef FLOWACCT_FLOW_SFLOW_RECORD_TELLER_H_
#define FLOWACCT_FLOW_SFLOW_RECORD_TELLER_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/flow/sflow/record_walk.h"
#include "flowacct/flow/sflow/sflow_view.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::sflow {

class RecordTeller : public FieldVisitor {
 public:
  RecordTeller(const DatagramView& datagram, record::ElementListener* listener)
      : datagram_(datagram), listener_(listener) {}

  // A flow sample or discarded packet with all its records is one record of kind kFlow.
  void TellFlow(const SampleView& sample, absl::Span<const RecordView> records, size_t rows);
  // A counter record is one of kind kCounter.
  void TellCounters(const SampleView& sample, const RecordView& record, size_t rows);
  // A sample of an unknown format is one of kind kOption.
  void TellUnknown(const SampleView& sample);

 private:
  void OnField(const XdrField& field, base::Octets value) override;
  void OnListBegin(const XdrField& field) override;
  void OnListEnd() override;

  void TellEnvelope(const SampleView& sample);
  void TellRecord(const RecordView& record);
  void TellNumber(absl::string_view name, uint32_t value);
  void TellText(absl::string_view name, absl::string_view value);

  const DatagramView& datagram_;
  record::ElementListener* listener_;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_RECORD_TELLER_H_
