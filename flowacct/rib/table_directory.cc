#include "flowacct/rib/table_directory.h"

#include <algorithm>

namespace flowacct::rib {
namespace {

void Order(std::vector<TableChoice>* choices) {
  std::stable_sort(choices->begin(), choices->end(),
                   [](const TableChoice& a, const TableChoice& b) { return a.origin < b.origin; });
}

}  // namespace

std::unique_ptr<const TableDirectory> TableDirectoryBuilder::Build() && {
  for (auto& [rd, choices] : directory_->for_all_) Order(&choices);
  for (auto& [key, choices] : directory_->own_) Order(&choices);
  for (auto& [key, choices] : directory_->selected_) Order(&choices);
  return std::move(directory_);
}

void PublishedDirectory::Publish(std::unique_ptr<const TableDirectory> directory) {
  current_.store(directory.get(), std::memory_order_release);
  std::swap(owned_, directory);
  retired_.push_back({std::move(directory), epochs_->now()});
  Reclaim();
}

void PublishedDirectory::Reclaim() {
  if (retired_.empty()) return;
  const uint64_t safe = epochs_->Advance();
  retired_.erase(
      std::remove_if(retired_.begin(), retired_.end(), [safe](const Retired& retired) { return retired.epoch < safe; }),
      retired_.end());
}

}  // namespace flowacct::rib
