// What the tests of this room make records with.

#ifndef FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_
#define FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::aggregate {

inline base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }
inline int64_t Seconds(int64_t seconds) { return seconds * 1000000000; }

// An aggregator with a layout and a batch that fit it.
struct Bench {
  explicit Bench(AggregatorOptions options, std::vector<record::FieldId> more = {}) {
    if (options.seed == 0) options.seed = 1;
    auto made = Aggregator::New(std::move(options), &interner);
    if (!made.ok()) {
      error = std::string(made.status().message());
      return;
    }
    aggregator = *std::move(made);
    std::vector<record::FieldId> fields(aggregator->RequiredFields().begin(), aggregator->RequiredFields().end());
    fields.insert(fields.end(), more.begin(), more.end());
    layout = std::make_unique<record::Layout>(fields);
    aggregator->Bind(*layout);
    batch = std::make_unique<record::FlowBatch>(layout.get(), &interner);
  }
  record::MutableRow Row() { return batch->Append(); }
  void Flush() {
    aggregator->Add(*batch);
    batch->Clear();
  }

  base::Interner interner;
  std::string error;
  std::unique_ptr<Aggregator> aggregator;
  std::unique_ptr<record::Layout> layout;
  std::unique_ptr<record::FlowBatch> batch;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_
