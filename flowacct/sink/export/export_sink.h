// Exports what was accounted: the rows of finished batches as flow records (aggregate/batch_rows.h says how).
//
// distinct() and top() are no flow records and are left out; so is what the format has no element for.
// Ownership: owns the transport. Threads: one call at a time. Errors: New, for options; Write answers with what the
// transport said if nothing of a batch left. What is refused or lost in part is in rows_lost() and trouble(), and by
// reason in counters(). Cost: a copy of each row, and the encoder's.

#ifndef FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_
#define FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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
  uint64_t rows_lost() const override;
  std::string trouble() const override { return trouble_; }

  const ExportCounters& counters() const { return encoder_->counters(); }

 private:
  ExportSink(std::unique_ptr<ExportTransport> transport, std::function<absl::Time()> clock)
      : transport_(std::move(transport)), clock_(std::move(clock)) {}

  // Makes rows_ fit the batch's schema.
  void Bind(const aggregate::Schema& schema);
  // What is wrong with what was told since then.
  std::string TroubleSince(const ExportCounters& before) const;

  const std::unique_ptr<ExportTransport> transport_;
  const std::function<absl::Time()> clock_;
  std::unique_ptr<ExportEncoder> encoder_;
  absl::Time now_ = absl::UnixEpoch();
  uint64_t rows_failed_ = 0;  // of batches that Write refused
  std::string trouble_;

  std::optional<aggregate::Schema> schema_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<aggregate::BatchRows> rows_;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_EXPORT_SINK_H_
