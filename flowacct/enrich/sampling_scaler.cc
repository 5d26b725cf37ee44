#include "flowacct/enrich/sampling_scaler.h"

#include <limits>

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

// Packets that were not looked at are missing from these; flows are records, and are not estimated.
constexpr F kSampledCounters[] = {F::kPackets,      F::kBytes,       F::kDroppedPackets,
                                  F::kDroppedBytes, F::kPostPackets, F::kPostBytes};

}  // namespace

std::vector<F> SamplingScaler::RequiredFields(const record::FieldSet& wanted) const {
  if (!wanted.HasAny(kSampledCounters)) return {};
  return {F::kSamplingRate};
}

void SamplingScaler::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  rate_offset_ = layout.offset(F::kSamplingRate);
  counters_.clear();
  for (F field : kSampledCounters) {
    if (wanted.Has(field) && layout.Has(field)) counters_.push_back(layout.offset(field));
  }
}

void SamplingScaler::Apply(record::FlowBatch& batch) {
  if (rate_offset_ == record::Layout::kAbsent) return;
  uint8_t* octets = batch.data();
  const size_t stride = batch.stride();
  for (size_t i = 0; i < batch.size(); ++i, octets += stride) {
    uint64_t rate = base::LoadHost<uint64_t>(octets + rate_offset_);
    if (options_.default_rate != 0 && (rate == 0 || options_.override_rate)) {
      rate = options_.default_rate;
      record::MutableRow row = batch.row(i);
      row.Set<F::kSamplingRate>(rate);
      row.Set<F::kSamplingSource>(static_cast<uint8_t>(record::SamplingSource::kConfigured));
    }
    if (rate <= 1) continue;
    ++records_scaled_;
    for (uint16_t offset : counters_) {
      uint64_t scaled;
      if (__builtin_mul_overflow(base::LoadHost<uint64_t>(octets + offset), rate, &scaled)) {
        scaled = std::numeric_limits<uint64_t>::max();
        ++overflows_;
      }
      base::StoreHost(octets + offset, scaled);
    }
  }
}

std::vector<EnricherCounter> SamplingScaler::counters() const {
  return {{"records_scaled", records_scaled_}, {"overflows", overflows_}};
}

}  // namespace flowacct::enrich
