// Names that an exporter told in options data: of interfaces, VRFs, applications, samplers.
//
// Elements: 10 or scope interface with 82, 83; 234, 235 with 236; 95 with 96; 48 or 302 with 84, 335.
// Ownership: owns its text; ids are of the interner that it is asked with, and remembered for the last one.
// Threads: one at a time. Errors: a name too many is refused. Cost: a hash look-up; some 80 octets a name.

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

namespace flowacct::flow {

enum class NameKind : uint8_t { kInterface, kInterfaceDescription, kVrf, kApplication, kSampler };
inline constexpr size_t kNameKindCount = 5;

class NameTable {
 public:
  explicit NameTable(size_t max_names) : max_names_(max_names) {}

  // `key`: the index or identifier; an applicationId as a big-endian number. False: no room for another one.
  bool Set(NameKind kind, uint64_t key, absl::string_view name);
  // The interned name; kNone if it was not told.
  base::InternId Find(NameKind kind, uint64_t key, base::Interner* interner);
  // Empty if it was not told.
  absl::string_view FindText(NameKind kind, uint64_t key) const;
  void Clear();
  // By key.
  std::vector<std::pair<uint32_t, std::string>> Interfaces() const;

 private:
  struct Name {
    std::string text;
    const base::Interner* interner = nullptr;
    base::InternId id = base::Interner::kNone;
  };
  using Names = absl::flat_hash_map<uint64_t, Name>;

  size_t max_names_;
  size_t size_ = 0;
  std::array<Names, kNameKindCount> names_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_NAME_TABLE_H_
