#include "flowacct/session/answered_transactions.h"

#include "absl/hash/hash.h"

namespace flowacct::session {
namespace {

// Rows from the oldest on whose places in the index are fetched before they are forgotten.
constexpr size_t kAhead = 8;

}  // namespace

uint32_t AnsweredTransactions::HashOf(const TransactionKey& key) {
  return static_cast<uint32_t>(absl::Hash<TransactionKey>()(key));
}

AnsweredTransactions::Row* AnsweredTransactions::Find(const TransactionKey& key) {
  const uint32_t number = index_.Find(HashOf(key), [&](uint32_t n) { return RowWith(n).key == key; });
  return number == 0 ? nullptr : &RowWith(number);
}

void AnsweredTransactions::Add(const TransactionKey& key, uint32_t asked, uint32_t answered, int64_t now_nanos) {
  if (max_rows_ == 0) return;
  if (rows_.size() >= max_rows_) ForgetFirst();
  index_.Insert(HashOf(key), NumberOf(first_ + static_cast<uint32_t>(rows_.size())), 0);
  index_.Reclaim(1);  // nobody else reads it
  rows_.push_back({key, asked, answered, now_nanos});
}

void AnsweredTransactions::Forget(Row* row) {
  const uint32_t hash = HashOf(row->key);
  index_.Erase(hash, index_.Find(hash, [&](uint32_t n) { return &RowWith(n) == row; }));
  row->key.sequence = kGone;
}

size_t AnsweredTransactions::Expire(int64_t now_nanos, size_t most) {
  size_t n = 0;
  for (; n < most && !rows_.empty() && rows_.front().end_nanos + keep_nanos_ <= now_nanos; ++n) ForgetFirst();
  return n;
}

void AnsweredTransactions::ForgetFirst() {
  if (rows_.size() > kAhead) index_.Prefetch(HashOf(rows_[kAhead].key));
  const Row& row = rows_.front();
  if (row.key.sequence != kGone) index_.Erase(HashOf(row.key), NumberOf(first_));
  rows_.pop_front();
  ++first_;
}

}  // namespace flowacct::session
