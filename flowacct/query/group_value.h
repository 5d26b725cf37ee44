// A value of a group that owns its octets: for maps of groups.
//
// Threads: a plain value. Order: absent first, then by number, then by octets; it is the order of ties in answers.

#ifndef FLOWACCT_QUERY_GROUP_VALUE_H_
#define FLOWACCT_QUERY_GROUP_VALUE_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/record/stored_value.h"

namespace flowacct::query {

struct GroupValue {
  bool present = false;
  int64_t integer = 0;
  std::string octets;

  GroupValue() = default;
  explicit GroupValue(const record::StoredValue& value)
      : present(value.present),
        integer(value.present ? value.integer : 0),
        octets(value.present ? std::string(value.octets) : std::string()) {}
  // Borrows the octets.
  record::StoredValue View() const {
    record::StoredValue value;
    value.present = present;
    value.integer = integer;
    value.octets = octets;
    return value;
  }

  friend bool operator==(const GroupValue& a, const GroupValue& b) {
    return a.present == b.present && a.integer == b.integer && a.octets == b.octets;
  }
  friend bool operator<(const GroupValue& a, const GroupValue& b) {
    return std::tie(a.present, a.integer, a.octets) < std::tie(b.present, b.integer, b.octets);
  }
  template <typename H>
  friend H AbslHashValue(H h, const GroupValue& value) {
    return H::combine(std::move(h), value.present, value.integer, value.octets);
  }
};

using GroupValues = std::vector<GroupValue>;

inline GroupValues OwnedGroup(absl::Span<const record::StoredValue> group) {
  GroupValues owned;
  owned.reserve(group.size());
  for (const record::StoredValue& value : group) owned.emplace_back(value);
  return owned;
}

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_GROUP_VALUE_H_
