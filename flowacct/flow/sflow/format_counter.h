// How often each format of sample and record was met. Formats of sflow.org are counted in a table, those of other
// enterprises in a bounded map.
//
// Threads: one at a time. Cost: an increment for a format of sflow.org (32 KiB for each version and kind once met), a
// hash look-up for the others.

#ifndef FLOWACCT_FLOW_SFLOW_FORMAT_COUNTER_H_
#define FLOWACCT_FLOW_SFLOW_FORMAT_COUNTER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/flow/sflow/sflow_decoder.h"

namespace flowacct::sflow {

class FormatCounter {
 public:
  explicit FormatCounter(uint32_t max_vendor_formats) : max_vendor_formats_(max_vendor_formats) {}

  void Count(uint32_t version, FormatCount::Kind kind, uint32_t data_format) {
    if (data_format >= kFormats) return CountVendor(version, kind, data_format);
    std::unique_ptr<Table>& table = tables_[kind][version - 2];
    if (table == nullptr) table = std::make_unique<Table>(Table{});
    ++(*table)[data_format];
  }
  // By version, kind, enterprise and format.
  std::vector<FormatCount> Counts() const;

 private:
  static constexpr uint32_t kFormats = 4096;  // 12 bits
  using Table = std::array<uint64_t, kFormats>;
  using VendorKey = std::tuple<uint32_t, uint8_t, uint32_t>;

  void CountVendor(uint32_t version, FormatCount::Kind kind, uint32_t data_format);

  uint32_t max_vendor_formats_;
  std::unique_ptr<Table> tables_[3][4];  // kind; version 2 to 5
  absl::flat_hash_map<VendorKey, uint64_t> vendors_;
  uint64_t others_ = 0;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_FORMAT_COUNTER_H_
