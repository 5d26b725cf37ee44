// Exports what was accounted: the rows of finished batches as flow records (aggregate/batch_rows.h says how).
//
// distinct() and top() are no flow records and are left out; so is what the format has no element for.
// Ownership: owns the transport. Threads: one call at a time. Errors: New, for options; Write and Close answer with
// what the transport said if nothing of a batch, or of what waited, left. What is lost in part is in counters(). Cost:
// a copy of each row, and the encoder's.

#ifndef FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_
#define FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/batch_rows.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink {

class ExportSink final : public Sink {
 public:
  // `clock` tells when datagrams leave. Empty: a batch leaves at the end of its bin, as in a replay.
  static absl::StatusOr<std::unique_ptr<ExportSink>> New(ExportOptions options,
                                                         std::unique_ptr<ExportTransport> transport,
                                                         std::function<absl::Time()> clock = nullptr);

  absl::Status Write(const aggregate::AggregateBatch& batch) override;
  absl::Status Close() override;

  const ExportCounters& counters() const { return encoder_->counters(); }

 private:
  ExportSink(std::unique_ptr<ExportTransport> transport, std::function<absl::Time()> clock)
      : transport_(std::move(transport)), clock_(std::move(clock)) {}

  // Makes rows_ fit the batch's schema.
  void Bind(const aggregate::Schema& schema);
  // What the transport said, if it took nothing since then.
  absl::Status Outcome(const ExportCounters& before) const;

  const std::unique_ptr<ExportTransport> transport_;
  const std::function<absl::Time()> clock_;
  std::unique_ptr<ExportEncoder> encoder_;
  absl::Time now_ = absl::UnixEpoch();

  std::optional<aggregate::Schema> schema_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<aggregate::BatchRows> rows_;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_
