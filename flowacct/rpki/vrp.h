// A validated ROA payload: who may originate a prefix, and how long its more specifics may be.
//
// Standard: RFC 6811 (2). A plain value, any thread.

#ifndef FLOWACCT_RPKI_VRP_H_
#define FLOWACCT_RPKI_VRP_H_

#include <cstdint>
#include <utility>

#include "flowacct/base/ip_prefix.h"

namespace flowacct::rpki {

struct Vrp {
  base::IpPrefix prefix;
  uint8_t max_length = 0;  // prefix.length() to 32 or 128
  uint32_t as = 0;         // 0: nobody (RFC 6483, 4)

  friend bool operator==(const Vrp& a, const Vrp& b) {
    return a.as == b.as && a.max_length == b.max_length && a.prefix == b.prefix;
  }
  friend bool operator<(const Vrp& a, const Vrp& b) {
    if (!(a.prefix == b.prefix)) return a.prefix < b.prefix;
    return a.as != b.as ? a.as < b.as : a.max_length < b.max_length;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Vrp& v) {
    return H::combine(std::move(h), v.prefix, v.max_length, v.as);
  }
};

inline bool IsValid(const Vrp& vrp) {
  return vrp.max_length >= vrp.prefix.length() && vrp.max_length <= (vrp.prefix.address().IsV4() ? 32 : 128);
}

}  // namespace flowacct::rpki

#endif  // FLOWACCT_RPKI_VRP_H_
