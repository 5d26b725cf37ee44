#include "flowacct/topology/testing/random_routing.h"

#include <random>
#include <utility>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::topology {

std::vector<Advertisement> RandomRouting(uint64_t seed, bool zero_metrics) {
  std::mt19937_64 random(seed);
  const auto share = [&](unsigned percent) { return random() % 100 < percent; };
  std::vector<Advertisement> all;
  for (const uint8_t level : {uint8_t{1}, uint8_t{2}}) {
    RandomNetworkOptions options;
    options.seed = seed * 2 + level;
    options.routers = 2 + seed % 12;
    options.links = options.routers + seed % 7;
    options.lans = seed % 3;
    options.pieces = seed % 2 == 0;  // areas
    options.max_metric = 4;
    options.zero_metric_share = zero_metrics ? 15 : 0;
    options.overload_share = 10;
    for (Advertisement& a : RandomNetwork(options)) {
      a.key.level = level;
      if (IsPseudonode(NodeStyle::kIsis, a.key.origin)) {
        all.push_back(std::move(a));
        continue;
      }
      if (level == 2 && share(40)) continue;  // of level 1 alone
      a.attached = level == 1 && share(30);
      if (share(50)) {
        a.topologies.push_back({2, share(10), level == 1 && share(30)});
        const size_t links = a.links.size();
        for (size_t l = 0; l < links; ++l) {
          if (share(20)) continue;
          AdvertisedLink link = a.links[l];
          link.topology = 2;
          link.metric = zero_metrics && share(15) ? 0 : static_cast<uint32_t>(1 + random() % 4);
          a.links.push_back(link);
        }
      }
      for (size_t p = random() % 6; p > 0; --p) {
        AdvertisedPrefix prefix;
        const uint32_t number = static_cast<uint32_t>(random() % 6);
        const uint8_t longer = static_cast<uint8_t>(random() % 3 * 4);
        if (share(50)) {
          prefix.prefix = {base::IpAddress::V4(0x0a000000 + (number << 16)),
                           static_cast<uint8_t>(share(10) ? 0 : 16 + longer)};
        } else {
          uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<uint8_t>(number)};
          prefix.prefix = {base::IpAddress::FromV6(octets), static_cast<uint8_t>(share(10) ? 0 : 48 + longer)};
          prefix.topology = a.topologies.empty() || share(30) ? 0 : 2;
        }
        prefix.metric = share(3) ? 0xfe000001 : static_cast<uint32_t>(random() % 4);
        prefix.down = share(25);
        prefix.external = share(20);
        prefix.external_metric = share(20);
        a.prefixes.push_back(prefix);
      }
      if (share(20)) {  // in two fragments
        Advertisement more;
        more.key = a.key;
        more.key.fragment = static_cast<uint8_t>(1 + random() % 3);
        more.prefixes.swap(a.prefixes);
        if (!a.links.empty()) {
          more.links.push_back(a.links.back());
          a.links.pop_back();
        }
        all.push_back(std::move(a));
        all.push_back(std::move(more));
        continue;
      }
      all.push_back(std::move(a));
    }
  }
  return all;
}

}  // namespace flowacct::topology
