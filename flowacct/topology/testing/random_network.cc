#include "flowacct/topology/testing/random_network.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace flowacct::topology {
namespace {

class Maker {
 public:
  explicit Maker(const RandomNetworkOptions& options) : options_(options), random_(options.seed) {}

  std::vector<Advertisement> Make() {
    for (size_t r = 1; r <= options_.routers; ++r) {
      Advertisement& router = Of(RouterKey(r));
      router.overload = Share(options_.overload_share);
      router.name = "r" + std::to_string(r);
      router.router_id = base::IpAddress::V4(0x0a000000 + static_cast<uint32_t>(r));
    }
    if (options_.routers > 1) {
      size_t links = 0;
      if (!options_.pieces) {
        for (size_t r = 2; r <= options_.routers; ++r, ++links) Link(r, Near(r, 1, r - 1));
      }
      for (; links < options_.links; ++links) {
        const size_t a = 1 + Below(options_.routers);
        Link(a, Near(a, 1, options_.routers));
      }
      for (size_t l = 0; l < options_.lans; ++l) Lan(static_cast<uint8_t>(l % 255 + 1));
    }
    Prefixes();
    std::vector<Advertisement> all;
    for (auto& [key, advertisement] : nodes_) all.push_back(std::move(advertisement));
    return all;
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Share(unsigned percent) { return Below(100) < percent; }
  uint32_t Metric() {
    if (Share(options_.zero_metric_share)) return 0;
    return 1 + static_cast<uint32_t>(Below(options_.max_metric));
  }

  Advertisement& Of(NodeKey key) {
    Advertisement& node = nodes_[key];
    node.key.origin = key;
    return node;
  }

  // A router of first..last that is not `a`, if there is another.
  size_t Near(size_t a, size_t first, size_t last) {
    if (Share(options_.near_share)) {
      first = std::max(first, a > 20 ? a - 20 : 1);
      last = std::min(last, a + 20);
    }
    for (int tries = 0; tries < 100; ++tries) {
      const size_t b = first + Below(last - first + 1);
      if (b != a) return b;
    }
    return a == first ? last : first;
  }

  void Link(size_t a, size_t b) {
    if (a == b) return;
    const size_t times = Share(options_.parallel_share) ? 2 : 1;
    for (size_t i = 0; i < times; ++i) {
      const uint32_t there = Metric();
      const uint32_t back = Share(options_.asymmetric_share) ? Metric() : there;
      const base::IpAddress at_a = base::IpAddress::V4(0xac000000 + next_address_++);
      const base::IpAddress at_b = base::IpAddress::V4(0xac000000 + next_address_++);
      AdvertisedLink link;
      link.to = RouterKey(b);
      link.metric = there;
      link.local_address = at_a;
      link.remote_address = at_b;
      Of(RouterKey(a)).links.push_back(link);
      if (Share(options_.one_way_share)) continue;
      link.to = RouterKey(a);
      link.metric = back;
      std::swap(link.local_address, link.remote_address);
      // Not always in the same order at both ends.
      std::vector<AdvertisedLink>& links = Of(RouterKey(b)).links;
      links.insert(links.begin() + static_cast<std::ptrdiff_t>(Below(links.size() + 1)), link);
    }
  }

  void Lan(uint8_t number) {
    std::vector<size_t> members;
    const size_t size = std::min<size_t>(2 + Below(5), options_.routers);
    const size_t speaker = 1 + Below(options_.routers);
    members.push_back(speaker);
    for (int tries = 0; members.size() < size && tries < 100; ++tries) {
      const size_t r = Near(speaker, 1, options_.routers);
      if (std::find(members.begin(), members.end(), r) == members.end()) members.push_back(r);
    }
    const NodeKey lan = LanKey(speaker, number);
    for (const size_t r : members) {
      AdvertisedLink to_lan;
      to_lan.to = lan;
      to_lan.metric = Metric();
      Of(RouterKey(r)).links.push_back(to_lan);
      if (Share(options_.one_way_share)) continue;
      AdvertisedLink from_lan;
      from_lan.to = RouterKey(r);
      Of(lan).links.push_back(from_lan);
    }
  }

  void Prefixes() {
    uint32_t number = 0;
    for (size_t r = 1; r <= options_.routers; ++r) {
      for (size_t i = 0; i < options_.prefixes; ++i, ++number) {
        AdvertisedPrefix prefix;
        if (i % 2 == 0) {
          prefix.prefix = base::IpPrefix(base::IpAddress::V4(number << 4), static_cast<uint8_t>(24 + Below(5)));
        } else {
          uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8};
          base::StoreBe32(octets + 4, number);
          prefix.prefix = base::IpPrefix(base::IpAddress::FromV6(octets), static_cast<uint8_t>(64 - Below(8)));
        }
        prefix.metric = static_cast<uint32_t>(Below(options_.max_metric + 1));
        Of(RouterKey(r)).prefixes.push_back(prefix);
        if (Share(20)) {
          prefix.metric = static_cast<uint32_t>(Below(options_.max_metric + 1));
          Of(RouterKey(1 + Below(options_.routers))).prefixes.push_back(prefix);
        }
      }
    }
  }

  const RandomNetworkOptions& options_;
  std::mt19937_64 random_;
  std::map<NodeKey, Advertisement> nodes_;
  uint32_t next_address_ = 0;
};

}  // namespace

std::vector<Advertisement> RandomNetwork(const RandomNetworkOptions& options) { return Maker(options).Make(); }

Graph GraphOf(const std::vector<Advertisement>& advertisements, uint8_t level) {
  Graph::Builder builder(NodeStyle::kIsis, level, 0);
  for (const Advertisement& node : advertisements) {
    builder.AddNode(node.key.origin, node.overload, node.attached);
    for (const AdvertisedLink& link : node.links) {
      builder.AddLink(
          node.key.origin, link.to, link.metric,
          {link.local_address, link.remote_address, link.local_id, link.remote_id, link.bandwidth.value_or(0)});
    }
  }
  return builder.Build();
}

}  // namespace flowacct::topology
