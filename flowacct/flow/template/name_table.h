// Names that an exporter told in options data: of interfaces, VRFs, applications, samplers.
//
// Elements: 10 or scope interface with 82, 83; 234, 235 with 236; 95 with 96; 48 or 302 with 84, 335.
// Ownership: owns its text; ids are of the interner that it is asked with, and remembered for its epoch.
// Gives back to the budget, which outlives it, what it took. Threads: one at a time. Errors: a name too many is
// refused. Cost: a hash look-up; kNameOctets and its text a name at most.

#ifndef FLOWACCT_FLOW_TEMPLATE_NAME_TABLE_H_
#define FLOWACCT_FLOW_TEMPLATE_NAME_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/flow/template/memory_budget.h"

namespace flowacct::flow {

// Numbers the interners that a decoder meets, so that ids of one are never taken for those of another that lies where
// it lay.
class InternerEpochs {
 public:
  // Of the interner of the rows to come.
  uint32_t Of(const base::Interner& interner) {
    if (&interner != last_) {
      last_ = &interner;
      ++epoch_;
    }
    return epoch_;
  }
  // The next one is another, wherever it lies.
  void Forget() { last_ = nullptr; }

 private:
  const base::Interner* last_ = nullptr;
  uint32_t epoch_ = 0;
};

enum class NameKind : uint8_t { kInterface, kInterfaceDescription, kVrf, kApplication, kSampler };
inline constexpr size_t kNameKindCount = 5;

class NameTable {
 public:
  // A slot and its octet of control, in a table that has just doubled; the name is besides.
  static constexpr size_t kNameOctets = 136;

  // `budget` may be null.
  explicit NameTable(size_t max_names, MemoryBudget* budget = nullptr) : max_names_(max_names), budget_(budget) {}
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;
  ~NameTable() { Clear(); }

  // `key`: the index or identifier; an applicationId as a big-endian number. False: no room for another one.
  bool Set(NameKind kind, uint64_t key, absl::string_view name);
  // The interned name; kNone if it was not told. Another interner than the last time has another `epoch`; of 0
  // nothing is remembered.
  base::InternId Find(NameKind kind, uint64_t key, base::Interner* interner, uint32_t epoch);
  // Empty if it was not told.
  absl::string_view FindText(NameKind kind, uint64_t key) const;
  void Clear();
  // By key.
  std::vector<std::pair<uint32_t, std::string>> Interfaces() const;
  std::vector<std::pair<uint64_t, absl::string_view>> Sorted(NameKind kind) const;

 private:
  struct Name {
    std::string text;
    uint32_t epoch = 0;  // of the interner that gave the id; 0: none has
    base::InternId id = base::Interner::kNone;
  };
  using Names = absl::flat_hash_map<uint64_t, Name>;

  const size_t max_names_;
  MemoryBudget* const budget_;
  size_t size_ = 0;
  std::array<Names, kNameKindCount> names_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_NAME_TABLE_H_
