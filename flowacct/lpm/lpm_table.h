// Longest-prefix match: the value of the most specific prefix that holds an address.
//
//     LpmBuilder<Route> builder;  builder.Add(prefix, route);  ...   LpmTable<Route> table =
//     std::move(builder).Build(); const Route* route = table.Find(address);
//
// IPv4: a first table by 16 bits, then blocks of 256 entries for the next 8 and the last 8, where something longer
// lies there; an address takes one to three dependent loads. IPv6: the same in steps of 8 bits after the first 16.
// Values are kept once each, in the order in which they were added; entries hold their number.
//
// Ownership: owns values. Threads: built by one, then immutable and for any. Errors: Add refuses what is more than
// kMaxValues. Cost: IPv4 some 5-20 ns a look-up of random addresses, less when batched (FindBatch overlaps the loads).
// Memory: 512 KiB for the two first tables, 1 KiB a block: IPv4 about 0.25 MiB a /16 that is full of /24, so 16 octets
// a /24 that has neighbours, 1 KiB for a lone one; a /48 of IPv6 takes up to four blocks, neighbours share them.

#ifndef FLOWACCT_LPM_LPM_TABLE_H_
#define FLOWACCT_LPM_LPM_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/stride_trie.h"

namespace flowacct::lpm {

template <typename Value>
class LpmTable {
 public:
  LpmTable() : LpmTable({}, internal::StrideTrie(), internal::StrideTrie()) {}

  // Null: no prefix holds the address. Valid as long as the table.
  const Value* Find(const base::IpAddress& address) const {
    const uint32_t number = address.IsV4() ? v4_.Find(address.data() + 12) : v6_.Find(address.data());
    return number == 0 ? nullptr : &values_[number - 1];
  }
  // The same for each of `addresses` (16 octets each, `stride` apart), to `found`.
  void FindBatch(const uint8_t* addresses, size_t stride, size_t n, const Value** found) const {
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < std::min(n, kAhead); ++i) Prefetch(addresses + i * stride);
    for (size_t i = 0; i < n; ++i) {
      if (i + kAhead < n) Prefetch(addresses + (i + kAhead) * stride);
      found[i] = Find(base::IpAddress::FromV6(addresses + i * stride));
    }
  }

  // In the order of Add; a prefix that came twice has the last one's value only.
  absl::Span<const Value> values() const { return values_; }
  // Without what values own themselves.
  size_t octets() const { return v4_.octets() + v6_.octets() + values_.capacity() * sizeof(Value); }

 private:
  template <typename>
  friend class LpmBuilder;
  LpmTable(std::vector<Value> values, internal::StrideTrie v4, internal::StrideTrie v6)
      : values_(std::move(values)), v4_(std::move(v4)), v6_(std::move(v6)) {}

  void Prefetch(const uint8_t* address) const {
    if (base::IpAddress::FromV6(address).IsV4()) {
      v4_.Prefetch(address + 12);
    } else {
      v6_.Prefetch(address);
    }
  }

  std::vector<Value> values_;
  internal::StrideTrie v4_;
  internal::StrideTrie v6_;
};

template <typename Value>
class LpmBuilder {
 public:
  static constexpr size_t kMaxValues = internal::StrideTrie::kMaxNumber;

  // A prefix that was added before gets the new value. False: the table is full.
  bool Add(const base::IpPrefix& prefix, Value value) {
    if (values_.size() == kMaxValues) return false;
    values_.push_back(std::move(value));
    (prefix.address().IsV4() ? v4_ : v6_)
        .push_back({prefix.address(), prefix.length(), static_cast<uint32_t>(values_.size())});
    return true;
  }
  size_t size() const { return values_.size(); }

  LpmTable<Value> Build() && {
    internal::StrideTrie v4 = internal::StrideTrie::Build(12, std::move(v4_));
    internal::StrideTrie v6 = internal::StrideTrie::Build(0, std::move(v6_));
    return LpmTable<Value>(std::move(values_), std::move(v4), std::move(v6));
  }

 private:
  std::vector<Value> values_;
  std::vector<internal::StrideTrie::Prefix> v4_, v6_;
};

}  // namespace flowacct::lpm

#endif  // FLOWACCT_LPM_LPM_TABLE_H_
