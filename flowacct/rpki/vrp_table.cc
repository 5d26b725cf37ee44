#include "flowacct/rpki/vrp_table.h"

#include <algorithm>
#include <utility>

#include "flowacct/base/octets.h"

namespace flowacct::rpki {
namespace {

constexpr absl::string_view kRovStates[] = {
#define X(name, text) text,
    FLOWACCT_RPKI_ROV_STATES(X)
#undef X
};

absl::uint128 V6(const base::IpAddress& address) {
  return absl::MakeUint128(base::LoadBe64(address.data()), base::LoadBe64(address.data() + 8));
}

}  // namespace

absl::string_view RovStateName(RovState state) { return kRovStates[static_cast<size_t>(state)]; }

template <typename Address>
void VrpTable::Prefixes<Address>::Add(Address address, uint8_t length, uint32_t first_grant) {
  // What covers it is the last one or among those that cover that.
  uint32_t parent = nodes_.empty() ? kNone : static_cast<uint32_t>(nodes_.size() - 1);
  while (parent != kNone && !nodes_[parent].Covers(address, length)) parent = nodes_[parent].parent;
  if (nodes_.size() % kStep == 0) samples_.push_back(address);
  nodes_.push_back({address, parent, first_grant, length});
}

template <typename Address>
void VrpTable::Prefixes<Address>::Finish(uint32_t end_grant) {
  nodes_.push_back({Address{0}, kNone, end_grant, 0});
  // shrink_to_fit does nothing without exceptions.
  std::vector<Node>(nodes_).swap(nodes_);
  std::vector<Address>(samples_).swap(samples_);
}

template <typename Address>
size_t VrpTable::Prefixes<Address>::Block(Address address) const {
  // The last whose sample is not behind the address; 0 if none is.
  const Address* base = samples_.data();
  size_t n = samples_.size();
  if (n == 0) return 0;
  while (n > 1) {
    const size_t half = n / 2;
    base = base[half] <= address ? base + half : base;
    n -= half;
  }
  return static_cast<size_t>(base - samples_.data());
}

template <typename Address>
void VrpTable::Prefixes<Address>::Prefetch(size_t block) const {
  const auto* p = reinterpret_cast<const uint8_t*>(nodes_.data() + block * kStep);
  for (size_t at = 0; at < kStep * sizeof(Node); at += 64) __builtin_prefetch(p + at);
}

template <typename Address>
uint32_t VrpTable::Prefixes<Address>::Longest(size_t block, Address address, uint8_t length) const {
  const size_t count = nodes_.size() - 1;
  size_t i = std::min(block * kStep + kStep, count);
  // Beyond the block's start only where prefixes of one address lie across it.
  while (i > 0 &&
         (nodes_[i - 1].address > address || (nodes_[i - 1].address == address && nodes_[i - 1].length > length))) {
    --i;
  }
  if (i == 0) return kNone;
  uint32_t node = static_cast<uint32_t>(i - 1);
  while (node != kNone && !nodes_[node].Covers(address, length)) node = nodes_[node].parent;
  return node;
}

template <typename Address>
RovState VrpTable::Prefixes<Address>::Validate(size_t block, Address address, uint8_t length, uint32_t as,
                                               const Grant* grants) const {
  uint32_t node = Longest(block, address, length);
  if (node == kNone) return RovState::kNotFound;
  for (; node != kNone; node = nodes_[node].parent) {
    for (uint32_t g = nodes_[node].first; g < nodes_[node + 1].first; ++g) {
      if (grants[g].as == as && as != 0 && length <= grants[g].max_length) return RovState::kValid;
    }
  }
  return RovState::kInvalid;
}

VrpTable::VrpTable(std::vector<Vrp> vrps) {
  vrps.erase(std::remove_if(vrps.begin(), vrps.end(), [](const Vrp& vrp) { return !IsValid(vrp); }), vrps.end());
  std::sort(vrps.begin(), vrps.end());
  vrps.erase(std::unique(vrps.begin(), vrps.end()), vrps.end());
  grants_.reserve(vrps.size());
  // Each family in its turn, so that the grants of a node end where the next node's begin.
  for (const bool v4 : {true, false}) {
    const Vrp* last = nullptr;
    for (const Vrp& vrp : vrps) {
      const base::IpAddress& address = vrp.prefix.address();
      if (address.IsV4() != v4) continue;
      if (last == nullptr || !(last->prefix == vrp.prefix)) {
        const uint32_t first = static_cast<uint32_t>(grants_.size());
        if (v4) {
          v4_.Add(address.v4(), vrp.prefix.length(), first);
        } else {
          v6_.Add(V6(address), vrp.prefix.length(), first);
        }
      }
      last = &vrp;
      grants_.push_back({vrp.as, vrp.max_length});
    }
    if (v4) {
      v4_.Finish(static_cast<uint32_t>(grants_.size()));
    } else {
      v6_.Finish(static_cast<uint32_t>(grants_.size()));
    }
  }
}

RovState VrpTable::Validate(const base::IpPrefix& prefix, uint32_t as) const {
  const base::IpAddress& address = prefix.address();
  if (address.IsV4()) {
    return v4_.Validate(v4_.Block(address.v4()), address.v4(), prefix.length(), as, grants_.data());
  }
  return v6_.Validate(v6_.Block(V6(address)), V6(address), prefix.length(), as, grants_.data());
}

void VrpTable::ValidateBatch(absl::Span<const RouteOrigin> routes, RovState* states) const {
  constexpr size_t kAtOnce = 16;
  size_t blocks[kAtOnce];
  for (; !routes.empty(); routes.remove_prefix(std::min(kAtOnce, routes.size()))) {
    const size_t n = std::min(kAtOnce, routes.size());
    for (size_t i = 0; i < n; ++i) {
      const base::IpAddress& address = routes[i].prefix.address();
      if (address.IsV4()) {
        blocks[i] = v4_.Block(address.v4());
        v4_.Prefetch(blocks[i]);
      } else {
        blocks[i] = v6_.Block(V6(address));
        v6_.Prefetch(blocks[i]);
      }
    }
    for (size_t i = 0; i < n; ++i) {
      const base::IpPrefix& prefix = routes[i].prefix;
      const base::IpAddress& address = prefix.address();
      *states++ = address.IsV4() ? v4_.Validate(blocks[i], address.v4(), prefix.length(), routes[i].as, grants_.data())
                                 : v6_.Validate(blocks[i], V6(address), prefix.length(), routes[i].as, grants_.data());
    }
  }
}

std::vector<Vrp> VrpTable::Covering(const base::IpPrefix& prefix) const {
  std::vector<Vrp> vrps;
  const auto take = [&](const base::IpPrefix& covering, uint32_t first, uint32_t end) {
    for (uint32_t g = first; g < end; ++g) vrps.push_back({covering, grants_[g].max_length, grants_[g].as});
  };
  if (prefix.address().IsV4()) {
    v4_.ForEachCovering(prefix.address().v4(), prefix.length(),
                        [&](uint32_t address, uint8_t length, uint32_t first, uint32_t end) {
                          take(base::IpPrefix(base::IpAddress::V4(address), length), first, end);
                        });
  } else {
    v6_.ForEachCovering(V6(prefix.address()), prefix.length(),
                        [&](absl::uint128 address, uint8_t length, uint32_t first, uint32_t end) {
                          uint8_t octets[base::IpAddress::kSize];
                          base::StoreBe64(octets, absl::Uint128High64(address));
                          base::StoreBe64(octets + 8, absl::Uint128Low64(address));
                          take(base::IpPrefix(base::IpAddress::FromV6(octets), length), first, end);
                        });
  }
  return vrps;
}

}  // namespace flowacct::rpki
