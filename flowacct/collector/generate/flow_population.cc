#include "flowacct/collector/generate/flow_population.h"

#include <cmath>
#include <utility>

#include "flowacct/base/octets.h"

namespace flowacct::collector {
namespace {

struct Share {
  uint16_t below;  // of 1000
  uint8_t length;
};

// How often prefix lengths occur in the global routing tables, in thousandths, cumulated.
constexpr Share kLengths4[] = {{620, 24}, {725, 22}, {820, 23}, {872, 21}, {916, 20},
                               {946, 19}, {962, 18}, {978, 16}, {990, 17}, {1000, 14}};
constexpr Share kLengths6[] = {{470, 48}, {600, 32}, {700, 40}, {800, 44}, {850, 36}, {900, 46}, {950, 47}, {1000, 29}};

template <size_t n>
uint8_t DrawLength(const Share (&shares)[n], RandomStream& random) {
  const uint32_t x = random.Below(1000);
  for (const Share& share : shares) {
    if (x < share.below) return share.length;
  }
  return shares[n - 1].length;
}

// First octets that are private, loopback, link-local, shared or documentation space somewhere in them (RFC 6890).
bool IsSpecial(uint32_t first_octet) {
  switch (first_octet) {
    case 10:
    case 100:
    case 127:
    case 169:
    case 172:
    case 192:
    case 198:
    case 203:
      return true;
    default:
      return false;
  }
}

// 75,000 ASes, a few of which originate a good part of all prefixes; one in four needs four octets (RFC 6793).
uint32_t DrawAs(RandomStream& random) {
  const double u = random.Unit();
  const auto rank = static_cast<uint32_t>(75000 * u * u * u);
  return rank % 4 == 3 ? 196608 + rank * 3 : 1 + rank % 64000;
}

// One side of a flow: an address within the prefix that `prefix_seed` stands for.
void FillDocumentationEnd(bool v6, uint64_t prefix_seed, uint64_t host_bits, uint8_t* address, uint8_t* mask,
                          uint32_t* as) {
  *as = 64496 + (prefix_seed & 15);
  if (v6) {
    *mask = 48;
    base::StoreBe32(address, 0x20010db8);
    base::StoreBe16(address + 4, static_cast<uint16_t>(prefix_seed >> 8));
    base::StoreBe64(address + 8, host_bits & 0xffff);
    return;
  }
  constexpr uint32_t kNetworks[] = {0xc0000200, 0xc6336400, 0xcb007100};
  *mask = 24;
  base::StoreBe32(address, kNetworks[(prefix_seed >> 8) % 3] | (host_bits & 0xff));
}

// The same in the public Internet.
void FillEnd(bool v6, uint64_t prefix_seed, uint64_t host_bits, uint8_t* address, uint8_t* mask, uint32_t* as) {
  RandomStream random(prefix_seed);
  *as = DrawAs(random);
  if (v6) {
    constexpr uint16_t kTops[] = {0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00};
    *mask = DrawLength(kLengths6, random);
    uint64_t top = kTops[random.Below(5)];
    top |= random.Below(16);
    const uint64_t network = (top << 48 | random.Next() >> 16) & ~uint64_t{0} << (64 - *mask);
    base::StoreBe64(address, network | (host_bits & 0xff));
    base::StoreBe64(address + 8, MixBits(host_bits));
    return;
  }
  *mask = DrawLength(kLengths4, random);
  uint32_t first = 1 + random.Below(223);
  while (IsSpecial(first)) first = 1 + random.Below(223);
  const uint32_t host_mask = ~uint32_t{0} >> *mask;
  const uint32_t network = (first << 24 | random.Below(1u << 24)) & ~host_mask;
  base::StoreBe32(address, network | (static_cast<uint32_t>(host_bits) & host_mask));
}

}  // namespace

ZipfRanks::ZipfRanks(uint32_t n, double exponent) : slots_(n) {
  std::vector<double> share(n);
  double sum = 0;
  for (uint32_t i = 0; i < n; ++i) {
    // The usual exponent without pow(), whose last bit is the C library's.
    share[i] = exponent == 1.0 ? 1.0 / (i + 1.0) : std::pow(i + 1.0, -exponent);
    sum += share[i];
  }
  std::vector<uint32_t> small, large;
  for (uint32_t i = 0; i < n; ++i) {
    share[i] *= n / sum;
    slots_[i] = {~uint32_t{0}, i};
    (share[i] < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    slots_[poor] = {static_cast<uint32_t>(share[poor] * 0x1p32), rich};
    share[rich] -= 1 - share[poor];
    if (share[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
}

FlowKey FlowPopulation::Key(uint32_t index) const {
  RandomStream random(seed_ ^ index);
  const uint64_t pair_seed = MixBits(seed_ + random.Below(prefix_pairs_));
  FlowKey key;
  key.v6 = static_cast<int>((pair_seed >> 40) % 100) < ipv6_percent_;
  const auto fill = documentation_space_ ? FillDocumentationEnd : FillEnd;
  fill(key.v6, pair_seed, random.Next(), key.src.data(), &key.src_mask, &key.src_as);
  fill(key.v6, ~pair_seed, random.Next(), key.dst.data(), &key.dst_mask, &key.dst_as);

  const uint32_t x = random.Below(100);
  key.protocol = x < 70 ? 6 : x < 98 ? 17 : (key.v6 ? 58 : 1);
  if (key.protocol == 6 || key.protocol == 17) {
    constexpr uint16_t kServices[] = {443, 443, 443, 443, 443, 80, 80, 53, 8080, 22};
    key.src_port = static_cast<uint16_t>(1024 + random.Below(64000));
    const uint32_t y = random.Below(12);
    key.dst_port = y < 10 ? kServices[y] : static_cast<uint16_t>(1024 + random.Below(64000));
    if ((random.Next() & 1) != 0) std::swap(key.src_port, key.dst_port);
  }
  return key;
}

}  // namespace flowacct::collector
