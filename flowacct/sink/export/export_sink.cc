#include "flowacct/sink/export/export_sink.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/export/new_export_encoder.h"

namespace flowacct::sink {
namespace {

constexpr size_t kRowsAtOnce = 1024;

bool SameSchema(const aggregate::Schema& a, const aggregate::Schema& b) {
  return a.key.fields() == b.key.fields() &&
         std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                    [](const aggregate::ValueColumn& x, const aggregate::ValueColumn& y) {
                      return x.field == y.field && x.function == y.function;
                    });
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExportSink>> ExportSink::New(ExportOptions options,
                                                            std::unique_ptr<ExportTransport> transport,
                                                            std::function<absl::Time()> clock) {
  auto sink = absl::WrapUnique(new ExportSink(std::move(transport), std::move(clock)));
  auto encoder = NewExportEncoder(std::move(options), sink->transport_.get());
  if (!encoder.ok()) return encoder.status();
  sink->encoder_ = *std::move(encoder);
  return sink;
}

void ExportSink::Bind(const aggregate::Schema& schema) {
  if (schema_.has_value() && SameSchema(*schema_, schema)) return;
  schema_ = schema;
  layout_ = std::make_unique<record::Layout>(aggregate::BatchRows::Fields(*schema_));
  rows_ = std::make_unique<aggregate::BatchRows>(*schema_, *layout_);
  encoder_->Bind(layout_.get());
}

absl::Status ExportSink::Write(const aggregate::AggregateBatch& batch) {
  Bind(batch.schema());
  if (clock_) {
    now_ = clock_();
  } else if (batch.bin().end_nanos != 0) {
    now_ = absl::FromUnixNanos(batch.bin().end_nanos);
  }
  const ExportCounters before = encoder_->counters();
  for (size_t first = 0; first < batch.size(); first += kRowsAtOnce) {
    base::Interner texts;  // of these rows alone, so that it does not grow over the years
    record::FlowBatch records(layout_.get(), &texts);
    rows_->Append(batch, first, kRowsAtOnce, &records);
    encoder_->Add(records, now_);
  }
  encoder_->Flush(now_);
  transport_->Settle();
  trouble_ = TroubleSince(before);
  const ExportCounters& after = counters();
  if (after.datagrams_lost == before.datagrams_lost || after.datagrams > before.datagrams) return absl::OkStatus();
  rows_failed_ += after.rows_in - before.rows_in;
  const absl::Status& failure = encoder_->last_failure();
  return absl::Status(failure.code(), absl::StrCat("export: ", failure.message()));
}

absl::Status ExportSink::Close() {
  const ExportCounters before = counters();
  encoder_->Flush(clock_ ? clock_() : now_);
  absl::Status status = transport_->Close();
  trouble_ = TroubleSince(before);
  return status;
}

uint64_t ExportSink::rows_lost() const {
  return counters().refused() + counters().rows_lost + transport_->rows_lost() - rows_failed_;
}

std::string ExportSink::TroubleSince(const ExportCounters& before) const {
  const ExportCounters& after = counters();
  std::vector<std::string> troubles;
  if (std::string trouble = transport_->trouble(); !trouble.empty()) troubles.push_back(std::move(trouble));
  if (after.rows_lost > before.rows_lost) {
    troubles.push_back(
        absl::StrCat(after.rows_lost - before.rows_lost, " rows lost: ", encoder_->last_failure().message()));
  }
  for (size_t i = 0; i < kExportRefusals; ++i) {
    const uint64_t rows = after.rows_refused[i] - before.rows_refused[i];
    if (rows == 0) continue;
    troubles.push_back(absl::StrCat(rows, " rows not told: ", ExportRefusalHelp(static_cast<ExportRefusal>(i))));
  }
  return absl::StrJoin(troubles, "; ");
}

}  // namespace flowacct::sink
