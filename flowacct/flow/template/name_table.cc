#include "flowacct/flow/template/name_table.h"

#include <algorithm>

namespace flowacct::flow {

bool NameTable::Set(NameKind kind, uint64_t key, absl::string_view name) {
  Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  if (found != names.end() && found->second.text == name) return true;
  if (found == names.end() && size_ >= max_names_) return false;
  const size_t cost = name.size() + (found == names.end() ? kNameOctets : 0);
  if (budget_ != nullptr && !budget_->Take(cost)) return false;
  if (found == names.end()) {
    ++size_;
    found = names.emplace(key, Name()).first;
  } else if (budget_ != nullptr) {
    budget_->Give(found->second.text.size());
  }
  found->second.text.assign(name.data(), name.size());
  found->second.epoch = 0;
  return true;
}

base::InternId NameTable::Find(NameKind kind, uint64_t key, base::Interner* interner, uint32_t epoch) {
  Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  if (found == names.end()) return base::Interner::kNone;
  Name& name = found->second;
  if (epoch == 0 || name.epoch != epoch) {
    name.id = interner->Intern(name.text);
    name.epoch = epoch;
  }
  return name.id;
}

absl::string_view NameTable::FindText(NameKind kind, uint64_t key) const {
  const Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  return found == names.end() ? absl::string_view() : absl::string_view(found->second.text);
}

void NameTable::Clear() {
  for (Names& names : names_) {
    for (const auto& [key, name] : names) {
      if (budget_ != nullptr) budget_->Give(kNameOctets + name.text.size());
    }
    names.clear();
  }
  size_ = 0;
}

std::vector<std::pair<uint32_t, std::string>> NameTable::Interfaces() const {
  std::vector<std::pair<uint32_t, std::string>> interfaces;
  for (const auto& [key, name] : Sorted(NameKind::kInterface)) {
    interfaces.emplace_back(static_cast<uint32_t>(key), std::string(name));
  }
  return interfaces;
}

std::vector<std::pair<uint64_t, absl::string_view>> NameTable::Sorted(NameKind kind) const {
  std::vector<std::pair<uint64_t, absl::string_view>> sorted;
  for (const auto& [key, name] : names_[static_cast<size_t>(kind)]) sorted.emplace_back(key, name.text);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace flowacct::flow
