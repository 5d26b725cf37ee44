#include "flowacct/rib/best_path.h"

#include <algorithm>
#include <array>

namespace flowacct::rib {
namespace {

// The paths that are left, by their places.
class Candidates {
 public:
  explicit Candidates(absl::Span<const Path> paths) : paths_(paths), size_(std::min(paths.size(), kMaxPaths)) {
    places_[0] = 0;
    for (size_t i = 1; i < size_; ++i) places_[i] = static_cast<uint16_t>(i);
  }

  size_t size() const { return size_; }
  size_t front() const { return places_[0]; }
  const Path& operator[](size_t i) const { return paths_[places_[i]]; }

  // Keeps those of the lowest value.
  template <typename ValueOf>
  void KeepLowest(ValueOf&& value_of) {
    if (size_ <= 1) return;
    auto lowest = value_of((*this)[0]);
    size_t kept = 1;
    for (size_t i = 1; i < size_; ++i) {
      const auto value = value_of((*this)[i]);
      if (lowest < value) continue;
      if (value < lowest) {
        lowest = value;
        kept = 0;
      }
      places_[kept++] = places_[i];
    }
    size_ = kept;
  }

  // Keeps those for which `keep` is true before any is removed.
  template <typename Keep>
  void KeepIf(Keep&& keep) {
    std::array<bool, kMaxPaths> kept;
    for (size_t i = 0; i < size_; ++i) kept[i] = keep((*this)[i]);
    size_t n = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (kept[i]) places_[n++] = places_[i];
    }
    size_ = n;
  }

  template <typename Is>
  bool Any(Is&& is) const {
    for (size_t i = 0; i < size_; ++i) {
      if (is((*this)[i])) return true;
    }
    return false;
  }

 private:
  absl::Span<const Path> paths_;
  size_t size_;
  std::array<uint16_t, kMaxPaths> places_;
};

uint64_t CostWithAigp(const Path& path) {
  if (path.aigp == Path::kNoAigp) return Path::kNoAigp;
  const uint64_t cost = path.interior_cost == Path::kUnknownCost ? 0 : path.interior_cost;
  return path.aigp > Path::kNoAigp - 1 - cost ? Path::kNoAigp - 1 : path.aigp + cost;
}

}  // namespace

Path PathOf(bgp::AttributeSetView attributes, const PathSource& source, uint32_t path_id,
            const BestPathOptions& options) {
  Path path;
  path.local_pref = attributes.local_pref().value_or(options.default_local_pref);
  path.aigp = attributes.aigp().value_or(Path::kNoAigp);
  const bgp::AsPathView as_path = attributes.as_path();
  path.hops = static_cast<uint32_t>(as_path.hop_count());
  path.neighbour_as = as_path.first_as().value_or(0);
  path.origin = static_cast<uint8_t>(attributes.origin().value_or(bgp::Origin::kIncomplete));
  const std::optional<uint32_t> med = attributes.med();
  path.has_med = med.has_value();
  path.med = med.value_or(0);
  path.external = source.external;
  path.identifier = attributes.originator_id().value_or(source.bgp_identifier);
  path.clusters = static_cast<uint32_t>(attributes.cluster_list_length());
  path.peer = source.address;
  path.path_id = path_id;
  return path;
}

size_t BestPath(absl::Span<const Path> paths, const BestPathOptions& options) {
  Candidates left(paths);
  left.KeepLowest([](const Path& p) { return ~p.local_pref; });
  if (options.use_aigp) left.KeepLowest(CostWithAigp);
  left.KeepLowest([](const Path& p) { return p.hops; });
  left.KeepLowest([](const Path& p) { return p.origin; });
  const auto med_of = [&](const Path& p) -> uint64_t {
    return p.has_med ? p.med : options.missing_med_worst ? uint64_t{1} << 32 : 0;
  };
  if (options.always_compare_med) {
    left.KeepLowest(med_of);
  } else if (left.size() > 1) {
    left.KeepIf([&](const Path& p) {
      return !left.Any([&](const Path& q) { return q.neighbour_as == p.neighbour_as && med_of(q) < med_of(p); });
    });
  }
  left.KeepLowest([](const Path& p) { return !p.external; });
  if (!left.Any([](const Path& p) { return p.interior_cost == Path::kUnknownCost; })) {
    left.KeepLowest([](const Path& p) { return p.interior_cost; });
  }
  left.KeepLowest([](const Path& p) { return p.identifier; });
  left.KeepLowest([](const Path& p) { return p.clusters; });
  left.KeepLowest([](const Path& p) { return p.peer; });
  left.KeepLowest([](const Path& p) { return p.path_id; });
  return left.front();
}

}  // namespace flowacct::rib
