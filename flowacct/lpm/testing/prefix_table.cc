#include "flowacct/lpm/testing/prefix_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/base/octets.h"

namespace flowacct::lpm {
namespace {

struct Share {
  uint8_t length;
  uint16_t per_mille;
};
constexpr Share kV4Shares[] = {{12, 2},  {13, 3},  {14, 5},  {16, 15},  {17, 10},  {18, 15},
                               {19, 30}, {20, 45}, {21, 50}, {22, 110}, {23, 100}, {24, 615}};
constexpr Share kV6Shares[] = {{29, 30},  {32, 130}, {33, 30}, {36, 50}, {40, 100},
                               {44, 110}, {45, 20},  {46, 50}, {47, 40}, {48, 440}};
// Of the regional registries (IANA, IPv6 Global Unicast Address Space).
constexpr uint16_t kV6Blocks[] = {0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00};

uint8_t DrawLength(absl::Span<const Share> shares, uint64_t draw) {
  uint32_t at = static_cast<uint32_t>(draw % 1000);
  for (const Share& share : shares) {
    if (at < share.per_mille) return share.length;
    at -= share.per_mille;
  }
  return shares.back().length;
}

// The first 64 bits of an address, from the left.
std::vector<std::pair<uint64_t, uint8_t>> Draw(absl::Span<const Share> shares, size_t n, uint64_t seed,
                                               uint64_t (*draw_block)(uint64_t random)) {
  std::vector<std::pair<uint64_t, uint8_t>> all;
  absl::flat_hash_set<std::pair<uint64_t, uint8_t>> seen;
  all.reserve(n);
  seen.reserve(n);
  while (all.size() < n) {
    const uint8_t length = DrawLength(shares, base::NextSecret(&seed));
    uint64_t bits = draw_block(base::NextSecret(&seed));
    const uint64_t choice = base::NextSecret(&seed);
    if (choice % 2 == 0 && !all.empty()) {
      const auto& [outer, outer_length] = all[(choice >> 8) % all.size()];
      if (outer_length < length) bits = outer | (base::NextSecret(&seed) >> outer_length);
    }
    bits &= ~uint64_t{0} << (64 - length);
    if (seen.emplace(bits, length).second) all.emplace_back(bits, length);
  }
  return all;
}

}  // namespace

std::vector<base::IpPrefix> MakeV4Prefixes(size_t n, uint64_t seed) {
  std::vector<base::IpPrefix> prefixes;
  prefixes.reserve(n);
  // 1.0.0.0 to 223.255.255.255.
  for (const auto& [bits, length] : Draw(kV4Shares, n, seed, [](uint64_t random) {
         return ((random >> 32) % 223 + 1) << 56 | (random & 0xffffff) << 32;
       })) {
    prefixes.emplace_back(base::IpAddress::V4(static_cast<uint32_t>(bits >> 32)), length);
  }
  return prefixes;
}

std::vector<base::IpPrefix> MakeV6Prefixes(size_t n, uint64_t seed) {
  std::vector<base::IpPrefix> prefixes;
  prefixes.reserve(n);
  for (const auto& [bits, length] : Draw(kV6Shares, n, seed, [](uint64_t random) {
         return uint64_t{kV6Blocks[(random >> 60) % 6] + (random >> 48 & 15)} << 48 | (random & 0xffffffffffff);
       })) {
    base::IpAddress address;
    base::StoreBe64(address.data(), bits);
    prefixes.emplace_back(address, length);
  }
  return prefixes;
}

std::vector<base::IpAddress> MakeTraffic(const std::vector<base::IpPrefix>& prefixes, size_t n, uint64_t seed) {
  std::vector<double> sums;
  std::vector<uint32_t> ranks;
  double sum = 0;
  for (size_t i = 0; i < prefixes.size(); ++i) {
    sums.push_back(sum += 1.0 / static_cast<double>(i + 1));
    ranks.push_back(static_cast<uint32_t>(i));
    std::swap(ranks.back(), ranks[base::NextSecret(&seed) % (i + 1)]);
  }
  std::vector<base::IpAddress> addresses;
  addresses.reserve(n);
  while (addresses.size() < n) {
    const double at = static_cast<double>(base::NextSecret(&seed) >> 11) * 0x1p-53 * sum;
    const size_t rank = static_cast<size_t>(std::upper_bound(sums.begin(), sums.end(), at) - sums.begin());
    const base::IpPrefix& prefix = prefixes[ranks[std::min(rank, ranks.size() - 1)]];
    base::IpAddress address = prefix.address();
    const unsigned from = (address.IsV4() ? 96u : 0u) + prefix.length();
    uint64_t random = base::NextSecret(&seed);
    for (unsigned bit = from; bit < 128; ++bit, random = random >> 1 | random << 63) {
      address.data()[bit / 8] |= static_cast<uint8_t>((random & 1) << (7 - bit % 8));
    }
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace flowacct::lpm
