#include "flowacct/collector/kafka/batch_parts.h"

namespace flowacct::collector {

void BatchParts::ForgetOldest() {
  const auto found = batches_.find(oldest_.front());
  parts_ -= found->second.parts.size();
  if (!found->second.whole) ++forgotten_;
  batches_.erase(found);
  oldest_.pop_front();
}

bool BatchParts::Take(const sink::queue::BatchPart& part) {
  std::string name = sink::queue::BatchText(part.batch);
  const auto [found, is_new] = batches_.try_emplace(name);
  if (is_new) oldest_.push_back(std::move(name));
  Batch& batch = found->second;
  if (batch.whole || !batch.parts.insert(part.part).second) return false;
  ++parts_;
  batch.rows += part.rows;
  if (batch.rows >= part.batch_rows) {
    parts_ -= batch.parts.size();
    batch.parts = {};
    batch.whole = true;
  }
  while (oldest_.size() > options_.max_batches || (parts_ > options_.max_parts && oldest_.size() > 1)) ForgetOldest();
  return true;
}

}  // namespace flowacct::collector
