// Turns the counter records of a sample into rows: one a value.
//
// Fields: exporter, observation_domain, export_version, export_sequence, source_id, counter (record_format.h), value,
// arrival_time. A counter that the agent says is not available (all ones, sflow_version_5.txt "Unknown counter")
// becomes no row. Floats become thousandths.
// Ownership: borrows the batch for the call; null: records are read for their errors only. Threads: one at a time.
// Cost: a hash of the name a value.

#ifndef FLOWACCT_FLOW_SFLOW_COUNTER_ROW_H_
#define FLOWACCT_FLOW_SFLOW_COUNTER_ROW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/flow/sflow/record_walk.h"
#include "flowacct/flow/sflow/sflow_view.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::sflow {

class CounterRows : public FieldVisitor {
 public:
  CounterRows(const DatagramView& datagram, int64_t arrival_nanos, record::FlowBatch* batch)
      : datagram_(datagram), arrival_nanos_(arrival_nanos), batch_(batch) {}

  // Appends the rows of one record of a known format.
  base::DecodeResult Append(const SampleView& sample, const RecordView& record, const RecordFormat& format);

 private:
  void OnField(const XdrField& field, base::Octets value) override;

  const DatagramView& datagram_;
  int64_t arrival_nanos_;
  record::FlowBatch* batch_;
  uint32_t source_id_ = 0;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_COUNTER_ROW_H_
