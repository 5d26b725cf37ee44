// What an Aggregator keeps, for its own files: aggregator.cc and checkpoint.cc.

#ifndef FLOWACCT_AGGREGATE_AGGREGATOR_STATE_H_
#define FLOWACCT_AGGREGATE_AGGREGATOR_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/group_bin.h"
#include "flowacct/aggregate/group_table.h"
#include "flowacct/aggregate/key_cutter.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/record_splitter.h"
#include "flowacct/aggregate/time_bins.h"

namespace flowacct::aggregate {

inline constexpr size_t kBlock = GroupTable::kBatch;

struct CounterName {
  absl::string_view name;
  uint64_t AggregatorCounters::*counter;
};
inline constexpr CounterName kCounters[] = {
    {"records_in", &AggregatorCounters::records_in},
    {"records_aggregated", &AggregatorCounters::records_aggregated},
    {"records_overflowed", &AggregatorCounters::records_overflowed},
    {"records_late", &AggregatorCounters::records_late},
    {"records_without_time", &AggregatorCounters::records_without_time},
    {"records_not_split", &AggregatorCounters::records_not_split},
    {"parts_late", &AggregatorCounters::parts_late},
    {"bins_evicted", &AggregatorCounters::bins_evicted},
    {"sum_carries", &AggregatorCounters::sum_carries},
    {"groups", &AggregatorCounters::groups},
};

struct Aggregator::State {
  AggregatorOptions options;
  std::vector<KeySpec> keys;
  std::shared_ptr<GroupShape> shape = std::make_shared<GroupShape>();  // fixed once made; bins share it
  std::vector<record::FieldId> required;
  size_t group_limit = 0;

  // Of the bound layout.
  std::optional<KeyCutter> cutter;
  size_t stride = 0;
  ValueSources sources;
  std::vector<ValueSource> times;  // that choose the bin, the first that is there
  ValueSource start, end;          // for prorate
  std::vector<uint8_t> key_buffer;
  std::optional<RecordSplitter> splitter;  // if prorate
  std::vector<uint8_t> split_keys;         // of its records

  std::optional<TimeBins> bins;
  std::vector<std::unique_ptr<GroupBin>> open;  // by time
  GroupBin* last = nullptr;                     // where the record before went
  size_t open_groups = 0;
  int64_t closed_through = INT64_MIN;  // bins that began before this were closed
  std::vector<AggregateBatch> finished;

  AggregatorCounters counters;
  Totals late;

  // The oldest `count` bins, as a partial.
  std::unique_ptr<Aggregator> Take(size_t count);
  int64_t TimeOf(const uint8_t* row);
  GroupBin* BinAt(int64_t nanos);
  void CloseFirst();
  void AddBlock(const uint8_t* const* rows, size_t n);
  void AddToBin(GroupBin* bin, const uint8_t* const* rows, size_t n);
  void AddKeys(GroupBin* bin, const uint8_t* const* rows, const uint8_t* const* sum_rows, size_t n);
  void AddLate(const uint8_t* row);
  bool Split(const uint8_t* row);
  void AddParts();
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATOR_STATE_H_
