#include "flowacct/rib/testing/route_table.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bgp/update.h"
#include "flowacct/lpm/testing/prefix_table.h"

namespace flowacct::rib {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(base::NextSecret(&state_) % n); }
  // Of some 75,000 ASes, one in four has a number of 4 octets; the exponent makes few origins frequent.
  uint32_t OriginAs() {
    const double u = static_cast<double>(base::NextSecret(&state_) >> 11) * 0x1p-53;
    return As(static_cast<uint32_t>(75000 * std::pow(u, 3)));
  }
  static uint32_t As(uint32_t i) { return i % 4 == 3 ? 196608 + 3 * i : 1 + i % 64000; }

 private:
  uint64_t state_;
};

void PutAttributes(Draw* draw, uint32_t peer_as, bool v6, bgp::testing::UpdateBuilder* builder) {
  std::vector<uint32_t> path = {peer_as, Draw::As(draw->Below(40))};
  for (uint32_t more = draw->Below(4); more != 0; --more) path.push_back(Draw::As(40 + draw->Below(3000)));
  path.push_back(draw->OriginAs());
  builder->Origin(draw->Below(20) == 0 ? 2 : 0).AsPath(path);
  if (!v6) builder->NextHop(absl::StrCat("192.0.2.", 1 + path[1] % 8));
  if (draw->Below(10) < 3) builder->Med(draw->Below(200));
  std::vector<uint32_t> communities(draw->Below(9));
  for (uint32_t& community : communities) community = (path[1] & 0xffff) << 16 | draw->Below(400);
  if (!communities.empty()) builder->Communities(communities);
  if (draw->Below(10) == 0) {
    builder->LargeCommunities({path[1], draw->Below(20), draw->Below(500), path[1], draw->Below(20), draw->Below(500)});
  }
}

}  // namespace

RouteTable MakeRouteTable(size_t v4_count, size_t v6_count, uint64_t seed, uint64_t sets_seed, uint32_t peer_as) {
  RouteTable table;
  table.prefixes = lpm::MakeV4Prefixes(v4_count, seed);
  table.v4_count = v4_count;
  const std::vector<base::IpPrefix> v6 = lpm::MakeV6Prefixes(v6_count, seed + 1);
  table.prefixes.insert(table.prefixes.end(), v6.begin(), v6.end());
  Draw lengths(seed + 2), attributes(sets_seed);
  const auto update = std::make_unique<bgp::Update>();
  bgp::UpdateCounters counters;
  std::vector<uint8_t> buffer;
  const uint8_t v6_next_hop[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  for (size_t begin = 0; begin < table.prefixes.size();) {
    size_t n = 1;
    while (n < 60 && lengths.Below(6) != 0) ++n;
    const bool is_v6 = begin >= v4_count;
    const size_t end = std::min(begin + n, is_v6 ? table.prefixes.size() : v4_count);
    bgp::testing::UpdateBuilder builder;
    PutAttributes(&attributes, peer_as, is_v6, &builder);
    if (is_v6) builder.MpReach(bgp::Family::kIpv6Unicast, v6_next_hop);
    for (size_t i = begin; i < end; ++i) {
      bgp::testing::BuiltRoute route;
      route.prefix = table.prefixes[i];
      if (is_v6) {
        builder.MpAnnounce(route);
      } else {
        builder.Announce(route);
      }
    }
    const base::Octets message = builder.Message();
    table.message_begins.push_back(table.messages.size());
    table.messages.insert(table.messages.end(), message.begin(), message.end());
    bgp::DecodeUpdate(message, bgp::SessionContext(), update.get(), &counters);
    const base::Octets set = bgp::CanonicalizeAttributes(*update, update->announced()[0], &buffer);
    table.sets.emplace_back(base::AsText(set));
    table.runs.push_back(static_cast<uint32_t>(begin));
    begin = end;
  }
  table.runs.push_back(static_cast<uint32_t>(table.prefixes.size()));
  table.message_begins.push_back(table.messages.size());
  return table;
}

}  // namespace flowacct::rib
