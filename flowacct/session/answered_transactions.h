// Transactions that are over, so that their messages are known when they come again.
//
// Each is kept for a time from its end on, and so many at most: beyond that the oldest is forgotten. Ownership: values;
// a Row stays until the next Add. Threads: the writer's. Errors: none. Cost: a cache line to find, to add and to
// forget; memory 42 octets each.

#ifndef FLOWACCT_SESSION_ANSWERED_TRANSACTIONS_H_
#define FLOWACCT_SESSION_ANSWERED_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "flowacct/session/key_index.h"

namespace flowacct::session {

struct TransactionKey {
  uint32_t sender, receiver;  // of the request
  uint32_t sequence;          // and the version

  bool operator==(const TransactionKey& o) const {
    return sender == o.sender && receiver == o.receiver && sequence == o.sequence;
  }
  template <typename H>
  friend H AbslHashValue(H h, const TransactionKey& k) {
    return H::combine(std::move(h), k.sender, k.receiver, k.sequence);
  }
};

class AnsweredTransactions {
 public:
  struct Row {
    TransactionKey key;
    uint32_t asked;     // what tells the request from others; 0: it was not seen
    uint32_t answered;  // the answer; 0: it was assumed
    int64_t end_nanos;
  };

  AnsweredTransactions(size_t max_rows, int64_t keep_nanos) : max_rows_(max_rows), keep_nanos_(keep_nanos) {}

  // Null: it is not known. The pointer is good until the next Add.
  Row* Find(const TransactionKey& key);
  // `now_nanos` never goes back.
  void Add(const TransactionKey& key, uint32_t asked, uint32_t answered, int64_t now_nanos);
  void Forget(Row* row);
  // Those whose time is over, `most` of them; returns how many.
  size_t Expire(int64_t now_nanos, size_t most);

  size_t octets() const { return rows_.size() * sizeof(Row) + index_.octets(); }

 private:
  static constexpr uint32_t kGone = ~uint32_t{0};  // as a sequence number, which has 24 bits and the version
  static uint32_t HashOf(const TransactionKey& key);
  // Neither 0 nor ~0, which are none in an index; no two of so few rows have the same.
  static uint32_t NumberOf(uint32_t serial) { return (serial & 0x7fffffff) + 1; }
  Row& RowWith(uint32_t number) { return rows_[(number - NumberOf(first_)) & 0x7fffffff]; }
  void ForgetFirst();

  const size_t max_rows_;
  const int64_t keep_nanos_;
  std::deque<Row> rows_;  // in the order of their ends
  uint32_t first_ = 0;    // serial number of the first of them
  KeyIndex index_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_ANSWERED_TRANSACTIONS_H_
