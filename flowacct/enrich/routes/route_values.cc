#include "flowacct/enrich/routes/route_values.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/bgp/as_path.h"
#include "flowacct/bgp/attribute_set.h"

namespace flowacct::enrich {
namespace {

// RFC 6996, 5.
bool IsPrivateAs(uint32_t as) { return (as >= 64512 && as <= 65534) || (as >= 4200000000 && as <= 4294967294); }

// The first AS outside of confederations, and the last one, private ones skipped; nothing where a set is met first.
std::optional<uint32_t> FirstPublicAs(const bgp::AsPathView& path) {
  std::optional<uint32_t> first;
  bool set = false;
  path.ForEachSegment([&](const bgp::AsSegment& segment) {
    if (segment.confed() || first || set) return;
    set = segment.type == bgp::AsSegmentType::kSet;
    for (size_t i = 0; i < segment.count && !set && !first; ++i) {
      if (!IsPrivateAs(segment[i])) first = segment[i];
    }
  });
  return first;
}
std::optional<uint32_t> LastPublicAs(const bgp::AsPathView& path) {
  std::optional<uint32_t> last;
  path.ForEachSegment([&](const bgp::AsSegment& segment) {
    if (segment.confed()) return;
    if (segment.type == bgp::AsSegmentType::kSet) last.reset();
    for (size_t i = 0; i < segment.count && segment.type == bgp::AsSegmentType::kSequence; ++i) {
      if (!IsPrivateAs(segment[i])) last = segment[i];
    }
  });
  return last;
}

// The first `radius` hops, as segments of their kinds: a set is one hop and stays whole.
std::vector<uint8_t> CutPath(const bgp::AsPathView& path, size_t radius) {
  std::vector<uint8_t> cut;
  size_t left = radius;
  path.ForEachSegment([&](const bgp::AsSegment& segment) {
    if (left == 0) return;
    size_t count = segment.count;
    if (segment.type == bgp::AsSegmentType::kSequence || segment.type == bgp::AsSegmentType::kConfedSequence) {
      count = std::min(count, left);
      left -= count;
    } else {
      --left;
    }
    cut.push_back(static_cast<uint8_t>(segment.type));
    cut.push_back(static_cast<uint8_t>(count));
    cut.insert(cut.end(), segment.numbers, segment.numbers + count * segment.as_octets);
  });
  return cut;
}

// Of a list of communities of `size` octets each those that a pattern describes.
std::vector<uint8_t> Described(record::FieldType type, size_t size, base::Octets list,
                               absl::Span<const filter::CommunityPattern> patterns) {
  std::vector<uint8_t> described;
  for (; list.size() >= size; list.remove_prefix(size)) {
    const base::Octets one = list.subspan(0, size);
    if (filter::HasCommunity(type, one, patterns) != filter::Answer::kYes) continue;
    described.insert(described.end(), one.begin(), one.end());
  }
  return described;
}

struct Neighbours {
  uint32_t peer, origin;
};
std::optional<Neighbours> AsOfCommunity(const bgp::AttributeSetView& set, const RouteValuesOptions& options) {
  if (!options.as_of_std_comm.empty()) {
    const std::vector<uint8_t> found =
        Described(record::FieldType::kCommunities, 4, set.communities().octets(), options.as_of_std_comm);
    if (!found.empty()) return Neighbours{base::LoadBe16(found.data()), base::LoadBe16(found.data() + 2)};
  }
  if (!options.as_of_lrg_comm.empty()) {
    const std::vector<uint8_t> found =
        Described(record::FieldType::kLargeCommunities, 12, set.large_communities().octets(), options.as_of_lrg_comm);
    if (!found.empty()) return Neighbours{base::LoadBe32(found.data()), base::LoadBe32(found.data() + 4)};
  }
  return std::nullopt;
}

}  // namespace

RouteValues ReadRouteValues(base::Octets octets, RouteValueMask wanted, const RouteValuesOptions& options,
                            base::Interner* interner) {
  RouteValues values;
  const auto tell = [&values](RouteValue value) {
    values.told = static_cast<RouteValueMask>(values.told | MaskOf(value));
  };
  const auto number = [&](RouteValue value, std::optional<uint32_t> told) {
    if (!told || (wanted & MaskOf(value)) == 0) return;
    values.numbers[static_cast<size_t>(value)] = *told;
    tell(value);
  };
  const auto text = [&](RouteValue value, base::Octets told) {
    if (told.empty() || (wanted & MaskOf(value)) == 0) return;
    values.numbers[static_cast<size_t>(value)] = interner->Intern(told);
    tell(value);
  };
  const bgp::AttributeSetView set(octets);
  const bgp::AsPathView path = set.as_path();
  if (path.octets().empty()) {
    if (const auto told = AsOfCommunity(set, options)) {
      number(RouteValue::kOriginAs, told->origin);
      number(RouteValue::kPeerAs, told->peer);
    }
  }
  number(RouteValue::kOriginAs, options.skip_private_as ? LastPublicAs(path) : path.origin_as());
  if (uint32_t origin = 0; (wanted & MaskOf(RouteValue::kOwnOrigin)) != 0 && path.RouteOrigin(0, &origin)) {
    if (origin == 0) tell(RouteValue::kOwnOrigin);
  }
  number(RouteValue::kPeerAs, options.skip_private_as ? FirstPublicAs(path) : path.first_as());
  number(RouteValue::kLocalPref, set.local_pref());
  number(RouteValue::kMed, set.med());
  if (options.as_path_radius == 0) {
    text(RouteValue::kAsPath, path.octets());
  } else {
    const std::vector<uint8_t> cut = CutPath(path, options.as_path_radius);
    text(RouteValue::kAsPath, cut);
  }
  const auto communities = [&](RouteValue value, record::FieldType type, size_t size, base::Octets list,
                               const std::vector<filter::CommunityPattern>& patterns) {
    if (patterns.empty()) return text(value, list);
    const std::vector<uint8_t> described = Described(type, size, list, patterns);
    text(value, described);
  };
  communities(RouteValue::kCommunities, record::FieldType::kCommunities, 4, set.communities().octets(),
              options.std_comm);
  communities(RouteValue::kExtCommunities, record::FieldType::kExtCommunities, 8, set.extended_communities().octets(),
              options.ext_comm);
  communities(RouteValue::kLargeCommunities, record::FieldType::kLargeCommunities, 12, set.large_communities().octets(),
              options.lrg_comm);
  if (const auto origin = set.origin(); origin && (wanted & MaskOf(RouteValue::kOrigin)) != 0) {
    values.origin = static_cast<uint8_t>(*origin);
    tell(RouteValue::kOrigin);
  }
  if (const auto next_hop = set.next_hop(); next_hop && (wanted & MaskOf(RouteValue::kNextHop)) != 0) {
    std::memcpy(values.next_hop, next_hop->data(), sizeof(values.next_hop));
    tell(RouteValue::kNextHop);
  }
  return values;
}

void RouteValueCache::Meet(const base::Interner& interner) {
  if (interner_ == interner.identity()) return;
  interner_ = interner.identity();
  Clear();
}

void RouteValueCache::Want(RouteValueMask wanted) {
  wanted_ = wanted;
  Clear();
}

void RouteValueCache::Clear() {
  entries_ = Table();
  old_ = Table();
  made_in_this_size_ = 0;
}

const RouteValueCache::Entry* RouteValueCache::Table::Find(const Key& key) const {
  const Entry* const pair = PairOf(key.id);
  if (pair[0].key == key) return &pair[0];
  return pair[1].key == key ? &pair[1] : nullptr;
}

RouteValueCache::Entry* RouteValueCache::Table::NewEntry(rib::AttributeSetId id) {
  Entry* const pair = PairOf(id);
  if (pair[0].key.id != id) pair[1] = pair[0];
  return &pair[0];
}

const RouteValues& RouteValueCache::Find(const Key& key, base::Octets octets, base::Interner* interner) {
  if (entries_.places() == nullptr) entries_ = Table(kMinPlaceBits);
  if (const Entry* entry = entries_.Find(key); entry != nullptr) return entry->values;
  const Entry* const known = old_.places() == nullptr ? nullptr : old_.Find(key);
  // As many were made as there are places: they are too few.
  if (known == nullptr && ++made_in_this_size_ > size_t{1} << entries_.place_bits() &&
      entries_.place_bits() < kMaxPlaceBits) {
    old_ = std::move(entries_);
    entries_ = Table(old_.place_bits() + 1);
    made_in_this_size_ = 0;
  }
  Entry* const entry = entries_.NewEntry(key.id);
  if (known != nullptr) {
    *entry = *known;
    return entry->values;
  }
  ++made_;
  entry->values = ReadRouteValues(octets, wanted_, options_, interner);
  entry->key = key;
  return entry->values;
}

}  // namespace flowacct::enrich
