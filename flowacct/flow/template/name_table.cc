#include "flowacct/flow/template/name_table.h"

#include <algorithm>

namespace flowacct::flow {

bool NameTable::Set(NameKind kind, uint64_t key, absl::string_view name) {
  Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  if (found == names.end()) {
    if (size_ >= max_names_) return false;
    ++size_;
    found = names.emplace(key, Name()).first;
  } else if (found->second.text == name) {
    return true;
  }
  found->second.text.assign(name.data(), name.size());
  found->second.interner = nullptr;
  return true;
}

base::InternId NameTable::Find(NameKind kind, uint64_t key, base::Interner* interner) {
  Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  if (found == names.end()) return base::Interner::kNone;
  Name& name = found->second;
  if (name.interner != interner) {
    name.id = interner->Intern(name.text);
    name.interner = interner;
  }
  return name.id;
}

absl::string_view NameTable::FindText(NameKind kind, uint64_t key) const {
  const Names& names = names_[static_cast<size_t>(kind)];
  auto found = names.find(key);
  return found == names.end() ? absl::string_view() : absl::string_view(found->second.text);
}

void NameTable::Clear() {
  for (Names& names : names_) names.clear();
  size_ = 0;
}

std::vector<std::pair<uint32_t, std::string>> NameTable::Interfaces() const {
  std::vector<std::pair<uint32_t, std::string>> interfaces;
  for (const auto& [key, name] : names_[static_cast<size_t>(NameKind::kInterface)]) {
    interfaces.emplace_back(static_cast<uint32_t>(key), name.text);
  }
  std::sort(interfaces.begin(), interfaces.end());
  return interfaces;
}

}  // namespace flowacct::flow
