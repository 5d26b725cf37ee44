// Flows of an imagined network, each a pure function of a seed and an index: the keys of generated workloads.
//
// Prefix lengths follow the histogram of the global routing table, origin ASes are skewed, keys fall into a bounded
// number of (source prefix, destination prefix) pairs. Addresses are public unicast space, which nobody is asked for,
// or documentation space (RFC 5737, 3849, 5398) for captures that are shown to people. Integer and exactly rounded
// arithmetic only, so that the same seed gives the same octets on every machine. Threads: immutable after construction.
// Cost: about 30 ns a key, no memory; ranks: 8 octets each.

#ifndef FLOWACCT_COLLECTOR_GENERATE_FLOW_POPULATION_H_
#define FLOWACCT_COLLECTOR_GENERATE_FLOW_POPULATION_H_

#include <array>
#include <cstdint>
#include <vector>

namespace flowacct::collector {

// SplitMix64 (Steele, Lea and Flood 2014): a stream of numbers whose n-th follows from the seed.
inline uint64_t MixBits(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : state_(MixBits(seed)) {}
  uint64_t Next() { return MixBits(state_ += 0x9e3779b97f4a7c15); }
  // Uniform in 0 .. n - 1.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>((Next() >> 32) * n >> 32); }
  // Uniform in [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// Ranks 0 .. n - 1 where rank k comes with a probability proportional to 1 / (k + 1)^exponent (Zipf), by Walker's
// alias method: one number and one table look-up a draw.
class ZipfRanks {
 public:
  ZipfRanks(uint32_t n, double exponent);
  uint32_t Draw(RandomStream& random) const {
    const uint64_t bits = random.Next();
    const auto i = static_cast<uint32_t>((bits >> 32) * slots_.size() >> 32);
    return static_cast<uint32_t>(bits) <= slots_[i].keep ? i : slots_[i].alias;
  }

 private:
  struct Slot {
    uint32_t keep;  // of 2^32: how often the slot's own rank is meant
    uint32_t alias;
  };
  std::vector<Slot> slots_;
};

struct FlowKey {
  bool v6 = false;
  // IPv4: the first four octets; network order.
  std::array<uint8_t, 16> src{}, dst{};
  uint16_t src_port = 0, dst_port = 0;  // 0 for ICMP
  uint8_t protocol = 0;
  uint8_t src_mask = 0, dst_mask = 0;
  uint32_t src_as = 0, dst_as = 0;
};

class FlowPopulation {
 public:
  // `ipv6_percent` of the pairs of prefixes are IPv6.
  FlowPopulation(uint64_t seed, uint32_t prefix_pairs, int ipv6_percent, bool documentation_space)
      : seed_(MixBits(seed)),
        prefix_pairs_(prefix_pairs),
        ipv6_percent_(ipv6_percent),
        documentation_space_(documentation_space) {}
  FlowKey Key(uint32_t index) const;

 private:
  uint64_t seed_;
  uint32_t prefix_pairs_;
  int ipv6_percent_;
  bool documentation_space_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_FLOW_POPULATION_H_
