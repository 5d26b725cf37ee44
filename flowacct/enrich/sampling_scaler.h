// Turns what was sampled into an estimate of what was there: counters times the sampling rate of their record.
//
// The rate is the record's own `sampling_rate`, whoever told it (`sampling_source` names the teller); where nobody
// told one, the configured rate. Each record is multiplied once, in integers, so that the sum over records stays the
// sum that any reader of the records computes; a product that leaves 64 bits is held at the largest value and counted.
// Threads: one at a time. Cost: one pass over the batch; nothing if no sampled counter is wanted.

#ifndef FLOWACCT_ENRICH_SAMPLING_SCALER_H_
#define FLOWACCT_ENRICH_SAMPLING_SCALER_H_

#include <cstdint>
#include <vector>

#include "flowacct/enrich/enricher.h"

namespace flowacct::enrich {

struct SamplingScalerOptions {
  // For records whose exporter tells no rate: one packet in this many was sampled. 0: unknown, nothing is multiplied.
  uint64_t default_rate = 0;
  // Use default_rate even where the exporter tells one (some exporters tell a wrong one).
  bool override_rate = false;
};

class SamplingScaler : public Enricher {
 public:
  explicit SamplingScaler(SamplingScalerOptions options) : options_(options) {}

  absl::string_view name() const override { return "sampling"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

  uint64_t records_scaled() const { return records_scaled_; }
  uint64_t overflows() const { return overflows_; }

 private:
  SamplingScalerOptions options_;
  uint16_t rate_offset_ = record::Layout::kAbsent;
  std::vector<uint16_t> counters_;  // offsets of the wanted counters that sampling thins out
  uint64_t records_scaled_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SAMPLING_SCALER_H_
