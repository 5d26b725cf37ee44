#include "flowacct/sink/testing/port_flows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/record/field.h"
#include "gtest/gtest.h"

namespace flowacct::sink {

using aggregate::Function;
using record::FieldId;

print::BatchBuilder PortFlows(int rows) {
  print::BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstPort},
                              {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
  for (int i = 0; i < rows; ++i) {
    auto row = builder.Add({1, 100});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(0x0a000001));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(i % 100));
  }
  return builder;
}

aggregate::AggregateBatch PortFlowsBatch(const print::BatchBuilder& builder, int64_t start, uint64_t number,
                                         absl::string_view table) {
  constexpr int64_t kNanos = 1000000000;
  aggregate::AggregateBatch batch = builder.Build({start * kNanos, (start + 300) * kNanos});
  batch.set_identity({"edge", std::string(table), 7, number});
  return batch;
}

PortSums AskByPort(const absl::StatusOr<std::unique_ptr<query::GroupStore>>& store, const std::string& table,
                   std::vector<size_t> values, bool by_port) {
  PortSums sums;
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return sums;
  query::GroupRequest request;
  request.table = table;
  if (by_port) request.by = {{FieldId::kDstPort, -1, -1}};
  request.values = std::move(values);
  const absl::Status status = (*store)->Sum(request, [&](const query::GroupRow& row) {
    const std::string key = by_port && row.group[0].present ? absl::StrCat(row.group[0].integer) : "-";
    EXPECT_TRUE(sums.emplace(key, std::vector<absl::uint128>(row.values.begin(), row.values.end())).second) << key;
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return sums;
}

void ExpectAnswersAsItsTwin(StoreSink* sink,
                            const std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()>& open) {
  const query::ConformanceData data;
  query::MemoryStore twin;
  for (const auto& [table, batch] : data.batches()) {
    const absl::Status status = sink->Write(*batch);
    ASSERT_TRUE(status.ok()) << status;
    twin.Add(table, batch);
  }
  const auto store = open();
  ASSERT_TRUE(store.ok()) << store.status();
  query::ExpectConforms(**store, twin);
}

}  // namespace flowacct::sink
