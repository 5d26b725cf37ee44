// A decoder run over a capture or over given messages, with what came out, for tests.

#ifndef FLOWACCT_FLOW_TEMPLATE_TESTING_DECODE_RUN_H_
#define FLOWACCT_FLOW_TEMPLATE_TESTING_DECODE_RUN_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow::testing {

struct Totals {
  uint64_t flow_records = 0;
  uint64_t option_records = 0;
  uint64_t rows = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t pending_sets = 0;
  uint64_t rejected_sets = 0;
  uint64_t errors = 0;

  friend bool operator==(const Totals& a, const Totals& b) {
    return a.flow_records == b.flow_records && a.option_records == b.option_records && a.rows == b.rows &&
           a.packets == b.packets && a.bytes == b.bytes && a.pending_sets == b.pending_sets &&
           a.rejected_sets == b.rejected_sets && a.errors == b.errors;
  }
  friend std::ostream& operator<<(std::ostream& out, const Totals& t) {
    return out << "{" << t.flow_records << ", " << t.option_records << ", " << t.rows << ", " << t.packets << ", "
               << t.bytes << ", " << t.pending_sets << ", " << t.rejected_sets << ", " << t.errors << "}";
  }
};

// Adds up rows and reports.
Totals TotalsOf(const record::FlowBatch& rows, const std::vector<record::ExporterReport>& reports);
// Writes down what a listener hears: "flow 256 { octetDeltaCount=.. }", octets in hexadecimal.
class Transcript final : public record::ElementListener {
 public:
  void OnRecord(record::RecordKind kind, uint16_t template_id) override;
  void OnElement(const record::Element& element) override;
  void OnListBegin(absl::string_view name) override;
  void OnListEnd() override;
  void OnRecordEnd(size_t rows) override;

  const std::string& text() const { return text_; }
  size_t rows() const { return rows_; }

 private:
  std::string text_;
  size_t rows_ = 0;
};

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_TESTING_DECODE_RUN_H_
