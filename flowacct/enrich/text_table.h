// Texts that a table puts into records: each kept once, by number; and which ids they have in one worker's interner.
//
// TextTable: built by one, then immutable and for any thread. InternedTexts: of one worker. Cost: an id is looked up in
// the interner once a text that occurs, and again after the worker took another interner.

#ifndef FLOWACCT_ENRICH_TEXT_TABLE_H_
#define FLOWACCT_ENRICH_TEXT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"

namespace flowacct::enrich {

class TextTable {
 public:
  TextTable() = default;
  TextTable(const TextTable&) = delete;
  TextTable& operator=(const TextTable&) = delete;

  // The number of `text`: from 0, the same for the same text until Finish.
  uint32_t Add(absl::string_view text) {
    const auto known = numbers_.find(text);
    if (known != numbers_.end()) return known->second;
    texts_.emplace_back(text);
    octets_ += sizeof(std::string) + (text.size() > 15 ? text.size() + 1 : 0);
    numbers_.emplace(texts_.back(), static_cast<uint32_t>(texts_.size() - 1));
    return static_cast<uint32_t>(texts_.size() - 1);
  }
  // The number of a text that was added, unless Finish was called.
  std::optional<uint32_t> Find(absl::string_view text) const {
    const auto known = numbers_.find(text);
    if (known == numbers_.end()) return std::nullopt;
    return known->second;
  }
  // Frees what only Add and Find need.
  void Finish() { numbers_ = {}; }

  absl::string_view text(uint32_t number) const { return texts_[number]; }
  size_t size() const { return texts_.size(); }
  size_t octets() const { return octets_; }

 private:
  std::deque<std::string> texts_;  // a deque: the views in numbers_ stay valid
  absl::flat_hash_map<absl::string_view, uint32_t> numbers_;
  size_t octets_ = 0;
};

class InternedTexts {
 public:
  // Before each batch: forgets the ids of another interner.
  void Meet(const base::Interner& interner) {
    if (identity_ == interner.identity()) return;
    identity_ = interner.identity();
    ids_.clear();
  }
  base::InternId Id(const TextTable& table, uint32_t number, base::Interner& interner) {
    if (number >= ids_.size()) ids_.resize(table.size(), base::Interner::kNone);
    base::InternId& id = ids_[number];
    if (id == base::Interner::kNone) id = interner.Intern(table.text(number));
    return id;
  }

 private:
  std::shared_ptr<const void> identity_;
  std::vector<base::InternId> ids_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_TEXT_TABLE_H_
