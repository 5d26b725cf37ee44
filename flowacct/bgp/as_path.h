// An AS path as it lies in octets: a walk over its segments, and what routes are compared and accounted by.
//
// Standards: RFC 4271 (4.3, 5.1.2, 9.1.2.2), RFC 5065 (3, 5.3: confederations), RFC 6793 (4 octets), RFC 6811 (2:
// origin).
// A view is of a path that AsPathView::IsValid found right, as every path of an attribute set is; else it ends at
// what does not fit.
// Ownership: borrows. Threads: plain values.
// Cost: one step a segment; no allocation but for text.

#ifndef FLOWACCT_BGP_AS_PATH_H_
#define FLOWACCT_BGP_AS_PATH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "flowacct/base/octets.h"

namespace flowacct::bgp {

inline constexpr uint32_t kAsTrans = 23456;  // RFC 6793, 9

enum class AsSegmentType : uint8_t {
  kSet = 1,
  kSequence = 2,
  kConfedSequence = 3,  // RFC 5065, 3
  kConfedSet = 4,
};

struct AsSegment {
  AsSegmentType type = AsSegmentType::kSequence;
  uint8_t count = 0;
  uint8_t as_octets = 4;
  const uint8_t* numbers = nullptr;

  uint32_t operator[](size_t i) const {
    return as_octets == 4 ? base::LoadBe32(numbers + 4 * i) : base::LoadBe16(numbers + 2 * i);
  }
  bool confed() const { return type == AsSegmentType::kConfedSequence || type == AsSegmentType::kConfedSet; }
  // What it adds to a path's length (RFC 4271, 9.1.2.2; RFC 5065, 5.3).
  size_t hops() const { return type == AsSegmentType::kSequence ? count : type == AsSegmentType::kSet ? 1 : 0; }
  base::Octets octets() const { return base::Octets(numbers - 2, 2 + size_t{count} * as_octets); }
};

class AsPathView {
 public:
  AsPathView() = default;  // the empty path
  explicit AsPathView(base::Octets octets, uint8_t as_octets = 4) : octets_(octets), as_octets_(as_octets) {}

  // RFC 7606, 7.2 (segments whole, known and not empty) and RFC 7607, 2 (no AS 0).
  static bool IsValid(base::Octets octets, uint8_t as_octets);

  base::Octets octets() const { return octets_; }
  bool empty() const { return octets_.empty(); }

  template <typename Visitor>  // void(const AsSegment&)
  void ForEachSegment(Visitor&& visit) const {
    for (size_t at = 0; octets_.size() - at >= 2;) {
      AsSegment segment{static_cast<AsSegmentType>(octets_[at]), octets_[at + 1], as_octets_, octets_.data() + at + 2};
      at += 2;
      const size_t length = size_t{segment.count} * as_octets_;
      if (length > octets_.size() - at) return;
      at += length;
      visit(static_cast<const AsSegment&>(segment));
    }
  }
  // All AS numbers in their order, also those of sets; of confederations' segments only if asked for.
  template <typename Visitor>  // void(uint32_t as)
  void ForEachAs(Visitor&& visit, bool confeds = false) const {
    ForEachSegment([&](const AsSegment& segment) {
      if (segment.confed() && !confeds) return;
      for (size_t i = 0; i < segment.count; ++i) visit(segment[i]);
    });
  }

  // The length that the decision process compares: a set counts 1, a confederation nothing.
  size_t hop_count() const;
  // The neighbour that announced the route (RFC 4271, 9.1.2.2.c): the first AS, confederations skipped. Nothing for a
  // route of one's own AS and for a path that begins with a set.
  std::optional<uint32_t> first_as() const;
  // The last AS, confederations skipped. Nothing for an empty path and for one that ends in a set.
  std::optional<uint32_t> origin_as() const;
  // RFC 6811, 2: true if there is an origin to validate, which is `own_as` for an empty path and one that ends in a
  // confederation.
  bool RouteOrigin(uint32_t own_as, uint32_t* origin) const;

  // "64496 64497 {64498,64499} (65001 65002) [65003,65004]": sets, confederation sequences and confederation sets.
  std::string ToString() const;

 private:
  base::Octets octets_;
  uint8_t as_octets_ = 4;
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_AS_PATH_H_
