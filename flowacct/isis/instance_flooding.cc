#include "flowacct/isis/instance_flooding.h"

namespace flowacct::isis {

void SendFlags::Set(const LspId& id) {
  const auto [it, added] = by_id_.try_emplace(id);
  if (!added) {
    if (!it->second.waiting) return;
    waiting_.erase(it->second.at);
  }
  fresh_.push_back({id, INT64_MIN});
  it->second = {std::prev(fresh_.end()), false, false};
}

void SendFlags::Wait(const LspId& id, int64_t time_nanos, bool sent) {
  const auto [it, added] = by_id_.try_emplace(id);
  if (!added) (it->second.waiting ? waiting_ : fresh_).erase(it->second.at);
  waiting_.push_back({id, time_nanos + kRetransmitNanos});
  it->second = {std::prev(waiting_.end()), true, sent};
}

void SendFlags::Clear(const LspId& id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return;
  (it->second.waiting ? waiting_ : fresh_).erase(it->second.at);
  by_id_.erase(it);
}

void SendFlags::ClearAll() {
  by_id_.clear();
  fresh_.clear();
  waiting_.clear();
}

const LspId* SendFlags::Next(int64_t time_nanos) const {
  if (!fresh_.empty()) return &fresh_.front().id;
  return !waiting_.empty() && waiting_.front().due <= time_nanos ? &waiting_.front().id : nullptr;
}

bool SendFlags::WasSent(const LspId& id) const {
  const auto it = by_id_.find(id);
  return it != by_id_.end() && it->second.sent;
}

void AcknowledgeFlags::Set(const LspEntry& entry, int64_t time_nanos) {
  if (entries_.empty()) first_nanos_ = time_nanos;
  entries_[entry.id] = entry;
}

const LspEntry* AcknowledgeFlags::Find(const LspId& id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

std::vector<LspEntry> AcknowledgeFlags::Take(size_t most, int64_t time_nanos) {
  std::vector<LspEntry> taken;
  auto it = entries_.begin();
  for (; it != entries_.end() && taken.size() < most; ++it) taken.push_back(it->second);
  entries_.erase(entries_.begin(), it);
  first_nanos_ = time_nanos;
  return taken;
}

}  // namespace flowacct::isis
