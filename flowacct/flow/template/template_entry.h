// A template in use: its plans for a layout, and what was decoded with it.
//
// Ownership: owns template and plans; borrows the layout. Threads: one at a time. Not movable: the plans point into it.
// Cost: about 2 KiB for twenty fields.

#ifndef FLOWACCT_FLOW_TEMPLATE_TEMPLATE_ENTRY_H_
#define FLOWACCT_FLOW_TEMPLATE_TEMPLATE_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/flow/template/template.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow {

class RecordTeller;  // record_teller.h

class TemplateEntry {
 public:
  // `version` of the export protocol (10: IPFIX).
  TemplateEntry(Template format, const record::Layout* layout, uint16_t version);
  TemplateEntry(const TemplateEntry&) = delete;
  TemplateEntry& operator=(const TemplateEntry&) = delete;

  const Template& format() const { return format_; }

  struct Decoded {
    size_t records = 0;
    size_t octets = 0;  // of whole records
  };
  // Decodes the whole records at the front of `octets` to rows of output.flows. What is left is
  // the caller's to judge. `teller` is needed if output.listener is set.
  Decoded DecodeFlows(base::Octets octets, MessageContext* context, const record::DecodeOutput& output,
                      RecordTeller* teller);
  // Calls `visit(record octets, shape)` for each whole record; shape is null for fixed records.
  template <typename Visitor>
  Decoded Visit(base::Octets octets, Visitor visit) {
    Decoded decoded;
    while (octets.size() - decoded.octets >= format_.record_octets) {
      size_t length = format_.record_octets;
      if (format_.variable) length = WalkRecord(format_, octets.subspan(decoded.octets), &shape_);
      if (length == 0) break;
      visit(octets.subspan(decoded.octets, length), format_.variable ? &shape_ : nullptr);
      ++decoded.records;
      decoded.octets += length;
    }
    return decoded;
  }

  size_t memory_octets() const;
  record::TemplateReport Report() const;

  uint64_t records = 0;
  uint64_t definitions = 0;
  uint64_t redefinitions = 0;
  int64_t alive_nanos = 0;  // defined or used

 private:
  size_t DecodeOne(base::Octets record, const RecordShape* shape, MessageContext* context, record::FlowBatch* batch);

  Template format_;
  RecordShape shape_;
  std::unique_ptr<DecodePlan> forward_;
  std::unique_ptr<DecodePlan> reverse_;  // null: never a biflow
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_TEMPLATE_ENTRY_H_
