// What every GroupStore must answer, by the slow twin's word.
//
//     MemoryStore twin;
//     for (AggregateBatch& batch : ConformanceBatches()) { sink->Write(batch); twin.Add("flows", share(batch)); }
//     ExpectConforms(store, twin, "flows");

#ifndef FLOWACCT_QUERY_TESTING_CONFORMANCE_H_
#define FLOWACCT_QUERY_TESTING_CONFORMANCE_H_

#include <memory>
#include <string>
#include <vector>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/group_store.h"

namespace flowacct::query::testing {

// Bins of five minutes from 2026-01-15 on, some with corrections: addresses of both families, AS numbers, ports, paths,
// communities, names, absent values, sums beyond 64 bits, an overflow group. With identities.
std::vector<std::shared_ptr<const aggregate::AggregateBatch>> ConformanceBatches();

// The begin of the first bin, seconds since 1970, and how many bins there are.
inline constexpr int64_t kConformanceStart = 1768435200;
inline constexpr int kConformanceBins = 24;

// All requests at both, with what they answer compared. `skip`: requests whose filter has one of these in it are not
// made (what a store says Unimplemented to).
void ExpectConforms(GroupStore& store, GroupStore& twin, const std::string& table,
                    const std::vector<std::string>& skip = {});

// A request's answer as sorted lines, for comparison.
std::vector<std::string> AnswerLines(GroupStore& store, const GroupRequest& request);

}  // namespace flowacct::query::testing

#endif  // FLOWACCT_QUERY_TESTING_CONFORMANCE_H_
