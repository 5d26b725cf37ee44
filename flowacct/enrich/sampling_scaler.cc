#include "flowacct/enrich/sampling_scaler.h"

#include <limits>

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

// Packets that were not looked at are missing from these; flows are records, and are not estimated.
constexpr F kSampledCounters[] = {F::kPackets,      F::kBytes,       F::kDroppedPackets,
                                  F::kDroppedBytes, F::kPostPackets, F::kPostBytes};
constexpr F kRequired[] = {F::kSamplingRate, F::kSamplingSource};

}  // namespace

SamplingScaler::SamplingScaler(const record::Layout* layout, SamplingScalerOptions options)
    : layout_(layout), options_(options) {
  for (F field : kSampledCounters) {
    if (layout->Has(field)) counters_.push_back({layout->offset(field)});
  }
}

absl::Span<const F> SamplingScaler::RequiredFields() { return kRequired; }

void SamplingScaler::Apply(record::FlowBatch& batch) {
  const uint16_t rate_offset = layout_->offset(F::kSamplingRate);
  if (rate_offset == record::Layout::kAbsent) return;
  uint8_t* octets = batch.data();
  const size_t stride = batch.stride();
  for (size_t i = 0; i < batch.size(); ++i, octets += stride) {
    uint64_t rate = base::LoadHost<uint64_t>(octets + rate_offset);
    if (options_.default_rate != 0 && (rate == 0 || options_.override_rate)) {
      rate = options_.default_rate;
      record::MutableRow row = batch.row(i);
      row.Set<F::kSamplingRate>(rate);
      row.Set<F::kSamplingSource>(static_cast<uint8_t>(record::SamplingSource::kConfigured));
    }
    if (rate <= 1) continue;
    ++records_scaled_;
    for (const Counter& counter : counters_) {
      uint64_t scaled;
      if (__builtin_mul_overflow(base::LoadHost<uint64_t>(octets + counter.offset), rate, &scaled)) {
        scaled = std::numeric_limits<uint64_t>::max();
        ++overflows_;
      }
      base::StoreHost(octets + counter.offset, scaled);
    }
  }
}

}  // namespace flowacct::enrich
