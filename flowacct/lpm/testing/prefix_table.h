// Prefixes as the global routing tables have them, for tests and benchmarks.
//
// The lengths are those of the tables of 2025, rounded; half of the prefixes lie inside another one of the table, as
// half of the real ones do. Neighbours are drawn, not real: the real table is denser, so this one is the harder.
// Distinct prefixes in no order. Deterministic: the same seed gives the same table anywhere.

#ifndef FLOWACCT_LPM_TESTING_PREFIX_TABLE_H_
#define FLOWACCT_LPM_TESTING_PREFIX_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::lpm {

std::vector<base::IpPrefix> MakeV4Prefixes(size_t n, uint64_t seed);
std::vector<base::IpPrefix> MakeV6Prefixes(size_t n, uint64_t seed);

// Addresses in those prefixes as traffic has them: how often a prefix is drawn falls with its rank (Zipf, exponent 1),
// ranks are drawn, and so are the bits below.
std::vector<base::IpAddress> MakeTraffic(const std::vector<base::IpPrefix>& prefixes, size_t n, uint64_t seed);

}  // namespace flowacct::lpm

#endif  // FLOWACCT_LPM_TESTING_PREFIX_TABLE_H_
