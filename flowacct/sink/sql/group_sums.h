// Sums of rows by groups in memory: for stores whose GROUP BY sorts all rows before it adds any, and for what a store
// groups more finely than it was asked, so that the rest of a filter can be asked here (split_filter.h).
//
// Exact: sums have 128 bits. Groups are in the order in which their first row came.
// Ownership: owns what it keeps; cells that it tells live as long as it does. Threads: one at a time.
// Cost: a look-up of the group's octets in a hash table a row. Memory: a group's octets, 16 a value, some 40 besides.

#ifndef FLOWACCT_SINK_SQL_GROUP_SUMS_H_
#define FLOWACCT_SINK_SQL_GROUP_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/query/group_store.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/stored_rows.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::sql {

// Of one answer summed here, since the store cannot: more are no answer to a person, and would fill the memory, some
// 150 octets each.
inline constexpr size_t kMaxGroupsHere = 10'000'000;
absl::Status TooManyGroups(absl::string_view store);

record::StoredValue StoredValueOf(const Cell& cell);

class GroupSums {
 public:
  static constexpr size_t kMaxValues = 64;

  // Rows of so many cells of the group, then one for each of the columns, which are borrowed; at most so many groups,
  // and kMaxValues columns, else none.
  GroupSums(size_t keys, std::vector<const Column*> values, size_t max_groups);

  // False: there would be too many groups. What is here is no answer then.
  bool Add(absl::Span<const Cell> cells);
  // The same of a row that is a sum of rows: its group, a number for each of the columns, and whether it is there.
  bool Add(absl::Span<const Cell> key, absl::Span<const absl::uint128> values, absl::Span<const bool> present);
  // Answers a request for groups of these keys (the first is the step if it has any) and values.
  void Tell(const query::GroupRequest& request, absl::FunctionRef<bool(const query::GroupRow&)> tell) const;

  size_t size() const { return groups_.size(); }
  // The cells of a group.
  void Key(size_t group, std::vector<Cell>* cells) const;
  // Of min and max of 64 bits, the number as it is stored.
  absl::uint128 value(size_t group, size_t value) const { return groups_[group][value]; }
  // False for min and max of nothing.
  bool present(size_t group, size_t value) const { return (Head(groups_[group])[0] >> value & 1) != 0; }
  // Greater for what is to come first where the largest come first; of what is present.
  absl::uint128 Rank(size_t group, size_t value) const;

 private:
  // A group lies in one piece: its sums; 64 bits of which are present, and the length of what follows; its cells, each
  // a kind, and 8 octets of a number, or a length in 8 octets and octets.
  using Group = absl::uint128*;
  uint64_t* Head(Group group) const { return reinterpret_cast<uint64_t*>(group + values_.size()); }
  char* Octets(Group group) const { return reinterpret_cast<char*>(Head(group) + 2); }
  void Encode(absl::Span<const Cell> cells);
  // Null: there would be too many.
  Group FindOrAdd(absl::Span<const Cell> key);
  Group NewGroup();
  void AddExtreme(Group group, size_t value, uint64_t number);
  void Grow();

  const size_t keys_;
  const std::vector<const Column*> values_;
  const size_t max_groups_;
  std::vector<uint64_t> flips_;  // of each value: what makes its numbers' order that of unsigned ones
  uint64_t present_ = 0;         // in a group without rows
  std::vector<char> key_;        // the row's, as a group has it
  size_t key_size_ = 0;
  std::vector<std::unique_ptr<absl::uint128[]>> chunks_;  // of groups
  Group next_ = nullptr;                                  // where there is room in the last of them
  size_t left_ = 0;
  std::vector<Group> groups_;
  std::vector<uint64_t> slots_;  // 32 bits of the key's hash, 32 of the group's number + 1; linear probing
};

// Its groups as rows: of a sum above 2^63 - 1 several, the others of which add nothing, as StoredRows has it.
class GroupSumRows : public RowSource {
 public:
  GroupSumRows(const GroupSums& sums, absl::Span<const Column* const> values);
  bool Next() override;

 private:
  const GroupSums& sums_;
  const std::vector<const Column*> values_;
  size_t group_ = 0;  // the next one
  std::vector<Cell> key_;
  std::vector<absl::uint128> rest_;  // of each value, what further rows are to tell
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_GROUP_SUMS_H_
