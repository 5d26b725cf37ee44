#include "flowacct/flow/sflow/format_counter.h"

#include <algorithm>
#include <string>

#include "flowacct/flow/sflow/record_format.h"
#include "flowacct/flow/sflow/sflow_view.h"

namespace flowacct::sflow {

namespace {

FormatCount MakeCount(uint32_t version, FormatCount::Kind kind, uint32_t data_format, uint64_t count) {
  absl::string_view name;
  if (kind == FormatCount::kSample) {
    name = SampleFormatName(data_format);
  } else {
    const RecordFormat* format =
        kind == FormatCount::kFlowRecord ? FindFlowFormat(version, data_format) : FindCounterFormat(data_format);
    if (format != nullptr) name = format->name;
  }
  return FormatCount{version,
                     kind,
                     FormatEnterprise(data_format),
                     FormatNumber(data_format),
                     name.empty() ? "unknown" : std::string(name),
                     count};
}

}  // namespace

void FormatCounter::CountVendor(uint32_t version, FormatCount::Kind kind, uint32_t data_format) {
  const VendorKey key{version, kind, data_format};
  const auto it = vendors_.find(key);
  if (it != vendors_.end()) {
    ++it->second;
  } else if (vendors_.size() < max_vendor_formats_) {
    vendors_[key] = 1;
  } else {
    ++others_;
  }
}

std::vector<FormatCount> FormatCounter::Counts() const {
  std::vector<FormatCount> counts;
  for (FormatCount::Kind kind : {FormatCount::kSample, FormatCount::kFlowRecord, FormatCount::kCounterRecord}) {
    for (uint32_t version = 2; version <= 5; ++version) {
      const Table* table = tables_[kind][version - 2].get();
      if (table == nullptr) continue;
      for (uint32_t format = 0; format < kFormats; ++format) {
        if ((*table)[format] != 0) counts.push_back(MakeCount(version, kind, format, (*table)[format]));
      }
    }
  }
  for (const auto& [key, count] : vendors_) {
    counts.push_back(
        MakeCount(std::get<0>(key), static_cast<FormatCount::Kind>(std::get<1>(key)), std::get<2>(key), count));
  }
  std::sort(counts.begin(), counts.end(), [](const FormatCount& a, const FormatCount& b) {
    return std::tie(a.version, a.kind, a.enterprise, a.format) < std::tie(b.version, b.kind, b.enterprise, b.format);
  });
  if (others_ != 0) counts.push_back(FormatCount{5, FormatCount::kSample, 0, 0, "other", others_});
  return counts;
}

}  // namespace flowacct::sflow
