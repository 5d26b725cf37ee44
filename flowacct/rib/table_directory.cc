#include "flowacct/rib/table_directory.h"

#include <algorithm>

namespace flowacct::rib {
namespace {

// Tables for all are the last, of whatever origin, and told from own ones by that alone.
void Order(std::vector<TableChoice>* choices) {
  std::stable_sort(choices->begin(), choices->end(),
                   [](const TableChoice& a, const TableChoice& b) { return a.origin < b.origin; });
}

}  // namespace

absl::Span<const TableChoice> TableDirectory::FindOwn(const base::IpAddress& exporter, uint64_t rd) const {
  const auto own = own_.find({exporter, rd});
  if (own == own_.end()) return {};
  const auto all = for_all_.find(rd);
  const size_t shared = all == for_all_.end() ? 0 : all->second.size();
  return absl::MakeConstSpan(own->second).first(own->second.size() - shared);
}

std::unique_ptr<const TableDirectory> TableDirectoryBuilder::Build() && {
  for (auto& [rd, choices] : directory_->for_all_) Order(&choices);
  for (auto& [key, choices] : directory_->own_) {
    Order(&choices);
    const auto all = directory_->for_all_.find(key.second);
    if (all != directory_->for_all_.end()) choices.insert(choices.end(), all->second.begin(), all->second.end());
  }
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
