// What the tests of this room make records with.

#ifndef FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_
#define FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_

#include <memory>
#include <random>
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

inline AggregatorOptions By(std::vector<std::string> by,
                            std::vector<std::string> values = {"packets", "bytes", "flows"}) {
  AggregatorOptions options;
  options.by = std::move(by);
  options.values = std::move(values);
  return options;
}

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

// Keys and values of every kind, in bins.
inline AggregatorOptions OfEveryKind() {
  AggregatorOptions options = By({"src_addr", "dst_net", "src_mac", "vrf_name", "as_path", "protocol", "mpls_vpn_rd"},
                                 {"packets", "bytes", "min(ttl)", "max(start_time)", "distinct(dst_port)",
                                  "distinct(http_host)", "top(http_host)", "top2(dst_port)", "top(dst_net)"});
  options.every = absl::Minutes(1);
  options.lateness = absl::Seconds(30);
  return options;
}

// In this order everywhere, since top() breaks ties by id.
inline void InternHosts(Bench* bench) {
  for (int host = 0; host < 9; ++host) bench->interner.Intern("host-" + std::to_string(host));
}

// `count` records for them, over five minutes, of some hundred groups.
inline void AddOfEveryKind(Bench* bench, uint32_t seed, int count) {
  using F = record::FieldId;
  std::mt19937 random(seed);
  InternHosts(bench);
  const auto one_in = [&random](uint32_t n) { return random() % n == 0; };
  for (int i = 0; i < count; ++i) {
    auto row = bench->Row();
    const uint32_t host = random() % 6;
    if (host < 4) {
      row.Set<F::kSrcAddr>(host < 2 ? base::IpAddress::V4(0xc0000200 + host)
                                    : Address(host == 2 ? "2001:db8::1" : "2001:db8::2"));
    }
    if (one_in(2)) row.Set<F::kDstNet>(*base::IpPrefix::Parse(one_in(2) ? "198.51.100.0/24" : "2001:db8::/32"));
    if (one_in(3)) row.Set<F::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:01"));
    if (one_in(2)) row.Set<F::kVrfName>(bench->interner.Intern(one_in(2) ? "red" : "blue"));
    if (one_in(9)) row.Set<F::kAsPath>(one_in(2) ? base::Interner::kOverflowId : base::Interner::kNone);
    if (one_in(2)) row.Set<F::kProtocol>(one_in(2) ? 6 : 17);
    if (one_in(9)) row.Set<F::kMplsVpnRd>(uint64_t{65000} << 32 | 1);
    row.Set<F::kPackets>(1 + random() % 1000);
    row.Set<F::kBytes>(one_in(50) ? UINT64_MAX - random() : random() % 100000);
    if (one_in(2)) row.Set<F::kTtl>(static_cast<uint8_t>(random()));
    row.Set<F::kDstPort>(static_cast<uint16_t>(random() % 7));  // few, so that top() is exact
    row.Set<F::kHttpHost>(bench->interner.Intern("host-" + std::to_string(random() % 9)));
    row.Set<F::kStartTime>(Seconds(random() % 300) - Seconds(60));
    if (i % 100 == 0) bench->Flush();
  }
  bench->Flush();
}

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATE_TEST_ROWS_H_
