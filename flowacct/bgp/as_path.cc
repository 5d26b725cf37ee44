#include "flowacct/bgp/as_path.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace flowacct::bgp {

bool AsPathView::IsValid(base::Octets octets, uint8_t as_octets) {
  const uint8_t* p = octets.data();
  const uint8_t* const end = p + octets.size();
  while (p != end) {
    if (end - p < 2) return false;
    const uint8_t type = p[0], count = p[1];
    p += 2;
    if (type < static_cast<uint8_t>(AsSegmentType::kSet) || type > static_cast<uint8_t>(AsSegmentType::kConfedSet) ||
        count == 0 || size_t{count} * as_octets > static_cast<size_t>(end - p)) {
      return false;
    }
    if (as_octets == 4) {
      for (size_t i = 0; i < count; ++i, p += 4) {
        if (base::LoadHost<uint32_t>(p) == 0) return false;
      }
    } else {
      for (size_t i = 0; i < count; ++i, p += 2) {
        if (base::LoadHost<uint16_t>(p) == 0) return false;
      }
    }
  }
  return true;
}

size_t AsPathView::hop_count() const {
  size_t hops = 0;
  ForEachSegment([&](const AsSegment& segment) { hops += segment.hops(); });
  return hops;
}

std::optional<uint32_t> AsPathView::first_as() const {
  std::optional<uint32_t> first;
  bool decided = false;
  ForEachSegment([&](const AsSegment& segment) {
    if (decided || segment.confed() || segment.count == 0) return;
    decided = true;
    if (segment.type == AsSegmentType::kSequence) first = segment[0];
  });
  return first;
}

std::optional<uint32_t> AsPathView::origin_as() const {
  std::optional<uint32_t> origin;
  ForEachSegment([&](const AsSegment& segment) {
    if (segment.confed() || segment.count == 0) return;
    origin.reset();
    if (segment.type == AsSegmentType::kSequence) origin = segment[segment.count - 1];
  });
  return origin;
}

bool AsPathView::RouteOrigin(uint32_t own_as, uint32_t* origin) const {
  bool known = true;
  *origin = own_as;
  ForEachSegment([&](const AsSegment& segment) {
    known = segment.type != AsSegmentType::kSet;
    *origin = segment.type == AsSegmentType::kSequence && segment.count != 0 ? segment[segment.count - 1] : own_as;
  });
  return known;
}

std::string AsPathView::ToString() const {
  static constexpr struct {
    const char *open, *between, *close;
  } kMarks[] = {{"{", ",", "}"}, {"", " ", ""}, {"(", " ", ")"}, {"[", ",", "]"}};
  std::string text;
  ForEachSegment([&](const AsSegment& segment) {
    const size_t index = static_cast<size_t>(segment.type) - 1;
    const auto& marks = kMarks[index < 4 ? index : 1];
    absl::StrAppend(&text, text.empty() ? "" : " ", marks.open);
    for (size_t i = 0; i < segment.count; ++i) absl::StrAppend(&text, i == 0 ? "" : marks.between, segment[i]);
    absl::StrAppend(&text, marks.close);
  });
  return text;
}

}  // namespace flowacct::bgp
