// Which packets to look at: one in so many, at random.
//
// Standard: RFC 5475, 5.2.2.2 (uniform probabilistic sampling), by drawing how many packets to pass over; the mean of
// it is the rate exactly. sFlow (sflow_version_5.txt, 3.1) asks for the same. Guaranteed: the same seed takes the same
// packets. A rate of 1 takes all. Threads: one at a time. Cost: a decrement a packet.

#ifndef FLOWACCT_METER_PACKET_SAMPLER_H_
#define FLOWACCT_METER_PACKET_SAMPLER_H_

#include <cstdint>

#include "flowacct/base/octet_hash.h"

namespace flowacct::meter {

class PacketSampler {
 public:
  // `rate`: one packet in this many; 0 is 1.
  explicit PacketSampler(uint32_t rate, uint64_t seed = 1) : rate_(rate == 0 ? 1 : rate), state_(seed) {
    left_ = Draw();
  }

  uint32_t rate() const { return rate_; }
  // Packets that were seen, and of these taken.
  uint64_t seen() const { return seen_; }
  uint64_t taken() const { return taken_; }

  // Whether to take this one.
  bool Take() {
    ++seen_;
    if (--left_ != 0) return false;
    left_ = Draw();
    ++taken_;
    return true;
  }

 private:
  // Uniform in 1 .. 2 * rate - 1.
  uint64_t Draw() {
    const uint64_t bits = base::NextSecret(&state_) >> 32;
    return 1 + (bits * (2 * uint64_t{rate_} - 1) >> 32);
  }

  uint32_t rate_;
  uint64_t state_;
  uint64_t left_;
  uint64_t seen_ = 0, taken_ = 0;
};

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_PACKET_SAMPLER_H_
