// What an exporter sent, kept, and decoded again by this project's own decoders: for the tests of this room.

#ifndef FLOWACCT_SINK_EXPORT_TESTING_EXPORTED_H_
#define FLOWACCT_SINK_EXPORT_TESTING_EXPORTED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::sink {

class KeepingTransport final : public ExportTransport {
 public:
  absl::Status Send(base::Octets datagram, uint64_t rows) override {
    if (!failure.ok()) return failure;
    datagrams.emplace_back(datagram.begin(), datagram.end());
    return absl::OkStatus();
  }

  std::vector<std::vector<uint8_t>> datagrams;
  absl::Status failure;  // not ok: what every Send answers
};

// Reads datagrams of a format into rows of all fields.
class ExportReader {
 public:
  // `enterprise`: under which own elements are told.
  explicit ExportReader(ExportFormat format, uint32_t enterprise = 0);

  // Appends to rows(); expects each datagram to be whole and without errors.
  void Read(const std::vector<std::vector<uint8_t>>& datagrams, absl::Time arrival);

  const record::FlowBatch& rows() const { return rows_; }
  record::ExporterReport report() const { return decoder_->Report().at(0); }
  // The text of a field; "" if it is absent.
  std::string Text(size_t row, record::FieldId field) const;

 private:
  record::Layout layout_ = record::Layout::All();
  base::Interner interner_;
  record::FlowBatch rows_{&layout_, &interner_};
  std::unique_ptr<record::FlowDecoder> decoder_;
};

std::string TextOf(const record::FlowBatch& batch, size_t row, record::FieldId field);
// As "0005 0001 ..." in groups of two octets.
std::string Hex(const std::vector<uint8_t>& octets);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_TESTING_EXPORTED_H_
